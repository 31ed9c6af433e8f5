"""Execution: events in, events out; `settle` plays the bus and hands intents back to the agent."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.adapters.brokers.paper import PaperBroker
from engine.agents.execution import ExecutionAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.errors import InvalidValueError
from engine.domain.events import Event, EventType
from engine.domain.instrument import Instrument
from engine.domain.signals import (
    CycleRecord,
    Signal,
    SignalAction,
    SignalStrength,
    StepOutcome,
)
from engine.domain.trading import Account, Fill, HaltMode, Order, OrderStatus, Side, TradingHalt
from engine.trading.latch import KillSwitch

T = EventType
NOW = datetime(2008, 9, 26, 20, tzinfo=UTC)
INSTRUMENTS = (
    Instrument(symbol="AAPL", name="Apple"),
    Instrument(symbol="SPX", name="S&P 500", is_tradable=False),
)


class TurnedClock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def agent(*, attached=True, **config) -> ExecutionAgent:
    given = {
        "broker": PaperBroker(attached=attached),
        "instruments": INSTRUMENTS,
        "clock": TurnedClock(),
        "epoch": 7,
    }
    return ExecutionAgent("execution", EventBus(), StateManager(), given | config)


def tick(price, seconds=0, symbol="AAPL") -> Event:
    at = NOW + timedelta(seconds=seconds)
    data = {"symbol": symbol, "price": price, "as_of": at, "bar": None}
    return Event(T.MARKET_DATA, data, source="market_data", as_of=at)


def record(symbol="AAPL", score=0.4) -> CycleRecord:
    return CycleRecord(
        cycle_id=f"{symbol}-1", symbol=symbol, bar_closed_at=NOW, price=100.0, regime="ranging", votes=(),
        score=score, threshold=0.15, action=SignalAction.BUY, confidence=0.5,
    )  # fmt: skip


def signalled(action="BUY", quantity=50.0, symbol="AAPL", cycle_id="AAPL-1") -> Event:
    sign = 1 if action == "BUY" else -1
    signal = Signal(
        symbol=symbol, action=SignalAction(action), confidence=0.8, strength=SignalStrength.MODERATE, price=100.0,
        quantity=quantity, stop_loss=100.0 - 4 * sign, take_profit=100.0 + 8 * sign, strategy="momentum",
        reason="+12% in 14 bars", timestamp=NOW,
    )  # fmt: skip
    data = {"signal": signal.to_data(), "symbol": symbol, "action": action, "cycle_id": cycle_id}
    return Event(T.SIGNAL_GENERATED, data, source="strategy", as_of=NOW)


def settle(subject: ExecutionAgent, events: Iterable[Event]) -> list[Event]:
    """Return the events and all that follow from them, in the bus's order."""
    found, queue = [], list(events)
    while queue:
        event = replace(queue[0], as_of=queue[0].as_of or NOW)
        found.append(event)
        queue = [*queue[1:], *subject.handle(event)]
    return found


def kinds(events) -> list[EventType]:
    return [event.event_type for event in events]


def bought(**config) -> ExecutionAgent:
    """An agent that holds 50 AAPL, bought at 100, stop at 96, target at 108."""
    subject = agent(**config)
    subject.handle(tick(100.0))
    settle(subject, subject.handle(signalled()))
    subject.handle(tick(100.0, 1))
    assert subject.desk.account.position("AAPL").quantity == 50
    return subject


def test_a_signal_becomes_an_intent_before_anything_reaches_the_broker():
    subject = agent()
    subject.handle(tick(100.0))
    events = list(subject.handle(signalled()))
    assert kinds(events) == [T.ORDER_INTENDED]
    order = Order.from_data(events[0].data)
    assert (order.order_id, order.status, order.quantity) == (
        "ph-7-1",
        OrderStatus.INTENDED,
        Decimal(50),
    )
    assert subject.broker.open_orders() == ()


