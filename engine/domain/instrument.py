"""What can be watched or traded, with the conventions that its numbers need."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from engine.domain.payload import Payload


class PriceKind(Enum):
    """What a bar of this instrument carries."""

    OHLCV = "ohlcv"
    CLOSE_ONLY = "close_only"
    """Adjusted closes alone: shown as a line and marked "adj"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument(Payload):
    r"""One instrument.

    Parameters
    ----------
    symbol : str
        Ticker, matching ``^[\w .^-]{1,64}$``.
    name : str
        What a person calls it.
    periods_per_year : float
        Bars per year, for annualising; never guessed.
    is_tradable : bool
        False for an index: watched and forecast, never ordered.
    """

    symbol: str
    name: str
    currency: str = "USD"
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal(1)
    calendar: str = "XNYS"
    periods_per_year: float = 252.0
    is_tradable: bool = True
    price_kind: PriceKind = PriceKind.OHLCV
