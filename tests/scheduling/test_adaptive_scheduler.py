"""Intervals follow market, performance and load, within bounds, by weight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adapters.clocks.manual import ManualClock
from engine.domain.errors import InvalidValueError
from engine.scheduling.adaptive_scheduler import AdaptiveScheduler
from engine.scheduling.execution_engine import ExecutionEngine
from tests.scheduling.fake_agent import FakeAgent

anything = st.floats(allow_nan=False)
weights = st.floats(0, 50)


def test_the_default_weights_are_the_documented_ones() -> None:
    scheduler = AdaptiveScheduler()
    assert (scheduler.market_weight, scheduler.performance_weight, scheduler.system_weight) == (
        0.5,
        0.3,
        0.2,
    )


def test_neutral_inputs_change_nothing_and_count_no_adjustment() -> None:
    scheduler = AdaptiveScheduler()
    assert scheduler.adjust_interval("a", 60.0) == 60.0
    assert scheduler.get_stats() == {"agents_tracked": 1, "interval_adjustments": 0}


def test_an_adjustment_is_counted_when_the_interval_changes() -> None:
    scheduler = AdaptiveScheduler()
    for market in (1.0, 1.0, 0.0):
        scheduler.adjust_interval("a", 60.0, market=market)
    assert scheduler.get_stats() == {"agents_tracked": 1, "interval_adjustments": 2}
    scheduler.forget("a")
    assert scheduler.get_stats()["agents_tracked"] == 0


@given(st.floats(0.01, 1e6), anything, anything, anything, weights, weights, weights)
def test_every_interval_is_within_a_hundredth_and_a_hundredfold(
    base: float, market: float, performance: float, system: float, wm: float, wp: float, ws: float
) -> None:
    scheduler = AdaptiveScheduler(wm, wp, ws)
    value = scheduler.adjust_interval(
        "a", base, market=market, performance=performance, system=system
    )
    assert base / 100 * 0.999999 <= value <= base * 100 * 1.000001


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_turbulence_never_lengthens_and_more_load_never_shortens(
    low: float, high: float
) -> None:
    low, high = sorted((low, high))
    scheduler = AdaptiveScheduler()
    assert scheduler.adjust_interval("a", 60.0, market=high) <= scheduler.adjust_interval(
        "a", 60.0, market=low
    )
    assert scheduler.adjust_interval("a", 60.0, system=high) >= scheduler.adjust_interval(
        "a", 60.0, system=low
    )


@pytest.mark.parametrize("base", [0.0, -1.0, float("nan"), float("inf")])
def test_a_senseless_base_is_refused(base: float) -> None:
    with pytest.raises(InvalidValueError, match="base_interval"):
        AdaptiveScheduler().adjust_interval("a", base)


def test_a_senseless_weight_is_refused_by_name() -> None:
    scheduler = AdaptiveScheduler()
    scheduler.system_weight = -0.1
    with pytest.raises(InvalidValueError, match="system_weight"):
        scheduler.adjust_interval("a", 60.0)


@pytest.mark.asyncio
async def test_cycles_that_come_and_go_are_no_adjustments() -> None:
    engine, agent = ExecutionEngine(ManualClock(), is_stepped=True), FakeAgent()
    agent.driver = engine
    await engine.start()
    await engine.schedule_agent_cycle(agent)
    for _ in range(3):
        engine.scheduler.adjust_interval("one", 60.0, market=1.0)
        assert await engine.run_due(1e6)
    assert agent.cycles == 3
    assert engine.scheduler.get_stats() == {"agents_tracked": 1, "interval_adjustments": 1}
    engine.scheduler.adjust_interval("one", 30.0, market=1.0)  # a person's new base is none either
    assert engine.scheduler.get_stats()["interval_adjustments"] == 1
    await engine.stop()
