"""What happened, as a person reads it: one plain line per event, and one event with its causes and effects."""

from dataclasses import dataclass, field
from datetime import datetime

from engine.domain.payload import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow(Payload):
    """One event as the Journal shows it; `meaning` is one plain line."""

    seq: int
    at: float
    event_type: str
    source: str
    meaning: str
    as_of: datetime | None = None
    cause: int | None = None
    subject: str = ""
    tone: str = ""
    """"", "up", "down", "warn", "crit" or "accent"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDetail(Payload):
    """One event with what led to it, oldest first, and what it led to directly: the answer to ``ask("event_detail")``.

    `fields` holds the event's data as text, by name.
    """

    row: LogRow
    fields: dict[str, str] = field(default_factory=dict)
    causes: tuple[LogRow, ...] = ()
    effects: tuple[LogRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSection(Payload):
    """``log``: the last 200 events other than ticks, newest first."""

    rows: tuple[LogRow, ...] = ()
    head: int = 0
