"""What one event costs on the bus: publish to five inline handlers, beside asyncio queues and blinker's signal.

The queues are what a program without a bus has: five, each with a task that takes events out; every event is put into
all of them, and a round ends when the last has been taken.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from statistics import median

from benchmarks.figures import Figure
from engine.core.event_bus import EventBus
from engine.domain.events import Event, EventType

N_HANDLERS = 5
ROUNDS = 9
EVENT = Event(EventType.CUSTOM, {"symbol": "S01", "price": 100.0})

Round = Callable[[int], Awaitable[None]]
"""Sends so many events and returns when every handler has had them."""


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return microseconds per event of each, in alternating rounds."""
    n = 2_000 if is_quick else 20_000
    ours, queues, blinker = asyncio.run(_all(n))
    note = f"median of {ROUNDS} rounds of {n:,} events; numbered, fenced and counted per handler"
    return [
        Figure(name="publish to 5 inline handlers", value=ours, unit="µs", budget=2.0, note=note),
        Figure(
            name="asyncio: put into 5 queues", value=queues, unit="µs", note="no number, no fence, no count",
        ),
        Figure(
            name="blinker: send to 5 receivers", value=blinker, unit="µs",
            note="blinker is not installed" if blinker is None else "no order, no fence, no count",
        ),
    ]  # fmt: skip


async def _all(n: int) -> tuple[float, float, float | None]:
    seen = [0] * N_HANDLERS
    handlers = [_counter(seen, i) for i in range(N_HANDLERS)]
    async with _queues(handlers) as queues:
        rounds = [_bus(handlers), queues, _signal(handlers)]
        took: list[list[float]] = [[] for _ in rounds]
        for _ in range(ROUNDS):
            for one, times in zip(rounds, took, strict=True):
                if one is not None:
                    began = time.perf_counter()
                    await one(n)
                    times.append((time.perf_counter() - began) / n * 1e6)
    expected = n * sum(len(times) for times in took)
    if seen != [expected] * N_HANDLERS:
        raise RuntimeError(f"every handler must have had {expected} events, had {seen}")
    ours, queued, blinker = took
    return median(ours), median(queued), median(blinker) if blinker else None


def _bus(handlers: Sequence[Callable[..., None]]) -> Round:
    bus = EventBus()
    for handler in handlers:
        bus.subscribe(EVENT.event_type, handler)

    async def send(n: int) -> None:
        for _ in range(n):
            await bus.publish(EVENT)

    return send


@asynccontextmanager
async def _queues(handlers: Sequence[Callable[..., None]]) -> AsyncIterator[Round]:
    queues: list[asyncio.Queue[Event]] = [asyncio.Queue() for _ in handlers]

    async def consume(queue: asyncio.Queue[Event], handler: Callable[..., None]) -> None:
        while True:
            handler(await queue.get())
            queue.task_done()

    async def send(n: int) -> None:
        for _ in range(n):
            for queue in queues:
                queue.put_nowait(EVENT)
        for queue in queues:
            await queue.join()

    pairs = zip(queues, handlers, strict=True)
    tasks = [asyncio.create_task(consume(queue, handler)) for queue, handler in pairs]
    try:
        yield send
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _counter(seen: list[int], i: int) -> Callable[..., None]:
    def count(_: object, **__: object) -> None:
        seen[i] += 1

    return count


def _signal(handlers: Sequence[Callable[..., None]]) -> Round | None:
    try:
        from blinker import Signal
    except ImportError:
        return None
    signal = Signal()
    for handler in handlers:
        signal.connect(handler, weak=False)

    async def send(n: int) -> None:
        for _ in range(n):
            signal.send(None, event=EVENT)

    return send
