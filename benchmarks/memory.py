"""Whether the default run stays small: resident memory every ten seconds while one tab's live data flows."""

import asyncio
import time
from collections.abc import Sequence

import psutil

from benchmarks.clients import listen, topics
from benchmarks.figures import Figure, slope_per_hour
from benchmarks.servers import Server, running

BUDGET_MIB = 500.0
EVERY_S = 10.0
DAY_S = 86_400.0


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return the memory at the end, its slope, and what that makes after an hour."""
    seconds, every_s = (60.0, 5.0) if is_quick else (600.0, EVERY_S)
    with running() as server:
        times, sizes = asyncio.run(_watch(server, seconds, every_s))
    half = len(times) // 2
    slope = slope_per_hour(times[half:], sizes[half:])
    in_an_hour = None if slope is None else sizes[-1] + max(0.0, slope) * (1 - seconds / 3600)
    note = f"default run with one live client, {seconds / 60:.0f} min, every {every_s:.0f} s"
    return [
        Figure(name="memory at the end", value=sizes[-1], unit="MiB", budget=BUDGET_MIB, note=note),
        Figure(
            name="memory at most", value=max(sizes), unit="MiB", budget=BUDGET_MIB, note=f"at first {sizes[0]:.0f} MiB"
        ),
        Figure(name="slope over the second half", value=slope, unit="MiB/h", note=f"n = {len(times) - half} points"),
        Figure(
            name="memory after an hour at that slope", value=in_an_hour, unit="MiB", budget=BUDGET_MIB,
            note="extrapolated, not waited for",
        ),
    ]  # fmt: skip


async def _watch(server: Server, seconds: float, every_s: float) -> tuple[list[float], list[float]]:
    process = server.process
    client = asyncio.create_task(listen(server.port, seconds, wanted=topics("AAPL", DAY_S)))
    began = time.perf_counter()
    times, sizes = [], []
    while (passed := time.perf_counter() - began) < seconds:
        times.append(passed)
        sizes.append(resident_mib(process))
        await asyncio.sleep(every_s)
    await client
    return times, sizes


def resident_mib(process: psutil.Process) -> float:
    """Return the resident memory of a process with its children, in MiB."""
    family = [process, *process.children(recursive=True)]
    return sum(float(member.memory_info().rss) for member in family) / 2**20
