"""The fan against plain NumPy on the same paths."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError
from engine.domain.forecast import FAN_LEVELS
from engine.kernels import threads
from engine.kernels.fan import fan_prices

SPOT = 128.24


def paths(n_paths=2_000, n_steps=30, seed=3, sigma=0.02) -> np.ndarray:
    """Log prices relative to spot, the first row one step ahead."""
    rng = np.random.default_rng(seed)
    return (sigma * rng.standard_normal((n_steps, n_paths))).cumsum(axis=0)


@pytest.mark.parametrize(
    ("n_paths", "n_steps"),
    [(1, 20), (2, 21), (3, 50), (7, 20), (255, 33), (1_000, 50), (9_999, 20)],
)
def test_a_fan_is_what_numpy_says_of_the_same_paths(n_paths, n_steps):
    rows = paths(n_paths, n_steps).astype(np.float32)
    found = fan_prices(rows, SPOT, (0.1, 0.5, 0.9))
    exact = np.quantile(rows.astype(float), (0.1, 0.5, 0.9), axis=1)
    assert found[:, 1:] == pytest.approx(SPOT * np.exp(exact), rel=1e-12)


def test_doubles_are_rounded_to_single_precision_and_no_further():
    rows = paths()
    exact = SPOT * np.exp(np.quantile(rows, FAN_LEVELS, axis=1))
    assert fan_prices(rows, SPOT)[:, 1:] == pytest.approx(exact, rel=1e-6)


def test_every_row_starts_at_spot_to_the_bit():
    found = fan_prices(paths(), SPOT)
    assert found.shape == (7, 31)
    assert (found[:, 0] == SPOT).all()


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_numbers_do_not_depend_on_threads(monkeypatch, n_threads):
    rows = paths(30_001, 25)
    expected = fan_prices(rows, SPOT)
    monkeypatch.setattr(threads, "n_threads", lambda: n_threads)
    assert (fan_prices(rows, SPOT) == expected).all()


def test_a_price_out_of_range_is_refused():
    assert np.isfinite(fan_prices(paths(sigma=10.0), 1.0)).all()
    with pytest.raises(InvalidValueError, match=r"^rows must keep every price"):
        fan_prices(paths(sigma=1e3), 1.0)


def test_paths_that_are_not_finite_and_a_spot_that_is_none_are_refused():
    rows = np.zeros((5, 100))
    rows[4, 3] = math.nan
    with pytest.raises(InvalidValueError, match=r"^rows must be finite, was .* in row 4"):
        fan_prices(rows, 1.0)
    with pytest.raises(InvalidValueError, match=r"^spot must"):
        fan_prices(rows[:4], math.nan)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 1e6), st.floats(0.0, 0.2), st.integers(1, 600), st.integers(0, 99))
def test_bands_are_ordered_positive_and_finite(spot, sigma, n_paths, seed):
    found = fan_prices(paths(n_paths, 22, seed, sigma), spot)
    assert np.isfinite(found).all()
    assert (found > 0.0).all()
    assert (found[1:] >= found[:-1] * (1 - 1e-12)).all()
