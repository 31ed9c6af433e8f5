import math

import numpy as np
import pytest

from engine.domain.errors import InvalidValueError
from engine.kernels.paths import simulate_gbm
from engine.kernels.stress_mixture import Stress, stressed_paths

CRASH = Stress(jump_mean=-0.2, jump_sigma=0.05)


def rng(seed=1):
    return np.random.default_rng(seed)


PATHS = simulate_gbm(1.0, 0.0, 0.01, 5_000, 5, rng())


def test_the_central_paths_are_left_as_they_are():
    before = PATHS.copy()
    stressed = stressed_paths(PATHS, CRASH, rng())
    assert (before == PATHS).all()
    assert (stressed[0] == PATHS[0]).all()


def test_every_path_jumps_once_at_a_step_of_chance():
    moved = np.diff(stressed_paths(PATHS, CRASH, rng()) - PATHS, axis=0)
    jumped = np.abs(moved) > 1e-12
    assert (jumped.sum(axis=0) == 1).all()
    assert jumped.mean(axis=1) == pytest.approx([0.2] * 5, abs=0.03)
    jumps = moved[jumped]
    assert jumps.mean() == pytest.approx(-0.2, abs=4 * 0.05 / math.sqrt(5_000))
    assert jumps.std() == pytest.approx(0.05, rel=0.05)


def test_the_same_generator_state_gives_the_same_paths_and_another_gives_others():
    one, same, other = (stressed_paths(PATHS, CRASH, rng(seed)) for seed in (5, 5, 6))
    assert (one == same).all()
    assert not (one[-1] == other[-1]).any()


def test_senseless_arguments_are_refused_by_name():
    with pytest.raises(InvalidValueError, match="log_paths must have shape"):
        stressed_paths(PATHS[0], CRASH, rng())
    with pytest.raises(InvalidValueError, match="log_paths must have a step"):
        stressed_paths(PATHS[:1], CRASH, rng())
    with pytest.raises(InvalidValueError, match="stress must have"):
        stressed_paths(PATHS, Stress(jump_mean=math.nan), rng())
