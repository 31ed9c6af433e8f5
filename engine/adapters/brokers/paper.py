"""A broker made of arithmetic: it fills at prices it is told, charges a fee, and never invents liquidity or money.

Alone it fills at the given or last price; attached to a feed, at the first later tick. Money is Decimal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from engine.domain.errors import must
from engine.domain.market import Tick
from engine.domain.signals import SignalAction
from engine.domain.trading import Account, Fill, Order, OrderStatus, Position, Side
from engine.kernels.accounting import apply_fill, equity, mark_of

FEE_BPS = Decimal(5)
_KEPT_ORDERS = 10_000
_FEE_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class _Waiting:
    order: Order
    since: datetime | None


class PaperBroker:
    """One simulated account.

    Long exposure and short exposure may each reach equity: sale proceeds of shorts are collateral, not free cash.

    Parameters
    ----------
    capital : number
        Cash at the start.
    fee_bps : Decimal
        Fee in basis points of the notional, charged on every fill.
    attached : bool
        True: an order waits and is filled by the first later tick of its symbol.

    Examples
    --------
    >>> broker = PaperBroker(capital=100_000)
    >>> broker.place_order("AAPL", 10, "BUY", price=150.0).status.value
    'FILLED'
    >>> broker.cash
    Decimal('98499.2500')
    """

    def __init__(
        self,
        capital: Decimal | float = 100_000,
        *,
        fee_bps: Decimal = FEE_BPS,
        attached: bool = False,
        name: str = "paper",
    ) -> None:
        cash = _decimal("capital", capital, "give an amount of money above zero")
        self._account = Account(name=name, initial_cash=cash, cash=cash)
        self._fee_share = Decimal(fee_bps) / 10_000
        self._attached = attached
        self._prices: dict[str, float] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._known: dict[str, Order] = {}
        self._placed = 0

    def place_order(
        self,
        symbol: str,
        quantity: Decimal | float,
        signal: str | SignalAction,
        price: float | None = None,
    ) -> Order | None:
        """Return the order that this signal word makes, or None for HOLD.

        Raises
        ------
        InvalidValueError
            The quantity or price is no positive number, or the word is none of BUY, SELL and HOLD.
        """
        action = _action(signal)
        units = _decimal("quantity", quantity, "give a number of units above zero")
        if action is SignalAction.HOLD:
            return None
        if price is not None:
            self.set_price(symbol, price)
        self._placed += 1
        order = Order(
            order_id=f"{self._account.name}-{self._placed}",
            symbol=symbol,
            side=Side(action.value),
            quantity=units,
            price=Decimal(str(self._prices.get(symbol, 0.0))),
            status=OrderStatus.INTENDED,
            account=self._account.name,
        )
        return self.submit(order, datetime.now(UTC))[0]

    def set_price(self, symbol: str, price: float) -> None:
        """Tell the price at which the next order of this symbol fills and positions are valued."""
        self._prices[symbol] = float(_decimal("price", price, "give a price above zero"))

    @property
    def cash(self) -> Decimal:
        """Cash in the account, proceeds of short sales included."""
        return self._account.cash

    @property
    def positions(self) -> dict[str, Position]:
        """What is held, by symbol."""
        return {position.symbol: position for position in self._account.positions}

    def submit(self, order: Order, now: datetime) -> tuple[Order, tuple[Fill, ...]]:
        """Return the order with its new status and its immediate fills; a known `order_id` changes nothing."""
        known = self._known.get(order.order_id)
        if known is not None:
            return known, ()
        refusal = self._refusal(order)
        if refusal:
            return self._remember(replace(order, status=OrderStatus.REJECTED, reason=refusal)), ()
        if self._attached:
            placed = self._remember(replace(order, status=OrderStatus.OPEN))
            self._waiting[order.order_id] = _Waiting(placed, now)
            return placed, ()
        fill = self._fill(order, self._price_of(order), now)
        return self._known[order.order_id], (fill,)

    def cancel(self, order_id: str) -> Order | None:
        """Cancel a waiting order; None when none has this id."""
        waiting = self._waiting.pop(order_id, None)
        if waiting is None:
            return None
        return self._remember(replace(waiting.order, status=OrderStatus.CANCELLED))

    def on_tick(self, tick: Tick) -> tuple[Fill, ...]:
        """Return the fills that this price causes.

        An order that the account can no longer carry at this price expires without a fill.
        """
        self._prices[tick.symbol] = tick.price
        due = [
            w.order
            for w in self._waiting.values()
            if w.order.symbol == tick.symbol and (w.since is None or tick.as_of > w.since)
        ]
        fills = []
        price = Decimal(str(tick.price))
        for order in due:
            del self._waiting[order.order_id]
            refusal = self._unaffordable(order, price)
            if refusal:
                self._remember(replace(order, status=OrderStatus.EXPIRED, reason=refusal))
            else:
                fills.append(self._fill(order, price, tick.as_of))
        return tuple(fills)

    def open_orders(self) -> tuple[Order, ...]:
        """Return the orders that wait, oldest first."""
        return tuple(waiting.order for waiting in self._waiting.values())

    def order(self, order_id: str) -> Order | None:
        """Return an order by its id, whatever became of it, or None when it never arrived here."""
        return self._known.get(order_id)

    def account(self) -> Account:
        """Return cash and positions."""
        return self._account

    def restore(self, account: Account, open_orders: Sequence[Order]) -> None:
        """Continue from a journalled account and its open orders."""
        self._account = account
        self._waiting = {o.order_id: _Waiting(o, None) for o in open_orders}
        self._known = {o.order_id: o for o in open_orders}

    def cash_value(self) -> Decimal:
        """Return the free cash: cash less the value of shorts and of what waiting buys will cost."""
        shorts = sum(
            (
                -p.quantity * mark_of(p, self._prices)
                for p in self._account.positions
                if p.quantity < 0
            ),
            Decimal(0),
        )
        reserved = sum(
            (
                self._cost(w.order, self._price_of(w.order))
                for w in self._waiting.values()
                if w.order.side is Side.BUY and not self._only_reduces(w.order)
            ),
            Decimal(0),
        )
        return self._account.cash - shorts - reserved

    def _refusal(self, order: Order) -> str:
        if not order.quantity.is_finite() or order.quantity <= 0:
            return f"quantity must be a number above zero, was {order.quantity}; correct the order"
        price = self._price_of(order)
        if not price.is_finite() or price <= 0:
            return f"no price of {order.symbol} is known; give a price or wait for the first tick"
        return self._unaffordable(order, price)

    def _unaffordable(self, order: Order, price: Decimal) -> str:
        if self._only_reduces(order):
            return ""
        if order.side is Side.BUY:
            cost, free = self._cost(order, price), self.cash_value() + self._covered(order, price)
            if cost > free:
                return f"the order costs ${cost:,.2f} with fee, free cash is ${free:,.2f}; order fewer units"
            return ""
        worth = equity(self._account, self._prices)
        short = self._short_after(order, price)
        if short > worth:
            return f"short positions would reach ${short:,.2f}, equity is ${worth:,.2f}; order fewer units"
        return ""

    def _short_after(self, order: Order, price: Decimal) -> Decimal:
        """Return the value of all shorts once this order and all waiting sales are filled."""
        holdings = {p.symbol: p.quantity for p in self._account.positions}
        sales = [w.order for w in self._waiting.values() if w.order.side is Side.SELL]
        for sale in (*sales, order):
            holdings[sale.symbol] = holdings.get(sale.symbol, Decimal(0)) - sale.quantity
        marks = {symbol: self._mark(symbol) for symbol in holdings} | {order.symbol: price}
        return sum((-q * marks[s] for s, q in holdings.items() if q < 0), Decimal(0))

    def _mark(self, symbol: str) -> Decimal:
        position = self._account.position(symbol)
        if symbol in self._prices:
            return Decimal(str(self._prices[symbol]))
        return Decimal(0) if position is None else position.entry_price

    def _covered(self, order: Order, price: Decimal) -> Decimal:
        """Return the collateral that a purchase sets free by closing a short of its symbol."""
        return max(-self._held(order.symbol), Decimal(0)) * price

    def _only_reduces(self, order: Order) -> bool:
        held = self._held(order.symbol)
        return held * order.side.sign < 0 and order.quantity <= abs(held)

    def _held(self, symbol: str) -> Decimal:
        position = self._account.position(symbol)
        return Decimal(0) if position is None else position.quantity

    def _price_of(self, order: Order) -> Decimal:
        known = self._prices.get(order.symbol)
        return order.price if known is None else Decimal(str(known))

    def _cost(self, order: Order, price: Decimal) -> Decimal:
        return order.quantity * price + self._fee(order, price)

    def _fee(self, order: Order, price: Decimal) -> Decimal:
        return (order.quantity * price * self._fee_share).quantize(_FEE_STEP)

    def _fill(self, order: Order, price: Decimal, at: datetime) -> Fill:
        fill = Fill(
            fill_id=f"{order.order_id}-1",
            order_id=order.order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            price=price,
            fee=self._fee(order, price),
            filled_at=at,
            strategy=order.strategy,
            account=self._account.name,
            stop_loss=order.stop_loss,
            take_profit=order.take_profit,
        )
        self._account = apply_fill(self._account, fill)
        self._remember(replace(order, status=OrderStatus.FILLED))
        return fill

    def _remember(self, order: Order) -> Order:
        self._known[order.order_id] = order
        if len(self._known) > _KEPT_ORDERS:
            oldest = next(key for key in self._known if key not in self._waiting)
            del self._known[oldest]
        return order


def _action(signal: str | SignalAction) -> SignalAction:
    try:
        return SignalAction(str(signal).strip().upper())
    except ValueError:
        raise must("signal", "be BUY, SELL or HOLD", signal, "correct the word") from None


def _decimal(name: str, value: Decimal | float, remedy: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number <= 0:
        raise must(name, "be a finite number above zero", value, remedy)
    return number
