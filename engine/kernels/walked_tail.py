"""Value at risk as it would have been stated before each of the last bars: what a back-test holds losses against.

Simple returns; losses positive; nothing of a bar or after it is behind what is stated for it.
"""

from statistics import NormalDist

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.kernels import tail_risk
from engine.kernels.series import FloatArray, as_count, as_series

METHODS = ("historical", "parametric", "monte_carlo")
CONFIDENCES = (0.95, 0.99)
COLUMNS = tuple((method, confidence) for method in METHODS for confidence in CONFIDENCES)
"""What the columns of a walk are, in order."""


def walked(returns: ArrayLike, n: int, window: int, least: int, seed: int) -> FloatArray:
    """Return what would have been stated for each of the last `n` returns, shape (m, 6), m <= n, newest last.

    Parameters
    ----------
    returns : array_like of shape (k,)
        Simple returns, oldest first.
    window, least : int
        Returns before a bar that its statement rests on: the last `window`, or all where there are fewer, but `least`.
    seed : int
        Of the Monte Carlo draws, the same for every bar.

    Raises
    ------
    InvalidValueError
        A return of -1 or below.
    """
    r, size = as_series("returns", returns, 0), as_count("window", window)
    first = max(as_count("least", least), r.size - as_count("n", n))
    short = [_stated(r[None, :t], seed) for t in range(first, min(size, r.size))]
    begin = max(first, size)
    if begin < r.size:
        windows = sliding_window_view(r[begin - size : -1], size)
        short.append(_stated(windows, seed))
    return np.concatenate(short) if short else np.empty((0, len(COLUMNS)))


def _stated(windows: FloatArray, seed: int) -> FloatArray:
    """Return the six values of each row of shape (m, size)."""
    if windows.min() <= -1.0:
        raise must("returns", "be above -1", float(windows.min()), "a total loss has no log return")
    size = windows.shape[1]
    counts = [tail_risk.tail_count(size, confidence) for confidence in CONFIDENCES]
    found = np.empty((len(windows), len(COLUMNS)))
    lowest = np.partition(windows, [k - 1 for k in counts], axis=1)
    mean, spread = windows.mean(axis=1), windows.std(axis=1, ddof=1)
    draws = tail_risk.boundary_draws(seed, CONFIDENCES)
    logs = np.log1p(windows)
    log_mean, log_spread = logs.mean(axis=1), logs.std(axis=1, ddof=1)
    for i, (k, confidence, draw) in enumerate(zip(counts, CONFIDENCES, draws, strict=True)):
        z = NormalDist().inv_cdf(1.0 - confidence)
        found[:, i] = -lowest[:, k - 1]
        found[:, 2 + i] = -(mean + z * spread)
        found[:, 4 + i] = -np.expm1(log_mean + log_spread * draw)
    return found + 0.0
