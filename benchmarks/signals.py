"""From the tick that closes a bar to the vote that follows: forecast, risk, all strategies, journalled and shown.

The engine is the live one (compute thread, SQLite, disk store) without its timers: the feed plays a bar when it is told
to. Time runs from the moment the closing tick of a symbol is on the bus until its CYCLE_RECORDED is (and, where
the vote is not HOLD, its SIGNAL_GENERATED). All symbols close in one batch, so the last waits for all others.
"""

import asyncio
import time
from collections.abc import Sequence

from benchmarks.engines import live_engine
from benchmarks.figures import Figure, percentile
from engine.bootstrap.engine import Engine
from engine.domain.events import Event, EventType

BUDGET_MS = 10.0
REST_S = 0.1
"""Between two bars, so that what the last one left to write is written."""
PATIENCE_S = 30.0
WARM = 2
"""Bars that are played first and not counted."""


class Watch:
    """Notes when each symbol's bar closed and when its vote and its signal came."""

    def __init__(self, engine: Engine) -> None:
        self.closed: dict[str, float] = {}
        self.voted: dict[str, float] = {}
        self.signalled: dict[str, float] = {}
        self.is_whole = asyncio.Event()
        engine.bus.subscribe(EventType.MARKET_DATA, self._on_tick)
        engine.bus.subscribe(EventType.CYCLE_RECORDED, self._on_vote)
        engine.bus.subscribe(EventType.SIGNAL_GENERATED, self._on_signal)

    def clear(self) -> None:
        """Forget the last bar."""
        self.closed, self.voted, self.signalled = {}, {}, {}
        self.is_whole.clear()

    def waits(self, said: dict[str, float]) -> list[float]:
        """Return milliseconds from each symbol's close to what it `said`."""
        return [(said[symbol] - self.closed[symbol]) * 1e3 for symbol in said]

    def _on_tick(self, event: Event) -> None:
        if event.data["bar"]["is_closed"]:
            self.closed[event.data["symbol"]] = time.perf_counter()

    def _on_vote(self, event: Event) -> None:
        self.voted.setdefault(event.data["symbol"], time.perf_counter())
        if self.closed and len(self.voted) == len(self.closed):
            self.is_whole.set()

    def _on_signal(self, event: Event) -> None:
        self.signalled.setdefault(event.data["symbol"], time.perf_counter())


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return waits for 50 symbols that close together and for one that closes alone."""
    together = asyncio.run(waits(50, 5 if is_quick else 40))
    alone = asyncio.run(waits(1, 30 if is_quick else 300))
    note = f"n = {len(together.votes)}, all 50 in one batch"
    batch, cpu = percentile(together.batches, 50) or 0.0, percentile(together.cpu, 50) or 0.0
    return [
        Figure(name="tick in -> vote out, 50 symbols, p50", value=percentile(together.votes, 50), unit="ms", note=note),
        Figure(
            name="tick in -> vote out, 50 symbols, p99", value=percentile(together.votes, 99), unit="ms",
            budget=BUDGET_MS, note=note,
        ),
        Figure(
            name="tick in -> signal out, 50 symbols, p99", value=percentile(together.signals, 99), unit="ms",
            budget=BUDGET_MS, note=f"n = {len(together.signals)} (votes beyond the dead zone)",
        ),
        Figure(
            name="wait per symbol of the batch, p50", value=batch / 50, unit="ms", note="first close to last vote / 50"
        ),
        Figure(
            name="CPU time per symbol and bar, p50", value=cpu / 50, unit="ms",
            note="all threads: forecast, risk, vote, orders, journal, sections",
        ),
        Figure(name="tick in -> vote out, one alone, p50", value=percentile(alone.votes, 50), unit="ms"),
        Figure(
            name="tick in -> vote out, one alone, p99", value=percentile(alone.votes, 99), unit="ms", budget=BUDGET_MS,
            note=f"n = {len(alone.votes)}",
        ),
    ]  # fmt: skip


class Waits:
    """Milliseconds over all bars: by vote, by signal, of whole batches, and CPU time of each bar."""

    def __init__(self) -> None:
        self.votes: list[float] = []
        self.signals: list[float] = []
        self.batches: list[float] = []
        self.cpu: list[float] = []


async def waits(n_symbols: int, n_bars: int) -> Waits:
    """Return the waits of so many symbols over so many bars."""
    found = Waits()
    async with live_engine(n_symbols) as engine:
        watch = Watch(engine)
        engine.feed.set_speed(60)  # type: ignore[attr-defined] # the synthetic feed is steerable
        await engine.start()
        for n in range(WARM + n_bars):
            began = time.process_time()
            await _play_bar(engine, watch)
            if n >= WARM:
                found.cpu.append((time.process_time() - began) * 1e3)
                found.votes += watch.waits(watch.voted)
                found.signals += watch.waits(watch.signalled)
                found.batches.append((max(watch.voted.values()) - min(watch.closed.values())) * 1e3)
            await asyncio.sleep(REST_S)
    return found


async def _play_bar(engine: Engine, watch: Watch) -> None:
    watch.clear()
    engine.feed.step()  # type: ignore[attr-defined] # as above
    await engine.crew.market_data.perform_cycle(None)
    await asyncio.wait_for(watch.is_whole.wait(), PATIENCE_S)
    await engine.bus.drain()
