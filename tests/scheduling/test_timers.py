"""Interval triggers: they only queue cycles, skip who is busy, obey the back-off, and survive a jump of the clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobExecutionEvent,
)
from apscheduler.jobstores.memory import MemoryJobStore

from engine.adapters.clocks.manual import ManualClock
from engine.adapters.clocks.wall import WallClock
from engine.agents.base import BaseAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.scheduling.execution_engine import ExecutionEngine
from engine.scheduling.registry import AgentRegistry
from engine.scheduling.timers import MISFIRE_S, IntervalTimers, PaceTrigger

pytestmark = pytest.mark.asyncio


class Counting(BaseAgent):
    cycles = 0

    async def _run_cycle(self, resource_pool: object) -> None:
        self.cycles += 1


class Blocking(Counting):
    async def _run_cycle(self, resource_pool: object) -> None:
        self.cycles += 1
        await asyncio.Event().wait()


class JumpingClock(WallClock):
    """The machine's clock with a wall time that a test can set off."""

    jump = timedelta()

    def now(self) -> Any:
        return super().now() + self.jump


class Bench:
    def __init__(self, kind: type[BaseAgent] = Counting, **config: object) -> None:
        self.clock = JumpingClock()
        self.engine = ExecutionEngine()
        self.registry = AgentRegistry(self.engine)
        self.timers = IntervalTimers(self.engine, self.clock)
        self.agent: Any = kind("one", EventBus(), StateManager(), {"interval": 0.05, **config})
        self.registry.register_agent(self.agent)

    async def __aenter__(self) -> "Bench":
        self.timers.start()
        await self.registry.start()
        await self.registry.start_agent("one")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.timers.stop()
        await self.registry.stop()

    def job(self) -> Any:
        assert self.timers._scheduler is not None
        return self.timers._scheduler.get_job("one")


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_watched_agent_has_its_cycles_and_the_engine_queues_none_itself() -> None:
    async with Bench() as bench:
        await until(lambda: bench.agent.cycles >= 4)
        stats = bench.timers.get_stats()
        assert stats["fired"] >= 3
        assert bench.engine.get_stats()["completed_tasks"] <= stats["fired"] + 1


async def test_the_first_cycle_comes_with_the_start_and_waits_for_no_trigger() -> None:
    async with Bench(interval=3600) as bench:
        await until(lambda: bench.agent.cycles == 1)
        assert bench.timers.get_stats()["fired"] == 0


async def test_jobs_are_in_memory_in_utc_coalesced_and_single() -> None:
    async with Bench() as bench:
        job = bench.job()
        assert (job.coalesce, job.max_instances) == (True, 1)
        assert job.misfire_grace_time == MISFIRE_S <= 60
        stores = bench.timers._scheduler._jobstores
        assert [type(store) for store in stores.values()] == [MemoryJobStore]
        assert job.next_run_time.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("event", "counted"),
    [
        (JobExecutionEvent(EVENT_JOB_MISSED, "one", "default", None), "missed"),
        (JobExecutionEvent(EVENT_JOB_MAX_INSTANCES, "one", "default", None), "max_instances"),
        (
            JobExecutionEvent(EVENT_JOB_ERROR, "one", "default", None, exception=RuntimeError()),
            "errors",
        ),
    ],
)
async def test_what_apscheduler_says_of_a_trigger_is_heard_and_counted(
    event: Any, counted: str
) -> None:
    """Through its own dispatch: a listener that asks for fewer events would hear nothing."""
    async with Bench(interval=3600) as bench:
        bench.timers._scheduler._dispatch_event(event)
        stats = bench.engine.get_stats()["timers"]
        assert {name: stats[name] for name in ("missed", "max_instances", "errors")} == {
            "missed": 0, "max_instances": 0, "errors": 0, counted: 1,
        }  # fmt: skip


async def test_who_is_busy_gets_nothing_queued_on_top() -> None:
    async with Bench(Blocking) as bench:
        await until(lambda: bench.timers.get_stats()["fired"] >= 3)
        assert (bench.agent.cycles, bench.engine.get_stats()["queued_tasks"]) == (1, 0)


async def test_who_is_busy_skips_its_runs_and_that_is_counted_for_it_and_in_sum() -> None:
    async with Bench(Blocking, interval=3600) as bench:
        await until(lambda: bench.agent.cycles == 1)
        for _ in range(3):
            await bench.timers._fire(bench.agent)
        assert bench.agent.measured().skipped == 3
        assert bench.engine.get_stats()["timers"]["skipped"] == 3


async def test_a_run_that_waits_for_a_place_keeps_its_turn_and_the_next_is_skipped() -> None:
    async with Bench(interval=3600) as bench:
        await until(lambda: bench.agent.cycles == 1)
        bench.engine.max_concurrent_tasks = 1
        await bench.engine.schedule_task("other", "any", asyncio.Event().wait)
        await bench.engine.schedule_agent_cycle(bench.agent)
        for _ in range(3):
            await bench.timers._fire(bench.agent)
        stats = bench.engine.get_stats()
        assert (stats["queued_tasks"], stats["replaced_cycles"]) == (1, 0)
        assert bench.agent.measured().skipped == 3


async def test_a_run_whose_last_has_ended_or_that_is_held_back_is_not_skipped() -> None:
    async with Bench(interval=3600) as bench:
        await until(lambda: bench.agent.cycles == 1)
        await bench.timers._fire(bench.agent)
        await bench.timers._fire(bench.agent)
        await bench.agent.pause()
        await bench.timers._fire(bench.agent)
        assert bench.agent.measured().skipped == bench.timers.get_stats()["skipped"] == 0