def test_an_entry_whose_stop_the_mark_has_passed_is_recorded_refused_and_never_sent():
    subject = agent()
    subject.handle(Event(T.CYCLE_RECORDED, record().to_data(), source="strategy"))
    subject.handle(tick(95.0))
    recorded, rejected = subject.handle(signalled())
    steps = {each["rule"]: each["outcome"] for each in recorded.data["steps"]}
    assert steps["Stop and target"] == "refused"
    assert "The mark 95.00 has reached the stop 96.00" in rejected.data["reason"]
    assert (rejected.event_type, subject.desk.orders) == (T.SIGNAL_REJECTED, {})


def test_a_stop_out_and_a_new_entry_of_the_same_close_are_not_both_sent():
    subject = bought()
    exits = list(subject.handle(tick(95.0, 2)))
    assert kinds(exits) == [T.ORDER_INTENDED]
    (rejected,) = subject.handle(signalled("SELL"))
    assert rejected.event_type is T.SIGNAL_REJECTED
    assert "An exit of AAPL is under way" in rejected.data["reason"]
    settle(subject, exits)
    assert kinds(subject.handle(tick(94.0, 3))) == [T.ORDER_FILLED]
    (late,) = subject.handle(signalled("SELL"))
    assert "AAPL left at its stop or target" in late.data["reason"]
    fresh = signalled("SELL")
    fresh.data["signal"]["timestamp"] = (NOW + timedelta(days=1)).isoformat()
    assert kinds(subject.handle(fresh)) == [T.ORDER_INTENDED]


def test_an_entry_that_waits_for_the_journal_does_not_leave_once_its_stop_is_reached():
    subject = agent()
    subject.handle(tick(100.0))
    intents = list(subject.handle(signalled()))
    subject.handle(tick(95.0, 1))
    told = settle(subject, intents)
    assert kinds(told) == [T.ORDER_INTENDED, T.ORDER_CANCELLED, T.SIGNAL_REJECTED]
    assert "reached its stop before it was filled" in told[1].data["reason"]


def test_the_whole_way_from_signal_to_fill():
    subject = agent()
    subject.handle(tick(100.0))
    subject.handle(Event(T.CYCLE_RECORDED, record().to_data(), source="strategy"))
    events = settle(subject, subject.handle(signalled()))
    assert kinds(events) == [
        T.CYCLE_RECORDED,
        T.ORDER_INTENDED,
        T.ORDER_PLACED,
        T.SIGNAL_EXECUTED,
    ]
    done = CycleRecord.from_data(events[0].data)
    assert done.cycle_id == "AAPL-1"
    assert done.order_id == "ph-7-1"
    assert done.verdict.startswith("Buy 50 AAPL at about 100.00")
    assert {s.rule for s in done.steps} >= {"Kill switch", "Threshold", "Position cap", "Lot size"}
    assert events[3].data == {
        "symbol": "AAPL",
        "action": "BUY",
        "order_id": "ph-7-1",
        "cycle_id": "AAPL-1",
    }
    assert subject.desk.account.positions == ()
    (filled,) = subject.handle(tick(101.0, 1))
    fill = Fill.from_data(filled.data)
    assert (filled.event_type, fill.price, fill.stop_loss) == (T.ORDER_FILLED, 101, 96)
    assert subject.desk.account == subject.broker.account()
    assert subject.desk.orders == {}


def test_a_broker_used_alone_fills_at_once():
    subject = agent(attached=False)
    subject.handle(tick(100.0))
    events = settle(subject, subject.handle(signalled()))
    assert kinds(events) == [T.ORDER_INTENDED, T.ORDER_PLACED, T.SIGNAL_EXECUTED, T.ORDER_FILLED]


def test_hold_leads_to_nothing():
    assert list(agent().handle(signalled("HOLD"))) == []


def test_a_repeated_intent_is_sent_once():
    subject = agent()
    subject.handle(tick(100.0))
    (intent,) = subject.handle(signalled())
    assert len(list(subject.handle(intent))) == 2
    assert list(subject.handle(intent)) == []
    assert len(subject.broker.open_orders()) == 1


