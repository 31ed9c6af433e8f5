"""How long it takes from a close to an order at the broker, and whose that time is."""

from dataclasses import dataclass
from statistics import quantiles

from dashboard import formatting as fmt
from dashboard.views.agent_states import milliseconds, names_of
from engine.domain.order_way import Leg, OrderWaySection
from engine.domain.sections import AgentsSection, Snapshot

BROKER = "broker"
_ENOUGH = 20
"""Ways below which no 1 in 20 is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """One part of the way; `share` is its part of the whole, 0 to 1."""

    who: str
    took: str
    share: float
    is_forecast: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWayView:
    """The newest way, and what the last ones took."""

    total: str
    words: str
    legs: tuple[LegView, ...]


def order_way_view(snapshot: Snapshot) -> OrderWayView:
    """Return the way of the newest order that followed from a close."""
    way: OrderWaySection | None = snapshot.value("order_way")
    if way is None:
        return OrderWayView(total="no order yet", words="", legs=())
    crew: AgentsSection = snapshot.value("agents") or AgentsSection()
    names = names_of(crew.rows) | {BROKER: "Broker"}
    whole = sum(leg.ms for leg in way.legs)
    legs = tuple(_leg(leg, names.get(leg.who, leg.who), whole) for leg in way.legs)
    bar = f", bar {fmt.date(way.bar_closed_at)}" if way.bar_closed_at else ""
    return OrderWayView(
        total=f"{milliseconds(whole)} for {way.symbol}{bar}",
        words=_spread(way.totals_ms),
        legs=legs,
    )


def _leg(leg: Leg, who: str, whole: float) -> LegView:
    share = leg.ms / whole if whole else 0.0
    is_forecast = leg.who.startswith("monte_carlo")
    return LegView(who=who, took=milliseconds(leg.ms), share=share, is_forecast=is_forecast)


def _spread(totals: tuple[float, ...]) -> str:
    """Return what most ways took; of few only how many there are.

    Examples
    --------
    >>> _spread((40.0,) * 19), _spread(tuple(float(n) for n in range(1, 102)))
    ('n = 19, quantiles from 20 on', 'p50 51 ms, p95 96 ms of the newest 101')
    """
    if len(totals) < _ENOUGH:
        return f"n = {len(totals)}, quantiles from {_ENOUGH} on"
    cuts = quantiles(totals, n=20, method="inclusive")
    return f"p50 {milliseconds(cuts[9])}, p95 {milliseconds(cuts[18])} of the newest {len(totals)}"
