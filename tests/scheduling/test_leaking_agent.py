"""An agent that keeps ever more: the supervisor names it and what grows in it, and nobody else notices.

On a turned loop, so a quarter of an hour of health checks takes no time and lateness is exact.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from engine.agents.base import BaseAgent
from engine.agents.checkup import GROWING_CHECKS
from engine.agents.supervisor import SupervisorAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus, TaskDurations
from engine.domain.events import Event, EventType
from engine.scheduling.execution_engine import ExecutionEngine
from engine.scheduling.registry import AgentRegistry
from tests.scheduling.turned_loop import LoopClock, turned

RUN_S = 900.0
CHECK_S = 30.0
ENTRIES = 50
"""Kept with every cycle, five times a second: 7,500 more at every check."""
WORK_S = 0.01
"""How long a cycle of the agent holds the loop."""


class Keeping(BaseAgent):
    """Notes what it did with every cycle."""

    title = "Keeping"
    cycles = 0
    notes: list[int] | deque[int]

    async def _run_cycle(self, resource_pool: Any) -> None:
        self.cycles += 1
        self.config["clock"].loop.block(WORK_S)
        self.notes.extend(range(ENTRIES))


class Leaking(Keeping):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.notes = []


class Bounded(Keeping):
    """The same work; the oldest notes go."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.notes = deque(maxlen=20_000)


class Idle(BaseAgent):
    cycles = 0

    async def _run_cycle(self, resource_pool: Any) -> None:
        self.cycles += 1


class Risk(Idle):
    task_type = "risk_cycle"


@dataclass(frozen=True)
class Told:
    """What came of a run."""

    alerts: list[tuple[float, dict[str, Any]]]
    """(Seconds since the start, data)."""
    crew: Mapping[str, tuple[AgentStatus, int]]
    rows: Mapping[str, TaskDurations]
    n_notes: int


def run(kind: type[Keeping]) -> Told:
    """Let the agent work for a quarter of an hour beside risk and another, under a supervisor."""

    async def main() -> Told:
        clock, bus, state = LoopClock(), EventBus(), StateManager()
        alerts: list[tuple[float, dict[str, Any]]] = []

        def note(event: Event) -> None:
            alerts.append((clock.monotonic(), dict(event.data)))

        bus.subscribe(EventType.RISK_ALERT, note)
        registry = AgentRegistry(ExecutionEngine(clock))
        await registry.start()

        def build(of: type[BaseAgent], name: str, interval: float) -> Any:
            agent = of(name, bus, state, {"clock": clock, "interval": interval})
            registry.register_agent(agent)
            return agent

        crew = {
            "keeping": build(kind, "keeping", 0.2),
            "risk": build(Risk, "risk", 0.1),
            "other": build(Idle, "other", 1.0),
        }
        supervisor = build(SupervisorAgent, "supervisor", CHECK_S)
        for agent in crew.values():
            supervisor.register_agent(agent)
        await registry.start_agent("supervisor")
        await clock.sleep(RUN_S)
        rows = {row.agent_id: row for row in registry.execution_engine.get_stats()["durations"]}
        lives = {name: (agent.status, agent.cycles) for name, agent in crew.items()}
        n_notes = len(crew["keeping"].notes)
        await registry.stop()
        return Told(alerts, lives, rows, n_notes)

    return turned(main)


@pytest.fixture(scope="module")
def leaked() -> Told:
    return run(Leaking)


@pytest.fixture(scope="module")
def bounded() -> Told:
    return run(Bounded)


def test_an_agent_that_leaks_is_named_once_with_what_grows_in_it(leaked: Told) -> None:
    ((at_s, alert),) = leaked.alerts
    assert (alert["metric"], alert["title"]) == ("agent_leaks", "Keeping keeps ever more")
    assert alert["alert_id"].startswith("agent-keeping-")
    assert alert["message"].endswith("of them in notes.")
    assert at_s <= (GROWING_CHECKS + 2) * CHECK_S
    assert leaked.n_notes > 200_000


def test_the_same_agent_that_forgets_the_oldest_is_not_accused(leaked: Told, bounded: Told) -> None:
    assert bounded.alerts == []
    assert bounded.crew == leaked.crew, "it worked as much"


def test_others_have_their_cycles_beside_a_leak(leaked: Told) -> None:
    assert {status for status, _ in leaked.crew.values()} == {AgentStatus.RUNNING}
    assert leaked.crew["other"][1] == pytest.approx(RUN_S, rel=0.02)
    assert leaked.crew["risk"][1] == pytest.approx(10 * RUN_S, rel=0.02)


def test_risk_cycles_begin_in_time_beside_a_leak(leaked: Told) -> None:
    late_ms = leaked.rows["risk"].late_ms_p99
    assert late_ms is not None
    assert late_ms <= 1000 * WORK_S + 1.0
