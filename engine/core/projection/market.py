"""Sections of the market: last prices, closed bars, and where the feed stands.

Prices are floats; a tick whose bar is closed, or that has no bar, is the close of its bar.
"""

from bisect import bisect_right
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from engine.core.projection.fold import NOTHING, BarsOf, Fold, Names, Route, received_at
from engine.domain.events import Event, EventType
from engine.domain.market import (
    Bar,
    BarColumns,
    DropReason,
    FeedState,
    HistoryLoaded,
    TickDropped,
)
from engine.domain.payload import Payload
from engine.domain.sections import (
    BarsSection,
    FeedSection,
    InstrumentsSection,
    Quote,
    QuotesSection,
)
from engine.domain.signals import as_utc

SPARK = 30
"""Closes before the present price in a sparkline."""
MAX_BARS = 1_500
"""Closed bars that a section carries."""

_COLUMNS = ("open", "high", "low", "close", "volume")


def closes_a_bar(event: Event) -> bool:
    """Return True when this tick is the last of its bar (a tick without a bar is one observation)."""
    bar = event.data.get("bar")
    return bar is None or bool(bar.get("is_closed", True))


def market_time(event: Event) -> datetime:
    """Return the market time of a tick: its own, or its receipt for a price that names none."""
    moment = event.as_of or event.computed_at
    return datetime.fromtimestamp(0, UTC) if moment is None else moment


class _Last:
    """What is known of one symbol's price; `closes` are those before the bar that `price` belongs to."""

    __slots__ = ("as_of", "bar", "bar_id", "closes", "is_close", "price", "received_at")

    def __init__(self, closes: tuple[float, ...] = ()) -> None:
        self.closes: deque[float] = deque(closes, maxlen=SPARK)
        self.price = 0.0
        self.as_of = datetime.fromtimestamp(0, UTC)
        self.received_at = 0.0
        self.bar: dict[str, Any] | None = None
        self.bar_id: object = None
        self.is_close = False

    def quote(self, symbol: str) -> Quote:
        return Quote(
            symbol=symbol, price=self.price, as_of=self.as_of, received_at=self.received_at,
            previous_close=self.closes[-1] if self.closes else None,
            spark=(*self.closes, self.price),
            bar=None if self.bar is None else Bar.from_data(self.bar),
        )  # fmt: skip


