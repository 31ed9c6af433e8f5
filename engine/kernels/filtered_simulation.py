"""Level 2 simulation: yesterday's shocks, replayed at today's volatility (filtered historical simulation).

Paths are log prices of shape (n_steps + 1, n_paths), as in `engine.kernels.paths`; shocks are drawn from a pool of
standardised residuals, so fat tails and asymmetry are those that were seen, and no law is assumed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.domain.errors import NotEnoughDataError, must
from engine.kernels.compiled import compiled
from engine.kernels.garch import GarchFit, garch_parameters
from engine.kernels.paths import checked_spot
from engine.kernels.series import FloatArray, as_count, as_series
from engine.kernels.threads import WORTH_SHARING, Span, shared

Picks = NDArray[np.uint32]
"""Row numbers in a pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityState:
    """Where the volatility of one instrument stands.

    Parameters
    ----------
    fit : GarchFit
        How it moves on; `mu` is not used, the drift is the course's.
    next_variance : float
        Variance of the next log return.
    pool : ndarray of shape (n_pool,)
        Shocks of mean 0 and deviation 1, such as `shock_pool` gives.
    """

    fit: GarchFit
    next_variance: float
    pool: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is known of every step ahead.

    Parameters
    ----------
    drifts : ndarray of shape (n_steps,)
        Mean log return of the step.
    variance_multipliers : ndarray of shape (n_steps,)
        1 is as usual. A multiplier scales the variance of its own step and does not feed the recursion, so that one
        that was learned means what it says at any horizon.
    """

    drifts: FloatArray
    variance_multipliers: FloatArray

    @property
    def n_steps(self) -> int:
        """Number of steps ahead."""
        return int(self.drifts.size)


def shock_pool(residuals: ArrayLike) -> FloatArray:
    """Return `residuals` with mean 0 and deviation 1, so that drift and variance come from where they are stated.

    Parameters
    ----------
    residuals : array_like of shape (n,), n >= 20

    Raises
    ------
    NotEnoughDataError
        Fewer than 20, or none that differs.
    """
    z = as_series("residuals", residuals, 20)
    deviation = float(z.std())
    if not deviation > 0.0:
        raise NotEnoughDataError(
            f"residuals must have two values that differ, was n = {z.size} without; wait for more bars"
        )
    result: FloatArray = (z - z.mean()) / deviation
    return result


def simulate_filtered(
    spot: float, state: VolatilityState, course: Course, n_paths: int, rng: np.random.Generator
) -> FloatArray:
    """Return simulated log prices.

    Parameters
    ----------
    spot : float
        Price at step 0.
    rng : numpy.random.Generator
        The only source of randomness; the same state gives the same paths.

    Returns
    -------
    ndarray of shape (n_steps + 1, n_paths), log price
        Row 0 is ``ln(spot)``.

    Raises
    ------
    InvalidValueError
        A spot, variance, drift or multiplier outside its rule.

    References
    ----------
    Barone-Adesi, Giannopoulos, Vosper: VaR without correlations for portfolios of derivative securities. J. Futures
    Markets 19 (1999).
    """
    log_spot = math.log(checked_spot(spot))
    variance = checked_variance(state.next_variance)
    pool = as_series("pool", state.pool, 1)
    parameters = garch_parameters(state.fit)
    steps = checked_course(course)
    picks = draw_picks(rng, pool.size, (course.n_steps, as_count("n_paths", n_paths)))
    paths = np.empty((course.n_steps + 1, picks.shape[1]))
    paths[0] = log_spot
    run_filtered(paths, picks, pool, parameters, variance, steps)
    return paths


def draw_picks(rng: np.random.Generator, n_pool: int, shape: tuple[int, int]) -> Picks:
    """Return row numbers from 0 to ``n_pool - 1``, each as likely, drawn by numpy so that the stream is its own."""
    return rng.integers(0, n_pool, size=shape, dtype=np.uint32)


def checked_variance(variance: float) -> float:
    """Return a variance that is finite and positive."""
    if not (math.isfinite(variance) and variance > 0.0):
        raise must("next_variance", "be finite and positive", variance, "filter returns that move")
    return float(variance)


def checked_course(course: Course) -> FloatArray:
    """Return an array of shape (2, n_steps): drifts, and roots of the variance multipliers."""
    drifts = as_series("drifts", course.drifts, 1)
    multipliers = as_series("variance_multipliers", course.variance_multipliers, 1)
    if multipliers.size != drifts.size:
        raise must(
            "variance_multipliers",
            f"be {drifts.size}, as the drifts",
            multipliers.size,
            "pass one per step",
        )
    if multipliers.min() < 0.0:
        raise must(
            "variance_multipliers", "not be negative", float(multipliers.min()), "1 is as usual"
        )
    return np.stack([drifts, np.sqrt(multipliers)])


def run_filtered(
    paths: FloatArray,
    picks: Picks,
    pool: FloatArray,
    parameters: FloatArray,
    variance: float,
    steps: FloatArray,
) -> None:
    """Fill rows 1 to n_steps of `paths`; the others are as in `simulate_filtered`, checked.

    Parameters
    ----------
    paths : ndarray of shape (n_steps + 1, n_paths), log price
        Row 0 is given.
    picks : ndarray of shape (n_steps, n_paths)
        Which shock of `pool` falls where.
    parameters : ndarray of shape (5,)
        As `garch_parameters` gives them.
    steps : ndarray of shape (2, n_steps)
        As `checked_course` gives them.
    """

    def run(span: Span) -> None:
        _run(paths, picks, pool, (parameters, variance, steps), span)

    shared(run, picks.shape[1], is_alone=picks.size < WORTH_SHARING)


@compiled()
def _run(
    paths: FloatArray,
    picks: Picks,
    pool: FloatArray,
    law: tuple[FloatArray, float, FloatArray],
    span: Span,
) -> None:
    parameters, variance, steps = law
    _, omega, alpha, gamma, beta = parameters
    h = np.full(span[1] - span[0], variance)
    for t in range(picks.shape[0]):
        drift, root = steps[0, t], steps[1, t]
        for i in range(h.size):
            p = span[0] + i
            shock = math.sqrt(h[i]) * pool[picks[t, p]]
            paths[t + 1, p] = paths[t, p] + drift + root * shock
            weight = alpha + gamma if shock < 0.0 else alpha
            h[i] = omega + weight * shock * shock + beta * h[i]
