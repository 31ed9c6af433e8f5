"""GET /api/status for 50 clients: at the pace of people and programs that watch, and as fast as they can ask.

The default run goes on meanwhile. Clients are bare sockets with keep-alive, so that they cost little themselves.
"""

import asyncio
import random
import time
from collections.abc import Sequence

from benchmarks.figures import Figure, percentile
from benchmarks.servers import running

N_CLIENTS = 50
BUDGET_MS = 15.0
ANSWER_S = 10.0
WARM_S = 3.0
"""The engine's first seconds, which load histories, are not counted."""


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return p50 and p99 of both paces."""
    seconds = 4.0 if is_quick else 20.0
    with running() as server:
        time.sleep(WARM_S)
        paced = asyncio.run(ask(server.port, seconds, pause_s=1.0))
        eager = asyncio.run(ask(server.port, seconds, pause_s=0.0))
    calm = f"n = {len(paced):,}, {N_CLIENTS} clients, one request a second each"
    rate = len(eager) / seconds
    busy = f"{N_CLIENTS} requests always under way, {rate:,.0f} answers/s on one worker"
    return [
        Figure(name="GET /api/status, 50 clients at 1/s, p50", value=percentile(paced, 50), unit="ms", note=calm),
        Figure(
            name="GET /api/status, 50 clients at 1/s, p99", value=percentile(paced, 99), unit="ms", budget=BUDGET_MS,
            note=calm,
        ),
        Figure(name="GET /api/status, 50 without pause, p50", value=percentile(eager, 50), unit="ms", note=busy),
        Figure(
            name="GET /api/status, 50 without pause, p99", value=percentile(eager, 99), unit="ms", budget=BUDGET_MS,
            note=busy,
        ),
    ]  # fmt: skip


async def ask(port: int, seconds: float, pause_s: float, path: str = "/api/status") -> list[float]:
    """Return the milliseconds of every answer that 50 clients got in so many seconds."""
    end = time.perf_counter() + seconds
    rows = await asyncio.gather(*(_client(port, path, end, pause_s, i) for i in range(N_CLIENTS)))
    return [took for row in rows for took in row]


async def _client(port: int, path: str, end: float, pause_s: float, number: int) -> list[float]:
    chance = random.Random(number)  # noqa: S311 -- spreads the clients over the second, hides nothing
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    took = []
    await asyncio.sleep(chance.random() * pause_s)
    try:
        while time.perf_counter() < end:
            began = time.perf_counter()
            writer.write(request)
            await asyncio.wait_for(_answer(reader), ANSWER_S)
            took.append((time.perf_counter() - began) * 1e3)
            if pause_s:
                await asyncio.sleep(pause_s * (0.5 + chance.random()))
    finally:
        writer.close()
        await writer.wait_closed()
    return took


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"answer must be 200, was {head[:80]!r}")
    fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if b": " in line)
    return await reader.readexactly(int(fields[b"content-length"]))
