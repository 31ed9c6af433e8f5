"""How late risk work begins, and how long the health takes to be read, while agents misbehave in the same loop.

The live engine (compute thread, SQLite, disk store) runs with its own crew and, beside it: an agent that always raises,
one that blocks the loop ten times in a row for 30 ms, and ten jobs that never end in the shared lane. A probe in the
risk lane is due every 50 ms. Two more threads read the health: one asks the served application for `/api/health`, one
reads in process what that route reads.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.engines import live_engine
from benchmarks.figures import Figure, percentile
from benchmarks.served import Asking, served
from engine.agents.base import BaseAgent
from engine.api.answers import HEALTH_SECTIONS, health
from engine.bootstrap.engine import Engine
from engine.core.gateway import Gateway

BITE_S = 0.03
N_BITES = 10
N_JOBS = 10
PROBE_S = 0.05
READ_EVERY_S = 0.02
WARM_S = 1.0
JITTER_BUDGET_MS = 100.0
HEALTH_BUDGET_MS = 200.0


class Probe(BaseAgent):
    """Says how late each of its cycles begins."""

    task_type = "risk_check"

    def begin(self) -> None:
        """Forget what was measured."""
        self.late_ms: list[float] = []
        self._due_s: float | None = None

    async def _run_cycle(self, resource_pool: Any) -> None:  # noqa: ANN401, ARG002 -- the founding signature
        now_s = time.monotonic()
        if self._due_s is not None:
            self.late_ms.append(max(0.0, now_s - self._due_s) * 1e3)
        self._due_s = now_s + self.interval


class Raising(BaseAgent):
    """Fails."""

    async def _run_cycle(self, resource_pool: Any) -> None:  # noqa: ANN401, ARG002
        raise ValueError("always")


class Blocking(BaseAgent):
    """Holds the loop, in bites."""

    async def _run_cycle(self, resource_pool: Any) -> None:  # noqa: ANN401, ARG002
        for _ in range(N_BITES):
            time.sleep(BITE_S)
            await asyncio.sleep(0)


@dataclass(frozen=True)
class Phase:
    """Milliseconds of lateness, of reads in process, and of answers over HTTP."""

    late_ms: tuple[float, ...]
    read_ms: tuple[float, ...]
    http_ms: tuple[float, ...]


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return lateness of the risk lane and reads of the health, calm and beside agents that misbehave."""
    logging.disable(logging.ERROR)  # the failures are meant
    try:
        calm, beside = asyncio.run(phases(4.0 if is_quick else 20.0))
    finally:
        logging.disable(logging.NOTSET)
    return [*_figures("calm", calm), *_figures("beside bad agents", beside)]


def _figures(name: str, phase: Phase) -> list[Figure]:
    late, read = f"n = {len(phase.late_ms):,}", f"n = {len(phase.read_ms):,}, in process"
    asked = f"n = {len(phase.http_ms):,}, over HTTP, one kept connection"
    return [
        Figure(name=f"risk lane late, {name}, p50", value=percentile(phase.late_ms, 50), unit="ms", note=late),
        Figure(
            name=f"risk lane late, {name}, p99", value=percentile(phase.late_ms, 99), unit="ms",
            budget=JITTER_BUDGET_MS, note=late,
        ),
        Figure(
            name=f"GET /api/health, {name}, p99", value=percentile(phase.http_ms, 99), unit="ms",
            budget=HEALTH_BUDGET_MS, note=asked,
        ),
        Figure(
            name=f"read health, {name}, p99", value=percentile(phase.read_ms, 99), unit="ms", budget=HEALTH_BUDGET_MS,
            note=read,
        ),
    ]  # fmt: skip


async def phases(seconds: float) -> tuple[Phase, Phase]:
    """Return what was measured before the bad agents came and after."""
    async with live_engine(2) as engine:
        gateway = Gateway(engine.parts.store, engine.parts.journal, watch=engine.log.on_flush)
        await engine.start()
        probe = Probe("probe", engine.bus, engine.state, {"interval": PROBE_S})
        probe.begin()
        await enlist(engine, probe)
        with served(gateway) as port:
            calm = await _phase(probe, gateway, port, seconds)
            await _misbehave(engine)
            return calm, await _phase(probe, gateway, port, seconds)


async def _misbehave(engine: Engine) -> None:
    """Put the bad agents and the endless jobs on board."""
    engine.execution_engine.max_concurrent_tasks = N_JOBS + 4
    for n in range(N_JOBS):
        await engine.execution_engine.schedule_task(f"job-{n}", "endless", _endless)
    for kind in (Raising, Blocking):
        agent = kind(kind.__name__, engine.bus, engine.state, {"interval": PROBE_S})
        await enlist(engine, agent)


async def enlist(engine: Engine, agent: BaseAgent) -> None:
    """Put an agent on board and start it."""
    engine.registry.register_agent(agent)
    await engine.registry.start_agent(agent.agent_id)


async def _endless() -> None:
    await asyncio.Event().wait()


async def _phase(probe: Probe, gateway: Gateway, port: int, seconds: float) -> Phase:
    asking = Asking(port, "/api/health")
    await asyncio.sleep(WARM_S)
    probe.begin()
    end = threading.Event()
    ways = (lambda: _read_ms(gateway), asking.took_ms)
    watching = [asyncio.to_thread(_repeat, way, end) for way in ways]
    reads = asyncio.gather(*watching)
    try:
        await asyncio.sleep(seconds)
    finally:
        end.set()
        read_ms, http_ms = await reads
        asking.close()
    return Phase(tuple(probe.late_ms), read_ms, http_ms)


def _read_ms(gateway: Gateway) -> float:
    """Read once what the route reads and return the milliseconds."""
    began = time.perf_counter()
    health(gateway.read(HEALTH_SECTIONS))
    return (time.perf_counter() - began) * 1e3


def _repeat(once: Callable[[], float], end: threading.Event) -> tuple[float, ...]:
    """Return what every turn took until the end."""
    took = []
    while not end.wait(READ_EVERY_S):
        took.append(once())
    return tuple(took)
