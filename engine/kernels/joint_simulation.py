"""Level 4 simulation: several instruments at once, so that what falls together in the past falls together ahead.

At each step of each path one bar of the past is drawn, and every asset takes its own shock of that bar: the
correlation, the common crashes and the common calm stay. Paths of all assets are log prices of shape
(n_assets, n_steps + 1, n_paths).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.domain.errors import must
from engine.kernels.compiled import compiled
from engine.kernels.filtered_simulation import (
    Picks,
    shock_pool,
)
from engine.kernels.series import FloatArray, as_fraction, as_series
from engine.kernels.threads import WORTH_SHARING, Span, shared

_DECAY = 0.97
_LONG_RUN = 0.1
"""Share of the window's own correlation in today's."""
_RIDGE = 1e-3
"""Share of the unit matrix in every correlation: assets that move as one leave it with an inverse."""


def shock_rows(residuals: ArrayLike) -> FloatArray:
    """Return standardised residuals with every column at mean 0 and deviation 1; rows stay together.

    Parameters
    ----------
    residuals : array_like of shape (n, n_assets), n >= 20

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 rows, or a column in which none differs.
    """
    z = np.asarray(residuals, dtype=np.float64)
    if z.ndim != 2 or z.shape[1] == 0:
        raise must("residuals", "have shape (n, n_assets)", z.shape, "pass a column per asset")
    return np.column_stack([shock_pool(column) for column in z.T])


def rows_correlated_as_today(rows: FloatArray, decay: float = _DECAY) -> FloatArray:
    """Return `rows` mixed among the assets so that their correlation is today's instead of the window's mean.

    Parameters
    ----------
    rows : ndarray of shape (n_pool, n_assets)
        Shocks from `shock_rows`, oldest first.
    decay : float
        Weight of yesterday's correlation. Today's is the weighted one of all rows, with a tenth of the plain one.

    Returns
    -------
    ndarray of shape (n_pool, n_assets)
        Mean 0 and deviation 1 by column; a row still holds one bar of the past.

    Notes
    -----
    Dynamic conditional correlation with integrated weights. The mixing matrix is the product of symmetric roots, so the
    order of the assets does not matter.

    References
    ----------
    Engle: Dynamic conditional correlation. J. Business and Economic Statistics 20 (2002).
    """
    ages = np.arange(rows.shape[0], dtype=np.float64)[::-1]
    weights = np.exp(math.log(as_fraction("decay", decay)) * ages)
    usual = _correlation(rows, np.ones(rows.shape[0]))
    today = (1.0 - _LONG_RUN) * _correlation(rows, weights) + _LONG_RUN * usual
    return shock_rows(rows @ _power(usual, -0.5) @ _power(today, 0.5))


def portfolio_values(log_paths: FloatArray, weights: ArrayLike) -> FloatArray:
    """Return what one unit of equity becomes when it is held in `weights` and left alone.

    Parameters
    ----------
    log_paths : ndarray of shape (n_assets, n_steps + 1, n_paths), log price
        Slice the steps that are wanted, but keep step 0: the exponential is most of the work.
    weights : array_like of shape (n_assets,)
        Shares of equity at step 0, negative when sold short; what is missing to 1 lies in cash.

    Returns
    -------
    ndarray of shape (n_steps + 1, n_paths)
        Row 0 is exactly 1.

    Examples
    --------
    >>> doubled = np.log([[[1.0], [2.0]]])
    >>> portfolio_values(doubled, [0.5]).ravel().tolist()
    [1.0, 1.5]
    """
    w = as_series("weights", weights, 1)
    if log_paths.ndim != 3 or log_paths.shape[0] != w.size:
        raise must("weights", f"be one per asset of {log_paths.shape}", w.size, "pass 0 for none")
    values = np.full(log_paths.shape[1:], 1.0 - float(w.sum()))
    for weight, paths in zip(w, log_paths, strict=True):
        values += weight * np.exp(paths - paths[0])
    values[0] = 1.0
    return values


def choose_regimes(
    picks: Picks,
    chances: FloatArray,
    rows: tuple[NDArray[np.intp], NDArray[np.intp]],
    law: tuple[float, float, float],
) -> None:
    """Turn any numbers into picks from the rows of the regime that each path is in at each step.

    Parameters
    ----------
    picks : ndarray of shape (n_steps, n_paths)
        Uniform over far more numbers than there are rows, so that each row of a regime is as likely; changed in place.
    chances : ndarray of shape (n_steps, n_paths), uniform in [0, 1)
    rows : pair of ndarray
        Rows of the pool that were calm, and stressed; none of them empty.
    law : triple of float
        Chance that the first step is stressed, that calm stays calm, and that stress stays stress.
    """

    def choose(paths: Span) -> None:
        _choose(picks, chances, rows, law, paths)

    shared(choose, picks.shape[1], is_alone=picks.size < WORTH_SHARING)


@compiled()
def _choose(
    picks: Picks,
    chances: FloatArray,
    rows: tuple[NDArray[np.intp], NDArray[np.intp]],
    law: tuple[float, float, float],
    paths: Span,
) -> None:
    calm, stressed = rows
    first, calm_stays, stress_stays = law
    stress = np.full(paths[1] - paths[0], first)
    for t in range(picks.shape[0]):
        for i in range(stress.size):
            p = paths[0] + i
            if chances[t, p] < stress[i]:
                picks[t, p] = stressed[picks[t, p] % stressed.size]
                stress[i] = stress_stays
            else:
                picks[t, p] = calm[picks[t, p] % calm.size]
                stress[i] = 1.0 - calm_stays


def _correlation(rows: FloatArray, weights: FloatArray) -> FloatArray:
    moments = (rows * weights[:, None]).T @ rows
    deviations = np.sqrt(np.diag(moments))
    result: FloatArray = moments / np.outer(deviations, deviations)
    return (1.0 - _RIDGE) * result + _RIDGE * np.eye(rows.shape[1])


def _power(matrix: FloatArray, exponent: float) -> FloatArray:
    values, vectors = np.linalg.eigh(matrix)
    result: FloatArray = (vectors * values**exponent) @ vectors.T
    return result
