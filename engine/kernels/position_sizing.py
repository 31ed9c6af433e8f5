"""How much to buy: the units whose loss at the stop is the fraction of equity that one trade may cost.

Units are whole lots, rounded down, so that neither the risk nor the cap is ever exceeded by rounding.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from engine.domain.errors import must


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSize:
    """Result of sizing.

    Parameters
    ----------
    units : Decimal
        A multiple of the lot, zero where not even one lot fits.
    risk_units, cap_units : float
        What each rule alone would allow, before rounding.
    is_capped : bool
        True where the cap decided and not the risk.
    """

    units: Decimal
    risk_units: float
    cap_units: float
    is_capped: bool


def position_size(
    equity: float,
    price: float,
    stop_loss: float,
    risk_per_trade: float = 0.02,
    max_position_size: float = 0.10,
    lot_size: Decimal = Decimal(1),
) -> PositionSize:
    """Return ``min(equity risk / |price - stop|, equity cap / price)`` in whole lots.

    Parameters
    ----------
    equity, price, stop_loss : float
        Money, and prices of one unit.
    risk_per_trade, max_position_size : float
        Fractions of equity: lost at the stop, and held at the price.

    Examples
    --------
    2 % of 100,000 over a stop of 10 is 200 units, but 10 % of 100,000 buys only 100 at a price of 100:

    >>> position_size(100_000, 100.0, 90.0).units
    Decimal('100')
    """
    for name, value in (("price", price), ("stop_loss", stop_loss)):
        if not (math.isfinite(value) and value > 0.0):
            raise must(name, "be finite and positive", value, "pass a price")
    for name, value in (
        ("risk_per_trade", risk_per_trade),
        ("max_position_size", max_position_size),
    ):
        if not 0.0 <= value <= 1.0:
            raise must(name, "lie between 0 and 1", value, "give a fraction of equity")
    if not math.isfinite(equity):
        raise must("equity", "be finite", equity, "value the account first")
    distance = abs(price - stop_loss)
    if distance == 0.0:
        raise must("stop_loss", "differ from the price", stop_loss, "move the stop")
    worth = max(equity, 0.0)
    risk_units, cap_units = worth * risk_per_trade / distance, worth * max_position_size / price
    units = _whole_lots(min(risk_units, cap_units), lot_size)
    return PositionSize(
        units=units, risk_units=risk_units, cap_units=cap_units, is_capped=cap_units < risk_units
    )


def _whole_lots(units: float, lot_size: Decimal) -> Decimal:
    # nine digits: 0.1 * 100000 / 100 must count as 100 lots even where binary makes it 99.99999999999999
    exact = Decimal(repr(round(units, 9)))
    return (exact / lot_size).to_integral_value(rounding=ROUND_FLOOR) * lot_size
