"""The fold of settled forecasts: what is counted, thinned, kept and forgotten."""

from datetime import timedelta
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.projection.rehearsed import joined
from engine.core.projection.report_card import CardFold
from engine.domain.events import EventType
from engine.domain.forecast import CARD_SIZE, ForecastsSettled, LevelCard, SettledForecast
from tests.core.sample import DAY, START, event

SETTLED = EventType.FORECASTS_SETTLED


def row(n: int, *, level=1, horizon=1, pit=0.5, crps=0.01) -> SettledForecast:
    return SettledForecast(
        level=level, horizon=horizon, origin=START + n * DAY, pit=pit, crps=crps
    )  # fmt: skip


def tell(fold: CardFold, rows, symbol="AAPL", **more) -> tuple[str, ...]:
    payload = ForecastsSettled(symbol=symbol, rows=tuple(rows), **more)
    return tuple(fold.routes()[SETTLED](event(SETTLED, payload)))


def card(fold: CardFold, level=1, horizon=1, symbol="AAPL") -> LevelCard:
    section = fold.value(f"card:{symbol}")
    (found,) = (c for c in section.cards if (c.level, c.horizon) == (level, horizon))
    return found


def test_outcomes_are_counted_by_band_and_by_tenth():
    fold = CardFold()
    pits = [0.005, 0.04, 0.2, 0.5, 0.61, 0.74, 0.93, 0.999]
    assert tell(fold, [row(n, pit=pit) for n, pit in enumerate(pits)]) == ("card:AAPL",)
    found = card(fold)
    assert (found.n, found.n_rehearsed) == (8, 0)
    assert found.inside == (3, 4, 5, 6)
    assert found.pit_counts == (2, 0, 1, 0, 0, 1, 1, 1, 0, 2)
    assert found.exceptions_99 == 1
    assert (found.crps, found.base_crps, found.dm_t) == (pytest.approx(0.01), pytest.approx(0.01), None)  # fmt: skip


@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_forecasts_that_overlap_are_thinned(horizon: int):
    fold = CardFold()
    for n in range(41):
        tell(fold, [row(n, horizon=horizon, pit=0.001 if n % horizon == 0 else 0.5)])
    found = card(fold, horizon=horizon)
    assert found.n == found.exceptions_99 == 40 // horizon + 1


def test_only_the_newest_count():
    fold = CardFold()
    tell(fold, [row(n, pit=0.001 if n < 10 else 0.5) for n in range(CARD_SIZE + 10)])
    assert (card(fold).n, card(fold).exceptions_99) == (CARD_SIZE, 0)


def test_long_after_the_first_were_let_go_it_still_counts_the_newest():
    fold, n = CardFold(), 3 * CARD_SIZE + 7
    crps = np.random.default_rng(3).uniform(0.01, 0.02, (n, 2)).tolist()
    for k in range(n):
        rows = [
            row(k, crps=crps[k][0]),
            row(k, level=5, crps=crps[k][1], pit=0.001 if k % 2 else 0.3),
        ]
        tell(fold, rows, is_rehearsal=k < n - 9)
    found, last = card(fold, level=5), np.array(crps[-CARD_SIZE:])
    assert (found.n, found.n_rehearsed) == (CARD_SIZE, CARD_SIZE - 9)
    assert found.exceptions_99 == CARD_SIZE // 2
    assert (found.base_crps, found.crps) == (
        pytest.approx(last[:, 0].mean()),
        pytest.approx(last[:, 1].mean()),
    )
    again = CardFold()
    again.restore(msgspec.json.decode(msgspec.json.encode(fold.kept())))
    assert again.value("card:AAPL") == fold.value("card:AAPL")


def test_a_level_is_compared_with_the_base_at_the_same_origins():
    fold = CardFold()
    base = [row(n, crps=0.02 + 0.001 * (n % 3)) for n in range(60)]
    other = [row(n, level=2, crps=0.01 + 0.001 * (n % 2)) for n in range(30, 70)]
    tell(fold, [*base, *other])
    found = card(fold, level=2)
    assert found.n == 40
    assert found.crps == pytest.approx(0.0105)
    assert found.base_crps == pytest.approx(0.021)
    assert found.dm_t < -5.0
    assert card(fold).dm_t is None


def test_a_level_without_a_base_has_no_comparison():
    fold = CardFold()
    tell(fold, [row(n, level=3) for n in range(30)])
    assert card(fold, level=3).dm_t is None


def test_a_base_that_comes_later_is_compared_all_the_same():
    fold = CardFold()
    tell(fold, [row(0, level=2, crps=0.01)])
    assert card(fold, level=2).base_crps is None
    tell(fold, [row(0, level=1, crps=0.03), row(1, level=2, crps=0.01)])
    assert card(fold, level=2).base_crps == pytest.approx(0.03)


def rehearse(fold: CardFold, rows, at, n_to_walk, **more) -> None:
    tell(fold, rows, is_rehearsal=True, n_walked=at, n_to_walk=n_to_walk, **more)


def test_a_first_rehearsal_counts_as_it_goes_and_says_how_far_it_is():
    fold = CardFold()
    rehearse(fold, [row(n) for n in range(3)], 5, 12, is_first=True)
    rehearse(fold, [row(3)], 10, 12)
    tell(fold, [row(4)])
    found = card(fold)
    assert (found.n, found.n_rehearsed) == (5, 4)
    section = fold.value("card:AAPL")
    assert (section.n_walked, section.n_to_walk) == (10, 12)


