"""Closed bars of one symbol while they grow: as columns, at most so many, ready for the shared memory."""

from bisect import bisect_left
from datetime import UTC, datetime
from typing import Any

from engine.domain.market import Bar, BarColumns

_DAY_S = 24 * 3600
_PRICES = ("open", "high", "low", "close", "volume")


class ColumnsInMaking:
    """The newest closed bars.

    Parameters
    ----------
    history : BarColumns
        The bars to begin with.
    kept : int
        How many of the newest stay.
    """

    def __init__(self, history: BarColumns, kept: int) -> None:
        self._symbol = history.symbol
        self._kept = kept
        self._closes_at = list(history.closes_at[-kept:])
        self._columns: dict[str, list[Any]] = {
            name: list(getattr(history, name)[-kept:]) for name in _PRICES
        }

    @property
    def n_bars(self) -> int:
        """How many there are."""
        return len(self._closes_at)

    @property
    def first_close_at(self) -> datetime | None:
        """When the oldest closed, UTC."""
        return datetime.fromtimestamp(self._closes_at[0], UTC) if self._closes_at else None

    @property
    def last_close_at(self) -> datetime | None:
        """When the newest closed, UTC."""
        return datetime.fromtimestamp(self._closes_at[-1], UTC) if self._closes_at else None

    @property
    def last_close(self) -> float | None:
        """The newest close."""
        return self._columns["close"][-1] if self._closes_at else None

    @property
    def day_before(self) -> float | None:
        """The last close of an earlier UTC date than the newest one's."""
        midnight = self._closes_at[-1] // _DAY_S * _DAY_S if self._closes_at else 0
        n = bisect_left(self._closes_at, midnight)
        return self._columns["close"][n - 1] if n else None

    def closes(self) -> list[float]:
        """Return the closes, oldest first."""
        return list(self._columns["close"])

    def append(self, bar: Bar) -> None:
        """Add a bar; one that closed no later than the newest is known already and changes nothing."""
        closes_at = int(bar.closes_at.timestamp())
        if self._closes_at and closes_at <= self._closes_at[-1]:
            return
        self._closes_at.append(closes_at)
        del self._closes_at[: -self._kept]
        for name, column in self._columns.items():
            column.append(getattr(bar, name))
            del column[: -self._kept]

    def to_data(self) -> dict[str, Any]:
        """Return the plain form of the `BarColumns`; later bars do not change it."""
        columns = {name: list(column) for name, column in self._columns.items()}
        return {"symbol": self._symbol, "closes_at": list(self._closes_at), **columns, "schema": 1}
