"""From a close to an order, in words."""

import pytest

from dashboard.blocks import order_way as block
from dashboard.views.order_way import order_way_view
from engine.domain.order_way import Leg, OrderWaySection
from engine.domain.sections import AgentRow, AgentsSection, Snapshot
from tests.dashboard.fakes import MARKET_TIME, FakeGateway, filled

LEGS = (
    Leg(who="monte_carlo", ms=30.0), Leg(who="risk", ms=2.5), Leg(who="guest", ms=7.0), Leg(who="broker", ms=0.5),
)  # fmt: skip


def seen(*totals: float) -> Snapshot:
    gateway = filled(FakeGateway())
    crew = (
        AgentRow(agent_id="monte_carlo", title="Monte Carlo"),
        AgentRow(agent_id="risk", title="Risk"),
    )
    gateway.put("agents", AgentsSection(rows=crew))
    gateway.put(
        "order_way",
        OrderWaySection(
            symbol="AAPL", bar_closed_at=MARKET_TIME, legs=LEGS, totals_ms=totals or (40.0,)
        ),
    )
    return Snapshot(version=1, sections=dict(gateway.sections))


def test_the_newest_way_is_told_by_its_legs():
    shown = order_way_view(seen())
    assert shown.total == "40 ms for AAPL, bar 26 Sep 2008"
    assert [(leg.who, leg.took, leg.is_forecast) for leg in shown.legs] == [
        ("Monte Carlo", "30 ms", True), ("Risk", "2.5 ms", False), ("guest", "7.0 ms", False),
        ("Broker", "0.5 ms", False),
    ]  # fmt: skip
    assert sum(leg.share for leg in shown.legs) == pytest.approx(1.0)
    assert shown.words == "n = 1, quantiles from 20 on"


def test_before_any_order_nothing_is_invented():
    shown = order_way_view(Snapshot(version=0))
    assert (shown.total, shown.words, shown.legs) == ("no order yet", "", ())
    assert block.order_way_patch(shown).props[block.LEGS] == {"children": []}


def test_a_leg_is_as_wide_as_its_share():
    bar, _ = block.order_way_patch(order_way_view(seen())).props[block.LEGS]["children"]
    assert [piece.style["flexGrow"] for piece in bar.children] == [0.75, 0.0625, 0.175, 0.0125]
    assert "ph-way-forecast" in bar.children[0].className
