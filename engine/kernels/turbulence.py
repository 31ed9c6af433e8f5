"""How restless a market is against its own habit: what the adaptive scheduler hears of it.

Volatility is the standard deviation of log returns per bar (ddof=1); inputs of the scheduler are 0 to 1, 0.5 is usual.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from engine.kernels.returns import log_returns
from engine.kernels.series import as_prices

RECENT = 20
"""Bars of the realised volatility."""
HABIT = 250
"""Readings behind the usual volatility, their median."""
LEAST = 60
"""Returns below which nothing is said."""
EXTREME = 2.5
"""Ratio of realised to usual volatility that counts as fully turbulent; its inverse as fully calm."""


def turbulence(closes: ArrayLike) -> float | None:
    """Return the realised volatility of the last 20 bars over its usual value, None while there is too little to go by.

    Parameters
    ----------
    closes : array_like of shape (n,)
        Positive closes, oldest first.

    Returns
    -------
    float or None
        1 is as usual; None below 60 returns or when the market never moved.

    Examples
    --------
    >>> turbulence([100.0, 101.0, 100.0]) is None
    True
    """
    prices = np.asarray(closes, dtype=np.float64)[-(HABIT + RECENT) :]
    if prices.size <= LEAST:
        return None
    r = log_returns(as_prices("closes", prices, LEAST + 1))
    readings = sliding_window_view(r, RECENT).std(axis=1, ddof=1)
    usual = float(np.median(readings))
    return float(readings[-1]) / usual if usual > 0.0 else None


def as_input(ratio: float) -> float:
    """Return a ratio of realised to usual as 0 (a `EXTREME`-th of it or less) to 1 (`EXTREME` times it or more).

    Examples
    --------
    >>> as_input(1.0), as_input(2.5), as_input(0.1)
    (0.5, 1.0, 0.0)
    """
    if ratio <= 0.0:
        return 0.0
    share = math.log(ratio) / math.log(EXTREME)
    return 0.5 + 0.5 * min(1.0, max(-1.0, share))
