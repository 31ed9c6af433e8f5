"""Shape of a sample: skewness and excess kurtosis, in the biased form that published formulas use."""

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import NotEnoughDataError
from engine.kernels.series import as_series


def skewness(returns: ArrayLike) -> float:
    """Return the third standardised moment (biased): 0 for a symmetric sample, negative with a long left tail."""
    return _moment(returns, 3)


def excess_kurtosis(returns: ArrayLike) -> float:
    """Return the fourth standardised moment (biased) minus 3: 0 for a normal law, positive with fat tails."""
    return _moment(returns, 4) - 3.0


def _moment(returns: ArrayLike, order: int) -> float:
    r = as_series("returns", returns, 2)
    deviation = float(r.std())
    if deviation == 0.0:
        raise NotEnoughDataError(
            f"returns must have two values that differ, was n = {r.size} without; wait for more bars"
        )
    return float(np.mean(((r - r.mean()) / deviation) ** order))
