"""Made-up histories for tests of the forecasts: closes on weekdays, with a known law behind them."""

import numpy as np

from engine.domain.forecast import SimulationLevel
from engine.forecasts.past import Past
from engine.forecasts.size import Size
from engine.kernels.paths import stream_seed

L1, L2, L3, L4, L5 = SimulationLevel


def weekdays(n: int) -> np.ndarray:
    days = np.busday_offset("2001-01-01", np.arange(n))
    return days.astype("datetime64[s]").astype(float) + 21 * 3600.0


def restless(n: int, seed: int = 1) -> np.ndarray:
    """Returns of a GARCH(1,1) with a deviation of 1 % and fat tails."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(6, size=n) / np.sqrt(1.5)
    returns, variance = np.empty(n), 1e-4
    for t in range(n):
        returns[t] = np.sqrt(variance) * shocks[t]
        variance = 2e-6 + 0.1 * returns[t] ** 2 + 0.88 * variance
    return returns


def past_of(returns: np.ndarray, symbol: str = "AAA", *, dated: bool = True, window=750) -> Past:
    closes = 100.0 * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    closes_at = weekdays(closes.size) if dated else np.empty(0)
    return Past(symbol=symbol, closes=closes, closes_at=closes_at, window=window)


def turns(n_calm: int, n_stress: int, seed: int = 1) -> np.ndarray:
    """Returns of a calm market that ends in a stress of five times the deviation."""
    rng = np.random.default_rng(seed)
    sigmas = np.concatenate([np.full(n_calm, 0.005), np.full(n_stress, 0.025)])
    return sigmas * rng.standard_normal(sigmas.size)


def size(n_paths=300, n_steps=5, seed=1, horizons=(1, 5)) -> Size:
    return Size(
        n_paths=n_paths, n_steps=n_steps, horizons=horizons, seed=stream_seed(seed, "AAA", 1, 0)
    )
