"""How late risk work begins, and how long a read of the health takes, while agents misbehave in the same loop.

The live engine (compute thread, SQLite, disk store) runs with its own crew and, beside it: an agent that always raises,
one that blocks the loop ten times in a row for 30 ms, and ten jobs that never end in the shared lane. A probe in the
risk lane is due every 50 ms; another thread reads what `/api/health` reads.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.engines import live_engine
from benchmarks.figures import Figure, percentile
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
    """Milliseconds of lateness and of reads."""

    late_ms: tuple[float, ...]
    read_ms: tuple[float, ...]


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return lateness of the risk lane and reads of the health, calm and beside agents that misbehave."""
    logging.disable(logging.ERROR)  # the failures are meant
    try:
        calm, beside = asyncio.run(phases(4.0 if is_quick else 20.0))
    finally:
        logging.disable(logging.NOTSET)
    return [*_figures("calm", calm), *_figures("beside bad agents", beside)]


def _figures(name: str, phase: Phase) -> list[Figure]:
    late, read = f"n = {len(phase.late_ms):,}", f"n = {len(phase.read_ms):,}, from another thread"
    return [
        Figure(name=f"risk lane late, {name}, p50", value=percentile(phase.late_ms, 50), unit="ms", note=late),
        Figure(
            name=f"risk lane late, {name}, p99", value=percentile(phase.late_ms, 99), unit="ms",
            budget=JITTER_BUDGET_MS, note=late,
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
        await _enlist(engine, probe)
        calm = await _phase(probe, gateway, seconds)
        engine.execution_engine.max_concurrent_tasks = N_JOBS + 4
        for n in range(N_JOBS):
            await engine.execution_engine.schedule_task(f"job-{n}", "endless", _endless)
        for kind in (Raising, Blocking):
            await _enlist(
                engine, kind(kind.__name__, engine.bus, engine.state, {"interval": PROBE_S})
            )
        return calm, await _phase(probe, gateway, seconds)


async def _enlist(engine: Engine, agent: BaseAgent) -> None:
    engine.registry.register_agent(agent)
    await engine.registry.start_agent(agent.agent_id)


async def _endless() -> None:
    await asyncio.Event().wait()


async def _phase(probe: Probe, gateway: Gateway, seconds: float) -> Phase:
    await asyncio.sleep(WARM_S)
    probe.begin()
    end = threading.Event()
    reads = asyncio.get_running_loop().run_in_executor(None, _read, gateway, end)
    await asyncio.sleep(seconds)
    end.set()
    return Phase(tuple(probe.late_ms), tuple(await reads))


def _read(gateway: Gateway, end: threading.Event) -> list[float]:
    """Return the milliseconds of every read until the end."""
    took = []
    while not end.wait(READ_EVERY_S):
        began = time.perf_counter()
        health(gateway.read(HEALTH_SECTIONS))
        took.append((time.perf_counter() - began) * 1e3)
    return took
