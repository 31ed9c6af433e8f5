"""Where orders go. A broker is asked to place; what happened comes back as updates, by client order id."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from engine.domain.market import Tick
from engine.domain.trading import Account, Fill, Order


class Broker(Protocol):
    """One account at one venue. `submit` with an `order_id` that is known already changes nothing."""

    def submit(self, order: Order, now: datetime) -> tuple[Order, tuple[Fill, ...]]:
        """Return the order with its status (OPEN, FILLED or REJECTED with `reason`) and its fills so far."""
        ...

    def cancel(self, order_id: str) -> Order | None:
        """Cancel an open order; None when no open order has this id."""
        ...

    def on_tick(self, tick: Tick) -> tuple[Fill, ...]:
        """Tell a simulated broker a price; return the fills that it causes."""
        ...

    def open_orders(self) -> tuple[Order, ...]:
        """Return the orders that wait."""
        ...

    def account(self) -> Account:
        """Return cash and positions as the broker sees them."""
        ...

    def restore(self, account: Account, open_orders: Sequence[Order]) -> None:
        """Continue from a journalled state (simulated brokers only)."""
        ...

    def cash_value(self) -> Decimal:
        """Return the free cash."""
        ...
