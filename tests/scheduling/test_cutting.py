"""Ending tasks: at their limit and at the stop, also those that swallow a cancellation."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.agents.base import BaseAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus
from engine.domain.errors import TaskStuckError
from engine.domain.events import EventType
from engine.scheduling import cutting
from engine.scheduling.execution_engine import ExecutionEngine
from engine.scheduling.registry import AgentRegistry
from engine.scheduling.workshop import MAX_ORPHANS
from tests.scheduling.fake_agent import FakeAgent
from tests.scheduling.turned_loop import LoopClock, turned


async def swallow(times: int) -> None:
    """Go on for ever after so many cancellations, and no longer."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if times == 0:
                raise
            times -= 1


async def clean_up() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.5)


async def fail_when_cancelled() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise RuntimeError("no clean end") from None


async def end_at_once() -> None:
    return


KINDS: dict[str, Callable[[], Awaitable[None]]] = {
    "ends": end_at_once,
    "waits": lambda: swallow(0),
    "swallows one": lambda: swallow(1),
    "swallows two": lambda: swallow(2),
    "cleans up": clean_up,
    "fails": fail_when_cancelled,
}


class LongAgent(FakeAgent):
    """Has a loop of its own, which swallows one cancellation."""

    runs_itself = True

    def __init__(self, agent_id: str) -> None:
        super().__init__(agent_id)
        self.runs_itself = True

    async def perform_run(self) -> None:
        await swallow(1)


async def left_after_stop(kinds: list[str], pause_s: float) -> set[str]:
    """Start tasks of these kinds, a cycle and a loop, stop the engine, and return what is left of it."""
    engine = ExecutionEngine(LoopClock())
    engine.max_concurrent_tasks = 4
    await engine.start()
    await engine.schedule_agent_cycle(FakeAgent("cyclic", KINDS["swallows one"]))
    await engine.schedule_agent_cycle(LongAgent("long"))
    for n, kind in enumerate(kinds):
        await engine.schedule_task("a", "any", KINDS[kind], delay=0.01 * n)
    if pause_s:
        await asyncio.sleep(pause_s)
    began_s = asyncio.get_running_loop().time()
    await engine.stop()
    assert asyncio.get_running_loop().time() - began_s <= sum(cutting.ROUNDS_S) + 1e-6
    left = {t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task()}
    stats = engine.get_stats()
    assert stats["queued_tasks"] == 0
    assert stats["running_tasks"] + stats["long_runs"] == len(left)
    return left


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=12), st.sampled_from([0.0, 0.005, 0.2]))
def test_after_a_stop_no_task_of_the_engine_is_pending_whatever_ran(
    kinds: list[str], pause_s: float
) -> None:
    assert turned(lambda: left_after_stop(kinds, pause_s)) == set()


def test_asking_only_once_would_leave_tasks_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "ROUNDS_S", (3.0,))
    left = turned(lambda: left_after_stop(["waits"], 0.2))
    assert len(left) == 2
    assert "engine.long-run" in left


def test_a_task_that_swallows_everything_is_named_and_holds_up_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> float:
        gate, clock = asyncio.Event(), LoopClock()

        async def stubborn() -> None:
            while not gate.is_set():
                try:
                    await gate.wait()
                except asyncio.CancelledError:
                    continue

        engine = ExecutionEngine(clock)
        await engine.start()
        await engine.schedule_task("a", "stubborn", stubborn)
        await asyncio.sleep(0.1)
        await engine.stop()
        stopped_s = clock.monotonic()
        gate.set()
        await asyncio.sleep(0.1)
        return stopped_s

    with caplog.at_level(logging.ERROR):
        assert turned(main) == pytest.approx(0.1 + sum(cutting.ROUNDS_S))
    assert "engine.stubborn-0" in caplog.text


