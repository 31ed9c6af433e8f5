"""What kind of market this is: one word from closed bars, by a rule that fits in three lines.

The word scales each strategy's vote (see engine.strategies.regimes); it is not a forecast.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from engine.kernels.indicators import efficiency_ratio
from engine.kernels.returns import simple_returns
from engine.kernels.risk_score import MEDIAN_WINDOW
from engine.kernels.series import as_prices
from engine.kernels.volatility import ewma_sigmas

TURBULENT_RATIO = 1.75
"""Volatility over its median at which the risk score gives its second point."""

TREND_PERIOD = 20
TREND_EFFICIENCY = 0.4
"""About 15 of 100 windows of a random walk of 20 steps are that straight by chance."""


class Regime(StrEnum):
    """Kinds of market."""

    TRENDING = "trending"
    RANGING = "ranging"
    TURBULENT = "turbulent"
    UNKNOWN = "unknown"


def regime_of(closes: ArrayLike) -> Regime:
    """Return the regime after the last close.

    Parameters
    ----------
    closes : array_like of shape (n,)
        Adjusted closes, oldest first.

    Notes
    -----
    Turbulent when EWMA volatility exceeds 1.75 times its median over up to 1,000 bars; else trending when the
    efficiency ratio over 20 bars exceeds 0.4; else ranging. Unknown below 21 closes.
    """
    prices = as_prices("closes", closes, 0)
    if prices.size <= TREND_PERIOD:
        return Regime.UNKNOWN
    sigmas = ewma_sigmas(simple_returns(prices))
    if sigmas[-1] > TURBULENT_RATIO * np.median(sigmas[-MEDIAN_WINDOW:]):
        return Regime.TURBULENT
    straightness = efficiency_ratio(prices[-TREND_PERIOD - 1 :], TREND_PERIOD)[-1]
    return Regime.TRENDING if straightness > TREND_EFFICIENCY else Regime.RANGING
