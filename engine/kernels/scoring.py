"""How good one forecast was: CRPS, pinball, Winkler and the place of the outcome in what was forecast (PIT).

A smaller score is better. Scores bear the unit of outcome and forecast; PITs lie strictly between 0 and 1.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from engine.domain.errors import InvalidValueError, must
from engine.domain.forecast import QUANTILE_LEVELS
from engine.kernels.series import FloatArray, as_fraction, as_series

LEVELS: FloatArray = np.asarray(QUANTILE_LEVELS)
"""The 27 levels as an array of shape (27,)."""
LEVEL_SCORES: FloatArray = ndtri(LEVELS)
"""Normal scores of the levels, shape (27,): the scale on which quantiles are interpolated."""
LEVELS.setflags(write=False)
LEVEL_SCORES.setflags(write=False)


def as_rows(name: str, values: ArrayLike, n_rows: int, least: int = 1) -> FloatArray:
    """Return `values` as finite floats of shape (n_rows, m), m >= `least`.

    Raises
    ------
    InvalidValueError
        Another shape, or a value that is not finite.
    """
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] != n_rows or rows.shape[1] < least:
        raise must(
            name,
            f"have shape ({n_rows}, at least {least})",
            rows.shape,
            "pass one row per outcome",
        )
    if not np.isfinite(rows).all():
        raise must(name, "be finite", "a value that is not", "drop that forecast")
    return rows


def as_quantiles(name: str, values: ArrayLike, n_rows: int) -> FloatArray:
    """Return `values` as quantiles at `QUANTILE_LEVELS`, shape (n_rows, 27), no row of which falls.

    Raises
    ------
    InvalidValueError
        Another shape, a value that is not finite, or quantiles that cross.
    """
    rows = as_rows(name, values, n_rows, LEVELS.size)
    if rows.shape[1] != LEVELS.size:
        raise must(name, f"have {LEVELS.size} columns", rows.shape[1], "give QUANTILE_LEVELS")
    if (np.diff(rows, axis=1) < 0.0).any():
        bad = int(np.flatnonzero((np.diff(rows, axis=1) < 0.0).any(axis=1))[0])
        raise InvalidValueError(
            f"{name} must not fall from level to level, was crossing in row {bad}; sort that row"
        )
    return rows


def crps_normal(means: ArrayLike, sigmas: ArrayLike, outcomes: ArrayLike) -> FloatArray:
    """Return the CRPS of normal forecasts, in closed form.

    Parameters
    ----------
    means, sigmas, outcomes : array_like of shape (n,)
        A sigma of 0 is a sure forecast and scores ``|outcome - mean|``.

    Returns
    -------
    ndarray of shape (n,)

    References
    ----------
    Gneiting, Raftery: Strictly proper scoring rules, prediction, and estimation. JASA 102 (2007), eq. 21.

    Examples
    --------
    >>> crps_normal([0.0], [1.0], [0.0]).round(6).tolist()
    [0.233695]
    """
    y = as_series("outcomes", outcomes)
    mean, sigma = _alike("means", means, y), _alike("sigmas", sigmas, y)
    if y.size and sigma.min() < 0.0:
        raise must("sigmas", "not be negative", float(sigma.min()), "give a deviation")
    miss = np.abs(y - mean)
    # a sigma of next to nothing may put z beyond the doubles: infinity is the right limit there
    with np.errstate(over="ignore"):
        z = np.divide(miss, sigma, out=np.full_like(y, np.inf), where=sigma > 0.0)
        density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    result: FloatArray = miss * (2.0 * ndtr(z) - 1.0) + sigma * (
        2.0 * density - 1.0 / np.sqrt(np.pi)
    )
    return result


def crps_sample(samples: ArrayLike, outcomes: ArrayLike, is_fair: bool = False) -> FloatArray:
    """Return the CRPS of sampled forecasts, ``mean |X - y| - mean |X - X'| / 2``.

    Parameters
    ----------
    samples : array_like of shape (n, m)
        Row i holds the m draws of forecast i; m >= 2 for the fair form.
    outcomes : array_like of shape (n,)
    is_fair : bool
        False: the V-statistic, which takes the mean over all m**2 pairs and scores the draws as they are. True: over
        the m (m - 1) pairs of different draws, which is unbiased for the law behind them.

    Returns
    -------
    ndarray of shape (n,)

    References
    ----------
    Ferro: Fair scores for ensemble forecasts. Q. J. R. Meteorol. Soc. 140 (2014).

    Examples
    --------
    >>> draws = [[-1.2, 0.3, 0.4, 2.2, 5.0]]
    >>> crps_sample(draws, [1.0]).round(3).tolist(), crps_sample(draws, [1.0], True).round(3).tolist()
    ([0.596], [0.31])
    """
    y = as_series("outcomes", outcomes)
    x = np.sort(as_rows("samples", samples, y.size, 2 if is_fair else 1), axis=1)
    m = x.shape[1]
    # sorted, the sum over pairs is a sum over draws: draw i stands above i others and below m - 1 - i
    above = 2.0 * np.arange(m) - (m - 1.0)
    # centred first: the ranks sum to zero, so a large common level would only cost digits
    pairs = (x - x.mean(axis=1, keepdims=True)) @ above
    spread = pairs / (m * (m - 1.0) if is_fair else float(m * m))
    result: FloatArray = np.abs(x - y[:, None]).mean(axis=1) - spread
    return result


def pinball(quantiles: ArrayLike, levels: ArrayLike, outcomes: ArrayLike) -> FloatArray:
    """Return the pinball loss of quantiles, ``(y - q) tau`` above and ``(q - y) (1 - tau)`` below.

    Parameters
    ----------
    quantiles, levels, outcomes : array_like
        Of shapes that broadcast: (n, k), (k,) and (n, 1), say.

    Examples
    --------
    >>> float(pinball(-2.0, 0.05, -3.0))
    0.95
    """
    tau = np.asarray(levels, dtype=np.float64)
    if not ((tau > 0.0) & (tau < 1.0)).all():
        raise must("levels", "lie strictly between 0 and 1", levels, "give fractions")
    miss = np.asarray(outcomes, dtype=np.float64) - np.asarray(quantiles, dtype=np.float64)
    result: FloatArray = np.maximum(tau * miss, (tau - 1.0) * miss)
    return result


def crps_quantiles(quantiles: ArrayLike, outcomes: ArrayLike) -> FloatArray:
    """Return the CRPS of forecasts known by their quantiles at `QUANTILE_LEVELS`.

    Parameters
    ----------
    quantiles : array_like of shape (n, 27)
    outcomes : array_like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)

    Notes
    -----
    CRPS is twice the integral of the pinball loss over the levels, and the integral of ``(F(x) - 1{x >= y})**2`` over
    the outcomes. The second is taken exactly for the law whose distribution function is a straight line between the
    levels and that has the remaining 0.001 on each side as a point at the last quantile; so this is itself a proper
    score, of that law.

    Bias against the law behind the quantiles, for a normal one: +0.35 % where the outcome is the median, -0.20 % at
    two sigmas, +0.003 % on average over its own outcomes; for a Student t with 3 degrees of freedom +0.78 %, -0.34 %
    and +0.01 %. A trapezoid over the 27 pinball losses has -0.26 % on average over normal outcomes.
    """
    y = as_series("outcomes", outcomes)
    q = as_quantiles("quantiles", quantiles, y.size)
    low, high = q[:, :-1], q[:, 1:]
    p, r = LEVELS[:-1], LEVELS[1:]
    at = np.clip(y[:, None], low, high)
    width = high - low
    share = np.divide(at - low, width, out=np.zeros_like(width), where=width > 0.0)
    f = p + (r - p) * share
    below = (at - low) * (p * p + p * f + f * f)
    above = (high - at) * ((1.0 - f) ** 2 + (1.0 - f) * (1.0 - r) + (1.0 - r) ** 2)
    inside = (below + above).sum(axis=1) / 3.0
    result: FloatArray = inside + np.maximum(q[:, 0] - y, 0.0) + np.maximum(y - q[:, -1], 0.0)
    return result


def interval_score(
    lower: ArrayLike, upper: ArrayLike, outcomes: ArrayLike, confidence: float
) -> FloatArray:
    """Return the Winkler score of intervals: width, plus ``2 / alpha`` times what lies outside.

    Parameters
    ----------
    lower, upper, outcomes : array_like of shape (n,)
    confidence : float
        Share of outcomes that the interval is to hold; alpha = 1 - confidence.

    Raises
    ------
    InvalidValueError
        An interval that ends before it begins.

    References
    ----------
    Gneiting, Raftery (2007), eq. 43.

    Examples
    --------
    >>> interval_score([-2.0], [3.0], [4.0], 0.9).round(9).tolist()
    [25.0]
    """
    y = as_series("outcomes", outcomes)
    low, high = _alike("lower", lower, y), _alike("upper", upper, y)
    if (low > high).any():
        bad = int(np.flatnonzero(low > high)[0])
        raise InvalidValueError(
            f"upper must not be below lower, was {high[bad]} below {low[bad]} at index {bad}; swap them"
        )
    outside = np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0)
    result: FloatArray = high - low + 2.0 / (1.0 - as_fraction("confidence", confidence)) * outside
    return result


def pit_normal(means: ArrayLike, sigmas: ArrayLike, outcomes: ArrayLike) -> FloatArray:
    """Return the PIT of outcomes in normal forecasts with sigma > 0, kept off 0 and 1 by 1e-12."""
    y = as_series("outcomes", outcomes)
    mean, sigma = _alike("means", means, y), _alike("sigmas", sigmas, y)
    if y.size and sigma.min() <= 0.0:
        raise must("sigmas", "be positive", float(sigma.min()), "a sure forecast has no PIT")
    with np.errstate(over="ignore"):
        z = (y - mean) / sigma
    result: FloatArray = np.clip(ndtr(z), 1e-12, 1.0 - 1e-12)
    return result


def pit_quantiles(quantiles: ArrayLike, outcomes: ArrayLike) -> FloatArray:
    """Return the place of each outcome in its forecast, known by quantiles at `QUANTILE_LEVELS`.

    Parameters
    ----------
    quantiles : array_like of shape (n, 27)
    outcomes : array_like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
        0.0005 to 0.9995.

    Notes
    -----
    On a quantile the PIT is its level. Between two it is interpolated on the normal scale (the normal score of the
    level is linear in the outcome), which is exact for a normal law and follows the bend of others. Beyond the last
    quantiles the law is not known: the PIT is the middle of what remains, 0.0005 below and 0.9995 above. Where
    several quantiles are equal to the outcome it is the middle of their levels.
    """
    y = as_series("outcomes", outcomes)
    q = as_quantiles("quantiles", quantiles, y.size)
    below = (q < y[:, None]).sum(axis=1)
    reached = (q <= y[:, None]).sum(axis=1)
    last = LEVELS.size - 1
    i = np.clip(below - 1, 0, last - 1)
    rows = np.arange(y.size)
    low, high = q[rows, i], q[rows, i + 1]
    width = high - low
    share = np.divide(np.clip(y, low, high) - low, width, out=np.zeros_like(y), where=width > 0.0)
    between = ndtr(LEVEL_SCORES[i] + share * np.diff(LEVEL_SCORES)[i])
    on = 0.5 * (LEVELS[np.minimum(below, last)] + LEVELS[np.maximum(reached - 1, 0)])
    outside = np.where(below == 0, 0.5 * LEVELS[0], 0.5 * (1.0 + LEVELS[-1]))
    is_outside = (reached == 0) | (below == LEVELS.size)
    result: FloatArray = np.where(is_outside, outside, np.where(reached > below, on, between))
    return result


def pit_sample(
    samples: ArrayLike, outcomes: ArrayLike, rng: np.random.Generator | None = None
) -> FloatArray:
    """Return the place of each outcome among its draws: mid-rank, or randomised where `rng` is given.

    Parameters
    ----------
    samples : array_like of shape (n, m)
    outcomes : array_like of shape (n,)
    rng : numpy.random.Generator, optional

    Returns
    -------
    ndarray of shape (n,)

    Notes
    -----
    With b draws below the outcome and t equal to it the m + 1 gaps put it between ``b / (m + 1)`` and
    ``(b + t + 1) / (m + 1)``: mid-rank takes the middle, the randomised form a uniform place, which is exactly
    uniform for a calibrated forecast of any m.

    Examples
    --------
    >>> pit_sample([[1.0, 2.0, 3.0, 4.0]], [2.5]).tolist()
    [0.5]
    """
    y = as_series("outcomes", outcomes)
    x = as_rows("samples", samples, y.size)
    below = (x < y[:, None]).sum(axis=1)
    ties = (x == y[:, None]).sum(axis=1)
    place = np.full(y.size, 0.5) if rng is None else rng.uniform(size=y.size)
    result: FloatArray = (below + place * (ties + 1.0)) / (x.shape[1] + 1.0)
    return result


def _alike(name: str, values: ArrayLike, outcomes: FloatArray) -> FloatArray:
    series = as_series(name, values)
    if series.size != outcomes.size:
        raise must(name, f"have {outcomes.size} values", series.size, "pass one per outcome")
    return series
