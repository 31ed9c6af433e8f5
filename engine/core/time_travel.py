"""The sections as they were: the journal folded up to a moment, into a projection of its own.

Titles, instruments and limits come from the present; prices of ticks that the journal has trimmed are gone.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from engine.core.projection import Projection
from engine.domain.agents import AgentStatus
from engine.domain.errors import InvalidValueError
from engine.domain.market import BarColumns
from engine.domain.outcomes import VotesByBar
from engine.domain.payload import Payload
from engine.domain.sections import (
    AgentsSection,
    BarsSection,
    Section,
    Snapshot,
    StrategiesSection,
    TradingSection,
)
from engine.domain.signals import as_utc
from engine.ports.journal import Journal

Present = Callable[[str], Payload | None]
KEPT = 4
"""Moments whose sections stay in memory."""


class TimeTravel:
    """Folds the journal up to a moment and remembers the last few moments.

    Parameters
    ----------
    journal : Journal
    present : callable
        Gives the present value of a section, or None.
    """

    def __init__(self, journal: Journal, present: Present) -> None:
        self._journal = journal
        self._present = present
        self._known: OrderedDict[int, Projection] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, wanted: tuple[str, ...] | None, as_of: datetime | int) -> Snapshot:
        """Return sections as they were after an event, or at a market time of the newest run that reached it."""
        seq = as_of if isinstance(as_of, int) else self._seq_at(as_utc(as_of))
        with self._lock:
            past = self._known.get(seq)
            if past is None:
                past = self._known[seq] = self._folded(seq)
            self._known.move_to_end(seq)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
            return _snapshot(past, wanted, seq)

    def _seq_at(self, moment: datetime) -> int:
        """Return the last event of the newest stretch of the journal that does not lie after a market time."""
        last, is_before = 0, True
        for event in self._journal.events():
            if event.as_of is not None:
                is_before = event.as_of <= moment
            if is_before:
                last = event.seq
        return last

    def _folded(self, seq: int) -> Projection:
        past = Projection(bars_of=self._bars_of)
        after = 0
        checkpoint = self._journal.last_checkpoint()
        if checkpoint is not None and checkpoint.seq <= seq:
            try:
                past.restore(checkpoint.sections)
                after = checkpoint.seq
            except InvalidValueError:
                past = Projection(bars_of=self._bars_of)
        self._seed(past)
        for event in self._journal.events(after, seq):
            past.apply(event)
        return past

    def _bars_of(self, symbol: str) -> BarColumns | None:
        bars = self._present(f"bars:{symbol}")
        return bars.columns if isinstance(bars, BarsSection) else None

    def _seed(self, past: Projection) -> None:
        """Give the past its titles; nothing that happened since."""
        instruments = self._present("instruments")
        if instruments is not None:
            past.seed("instruments", instruments)
        agents = self._present("agents")
        if isinstance(agents, AgentsSection):
            past.seed("agents", _newborn(agents))
        strategies = self._present("strategies")
        if isinstance(strategies, StrategiesSection):
            past.seed("strategies", _at_first(strategies))
        trading = self._present("trading")
        if isinstance(trading, TradingSection):
            past.seed("trading", trading)


def _newborn(agents: AgentsSection) -> AgentsSection:
    rows = tuple(
        replace(
            row, status=AgentStatus.CREATED, reason="", measured=None, last_error="",
            consecutive_errors=0,
        )
        for row in agents.rows
    )  # fmt: skip
    return AgentsSection(rows=rows)


def _at_first(strategies: StrategiesSection) -> StrategiesSection:
    """Return the strategies with the weights from before the first change and without outcomes."""
    weights: dict[str, float] = {}
    enabled: dict[str, bool] = {}
    if strategies.history:
        weights = strategies.history[-1].previous
        enabled = strategies.history[-1].previous_enabled
    rows = tuple(
        replace(
            row, wins=0, n=0, by_bar=VotesByBar(), votes={}, weight=weights.get(row.name, row.weight),
            enabled=enabled.get(row.name, row.enabled),
        )
        for row in strategies.rows
    )  # fmt: skip
    return StrategiesSection(rows=rows, threshold=strategies.threshold)


def _snapshot(past: Projection, wanted: tuple[str, ...] | None, seq: int) -> Snapshot:
    found = {}
    for name in past.names():
        kind = name.partition(":")[0]
        if wanted is not None and name not in wanted and f"{kind}:*" not in wanted:
            continue
        value = past.value(name)
        if value is not None:
            found[name] = Section(name, value, past.stamp(name, seq))
    return Snapshot(version=seq, sections=found)
