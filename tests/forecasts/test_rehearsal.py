"""A rehearsal walks loaded history to its end, new closes included, and says what was said live."""

import itertools
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.domain.errors import NotEnoughDataError
from engine.domain.forecast import HORIZONS, ForecastsSettled, SimulationLevel
from engine.forecasts.adaptive_crew import AdaptiveCrew
from engine.forecasts.book import ForecastBook
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.records import issued_of
from engine.forecasts.rehearsal import PIECE, STRIDE, Piece, Plan, Rehearsal, Walked, walk
from engine.forecasts.size import Size
from tests.forecasts.pasts import past_of, restless

PAST = past_of(restless(299), "AAA")
LONGER = past_of(restless(339), "AAA")
PLAN = Plan(levels=(SimulationLevel.LEVEL_3_ADAPTIVE,), n_paths=60, n_steps=50, seed=1)


def aside(call: Callable[..., Any]) -> Callable[[Callable[..., None]], None]:
    """Do everything at once, by `call`."""
    return lambda work: work(call)


def rehearsal_of(
    n_bars: int, newest: Callable[[], Past], beside: Any, run: str = "a run"
) -> Rehearsal:
    return Rehearsal(run, "AAA", n_bars, PLAN, lambda: (newest(),), beside, lambda: None)


def whole(rehearsal: Rehearsal) -> list[ForecastsSettled]:
    pieces, is_over = [], False
    while not is_over:
        step = rehearsal.step()
        assert step is not None, "the walk is done where it is asked for"
        told, is_over = step
        pieces += told
        assert len(pieces) < 100
    return pieces


def seen_by(n_bars: int, newest: Callable[[], Past]) -> tuple[list[int], list[ForecastsSettled]]:
    seen: list[int] = []

    def look(_: object, piece: Piece) -> Walked:
        bars = range(piece.begin, piece.end + 1)
        seen.extend(bars)
        return Walked([() for _ in bars], piece.book)

    return seen, whole(rehearsal_of(n_bars, newest, aside(look)))


def test_it_walks_every_bar_once_and_tells_of_a_few_at_a_time():
    seen, pieces = seen_by(PIECE + 12, lambda: PAST)
    assert seen == list(range(300 - PIECE - 11, 301))
    assert [p.n_walked for p in pieces] == [*range(0, PIECE + 11, STRIDE), PIECE + 12]
    assert {p.n_to_walk for p in pieces} == {PIECE + 12}
    assert [p.is_first for p in pieces] == [True] + [False] * (len(pieces) - 1)
    assert all(p.is_rehearsal and p.symbol == "AAA" for p in pieces)


def test_closes_that_come_meanwhile_are_walked_as_well():
    asked = itertools.chain([100, 100, 100, 103], itertools.repeat(106))
    seen, pieces = seen_by(10, lambda: PAST.until(next(asked)))
    assert seen == list(range(91, 107))
    assert pieces[-1].n_walked == pieces[-1].n_to_walk == 16


def test_a_longer_walk_than_history_begins_at_its_first_bar():
    seen, _ = seen_by(1_000, lambda: PAST.until(7))
    assert seen == list(range(1, 8))


def test_no_history_is_over_at_once():
    seen, pieces = seen_by(10, lambda: PAST.until(0))
    assert (seen, [p.n_walked for p in pieces], pieces[-1].n_to_walk) == ([], [0, 0], 0)


def test_a_piece_at_work_is_waited_for_by_nobody_and_says_when_it_is_done():
    given, woken = [], []
    rehearsal = Rehearsal(
        "a run", "AAA", 5, PLAN, lambda: (PAST,), given.append, lambda: woken.append(True)
    )
    begun = rehearsal.step()
    assert begun is not None
    assert [(p.n_walked, p.n_to_walk) for p in begun[0]] == [(0, 5)], "that it begins"
    assert rehearsal.step() is rehearsal.step() is None
    (work,) = given
    work(lambda function, piece: function(piece))
    assert woken == [True]
    step = rehearsal.step()
    assert step is not None
    assert step[1], "it is over"