def test_a_task_cancelled_before_its_first_step_is_forgotten_and_its_agent_free() -> None:
    async def main() -> tuple[int, int]:
        engine, agent = ExecutionEngine(LoopClock()), FakeAgent()
        await engine.start()
        await engine.schedule_agent_cycle(agent)
        await engine.stop()
        cancelled = engine.get_stats()["cancelled_tasks"]
        assert not engine.has_cycle_of("one")
        await engine.start()
        await engine.schedule_agent_cycle(agent)
        await asyncio.sleep(0.1)
        await engine.stop()
        return cancelled, agent.cycles

    assert turned(main) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "ended_s"), [("waits", 3.0), ("swallows one", 8.0), ("swallows two", 13.0)]
)
def test_a_task_past_its_limit_is_cancelled_until_it_ends_and_frees_its_place(
    kind: str, ended_s: float
) -> None:
    async def main() -> list[float]:
        clock = LoopClock()
        engine, begun = ExecutionEngine(clock), list[float]()

        async def next_one() -> None:
            begun.append(clock.monotonic())

        engine.max_concurrent_tasks = 1
        await engine.start()
        await engine.schedule_task("a", "hangs", KINDS[kind], timeout=2.0)
        await engine.schedule_task("a", "next", next_one)
        await asyncio.sleep(60.0)
        stats = engine.get_stats()
        assert (stats["timed_out_tasks"], stats["completed_tasks"]) == (1, 1)
        await engine.stop()
        return begun

    assert turned(main) == pytest.approx([ended_s])


def test_who_swallows_its_cancellation_and_ends_was_late_all_the_same() -> None:
    async def main() -> None:
        async def late() -> None:
            async with cutting.TimeLimit(1.0):
                try:
                    await asyncio.sleep(5.0)
                except asyncio.CancelledError:
                    await asyncio.sleep(1.0)

        with pytest.raises(TimeoutError):
            await late()
        await asyncio.sleep(10.0)  # nothing is left of the limit

    turned(main)


