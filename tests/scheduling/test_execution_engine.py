"""The execution engine: bounds, lanes, one cycle per agent, time limits, a clean end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.agents.base import BaseAgent
from engine.agents.market_data import MarketDataAgent
from engine.agents.supervisor import SupervisorAgent
from engine.core.belonging import owned
from engine.domain.agents import AgentStatus, TaskPriority
from engine.domain.errors import InvalidValueError
from engine.scheduling.execution_engine import MAX_WAITING, ExecutionEngine
from tests.scheduling.fake_agent import FakeAgent

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def running(**settings: object) -> Any:
    engine = ExecutionEngine()
    await engine.start()
    for name, value in settings.items():
        setattr(engine, name, value)
    try:
        yield engine
    finally:
        await engine.stop()


async def turns(n: int = 20) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


class Held:
    """Tasks that wait until they are let go."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.started: list[str] = []

    def named(self, name: str) -> Callable[[], Awaitable[None]]:
        async def task() -> None:
            self.started.append(name)
            await self.gate.wait()

        return task


@pytest.mark.parametrize(
    ("agent_id", "task_type"), [("mine", "stop_loss"), ("mine", "price_cycle"), ("risk", "any")]
)
async def test_a_foreign_agents_code_queues_in_its_own_name_and_in_no_kept_lane(
    agent_id: str, task_type: str
) -> None:
    held = Held()
    async with running(foreign=frozenset({"mine"})) as engine:
        with owned("mine"), pytest.raises(InvalidValueError, match="agent_id must be 'mine'"):
            await engine.schedule_task(agent_id, task_type, held.named("no"))
        with owned("mine"):
            await engine.schedule_task("mine", "any", held.named("its own"))
        await engine.schedule_task(agent_id, task_type, held.named("somebody else's"))
        await turns()
        assert held.started == ["its own", "somebody else's"]
        held.gate.set()


async def test_a_full_queue_does_not_hold_up_a_stop_and_a_priority_buys_no_lane() -> None:
    held = Held()
    async with running(max_concurrent_tasks=1) as engine:
        await engine.schedule_task("a", "any", held.named("first"))
        await engine.schedule_task("a", "any", held.named("urgent"), priority=TaskPriority.CRITICAL)
        await engine.schedule_task("a", "stop_loss", held.named("stop"), priority=TaskPriority.IDLE)
        await turns()
        assert held.started == ["first", "stop"]
        held.gate.set()
        await turns()
        assert held.started == ["first", "stop", "urgent"]


async def test_prices_and_the_supervisor_have_places_that_no_other_work_can_fill() -> None:
    """Twenty endless jobs of one agent took the shared lane from everybody, at any priority."""
    held = Held()
    assert (MarketDataAgent.task_type, SupervisorAgent.task_type) == (
        "price_cycle",
        "supervisor_cycle",
    )
    async with running(max_concurrent_tasks=2) as engine:
        for n in range(30):
            await engine.schedule_task(
                "a", "any", held.named(f"job {n}"), priority=TaskPriority.CRITICAL
            )
        for kind in (MarketDataAgent.task_type, SupervisorAgent.task_type, BaseAgent.task_type):
            await engine.schedule_task("b", kind, held.named(kind), priority=TaskPriority.IDLE)
        await turns()
        assert held.started == ["job 0", "job 1", "price_cycle", "supervisor_cycle"]
        held.gate.set()


async def test_an_agent_that_asks_without_end_is_refused_and_others_are_not() -> None:
    held = Held()
    async with running(max_concurrent_tasks=1) as engine:
        for n in range(MAX_WAITING):  # one of them is at work
            await engine.schedule_task("a", "any", held.named(str(n)))
        await turns()
        await engine.schedule_task("a", "any", held.named("the last that may wait"))
        with pytest.raises(
            InvalidValueError, match="agent_id must have fewer than 500 tasks waiting"
        ):
            await engine.schedule_task("a", "any", held.named("too much"))
        await engine.schedule_task("b", "any", held.named("another's"))
        held.gate.set()
        await turns(5_000)
        assert len(held.started) == MAX_WAITING + 2
        assert "another's" in held.started
        assert "too much" not in held.started
        await engine.schedule_task("a", "any", held.named("again"))


async def test_raising_the_limit_starts_what_waits_at_once() -> None:
    held = Held()
    async with running(max_concurrent_tasks=1) as engine:
        for n in range(3):
            await engine.schedule_task("a", "any", held.named(str(n)))
        await turns()
        assert held.started == ["0"]
        engine.max_concurrent_tasks = 3
        await turns()
        assert held.started == ["0", "1", "2"]


async def test_a_new_request_replaces_the_cycle_that_waits() -> None:
    agent = FakeAgent()
    async with running() as engine:
        await engine.schedule_agent_cycle(agent, delay=30)
        await engine.schedule_agent_cycle(agent, delay=20)
        assert engine.get_stats()["queued_tasks"] == 1
        await engine.schedule_agent_cycle(agent)
        await turns()
        assert agent.cycles == 1
        assert engine.get_stats()["queued_tasks"] == 0
        assert engine.get_stats()["replaced_cycles"] == 2


