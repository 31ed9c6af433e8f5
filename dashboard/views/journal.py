"""What the Journal says: rows of events in words, filters by kind, and one event with its chain of causes."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dashboard import formatting as fmt
from engine.domain.events import EventType
from engine.domain.log import EventDetail, LogRow

TITLES = {
    "market_data": "Market data",
    "monte_carlo": "Monte Carlo",
    "risk": "Risk",
    "strategy": "Strategy engine",
    "execution": "Execution",
    "supervisor": "Supervisor",
    "sentiment": "Sentiment",
    "engine": "Engine",
    "command_desk": "Commands",
}

MAX_DIGITS = 15
"""Of an event's number; a longer one is text."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One filter: a name, its title, and the topics it lets through."""

    key: str
    title: str
    types: frozenset[str]


def _kind(key: str, title: str, *types: EventType) -> Kind:
    return Kind(key, title, frozenset(t.value for t in types))


KINDS: tuple[Kind, ...] = (
    _kind("orders", "Orders", EventType.ORDER_INTENDED, EventType.ORDER_PLACED, EventType.ORDER_FILLED,
          EventType.ORDER_REJECTED, EventType.ORDER_CANCELLED, EventType.ORDERS_RECONCILED),
    _kind("signals", "Signals", EventType.SIGNAL_GENERATED, EventType.SIGNAL_EXECUTED,
          EventType.SIGNAL_REJECTED, EventType.CYCLE_RECORDED),
    _kind("risk", "Risk", EventType.RISK_UPDATE, EventType.RISK_ALERT, EventType.VAR_SETTLED,
          EventType.ALERT_ACKNOWLEDGED, EventType.TRADING_HALTED, EventType.TRADING_RESUMED),
    _kind("forecasts", "Forecasts", EventType.MC_UPDATE, EventType.FORECASTS_SETTLED),
    _kind("commands", "Commands", EventType.COMMAND_ACCEPTED, EventType.COMMAND_REFUSED,
          EventType.WEIGHTS_CHANGED, EventType.LIMITS_CHANGED),
    _kind("agents", "Agents", EventType.AGENT_CHANGED, EventType.AGENT_FAILED, EventType.ENGINE_STARTED,
          EventType.ENGINE_STOPPED, EventType.RUN_STARTED, EventType.AGENT_PACED, EventType.SCHEDULER_WEIGHTED),
    _kind("feed", "Feed", EventType.FEED_CHANGED, EventType.HISTORY_LOADED, EventType.TICK_DROPPED),
)  # fmt: skip
TICKS = _kind("ticks", "Ticks", EventType.MARKET_DATA)
"""The one kind that the live list leaves out: there are too many of them to read."""

QUIET = frozenset({EventType.FEED_CHANGED.value, EventType.AGENT_PACED.value})
"""Topics that come again and again and say the same of the same."""

_BY_KEY = {kind.key: kind for kind in (*KINDS, TICKS)}
EVERYTHING = frozenset(t.value for t in EventType) - TICKS.types


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One event as a row; `tone` ("up", "dn", "warn", "crit", "acc" or nothing) colours the topic alone.

    `times` is above 1 where earlier ones of its kind are folded into it.
    """

    seq: int
    event_id: str
    time: str
    topic: str
    tone: str
    source: str
    meaning: str
    cause: str
    cause_seq: int | None
    day: str
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """One event of a chain, with the time since the first cause."""

    row: RowView
    since: str
    is_own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailView:
    """One event with its fields, its causes (oldest first, itself last) and what it led to."""

    row: RowView
    market_time: str
    fields: tuple[tuple[str, str], ...]
    chain: tuple[ChainLink, ...]
    effects: tuple[ChainLink, ...]


def tone_of(row: LogRow) -> str:
    """Return the tone of a topic: fills by their side, forecasts as the machine's word, warnings where they warn."""
    if row.tone in {"up", "down"} and row.event_type != EventType.ORDER_FILLED.value:
        return ""
    if row.tone in {"warn", "crit"} and row.event_type == EventType.RISK_UPDATE.value:
        return ""
    return {"down": "dn", "accent": "acc"}.get(row.tone, row.tone)