def test_somebody_elses_intent_is_not_sent():
    subject = agent()
    subject.handle(tick(100.0))
    (intent,) = subject.handle(signalled())
    assert list(subject.handle(replace(intent, source="stranger"))) == []


def test_a_refused_signal_tells_why():
    subject = agent()
    subject.handle(tick(100.0))
    subject.handle(Event(T.RISK_UPDATE, {"symbol": "AAPL", "risk_level": "critical"}))
    subject.handle(Event(T.CYCLE_RECORDED, record().to_data(), source="strategy"))
    recorded, refused = subject.handle(signalled())
    assert "CRITICAL" in recorded.data["verdict"]
    assert (refused.event_type, refused.data["reason"]) == (
        T.SIGNAL_REJECTED,
        recorded.data["verdict"],
    )


def test_a_target_that_is_held_already_is_recorded_and_not_called_a_refusal():
    subject = bought()
    subject.handle(Event(T.CYCLE_RECORDED, record().to_data(), source="strategy"))
    (recorded,) = subject.handle(signalled())
    assert recorded.data["verdict"] == "Long kept, no order. The target of +5.00% is held."


def test_an_index_is_never_ordered():
    subject = agent()
    subject.handle(tick(100.0, symbol="SPX"))
    (refused,) = subject.handle(signalled(symbol="SPX"))
    assert refused.event_type is T.SIGNAL_REJECTED


def test_a_stale_price_refuses_entries():
    clock = TurnedClock()
    subject = agent(clock=clock)
    subject.handle(tick(100.0))
    clock.seconds = 15.5
    (refused,) = subject.handle(signalled())
    assert "15.5 s old" in refused.data["reason"]
    subject.handle(tick(100.0, 15))
    assert kinds(subject.handle(signalled())) == [T.ORDER_INTENDED]


def test_a_day_that_lost_too_much_refuses_entries_until_the_next():
    subject = bought(max_position_size=1.0, max_daily_loss=0.02)
    subject.handle(tick(100.0, 2, "IBM"))
    subject.broker.set_price("AAPL", 50.0)
    subject.desk.mark("AAPL", 50.0, NOW)
    (refused,) = subject.handle(signalled(symbol="IBM", cycle_id=None))
    assert "Today's loss of 2.5" in refused.data["reason"]
    subject.desk.mark("IBM", 100.0, NOW + timedelta(days=1))
    assert kinds(subject.handle(signalled(symbol="IBM", cycle_id=None))) == [T.ORDER_INTENDED]


@pytest.mark.parametrize(("price", "words"), [(95.0, "stop loss 96.00"), (109.0, "take profit")])
def test_a_crossed_stop_or_target_closes_the_position(price, words):
    subject = bought()
    events = settle(subject, subject.handle(tick(price, 2)))
    assert kinds(events) == [T.ORDER_INTENDED, T.ORDER_PLACED]
    order = Order.from_data(events[0].data)
    assert (order.side, order.quantity, order.reduces) == (Side.SELL, Decimal(50), True)
    assert words in order.reason
    assert kinds(subject.handle(tick(price, 3))) == [T.ORDER_FILLED]
    assert subject.desk.account.positions == ()


def test_an_order_the_broker_refuses_ends_with_its_reason():
    subject = agent(broker=PaperBroker(100, attached=True), max_position_size=1.0)
    subject.handle(tick(100.0))
    events = settle(subject, subject.handle(signalled(quantity=1.0)))
    assert kinds(events) == [T.ORDER_INTENDED, T.ORDER_REJECTED, T.SIGNAL_REJECTED]
    assert "free cash" in events[1].data["reason"]
    assert subject.desk.orders == {}


def test_an_order_that_the_broker_drops_is_told():
    subject = agent(broker=PaperBroker(5005, attached=True), max_position_size=1.0)
    subject.handle(tick(100.0))
    settle(subject, subject.handle(signalled()))
    events = list(subject.handle(tick(107.0, 1)))
    assert kinds(events) == [T.ORDER_CANCELLED, T.SIGNAL_REJECTED]
    assert events[0].data["status"] == "EXPIRED"
    assert subject.desk.orders == {}


