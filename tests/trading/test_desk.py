"""The desk folds fills, orders and prices."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.domain.trading import Account, Fill, Order, OrderStatus, Position, Side
from engine.trading.desk import Desk

NOW = datetime(2008, 9, 26, 20, tzinfo=UTC)
LONG = Position(
    symbol="AAPL", quantity=Decimal(10), entry_price=Decimal(100), opened_at=NOW,
    stop_loss=Decimal(96), take_profit=Decimal(108),
)  # fmt: skip
SHORT = replace(LONG, quantity=Decimal(-10), stop_loss=Decimal(104), take_profit=Decimal(92))


def desk(*positions) -> Desk:
    return Desk(Account(positions=positions), epoch=3)


def waiting(side, quantity, order_id="w", status=OrderStatus.OPEN) -> Order:
    return Order(
        order_id=order_id, symbol="AAPL", side=side, quantity=Decimal(quantity), price=Decimal(100),
        status=status,
    )  # fmt: skip


def test_order_ids_carry_the_epoch_and_go_on_after_a_restore():
    subject = desk()
    assert subject.next_order_id() == "ph-3-1"
    subject.restore(Account(), ())
    assert subject.next_order_id() == "ph-3-2"


def test_the_day_starts_at_the_equity_before_its_first_price():
    subject = desk(LONG)
    subject.mark("AAPL", 100.0, NOW)
    subject.mark("AAPL", 90.0, NOW + timedelta(minutes=1))
    assert subject.day_start_equity == 101_000
    subject.mark("AAPL", 80.0, NOW + timedelta(days=1))
    assert subject.day_start_equity == 100_900
    assert subject.equity == 100_800


def test_a_restored_day_keeps_its_start_until_the_date_changes():
    subject = desk()
    subject.restore(Account(), (), Decimal(99_000))
    subject.mark("AAPL", 80.0, NOW)
    assert subject.day_start_equity == 99_000
    subject.mark("AAPL", 80.0, NOW + timedelta(days=1))
    assert subject.day_start_equity == 100_000


@pytest.mark.parametrize(
    ("position", "price", "side", "words"),
    [
        (LONG, 96.0, Side.SELL, "stop loss 96.00 reached at 96.00"),
        (LONG, 109.0, Side.SELL, "take profit 108.00 reached at 109.00"),
        (SHORT, 105.0, Side.BUY, "stop loss 104.00 reached at 105.00"),
        (SHORT, 92.0, Side.BUY, "take profit 92.00 reached at 92.00"),
    ],
)
def test_a_crossed_stop_or_target_closes_the_position(position, price, side, words):
    subject = desk(position)
    subject.mark("AAPL", price)
    order = subject.protective_exit("AAPL")
    assert (order.side, order.quantity, order.reason) == (side, Decimal(10), words)
    assert order.reduces


@pytest.mark.parametrize("position", [LONG, SHORT])
def test_between_stop_and_target_nothing_is_closed(position):
    subject = desk(position)
    subject.mark("AAPL", 100.0)
    assert subject.protective_exit("AAPL") is None


def test_an_exit_under_way_is_not_sent_twice():
    subject = desk(LONG)
    subject.mark("AAPL", 90.0)
    subject.track(waiting(Side.SELL, 10))
    assert subject.protective_exit("AAPL") is None
    subject.track(waiting(Side.SELL, 4))
    assert subject.protective_exit("AAPL").quantity == 6


def test_a_symbol_is_leaving_while_its_exit_is_under_way_and_until_the_next_close():
    subject = desk(LONG)
    assert subject.leaving("AAPL", NOW) == ""
    subject.mark("AAPL", 90.0, NOW)
    exit_order = subject.protective_exit("AAPL")
    subject.track(exit_order)
    assert subject.leaving("AAPL", NOW + timedelta(days=1)) == "an exit of AAPL is under way"
    assert subject.leaving("MSFT", NOW) == ""
    subject.track(replace(exit_order, status=OrderStatus.FILLED))
    for earlier in (timedelta(0), timedelta(hours=1)):
        assert "left at its stop or target" in subject.leaving("AAPL", NOW - earlier)
    assert subject.leaving("AAPL", NOW + timedelta(seconds=1)) == ""


def test_a_new_run_has_no_exit_behind_it():
    subject = desk(LONG)
    subject.mark("AAPL", 90.0, NOW)
    subject.protective_exit("AAPL")
    subject.restore(Account(), ())
    assert subject.leaving("AAPL", NOW) == ""


ENTRY = replace(waiting(Side.BUY, 4, "new"), stop_loss=Decimal(96), take_profit=Decimal(108))


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (96.0, "the mark 96.00 reached its stop before it was filled"),
        (108.0, "the mark 108.00 reached its target before it was filled"),
        (100.0, ""),
    ],
)
def test_an_entry_does_not_leave_when_the_price_reached_its_stop_or_target_meanwhile(price, words):
    subject = desk()
    subject.mark("AAPL", price)
    assert subject.objection(ENTRY) == words
    assert subject.objection(replace(ENTRY, reduces=True)) == ""


def test_an_entry_does_not_leave_beside_an_exit_and_a_turn_of_position_does_leave():
    subject = desk(SHORT)
    subject.mark("AAPL", 95.0)
    assert subject.objection(replace(ENTRY, quantity=Decimal(20))) == ""
    subject.track(replace(waiting(Side.BUY, 10), reduces=True))
    assert subject.objection(ENTRY) == "an exit of AAPL was decided before it was filled"


def test_a_final_status_ends_the_tracking():
    subject = desk()
    subject.track(waiting(Side.BUY, 4))
    assert subject.waiting("AAPL") == 4
    subject.track(waiting(Side.BUY, 4, status=OrderStatus.REJECTED))
    assert subject.waiting("AAPL") == 0


def test_a_fill_moves_the_account_and_ends_its_order():
    subject = desk()
    subject.track(waiting(Side.BUY, 4))
    subject.apply(
        Fill(
            fill_id="w-1",
            order_id="w",
            symbol="AAPL",
            side=Side.BUY,
            quantity=Decimal(4),
            price=Decimal(100),
            fee=Decimal("0.2"),
            filled_at=NOW,
        )
    )
    assert subject.orders == {}
    assert subject.account.cash == Decimal("99599.8")


def test_differences_name_cash_positions_and_orders():
    subject = desk(LONG)
    assert subject.differences(subject.account, ()) == ()
    subject.track(waiting(Side.BUY, 1))
    subject.track(waiting(Side.BUY, 1, "never-sent", OrderStatus.INTENDED))
    assert subject.differences(Account(cash=Decimal(5)), ()) == (
        "cash: broker $5.00, journal $100,000.00",
        "AAPL: broker 0, journal 10",
        "order w is open at one side only",
    )
