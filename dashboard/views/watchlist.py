"""The watchlist: one row per symbol, apart in what changes once per bar and what changes with each tick."""

import json
from dataclasses import asdict, dataclass

from dashboard import formatting as fmt
from dashboard.views.lateness import bars_behind, behind_words
from engine.domain.instrument import Instrument, PriceKind
from engine.domain.risk import RiskLevel
from engine.domain.sections import (
    CycleSection,
    InstrumentsSection,
    Quote,
    QuotesSection,
    RiskSection,
    Snapshot,
)

SECTIONS = ("instruments", "cycle:*", "risk:*", "bars:*")
"""What a row shows that changes once per bar, besides the closes."""
N_SPARK = 30
DEFAULT_BUDGET_S = 15.0
_RISK_ORDER = {level: place for place, level in enumerate(RiskLevel, start=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRow:
    """A row of the grid, in plain data.

    `risk` counts the bars that are lit (0 while nothing is known); `spark` holds closed bars, oldest first.
    """

    symbol: str
    name: str
    adj: bool
    signal: str
    signal_tip: str
    risk: int
    risk_tip: str
    spark: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TickRow:
    """What changes with each tick: texts for the eye, numbers for sorting, the moment for the age."""

    s: str
    p: float
    c: float | None
    l: str  # noqa: E741 -- one letter a field keeps twenty symbols below 4 kB
    d: str
    a: float


def instruments(snapshot: Snapshot) -> tuple[Instrument, ...]:
    """Return what is watched, in watchlist order."""
    section: InstrumentsSection | None = snapshot.value("instruments")
    return () if section is None else section.instruments


def watch_rows(snapshot: Snapshot) -> tuple[WatchRow, ...]:
    """Return the rows in watchlist order."""
    quotes = _quotes(snapshot)
    return tuple(_row(snapshot, item, quotes.get(item.symbol)) for item in instruments(snapshot))


def _quotes(snapshot: Snapshot) -> dict[str, Quote]:
    section: QuotesSection | None = snapshot.value("quotes")
    return {} if section is None else section.quotes


def _row(snapshot: Snapshot, item: Instrument, quote: Quote | None) -> WatchRow:
    cycle: CycleSection | None = snapshot.value(f"cycle:{item.symbol}")
    risk: RiskSection | None = snapshot.value(f"risk:{item.symbol}")
    signal, tip = _signal(snapshot, item, cycle)
    level = risk.metrics.risk_level if risk else None
    return WatchRow(
        symbol=item.symbol,
        name=item.name,
        adj=item.price_kind is PriceKind.CLOSE_ONLY,
        signal=signal,
        signal_tip=tip,
        risk=_RISK_ORDER[level] if level else 0,
        risk_tip=f"risk {level.value}" if level else "risk unknown",
        spark=tuple(_short(close) for close in quote.spark[-N_SPARK - 1 : -1]) if quote else (),
    )


def _short(price: float) -> float:
    """Return a price to five figures: enough for a line 20 high."""
    return float(f"{price:.5g}")


def _signal(snapshot: Snapshot, item: Instrument, cycle: CycleSection | None) -> tuple[str, str]:
    if not item.is_tradable:
        return "", "An index is watched, never traded"
    if cycle is None:
        return "", "No vote yet: the first comes with the next closed bar"
    record = cycle.record
    if behind := behind_words(bars_behind(snapshot, record)):
        return "", f"No vote on the newest bar: the last, {record.action.value}, was {behind}"
    return record.action.value, f"Score {fmt.score(record.score)}"


def tick_rows(snapshot: Snapshot) -> tuple[TickRow, ...]:
    """Return what changes with each tick, in watchlist order."""
    quotes = _quotes(snapshot)
    found = ((item, quotes.get(item.symbol)) for item in instruments(snapshot))
    return tuple(_tick(item, quote) for item, quote in found if quote is not None)


def _tick(item: Instrument, quote: Quote) -> TickRow:
    move = change_of(quote)
    return TickRow(
        s=item.symbol,
        p=round(quote.price, 6),
        c=None if move is None else round(move, 6),
        l=fmt.price(quote.price, item.tick_size),
        d=fmt.change(move),
        a=round(quote.received_at, 2),
    )


def change_of(quote: Quote | None) -> float | None:
    """Return the change since the close before, as a fraction; None while there is none."""
    if quote is None or not quote.previous_close:
        return None
    return quote.price / quote.previous_close - 1.0


def budget_s(snapshot: Snapshot) -> float:
    """Return up to which age a price counts as fresh."""
    stamp = snapshot.stamp("quotes")
    return (stamp.budget_s if stamp else None) or DEFAULT_BUDGET_S


def grid_rows(snapshot: Snapshot) -> list[dict[str, object]]:
    """Return whole rows for the grid: both halves together."""
    ticks = {row.s: row for row in tick_rows(snapshot)}
    budget = budget_s(snapshot)
    return [
        {**asdict(row), **(asdict(ticks[row.symbol]) if row.symbol in ticks else {}), "b": budget}
        for row in watch_rows(snapshot)
    ]


def ticks_text(snapshot: Snapshot) -> str:
    """Return the ticks as the attribute that the grid's script reads: one list per symbol, without names of fields."""
    rows = [[r.s, r.p, r.c, r.l, r.d, r.a] for r in tick_rows(snapshot)]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False)


def rows_text(snapshot: Snapshot) -> str:
    """Return what changes once per bar as the other attribute."""
    rows = [
        [r.symbol, r.signal, r.signal_tip, r.risk, r.risk_tip, r.spark]
        for r in watch_rows(snapshot)
    ]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
