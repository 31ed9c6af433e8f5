"""What one event costs on the bus: publish to five inline handlers, beside blinker's signal with five receivers."""

import asyncio
import time
from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.figures import Figure
from engine.core.event_bus import EventBus
from engine.domain.events import Event, EventType

N_HANDLERS = 5
ROUNDS = 9


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return microseconds per event of both, in alternating rounds."""
    n = 2_000 if is_quick else 20_000
    ours, theirs = asyncio.run(_both(n))
    note = f"median of {ROUNDS} rounds of {n:,} events; numbered, fenced and counted per handler"
    found = [
        Figure(name="publish to 5 inline handlers", value=ours, unit="µs", budget=2.0, note=note)
    ]
    name = "blinker: send to 5 receivers"
    if theirs is None:
        return [*found, Figure(name=name, value=None, unit="µs", note="blinker is not installed")]
    return [*found, Figure(name=name, value=theirs, unit="µs", note="no order, no fence, no count")]


async def _both(n: int) -> tuple[float, float | None]:
    bus, event = EventBus(), Event(EventType.CUSTOM, {"symbol": "S01", "price": 100.0})
    seen = [0] * N_HANDLERS
    for i in range(N_HANDLERS):
        bus.subscribe(EventType.CUSTOM, _counter(seen, i))
    signal = _signal(seen)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(n):
            await bus.publish(event)
        ours.append(time.perf_counter() - began)
        if signal is not None:
            began = time.perf_counter()
            for _ in range(n):
                signal(event)
            theirs.append(time.perf_counter() - began)
    expected = ROUNDS * n * (2 if signal is not None else 1)
    if seen != [expected] * N_HANDLERS:
        raise RuntimeError(f"every handler must have had {expected} events, had {seen}")
    return median(ours) / n * 1e6, median(theirs) / n * 1e6 if theirs else None


def _counter(seen: list[int], i: int) -> Callable[..., None]:
    def count(_: object, **__: object) -> None:
        seen[i] += 1

    return count


def _signal(seen: list[int]) -> Callable[[Event], object] | None:
    try:
        from blinker import Signal
    except ImportError:
        return None
    signal = Signal()
    for i in range(N_HANDLERS):
        signal.connect(_counter(seen, i), weak=False)
    return lambda event: signal.send(None, event=event)
