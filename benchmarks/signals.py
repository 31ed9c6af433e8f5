"""From the tick that closes a bar to the vote that follows: forecast, risk, all strategies, journalled and shown.

The engine is the live one (compute thread, SQLite, disk store) without its timers: the feed plays a bar when it is told
to. Time runs from the moment the closing tick of a symbol is on the bus until its CYCLE_RECORDED is (and, where
the vote is not HOLD, its SIGNAL_GENERATED). The symbols close one after the other, each when the one before has its
vote, as they do where every market has its own clock; and all in one batch, where the last waits for all others.
History is not rehearsed meanwhile: that is over a minute after the start, and has a process of its own.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from benchmarks.engines import live_engine
from benchmarks.figures import Figure, percentile
from engine.bootstrap.engine import Engine
from engine.domain.events import Event, EventType

BUDGET_MS = 10.0
BATCH_BUDGET_MS = 500.0
"""Half of the shortest bar; see docs/decisions/0038-a-batch-must-be-done-before-the-next-bar.md."""
REST_S = 0.1
"""Between two bars, so that what the last one left to write is written."""
PATIENCE_S = 120.0
NEVER_S = 86_400.0
"""Until the engine itself asks the feed again: here a bar comes when it is played."""
WARM = 2
"""Bars that are played first and not counted."""


class Watch:
    """Notes when each symbol's bar closed, and when the vote and the signal on that very bar came."""

    def __init__(self, engine: Engine) -> None:
        self.closed: dict[str, float] = {}
        self.voted: dict[str, float] = {}
        self.signalled: dict[str, float] = {}
        self.is_whole, self.has_heard = asyncio.Event(), asyncio.Event()
        self._bars: dict[str, datetime | None] = {}
        engine.bus.subscribe(EventType.MARKET_DATA, self._on_tick)
        engine.bus.subscribe(EventType.CYCLE_RECORDED, self._on_vote)
        engine.bus.subscribe(EventType.SIGNAL_GENERATED, self._on_signal)

    def clear(self) -> None:
        """Forget the last bar."""
        self.closed, self.voted, self.signalled, self._bars = {}, {}, {}, {}
        self.is_whole.clear()

    def waits(self, said: dict[str, float]) -> list[float]:
        """Return milliseconds from each symbol's close to what it `said`."""
        return [(said[symbol] - self.closed[symbol]) * 1e3 for symbol in said]

    def _on_tick(self, event: Event) -> None:
        if event.data["bar"]["is_closed"]:
            self.closed[event.data["symbol"]] = time.perf_counter()
            self._bars[event.data["symbol"]] = event.as_of

    def _on_vote(self, event: Event) -> None:
        if self._is_of_the_bar(event):
            self.voted.setdefault(event.data["symbol"], time.perf_counter())
            self.has_heard.set()
        if self.closed and len(self.voted) == len(self.closed):
            self.is_whole.set()

    def _on_signal(self, event: Event) -> None:
        if self._is_of_the_bar(event):
            self.signalled.setdefault(event.data["symbol"], time.perf_counter())

    def _is_of_the_bar(self, event: Event) -> bool:
        """Return whether it is the strategy's word on the bar that closed, and not a late one on an earlier bar."""
        symbol = event.data["symbol"]
        return (
            event.source == "strategy"
            and symbol in self._bars
            and self._bars[symbol] == event.as_of
        )


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return waits for 50 symbols that close together and for one that closes alone."""
    apart = asyncio.run(waits(50, 4 if is_quick else 20, is_apart=True))
    together = asyncio.run(waits(50, 5 if is_quick else 40))
    alone = asyncio.run(waits(1, 30 if is_quick else 300))
    note = f"n = {len(together.votes)}, all 50 in one batch"
    batch, cpu = percentile(together.batches, 50) or 0.0, percentile(together.cpu, 50) or 0.0
    return [
        Figure(
            name="tick in -> vote out, 50 symbols one after the other, p50", value=percentile(apart.votes, 50),
            unit="ms",
        ),
        Figure(
            name="tick in -> vote out, 50 symbols one after the other, p99", value=percentile(apart.votes, 99),
            unit="ms", budget=BUDGET_MS, note=f"n = {len(apart.votes)}",
        ),
        Figure(name="tick in -> vote out, 50 symbols, p50", value=percentile(together.votes, 50), unit="ms", note=note),
        Figure(
            name="tick in -> vote out, 50 symbols, p99", value=percentile(together.votes, 99), unit="ms",
            budget=BATCH_BUDGET_MS, note=note,
        ),
        Figure(
            name="tick in -> signal out, 50 symbols, p99", value=percentile(together.signals, 99), unit="ms",
            budget=BATCH_BUDGET_MS, note=f"n = {len(together.signals)} (votes beyond the dead zone)",
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


async def waits(n_symbols: int, n_bars: int, *, is_apart: bool = False) -> Waits:
    """Return the waits of so many symbols over so many bars."""
    play = _play_apart if is_apart else _play_bar
    found = Waits()
    async with live_engine(n_symbols, MC_REHEARSAL="0") as engine:
        watch = Watch(engine)
        engine.feed.pause()  # type: ignore[attr-defined] # the synthetic feed is steerable
        engine.crew.market_data.interval = NEVER_S
        await engine.start()
        while engine.crew.monte_carlo.waits_for():  # so does market time
            await asyncio.sleep(REST_S)
        for n in range(WARM + n_bars):
            began = time.process_time()
            await play(engine, watch)
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


async def _play_apart(engine: Engine, watch: Watch) -> None:
    """Play a bar whose ticks come one by one; behind a close everything that follows from it is done first."""
    watch.clear()
    engine.feed.step()  # type: ignore[attr-defined] # as above
    for event in engine.crew.market_data.cycle():
        bar = event.data.get("bar")
        is_close = bool(bar and bar["is_closed"])
        if is_close and not watch.closed:
            await engine.bus.drain()  # the ticks inside the bar came long before
            await asyncio.sleep(REST_S)
        await engine.bus.publish(replace(event, source="market_data"))
        if is_close:
            async with asyncio.timeout(PATIENCE_S):
                while event.data["symbol"] not in watch.voted:
                    watch.has_heard.clear()
                    await watch.has_heard.wait()
            await asyncio.sleep(REST_S)
    await engine.bus.drain()
