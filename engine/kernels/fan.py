"""Quantiles of paths as prices: each row is looked at once, and only what was asked for is ever exponentiated."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import must
from engine.domain.forecast import FAN_LEVELS
from engine.kernels.paths import checked_spot
from engine.kernels.selection import row_quantiles
from engine.kernels.series import FloatArray


def fan_prices(
    rows: NDArray[np.floating], spot: float, levels: Sequence[float] = FAN_LEVELS
) -> FloatArray:
    """Return the fan of paths.

    Parameters
    ----------
    rows : ndarray of shape (n_steps, n_paths), float32 or float64
        Log prices relative to spot, the first row one step ahead.
    levels : sequence of float
        From 0 to 1, ascending.

    Returns
    -------
    ndarray of shape (len(levels), n_steps + 1)
        Prices; the first column is spot to the bit.

    Raises
    ------
    InvalidValueError
        Paths as `row_quantiles` refuses them, or a price beyond the range of floating-point numbers.

    Examples
    --------
    >>> fan_prices(np.log([[1.1, 1.0, 1.2], [0.5, 1.0, 2.0]]), 100.0, [0.5]).round(3).tolist()
    [[100.0, 110.0, 100.0]]
    """
    quantiles = row_quantiles(rows, levels)
    prices = np.empty((quantiles.shape[0], quantiles.shape[1] + 1))
    prices[:, 0] = checked_spot(spot)
    with np.errstate(over="ignore", under="ignore"):  # a price out of range is refused below
        prices[:, 1:] = spot * np.exp(quantiles)
    if not ((prices > 0.0) & (prices < math.inf)).all():
        raise must(
            "rows", "keep every price a positive number", "out of range", "check the unit of volatility and drift"
        )  # fmt: skip
    return prices
