"""Section ``strategies``: weights in force, the latest votes, and what earlier votes came to.

A vote other than zero on a bar wins when the next closed bar of its symbol moves the way of the vote; a bar that does
not move counts as not won.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from engine.core.projection.fold import NOTHING, Fold, Names, Route
from engine.core.projection.market import closes_a_bar, market_time
from engine.domain.events import Event, EventType
from engine.domain.market import HistoryLoaded
from engine.domain.outcomes import VotesByBar
from engine.domain.payload import Payload
from engine.domain.sections import StrategiesSection, StrategyRow, WeightsChange
from engine.domain.signals import CycleRecord

MAX_HISTORY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open(Payload):
    """Votes of one bar that wait for the next close; `votes` are the signs by algorithm."""

    closed_at: datetime
    price: float
    votes: dict[str, int]


class StrategiesFold(Fold):
    """``strategies``."""

    key = "strategies"

    def __init__(self) -> None:
        self._rows: dict[str, StrategyRow] = {}
        self._history: tuple[WeightsChange, ...] = ()
        self._threshold = StrategiesSection().threshold
        self._open: dict[str, _Open] = {}

    def routes(self) -> dict[EventType, Route]:
        """Return the routes of weights, votes and closes."""
        return {
            EventType.WEIGHTS_CHANGED: self._weights,
            EventType.CYCLE_RECORDED: self._votes,
            EventType.MARKET_DATA: self._tick,
            EventType.HISTORY_LOADED: self._gap,
        }

    def names(self) -> Names:
        """Return ``strategies`` as soon as one is known."""
        return ("strategies",) if self._rows else NOTHING

    def value(self, _name: str, /) -> Payload | None:
        """Return the rows in order of registration and the changes, newest first."""
        return StrategiesSection(
            rows=tuple(self._rows.values()), history=self._history, threshold=self._threshold
        )

    def seed(self, value: Payload) -> Names:
        """Take titles, descriptions, parameters and order; weights too while no change was ever made."""
        if not isinstance(value, StrategiesSection):
            return super().seed(value)
        known, self._rows = self._rows, {}
        for row in value.rows:
            before = known.get(row.name)
            self._rows[row.name] = row if before is None else self._merged(row, before)
        if self._history:
            self._apply(self._history[0])
        self._threshold = value.threshold
        return ("strategies",)

    def reset(self, _at: datetime | None, /) -> Names:
        """Count outcomes anew: the same bars would be counted twice."""
        self._open = {}
        self._rows = {
            n: replace(row, wins=0, n=0, by_bar=VotesByBar(), votes={})
            for n, row in self._rows.items()
        }
        return ("strategies",)

    def kept(self) -> object:
        """Return the section and the votes that wait."""
        return self.value("strategies"), dict(self._open)

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        section, self._open = msgspec.convert(
            data, tuple[StrategiesSection, dict[str, _Open]], strict=False
        )
        self._rows = {row.name: row for row in section.rows}
        self._history, self._threshold = section.history, section.threshold

    def _merged(self, row: StrategyRow, before: StrategyRow) -> StrategyRow:
        return replace(row, wins=before.wins, n=before.n, by_bar=before.by_bar, votes=before.votes)

    def _apply(self, change: WeightsChange) -> None:
        for name, weight in change.weights.items():
            row = self._rows.get(name)
            if row is not None:
                enabled = change.enabled.get(name, row.enabled)
                self._rows[name] = replace(row, weight=weight, enabled=enabled)

    def _weights(self, event: Event) -> Names:
        change = WeightsChange.from_data(event.data)
        for name in change.weights:
            self._rows.setdefault(name, StrategyRow(name=name, title=name))
        self._history = (change, *self._history[: MAX_HISTORY - 1])
        self._apply(change)
        return ("strategies",)

    def _votes(self, event: Event) -> Names:
        record = CycleRecord.from_data(event.data)
        cast = {vote.algorithm: vote.vote for vote in record.votes if vote.error is None}
        for vote in record.votes:
            self._rows.setdefault(
                vote.algorithm, StrategyRow(name=vote.algorithm, title=vote.algorithm)
            )
        for name, row in self._rows.items():
            self._rows[name] = replace(row, votes=_with(row.votes, record.symbol, cast.get(name)))
        signs = {name: 1 if vote > 0 else -1 for name, vote in cast.items() if vote != 0}
        self._open[record.symbol] = _Open(
            closed_at=record.bar_closed_at, price=record.price, votes=signs
        )
        self._threshold = record.threshold
        return ("strategies",)

    def _tick(self, event: Event) -> Names:
        waiting = self._open.get(event.data["symbol"])
        if waiting is None or not closes_a_bar(event) or market_time(event) <= waiting.closed_at:
            return NOTHING
        del self._open[event.data["symbol"]]
        move = event.data["price"] - waiting.price
        at = int(market_time(event).timestamp())
        for name, sign in waiting.votes.items():
            row, won = self._rows[name], move * sign > 0
            self._rows[name] = replace(
                row, n=row.n + 1, wins=row.wins + won, by_bar=row.by_bar.counted(at, won=won)
            )
        return ("strategies",) if waiting.votes else NOTHING

    def _gap(self, event: Event) -> Names:
        """Drop a vote whose next bar this log does not hold: the feed jumped over it."""
        loaded = HistoryLoaded.from_data(event.data)
        waiting = self._open.get(loaded.symbol)
        last = loaded.last_close_at
        if waiting is not None and last is not None and last != waiting.closed_at:
            del self._open[loaded.symbol]
        return NOTHING


def _with(votes: dict[str, float], symbol: str, vote: float | None) -> dict[str, float]:
    """Return the votes with that of one symbol anew; who did not vote on its newest bar has none."""
    others = {name: value for name, value in votes.items() if name != symbol}
    return others if vote is None else {**votes, symbol: vote}