def test_a_rehearsal_that_comes_again_changes_the_card_when_it_is_whole():
    """What was rehearsed is replaced, what was forecast live stays."""
    fold = CardFold()
    rehearse(fold, [row(n, pit=0.3) for n in range(6)], 6, 6, is_first=True)
    tell(fold, [row(6, pit=0.001), row(7, pit=0.001)])
    before = fold.value("card:AAPL").cards
    rehearse(fold, [], 0, 9, is_first=True)
    rehearse(fold, [row(n, pit=0.97) for n in range(5)], 5, 9)
    assert fold.value("card:AAPL").cards == before, "nothing is lost meanwhile"
    restored = CardFold()
    restored.restore(msgspec.json.decode(msgspec.json.encode(fold.kept())))
    for each in (fold, restored):
        rehearse(each, [row(n, pit=0.97) for n in range(5, 9)], 9, 9)
        found = card(each)
        assert (found.n, found.n_rehearsed, found.exceptions_99) == (9, 7, 2)
        assert found.pit_counts == (2, 0, 0, 0, 0, 0, 0, 0, 0, 7)
        tell(each, [row(9, pit=0.3)])
        assert card(each).n == 10


def test_a_rehearsal_that_begins_again_midway_takes_nothing_from_the_one_before():
    fold = CardFold()
    tell(fold, [row(0)])
    rehearse(fold, [row(n, pit=0.001) for n in range(1, 4)], 3, 8, is_first=True)
    rehearse(fold, [row(n) for n in range(4)], 4, 4, is_first=True)
    assert (card(fold).n, card(fold).n_rehearsed, card(fold).exceptions_99) == (4, 3, 0)


def test_a_level_that_is_forecast_no_more_keeps_what_was_live():
    fold = CardFold()
    tell(fold, [row(0, level=2), row(0)])
    rehearse(fold, [row(n, level=3) for n in range(4)], 4, 4, is_first=True)
    assert [(c.level, c.n, c.n_rehearsed) for c in fold.value("card:AAPL").cards] == [
        (1, 1, 0),
        (2, 1, 0),
        (3, 4, 4),
    ]


@settings(max_examples=200, deadline=None)
@given(
    horizon=st.integers(1, 7), n=st.integers(0, 60), steps=st.lists(st.integers(0, 9), max_size=12),
    start=st.integers(-20, 50),
)  # fmt: skip
def test_after_another_rehearsal_nothing_overlaps_and_no_gap_holds_another(
    horizon, n, steps, start
):
    live = [start]
    for step in steps:
        live.append(live[-1] + horizon + step)
    live = [place for place in live if place < n]
    before = [(row(place, horizon=horizon), False) for place in live]
    kept, seen = joined(before, [row(place, horizon=horizon) for place in range(n)], horizon)
    places = [(each.origin - START).days for each, _ in kept]
    assert [(each.origin - START).days for each, was_rehearsed in kept if not was_rehearsed] == live
    gaps = [later - sooner for sooner, later in pairwise(places)]
    assert all(gap >= horizon for gap in gaps), "apart"
    inner = [gap for gap, at in zip(gaps, places, strict=False) if at >= 0]
    assert all(gap < 2 * horizon for gap in inner), "as many as there is room for"
    went_on = next(k for k in range(horizon + 1) if (seen + k) % horizon == 0)
    if places and places[-1] >= 0:
        assert n + went_on - places[-1] >= horizon, "the next live one is apart too"
        assert went_on == 0 or n + went_on - places[-1] == horizon, "and comes as soon as it may"


def test_symbols_have_cards_of_their_own():
    fold = CardFold()
    tell(fold, [row(0)])
    tell(fold, [row(0, pit=0.001), row(1)], "IBM")
    assert set(fold.names()) == {"card:AAPL", "card:IBM"}
    assert (card(fold).n, card(fold, symbol="IBM").n) == (1, 2)
    assert fold.value("card:MSFT") is None


def test_what_is_kept_comes_back_the_same_and_goes_on_alike():
    fold, again = CardFold(), CardFold()
    for n in range(33):
        tell(fold, [row(n, horizon=h, level=lv, pit=0.3) for h in (1, 5) for lv in (1, 2)])
    tell(fold, [row(33)], is_rehearsal=True, n_walked=34, n_to_walk=40)
    again.restore(msgspec.json.decode(msgspec.json.encode(fold.kept())))
    assert again.value("card:AAPL") == fold.value("card:AAPL")
    for each in (fold, again):
        tell(each, [row(33, horizon=5, pit=0.9)])
        tell(each, [row(35, horizon=5, pit=0.9)])
    assert again.value("card:AAPL") == fold.value("card:AAPL")
    assert card(again, horizon=5).n == 7


def test_another_run_of_the_market_begins_with_an_empty_card():
    fold = CardFold()
    tell(fold, [row(n, horizon=5) for n in range(3)])
    assert fold.reset(START + timedelta(days=9)) == ("card:AAPL",)
    assert tuple(fold.names()) == ()
    assert fold.value("card:AAPL") is None
    tell(fold, [row(0, horizon=5)])
    assert card(fold, horizon=5).n == 1
