"""Level 1 simulation: geometric Brownian motion, its estimate from prices and its closed form.

Paths are log prices of shape (n_steps + 1, n_paths): a step is one contiguous row, which is what quantiles read.
Drift is the mean log return per step, so the median path grows by ``exp(drift)``.
"""

import hashlib
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.domain.forecast import SimulationLevel
from engine.kernels.returns import log_returns
from engine.kernels.series import FloatArray, as_count, as_prices

_SEED_BITS = 53
"""The largest whole number that a browser shows exactly has 53 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftAndSigma:
    """What `n_observations` log returns say about one step.

    Parameters
    ----------
    drift_per_step, drift_error_per_step : float
        Mean log return and its standard error, sigma / sqrt(n).
    sigma_per_step : float
        Standard deviation of log returns, ddof=1.
    """

    drift_per_step: float
    drift_error_per_step: float
    sigma_per_step: float
    n_observations: int


def estimate_drift_and_sigma(prices: ArrayLike) -> DriftAndSigma:
    """Return drift, its error and volatility per step of the prices passed; the caller chooses the window.

    Parameters
    ----------
    prices : array_like of shape (n,), n >= 3
        Positive closes, oldest first.

    Raises
    ------
    NotEnoughDataError
        Fewer than three prices: two returns are the least that have a deviation.
    """
    r = log_returns(as_prices("prices", prices, 3))
    sigma = float(r.std(ddof=1))
    return DriftAndSigma(
        drift_per_step=float(r.mean()),
        drift_error_per_step=sigma / math.sqrt(r.size),
        sigma_per_step=sigma,
        n_observations=int(r.size),
    )


def simulate_gbm(
    spot: float,
    drift_per_step: float,
    sigma_per_step: float,
    n_paths: int,
    n_steps: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Return simulated log prices.

    Parameters
    ----------
    spot : float
        Price at step 0.
    drift_per_step, sigma_per_step : float
        Mean and standard deviation of one log return.
    rng : numpy.random.Generator
        The only source of randomness; the same state gives the same paths.

    Returns
    -------
    ndarray of shape (n_steps + 1, n_paths), log price
        Row 0 is ``ln(spot)``.

    Examples
    --------
    >>> simulate_gbm(100.0, 0.01, 0.0, 1, 2, np.random.default_rng(1)).ravel().round(4).tolist()
    [4.6052, 4.6152, 4.6252]
    """
    log_spot = math.log(checked_spot(spot))
    if not (math.isfinite(sigma_per_step) and sigma_per_step >= 0.0):
        raise must("sigma_per_step", "be finite and not negative", sigma_per_step, "estimate it")
    if not math.isfinite(drift_per_step):
        raise must("drift_per_step", "be finite", drift_per_step, "estimate it")
    paths = np.empty((as_count("n_steps", n_steps) + 1, as_count("n_paths", n_paths)))
    paths[0] = log_spot
    steps = paths[1:]
    rng.standard_normal(out=steps)
    steps *= sigma_per_step
    steps += drift_per_step
    # Row by row in place: np.cumsum(axis=0) walks the matrix by columns and takes four times as long.
    for t in range(1, n_steps + 1):
        paths[t] += paths[t - 1]
    return paths


def gbm_quantile(
    spot: float, drift_per_step: float, sigma_per_step: float, n_steps: int, level: float
) -> float:
    """Return the exact price quantile after `n_steps`: ``spot exp(drift n + z sigma sqrt(n))``."""
    z = NormalDist().inv_cdf(level)
    return checked_spot(spot) * math.exp(
        drift_per_step * n_steps + z * sigma_per_step * math.sqrt(n_steps)
    )


def gbm_mean(spot: float, drift_per_step: float, sigma_per_step: float, n_steps: int) -> float:
    """Return the exact expected price after `n_steps`: ``spot exp((drift + sigma^2 / 2) n)``."""
    return checked_spot(spot) * math.exp((drift_per_step + sigma_per_step**2 / 2) * n_steps)


def gbm_probability_up(drift_per_step: float, sigma_per_step: float, n_steps: int) -> float:
    """Return the exact probability of ending above spot; with sigma 0 it is 0 or 1 by the drift's sign."""
    if sigma_per_step == 0.0:
        return float(drift_per_step > 0.0)
    return NormalDist().cdf(drift_per_step * math.sqrt(n_steps) / sigma_per_step)


def stream_seed(seed: int, symbol: str, level: SimulationLevel | int, bar_index: int) -> int:
    """Return the seed of one forecast's own random stream, 0 <= seed < 2**53.

    Notes
    -----
    The four parts are hashed (BLAKE2b), not added: with ``seed + bar_index`` run 1 bar 2 would be run 2 bar 1, and
    two forecasts that ought to be independent would share every random number.
    """
    number = level.value if isinstance(level, SimulationLevel) else int(level)
    text = "\x1f".join((str(int(seed)), symbol, str(number), str(int(bar_index))))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _SEED_BITS)


def checked_spot(spot: float) -> float:
    """Return `spot` where it is a finite positive price."""
    if not (math.isfinite(spot) and spot > 0.0):
        raise must("spot", "be a finite positive price", spot, "pass the last close")
    return float(spot)
