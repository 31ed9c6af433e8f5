"""Returns from prices: simple for profit and ratios, log for simulation.

Fractions, never percent; the first price gives no return, so n prices give n - 1 returns.
"""

import numpy as np
from numpy.typing import ArrayLike

from engine.kernels.series import FloatArray, as_prices


def simple_returns(prices: ArrayLike) -> FloatArray:
    """Return ``p[t] / p[t-1] - 1``.

    Parameters
    ----------
    prices : array_like of shape (n,), n >= 2
        Positive prices, oldest first.

    Returns
    -------
    ndarray of shape (n - 1,)

    Examples
    --------
    >>> simple_returns([100.0, 110.0, 99.0]).round(6).tolist()
    [0.1, -0.1]
    """
    p = as_prices("prices", prices, 2)
    result: FloatArray = p[1:] / p[:-1] - 1.0
    return result


def log_returns(prices: ArrayLike) -> FloatArray:
    """Return ``ln(p[t] / p[t-1])``.

    Parameters
    ----------
    prices : array_like of shape (n,), n >= 2
        Positive prices, oldest first.

    Returns
    -------
    ndarray of shape (n - 1,)
    """
    result: FloatArray = np.diff(np.log(as_prices("prices", prices, 2)))
    return result
