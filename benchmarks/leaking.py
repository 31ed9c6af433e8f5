"""Whether an agent that keeps ever more is named before it does harm, and whether one that does not is left alone.

The live engine (compute thread, SQLite, disk store) runs with its own crew under its supervisor, whose health checks
come every half second here. Beside it an agent keeps 2,000 records with every cycle, twenty times a second; then the
same agent that forgets the oldest. A probe in the risk lane is due every 50 ms in both.
"""

import asyncio
import time
from collections import deque
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks.engines import live_engine
from benchmarks.figures import Figure, percentile
from benchmarks.jitter import JITTER_BUDGET_MS, PROBE_S, WARM_S, Probe, enlist
from engine.agents.base import BaseAgent
from engine.agents.checkup import GROWING_CHECKS
from engine.domain.events import Event, EventType

CHECK_S = 0.5
N_RECORDS = 2_000
RECORD_B = 100
BOUND = 50_000
TOLD_BUDGET_S = (GROWING_CHECKS + 2) * CHECK_S
QUICK_S, WHOLE_S = 10.0, 60.0


class Keeping(BaseAgent):
    """Keeps records; the oldest go where `bound` says so."""

    title = "Keeping"

    def begin(self, bound: int | None) -> None:
        """Start with none."""
        self.records: MutableSequence[bytes] = [] if bound is None else deque(maxlen=bound)

    async def _run_cycle(self, resource_pool: Any) -> None:  # noqa: ANN401, ARG002 -- the founding signature
        self.records.extend(bytes(RECORD_B) for _ in range(N_RECORDS))


@dataclass(frozen=True)
class Soak:
    """What came of it: who was told of and after how long, lateness of the risk lane, memory gained."""

    accused: tuple[str, ...]
    told_after_s: float | None
    late_ms: tuple[float, ...]
    gained_mib: float
    n_kept: int


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return when the leak was told of, false accusations, and the lateness of the risk lane in both runs."""
    seconds = QUICK_S if is_quick else WHOLE_S
    leaking = asyncio.run(soak(seconds, bound=None))
    bounded = asyncio.run(soak(seconds, bound=BOUND))
    kept = f"{leaking.n_kept:,} records kept in {seconds:.0f} s, {leaking.gained_mib:.0f} MiB more"
    others = [name for name in leaking.accused if name != "Keeping"]
    return [
        Figure(
            name="leak named after", value=leaking.told_after_s, unit="s", budget=TOLD_BUDGET_S,
            note=f"checked every {CHECK_S} s; {kept}",
        ),
        Figure(
            name="accused without a leak", value=float(len(others) + len(bounded.accused)), unit="", budget=0.0,
            note="others beside the leak, and anybody beside the same agent that forgets the oldest",
        ),
        *(
            Figure(
                name=f"risk lane late, {name}, p99", value=percentile(found.late_ms, 99), unit="ms",
                budget=JITTER_BUDGET_MS, note=f"n = {len(found.late_ms):,}",
            )
            for name, found in (("beside the leak", leaking), ("beside the same without it", bounded))
        ),
    ]  # fmt: skip


async def soak(seconds: float, bound: int | None, check_s: float = CHECK_S) -> Soak:
    """Let the crew work beside the agent for so long; `bound` None lets it leak."""
    accused: list[tuple[float, str]] = []

    def note(event: Event) -> None:
        if event.data["metric"] == "agent_leaks":
            accused.append((time.monotonic(), str(event.data["title"]).partition(" keeps ")[0]))

    async with live_engine(2) as engine:
        supervisor = engine.crew.supervisor
        supervisor.interval = supervisor.base_interval = check_s
        await engine.start()
        engine.bus.subscribe(EventType.RISK_ALERT, note)
        given = (engine.bus, engine.state, {"interval": PROBE_S})
        probe, keeping = Probe("probe", *given), Keeping("keeping", *given)
        probe.begin()
        keeping.begin(bound)
        await enlist(engine, probe)
        await asyncio.sleep(WARM_S)
        probe.begin()
        process, began_s = psutil.Process(), time.monotonic()
        before = process.memory_info().rss
        supervisor.register_agent(keeping)
        await enlist(engine, keeping)
        await asyncio.sleep(seconds)
        gained = (process.memory_info().rss - before) / 2**20
        first = next((at_s for at_s, name in accused if name == "Keeping"), None)
        return Soak(
            accused=tuple(name for _, name in accused),
            told_after_s=None if first is None else first - began_s,
            late_ms=tuple(probe.late_ms),
            gained_mib=gained,
            n_kept=len(keeping.records),
        )
