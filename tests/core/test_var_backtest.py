"""The back-test section: what came live stands, what was walked fills the past, the kernels judge both."""

import numpy as np
import pytest

from engine.core.projection import var_backtest as subject
from engine.core.projection.projection import Projection
from engine.core.projection.var_backtest import BacktestFold
from engine.domain.events import Event, EventType
from engine.domain.payload import decode, encode
from engine.domain.risk import PORTFOLIO
from engine.domain.var_backtest import COLUMNS, N_BARS, BacktestSection, VarOutcome, VarsSettled
from engine.kernels import var_backtests as kernels

SIX = (0.02, 0.04, 0.02, 0.03, None, 0.05)


def outcomes(n: int, first: int = 1, *, change: float = -0.01) -> tuple[VarOutcome, ...]:
    return tuple(VarOutcome(at=first + i, change=change, stated=SIX) for i in range(n))


def told(kind: EventType, rows: tuple[VarOutcome, ...], scope: str = "AAPL") -> Event:
    return Event(kind, VarsSettled(symbol=scope, rows=rows).to_data())


def fold(*events: Event) -> BacktestFold:
    made = BacktestFold()
    for event in events:
        assert made.routes()[event.event_type](event) == (f"backtest:{event.data['symbol']}",)
    return made


def section(made: BacktestFold, scope: str = "AAPL") -> BacktestSection:
    value = made.value(f"backtest:{scope}")
    assert isinstance(value, BacktestSection)
    return value


def test_what_came_live_stands_in_place_of_what_was_walked():
    walked = told(EventType.VAR_WALKED, outcomes(10))
    made = section(fold(walked, told(EventType.VAR_SETTLED, outcomes(3, 9, change=-0.10))))
    assert [row.at for row in made.rows] == list(range(1, 12))
    assert [row.change for row in made.rows] == [-0.01] * 8 + [-0.10] * 3
    assert (made.n_live, [(t.method, t.confidence, t.n) for t in made.live]) == (
        3, [("historical", 0.99, 3)],
    )  # fmt: skip
    assert [t.exceptions for t in made.tests] == [3] * 5, "the one without a statement is left out"


def test_of_the_account_todays_positions_are_walked_and_what_came_live_stands_apart():
    walked = told(EventType.VAR_WALKED, outcomes(5), PORTFOLIO)
    made = section(fold(walked, told(EventType.VAR_SETTLED, outcomes(2, 6), PORTFOLIO)), PORTFOLIO)
    assert (len(made.rows), made.n_live, made.live[0].n) == (5, 2, 2)


def test_a_walk_replaces_the_one_before_and_an_outcome_counts_once():
    made = fold(told(EventType.VAR_WALKED, outcomes(10)), told(EventType.VAR_WALKED, outcomes(4)))
    for _ in range(2):  # folded again after a checkpoint
        made.routes()[EventType.VAR_SETTLED](told(EventType.VAR_SETTLED, outcomes(1, 5)))
    assert (len(section(made).rows), section(made).n_live) == (5, 1)


def test_a_year_is_kept_and_what_came_live_survives_a_checkpoint():
    made = fold(*(told(EventType.VAR_SETTLED, outcomes(1, at)) for at in range(1, N_BARS + 11)))
    again = BacktestFold()
    again.restore(decode(encode(made.kept())))
    assert section(again) == section(made)
    assert (section(again).n_live, section(again).rows[0].at) == (N_BARS + 10, 11)
    assert again.reset(None) == ("backtest:AAPL",)
    assert again.value("backtest:AAPL") is None


def test_it_is_a_section_of_the_projection():
    projection = Projection()
    projection.apply(told(EventType.VAR_SETTLED, outcomes(1)))
    assert projection.value("backtest:AAPL") == section(
        fold(told(EventType.VAR_SETTLED, outcomes(1)))
    )


@pytest.mark.parametrize("seed", range(3))
def test_each_method_is_judged_by_the_kernels(seed: int):
    rng = np.random.default_rng(seed)
    changes = rng.standard_t(3, 250) * 0.01
    rows = [
        VarOutcome(at=i, change=float(c), stated=(0.015, 0.03, 0.02, 0.035, 0.01, 0.025))
        for i, c in enumerate(changes)
    ]
    for i, found in enumerate(subject.judgements(rows)):
        probability = round(1 - COLUMNS[i][1], 9)
        hits = -changes > rows[0].stated[i]
        light = kernels.traffic_light(250, int(hits.sum()), probability)
        clustered = kernels.christoffersen(hits, probability)
        assert (found.method, found.confidence) == COLUMNS[i]
        assert (found.n, found.exceptions, found.expected) == (
            250,
            hits.sum(),
            pytest.approx(250 * probability),
        )
        assert (found.zone, found.yellow_from, found.red_from) == (
            light.zone.value,
            light.yellow_from,
            light.red_from,
        )
        assert found.kupiec == clustered.unconditional.p_value
        is_rare = found.confidence == 0.99
        assert found.independence == (clustered.independence.p_value if is_rare else None)
        assert found.conditional == (clustered.conditional.p_value if is_rare else None)
        assert found.fewest <= 250 * probability <= found.most


def test_one_outcome_says_nothing_of_clusters():
    assert [t.independence for t in subject.judgements(outcomes(1))] == [None] * 5
    assert subject.judgements(()) == ()