def row_view(row: LogRow) -> RowView:
    """Return an event as a row of the list."""
    return RowView(
        seq=row.seq,
        event_id=fmt.event_id(row.seq),
        time=fmt.clock(fmt.from_epoch(row.at), thousandths=True),
        topic=row.event_type,
        tone=tone_of(row),
        source=TITLES.get(row.source, row.source),
        meaning=row.meaning,
        cause="first" if row.cause is None else fmt.event_id(row.cause),
        cause_seq=row.cause,
        day="" if row.as_of is None else fmt.date(row.as_of),
    )


def types_of(keys: Iterable[str]) -> frozenset[str]:
    """Return the topics that the filters with these names let through; none named lets all but ticks through."""
    chosen = [_BY_KEY[key].types for key in keys if key in _BY_KEY]
    return frozenset().union(*chosen) if chosen else EVERYTHING


def rows_view(rows: Iterable[LogRow], keys: Iterable[str] = ()) -> tuple[RowView, ...]:
    """Return the rows that the chosen filters let through, in their order."""
    types = types_of(keys)
    return tuple(row_view(row) for row in rows if row.event_type in types)


def folded(rows: Iterable[RowView]) -> tuple[RowView, ...]:
    """Return rows with repeats in their newest: of a quiet topic wherever they are, of another one after another."""
    kept: list[RowView] = []
    places: dict[str, int] = {}
    for row in rows:
        place = places.get(row.topic) if row.topic in QUIET else len(kept) - 1
        if place is not None and place >= 0 and _is_repeat(row, kept[place]):
            kept[place] = replace(kept[place], times=kept[place].times + 1)
            continue
        places[row.topic] = len(kept)
        kept.append(row)
    return tuple(kept)


def _is_repeat(row: RowView, newer: RowView) -> bool:
    if row.topic in QUIET:
        return True
    return (row.topic, row.source, row.meaning) == (newer.topic, newer.source, newer.meaning)


def detail_view(detail: EventDetail) -> DetailView:
    """Return one event for the side panel; times count from the first cause kept."""
    line = (*detail.causes, detail.row)
    first = line[0].at
    return DetailView(
        row=row_view(detail.row),
        market_time="" if detail.row.as_of is None else fmt.date(detail.row.as_of),
        fields=tuple(sorted(detail.fields.items())),
        chain=tuple(_link(row, first, is_own=row is detail.row) for row in line),
        effects=tuple(_link(row, first) for row in detail.effects),
    )


def _link(row: LogRow, first: float, *, is_own: bool = False) -> ChainLink:
    return ChainLink(row=row_view(row), since=fmt.duration(max(0.0, row.at - first)), is_own=is_own)


def number_in(text: str) -> int | None:
    """Return the event's number that is searched for, written as the list writes it or plainly.

    Examples
    --------
    >>> number_in("#57,543"), number_in("57543"), number_in("AAPL"), number_in("#"), number_in("5 7")
    (57543, 57543, None, None, None)
    """
    digits = text.removeprefix("#").replace(",", "")
    return int(digits) if digits.isdecimal() and len(digits) <= MAX_DIGITS else None


def found_words(n: int, text: str, *, is_whole: bool) -> str:
    """Return what a search came to."""
    if not n:
        return f"No event holds “{text}”. Search a symbol, a topic or a word of its data."
    more = "" if is_whole else ", the newest"
    return f"{fmt.plural(n, 'event')}{more} with “{text}”. Clear the search to go live again."


def later_words(head: int, newest: int | None) -> str:
    """Return how many events came after a list was held.

    Examples
    --------
    >>> later_words(9_865, 9_572), later_words(9_572, 9_572), later_words(5, None)
    ('held at #9,572, 293 events later', 'held at #9,572', '')
    """
    if newest is None:
        return ""
    held = f"held at {fmt.event_id(newest)}"
    return f"{held}, {fmt.plural(head - newest, 'event')} later" if head > newest else held


def csv_text(rows: Iterable[LogRow]) -> str:
    """Return rows as CSV; commas stay in their cell, and a cell that a spreadsheet would run is defused."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("event", "time", "market_time", "topic", "source", "meaning", "cause"))
    writer.writerows([fmt.csv_cell(cell) for cell in _csv_row(row)] for row in rows)
    return text.getvalue()


def _csv_row(row: LogRow) -> tuple[object, ...]:
    market_time = None if row.as_of is None else row.as_of.isoformat()
    at = fmt.from_epoch(row.at).isoformat()
    return row.seq, at, market_time, row.event_type, row.source, row.meaning, row.cause
