"""Is a Sharpe ratio skill or the luck of many tries: its probability, and that after the number of trials is counted.

Sharpe ratios are per observation here, not annualised, with ddof=1; skewness and kurtosis are the sample's.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from engine.domain.errors import NotEnoughDataError, must
from engine.kernels.moments import excess_kurtosis, skewness
from engine.kernels.ratios import sharpe_ratio
from engine.kernels.series import FloatArray, as_count, as_series


@dataclass(frozen=True, slots=True, kw_only=True)
class DeflatedSharpe:
    """A Sharpe ratio beside the best that luck alone would have found.

    Parameters
    ----------
    sharpe : float
        Of the returns, per observation.
    expected_maximum : float
        Largest ratio to expect of so many trials without skill, per observation.
    probability : float
        Chance that the true ratio is above `expected_maximum`: the deflated Sharpe ratio.
    """

    sharpe: float
    expected_maximum: float
    probability: float


def probabilistic_sharpe(returns: ArrayLike, benchmark: float = 0.0) -> float:
    """Return the chance that the true Sharpe ratio is above `benchmark`.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 2
        Simple returns.
    benchmark : float
        A Sharpe ratio per observation.

    Raises
    ------
    NotEnoughDataError
        Fewer than two returns, all alike, or two values that alternate so that no error can be told.
    InvalidValueError
        A benchmark that is not finite.

    Notes
    -----
    A left tail and fat tails make the ratio less sure: its variance is
    ``(1 - skewness SR + (kurtosis - 1) / 4 SR^2) / (n - 1)``.

    References
    ----------
    Bailey, Lopez de Prado: The Sharpe ratio efficient frontier. J. Risk 15 (2012).
    """
    if not math.isfinite(benchmark):
        raise must("benchmark", "be finite", benchmark, "give a Sharpe ratio per observation")
    r = as_series("returns", returns, 2)
    ratio = sharpe_ratio(r, 1.0)
    return float(ndtr((ratio - benchmark) / _error(r, ratio)))


def expected_maximum_sharpe(n_trials: int, variance: float) -> float:
    """Return the largest Sharpe ratio to expect among `n_trials` strategies without skill.

    Parameters
    ----------
    n_trials : int
        Independent strategies that were tried, the ones thrown away too; a single one gives 0.
    variance : float
        Of the Sharpe ratios of the trials, per observation.

    References
    ----------
    Bailey, Lopez de Prado: The deflated Sharpe ratio. J. Portfolio Management 40 (2014).

    Examples
    --------
    >>> round(expected_maximum_sharpe(100, 1.0), 3)
    2.531
    """
    if not 0.0 <= variance < math.inf:
        raise must("variance", "be finite and at least 0", variance, "take it over all trials")
    n = as_count("n_trials", n_trials)
    if n == 1:
        return 0.0
    normal, later = ndtri(1.0 - 1.0 / n), ndtri(1.0 - 1.0 / (n * math.e))
    expected = (1.0 - np.euler_gamma) * normal + np.euler_gamma * later
    return math.sqrt(variance) * float(expected)


def deflated_sharpe(returns: ArrayLike, n_trials: int, variance: float) -> DeflatedSharpe:
    """Return the Sharpe ratio judged against the best of `n_trials` without skill.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 2
        Simple returns of the strategy that was chosen.
    n_trials, variance
        See `expected_maximum_sharpe`.

    Raises
    ------
    NotEnoughDataError, InvalidValueError
        See `probabilistic_sharpe` and `expected_maximum_sharpe`.

    References
    ----------
    Bailey, Lopez de Prado: The deflated Sharpe ratio. J. Portfolio Management 40 (2014).
    """
    threshold = expected_maximum_sharpe(n_trials, variance)
    return DeflatedSharpe(
        sharpe=sharpe_ratio(returns, 1.0),
        expected_maximum=threshold,
        probability=probabilistic_sharpe(returns, threshold),
    )


def _error(r: FloatArray, ratio: float) -> float:
    """Return the standard error of a Sharpe ratio per observation."""
    kurtosis = excess_kurtosis(r) + 3.0
    spread = 1.0 - skewness(r) * ratio + (kurtosis - 1.0) / 4.0 * ratio**2
    if spread <= 1e-12:
        raise NotEnoughDataError(
            f"returns must tell the error of their Sharpe ratio, was n = {r.size} without; wait for more bars"
        )
    return math.sqrt(spread / (r.size - 1))
