"""What is not in the record: a stress scenario beside the central paths, with its weight in plain view.

Stressed paths are told apart by whoever draws them, so a central band never holds a scenario that somebody thought of.
"""

from dataclasses import dataclass

import numpy as np

from engine.domain.errors import must
from engine.kernels.series import FloatArray, check_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """One jump at a step of chance, as a scenario; its chance of happening is stated where the paths are drawn.

    Parameters
    ----------
    jump_mean, jump_sigma : float
        Mean and standard deviation of the jump, a log return; the mean is negative in a crash.
    """

    jump_mean: float
    jump_sigma: float = 0.0


def stressed_paths(log_paths: FloatArray, stress: Stress, rng: np.random.Generator) -> FloatArray:
    """Return `log_paths` with one jump in each path, at any of its steps with the same chance.

    Parameters
    ----------
    log_paths : ndarray of shape (n_steps + 1, n_paths), log price
        They are not changed.

    Returns
    -------
    ndarray of shape (n_steps + 1, n_paths), log price
        Row 0 is that of `log_paths`.
    """
    check_rows("log_paths", log_paths)
    if log_paths.shape[0] < 2:
        raise must("log_paths", "have a step", log_paths.shape, "simulate at least one step")
    if not np.isfinite([stress.jump_mean, stress.jump_sigma]).all() or stress.jump_sigma < 0.0:
        raise must("stress", "have a finite jump and deviation from 0", stress, "give a log return")
    n_steps, n_paths = log_paths.shape[0] - 1, log_paths.shape[1]
    steps = rng.integers(1, n_steps + 1, size=n_paths)
    jumps = stress.jump_mean + stress.jump_sigma * rng.standard_normal(n_paths)
    result: FloatArray = log_paths + np.where(np.arange(n_steps + 1)[:, None] >= steps, jumps, 0.0)
    return result
