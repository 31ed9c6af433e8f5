"""What it costs to start a task, and how late a thousand of them begin: the execution engine beside plain APScheduler.

Both run in one loop of one process, in turns. Ours queues by priority and age, bounds what runs, limits its time and
counts it by agent; APScheduler, as its `AsyncIOScheduler` comes, keeps triggers in order and starts them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from statistics import median

from apscheduler.events import EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from benchmarks.figures import Figure, percentile
from engine.domain.agents import AgentStatus, TaskPriority
from engine.ports.agent import Driver
from engine.scheduling.execution_engine import ExecutionEngine

INTERVAL_S = 0.1
N_AGENTS = 1_000
ROUNDS = 5
WARM_S = 0.5
"""At the start everything is due at once; that is not counted."""


@dataclass
class Pace:
    """What repeating tasks did: milliseconds from due to begun, how many of those due ran, CPU time of one."""

    late_ms: list[float] = field(default_factory=list)
    share: float = 0.0
    cpu_us: float = 0.0


class Ticking:
    """An agent as the engine sees it, whose cycle only says when it began."""

    status = AgentStatus.RUNNING
    interval = INTERVAL_S
    priority = TaskPriority.NORMAL
    task_type = "agent_cycle"
    runs_itself = False
    has_cycle = True

    def __init__(self, agent_id: str, begun: Callable[[float], None]) -> None:
        self.agent_id = agent_id
        self.driver: Driver | None = None
        self._begun = begun
        self._next_s: float | None = None

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""

    async def perform_cycle(self, _resource_pool: object) -> None:
        """Say how late it is."""
        now_s = time.monotonic()
        if self._next_s is not None:
            self._begun(now_s - self._next_s)
        self._next_s = now_s + self.interval

    async def perform_run(self) -> None:
        """Do nothing."""

    def seconds_to_next(self) -> float:
        """Return the wait until the next is due."""
        return max(0.0, (self._next_s or 0.0) - time.monotonic())

    def note_failure(self, where: str, error: BaseException) -> None:
        """End the measurement: nothing here may fail."""
        raise RuntimeError(f"{where} failed: {error}")


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return cost per task and lateness of both."""
    n, seconds = (500, 2.0) if is_quick else (3_000, 10.0)
    ours_us, theirs_us = asyncio.run(costs(n))
    ours, theirs = asyncio.run(paces(N_AGENTS, seconds))
    note = f"median of {ROUNDS} rounds of {n:,}, from asking to the end of the last"
    return [
        Figure(name="dispatch one task", value=ours_us, unit="µs", note=note),
        Figure(name="APScheduler: the same", value=theirs_us, unit="µs", note="add_job, due at once"),
        *_figures("1,000 cycles at 100 ms", ours),
        *_figures("APScheduler: 1,000 jobs at 100 ms", theirs),
    ]  # fmt: skip


def _figures(name: str, pace: Pace) -> list[Figure]:
    note = f"{pace.share:.0%} of those due ran"
    return [
        Figure(name=f"{name}, late p50", value=percentile(pace.late_ms, 50), unit="ms", note=note),
        Figure(name=f"{name}, late p99", value=percentile(pace.late_ms, 99), unit="ms", note=note),
        Figure(name=f"{name}, CPU time each", value=pace.cpu_us, unit="µs"),
    ]


async def costs(n: int) -> tuple[float, float]:
    """Return microseconds per task of both, in alternating rounds."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(await _our_cost(n))
        theirs.append(await _their_cost(n))
    return median(ours), median(theirs)


async def _our_cost(n: int) -> float:
    engine = ExecutionEngine()
    await engine.start()
    asked = count()  # one agent alone may not have so many waiting

    async def ask(work: Callable[[], Awaitable[None]]) -> None:
        await engine.schedule_task(f"agent-{next(asked) % 100}", "any", work)

    try:
        return await _timed(n, ask)
    finally:
        await engine.stop()


async def _their_cost(n: int) -> float:
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.start()

    async def ask(work: Callable[[], Awaitable[None]]) -> None:
        scheduler.add_job(work, misfire_grace_time=None)

    try:
        return await _timed(n, ask)
    finally:
        scheduler.shutdown(wait=False)


async def _timed(n: int, ask: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]) -> float:
    done, left = asyncio.Event(), n

    async def work() -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    began = time.perf_counter()
    for _ in range(n):
        await ask(work)
    await done.wait()
    return (time.perf_counter() - began) / n * 1e6


async def paces(n_agents: int, seconds: float) -> tuple[Pace, Pace]:
    """Return what so many repeating tasks did in so many seconds, ours and APScheduler's."""
    return await _our_pace(n_agents, seconds), await _their_pace(n_agents, seconds)


async def _our_pace(n_agents: int, seconds: float) -> Pace:
    pace, engine = Pace(), ExecutionEngine()
    await engine.start()
    for n in range(n_agents):
        agent = Ticking(f"agent-{n}", lambda late_s: pace.late_ms.append(late_s * 1e3))
        agent.driver = engine
        await engine.schedule_agent_cycle(agent, delay=INTERVAL_S * n / n_agents)
    await _watched(pace, n_agents, seconds)
    await engine.stop()
    return pace


async def _their_pace(n_agents: int, seconds: float) -> Pace:
    pace, scheduler = Pace(), AsyncIOScheduler(timezone=UTC)
    begun: dict[str, float] = {}

    async def work(name: str) -> None:
        begun[name] = time.time()

    def ran(event: JobExecutionEvent) -> None:
        pace.late_ms.append((begun[event.job_id] - event.scheduled_run_time.timestamp()) * 1e3)

    scheduler.add_listener(ran, EVENT_JOB_EXECUTED)
    origin_s = time.time() + INTERVAL_S
    for n in range(n_agents):
        first = datetime.fromtimestamp(origin_s + INTERVAL_S * n / n_agents, UTC)
        scheduler.add_job(
            work, "interval", (str(n),), id=str(n), seconds=INTERVAL_S, start_date=first, coalesce=True,
            max_instances=1, misfire_grace_time=30,
        )  # fmt: skip
    scheduler.start()
    await _watched(pace, n_agents, seconds)
    scheduler.shutdown(wait=False)
    await asyncio.sleep(0)
    return pace


async def _watched(pace: Pace, n_agents: int, seconds: float) -> None:
    """Let it run, and work out the figures of the time after the start."""
    await asyncio.sleep(WARM_S)
    pace.late_ms.clear()
    began, cpu_s = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    took_s, n = time.perf_counter() - began, len(pace.late_ms)
    pace.share = n / (n_agents * took_s / INTERVAL_S)
    pace.cpu_us = (time.process_time() - cpu_s) / max(1, n) * 1e6