@pytest.mark.parametrize(
    ("price", "reached"), [(95.9, "reached its stop"), (108.1, "reached its target")]
)
def test_an_entry_is_not_filled_beyond_its_own_stop_or_target(price: float, reached: str):
    subject = agent()
    subject.handle(tick(100.0))
    settle(subject, subject.handle(signalled()))
    events = list(subject.handle(tick(price, 1)))
    assert kinds(events) == [T.ORDER_CANCELLED, T.SIGNAL_REJECTED]
    assert f"{reached} before it was filled" in events[0].data["reason"]
    assert subject.broker.open_orders() == ()
    assert subject.desk.account.positions == ()


def test_an_exit_is_filled_whatever_the_price():
    subject = bought()
    settle(subject, subject.handle(tick(95.0, 2)))
    events = list(subject.handle(tick(80.0, 3)))
    assert kinds(events) == [T.ORDER_FILLED]
    assert subject.desk.account.positions == ()


def loaded(symbol: str = "AAPL") -> Event:
    return Event(T.HISTORY_LOADED, {"symbol": symbol, "n_bars": 0}, source="market_data")


def test_what_waits_while_market_time_jumps_is_withdrawn_and_the_position_stays():
    subject = bought()
    subject.handle(loaded())
    settle(subject, subject.handle(signalled("SELL", quantity=100.0)))
    (waiting,) = subject.broker.open_orders()
    assert list(subject.handle(loaded("SPX"))) == [], "the first history of a symbol is the start"
    (cancelled,) = subject.handle(loaded())
    assert (cancelled.event_type, cancelled.data["order_id"]) == (
        T.ORDER_CANCELLED,
        waiting.order_id,
    )
    assert "market time jumped" in cancelled.data["reason"]
    assert subject.broker.open_orders() == ()
    assert subject.desk.account.position("AAPL").quantity == 50


def test_an_intent_that_is_on_its_way_when_market_time_jumps_never_leaves():
    subject = agent()
    subject.handle(loaded())
    subject.handle(tick(100.0))
    said = list(subject.handle(signalled()))
    assert T.ORDER_INTENDED in kinds(said), "given to the journal, and not back yet"
    assert list(subject.handle(loaded())) == []
    settled = settle(subject, said)
    cancelled = [e for e in settled if e.event_type is T.ORDER_CANCELLED]
    assert len(cancelled) == 1
    assert "market time jumped" in cancelled[0].data["reason"]
    assert T.ORDER_PLACED not in kinds(settled)
    assert list(subject.handle(tick(104.0, 1))) == []
    assert subject.broker.open_orders() == ()


def test_what_waited_at_a_restart_goes_on_waiting():
    subject = agent()
    order = Order(
        order_id="ph-6-1", symbol="AAPL", side=Side.BUY, quantity=Decimal(5), price=Decimal(100),
        status=OrderStatus.OPEN,
    )  # fmt: skip
    subject.restore(Account(), [order])
    assert list(subject.handle(loaded())) == []
    assert [o.order_id for o in subject.broker.open_orders()] == ["ph-6-1"]


def test_an_intent_that_was_not_journalled_does_not_block_its_symbol():
    clock = TurnedClock()
    subject = agent(clock=clock)
    subject.handle(tick(100.0))
    (intent,) = subject.handle(signalled())  # the bus never delivers it
    assert list(subject.handle(tick(100.0, 1))) == []
    clock.seconds = 11
    events = list(subject.handle(tick(100.0, 2)))
    assert kinds(events) == [T.ORDER_CANCELLED, T.SIGNAL_REJECTED]
    assert kinds(subject.handle(signalled())) == [T.ORDER_INTENDED]
    assert list(subject.handle(intent)) == []