class QuotesFold(Fold):
    """``quotes``."""

    key = "quotes"

    def __init__(self, bars_of: BarsOf) -> None:
        self._bars_of = bars_of
        self._last: dict[str, _Last] = {}

    def routes(self) -> dict[EventType, Route]:
        """Return the routes: ticks, and history for the sparklines."""
        return {EventType.MARKET_DATA: self._tick, EventType.HISTORY_LOADED: self._history}

    def names(self) -> Names:
        """Return ``quotes`` as soon as one price is known."""
        return ("quotes",) if self._last else NOTHING

    def value(self, _name: str, /) -> Payload | None:
        """Return the last prices."""
        return QuotesSection(
            quotes={symbol: last.quote(symbol) for symbol, last in self._last.items()}
        )

    def reset(self, at: datetime | None, /) -> Names:
        """Start again from the history before the new run."""
        before, self._last = self._last, {}
        for symbol, last in before.items():
            self._load(symbol, last.received_at, at)
        return ("quotes",)

    def kept(self) -> object:
        """Return the quotes and which of them is a close."""
        return {s: (last.quote(s), last.is_close) for s, last in self._last.items()}

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take the quotes over."""
        kept = msgspec.convert(data, dict[str, tuple[Quote, bool]], strict=False)
        self._last = {}
        for symbol, (quote, is_close) in kept.items():
            last = self._last[symbol] = _Last(quote.spark[:-1])
            last.price, last.as_of, last.received_at = quote.price, quote.as_of, quote.received_at
            last.is_close = is_close
            last.bar = None if quote.bar is None else quote.bar.to_data()
            last.bar_id = None if last.bar is None else last.bar["closes_at"]

    def _tick(self, event: Event) -> Names:
        data = event.data
        symbol = data["symbol"]
        last = self._last.get(symbol)
        if last is None:
            last = self._last[symbol] = _Last()
        bar = data.get("bar")
        bar_id = None if bar is None else bar["closes_at"]
        if last.is_close and (bar_id is None or bar_id != last.bar_id):
            last.closes.append(last.price)
        last.price = data["price"]
        last.as_of = market_time(event)
        last.received_at = received_at(event)
        last.bar, last.bar_id = bar, bar_id
        last.is_close = bar is None or bool(bar.get("is_closed", True))
        return ("quotes",)

    def _history(self, event: Event) -> Names:
        loaded = HistoryLoaded.from_data(event.data)
        return self._load(loaded.symbol, received_at(event), loaded.last_close_at)

    def _load(self, symbol: str, at: float, until: datetime | None) -> Names:
        bars = self._bars_of(symbol)
        n = 0 if bars is None else _count_until(bars, until)
        if bars is None or n == 0:
            return NOTHING
        closed_at = datetime.fromtimestamp(bars.closes_at[n - 1], UTC)
        known = self._last.get(symbol)
        if known is not None and known.as_of > closed_at:
            known.closes = deque(bars.close[:n][-SPARK:], maxlen=SPARK)
            return ("quotes",)
        last = self._last[symbol] = _Last(bars.close[:n][-SPARK - 1 : -1])
        last.price, last.as_of, last.received_at = bars.close[n - 1], closed_at, at
        last.is_close = True
        return ("quotes",)


class BarsFold(Fold):
    """``bars:SYMBOL``; no checkpoint keeps them, the feed's history brings them back."""

    def __init__(self, bars_of: BarsOf) -> None:
        self._bars_of = bars_of
        self._times: dict[str, list[int]] = {}
        self._columns: dict[str, tuple[list[float | None], ...]] = {}

    def routes(self) -> dict[EventType, Route]:
        """Return the routes: history whole, then closed bars one by one."""
        return {EventType.MARKET_DATA: self._tick, EventType.HISTORY_LOADED: self._history}

    def names(self) -> Names:
        """Return a name per symbol with bars."""
        return tuple(f"bars:{symbol}" for symbol in self._times)

    def value(self, name: str, /) -> Payload | None:
        """Return the newest bars of a symbol."""
        symbol = name.partition(":")[2]
        times = self._times.get(symbol)
        if times is None:
            return None
        columns: dict[str, Any] = {
            label: tuple(column[-MAX_BARS:])
            for label, column in zip(_COLUMNS, self._columns[symbol], strict=True)
        }
        return BarsSection(
            columns=BarColumns(symbol=symbol, closes_at=tuple(times[-MAX_BARS:]), **columns)
        )

    def reset(self, at: datetime | None, /) -> Names:
        """Start again from the history before the new run."""
        return tuple(name for symbol in tuple(self._times) for name in self._load(symbol, at))

    def _tick(self, event: Event) -> Names:
        if not closes_a_bar(event):
            return NOTHING
        data = event.data
        symbol, bar = data["symbol"], data.get("bar")
        if bar is None:
            at = int(market_time(event).timestamp())
            row: tuple[float | None, ...] = (None, None, None, data["price"], data.get("volume"))
        else:
            at = int(_moment(bar["closes_at"]).timestamp())
            row = tuple(bar.get(label) for label in _COLUMNS)
        return (f"bars:{symbol}",) if self._append(symbol, at, row) else NOTHING

    def _append(self, symbol: str, at: int, row: tuple[float | None, ...]) -> bool:
        times = self._times.setdefault(symbol, [])
        columns = self._columns.setdefault(symbol, tuple([] for _ in _COLUMNS))
        if times and at < times[-1]:
            return False
        if times and at == times[-1]:
            for column, value in zip(columns, row, strict=True):
                column[-1] = value
            return True
        times.append(at)
        for column, value in zip(columns, row, strict=True):
            column.append(value)
        if len(times) > 2 * MAX_BARS:
            del times[:-MAX_BARS]
            for column in columns:
                del column[:-MAX_BARS]
        return True

    def _history(self, event: Event) -> Names:
        loaded = HistoryLoaded.from_data(event.data)
        return self._load(loaded.symbol, loaded.last_close_at)

    def _load(self, symbol: str, until: datetime | None) -> Names:
        bars = self._bars_of(symbol)
        if bars is None:
            return NOTHING
        end = _count_until(bars, until)
        start = max(0, end - MAX_BARS)
        self._times[symbol] = list(bars.closes_at[start:end])
        self._columns[symbol] = tuple(
            _padded(getattr(bars, label)[start:end], end - start) for label in _COLUMNS
        )
        return (f"bars:{symbol}",)