async def test_paused_and_stopped_agents_have_no_trigger() -> None:
    async with Bench() as bench:
        await bench.agent.pause()
        assert bench.job() is None
        await bench.agent.resume()
        assert bench.job() is not None
        await bench.agent.stop()
        assert bench.job() is None
        assert bench.timers.get_stats()["watched"] == 0


async def test_a_trigger_obeys_the_back_off_of_a_failing_agent() -> None:
    async with Bench(clock=ManualClock()) as bench:
        await until(lambda: bench.agent.cycles == 1)
        bench.agent.note_failure("cycle", RuntimeError("down"))
        cycles = bench.agent.cycles
        await until(lambda: bench.timers.get_stats()["fired"] >= 4)
        assert bench.agent.cycles == cycles  # its own clock stands inside the back-off
        assert bench.engine.get_stats()["queued_tasks"] == 1


async def test_a_jump_of_the_wall_clock_arms_the_triggers_afresh() -> None:
    async with Bench(interval=3600) as bench:
        before = bench.job().next_run_time
        bench.timers._look_at_clocks()
        assert bench.job().next_run_time == before
        assert bench.timers.get_stats()["clock_jumps"] == 0
        bench.clock.jump = timedelta(hours=-1)
        bench.timers._look_at_clocks()
        assert bench.timers.get_stats()["clock_jumps"] == 1
        assert bench.job().next_run_time > before


async def test_what_apscheduler_misses_is_counted() -> None:
    async with Bench() as bench:
        missed = JobExecutionEvent(EVENT_JOB_MISSED, "one", "default", bench.clock.now())
        bench.timers._count(missed)
        assert bench.timers.get_stats()["missed"] == 1
        assert bench.engine.get_stats()["timers"] == bench.timers.get_stats()


async def test_a_trigger_that_the_stop_cut_off_is_neither_counted_nor_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Bench() as bench:
        bench.timers._scheduler.modify_job("one", next_run_time=bench.clock.now())
        while not (cut := bench.timers._scheduler._executors["default"]._pending_futures):
            await asyncio.sleep(0)
        (task,) = cut
        task.cancel()
        await asyncio.sleep(0.01)
        assert task.cancelled()
        assert bench.timers.get_stats()["errors"] == 0
    assert "Error running job" not in caplog.text


async def test_a_trigger_that_is_cut_off_at_work_is_not_counted_either() -> None:
    """APScheduler tells of it as of an error; before its first step, as above, it tells nobody."""
    async with Bench() as bench:
        has_begun = asyncio.Event()

        async def waits(*_: object, **__: object) -> None:
            has_begun.set()
            await asyncio.Event().wait()

        bench.engine.schedule_agent_cycle = waits  # type: ignore[method-assign]
        bench.timers._scheduler.modify_job("one", next_run_time=bench.clock.now())
        await asyncio.wait_for(has_begun.wait(), 10.0)
        (task,) = bench.timers._scheduler._executors["default"]._pending_futures
        task.cancel()
        await asyncio.wait({task}, timeout=10.0)
        await asyncio.sleep(0.01)
        assert bench.timers.get_stats()["errors"] == 0


async def test_a_trigger_that_fails_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async with Bench() as bench:
        bench.engine.is_behind = lambda _: 1 / 0
        bench.timers._scheduler.modify_job("one", next_run_time=bench.clock.now())
        while not bench.timers.get_stats()["errors"]:
            await asyncio.sleep(0.005)
    assert "ZeroDivisionError" in caplog.text


async def test_agents_watched_before_the_start_are_armed_by_it_and_stop_can_be_repeated() -> None:
    bench = Bench()
    bench.timers.watch(bench.agent)
    assert bench.timers.get_stats()["watched"] == 1
    bench.timers.start()
    bench.timers.start()
    assert bench.job() is not None
    bench.timers.stop()
    bench.timers.stop()


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def test_a_new_interval_counts_from_the_last_time_and_what_has_gone_by_is_due_at_once() -> (
    None
):
    agent: Any = SimpleNamespace(interval=60.0)
    trigger = PaceTrigger(agent)
    assert trigger.get_next_fire_time(None, NOON) == after(60)
    assert trigger.get_next_fire_time(after(60), after(60.1)) == after(120)
    agent.interval = 40.0
    repaced = PaceTrigger(agent, trigger.since)
    assert repaced.get_next_fire_time(None, after(90)) == after(100)
    assert PaceTrigger(agent, trigger.since).get_next_fire_time(None, after(105)) == after(105)


@pytest.mark.parametrize("interval", [0.0, 1e-12, -5.0])
async def test_no_interval_makes_a_trigger_name_a_time_for_ever(interval: float) -> None:
    trigger = PaceTrigger(SimpleNamespace(interval=interval))  # type: ignore[arg-type] # as a foreign agent may
    assert after(100) < trigger.get_next_fire_time(NOON, after(100)) < after(101)


async def test_an_agent_whose_pace_changes_more_often_than_it_is_due_has_its_turns() -> None:
    async with Bench(interval=0.2) as bench:
        began = bench.agent.cycles
        for n in range(20):
            bench.agent.interval = 0.2 + 0.01 * (n % 2)
            bench.timers.repace(bench.agent)
            await asyncio.sleep(0.05)
        assert bench.agent.cycles - began >= 3
