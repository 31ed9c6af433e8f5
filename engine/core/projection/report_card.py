"""``card:SYMBOL``: the report card of each level and horizon, from settled forecasts that don't overlap.

A rehearsal that comes again, as after a restart, changes the card when it is whole; until then what was known stands.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.core.projection.fold import Fold, Names, Route
from engine.core.projection.rehearsed import Kept, joined
from engine.domain.errors import NotEnoughDataError
from engine.domain.events import Event, EventType
from engine.domain.forecast import (
    CARD_SIZE,
    CardSection,
    ForecastsSettled,
    LevelCard,
    SettledForecast,
)
from engine.domain.payload import Payload
from engine.kernels import calibration
from engine.kernels.miscalibration import detect_miscalibration
from engine.kernels.series import FloatArray

_EDGE = 1e-9
_TENTHS = 10
_BASE = 1

Place = tuple[int, int]
"""Level and horizon."""
Indices = npt.NDArray[np.intp]

_ORIGIN, _PIT, _CRPS, _REHEARSED = range(4)
_BANDS = np.array(calibration.BANDS)


class _Row:
    """The last forecasts apart of one level and horizon: as they came, and by column."""

    __slots__ = ("_columns", "_end", "kept")

    def __init__(self, kept: Iterable[Kept] = ()) -> None:
        self.kept: deque[Kept] = deque(maxlen=CARD_SIZE)
        self._columns = np.empty((4, 2 * CARD_SIZE))
        self._end = 0
        for row, is_rehearsal in kept:
            self.add(row, is_rehearsal=is_rehearsal)

    def add(self, row: SettledForecast, *, is_rehearsal: bool) -> None:
        self.kept.append((row, is_rehearsal))
        columns = self._columns
        if self._end == columns.shape[1]:
            columns[:, :CARD_SIZE] = columns[:, CARD_SIZE:]
            self._end = CARD_SIZE
        columns[:, self._end] = row.origin.timestamp(), row.pit, row.crps, is_rehearsal
        self._end += 1

    def column(self, which: int) -> FloatArray:
        return self._columns[which, max(0, self._end - CARD_SIZE) : self._end]


class CardFold(Fold):
    """Keeps the last forecasts apart of each level and horizon."""

    key = "card"

    def __init__(self) -> None:
        self._rows: dict[str, dict[Place, _Row]] = {}
        self._seen: dict[str, dict[Place, int]] = {}
        self._walked: dict[str, tuple[int, int]] = {}
        self._again: dict[str, dict[Place, list[SettledForecast]]] = {}
        self._cards: dict[str, dict[Place, LevelCard]] = {}

    def routes(self) -> dict[EventType, Route]:
        """Return the route of settled forecasts."""
        return {EventType.FORECASTS_SETTLED: self._settled}

    def names(self) -> Names:
        """Return a name per symbol."""
        return tuple(f"card:{symbol}" for symbol in self._rows)

    def value(self, name: str, /) -> Payload | None:
        """Return the report card of a symbol."""
        symbol = name.partition(":")[2]
        rows = self._rows.get(symbol)
        if rows is None:
            return None
        cards = self._cards.setdefault(symbol, {})
        for place in rows:
            if place not in cards:
                cards[place] = _card(place, rows[place], rows.get((_BASE, place[1])))
        done, whole = self._walked.get(symbol, (0, 0))
        ordered = tuple(cards[place] for place in sorted(cards))
        return CardSection(cards=ordered, n_walked=done, n_to_walk=whole)

    def reset(self, _at: datetime | None, /) -> Names:
        """Forget them: the new run has not lived through those bars."""
        names = tuple(self.names())
        self._rows, self._seen, self._walked, self._again, self._cards = {}, {}, {}, {}, {}
        return names

    def kept(self) -> object:
        """Return the settled forecasts by symbol, in the order they came, and those of rehearsals under way."""
        rows = {
            symbol: [list(row.kept) for row in by.values()] for symbol, by in self._rows.items()
        }
        seen = {s: list(by.items()) for s, by in self._seen.items()}
        again = {s: [list(each) for each in by.values()] for s, by in self._again.items()}
        return rows, seen, dict(self._walked), again

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        shape = tuple[
            dict[str, list[list[Kept]]],
            dict[str, list[tuple[Place, int]]],
            dict[str, tuple[int, int]],
            dict[str, list[list[SettledForecast]]],
        ]
        rows, seen, self._walked, again = msgspec.convert(data, shape, strict=False)
        self._rows = {
            symbol: {(row[0][0].level, row[0][0].horizon): _Row(row) for row in by if row}
            for symbol, by in rows.items()
        }
        self._again = {
            symbol: {(each[0].level, each[0].horizon): each for each in by}
            for symbol, by in again.items()
        }
        self._seen, self._cards = {s: dict(by) for s, by in seen.items()}, {}

    def _settled(self, event: Event) -> Names:
        told = ForecastsSettled.from_data(event.data)
        symbol = told.symbol
        if told.is_rehearsal:
            self._walked[symbol] = (told.n_walked, told.n_to_walk)
        if told.is_first:
            self._again.pop(symbol, None)
            if self._rows.get(symbol):
                self._again[symbol] = {}
        if told.is_rehearsal and symbol in self._again:
            self._rehearse_again(told)
        else:
            self._add(told)
        return (f"card:{symbol}",)

    def _add(self, told: ForecastsSettled) -> None:
        rows = self._rows.setdefault(told.symbol, {})
        seen = self._seen.setdefault(told.symbol, {})
        cards = self._cards.setdefault(told.symbol, {})
        for row in told.rows:
            place = (row.level, row.horizon)
            # each horizon-th forecast overlaps none before
            if seen.get(place, 0) % row.horizon == 0:
                rows.setdefault(place, _Row()).add(row, is_rehearsal=told.is_rehearsal)
                cards.pop(place, None)
            seen[place] = seen.get(place, 0) + 1

    def _rehearse_again(self, told: ForecastsSettled) -> None:
        again = self._again[told.symbol]
        for row in told.rows:
            again.setdefault((row.level, row.horizon), []).append(row)
        if told.n_walked < told.n_to_walk:
            return
        del self._again[told.symbol]
        rows, seen = self._rows[told.symbol], self._seen.setdefault(told.symbol, {})
        for place in rows.keys() | again.keys():
            before = rows[place].kept if place in rows else ()
            kept, seen[place] = joined(tuple(before), again.get(place, ()), place[1])
            rows[place] = _Row(kept)
        self._rows[told.symbol] = {place: row for place, row in rows.items() if row.kept}
        self._cards.pop(told.symbol, None)


def _card(place: Place, row: _Row, base: _Row | None) -> LevelCard:
    pits, crps, other = row.column(_PIT), row.column(_CRPS), np.empty(0)
    if base is not None:
        mine, its = _shared(row.column(_ORIGIN), base.column(_ORIGIN))
        if its.size:
            crps, other = crps[mine], base.column(_CRPS)[its]
    far = 2.0 * np.abs(pits - 0.5)
    tenths = np.minimum(pits * _TENTHS, _TENTHS - 1).astype(np.intp)
    return LevelCard(
        level=place[0],
        horizon=place[1],
        n=len(pits),
        n_rehearsed=int(row.column(_REHEARSED).sum()),
        inside=tuple((far <= _BANDS[:, None] + _EDGE).sum(axis=1).tolist()),
        pit_counts=tuple(np.bincount(tenths, minlength=_TENTHS).tolist()),
        exceptions_99=int((pits < 1.0 - 0.99).sum()),
        crps=float(crps.mean()),
        base_crps=float(other.mean()) if other.size else None,
        dm_t=_t(crps, other) if other.size and place[0] != _BASE else None,
        fault=_fault(pits),
    )


def _shared(mine: FloatArray, its: FloatArray) -> tuple[Indices, Indices]:
    """Return where the origins that both have stand in each."""
    if np.array_equal(mine, its):
        everywhere = np.arange(mine.size)
        return everywhere, everywhere
    _, in_mine, in_its = np.intersect1d(mine, its, assume_unique=True, return_indices=True)
    return in_mine, in_its


def _t(crps: FloatArray, base: FloatArray) -> float | None:
    try:
        return calibration.diebold_mariano(crps, base).t
    except NotEnoughDataError:
        return None


def _fault(pits: FloatArray) -> str:
    found = detect_miscalibration(pits)
    return "" if found.fault is None else found.fault.value