def _count_until(bars: BarColumns, until: datetime | None) -> int:
    """Return how many bars had closed at a moment: the state may know later ones by now."""
    times = bars.closes_at
    return len(times) if until is None else bisect_right(times, until.timestamp())


def _padded(column: tuple[float | None, ...], n: int) -> list[float | None]:
    """Return the column with the length of the others: a source may leave one out altogether."""
    return [*([None] * (n - len(column))), *column]


def _moment(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


class FeedFold(Fold):
    """``feed`` and ``instruments``."""

    key = "feed"

    def __init__(self) -> None:
        self._feed = FeedSection()
        self._last_tick_at: float | None = None
        self._heard: datetime | None = None
        self._instruments: InstrumentsSection | None = None

    @property
    def told(self) -> FeedState | None:
        """Where the feed last said that it stands, its time and its place in the data belonging together."""
        return self._feed.state

    @property
    def heard(self) -> datetime | None:
        """Market time of the newest tick since it said so, or None."""
        return self._heard

    @property
    def bar_seconds(self) -> float | None:
        """Wall seconds from one bar to the next, or None where speed means nothing."""
        state = self._feed.state
        return 60.0 / state.bars_per_minute if state and state.bars_per_minute else None

    def routes(self) -> dict[EventType, Route]:
        """Return the routes."""
        return {
            EventType.FEED_CHANGED: self._changed,
            EventType.TICK_DROPPED: self._dropped,
            EventType.MARKET_DATA: self._tick,
        }

    def names(self) -> Names:
        """Return both names, as far as they are known."""
        return ("feed",) if self._instruments is None else ("feed", "instruments")

    def value(self, name: str, /) -> Payload | None:
        """Return the feed's state, its market time that of the newest tick, or the instruments."""
        if name == "instruments":
            return self._instruments
        state, heard = self._feed.state, self._heard
        if state is not None and heard is not None and heard > state.market_time:
            state = replace(state, market_time=heard)
        return replace(self._feed, state=state, last_tick_at=self._last_tick_at)

    def seed(self, value: Payload) -> Names:
        """Take the instruments."""
        if not isinstance(value, InstrumentsSection):
            return super().seed(value)
        self._instruments = value
        return ("instruments",)

    def kept(self) -> object:
        """Return the section as it was told and the time of the newest tick (instruments are seeded at every start)."""
        return replace(self._feed, last_tick_at=self._last_tick_at), self._heard

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        self._feed, self._heard = msgspec.convert(
            data, tuple[FeedSection, datetime | None], strict=False
        )
        self._last_tick_at = self._feed.last_tick_at

    def _tick(self, event: Event) -> Names:
        self._last_tick_at = received_at(event)
        if event.as_of is not None:
            at = as_utc(event.as_of)
            self._heard = at if self._heard is None else max(self._heard, at)
        return ("feed",)

    def _changed(self, event: Event) -> Names:
        self._feed = replace(self._feed, state=FeedState.from_data(event.data))
        self._heard = None
        return ("feed",)

    def _dropped(self, event: Event) -> Names:
        drop = TickDropped.from_data(event.data)
        if drop.reason is DropReason.HELD:
            self._feed = replace(self._feed, held=self._feed.held + 1)
            return ("feed",)
        dropped = dict(self._feed.dropped)
        dropped[drop.reason.value] = dropped.get(drop.reason.value, 0) + 1
        self._feed = replace(self._feed, dropped=dropped)
        return ("feed",)
