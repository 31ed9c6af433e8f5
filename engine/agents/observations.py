"""What an agent may look at: closed bars out of the shared memory, cut at the moment that an event speaks of.

Bars come from ``bars:SYMBOL``; where nobody keeps them, a price without a bar counts as one observation, taken from
``history:SYMBOL`` or else from the events themselves.
"""

import math
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from engine.core.state_manager import StateManager
from engine.domain.events import Event
from engine.domain.instrument import Instrument
from engine.domain.signals import as_utc
from engine.kernels.series import FloatArray

KEPT = 1500
"""Observations kept per symbol where nobody else keeps them, and most bars handed out."""
_EMPTY: FloatArray = np.empty(0)
_COLUMNS = ("closes_at", "close", "volume", "high", "low")


@dataclass(frozen=True, slots=True)
class ClosedBars:
    """Closed bars of one symbol, oldest first.

    Parameters
    ----------
    closes, volumes, highs, lows : ndarray of shape (n_bars,)
        Empty where the source does not give a column.
    closes_at : ndarray of shape (n_bars,)
        Epoch seconds; empty where prices came without bars.
    """

    symbol: str
    closes: FloatArray = field(default_factory=lambda: _EMPTY)
    closes_at: FloatArray = field(default_factory=lambda: _EMPTY)
    volumes: FloatArray = field(default_factory=lambda: _EMPTY)
    highs: FloatArray = field(default_factory=lambda: _EMPTY)
    lows: FloatArray = field(default_factory=lambda: _EMPTY)

    @property
    def last_close_at(self) -> datetime | None:
        """Market time of the last close, UTC."""
        if not self.closes_at.size:
            return None
        return datetime.fromtimestamp(float(self.closes_at[-1]), UTC)

    @property
    def step_seconds(self) -> float:
        """Usual time between two closes, 0 where it is not known."""
        gaps = np.diff(self.closes_at[-21:])
        return float(np.median(gaps)) if gaps.size else 0.0


@dataclass(frozen=True, slots=True)
class Observation:
    """What one MARKET_DATA event says; `is_closed` when a bar ends with it or it came without a bar."""

    symbol: str
    price: float
    is_closed: bool
    has_bar: bool
    as_of: datetime | None


def observe(event: Event) -> Observation:
    """Return the reading of a MARKET_DATA event; `as_of` is the bar's close for a closed bar."""
    data = event.data
    bar = data.get("bar")
    as_of = event.as_of
    if bar is not None and bar["is_closed"]:
        as_of = _moment(bar["closes_at"])
    return Observation(
        symbol=str(data["symbol"]),
        price=float(data["price"]),
        is_closed=bar is None or bool(bar["is_closed"]),
        has_bar=bar is not None,
        as_of=as_of,
    )


class Observations:
    """Reads closed bars for one agent.

    Parameters
    ----------
    state : StateManager
        The shared memory.
    """

    def __init__(self, state: StateManager) -> None:
        self._state = state
        self._own: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._counts: defaultdict[str, int] = defaultdict(int)

    def take(self, seen: Observation) -> None:
        """Keep a closed observation, for the case that nobody else does."""
        if seen.is_closed:
            self._own[seen.symbol].append(seen.price)
            self._counts[seen.symbol] += 1

    def count(self, symbol: str) -> int:
        """Return how many closed observations of a symbol this agent has heard itself."""
        return self._counts[symbol]

    def forget(self, symbol: str) -> None:
        """Drop what was heard of a symbol: its history was loaded anew."""
        self._own.pop(symbol, None)
        self._counts.pop(symbol, None)

    def last_close_at(self, symbol: str) -> int | None:
        """Return the epoch second of the last closed bar in the shared memory, or None."""
        data = self._state.get(f"bars:{symbol}")
        return int(data["closes_at"][-1]) if data and data["closes_at"] else None

    def place(self, symbol: str) -> tuple[int, int]:
        """Return what changes with every new close: its epoch second (0 without bars) and a count."""
        last = self.last_close_at(symbol)
        if last is not None:
            return last, 0
        return 0, self.count(symbol) or len(self._state.get(f"history:{symbol}") or ())

    def bars(self, symbol: str, until: datetime | None = None) -> ClosedBars:
        """Return the closed bars up to and with the one that closes at `until`; all where it is None."""
        columns = self._state.derived(f"bars:{symbol}", _arrays)
        if columns is not None and columns["close"].size:
            return _cut(symbol, columns, until)
        history = self._state.get(f"history:{symbol}") or self._own.get(symbol, ())
        return ClosedBars(symbol, np.asarray(list(history)[-KEPT:], dtype=float))


def _arrays(data: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Return the columns of ``bars:SYMBOL`` as read-only arrays, NaN where the source gives no value."""
    columns = {}
    for name in _COLUMNS:
        column: FloatArray = np.asarray(data.get(name, ()), dtype=float)
        column.setflags(write=False)
        columns[name] = column
    return columns


def _cut(symbol: str, columns: Mapping[str, FloatArray], until: datetime | None) -> ClosedBars:
    """Return the bars that close up to and with `until`; a column with a gap among them is left out."""
    times = columns["closes_at"]
    end = times.size
    if until is not None and times[-1] > (moment := int(until.timestamp())):
        end = int(np.searchsorted(times, moment, side="right"))
    begin = max(0, end - KEPT)
    closes_at, closes, volumes, highs, lows = (
        # a sum is NaN where one of its terms is, and half the price of asking each
        _EMPTY if math.isnan(np.add.reduce(part)) else part
        for part in (columns[name][begin:end] for name in _COLUMNS)
    )
    return ClosedBars(symbol, closes, closes_at, volumes, highs, lows)


def _moment(value: datetime | str) -> datetime:
    return as_utc(datetime.fromisoformat(value) if isinstance(value, str) else value)


def instruments_of(config: Mapping[str, Any]) -> dict[str, Instrument]:
    """Return the configured instruments by symbol."""
    return {instrument.symbol: instrument for instrument in config.get("instruments") or ()}


def symbols_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the symbols to look after, or nothing where every symbol is welcome."""
    given = config.get("symbols")
    return tuple(given) if given else tuple(instruments_of(config))