def test_a_cancellation_from_elsewhere_is_no_timeout() -> None:
    async def main() -> None:
        async def limited() -> None:
            async with cutting.TimeLimit(5.0):
                await asyncio.sleep(10.0)

        work = asyncio.create_task(limited())
        await asyncio.sleep(1.0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    turned(main)


def test_a_cancellation_from_elsewhere_beside_the_limit_s_own_stays_a_cancellation() -> None:
    """Who cancels waits for an end, not for a timeout; the limit takes back only what it asked for itself."""

    async def main() -> int:
        async def limited() -> None:
            async with cutting.TimeLimit(5.0):
                await asyncio.sleep(10.0)

        work = asyncio.create_task(limited())
        asyncio.get_running_loop().call_at(5.0, work.cancel)
        await asyncio.wait({work})
        assert work.cancelled()
        return work.cancelling()

    assert turned(main) == 1


def test_who_ends_in_time_meets_no_limit() -> None:
    async def main() -> float:
        async with cutting.TimeLimit(5.0) as limit:
            await asyncio.sleep(1.0)
        async with cutting.TimeLimit(None):
            await asyncio.sleep(100.0)
        assert not limit.has_expired
        return asyncio.get_running_loop().time()

    assert turned(main) == pytest.approx(101.0)


async def never_ends(gate: asyncio.Event) -> None:
    """Swallow every cancellation until the gate opens."""
    while not gate.is_set():
        try:
            await gate.wait()
        except asyncio.CancelledError:
            continue


class Stubborn(BaseAgent):
    """Its cycle swallows every cancellation."""

    async def _run_cycle(self, resource_pool: Any) -> None:
        await never_ends(self.config["gate"])


LET_GO_S = 90.0 + cutting.CUTS * cutting.AGAIN_S
"""When a cycle with the usual limit has been cut in vain."""


def test_swallowers_give_their_places_up_and_are_counted_named_and_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        clock, gate, begun = LoopClock(), asyncio.Event(), list[float]()
        engine = ExecutionEngine(clock)
        engine.max_concurrent_tasks = 2
        failures: list[tuple[str, Exception]] = []
        engine.on_task_failed = lambda agent, _, error: failures.append((agent, error))

        async def another() -> None:
            begun.append(clock.monotonic())

        await engine.start()
        for agent in ("a", "b"):
            await engine.schedule_task(agent, "stubborn", lambda: never_ends(gate), timeout=60.0)
        await engine.schedule_task("c", "another", another)
        await asyncio.sleep(91.0)
        stats = engine.get_stats()
        assert (stats["timed_out_tasks"], stats["orphaned_tasks"], begun) == (2, 0, [])
        await asyncio.sleep(60.0)
        stats = engine.get_stats()
        assert begun == [LET_GO_S]
        assert (stats["timed_out_tasks"], stats["orphaned_tasks"], stats["running_tasks"]) == (
            2,
            2,
            0,
        )
        assert stats["orphans"] == ("stubborn-0", "stubborn-1")
        assert [agent for agent, _ in failures] == ["a", "b"]
        assert all(isinstance(error, TaskStuckError) for _, error in failures)
        await engine.stop()
        gate.set()
        await asyncio.sleep(1.0)
        assert engine.get_stats()["orphaned_tasks"] == 0
        assert len(failures) == 2

    with caplog.at_level(logging.ERROR):
        turned(main)
    assert "2 tasks ignore their cancellation" in caplog.text


def test_the_number_of_orphans_is_bounded() -> None:
    async def main() -> None:
        gate, engine = asyncio.Event(), ExecutionEngine(LoopClock())
        engine.max_concurrent_tasks = MAX_ORPHANS + 2
        await engine.start()
        for _ in range(MAX_ORPHANS + 2):
            await engine.schedule_task("a", "stubborn", lambda: never_ends(gate))
        await asyncio.sleep(3600.0)
        stats = engine.get_stats()
        assert (stats["orphaned_tasks"], stats["running_tasks"]) == (MAX_ORPHANS, 2)
        gate.set()
        await asyncio.sleep(1.0)
        await engine.stop()

    turned(main)


def test_an_agent_whose_cycle_will_not_end_is_out_of_service_until_it_has_ended() -> None:
    async def main() -> None:
        clock, gate, bus = LoopClock(), asyncio.Event(), EventBus()
        engine = ExecutionEngine(clock)
        registry = AgentRegistry(engine)
        failures: list[str] = []
        bus.subscribe(EventType.AGENT_FAILED, lambda e: failures.append(e.data["error"]))
        agent = Stubborn("stubborn", bus, StateManager(), {"clock": clock, "gate": gate})
        registry.register_agent(agent)
        await registry.start()
        await registry.start_agent("stubborn")
        await asyncio.sleep(LET_GO_S + 1.0)
        assert agent.status is AgentStatus.ERROR
        assert failures == [
            "TaskStuckError: agent_cycle ignored 3 cancellations and was left behind"
        ]
        answer = await registry.start_agent("stubborn")
        assert (answer["success"], answer["status"]) == (False, "error")
        assert "ignores being cancelled" in agent.reason
        gate.set()
        await asyncio.sleep(1.0)
        assert (await registry.start_agent("stubborn"))["success"]
        await registry.stop()

    turned(main)


def test_a_task_that_swallows_two_cancellations_is_no_orphan() -> None:
    async def main() -> None:
        engine = ExecutionEngine(LoopClock())
        failures: list[Exception] = []
        engine.on_task_failed = lambda *told: failures.append(told[-1])
        await engine.start()
        await engine.schedule_task("a", "any", KINDS["swallows two"])
        await asyncio.sleep(200.0)
        stats = engine.get_stats()
        assert (stats["timed_out_tasks"], stats["orphaned_tasks"], stats["running_tasks"]) == (
            1,
            0,
            0,
        )
        assert [type(error) for error in failures] == [TimeoutError]
        await engine.stop()

    turned(main)
