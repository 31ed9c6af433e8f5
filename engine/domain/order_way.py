"""How long a decision takes: the way of an order from the close that it follows to the broker."""

from dataclasses import dataclass
from datetime import datetime

from engine.domain.payload import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg(Payload):
    """One part of the way: who had it (an agent's id, "broker" at the end), and for how many milliseconds.

    What waits for its turn counts to the leg that it waits for.
    """

    who: str
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWaySection(Payload):
    """``order_way``: the legs of the newest order that a close led to, and whole ways in milliseconds, oldest first.

    `totals_ms` holds the last 200. Orders that a stop or target sends between closes are not among them.
    """

    symbol: str
    bar_closed_at: datetime | None
    legs: tuple[Leg, ...]
    totals_ms: tuple[float, ...]
