"""Agents that misbehave: one raises always, one blocks the loop in bites, ten jobs fill the shared lane.

On a turned loop blocking is time that passes without a turn for anybody, so lateness here is exact and no machine's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from engine.agents.base import BaseAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentMeasured, AgentStatus, TaskDurations, TaskPriority
from engine.domain.events import Event, EventType
from engine.scheduling.execution_engine import ExecutionEngine
from engine.scheduling.registry import AgentRegistry
from tests.scheduling.turned_loop import LoopClock, turned

RUN_S = 20.0
SHARED = 12


class Counting(BaseAgent):
    """Does nothing, and counts it."""

    cycles = 0

    async def _run_cycle(self, resource_pool: Any) -> None:
        self.cycles += 1
        await self.misbehave()

    async def misbehave(self) -> None: ...


class Risk(Counting):
    task_type = "risk_cycle"


class UndeclaredRisk(Counting):
    """The same work without a lane of its own, however urgent it says it is."""

    default_priority = TaskPriority.CRITICAL


class Raising(Counting):
    async def misbehave(self) -> None:
        raise ValueError("no such table")


class OftenRaising(Counting):
    """Fails four times of five."""

    async def misbehave(self) -> None:
        if self.cycles % 5:
            raise ValueError("no such table")


class Blocking(Counting):
    """Blocks the loop ten times in a row, `bite_s` each time."""

    async def misbehave(self) -> None:
        for _ in range(10):
            self.config["clock"].loop.block(self.config["bite_s"])
            await asyncio.sleep(0)


@dataclass(frozen=True)
class Told:
    """What came of a run."""

    crew: Mapping[str, tuple[AgentStatus, int]]
    """Status at the end and number of cycles."""
    rows: Mapping[str, TaskDurations]
    failures: list[int]
    reasons: list[str]
    stops_late_s: list[float]


def run(places: int = SHARED, bite_s: float = 0.03, **kinds: type[BaseAgent]) -> Told:
    """Let a crew work for twenty seconds beside ten jobs of an hour, with a stop-loss check every second."""

    async def main() -> Told:
        clock, bus = LoopClock(), EventBus()
        engine = ExecutionEngine(clock)
        engine.max_concurrent_tasks = places
        registry = AgentRegistry(engine)
        failures: list[int] = []
        reasons: list[str] = []

        def changed(event: Event) -> None:
            if event.data["status"] == AgentStatus.ERROR.value:
                reasons.append(f"{event.data['agent_id']} {event.data['reason']}")

        bus.subscribe(EventType.AGENT_FAILED, lambda e: failures.append(e.data["consecutive"]))
        bus.subscribe(EventType.AGENT_CHANGED, changed)
        await registry.start()
        for n in range(10):
            await engine.schedule_task(f"job-{n}", "crunch", _an_hour, timeout=7200.0)
        await asyncio.sleep(0.1)
        crew: dict[str, Any] = {}
        for name, kind in kinds.items():
            pace = {"interval": 1.0 if kind is Counting else 0.1, "clock": clock, "bite_s": bite_s}
            crew[name] = kind(name, bus, StateManager(), pace)
            registry.register_agent(crew[name])
            await registry.start_agent(name)
        stops = await _stop_losses(engine, clock)
        await asyncio.sleep(RUN_S)
        rows = {row.agent_id: row for row in engine.get_stats()["durations"]}
        lives = {name: (agent.status, agent.cycles) for name, agent in crew.items()}
        await registry.stop()
        assert {t for t in asyncio.all_tasks() if t.get_name().startswith("engine.")} == set()
        return Told(lives, rows, failures, reasons, stops)

    return turned(main)


async def _an_hour() -> None:
    await asyncio.sleep(3600.0)


async def _stop_losses(engine: ExecutionEngine, clock: LoopClock) -> list[float]:
    """Let a stop-loss check come due every second; return the list in which each puts how late it began."""
    late_s: list[float] = []

    def check(due_s: float) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            late_s.append(clock.monotonic() - due_s)

        return work

    for n in range(int(RUN_S)):
        work = check(clock.monotonic() + n)
        await engine.schedule_task("execution", "stop_loss", work, delay=n)
    return late_s


CREW = {"raises": Raising, "blocks": Blocking, "risk": Risk, "other": Counting}


def test_the_fifth_failure_takes_an_agent_out_of_service_and_says_why() -> None:
    told = run(**CREW)
    assert told.crew["raises"] == (AgentStatus.ERROR, 5)
    assert told.failures == [1, 2, 3, 4, 5]
    assert told.reasons == ["raises failed (5×): ValueError: no such table"]


class Unmeasured(Counting):
    """Its work is fine; what tells of it is not."""

    def measured(self) -> AgentMeasured:
        raise ValueError("no figures")


def test_an_agent_that_cannot_tell_its_figures_is_counted_and_goes_out_of_service() -> None:
    told = run(unmeasured=Unmeasured, other=Counting)
    status, cycles = told.crew["unmeasured"]
    assert status is AgentStatus.ERROR
    assert told.failures == [1, 2, 3, 4, 5]
    assert told.reasons == ["unmeasured failed (5×): ValueError: no figures"]
    assert cycles < 20 * told.crew["other"][1] / 2, "it was stopped early; the other went on"


def test_who_succeeds_at_the_fifth_time_stays_in_service() -> None:
    told = run(raises=OftenRaising)
    assert told.crew["raises"][0] is AgentStatus.RUNNING
    assert max(told.failures) == 4
    assert told.reasons == []


def test_others_have_their_cycles_beside_agents_that_raise_and_block() -> None:
    alone, beside = run(other=Counting), run(**CREW)
    assert alone.crew["other"] == (AgentStatus.RUNNING, 20)
    assert beside.crew["other"][0] is AgentStatus.RUNNING
    assert beside.crew["other"][1] >= 17
    assert beside.crew["blocks"][0] is AgentStatus.RUNNING


def test_risk_cycles_and_stops_begin_within_a_tenth_of_a_second_beside_them() -> None:
    told = run(**CREW)
    assert told.crew["risk"][1] >= 100
    assert told.rows["risk"].late_ms_p99 < 100.0
    assert len(told.stops_late_s) == RUN_S
    assert max(told.stops_late_s) < 0.1


def test_bites_that_are_too_long_are_seen_in_the_lateness() -> None:
    told = run(bite_s=0.3, **CREW)
    assert told.rows["risk"].late_ms_p99 > 100.0
    assert max(told.stops_late_s) > 0.1


@pytest.mark.parametrize("kind", [Risk, UndeclaredRisk])
def test_ten_jobs_that_fill_the_shared_lane_hold_up_only_what_has_no_lane_of_its_own(
    kind: type[BaseAgent],
) -> None:
    told = run(places=10, risk=kind, other=Counting)
    assert told.crew["other"] == (AgentStatus.RUNNING, 0)
    assert len(told.stops_late_s) == RUN_S
    expected = pytest.approx(200, abs=1) if kind is Risk else 0
    assert told.crew["risk"] == (AgentStatus.RUNNING, expected)
