"""The agent that lets prices in: it polls the feed, believes or drops each tick, remembers it, then tells it.

What a handler of MARKET_DATA finds in the shared memory is what the event says: each price is kept first and published
then, tick by tick, in the order of the feed.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from engine.adapters.feeds.polled import PolledFeed
from engine.adapters.feeds.synthetic import SyntheticFeed
from engine.adapters.feeds.unfolding import MAX_GAP_S
from engine.agents.base import BaseAgent
from engine.agents.columns import ColumnsInMaking
from engine.agents.steering import steer
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import TaskPriority
from engine.domain.commands import JumpReplay
from engine.domain.errors import must
from engine.domain.events import Event, EventType
from engine.domain.instrument import Instrument
from engine.domain.market import BarColumns, FeedKind, HistoryLoaded, Tick, TickDropped
from engine.domain.payload import Payload
from engine.kernels.tick_validation import TickMemory, judge_tick
from engine.ports.feed import Feed

KEPT_BARS = 1500
"""Closed bars kept per symbol in the shared memory."""
_YEAR_S = 365 * 24 * 3600

log = logging.getLogger(__name__)


class MarketDataAgent(BaseAgent):
    """Publishes MARKET_DATA; keeps ``price:``, ``history:`` and ``bars:`` of every symbol.

    Parameters
    ----------
    name, event_bus, state_manager, config
        As of `BaseAgent`. Of the configuration: `feed` (a Feed), or `sources` (async functions ``symbol -> price`` or
        ``symbol -> {"price", "volume"}``, tried in order) with `symbols` or `instruments`. Without either it makes
        synthetic prices, labelled so, from `seed`.
    """

    title = "Market data"
    detail = "checks each price and passes it on"
    task_type: ClassVar[str] = "price_cycle"
    default_interval = 5.0
    default_priority = TaskPriority.HIGH
    is_paced: ClassVar[bool] = False  # the feed's pace is not the agent's to change
    emits: ClassVar[tuple[EventType, ...]] = (
        EventType.MARKET_DATA,
        EventType.HISTORY_LOADED,
        EventType.FEED_CHANGED,
        EventType.TICK_DROPPED,
    )

    def __init__(
        self,
        name: str,
        event_bus: EventBus,
        state_manager: StateManager,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, event_bus, state_manager, config)
        self.feed: Feed = self.config.get("feed") or self._own_feed()
        kind = self.feed.state.kind
        self._is_trusted = kind is FeedKind.REPLAY
        self._has_bars = kind is not FeedKind.POLLED
        self._waits_for: Callable[[], str] = self.config.get("waits_for") or str
        self._waiting: deque[Tick] = deque()
        self._bars: dict[str, ColumnsInMaking] = {}
        self._closes: dict[str, list[float]] = {}
        self._memories: dict[str, TickMemory] = {}
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._n_flagged = 0
        self._must_reload = False
        self._told: tuple[object, ...] = ()

    def get_metrics(self) -> dict[str, Any]:
        """Return the base's figures and what the validator did: ticks dropped by reason, and flagged."""
        by_reason: Counter[str] = Counter()
        for (_, reason), count in self._dropped.items():
            by_reason[reason] += count
        return {
            **super().get_metrics(),
            "ticks_dropped": dict(by_reason),
            "ticks_flagged": self._n_flagged,
        }

    # -- judgement -------------------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        """Put the history in the shared memory and tell that it is there."""
        for event in self._load():
            await self.event_bus.publish(event)

    async def on_stop(self) -> None:
        """Tell where the feed stands, so that a restart goes on from there; ticks cut off are then played again."""
        if not self._waiting:
            await self.event_bus.publish(self._feed_changed())

    async def _run_cycle(self, resource_pool: Any) -> Any:  # noqa: ANN401 -- the founding signature
        """Ask sources first where there are some: that takes time, a cycle does not."""
        if isinstance(self.feed, PolledFeed):
            await self.feed.fetch(self._clock.now)
        return await super()._run_cycle(resource_pool)

    def cycle(self) -> Iterator[Event]:
        """Yield the ticks that are due, each remembered before it is told, then how the feed stands if that changed."""
        if self._must_reload:
            yield from self._load()
        if self._waits_for():
            yield from self.changes()
            return
        self._waiting.extend(self.feed.poll(self._clock.monotonic()))
        while self._waiting:
            # A jump empties the queue while an event is being delivered; a cancelled cycle leaves the rest to the next.
            yield from self._take(self._waiting.popleft())
        yield from self.changes()

    def changes(self) -> Iterator[Event]:
        """Yield how the feed stands if that was not told yet; after a jump with the history that is now its own."""
        if self._must_reload:
            yield from self._load()
        elif self._standing() != self._told:
            yield self._feed_changed()

    def _take(self, tick: Tick) -> Iterator[Event]:
        memory = self._memories.get(tick.symbol, TickMemory())
        judged = judge_tick(memory, tick.price, tick.as_of, is_trusted=self._is_trusted)
        self._memories[tick.symbol] = judged.memory
        for price, reason in judged.dropped:
            self._dropped[tick.symbol, reason.value] += 1
            count = self._dropped[tick.symbol, reason.value]
            drop = TickDropped(symbol=tick.symbol, price=f"{price:g}", reason=reason, count=count)
            yield self.event(EventType.TICK_DROPPED, drop, tick.as_of)
        if judged.is_flagged:
            self._n_flagged += 1
            log.info(
                "%s at %s on %s is improbable but from a file: kept",
                tick.symbol,
                tick.price,
                tick.as_of,
            )
        if judged.is_accepted:
            self._remember(tick)
            yield self.event(EventType.MARKET_DATA, tick, tick.as_of)

    # -- the shared memory -----------------------------------------------------------------------------------------

    def _remember(self, tick: Tick) -> None:
        symbol, bar = tick.symbol, tick.bar
        closes = self._closes.setdefault(symbol, [])
        values: dict[str, Any] = {f"price:{symbol}": tick.price}
        if bar is not None and not bar.is_closed:
            values[f"history:{symbol}"] = [*closes[1 - KEPT_BARS :], tick.price]
        else:
            closes.append(tick.price)
            del closes[:-KEPT_BARS]
            values[f"history:{symbol}"] = list(closes)
        if bar is not None and bar.is_closed:
            columns = self._bars.setdefault(
                symbol, ColumnsInMaking(BarColumns(symbol=symbol), KEPT_BARS)
            )
            columns.append(bar)
            values[f"bars:{symbol}"] = columns.to_data()
        self.state_manager.update(values)

    def _load(self) -> Iterator[Event]:
        """Put the feed's history in the shared memory; yield that the feed stands elsewhere, then each history."""
        self._must_reload = False
        self._waiting.clear()
        self._memories.clear()
        loaded = [self._load_symbol(instrument.symbol) for instrument in self.feed.instruments]
        yield self._feed_changed()
        for history in loaded:
            if history.n_bars:
                yield self.event(EventType.HISTORY_LOADED, history, history.last_close_at)

    def _load_symbol(self, symbol: str) -> HistoryLoaded:
        columns = self._bars[symbol] = ColumnsInMaking(self.feed.history(symbol), KEPT_BARS)
        if self._has_bars:
            self._closes[symbol] = columns.closes()
        closes = self._closes.setdefault(symbol, [])
        values: dict[str, Any] = {f"history:{symbol}": list(closes)}
        if self._has_bars:
            values[f"bars:{symbol}"] = columns.to_data()
        if closes:
            self._memories[symbol] = TickMemory(price=closes[-1], at=columns.last_close_at)
            values[f"price:{symbol}"] = closes[-1]
        self.state_manager.update(values)
        return HistoryLoaded(
            symbol=symbol,
            n_bars=columns.n_bars,
            first_close_at=columns.first_close_at,
            last_close_at=columns.last_close_at,
            last_close=columns.last_close,
            day_before=columns.day_before,
        )

    # -- the feed --------------------------------------------------------------------------------------------------

    def steer(self, command: Payload) -> tuple[str, str]:
        """Obey a command for the feed and return title and message of the answer; `changes` tells the rest.

        Raises
        ------
        FeedError
            The feed can't do that; the message says why.
        InvalidValueError
            A parameter breaks its rule.
        """
        answer = steer(self.feed, command)
        self._told = ()
        if isinstance(command, JumpReplay):
            self._waiting.clear()
            self._must_reload = True
        return answer

    def _standing(self) -> tuple[object, ...]:
        """Return what makes a change of the feed worth telling: all but the time inside a bar."""
        s = self.feed.state
        return (
            s.run_id,
            s.bars_done,
            s.bars_per_minute,
            s.is_paused,
            s.is_ended,
            s.label,
            self._waits_for(),
        )

    def _feed_changed(self) -> Event:
        self._told = self._standing()
        state = replace(self.feed.state, waits_for=self._waits_for())
        return self.event(EventType.FEED_CHANGED, state, state.market_time)

    def _own_feed(self) -> Feed:
        """Return the feed of an agent that was given none: its sources, else synthetic prices that say why."""
        given = self.config.get("sources") or ()
        sources = [source for source in given if callable(source)]
        names = [str(source) for source in given if not callable(source)]
        if sources:
            return PolledFeed(sources, self._own_instruments(), self._clock.now())
        why = f", as no source of {', '.join(names)} is built in" if names else ""
        return SyntheticFeed(
            self.config.get("symbols") or None,
            seed=self.config.get("seed", 0),
            max_gap_s=max(MAX_GAP_S, 2 * self.interval),
            label=f"made-up 1-minute bars{why}",
        )

    def _own_instruments(self) -> tuple[Instrument, ...]:
        given = self.config.get("instruments")
        if given:
            return tuple(given)
        symbols = self.config.get("symbols")
        if not symbols:
            raise must(
                "symbols", "name what the sources are asked for", symbols, "give one at least"
            )
        per_year = _YEAR_S / self.interval  # one observation a poll, round the clock
        return tuple(
            Instrument(symbol=symbol, name=symbol, calendar="24/7", periods_per_year=per_year)
            for symbol in symbols
        )
