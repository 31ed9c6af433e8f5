"""``order_way``: the moments between a close and the order that it led to, read off the chain of causes."""

from collections import deque
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from engine.core.projection.fold import NOTHING, Fold, Names, Route, received_at
from engine.core.projection.market import closes_a_bar
from engine.domain.events import Event, EventType
from engine.domain.order_way import Leg, OrderWaySection
from engine.domain.payload import Payload

MAX_TOTALS = 200
MAX_STEPS = 4_000
"""Steps kept to find a cause among: an order follows its close within a few hundred."""

_STEPS = (
    EventType.MC_UPDATE, EventType.RISK_UPDATE, EventType.SIGNAL_GENERATED, EventType.ORDER_INTENDED,
)  # fmt: skip
_BROKER = "broker"


class _Step(NamedTuple):
    kind: EventType
    source: str
    cause: int | None
    at: float


class OrderWayFold(Fold):
    """Keeps the newest steps of every way, so that an order's can be followed back to its close."""

    def __init__(self) -> None:
        self._steps: dict[int, _Step] = {}
        self._closes: dict[str, float] = {}
        self._totals: deque[float] = deque(maxlen=MAX_TOTALS)
        self._legs: tuple[Leg, ...] = ()
        self._symbol = ""
        self._closed_at: datetime | None = None

    def routes(self) -> dict[EventType, Route]:
        """Return the routes of closes, of what follows from them, and of orders at the broker."""
        ways: dict[EventType, Route] = dict.fromkeys(_STEPS, self._step)
        return ways | {EventType.MARKET_DATA: self._tick, EventType.ORDER_PLACED: self._placed}

    def names(self) -> Names:
        """Return ``order_way`` once an order has followed from a close."""
        return ("order_way",) if self._legs else NOTHING

    def value(self, _name: str, /) -> Payload | None:
        """Return the newest way."""
        if not self._legs:
            return None
        return OrderWaySection(
            symbol=self._symbol,
            bar_closed_at=self._closed_at,
            legs=self._legs,
            totals_ms=tuple(self._totals),
        )

    def reset(self, _at: datetime | None, /) -> Names:
        """Keep what ways took; steps of the old run lead nowhere."""
        self._steps.clear()
        self._closes.clear()
        return NOTHING

    def _tick(self, event: Event) -> Names:
        """Remember when a bar closed; a later tick may carry the news of it, where the closing one gave way."""
        if closes_a_bar(event):
            self._closes[event.data["symbol"]] = received_at(event)
        return NOTHING

    def _step(self, event: Event) -> Names:
        at = received_at(event)
        self._steps[event.seq] = _Step(event.event_type, event.source, event.cause, at)
        if len(self._steps) > MAX_STEPS:
            del self._steps[next(iter(self._steps))]
        return NOTHING

    def _placed(self, event: Event) -> Names:
        chain = [_Step(event.event_type, _BROKER, event.cause, received_at(event))]
        while (step := self._steps.get(chain[-1].cause or 0)) is not None:
            chain.append(step)
        symbol = str(event.data["symbol"])
        if chain[-1].kind is not EventType.MC_UPDATE or symbol not in self._closes:
            return NOTHING
        chain.append(_Step(EventType.MARKET_DATA, "", None, self._closes[symbol]))
        chain.reverse()
        self._legs = tuple(
            Leg(who=step.source, ms=max(0.0, step.at - before.at) * 1e3)
            for before, step in pairwise(chain)
        )
        self._totals.append(sum(leg.ms for leg in self._legs))
        self._symbol, self._closed_at = symbol, event.as_of
        return ("order_way",)