async def test_cycles_of_one_agent_never_overlap_and_a_request_meanwhile_is_not_lost() -> None:
    held = Held()
    agent = FakeAgent(cycle=held.named("cycle"))
    async with running() as engine:
        await engine.schedule_agent_cycle(agent)
        await turns()
        for _ in range(3):
            await engine.schedule_agent_cycle(agent)
            await turns()
        assert agent.cycles == 1
        held.gate.set()
        await turns()
        assert agent.cycles == 2


async def test_who_is_not_running_gets_no_cycle() -> None:
    agent = FakeAgent()
    agent.status = AgentStatus.PAUSED
    async with running() as engine:
        await engine.schedule_agent_cycle(agent)
        await turns()
        assert agent.cycles == 0
        assert engine.get_stats()["queued_tasks"] == 0


async def test_the_engine_queues_the_next_cycle_of_those_it_drives_only() -> None:
    driven, guest = FakeAgent("driven"), FakeAgent("guest")
    async with running() as engine:
        driven.driver = engine
        await engine.schedule_agent_cycle(driven)
        await engine.schedule_agent_cycle(guest)
        await turns()
        assert (driven.cycles, guest.cycles) == (1, 1)
        assert engine.get_stats()["queued_tasks"] == 1
        engine.forget("driven")
        assert engine.get_stats()["queued_tasks"] == 0


async def test_a_loop_of_its_own_is_one_long_task_that_takes_no_place() -> None:
    agent = FakeAgent()
    agent.runs_itself = True
    async with running(max_concurrent_tasks=1) as engine:
        await engine.schedule_agent_cycle(agent)
        await engine.schedule_agent_cycle(agent)
        await turns()
        stats = engine.get_stats()
        assert (stats["long_runs"], stats["running_tasks"]) == (1, 0)


async def test_a_cycle_past_its_limit_is_cancelled_and_counts_against_its_agent() -> None:
    held = Held()
    agent = FakeAgent(cycle=held.named("hangs"))
    async with running(task_timeout_multiplier=1e-9) as engine:
        await engine.schedule_agent_cycle(agent)
        while not agent.failures:
            await asyncio.sleep(0)
        assert isinstance(agent.failures[0], TimeoutError)
        assert engine.get_stats()["timed_out_tasks"] == 1


async def test_a_failing_task_is_told_to_whoever_asked_to_know() -> None:
    told: list[tuple[str, str, str]] = []

    async def broken() -> None:
        raise ValueError("no positions")

    async with running() as engine:
        engine.on_task_failed = lambda who, what, error: told.append((who, what, str(error)))
        await engine.schedule_task("execution", "check_positions", broken)
        await turns()
        assert told == [("execution", "check_positions", "no positions")]
        assert engine.get_stats()["failed_tasks"] == 1


async def test_what_is_scheduled_before_the_start_runs_after_it() -> None:
    held = Held()
    engine = ExecutionEngine()
    await engine.schedule_task("a", "any", held.named("early"))
    await turns()
    assert held.started == []
    await engine.start()
    await turns()
    assert held.started == ["early"]
    await engine.stop()


async def test_durations_are_measured() -> None:
    async def task() -> None:
        await asyncio.sleep(0)

    async with running() as engine:
        assert engine.get_stats()["mean_duration_ms"] is None
        await engine.schedule_task("a", "any", task)
        await turns()
        assert engine.get_stats()["mean_duration_ms"] > 0


async def test_the_figures_name_who_took_how_long() -> None:
    async def broken() -> None:
        raise ValueError("no positions")

    async with running() as engine:
        await engine.schedule_task("execution", "check_positions", broken)
        await engine.schedule_agent_cycle(FakeAgent("risk"))
        await turns()
        stats = engine.get_stats()
    assert [(row.agent_id, row.task_type, row.n, row.failed) for row in stats["durations"]] == [
        ("execution", "check_positions", 1, 1), ("risk", "agent_cycle", 1, 0),
    ]  # fmt: skip
    assert all(row.p50_ms >= 0.0 for row in stats["durations"])
    assert stats["late_ms_max"] >= 0.0
    assert stats["timers"] == {}


async def test_stop_leaves_neither_task_nor_queue_and_can_be_repeated() -> None:
    held = Held()
    before = asyncio.all_tasks()
    engine = ExecutionEngine()
    await engine.start()
    await engine.schedule_task("a", "any", held.named("runs"))
    await engine.schedule_task("a", "any", held.named("waits"), delay=30)
    await turns()
    await engine.stop()
    await engine.stop()
    assert asyncio.all_tasks() == before
    stats = engine.get_stats()
    assert (stats["running"], stats["queued_tasks"], stats["running_tasks"]) == (False, 0, 0)
    assert stats["cancelled_tasks"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_concurrent_tasks", 0), ("max_concurrent_tasks", 2.5), ("max_concurrent_tasks", True),
     ("task_timeout_multiplier", 0), ("task_timeout_multiplier", float("nan"))],
)  # fmt: skip
async def test_senseless_settings_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidValueError, match=name):
        setattr(ExecutionEngine(), name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("delay", -1), ("delay", float("nan")), ("delay", "x"), ("timeout", 0), ("timeout", "x"),
     ("priority", 99), ("priority", "x")],
)  # fmt: skip
async def test_senseless_arguments_of_a_task_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidValueError, match=f"^{name} must .*, was {value!r}; "):
        await ExecutionEngine().schedule_task("a", "any", Held().named("x"), **{name: value})
