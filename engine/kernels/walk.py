"""Level 1 drawn: geometric Brownian motion of many paths, walked group by group, with threads where they pay.

A path is the sum of its standard normals in float32; drift and volatility are applied where a step is written.
"""

import math

import numpy as np

from engine.domain.errors import must
from engine.kernels.compiled import compiled
from engine.kernels.normals import USE_NORMALS, group_normals
from engine.kernels.paths import DriftAndSigma
from engine.kernels.philox import GROUP, Key, as_key
from engine.kernels.series import FloatArray, as_count
from engine.kernels.threads import WORTH_SHARING, Span, shared


def gbm_paths(estimate: DriftAndSigma, n_paths: int, n_steps: int, seed: int) -> FloatArray:
    """Return simulated log prices relative to spot.

    Parameters
    ----------
    seed : int
        0 <= seed < 2**64, such as `stream_seed` gives.

    Returns
    -------
    ndarray of shape (n_steps + 1, n_paths), log price
        Row 0 is 0; the first paths and rows are the same whatever n_paths and n_steps.

    Raises
    ------
    InvalidValueError
        A size or seed outside its rule, drift or volatility that is not finite, a negative volatility.
    """
    drift, sigma = estimate.drift_per_step, estimate.sigma_per_step
    if not math.isfinite(drift):
        raise must("drift_per_step", "be finite", drift, "estimate it")
    if not (math.isfinite(sigma) and sigma >= 0.0):
        raise must("sigma_per_step", "be finite and not negative", sigma, "estimate it")
    paths = np.empty((as_count("n_steps", n_steps) + 1, as_count("n_paths", n_paths)))
    paths[0] = 0.0
    key, steps = as_key(seed), paths[1:]

    def walk(groups: Span) -> None:
        _walk(steps, (drift, sigma), groups, key)

    shared(walk, -(-n_paths // GROUP), is_alone=steps.size < WORTH_SHARING)
    return paths


@compiled("void(float64[:,::1], UniTuple(float64, 2), UniTuple(int64, 2), UniTuple(uint64, 2))")
def _walk(paths: FloatArray, law: tuple[float, float], groups: Span, key: Key) -> None:
    """Walk the paths of `groups` and write every step; `law` is drift and deviation of one."""
    drift, sigma = law
    n_steps, n = paths.shape
    lanes = np.empty(GROUP, np.uint32)
    normals, sums = np.empty(GROUP, np.float32), np.empty(GROUP, np.float32)
    for group in range(groups[0], groups[1]):
        low = group * GROUP
        sums[:] = np.float32(0.0)
        for t in range(n_steps):
            place = (np.uint64(t), np.uint64(0), USE_NORMALS)
            group_normals(group, place, key, lanes, normals)
            for i in range(GROUP):
                sums[i] += normals[i]
            drifted = drift * (t + 1)
            row = paths[t, low : min(low + GROUP, n)]
            for i in range(row.size):
                row[i] = np.float64(sums[i]) * sigma + drifted