def test_what_stops_a_walk_is_raised_where_it_is_asked_for():
    def fail(*_: object) -> None:
        raise NotEnoughDataError("no")

    rehearsal = rehearsal_of(5, lambda: PAST, aside(fail))
    rehearsal.step()
    with pytest.raises(NotEnoughDataError):
        rehearsal.step()


class Walker:
    """Draws level 3 as the engine does live, with fits and a book of its own."""

    def __init__(self) -> None:
        self.levels = Levels()
        self.book = ForecastBook(self.levels.crew)

    def __call__(self, past: Past) -> tuple:
        rows = self.book.settle(past)
        place = int(past.closes_at[-1])
        size = PLAN.size("AAA", SimulationLevel.LEVEL_3_ADAPTIVE, place)
        ask = Ask(past=past, size=size, others=lambda: (past,), origin=self.book.number(past))
        drawn = self.levels.draw(SimulationLevel.LEVEL_3_ADAPTIVE, ask)
        self.book.issue(past, datetime.fromtimestamp(place, UTC), issued_of(drawn))
        return rows


def test_a_rehearsal_says_the_same_as_was_said_live_and_live_forecasts_go_on_from_it():
    live, late = Walker(), PAST.until(180)
    said = [row for n in range(151, 181) for row in live(late.until(n))]

    def in_another_process(function: Callable[[Piece], Walked], piece: Piece) -> Walked:
        found: Walked = pickle.loads(pickle.dumps(function(pickle.loads(pickle.dumps(piece)))))  # noqa: S301 -- our own
        return found

    rehearsal = rehearsal_of(30, lambda: late, aside(in_another_process), "another run")
    rows = [row for piece in whole(rehearsal) for row in piece.rows]
    assert rows == said
    assert {row.horizon for row in rows} == set(HORIZONS)
    after = Walker()
    after.book.take_over("AAA", rehearsal.book)
    for n in range(181, 190):
        assert after(PAST.until(n)) == live(PAST.until(n))
    assert after.book.crew.weights("AAA", 1) == live.book.crew.weights("AAA", 1)


def test_where_fits_are_made_and_renewed_on_the_way_a_rehearsal_says_the_same_too():
    """Past 250 bars; who goes on from it begins its searches anew, which moves last digits alone."""
    live, late = Walker(), LONGER.until(320)
    said = [row for n in range(291, 321) for row in live(late.until(n))]
    rehearsal = rehearsal_of(
        30, lambda: late, aside(lambda work, piece: work(piece)), "a longer run"
    )
    assert [row for piece in whole(rehearsal) for row in piece.rows] == said
    assert live.levels.fits.of_symbol(late).garch.converged
    after = Walker()
    after.book.take_over("AAA", rehearsal.book)
    for n in range(321, 330):
        for one, other in zip(after(LONGER.until(n)), live(LONGER.until(n)), strict=True):
            assert (one.level, one.horizon, one.origin) == (
                other.level,
                other.horizon,
                other.origin,
            )
            assert (one.pit, one.crps) == pytest.approx((other.pit, other.crps), rel=1e-4, abs=1e-5)


def test_runs_share_no_fits():
    """Where a search began moves a fit's last digits, so what ran before in a process must leave no trace."""
    past = past_of(restless(320, 4), "AAA")

    def rows(run: str, begin: int) -> list:
        book = ForecastBook(AdaptiveCrew())
        piece = Piece(
            run=run, plan=PLAN, symbol="AAA", pasts=(past,), begin=begin, end=310, book=book
        )
        return [row for each in walk(piece).rows for row in each]

    alone = rows("one", 300)
    rows("two", 260)
    assert rows("three", 300) == alone


def test_symbols_of_level_4_fall_together():
    level_4 = SimulationLevel.LEVEL_4_MULTI_FACTOR
    sizes: list[Size] = [PLAN.size(name, level_4, 5) for name in ("AAA", "BBB")]
    assert sizes[0] == sizes[1]
    assert PLAN.size("AAA", level_4, 6) != sizes[0]
    others = {PLAN.size(name, SimulationLevel.LEVEL_1_BASE, 5).seed for name in ("AAA", "BBB")}
    assert len(others) == 2
