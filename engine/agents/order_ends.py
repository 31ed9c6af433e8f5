"""How orders end without a fill: refused, cancelled, overtaken, dropped, or lost before they left."""

from dataclasses import replace

from engine.agents.base import BaseAgent
from engine.domain.events import Event, EventType
from engine.domain.signals import SignalAction
from engine.domain.trading import Order, OrderStatus
from engine.ports.broker import Broker
from engine.trading.desk import Desk

INTENT_LIFE_S = 10.0
"""An intent that did not come back from the bus within so many seconds was not journalled: its order never leaves."""


class OrderEnds(BaseAgent):
    """Part of the execution agent: the events of orders that end without a fill."""

    broker: Broker
    desk: Desk
    _actions: dict[str, SignalAction]
    """What the signal behind an order asked for, by order id."""
    _intended_at_s: dict[str, float]
    """When an intent was given to the bus, by order id."""
    _overtaken: dict[str, str]
    """Why an intent that is on its way through the journal must not leave any more, by order id."""

    def _ended(self, order: Order, status: OrderStatus, reason: str) -> Event:
        """Return the event of an order that ends without a fill."""
        ended = replace(order, status=status, reason=reason)
        self.desk.track(ended)
        is_rejection = status is OrderStatus.REJECTED
        kind = EventType.ORDER_REJECTED if is_rejection else EventType.ORDER_CANCELLED
        return self.event(kind, ended)

    def _undone(self, order: Order, status: OrderStatus, reason: str) -> list[Event]:
        events = [self._ended(order, status, reason)]
        action = self._actions.pop(order.order_id, None)
        if action is not None:
            events.append(self._refused(order.symbol, action, reason, order.cycle_id))
        return events

    def _refused(
        self, symbol: str, action: SignalAction, reason: str, cycle_id: str | None
    ) -> Event:
        data = {"symbol": symbol, "action": action.value, "reason": reason, "cycle_id": cycle_id}
        return self.event(EventType.SIGNAL_REJECTED, data)

    def _withdrawn(self, symbol: str) -> list[Event]:
        """Return the ends of orders that the newest price has overtaken."""
        events = []
        for order in tuple(self.desk.orders.values()):
            if order.symbol != symbol or order.status is not OrderStatus.OPEN:
                continue
            objection = self.desk.objection(order)
            if objection and self.broker.cancel(order.order_id) is not None:
                events.extend(self._undone(order, OrderStatus.CANCELLED, objection))
        return events

    def _expired(self, symbol: str) -> list[Event]:
        """Return the ends of orders that the broker dropped without a fill."""
        there = {order.order_id for order in self.broker.open_orders()}
        gone = [
            order
            for order in self.desk.orders.values()
            if order.symbol == symbol
            and order.status is OrderStatus.OPEN
            and order.order_id not in there
        ]
        reason = "the account could no longer carry it at this price"
        return [event for o in gone for event in self._undone(o, OrderStatus.EXPIRED, reason)]

    def _withdraw_all(self, symbol: str, reason: str) -> list[Event]:
        """Return the ends of what waits at the broker; an intent on its way ends when it has come back."""
        for order in self.desk.orders.values():
            if order.symbol == symbol and order.status is OrderStatus.INTENDED:
                self._overtaken[order.order_id] = reason
        return self._cancel_open(reason, symbol)

    def _lost(self) -> list[Event]:
        """Return the ends of orders whose intent was not journalled, or came while this agent was paused."""
        now_s, events = self._clock.monotonic(), []
        for order_id, at_s in tuple(self._intended_at_s.items()):
            if now_s - at_s <= INTENT_LIFE_S:
                continue
            del self._intended_at_s[order_id]
            order = self.desk.orders.get(order_id)
            if order is not None and order.status is OrderStatus.INTENDED:
                reason = "its intent was not journalled in time"
                events.extend(self._undone(order, OrderStatus.CANCELLED, reason))
        return events

    def _cancel_open(
        self, reason: str, symbol: str | None = None, *, but_exits: bool = False
    ) -> list[Event]:
        """Cancel what waits at the broker, of one symbol or all, and return the ends; exits may be left to wait on."""
        events = []
        for order in tuple(self.desk.orders.values()):
            is_meant = symbol in {None, order.symbol} and not (but_exits and order.reduces)
            if is_meant and self.broker.cancel(order.order_id) is not None:
                events.append(self._ended(order, OrderStatus.CANCELLED, reason))
                self._actions.pop(order.order_id, None)
        return events
