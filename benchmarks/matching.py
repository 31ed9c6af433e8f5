"""Which tick each painted price shows: ticks out of the journal, paints out of the browser, matched by their text."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dashboard import formatting as fmt
from engine.adapters.journals.opening import open_journal
from engine.domain.events import EventType

N_SYMBOLS = 20
SKEW_S = 0.002
"""The browser's clock counts in whole milliseconds."""
Row = tuple[str, str, float]
"""Symbol, price as text, epoch seconds."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one page did: milliseconds from tick to paint, bytes per tick of all symbols, ticks and paints."""

    late_ms: tuple[float, ...]
    bytes_per_tick: float
    n_ticks: int


def journalled(path: Path) -> list[Row]:
    """Return the ticks that a stopped server journalled."""
    journal = open_journal(path, make_backup=False)
    try:
        found = [e for e in journal.events() if e.event_type is EventType.MARKET_DATA]
    finally:
        journal.close()
    return [(e.data["symbol"], fmt.price(e.data["price"]), _seconds(e.computed_at)) for e in found]


def _seconds(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()


def matched(ticks: Iterable[Row], painted: Sequence[Row], bytes_per_tick: float) -> Run:
    """Return how late each painted text was: after the newest tick of its symbol that says it, each tick once."""
    told: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for symbol, text, at in ticks:
        if not told[symbol] or told[symbol][-1][0] != text:  # the same price again changes no text
            told[symbol].append((text, at))
    begin, end = (painted[0][2], painted[-1][2]) if painted else (0.0, 0.0)
    n_ticks = sum(begin <= at <= end for rows in told.values() for _, at in rows)
    late, used = [], defaultdict[str, int](int)
    for symbol, text, at in painted[N_SYMBOLS:]:  # the first of each was there before we looked
        rows = told[symbol]
        found = [
            i
            for i in range(used[symbol], len(rows))
            if rows[i][0] == text and rows[i][1] <= at + SKEW_S
        ]
        if found:
            used[symbol] = found[-1] + 1
            late.append(max(0.0, at - rows[found[-1]][1]) * 1e3)
    return Run(tuple(late), bytes_per_tick, n_ticks)
