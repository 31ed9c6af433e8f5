"""The paper broker: money, waiting orders and what it refuses."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adapters.brokers.paper import PaperBroker
from engine.domain.errors import InvalidValueError
from engine.domain.market import Tick
from engine.domain.trading import Order, OrderStatus, Side
from engine.kernels.accounting import equity

NOW = datetime(2008, 9, 26, 20, tzinfo=UTC)


def order(order_id="ph-1-1", side=Side.BUY, quantity=10, price=100, symbol="AAPL") -> Order:
    return Order(
        order_id=order_id, symbol=symbol, side=side, quantity=Decimal(str(quantity)),
        price=Decimal(price), status=OrderStatus.INTENDED,
    )  # fmt: skip


def tick(price, seconds=1, symbol="AAPL") -> Tick:
    return Tick(symbol=symbol, price=price, as_of=NOW + timedelta(seconds=seconds))


def test_a_purchase_costs_its_notional_and_five_basis_points():
    broker = PaperBroker(capital=100_000)
    placed = broker.place_order("AAPL", 10, "BUY", price=150.0)
    assert placed.status is OrderStatus.FILLED
    assert broker.cash == Decimal("98499.25")
    assert broker.positions["AAPL"].quantity == 10
    assert broker.account().fees_paid == Decimal("0.75")


def test_an_order_without_any_price_is_refused():
    placed = PaperBroker().place_order("AAPL", 1, "BUY")
    assert placed.status is OrderStatus.REJECTED
    assert "no price of AAPL" in placed.reason


def test_the_last_price_serves_when_none_is_given():
    broker = PaperBroker()
    broker.set_price("AAPL", 20)
    broker.place_order("AAPL", 1, "BUY")
    assert broker.positions["AAPL"].entry_price == 20


@pytest.mark.parametrize("quantity", [0, -5, float("nan"), float("inf"), "ten"])
def test_senseless_quantities_are_callers_mistakes(quantity):
    with pytest.raises(InvalidValueError, match="quantity"):
        PaperBroker().place_order("AAPL", quantity, "BUY", price=1.0)


def test_an_unknown_word_is_a_callers_mistake():
    with pytest.raises(InvalidValueError, match="PERHAPS"):
        PaperBroker().place_order("AAPL", 1, "PERHAPS", price=1.0)


def test_the_fee_counts_towards_the_cash_an_order_needs():
    assert PaperBroker(1000).submit(order(quantity=10), NOW)[0].status is OrderStatus.REJECTED
    assert PaperBroker(1001).submit(order(quantity=10), NOW)[0].status is OrderStatus.FILLED


def test_shorts_may_reach_equity_and_no_more():
    broker = PaperBroker(1000)
    assert broker.submit(order(side=Side.SELL, quantity=11), NOW)[0].status is OrderStatus.REJECTED
    assert broker.submit(order("b", Side.SELL, 9), NOW)[0].status is OrderStatus.FILLED
    second, _ = broker.submit(order("c", Side.SELL, 9, symbol="IBM"), NOW)
    assert second.status is OrderStatus.REJECTED
    assert "short positions would reach $1,800.00" in second.reason


def test_proceeds_of_a_short_are_collateral_and_buy_nothing():
    broker = PaperBroker(1000)
    broker.submit(order(side=Side.SELL, quantity=9), NOW)
    assert broker.cash > 1800
    assert broker.cash_value() < 1000
    assert (
        broker.submit(order("b", quantity=11, symbol="IBM"), NOW)[0].status is OrderStatus.REJECTED
    )


def test_closing_is_never_refused_for_want_of_cash():
    broker = PaperBroker(1000)
    broker.submit(order(side=Side.SELL, quantity=9), NOW)
    broker.set_price("AAPL", 300.0)
    assert broker.submit(order("b", quantity=9), NOW)[0].status is OrderStatus.FILLED
    assert "AAPL" not in broker.positions


def test_a_known_id_changes_nothing():
    broker = PaperBroker()
    broker.submit(order(), NOW)
    again, fills = broker.submit(order(), NOW)
    assert (again.status, fills) == (OrderStatus.FILLED, ())
    assert broker.positions["AAPL"].quantity == 10


def test_attached_it_fills_at_the_first_later_tick_of_the_symbol():
    broker = PaperBroker(attached=True)
    placed, fills = broker.submit(order(), NOW)
    assert (placed.status, fills) == (OrderStatus.OPEN, ())
    assert broker.on_tick(tick(101.0, 0)) == ()
    assert broker.on_tick(tick(50.0, 1, "IBM")) == ()
    (fill,) = broker.on_tick(tick(102.0, 1))
    assert (fill.price, fill.order_id, fill.filled_at) == (
        102,
        "ph-1-1",
        NOW + timedelta(seconds=1),
    )
    assert broker.on_tick(tick(103.0, 2)) == ()


def test_waiting_purchases_reserve_their_cash():
    broker = PaperBroker(1500, attached=True)
    broker.submit(order(), NOW)
    assert broker.submit(order("b"), NOW)[0].status is OrderStatus.REJECTED
    broker.cancel("ph-1-1")
    assert broker.submit(order("c"), NOW)[0].status is OrderStatus.OPEN


def test_an_order_that_the_cash_no_longer_covers_expires_unfilled():
    broker = PaperBroker(1001, attached=True)
    broker.submit(order(), NOW)
    assert broker.on_tick(tick(120.0)) == ()
    assert broker.open_orders() == ()
    assert broker.order("ph-1-1").status is OrderStatus.EXPIRED
    assert "free cash" in broker.order("ph-1-1").reason
    assert broker.cash == 1001


def test_cancelling_ends_a_waiting_order_once():
    broker = PaperBroker(attached=True)
    broker.submit(order(), NOW)
    assert broker.cancel("ph-1-1").status is OrderStatus.CANCELLED
    assert broker.cancel("ph-1-1") is None
    assert broker.on_tick(tick(100.0)) == ()


def test_a_restored_broker_goes_on_where_the_journal_stood():
    first = PaperBroker(attached=True)
    first.submit(order(), NOW)
    first.on_tick(tick(100.0))
    waiting, _ = first.submit(order("ph-1-2"), NOW)
    second = PaperBroker(attached=True)
    second.restore(first.account(), (waiting,))
    assert second.submit(waiting, NOW) == (waiting, ())
    second.on_tick(tick(101.0, 2))
    first.on_tick(tick(101.0, 2))
    assert second.account() == first.account()


@given(
    trades=st.lists(
        st.tuples(st.sampled_from(Side), st.integers(1, 900), st.integers(1, 500)), max_size=12
    )
)
def test_money_is_only_moved_and_fees_are_all_that_is_lost_at_one_price(trades):
    broker = PaperBroker(100_000)
    for n, (side, quantity, price) in enumerate(trades):
        broker.set_price("AAPL", price)
        before = equity(broker.account(), {"AAPL": price})
        _, fills = broker.submit(order(str(n), side, quantity), NOW)
        after = equity(broker.account(), {"AAPL": price})
        paid = sum((f.fee for f in fills), Decimal(0))
        assert abs(before - after - paid) < Decimal("1e-9")
