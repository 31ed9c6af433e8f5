"""The trader's desk: the account as the journal tells it, prices to value it, orders under way, the day's start.

Everything here is a fold of fills, orders and ticks; nothing asks a broker or a clock.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from engine.domain.market import HistoryLoaded
from engine.domain.signals import as_utc
from engine.domain.trading import Account, Fill, Order, OrderStatus, Position, Side
from engine.kernels.accounting import apply_fill, equity, mark_of
from engine.kernels.day_book import DayBook
from engine.trading import wording as say
from engine.trading.protection import Protection

ZERO = Decimal(0)


class Desk:
    """What execution must know between two events.

    Parameters
    ----------
    account : Account
        Cash and positions at the start.
    epoch : int
        The owner's fencing number: it is part of every order id, so two owners never give the same id.
    """

    def __init__(self, account: Account, epoch: int = 0) -> None:
        self.account = account
        self.orders: dict[str, Order] = {}
        self._book = DayBook()
        self._marked_at: dict[str, datetime] = {}
        self._left_at: dict[str, datetime] = {}
        self._epoch = epoch
        self._given = 0

    def restore(
        self,
        account: Account,
        open_orders: Iterable[Order],
        day_start_equity: Decimal | None = None,
        marks: Mapping[str, float] | None = None,
        day: date | None = None,
    ) -> None:
        """Continue from a journalled state; order numbers go on, so an id is never given twice.

        `day` is the date that `day_start_equity` belongs to; without it that of the next price is taken for it.
        """
        self.account = account
        self.orders = {order.order_id: order for order in open_orders}
        self._book = DayBook(marks, day_start_equity, day)
        self._marked_at, self._left_at = {}, {}

    def next_order_id(self) -> str:
        """Return ``ph-<epoch>-<n>``, each once."""
        self._given += 1
        return f"ph-{self._epoch}-{self._given}"

    def mark(self, symbol: str, price: float, as_of: datetime | None = None) -> None:
        """Take a price; the first one of a new UTC date fixes the day's starting equity at the prices before it."""
        self._book.mark(self.account, symbol, price, None if as_of is None else as_of.date())
        if as_of is not None:
            self._marked_at[symbol] = as_utc(as_of)

    def land(self, loaded: HistoryLoaded) -> None:
        """Take the closes at which a jump of the market's time landed; other histories change nothing."""
        at, close = loaded.last_close_at, loaded.last_close
        if at is None or close is None:
            return
        before = close if loaded.day_before is None else loaded.day_before
        if self._book.land(self.account, loaded.symbol, close, before, at.date()):
            self._marked_at[loaded.symbol] = as_utc(at)

    def marked_at(self, symbol: str) -> datetime | None:
        """Return the market time of the last price, UTC; None before any was heard since the start."""
        return self._marked_at.get(symbol)

    def reached(self, symbol: str, moment: datetime) -> datetime:
        """Return a moment that the market has reached: at most that of the symbol's last price, UTC."""
        at = self._marked_at.get(symbol)
        return moment if at is None else min(as_utc(moment), at)

    @property
    def marks(self) -> Mapping[str, float]:
        """Last price by symbol."""
        return self._book.marks

    @property
    def day_start_equity(self) -> Decimal | None:
        """What the account was worth when the market's day began; None before any day did."""
        return self._book.start

    @property
    def equity(self) -> Decimal:
        """Cash plus positions at the last prices."""
        return equity(self.account, self.marks)

    def apply(self, fill: Fill) -> None:
        """Take an executed order into the account."""
        self.account = apply_fill(self.account, fill)
        self.orders.pop(fill.order_id, None)

    def track(self, order: Order) -> None:
        """Keep an order while it is under way; a final status ends that."""
        if order.status in {OrderStatus.INTENDED, OrderStatus.OPEN, OrderStatus.UNKNOWN}:
            self.orders[order.order_id] = order
        else:
            self.orders.pop(order.order_id, None)

    def waiting(self, symbol: str) -> Decimal:
        """Return the signed quantity of orders under way."""
        return sum(
            (o.quantity * o.side.sign for o in self.orders.values() if o.symbol == symbol), ZERO
        )

    def expected(self, but: str = "") -> dict[str, Decimal]:
        """Return the signed quantity of every other symbol once all orders under way are filled."""
        found: dict[str, Decimal] = {p.symbol: p.quantity for p in self.account.positions}
        for order in self.orders.values():
            found[order.symbol] = found.get(order.symbol, ZERO) + order.quantity * order.side.sign
        return {symbol: quantity for symbol, quantity in found.items() if symbol != but}

    def standing(self) -> dict[str, float]:
        """Return what the limits of positions and of the day measure now, by name of the limit; fractions."""
        worth, start = self.equity, self.day_start_equity
        if worth <= 0:
            return {}
        values = [abs(p.quantity * mark_of(p, self.marks)) / worth for p in self.account.positions]
        found = {
            "max_position_size": float(max(values, default=ZERO)),
            "max_gross_exposure": float(sum(values, ZERO)),
        }
        if start is not None and start > 0:
            found["max_daily_loss"] = float((start - worth) / start)
        return found

    def protective_exit(self, symbol: str) -> Order | None:
        """Return the order that closes a position whose stop or target the last price has crossed, or None.

        What is under way counts: a position that a waiting order closes already gets no second exit.
        """
        position = self.account.position(symbol)
        price = self.marks.get(symbol)
        if position is None or price is None:
            return None
        reason = crossed(position, Decimal(str(price)))
        expected = position.quantity + self.waiting(symbol)
        if not reason or expected * position.quantity <= 0:
            return None
        if symbol in self._marked_at:
            self._left_at[symbol] = self._marked_at[symbol]
        return Order(
            order_id=self.next_order_id(),
            symbol=symbol,
            side=Side.SELL if position.quantity > 0 else Side.BUY,
            quantity=min(abs(position.quantity), abs(expected)),
            price=Decimal(str(price)),
            status=OrderStatus.INTENDED,
            reason=reason,
            reduces=True,
        )

    def leaving(self, symbol: str, since: datetime) -> str:
        """Return why an entry that was thought of at `since` would undo an exit, or nothing.

        The market times of exits decided here are not journalled; after a restart only what is under way counts.
        """
        if self._has_exit(symbol):
            return f"an exit of {symbol} is under way"
        left_at = self._left_at.get(symbol)
        if left_at is not None and left_at >= as_utc(since):
            return f"{symbol} left at its stop or target at this close or after it"
        return ""

    def objection(self, order: Order) -> str:
        """Return why an order that was decided must neither leave nor wait on at the price of now, or nothing.

        What reduces always leaves; an order that turns a position does so unless an exit is closing it already.
        """
        position, price = self.account.position(order.symbol), self.marks.get(order.symbol)
        if order.reduces:
            return ""
        if self._has_exit(order.symbol):
            return f"an exit of {order.symbol} was decided before it was filled"
        if price is None or (position is not None and position.quantity * order.side.sign < 0):
            return ""
        reached = Protection(
            direction=order.side.sign, stop=order.stop_loss, target=order.take_profit
        ).reached(Decimal(str(price)))
        if reached is None:
            return ""
        return f"the mark {say.price(Decimal(str(price)))} reached its {reached[0]} before it was filled"

    def _has_exit(self, symbol: str) -> bool:
        return any(order.symbol == symbol and order.reduces for order in self.orders.values())

    def differences(self, account: Account, open_orders: Iterable[Order]) -> tuple[str, ...]:
        """Return in words how a broker's account differs from this one; empty when they agree."""
        found = []
        if account.cash != self.account.cash:
            found.append(
                f"cash: broker {say.money(account.cash)}, journal {say.money(self.account.cash)}"
            )
        theirs = {p.symbol: p.quantity for p in account.positions}
        ours = {p.symbol: p.quantity for p in self.account.positions}
        for symbol in sorted({*theirs, *ours}):
            there, here = theirs.get(symbol, ZERO), ours.get(symbol, ZERO)
            if there != here:
                found.append(f"{symbol}: broker {say.units(there)}, journal {say.units(here)}")
        known = {o.order_id for o in open_orders}
        sent = {o.order_id for o in self.orders.values() if o.status is not OrderStatus.INTENDED}
        found.extend(f"order {name} is open at one side only" for name in sorted(known ^ sent))
        return tuple(found)


def crossed(position: Position, price: Decimal) -> str:
    """Return which protective price of a position is reached, in words, or nothing."""
    reached = Protection(
        direction=1 if position.quantity > 0 else -1,
        stop=position.stop_loss,
        target=position.take_profit,
    ).reached(price)
    if reached is None:
        return ""
    name, limit = reached
    words = {"stop": "stop loss", "target": "take profit"}[name]
    return f"{words} {say.price(limit)} reached at {say.price(price)}"
