"""How much returns move: annualised standard deviation and the RiskMetrics forecast.

Periods per year are always given, never guessed: 252 equities, 365 crypto daily, 365 x 24 crypto hourly.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.kernels.series import FloatArray, as_fraction, as_series

EWMA_LAMBDA = 0.94
EWMA_SEED = 20
_DIGITS = 100
"""Orders of magnitude that one running sum may span, of some 300 that doubles have."""


def annualised_volatility(returns: ArrayLike, periods_per_year: float) -> float:
    """Return the standard deviation (ddof=1) times the square root of the periods per year.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 2

    Examples
    --------
    >>> round(annualised_volatility([0.01, -0.01], 252), 6)
    0.224499
    """
    r = as_series("returns", returns, 2)
    return float(r.std(ddof=1)) * math.sqrt(checked_periods(periods_per_year))


def ewma_sigmas(returns: ArrayLike, decay: float = EWMA_LAMBDA) -> FloatArray:
    """Return the exponentially weighted volatility per period after each return.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 20
    decay : float
        Weight of yesterday's variance.

    Returns
    -------
    ndarray of shape (n,)
        Element t is the forecast for period t + 1 from the returns up to t.

    Notes
    -----
    Zero mean. The variance starts at that of the first 20 returns (ddof=0) and the recursion then runs over all n.
    Divided by ``decay**t`` the recursion is a running sum; the sum begins anew before that power leaves the range of
    doubles. All terms are positive, so nothing cancels.

    References
    ----------
    J.P. Morgan: RiskMetrics technical document, 4th edition (1996), section 5.2.
    """
    r = as_series("returns", returns, EWMA_SEED)
    kept, fresh = as_fraction("decay", decay), 1.0 - decay
    variance = float(np.var(r[:EWMA_SEED]))
    variances = np.empty(r.size)
    n_block = max(1, int(_DIGITS / -math.log10(kept)))
    for begin in range(0, r.size, n_block):
        part = r[begin : begin + n_block]
        scale = np.cumprod(np.full(part.size, kept))
        block = variances[begin : begin + n_block]
        np.cumsum(fresh * part * part / scale, out=block)
        block += variance
        block *= scale
        variance = float(block[-1])
    result: FloatArray = np.sqrt(variances)
    return result


def ewma_volatility(returns: ArrayLike, decay: float = EWMA_LAMBDA) -> float:
    """Return the volatility per period forecast after the last return; see `ewma_sigmas`."""
    return float(ewma_sigmas(returns, decay)[-1])


def checked_periods(periods_per_year: float) -> float:
    """Return the periods per year where they are a finite positive number."""
    if not (math.isfinite(periods_per_year) and periods_per_year > 0.0):
        raise must(
            "periods_per_year", "be finite and positive", periods_per_year, "take the instrument's"
        )
    return float(periods_per_year)
