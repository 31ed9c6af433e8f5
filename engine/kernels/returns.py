"""Returns from prices: simple for profit and ratios, log for simulation.

Fractions, never percent; the first price gives no return, so n prices give n - 1 returns.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import must
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


def return_ahead(spot: float, closes: FloatArray, horizon: int) -> float:
    """Return the log return from `spot` to the close of the horizon, as far as closes are known.

    Parameters
    ----------
    closes : ndarray of shape (n,)
        Those after spot's, oldest first.

    Raises
    ------
    InvalidValueError
        The closes end before the horizon.

    Examples
    --------
    >>> round(return_ahead(100.0, np.array([90.0, 110.0]), 2), 4)
    0.0953
    """
    if closes.size < horizon:
        raise must(
            "closes", f"reach {horizon} bars beyond the origin", closes.size, "wait for the horizon"
        )
    return math.log(closes[horizon - 1] / spot)
