"""What was stated is held against the next close, once, and nothing of the future is in it."""

import numpy as np
import pytest

from engine.agents import risk_figures as figures
from engine.agents.observations import ClosedBars
from engine.agents.risk_figures import Measured, measure
from engine.agents.var_record import VarRecord, values_of
from engine.domain.risk import PORTFOLIO, RiskMetrics
from engine.domain.var_backtest import N_BARS, VarsSettled

DAY = 86_400
METRICS = RiskMetrics(
    scope="A", n_observations=500, var_95=0.02, var_99=0.04, var_95_parametric=0.03
)
SIX = (0.02, 0.04, 0.03, None, None, None)


def bars(closes: list[float], symbol: str = "A", first: int = 1) -> ClosedBars:
    times = DAY * np.arange(first, first + len(closes), dtype=float)
    return ClosedBars(symbol, np.array(closes), times)


def judged(record: VarRecord, *known: ClosedBars) -> VarsSettled | None:
    by_symbol = {each.symbol: each for each in known}
    return record.judge_account(lambda symbol: by_symbol.get(symbol, ClosedBars(symbol)))


def test_the_next_close_judges_what_was_stated_at_the_last_once():
    record = VarRecord(0)
    record.state("A", bars([100.0, 101.0]), METRICS)
    assert record.judge("A", bars([100.0, 101.0])) is None, "the same close"
    told = record.judge("A", bars([100.0, 101.0, 95.95]))
    assert told is not None
    (row,) = told.rows
    assert (told.symbol, row.at, row.stated) == ("A", 3 * DAY, SIX)
    assert row.change == pytest.approx(-0.05)
    assert record.judge("A", bars([100.0, 101.0, 95.95])) is None


def test_a_close_that_was_missed_a_jump_or_no_number_judge_nothing():
    record = VarRecord(0)
    record.state("A", bars([100.0, 101.0]), METRICS)
    assert record.judge("A", bars([100.0, 101.0, 102.0, 103.0])) is None
    record.state("A", bars([100.0, 101.0]), METRICS)
    record.forget("A")
    assert record.judge("A", bars([100.0, 101.0, 102.0])) is None
    record.state("A", bars([100.0, 101.0]), RiskMetrics(scope="A", n_observations=3))
    assert record.judge("A", bars([100.0, 101.0, 102.0])) is None
    record.state("A", ClosedBars("A", np.array([1.0, 2.0])), METRICS)
    assert record.judge("A", ClosedBars("A", np.array([1.0, 2.0, 3.0]))) is None, "no times"


def test_the_account_is_judged_when_everything_it_held_has_closed():
    record = VarRecord(0)
    record.state_account(2 * DAY, {"A": 0.5, "B": -0.25}, METRICS)
    a2, a3 = bars([100.0, 100.0]), bars([100.0, 100.0, 90.0])
    b2, b3 = bars([50.0, 50.0], "B"), bars([50.0, 50.0, 55.0], "B")
    assert judged(record, a2, b2) is None
    record.state_account(3 * DAY, {"A": 0.5}, METRICS)  # the first to close is told at once
    assert judged(record, a3, b2) is None, "B is still to come"
    told = judged(record, a3, b3)
    assert told is not None
    assert (told.symbol, told.rows[0].at) == (PORTFOLIO, 3 * DAY)
    assert told.rows[0].change == pytest.approx(0.5 * -0.1 - 0.25 * 0.1)
    assert judged(record, a3, b3) is None
    told = judged(record, bars([100.0, 100.0, 90.0, 99.0]), b3)
    assert told is not None
    assert told.rows[0].change == pytest.approx(0.5 * 0.1)


def test_what_was_stated_last_at_a_close_counts_and_an_empty_account_states_nothing():
    record = VarRecord(0)
    record.state_account(2 * DAY, {"A": 0.5}, METRICS)
    record.state_account(2 * DAY, {"A": 1.0}, METRICS)
    told = judged(record, bars([100.0, 100.0, 90.0]))
    assert told is not None
    assert told.rows[0].change == pytest.approx(-0.1)
    record.state_account(3 * DAY, {}, METRICS)
    assert judged(record, bars([100.0, 100.0, 90.0, 80.0])) is None


def test_a_statement_whose_bar_has_gone_by_blocks_no_later_one():
    record = VarRecord(0)
    record.state_account(2 * DAY, {"A": 1.0}, METRICS)
    record.state_account(4 * DAY, {"A": 1.0}, METRICS)
    told = judged(record, bars([100.0, 100.0, 90.0, 90.0, 81.0]))
    assert told is not None
    assert told.rows[0].at == 5 * DAY
    record.state_account(9 * DAY, {"GONE": 1.0}, METRICS)
    assert judged(record, bars([100.0, 100.0])) is None


CLOSES = (100 * np.exp(np.cumsum(np.random.default_rng(2).standard_t(4, 900) * 0.01))).tolist()


def test_a_walk_states_what_the_agent_would_have_stated():
    told = VarRecord(7).walk("A", bars(CLOSES))
    assert told is not None
    assert len(told.rows) == N_BARS
    for back in (1, 60, 250):
        past = bars(CLOSES[: len(CLOSES) - back])
        returns = figures.recent_returns(past)
        metrics = measure(
            Measured(scope="A", returns=returns, closes=past.closes, periods_per_year=252.0, seed=7)
        )
        row = told.rows[-back]
        assert row.at == past.closes_at[-1] + DAY
        assert row.stated == pytest.approx(values_of(metrics), rel=1e-9)
        assert row.change == pytest.approx(CLOSES[-back] / CLOSES[-back - 1] - 1)


def test_a_walk_of_the_account_is_that_of_todays_positions():
    a, b = bars(CLOSES), bars(CLOSES[::-1], "B", first=11)
    told = VarRecord(7).walk_account({"A": 0.5, "B": -0.5}, [a, b])
    assert told is not None
    assert (told.symbol, len(told.rows), told.rows[-1].at) == (PORTFOLIO, N_BARS, 900 * DAY)
    a_change = CLOSES[-1] / CLOSES[-2] - 1
    b_closes = CLOSES[::-1]
    b_change = b_closes[-11] / b_closes[-12] - 1
    assert told.rows[-1].change == pytest.approx(0.5 * a_change - 0.5 * b_change)
    assert VarRecord(7).walk_account({}, []) is None


def test_a_short_past_has_a_short_walk_or_none():
    told = VarRecord(0).walk("A", bars(CLOSES[:50]))
    assert told is not None
    assert len(told.rows) == 49 - figures.LEAST_RETURNS
    assert VarRecord(0).walk("A", bars(CLOSES[:20])) is None
