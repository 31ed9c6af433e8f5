"""How to divide money among assets when only risk is known: least variance, and by the inverse of volatility.

Weights are fractions that are never negative and add up to 1; nothing is said about expected returns.
"""

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import InvalidValueError, must
from engine.kernels.series import FloatArray


def minimum_variance_weights(covariance: ArrayLike) -> FloatArray:
    """Return the weights of the portfolio with the least variance that is never short.

    Parameters
    ----------
    covariance : array_like of shape (n_assets, n_assets)
        Of the returns per period; symmetric and positive definite.

    Returns
    -------
    ndarray of shape (n_assets,)

    Raises
    ------
    InvalidValueError
        A matrix that is no covariance, or in which one asset is made of others.

    Notes
    -----
    Exact, without a general optimiser: the x >= 0 with the least ``x'Sx - 2 sum(x)`` has the wanted proportions, and
    with ``S = LL'`` it is the least-squares solution of ``L'x = L^-1 1`` that is nowhere negative.

    References
    ----------
    Markowitz: Portfolio selection. J. Finance 7 (1952). Lawson, Hanson: Solving least squares problems (1974),
    chapter 23.

    Examples
    --------
    >>> minimum_variance_weights([[0.01, 0.0], [0.0, 0.03]]).round(9).tolist()
    [0.75, 0.25]
    """
    # imported here: few processes divide a portfolio, and these take half a second
    from scipy.linalg import solve_triangular
    from scipy.optimize import nnls

    s = _as_covariance(covariance)
    scaled = s / float(np.mean(np.diag(s)))
    try:
        lower = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        raise _dependent(s) from None
    if float(np.diag(lower).min()) < 1e-7:
        raise _dependent(s)
    target = solve_triangular(lower, np.ones(s.shape[0]), lower=True)
    x = np.asarray(nnls(lower.T, target)[0], dtype=np.float64)
    weights: FloatArray = x / x.sum()
    return weights


def inverse_volatility_weights(covariance: ArrayLike) -> FloatArray:
    """Return weights in proportion to 1 / volatility: all bear the same risk where all correlate alike.

    Parameters
    ----------
    covariance : array_like of shape (n_assets, n_assets)
        Of the returns per period; only its diagonal counts.

    Returns
    -------
    ndarray of shape (n_assets,)

    Raises
    ------
    InvalidValueError
        A matrix that is no covariance.

    Examples
    --------
    >>> inverse_volatility_weights([[0.01, 0.0], [0.0, 0.04]]).round(9).tolist()
    [0.666666667, 0.333333333]
    """
    inverse = 1.0 / np.sqrt(np.diag(_as_covariance(covariance)))
    weights: FloatArray = inverse / inverse.sum()
    return weights


def _as_covariance(covariance: ArrayLike) -> FloatArray:
    s = np.asarray(covariance, dtype=np.float64)
    if s.ndim != 2 or s.shape[0] != s.shape[1] or s.shape[0] == 0:
        raise must("covariance", "have shape (n_assets, n_assets)", s.shape, "pass a square matrix")
    if not np.isfinite(s).all():
        raise must("covariance", "be finite", "another value", "drop or repair those returns")
    variances = np.diag(s)
    if variances.min() <= 0.0:
        asset = int(np.argmin(variances))
        rule = f"have positive variances, asset {asset} too"
        raise must("covariance", rule, float(variances[asset]), "leave out what does not move")
    if not np.allclose(s, s.T, rtol=1e-9, atol=1e-12 * float(variances.max())):
        raise must("covariance", "be symmetric", "another matrix", "take np.cov of the returns")
    return s


def _dependent(s: FloatArray) -> InvalidValueError:
    remedy = "leave out an asset that copies others, or take more bars than assets"
    return must("covariance", "be positive definite", f"{s.shape[0]} dependent assets", remedy)
