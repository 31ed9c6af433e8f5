"""What a bad day costs: value at risk and expected shortfall.

Losses are positive fractions; `confidence` is 0.95 or 0.99, alpha = 1 - confidence. A gain in the tail gives a
negative loss and is not cut off at zero.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import InvalidValueError, must
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


@dataclass(frozen=True, slots=True)
class LeftTail:
    """The lowest of `n` returns, ascending: sorted once, asked for every confidence.

    Parameters
    ----------
    lowest : ndarray of shape (m,), m <= n
        As many as the lowest confidence asked for needs.
    n : int
        How many returns there were in all.
    """

    lowest: FloatArray
    n: int

    @classmethod
    def of(cls, returns: ArrayLike) -> "LeftTail":
        """Return all of `returns`, an array_like of shape (n,) with n >= 2, in order.

        Raises
        ------
        NotEnoughDataError
            Fewer than two returns.
        """
        r = as_series("returns", returns, 2)
        return cls(np.sort(r), r.size)

    def value_at_risk(self, confidence: float) -> float:
        """Return the loss at the boundary of the tail."""
        return _loss(self._tail(confidence)[-1])

    def expected_shortfall(self, confidence: float) -> float:
        """Return the mean loss in the tail, the boundary with the fraction of it that lies inside."""
        mass = (1.0 - as_fraction("confidence", confidence)) * self.n
        tail = self._tail(confidence)
        boundary = tail[-1]
        # loss at the boundary plus the mean excess over it: the form that cannot fall below value at risk
        return _loss(boundary) + float(np.sum(boundary - tail)) / mass

    def _tail(self, confidence: float) -> FloatArray:
        k = tail_count(self.n, as_fraction("confidence", confidence))
        if k > self.lowest.size:
            rule = f"ask for one of the {self.lowest.size} lowest of {self.n} that are kept"
            raise must("confidence", rule, confidence, "ask for a higher one")
        return self.lowest[:k]

    def value_at_risk_error(self, confidence: float) -> float:
        """Return the standard error of `value_at_risk` as a quantile of independent draws; see that function."""
        alpha = 1.0 - as_fraction("confidence", confidence)
        k = tail_count(self.n, confidence)
        spread = math.sqrt(self.n * alpha * (1.0 - alpha))
        low = max(0, math.floor(k - 1 - spread))
        high = min(self.n - 1, math.ceil(k - 1 + spread))
        return float(self.lowest[high] - self.lowest[low]) * spread / (high - low)


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
    return LeftTail.of(returns).value_at_risk(confidence)


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
    return LeftTail.of(returns).expected_shortfall(confidence)


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
    return LeftTail.of(outcomes).value_at_risk_error(confidence)


def monte_carlo(outcomes: ArrayLike, confidence: float = 0.95) -> MonteCarloTail:
    """Return the tail of simulated simple returns, with the standard error that the number of paths leaves.

    Parameters
    ----------
    outcomes : array_like of shape (n_paths,)
        Independent simulated returns over the horizon.

    """
    tail = LeftTail.of(outcomes)
    return MonteCarloTail(
        value_at_risk=tail.value_at_risk(confidence),
        expected_shortfall=tail.expected_shortfall(confidence),
        standard_error=tail.value_at_risk_error(confidence),
        n_paths=tail.n,
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
    logs = _log_returns(returns)
    paths = simulate_gbm(
        1.0, float(logs.mean()), float(logs.std(ddof=1)), as_count("n_paths", n_paths), n_steps, rng
    )
    outcomes: FloatArray = np.expm1(paths[-1])
    return outcomes


def simulated_tail(returns: ArrayLike, seed: int, n_paths: int = MONTE_CARLO_PATHS) -> LeftTail:
    """Return the lowest of `n_paths` simulated returns one step ahead: `simulated_returns` of the same seed, in order.

    Notes
    -----
    The outcome rises with the draw, so the lowest outcomes come from the lowest draws: those are drawn and sorted once
    per seed and every later call moves and scales a few hundred numbers instead of simulating ten thousand.
    """
    logs = _log_returns(returns)
    draws = _lowest_draws(seed, as_count("n_paths", n_paths))
    return LeftTail(np.expm1(float(logs.mean()) + float(logs.std(ddof=1)) * draws), n_paths)


def boundary_draws(
    seed: int, confidences: Sequence[float], n_paths: int = MONTE_CARLO_PATHS
) -> FloatArray:
    """Return the standard normal draws that `simulated_tail` of a seed has its values at risk from, shape (n,)."""
    draws = _lowest_draws(seed, as_count("n_paths", n_paths))
    return np.array([draws[tail_count(n_paths, confidence) - 1] for confidence in confidences])


@lru_cache(maxsize=256)
def _lowest_draws(seed: int, n: int) -> FloatArray:
    """Return the lowest standard normal draws of a seed, as many as a confidence of 90 % can ask for."""
    draws = np.sort(np.random.default_rng(seed).standard_normal(n))[: n // 8 + 2]
    lowest: FloatArray = draws.copy()
    lowest.setflags(write=False)
    return lowest


def _log_returns(returns: ArrayLike) -> FloatArray:
    r = as_series("returns", returns, 2)
    if r.min() <= -1.0:
        raise InvalidValueError(
            f"returns must be above -1, was {r.min()}; a total loss has no log return"
        )
    logs: FloatArray = np.log1p(r)
    return logs


def _loss(value: float | np.floating) -> float:
    # adding 0.0 turns the -0.0 of a return of exactly zero into 0.0
    return -float(value) + 0.0
