"""Section ``portfolio``: the account as the fold of its fills, valued at the last prices.

Money is Decimal. A day ends with its UTC date: its profit counts from the equity at the last price before.
"""

from collections import deque
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from engine.core.projection.fold import NOTHING, Fold, Names, Route
from engine.core.projection.market import closes_a_bar, market_time
from engine.domain.events import Event, EventType
from engine.domain.market import HistoryLoaded
from engine.domain.payload import Payload
from engine.domain.sections import EquityPoint, PortfolioSection
from engine.domain.trading import Account, Fill, Order
from engine.kernels.accounting import apply_fill, equity
from engine.kernels.day_book import DayBook

MAX_CURVE = 1_500
MAX_FILLS = 200
_ALL = ("portfolio", "trading")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept(Payload):
    section: PortfolioSection
    marks: dict[str, float]
    filled: dict[str, Decimal]
    peak: Decimal
    day: date | None


class PortfolioFold(Fold):
    """``portfolio``."""

    key = "portfolio"

    def __init__(self, account: Account) -> None:
        self._initial = account
        self._begin()

    def _begin(self) -> None:
        self._account = self._initial
        self._book = DayBook(start=equity(self._account, {}))
        self._held: frozenset[str] = frozenset(p.symbol for p in self._account.positions)
        self._orders: dict[str, Order] = {}
        self._filled: dict[str, Decimal] = {}
        self._fills: tuple[Fill, ...] = ()
        self._curve: deque[EquityPoint] = deque(maxlen=MAX_CURVE)
        self._peak = equity(self._account, {})

    def routes(self) -> dict[EventType, Route]:
        """Return the routes of prices, orders and fills."""
        under_way = (
            EventType.ORDER_INTENDED,
            EventType.ORDER_PLACED,
            EventType.ORDER_REJECTED,
            EventType.ORDER_CANCELLED,
        )
        return {
            EventType.MARKET_DATA: self._tick,
            EventType.HISTORY_LOADED: self._history,
            EventType.ORDER_FILLED: self._fill,
            EventType.PORTFOLIO_VALUED: lambda _: _ALL,
        } | dict.fromkeys(under_way, self._order)

    def names(self) -> Names:
        """Return ``portfolio``: an account is there from the start."""
        return ("portfolio",)

    def value(self, _name: str, /) -> PortfolioSection:
        """Return the account valued at the last prices."""
        book = self._book
        now = equity(self._account, book.marks)
        day_start = now if book.start is None else book.start
        last = self._curve[-1].equity if self._curve else now
        return PortfolioSection(
            account=self._account, equity=now, day_start_equity=day_start,
            day_pnl=now - day_start, peak_equity=max(self._peak, last, now),
            marks={symbol: p for symbol, p in book.marks.items() if symbol in self._held},
            positions=self._account.positions, open_orders=tuple(self._orders.values()),
            recent_fills=self._fills, equity_curve=tuple(self._curve), day=book.day,
        )  # fmt: skip

    def reset(self, _at: datetime | None, /) -> Names:
        """Begin again with a fresh account."""
        self._begin()
        return _ALL

    def kept(self) -> object:
        """Return the section, every mark, what is filled of open orders, and the day it stands in."""
        return _Kept(
            section=self.value("portfolio"), marks=dict(self._book.marks), filled=dict(self._filled),
            peak=self._peak, day=self._book.day,
        )  # fmt: skip

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        kept = msgspec.convert(data, _Kept, strict=False)
        section = kept.section
        self._account = section.account
        self._book = DayBook(kept.marks, section.day_start_equity, kept.day)
        self._held = frozenset(p.symbol for p in self._account.positions)
        self._orders = {order.order_id: order for order in section.open_orders}
        self._filled, self._fills = kept.filled, section.recent_fills
        self._curve = deque(section.equity_curve, maxlen=MAX_CURVE)
        self._peak = kept.peak

    def _tick(self, event: Event) -> Names:
        symbol = event.data["symbol"]
        at = market_time(event)
        is_new_day = self._book.mark(self._account, symbol, event.data["price"], at.date())
        is_close = closes_a_bar(event)
        if is_close:
            self._point(int(at.timestamp()))
        return _ALL if is_close or is_new_day or symbol in self._held else NOTHING

    def _history(self, event: Event) -> Names:
        """Value the account at the closes where a jump landed: the ticks in between never came."""
        loaded = HistoryLoaded.from_data(event.data)
        at, close = loaded.last_close_at, loaded.last_close
        if at is None or close is None:
            return NOTHING
        before = close if loaded.day_before is None else loaded.day_before
        if not self._book.land(self._account, loaded.symbol, close, before, at.date()):
            return NOTHING
        self._point(int(at.timestamp()))
        return _ALL

    def _point(self, at: int) -> None:
        """Set the point of this close; of symbols that close together the last one completes it."""
        now = EquityPoint(at=at, equity=equity(self._account, self._book.marks))
        curve = self._curve
        if curve and curve[-1].at == at:
            curve[-1] = now
            return
        if curve:
            self._peak = max(self._peak, curve[-1].equity)
        curve.append(now)

    def _order(self, event: Event) -> Names:
        order = Order.from_data(event.data)
        if event.event_type in {EventType.ORDER_REJECTED, EventType.ORDER_CANCELLED}:
            self._orders.pop(order.order_id, None)
            self._filled.pop(order.order_id, None)
        else:
            self._orders[order.order_id] = order
        return ("portfolio",)

    def _fill(self, event: Event) -> Names:
        fill = Fill.from_data(event.data)
        self._account = apply_fill(self._account, fill)
        self._held = frozenset(p.symbol for p in self._account.positions)
        self._fills = (fill, *self._fills[: MAX_FILLS - 1])
        order = self._orders.get(fill.order_id)
        if order is not None:
            filled = self._filled.get(fill.order_id, Decimal(0)) + fill.quantity
            self._filled[fill.order_id] = filled
            if filled >= order.quantity:
                del self._orders[fill.order_id], self._filled[fill.order_id]
        return _ALL
