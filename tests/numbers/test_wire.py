"""Whatever reaches a section or the log is a number, and risk limits tell how much of them is used."""

import math
from decimal import Decimal

import pytest

from engine.domain.events import EventType
from engine.domain.risk import PORTFOLIO
from tests.numbers.runs import log_of, section


def not_finite(value, path=""):
    """Where a value holds a number that is none."""
    if isinstance(value, float | Decimal):
        return [] if math.isfinite(value) else [path]
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in not_finite(v, f"{path}.{k}")]
    if isinstance(value, list | tuple):
        return [p for i, v in enumerate(value) for p in not_finite(v, f"{path}[{i}]")]
    return []


@pytest.mark.parametrize("feed", ["replay", "made_up"])
def test_no_number_on_the_wire_is_infinite_or_no_number(feed, request):
    turned = request.getfixturevalue(feed)
    assert turned.engine.projection.skipped == 0
    names = turned.engine.projection.names()
    assert len(names) > 30
    assert [p for n in names for p in not_finite(section(turned, n).to_data(), n)] == []
    events = log_of(turned)
    assert [p for e in events for p in not_finite(dict(e.data), e.event_type.value)] == []


def test_the_search_finds_what_is_no_number():
    assert not_finite({"a": [1.0, math.nan], "b": (math.inf,)}) == [".a[1]", ".b[0]"]


def test_uses_of_limits_are_fractions_of_the_account_as_it_stands(replay):
    portfolio, trading = section(replay, "portfolio"), section(replay, "trading")
    uses = {use.name: use for use in trading.uses}
    values = [
        abs(p.quantity) * Decimal(str(portfolio.marks[p.symbol])) for p in portfolio.positions
    ]
    largest = max(values, default=Decimal(0))
    assert uses["Largest position"].value == pytest.approx(float(largest / portfolio.equity))
    lost = max(Decimal(0), -portfolio.day_pnl) / portfolio.day_start_equity
    assert uses["Daily loss"].value == pytest.approx(float(lost))
    depth = 1 - portfolio.equity / portfolio.peak_equity
    assert uses["Drawdown"].value == pytest.approx(float(depth))
    assert uses["VaR 95"].value == section(replay, "risk:portfolio").metrics.var_95


def test_every_fill_is_followed_by_the_accounts_new_risk(replay):
    told = log_of(replay, EventType.RISK_UPDATE)
    after_fills = {
        e.as_of for e in told if e.data["scope"] == PORTFOLIO and not e.data["is_record"]
    }
    fills = log_of(replay, EventType.ORDER_FILLED)
    assert {e.as_of for e in fills} <= after_fills
    portfolio, risk = section(replay, "portfolio"), section(replay, "risk:portfolio").metrics
    assert (risk.note == "no position") == (not portfolio.positions)
