"""What a bad day costs: value at risk and expected shortfall.

Losses are positive fractions; `confidence` is 0.95 or 0.99, alpha = 1 - confidence. A gain in the tail gives a
negative loss and is not cut off at zero.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import InvalidValueError
from engine.kernels.paths import simulate_gbm
from engine.kernels.series import FloatArray, as_count, as_fraction, as_series

MONTE_CARLO_PATHS = 10_000
"""At 1,000 paths a 99 % value at risk has a standard error of about 12 %; this is the least that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonteCarloTail:
    """Tail of simulated returns; `standard_error` is that of `value_at_risk`, from the number of paths alone."""

    value_at_risk: float
    expected_shortfall: float
    standard_error: float
    n_paths: int


def tail_count(n: int, confidence: float) -> int:
    """Return how many of `n` observations the tail holds: ``ceil(round(alpha n, 9))``, at least 1.

    Notes
    -----
    Rounding first, because (1 - 0.95) * 5040 is 252.00000000000023 in binary and would give 253.
    """
    return max(1, math.ceil(round((1.0 - confidence) * n, 9)))


def value_at_risk(returns: ArrayLike, confidence: float = 0.95) -> float:
    """Return the historical value at risk: an observed loss, never an interpolated one.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 2
        Simple returns.

    Raises
    ------
    NotEnoughDataError
        Fewer than two returns.

    Examples
    --------
    >>> value_at_risk([-0.05, -0.04, 0.01, 0.02, 0.03], confidence=0.6)
    0.04
    """
    r = as_series("returns", returns, 2)
    k = tail_count(r.size, as_fraction("confidence", confidence))
    return _loss(np.partition(r, k - 1)[k - 1])


def expected_shortfall(returns: ArrayLike, confidence: float = 0.95) -> float:
    """Return the mean loss in the tail beyond (and with) the value at risk.

    Notes
    -----
    The boundary observation counts with the fraction of it that lies in the tail, so the tail has exactly the weight
    alpha; never below `value_at_risk` of the same returns.

    References
    ----------
    Rockafellar, Uryasev: Conditional value-at-risk for general loss distributions. J. Banking & Finance 26 (2002).

    Examples
    --------
    >>> round(expected_shortfall([-0.05, -0.04, 0.01, 0.02, 0.03], confidence=0.6), 4)
    0.045
    """
    r = as_series("returns", returns, 2)
    mass = (1.0 - as_fraction("confidence", confidence)) * r.size
    k = tail_count(r.size, confidence)
    tail = np.partition(r, k - 1)[:k]
    boundary = tail[k - 1]
    # loss at the boundary plus the mean excess over it: the form that cannot fall below value at risk
    return _loss(boundary) + float(np.sum(boundary - tail)) / mass


def parametric_value_at_risk(returns: ArrayLike, confidence: float = 0.95) -> float:
    """Return ``-(mean + z s)`` under a normal law, s with ddof=1 and the mean kept."""
    r = as_series("returns", returns, 2)
    z = NormalDist().inv_cdf(1.0 - as_fraction("confidence", confidence))
    return _loss(r.mean() + z * r.std(ddof=1))


def parametric_expected_shortfall(returns: ArrayLike, confidence: float = 0.95) -> float:
    """Return ``-(mean - s phi(z) / alpha)`` under a normal law."""
    r = as_series("returns", returns, 2)
    alpha = 1.0 - as_fraction("confidence", confidence)
    normal = NormalDist()
    density = normal.pdf(normal.inv_cdf(alpha))
    return _loss(r.mean() - r.std(ddof=1) * density / alpha)


def value_at_risk_error(outcomes: ArrayLike, confidence: float = 0.95) -> float:
    """Return the standard error of `value_at_risk` that the number of independent outcomes leaves.

    Notes
    -----
    Needs no density estimate: the rank of the true quantile has the standard deviation ``sqrt(n alpha (1 - alpha))``,
    and half the distance between the order statistics that far to both sides is the error of the quantile itself.
    """
    r = as_series("outcomes", outcomes, 2)
    alpha = 1.0 - as_fraction("confidence", confidence)
    k = tail_count(r.size, confidence)
    spread = math.sqrt(r.size * alpha * (1.0 - alpha))
    low, high = max(0, math.floor(k - 1 - spread)), min(r.size - 1, math.ceil(k - 1 + spread))
    ordered = np.partition(r, (low, high))
    return float(ordered[high] - ordered[low]) * spread / (high - low)


def monte_carlo(outcomes: ArrayLike, confidence: float = 0.95) -> MonteCarloTail:
    """Return the tail of simulated simple returns, with the standard error that the number of paths leaves.

    Parameters
    ----------
    outcomes : array_like of shape (n_paths,)
        Independent simulated returns over the horizon.

    """
    r = as_series("outcomes", outcomes, 2)
    return MonteCarloTail(
        value_at_risk=value_at_risk(r, confidence),
        expected_shortfall=expected_shortfall(r, confidence),
        standard_error=value_at_risk_error(r, confidence),
        n_paths=int(r.size),
    )


def monte_carlo_value_at_risk(
    returns: ArrayLike,
    confidence: float,
    rng: np.random.Generator,
    n_paths: int = MONTE_CARLO_PATHS,
    n_steps: int = 1,
) -> MonteCarloTail:
    """Return the tail of geometric Brownian motion fitted to `returns`; see `simulated_returns`."""
    return monte_carlo(simulated_returns(returns, rng, n_paths, n_steps), confidence)


def simulated_returns(
    returns: ArrayLike,
    rng: np.random.Generator,
    n_paths: int = MONTE_CARLO_PATHS,
    n_steps: int = 1,
) -> FloatArray:
    """Return simple returns over `n_steps` of geometric Brownian motion fitted to `returns`.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 2
        Simple returns, each above -1.

    Returns
    -------
    ndarray of shape (n_paths,)
    """
    r = as_series("returns", returns, 2)
    if r.min() <= -1.0:
        raise InvalidValueError(
            f"returns must be above -1, was {r.min()}; a total loss has no log return"
        )
    logs = np.log1p(r)
    paths = simulate_gbm(
        1.0, float(logs.mean()), float(logs.std(ddof=1)), as_count("n_paths", n_paths), n_steps, rng
    )
    outcomes: FloatArray = np.expm1(paths[-1])
    return outcomes


def _loss(value: float | np.floating) -> float:
    # adding 0.0 turns the -0.0 of a return of exactly zero into 0.0
    return -float(value) + 0.0
