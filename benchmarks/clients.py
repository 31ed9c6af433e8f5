"""Many browser tabs at once: frames per second, how late they come, what they cost, and one that never reads.

Every client speaks the live transport's own protocol on loopback and ends by itself.
"""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.figures import Figure, percentile
from benchmarks.servers import Server, cpu_s, running, symbols
from dashboard.frame.parts import ALWAYS
from dashboard.pages import page_modules
from dashboard.views.bars import chosen_timeframe

N_SYMBOLS = 20
COUNTS = (50, 200)
SETTLE_S = 3.0
BAR_S = 60.0
"""The synthetic feed's bars, in market time."""
SMALL_BUFFER = 4096


@dataclass
class Heard:
    """What one client got: frames that carried parts, how late each came, and bytes of text."""

    frames: int = 0
    late_ms: list[float] = field(default_factory=list)
    n_bytes: int = 0


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return the figures for 50 and for 200 clients, then for a client that does not read."""
    seconds = 6.0 if is_quick else 30.0
    found: list[Figure] = []
    for count in COUNTS:
        with running(_settings()) as server:
            time.sleep(SETTLE_S)
            found += asyncio.run(_crowd(server, count, seconds))
    with running(_settings()) as server:
        time.sleep(SETTLE_S)
        found.append(asyncio.run(_with_a_sleeper(server, seconds)))
    return found


def topics(symbol: str, bar_s: float) -> tuple[str, ...]:
    """Return what a tab on the Markets page shows of a symbol whose bars take so many seconds of market time."""
    page = next(module for module in page_modules() if module.page.path == "/")
    place = f":{symbol}:{chosen_timeframe('1D', bar_s)}"
    found = list(ALWAYS.split())
    for part in page.live:
        has_symbol = any("{arg}" in name for name in part.sections)
        argument = place if "bars:{arg}" in part.sections else f":{symbol}"
        found.append(part.name + argument * has_symbol)
    return tuple(found)


def _settings() -> dict[str, str]:
    return {"PILOTHOUSE_FEED": "synthetic", "PILOTHOUSE_SYMBOLS": symbols(N_SYMBOLS)}


async def _crowd(server: Server, count: int, seconds: float) -> list[Figure]:
    process = server.process
    before_mib, cpu_before, began = (
        process.memory_info().rss / 2**20,
        cpu_s(server),
        time.perf_counter(),
    )
    heard = await asyncio.gather(*(listen(server.port, seconds, i / count) for i in range(count)))
    cpu = (cpu_s(server) - cpu_before) / (time.perf_counter() - began)
    after_mib = process.memory_info().rss / 2**20
    rates = [h.frames / seconds for h in heard]
    late = [ms for h in heard for ms in h.late_ms]
    name = f"{count} clients: "
    n_bytes = sum(h.n_bytes for h in heard) / count / seconds
    said = (
        ("frames per second and client", sum(rates) / count, "/s", f"least {min(rates):.2f}"),
        ("frame made to received, p95", percentile(late, 95), "ms", f"n = {len(late):,}, received on the same cores"),
        ("text per client", n_bytes, "B/s", "before compression"),
        ("server CPU", 100 * cpu, "%", "of one core, engine with 20 symbols at 4 Hz included"),
        ("server memory", after_mib, "MiB", f"{before_mib:.0f} MiB before they came"),
    )  # fmt: skip
    return [
        Figure(name=name + what, value=value, unit=unit, note=note)
        for what, value, unit, note in said
    ]


async def _with_a_sleeper(server: Server, seconds: float) -> Figure:
    """Return how much the server grows while one client takes nothing and another listens."""
    sleeper = socket.socket()
    sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    sleeper.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sleeper, ("127.0.0.1", server.port))
    async with connect(
        _url(server.port), sock=sleeper, origin=_origin(server.port), max_queue=1
    ) as silent:
        await silent.send(_wish())
        silent.transport.pause_reading()
        awake = await listen(server.port, seconds / 3)
        before = server.process.memory_info().rss / 2**20
        awake = await listen(server.port, seconds)
        grown = server.process.memory_info().rss / 2**20 - before
        silent.transport.abort()
    return Figure(
        name="one client that never reads: server grows by", value=grown, unit="MiB",
        note=f"in {seconds:.0f} s; beside it another got {awake.frames / seconds:.2f} frames/s",
    )  # fmt: skip


async def listen(
    port: int, seconds: float, wait_s: float = 0.0, wanted: tuple[str, ...] | None = None
) -> Heard:
    """Return what a tab on the Markets page hears in so many seconds, after `wait_s`."""
    await asyncio.sleep(wait_s)
    heard = Heard()
    async with connect(_url(port), origin=_origin(port), max_size=None) as tab:
        await tab.send(_wish(wanted))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await _hear(tab, heard)
    return heard


async def _hear(tab: ClientConnection, heard: Heard) -> None:
    first = True
    while True:
        text = await tab.recv()
        now = time.time()
        heard.n_bytes += len(text)
        frame = json.loads(text)
        if frame.get("unknown"):
            raise RuntimeError(f"topics must exist, unknown were {frame['unknown']}")
        if frame["parts"] and not first:
            heard.frames += 1
            heard.late_ms.append((now - frame["now"]) * 1e3)
        first = False


def _wish(wanted: tuple[str, ...] | None = None) -> str:
    return json.dumps({"topics": wanted or topics("S01", BAR_S), "since": 0, "epoch": ""})


def _url(port: int) -> str:
    return f"ws://127.0.0.1:{port}/ws/live"


def _origin(port: int) -> str:
    return f"http://127.0.0.1:{port}"
