"""What happened: one envelope, past-tense types, and how long each type is kept.

The log hash covers sequence, type, market time, cause and data, so nothing of wall time may stand in `data`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


class EventType(Enum):
    """Every topic of the bus; the first eleven are the founding documents' names."""

    MARKET_DATA = "MARKET_DATA"
    SIGNAL_GENERATED = "SIGNAL_GENERATED"
    SIGNAL_EXECUTED = "SIGNAL_EXECUTED"
    ORDER_PLACED = "ORDER_PLACED"
    ORDER_FILLED = "ORDER_FILLED"
    RISK_ALERT = "RISK_ALERT"
    ENGINE_STARTED = "ENGINE_STARTED"
    ENGINE_STOPPED = "ENGINE_STOPPED"
    MC_UPDATE = "MC_UPDATE"
    RISK_UPDATE = "RISK_UPDATE"
    CUSTOM = "CUSTOM"
    RUN_STARTED = "RUN_STARTED"
    FEED_CHANGED = "FEED_CHANGED"
    HISTORY_LOADED = "HISTORY_LOADED"
    TICK_DROPPED = "TICK_DROPPED"
    CYCLE_RECORDED = "CYCLE_RECORDED"
    ORDER_INTENDED = "ORDER_INTENDED"
    ORDER_REJECTED = "ORDER_REJECTED"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    ORDERS_RECONCILED = "ORDERS_RECONCILED"
    SIGNAL_REJECTED = "SIGNAL_REJECTED"
    COMMAND_ACCEPTED = "COMMAND_ACCEPTED"
    COMMAND_REFUSED = "COMMAND_REFUSED"
    AGENT_CHANGED = "AGENT_CHANGED"
    AGENT_FAILED = "AGENT_FAILED"
    AGENT_MEASURED = "AGENT_MEASURED"
    AGENT_PACED = "AGENT_PACED"
    SCHEDULER_WEIGHTED = "SCHEDULER_WEIGHTED"
    WEIGHTS_CHANGED = "WEIGHTS_CHANGED"
    LIMITS_CHANGED = "LIMITS_CHANGED"
    TRADING_HALTED = "TRADING_HALTED"
    TRADING_RESUMED = "TRADING_RESUMED"
    ALERT_ACKNOWLEDGED = "ALERT_ACKNOWLEDGED"
    PORTFOLIO_VALUED = "PORTFOLIO_VALUED"
    HEALTH_CHECKED = "HEALTH_CHECKED"
    FORECASTS_SETTLED = "FORECASTS_SETTLED"
    VAR_SETTLED = "VAR_SETTLED"
    VAR_WALKED = "VAR_WALKED"

    __hash__ = object.__hash__
    """By identity, as members are compared: Enum's own hashes the name, in Python, at every look-up of the bus."""


OPEN_TYPES = (EventType.CUSTOM, EventType.RISK_ALERT, EventType.SIGNAL_GENERATED)
"""What an agent of one's own may publish: its own events, an alert, and a signal, which goes through the gate."""


class Retention(Enum):
    """How an event is kept; see docs/architecture.md, "the journal"."""

    LEDGER = "ledger"
    """Committed before it is delivered, kept for ever: intents, fills, commands, limits."""
    RECORD = "record"
    """Written in batches, kept for ever: forecasts, votes, alerts, agents' states."""
    STREAM = "stream"
    """Written in batches, trimmed: ticks and redraws."""
    TELEMETRY = "telemetry"
    """Never journalled nor hashed: durations, load, valuations between bars, what a start computes anew."""


_LEDGER = {
    "RUN_STARTED",
    "ORDER_INTENDED",
    "ORDER_PLACED",
    "ORDER_FILLED",
    "ORDER_REJECTED",
    "ORDER_CANCELLED",
    "ORDERS_RECONCILED",
    "COMMAND_ACCEPTED",
    "COMMAND_REFUSED",
    "WEIGHTS_CHANGED",
    "LIMITS_CHANGED",
    "TRADING_HALTED",
    "TRADING_RESUMED",
}
_TELEMETRY = {"AGENT_MEASURED", "HEALTH_CHECKED", "PORTFOLIO_VALUED", "VAR_WALKED"}

RETENTION: dict[EventType, Retention] = {
    event_type: (
        Retention.LEDGER
        if event_type.value in _LEDGER
        else Retention.TELEMETRY
        if event_type.value in _TELEMETRY
        else Retention.STREAM
        if event_type is EventType.MARKET_DATA
        else Retention.RECORD
    )
    for event_type in EventType
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Parameters
    ----------
    event_type : EventType
        The topic.
    data : mapping
        Plain data (JSON-like); built-in payloads travel as their `to_data()`.
    source : str
        Name of the agent or part that says so.
    as_of : datetime, optional
        Market time that the event speaks of, UTC.
    seq : int
        Place in the log, 1 and up; 0 until the log has taken it.
    cause : int, optional
        `seq` of the event that led to this one.
    computed_at : datetime, optional
        Wall time of publication; never hashed.
    """

    event_type: EventType
    data: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    as_of: datetime | None = None
    seq: int = 0
    cause: int | None = None
    computed_at: datetime | None = None

    @property
    def retention(self) -> Retention:
        """How long the journal keeps this event."""
        return RETENTION[self.event_type]
