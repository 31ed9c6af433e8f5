"""Turning time by hand: order of due time and start, nothing lost, nothing twice, the same every time."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adapters.clocks.manual import ManualClock
from engine.agents.base import BaseAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.errors import InvalidValueError
from engine.domain.events import Event, EventType
from engine.scheduling.execution_engine import ExecutionEngine
from engine.scheduling.manual_host import ManualHost
from engine.scheduling.registry import AgentRegistry


class Stamping(BaseAgent):
    """Says when it had a cycle."""

    def cycle(self) -> Iterable[Event]:
        yield self.event(EventType.CUSTOM, {"at": self._clock.monotonic()})


class Bench:
    """A stepped engine with agents of the given intervals."""

    def __init__(self, *intervals: float) -> None:
        self.clock, self.bus = ManualClock(), EventBus()
        self.engine = ExecutionEngine(clock=self.clock, is_stepped=True)
        self.registry = AgentRegistry(self.engine)
        self.heard: list[tuple[float, str]] = []
        self.bus.subscribe(EventType.CUSTOM, lambda e: self.heard.append((e.data["at"], e.source)))
        for n, interval in enumerate(intervals):
            settings = {"clock": self.clock, "interval": interval}
            self.registry.register_agent(Stamping(f"agent-{n}", self.bus, StateManager(), settings))
        self.host = ManualHost(self.clock, self.engine, self.up, self.registry.stop, self.bus.drain)

    async def up(self) -> None:
        await self.registry.start()
        for agent_id in self.registry.agents:
            await self.registry.start_agent(agent_id)


def run(intervals: Iterable[float], advances: Iterable[float]) -> list[tuple[float, str]]:
    async def main() -> list[tuple[float, str]]:
        bench = Bench(*intervals)
        await bench.host.start()
        for seconds in advances:
            await bench.host.advance(seconds)
        heard = list(bench.heard)
        await bench.host.stop()
        return heard

    return asyncio.run(main())


def test_cycles_come_in_order_of_due_time_and_then_of_start() -> None:
    assert run([10, 5], [10]) == [
        (0.0, "agent-0"),
        (0.0, "agent-1"),
        (5.0, "agent-1"),
        (10.0, "agent-0"),
        (10.0, "agent-1"),
    ]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.lists(st.integers(0, 20), min_size=1, max_size=5),
)
def test_no_cycle_is_lost_or_doubled_however_time_is_cut(
    intervals: list[int], advances: list[int]
) -> None:
    total = sum(advances)
    expected = sorted(
        (float(at), f"agent-{n}")
        for n, step in enumerate(intervals)
        for at in range(0, total + 1, step)
    )
    assert run(intervals, advances) == expected
    assert run(intervals, [total]) == expected


def test_steps_that_no_binary_fraction_meets_neither_hang_nor_drift_apart() -> None:
    heard = run([0.1, 0.3], [3.0, 0.1])
    assert heard == run([0.1, 0.3], [3.1])
    assert heard == sorted(heard)


@pytest.mark.asyncio
async def test_the_clock_stands_where_it_was_told_to_and_asynchronous_hearers_are_waited_for() -> (
    None
):
    bench = Bench(10)
    late: list[Any] = []

    async def slow(event: Event) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        late.append((bench.clock.monotonic(), event.data["at"]))

    bench.bus.subscribe(EventType.CUSTOM, slow)
    await bench.host.start()
    assert await bench.host.advance(12) == 2
    assert bench.clock.monotonic() == 12.0
    assert late == [(0.0, 0.0), (10.0, 10.0)]
    await bench.host.stop()


@pytest.mark.asyncio
async def test_paused_agents_lose_their_turns_and_resume_at_once() -> None:
    bench = Bench(10)
    await bench.host.start()
    await bench.host.advance(10)
    agent: Any = bench.registry.agents["agent-0"]
    await agent.pause()
    await bench.host.advance(50)
    await agent.resume()
    await bench.host.advance(10)
    assert [at for at, _ in bench.heard] == [0.0, 10.0, 60.0, 70.0]
    await bench.host.stop()


@pytest.mark.asyncio
async def test_nothing_moves_by_itself() -> None:
    bench = Bench(1)
    await bench.host.start()
    for _ in range(50):
        await asyncio.sleep(0)
    assert bench.heard == []
    await bench.host.stop()


def test_an_engine_that_runs_by_itself_is_refused() -> None:
    async def nothing() -> None: ...

    with pytest.raises(InvalidValueError, match="stepped"):
        ManualHost(ManualClock(), ExecutionEngine(), nothing, nothing, nothing)
