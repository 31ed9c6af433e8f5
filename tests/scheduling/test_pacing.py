"""Intervals that follow market, agents and machine: one step a look, bounded, told with what they went by."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.agents import AgentMeasured, AgentStatus, PaceInputs, TaskPriority
from engine.scheduling.adaptive_scheduler import AdaptiveScheduler
from engine.scheduling.pacing import DEAD_ZONE, LAG_MS, SPAN, Load, PaceKeeper, Time, performance


@dataclass
class Paced:
    """An agent as the keeper sees it."""

    agent_id: str = "risk"
    name: str = "risk"
    interval: float = 60.0
    base_interval: float = 60.0
    status: AgentStatus = AgentStatus.RUNNING
    is_paced: bool = True
    priority: TaskPriority = TaskPriority.HIGH
    in_flight_s: float | None = None
    done: AgentMeasured = field(default_factory=lambda: AgentMeasured(agent_id="risk"))

    def measured(self) -> AgentMeasured:
        return self.done


class Desk:
    """A keeper with its inputs in your hand."""

    def __init__(self, *agents: Paced, is_turned: bool = False, **weights: float) -> None:
        self.market: float | None = None
        self.load = Load(lag_ms=50.0, cpu=0.5, queue=0.0)
        self.armed: list[str] = []
        self.scheduler = AdaptiveScheduler(**weights)
        self.keeper = PaceKeeper(
            self.scheduler, lambda: agents, lambda: self.market,
            None if is_turned else lambda: self.load, lambda agent: self.armed.append(agent.agent_id),
        )  # fmt: skip


def test_a_turbulent_market_quickens_and_a_loaded_machine_slows():
    quick, slow = Paced(), Paced()
    turbulent, loaded = Desk(quick), Desk(slow)
    turbulent.market, loaded.load = 1.0, Load(lag_ms=500.0, cpu=0.2, queue=0.0)
    (told,) = turbulent.keeper.look()
    loaded.keeper.look()
    assert quick.interval < 60.0 < slow.interval
    assert told.interval_s == quick.interval
    assert (told.previous_s, told.base_interval_s, told.actor) == (60.0, 60.0, "scheduler")
    assert told.inputs == PaceInputs(market=1.0, performance=None, system=0.5)
    assert turbulent.armed == ["risk"]


def test_it_goes_half_of_the_way_with_each_look_and_comes_to_rest():
    agent = Paced()
    desk = Desk(agent, market_weight=0.5)
    desk.market = 1.0
    seen = [agent.interval]
    while desk.keeper.look():
        seen.append(agent.interval)
        assert len(seen) < 20
    steps = [a / b for a, b in pairwise(seen)]
    assert steps == sorted(steps, reverse=True)
    assert seen[-1] == pytest.approx(60.0 * 2.718281828**-1.0, rel=2 * DEAD_ZONE)


def test_neutral_inputs_move_nothing_and_a_paused_agent_or_one_with_the_feeds_pace_is_left_alone():
    calm, held, fed = Paced(), Paced(status=AgentStatus.PAUSED), Paced(is_paced=False)
    desk = Desk(calm)
    assert desk.keeper.look() == ()
    others = Desk(held, fed)
    others.market = 1.0
    assert others.keeper.look() == ()
    assert {held.interval, fed.interval} == {60.0}


def test_who_cannot_tell_its_figures_keeps_its_pace_and_nobody_from_theirs():
    class Mute(Paced):
        def measured(self) -> AgentMeasured:
            raise ValueError("no figures")

    mute, risk = Mute(agent_id="mute"), Paced()
    desk = Desk(mute, risk)
    desk.market = 1.0
    assert [paced.agent_id for paced in desk.keeper.look()] == ["risk"]
    assert mute.interval == 60.0


def test_under_a_turned_clock_nothing_of_this_machine_counts():
    agent = Paced()
    desk = Desk(agent, is_turned=True)
    desk.load = Load(lag_ms=1e6, cpu=1.0, queue=9.0)
    agent.done = AgentMeasured(agent_id="risk", cycles=5, p95_ms=1e9)
    assert desk.keeper.look() == ()
    desk.market = 1.0
    (told,) = desk.keeper.look()
    assert told.inputs is not None
    assert told.inputs.system is None


def test_a_weight_of_nought_switches_an_input_off():
    agent = Paced()
    desk = Desk(agent, market_weight=0.0)
    desk.market = 1.0
    assert desk.keeper.look() == ()


@pytest.mark.parametrize("trouble", ["a cycle in flight", "a handler that fails"])
def test_who_finishes_nothing_for_hanging_or_failing_has_worked_poorly(trouble: str):
    agent = Paced()
    desk = Desk(agent)
    if trouble == "a cycle in flight":
        agent.in_flight_s = 61.0
    else:
        agent.done = AgentMeasured(agent_id="risk", errors=1)
    (told,) = desk.keeper.look()
    assert told.inputs.performance == 0.0
    assert told.interval_s > 60.0
    agent.done = AgentMeasured(agent_id="risk", errors=agent.done.errors + 1)
    desk.market = 1.0
    assert desk.keeper.look() == (), "no market quickens it"


def test_a_cycle_within_its_interval_is_neither_good_nor_poor():
    agent = Paced(in_flight_s=59.0)
    assert Desk(agent).keeper.look() == ()


def test_only_what_was_done_since_the_last_look_counts():
    agent = Paced()
    desk = Desk(agent, performance_weight=1.0)
    agent.done = AgentMeasured(agent_id="risk", cycles=10, errors=10)
    assert desk.keeper.look()[0].interval_s > 60.0
    agent.done = AgentMeasured(agent_id="risk", cycles=20, errors=10, emitted=10)
    assert desk.keeper.look()[0].inputs.performance == 0.75


@given(
    base=st.floats(0.1, 86_400),
    market=st.none() | st.floats(0, 1),
    lag=st.floats(0, 1e9),
    cpu=st.floats(0, 1),
    errors=st.integers(0, 50),
    looks=st.integers(1, 6),
    weight=st.floats(0, 1),
)
def test_an_interval_never_leaves_its_bounds(base, market, lag, cpu, errors, looks, weight):
    agent = Paced(interval=base, base_interval=base)
    desk = Desk(agent, market_weight=weight, performance_weight=weight, system_weight=weight)
    desk.market, desk.load = market, Load(lag_ms=lag, cpu=cpu, queue=0.0)
    for n in range(looks):
        agent.done = AgentMeasured(agent_id="risk", cycles=50 * n, errors=errors * n)
        desk.keeper.look()
        assert base / SPAN * 0.99 <= agent.interval <= base * SPAN * 1.01


@given(
    cycles=st.integers(0, 100), handled=st.integers(0, 100), errors=st.integers(0, 200), emitted=st.integers(0, 500),
    p95=st.none() | st.floats(0, 1e6),
)  # fmt: skip
def test_performance_lies_between_0_and_1_and_more_failures_never_help(
    cycles, handled, errors, emitted, p95
):
    then = AgentMeasured(agent_id="a")

    def of(n_errors: int) -> float | None:
        now = AgentMeasured(
            agent_id="a",
            cycles=cycles,
            handled=handled,
            errors=n_errors,
            emitted=emitted,
            p95_ms=p95,
        )
        return performance(then, now, Time(interval_s=1.0))

    if cycles + handled + errors == 0:
        assert of(errors) is None
        return
    assert 0.0 <= of(errors + 1) <= of(errors) <= 1.0


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (Load(lag_ms=0.0, cpu=0.0, queue=0.0), 0.0),
        (Load(lag_ms=LAG_MS / 2, cpu=0.1, queue=0.2), 0.5),
        (Load(lag_ms=0.0, cpu=0.7, queue=0.2), 0.7),
        (Load(lag_ms=0.0, cpu=0.1, queue=0.9), 0.9),
        (Load(lag_ms=0.0, cpu=0.1, queue=7.0), 1.0),
    ],
)
def test_the_load_is_the_worst_of_delay_processor_and_queue(load: Load, expected: float):
    assert load.as_input() == pytest.approx(expected)
