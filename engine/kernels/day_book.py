"""The last prices that value an account, and what it was worth when the day began.

A day is a UTC date of the market. Its profit counts from the account's worth at the last prices before it, also where
the market's time jumped over many days: then those of the day before the landing count, and what came in between is
nobody's day.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from engine.domain.trading import Account
from engine.kernels.accounting import equity


class DayBook:
    """Kept by whoever folds prices and fills.

    Parameters
    ----------
    marks : mapping of str to float
        Last price by symbol.
    start : Decimal, optional
        Worth at the start of `day`; without it, that of the first price's day is taken for it.
    day : date, optional
    """

    def __init__(
        self,
        marks: Mapping[str, float] | None = None,
        start: Decimal | None = None,
        day: date | None = None,
    ) -> None:
        self.marks: dict[str, float] = dict(marks or {})
        self.start, self.day = start, day
        self._before: dict[str, float] | None = None

    def mark(self, account: Account, symbol: str, price: float, day: date | None = None) -> bool:
        """Take a price; return whether it begins a day, whose start is then worth the prices before it."""
        self._before = None
        is_new = day is not None and day != self.day
        if is_new:
            if self.day is not None or self.start is None:
                self.start = equity(account, self.marks)
            self.day = day
        self.marks[symbol] = price
        return is_new

    def land(
        self, account: Account, symbol: str, close: float, day_before: float, day: date
    ) -> bool:
        """Take the close at which a jump landed, and that of the day before it; return whether there was a jump.

        Symbols land one after another; the last one completes the start of the day. Without a day so far, or on the
        same or an earlier one, nothing is skipped.
        """
        if self._before is None:
            if self.day is None or day <= self.day:
                return False
            self._before = dict(self.marks)
        self._before[symbol] = day_before
        self.marks[symbol] = close
        self.start, self.day = equity(account, self._before), day
        return True
