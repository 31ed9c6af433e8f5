"""How far below its peak: drawdown is zero or negative, a fraction of the peak.

Returns are compounded and the start value 1.0 counts as a peak, so a loss in the first period is a drawdown.
"""

import numpy as np
from numpy.typing import ArrayLike

from engine.kernels.series import FloatArray, as_count, as_prices, as_series


def drawdowns(returns: ArrayLike) -> FloatArray:
    """Return the drawdown after each return.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 1
        Simple returns, compounded from 1.0.

    Returns
    -------
    ndarray of shape (n,), each <= 0

    Examples
    --------
    >>> drawdowns([0.10, -0.50, 0.20]).round(4).tolist()
    [0.0, -0.5, -0.4]
    """
    wealth = np.cumprod(1.0 + as_series("returns", returns, 1))
    peaks = np.maximum(np.maximum.accumulate(wealth), 1.0)
    result: FloatArray = wealth / peaks - 1.0
    return result


def max_drawdown(returns: ArrayLike) -> float:
    """Return the deepest drawdown of compounded wealth, the start value 1.0 included; zero or negative.

    Examples
    --------
    >>> round(max_drawdown([-0.10, 0.05]), 9)
    -0.1
    """
    return float(drawdowns(returns).min())


def from_high(prices: ArrayLike, window: int = 252) -> float:
    """Return how far the last price stands below the highest of the last `window`, a fraction <= 0.

    Fewer prices than the window are taken as they are; the last price is one of them.
    """
    p = as_prices("prices", prices, 1)[-as_count("window", window) :]
    return float(p[-1] / p.max() - 1.0)