def test_a_lost_intent_is_found_without_a_tick():
    clock = TurnedClock()
    subject = agent(clock=clock)
    subject.handle(tick(100.0))
    subject.handle(signalled())  # the bus never delivers what follows
    assert list(subject.cycle()) == []
    clock.seconds = 11
    assert kinds(subject.cycle()) == [T.ORDER_CANCELLED, T.SIGNAL_REJECTED]


# -- the kill switch -----------------------------------------------------------------------------------------------


def test_a_halt_cancels_what_waits_and_sends_no_more():
    subject = agent()
    subject.handle(tick(100.0))
    settle(subject, subject.handle(signalled()))
    events = subject.halt("ann", "rehearsal")
    assert kinds(events) == [T.ORDER_CANCELLED, T.TRADING_HALTED]
    halt = TradingHalt.from_data(events[1].data)
    assert (halt.mode, halt.cancelled_orders) == (HaltMode.HALTED, ("ph-7-1",))
    assert subject.broker.open_orders() == ()
    assert list(subject.handle(tick(101.0, 1))) == []
    (refused,) = subject.handle(signalled())
    assert "halted by ann" in refused.data["reason"]
    assert kinds(subject.resume_trading("ann")) == [T.TRADING_RESUMED]
    assert kinds(subject.handle(signalled())) == [T.ORDER_INTENDED]


def test_a_halt_between_intent_and_sending_stops_the_order():
    switch = KillSwitch()
    subject = agent(kill_switch=switch)
    subject.handle(tick(100.0))
    (intent,) = subject.handle(signalled())
    switch.set(TradingHalt(mode=HaltMode.HALTED, actor="ann"))
    events = list(subject.handle(intent))
    assert kinds(events) == [T.ORDER_CANCELLED, T.SIGNAL_REJECTED]
    assert subject.broker.open_orders() == ()


def test_a_halt_set_elsewhere_cancels_when_it_is_heard_of():
    switch = KillSwitch()
    subject = agent(kill_switch=switch)
    subject.handle(tick(100.0))
    settle(subject, subject.handle(signalled()))
    halt = TradingHalt(mode=HaltMode.HALTED, actor="ann")
    switch.set(halt)
    assert kinds(subject.handle(Event(T.TRADING_HALTED, halt.to_data()))) == [T.ORDER_CANCELLED]


def test_positions_stay_through_a_halt_even_at_their_stop():
    subject = bought()
    subject.halt("ann")
    assert list(subject.handle(tick(90.0, 2))) == []
    assert subject.desk.account.position("AAPL").quantity == 50


def test_a_stop_that_was_reached_meanwhile_closes_the_position_without_another_tick_once_it_may():
    subject = bought()
    subject.halt("ann")
    subject.handle(tick(95.0, 2))
    assert list(subject.cycle()) == [], "no order leaves while trading is halted"
    subject.resume_trading("ann")
    events = settle(subject, subject.cycle())
    exit_order = Order.from_data(events[0].data)
    assert (exit_order.side, exit_order.quantity, exit_order.reduces) == (Side.SELL, 50, True)
    assert events[0].as_of == NOW + timedelta(seconds=2), (
        "market time of the price, not of the clock"
    )
    assert kinds(events) == [T.ORDER_INTENDED, T.ORDER_PLACED]
    assert list(subject.cycle()) == [], "once"


def test_prices_from_before_a_restart_close_nothing_until_they_are_heard_again():
    before = bought()
    subject = agent(epoch=8)
    subject.restore(before.desk.account, (), marks={"AAPL": 90.0})
    assert list(subject.cycle()) == []
    subject.handle(tick(100.0, 3))
    assert list(subject.cycle()) == [], "it is not at its stop any more"


def test_reduce_only_lets_exits_through():
    subject = bought()
    subject.halt("ann", mode=HaltMode.REDUCING)
    events = settle(subject, subject.handle(signalled("SELL")))
    assert Order.from_data(events[0].data).quantity == 50
    assert T.ORDER_PLACED in kinds(events)


