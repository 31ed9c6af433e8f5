"""Random schedules on a turned loop: nothing lost, nothing twice, no cycle doubled, nothing starved."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.agents import TaskPriority
from engine.scheduling.execution_engine import ExecutionEngine
from engine.scheduling.tasks import TaskQueue
from tests.scheduling.fake_agent import FakeAgent
from tests.scheduling.turned_loop import LoopClock, turned

WISHES = st.lists(
    st.tuples(
        st.sampled_from(TaskPriority), st.floats(0, 30), st.floats(0, 5), st.sampled_from("abc")
    ),
    min_size=1,
    max_size=30,
)
"""Priority, delay and length of a task, and what becomes of it: it ends, raises, or outlasts its limit."""


def ending(
    seconds: float, fate: str, ran: Callable[[], None], left: Callable[[], None]
) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        ran()
        try:
            await asyncio.sleep(100.0 if fate == "c" else seconds)
        finally:
            left()
        if fate == "b":
            raise ValueError("broken")

    return work


@settings(max_examples=60, deadline=None)
@given(WISHES, st.integers(1, 4))
def test_every_task_runs_once_not_before_its_time_and_within_the_limit(
    wishes: list[tuple[TaskPriority, float, float, str]], limit: int
) -> None:
    async def main() -> None:
        clock = LoopClock()
        engine = ExecutionEngine(clock)
        engine.max_concurrent_tasks = limit
        await engine.start()
        began: Counter[int] = Counter()
        at_work: set[int] = set()
        most = 0

        def begin(n: int, due_s: float) -> None:
            nonlocal most
            assert clock.monotonic() >= due_s - 1e-6
            began[n] += 1
            at_work.add(n)
            most = max(most, len(at_work))

        for n, (priority, delay, seconds, fate) in enumerate(wishes):
            work = ending(
                seconds, fate,
                lambda n=n, due_s=delay: begin(n, due_s), lambda n=n: at_work.discard(n),
            )  # fmt: skip
            await engine.schedule_task("a", fate, work, priority, delay, timeout=10.0)
        await asyncio.sleep(1000.0)
        stats = engine.get_stats()
        await engine.stop()
        fates = Counter(fate for *_, fate in wishes)
        assert began == Counter(range(len(wishes)))
        assert most <= limit
        ends = [stats[f"{end}_tasks"] for end in ("completed", "failed", "timed_out", "cancelled")]
        assert ends == [fates["a"], fates["b"], fates["c"], 0]
        assert {row.task_type: row.n for row in stats["durations"]} == fates

    turned(main)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 3), st.integers(0, 2), st.floats(0, 3), st.sampled_from(TaskPriority)
        ),
        max_size=30,
    )
)
def test_however_often_cycles_are_asked_for_one_waits_and_one_runs(
    wishes: list[tuple[float, int, float, TaskPriority]],
) -> None:
    async def main() -> None:
        engine = ExecutionEngine(LoopClock())
        await engine.start()
        at_work: Counter[str] = Counter()

        def cycle_of(name: str) -> Callable[[], Awaitable[None]]:
            async def cycle() -> None:
                at_work[name] += 1
                assert at_work[name] == 1
                await asyncio.sleep(1.3)
                at_work[name] -= 1

            return cycle

        agents = [FakeAgent(f"agent-{n}", cycle_of(f"agent-{n}")) for n in range(3)]
        for pause, which, delay, priority in wishes:
            await asyncio.sleep(pause)
            before = agents[which].cycles
            await engine.schedule_agent_cycle(agents[which], priority, delay)
            assert engine.get_stats()["queued_tasks"] <= len(agents)
            assert agents[which].cycles == before
        await asyncio.sleep(100.0)
        counts = engine.get_stats()
        await engine.stop()
        assert not any(agent.failures for agent in agents)
        asked = len(wishes) - counts["replaced_cycles"]
        assert sum(agent.cycles for agent in agents) == asked == counts["completed_tasks"]

    turned(main)


def low_waits_s(queue: TaskQueue) -> float | None:
    """Return how long a LOW task waits behind a minute of HIGH work without a gap; None for more than that."""

    async def main() -> float | None:
        clock = LoopClock()
        engine = ExecutionEngine(clock)
        engine._queue = queue
        engine.max_concurrent_tasks = 1
        begun: list[float] = []

        async def high() -> None:
            await asyncio.sleep(0.5)

        async def low() -> None:
            begun.append(clock.monotonic())

        await engine.start()
        for n in range(240):  # twice as much as there is time for
            await engine.schedule_task("a", "high", high, TaskPriority.HIGH, delay=0.25 * n)
        await engine.schedule_task("a", "low", low, TaskPriority.LOW)
        await asyncio.sleep(60.0)
        await engine.stop()
        return begun[0] if begun else None

    return turned(main)


def test_low_work_starts_behind_any_stream_of_high_work_and_would_not_without_ageing() -> None:
    ageless = {priority: 1e9 * priority for priority in TaskPriority}
    waited_s = low_waits_s(TaskQueue())
    assert waited_s is not None
    assert (
        10.0 <= waited_s <= 21.0
    )  # the 41 HIGH tasks of its first ten seconds, half a second each
    assert low_waits_s(TaskQueue(ageless)) is None