# -- starting again ------------------------------------------------------------------------------------------------


def test_a_restored_agent_goes_on_with_the_journals_account():
    before = bought()
    settle(before, before.handle(signalled("SELL")))
    after = agent(epoch=8)
    after.restore(
        before.desk.account, tuple(before.desk.orders.values()), before.desk.day_start_equity
    )
    (reconciled,) = after.reconcile()
    assert reconciled.data == {"orders_checked": 1, "differences": 0, "details": []}
    (filled,) = after.handle(tick(100.0, 2))
    assert filled.event_type is T.ORDER_FILLED
    assert after.desk.account.position("AAPL").quantity == -50


def test_an_intent_that_never_left_is_cancelled_at_the_start():
    before = agent()
    before.handle(tick(100.0))
    (intent,) = before.handle(signalled())
    after = agent(epoch=8)
    after.restore(Account(), (Order.from_data(intent.data),))
    events = after.reconcile()
    assert kinds(events) == [T.ORDER_CANCELLED, T.ORDERS_RECONCILED]
    assert after.desk.orders == {}


def test_a_difference_with_the_broker_stops_all_trading_and_is_named():
    subject = agent(attached=False)
    subject.broker.place_order("AAPL", 5, "BUY", price=100.0)
    (reconciled,) = subject.reconcile()
    assert reconciled.data["differences"] == 2
    assert "AAPL: broker 5, journal 0" in reconciled.data["details"]
    subject.handle(tick(100.0))
    (refused,) = subject.handle(signalled())
    assert "differs from the journal" in refused.data["reason"]


def test_a_jump_back_begins_with_a_fresh_account():
    subject = bought()
    settle(subject, subject.handle(signalled("SELL")))
    subject.handle(Event(T.FEED_CHANGED, {"run_id": "run-1"}))
    assert subject.desk.account.positions
    events = subject.handle(Event(T.FEED_CHANGED, {"run_id": "run-2"}))
    assert kinds(events) == [T.ORDER_CANCELLED]
    assert subject.desk.account == subject.broker.account() == Account()
    subject.handle(tick(100.0))
    (intent,) = subject.handle(signalled())
    assert intent.data["order_id"] not in {"ph-7-1", "ph-7-2"}


def test_two_agents_given_the_same_events_answer_the_same():
    script = [
        tick(100.0),
        signalled(),
        tick(101.0, 1),
        signalled("SELL"),
        tick(95.0, 2),
        tick(94.0, 3),
    ]

    def play() -> list[Event]:
        subject = agent()
        return [e for event in script for e in settle(subject, subject.handle(event))]

    assert play() == play()
    assert len(play()) > 6


# -- edges ---------------------------------------------------------------------------------------------------------


def test_a_flat_signal_without_the_typed_one_is_understood():
    subject = agent()
    flat = {"symbol": "AAPL", "action": "BUY", "price": 100.0, "quantity": 5.0, "confidence": 0.5}
    (intent,) = subject.handle(Event(T.SIGNAL_GENERATED, flat))
    assert intent.data["quantity"] == "5"


def test_limits_come_from_configuration_before_environment(monkeypatch):
    monkeypatch.setenv("MAX_POSITION_SIZE", "0.2")
    assert agent().limits.max_position_size == 0.2
    assert agent(max_position_size=0.03).limits.max_position_size == 0.03
    with pytest.raises(InvalidValueError, match="max_daily_loss"):
        agent(max_daily_loss=-1)


def test_the_position_cap_of_the_configuration_binds():
    subject = agent(max_position_size=0.01)
    subject.handle(tick(100.0))
    subject.handle(Event(T.CYCLE_RECORDED, record().to_data(), source="strategy"))
    recorded, intent = subject.handle(signalled())
    assert intent.data["quantity"] == "10"
    steps = CycleRecord.from_data(recorded.data).steps
    assert next(s for s in steps if s.rule == "Position cap").outcome is StepOutcome.CLAMPED
