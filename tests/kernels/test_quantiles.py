import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.domain.errors import InvalidValueError
from engine.domain.forecast import FAN_LEVELS, QUANTILE_LEVELS
from engine.kernels.paths import (
    gbm_mean,
    gbm_probability_up,
    gbm_quantile,
    simulate_gbm,
    stream_seed,
)
from engine.kernels.quantiles import (
    expected_price,
    fan,
    horizon_quantiles,
    probability_up,
    row_quantiles,
)

SPOT, DRIFT, SIGMA = 128.24, 0.0004, 0.02


def simulated(n_paths=2_000, n_steps=20, seed=3):
    return simulate_gbm(SPOT, DRIFT, SIGMA, n_paths, n_steps, np.random.default_rng(seed))


def test_quantiles_of_five_numbers_worked_by_hand():
    # order 1 2 3 4 5: the quantile at 0.25 is the second, at 0.1 four tenths of the way from first to second
    rows = np.array([[5.0, 3.0, 1.0, 4.0, 2.0]])
    assert row_quantiles(rows, [0.0, 0.1, 0.25, 0.5, 1.0]).ravel() == pytest.approx(
        [1.0, 1.4, 2.0, 3.0, 5.0]
    )


@settings(max_examples=60)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 60)), elements=st.floats(-3, 3))
)
def test_quantiles_equal_those_of_numpy_within_single_precision(rows):
    levels = QUANTILE_LEVELS
    assert row_quantiles(rows, levels) == pytest.approx(np.quantile(rows, levels, axis=1), abs=1e-6)


def test_every_row_of_the_fan_starts_exactly_at_spot():
    rows = fan(simulated(), SPOT)
    assert len(rows) == len(FAN_LEVELS)
    assert {row[0] for row in rows} == {SPOT}
    assert {len(row) for row in rows} == {21}


def test_the_fan_starts_at_spot_even_where_the_paths_are_off_by_rounding():
    nudged = simulated() + 1e-7
    assert {row[0] for row in fan(nudged, SPOT)} == {SPOT}


@settings(max_examples=40)
@given(
    st.floats(0.01, 1e6), st.floats(-0.05, 0.05), st.floats(0.0, 0.3), st.integers(1, 50),
    st.integers(1, 12), st.integers(0, 2**32),
)  # fmt: skip
def test_bands_are_ordered_positive_and_finite(spot, drift, sigma, n_paths, n_steps, seed):
    paths = simulate_gbm(spot, drift, sigma, n_paths, n_steps, np.random.default_rng(seed))
    rows = np.array(fan(paths, spot))
    assert np.isfinite(rows).all()
    assert (rows > 0.0).all()
    assert (np.diff(rows, axis=0) >= 0.0).all()
    for record in horizon_quantiles(paths, spot):
        assert (np.diff(record.prices) >= 0.0).all()


def test_exponentiating_quantiles_equals_quantiles_of_the_exponentiated_matrix():
    paths = simulated(n_paths=10_001)
    # 0.025 x 10,000 and so on are whole, so nothing is interpolated and the two must be the same order statistics
    whole = np.quantile(np.exp(paths), FAN_LEVELS, axis=1)
    assert np.array(fan(paths, SPOT)) == pytest.approx(whole, rel=1e-6)


def test_the_fan_is_within_sampling_error_of_the_closed_form_over_many_seeds():
    n_paths, horizon = 1_000, 20
    scores = []
    for run in range(60):
        seed = stream_seed(run, "TEST", 1, 0)
        paths = simulate_gbm(SPOT, DRIFT, SIGMA, n_paths, horizon, np.random.default_rng(seed))
        ends = np.log([row[-1] for row in fan(paths, SPOT)])
        for level, end in zip(FAN_LEVELS, ends, strict=True):
            exact = math.log(gbm_quantile(SPOT, DRIFT, SIGMA, horizon, level))
            scale = SIGMA * math.sqrt(horizon)
            z = (exact - math.log(SPOT) - DRIFT * horizon) / scale
            density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / scale
            scores.append((end - exact) / (math.sqrt(level * (1 - level) / n_paths) / density))
    scores = np.array(scores).reshape(60, -1)
    # 60 independent fans: unbiased within 4 standard errors, of unit spread, and never 5 errors off
    assert np.abs(scores.mean(axis=0)).max() < 4 / math.sqrt(60)
    assert ((scores.std(axis=0) > 0.65) & (scores.std(axis=0) < 1.4)).all()
    assert np.abs(scores).max() < 5.0


def test_the_record_holds_every_horizon_that_the_paths_reach_and_no_other():
    record = horizon_quantiles(simulated(n_steps=6), SPOT)
    assert [r.horizon for r in record] == [1, 5]
    assert {len(r.prices) for r in record} == {len(QUANTILE_LEVELS)}
    assert horizon_quantiles(simulated(n_steps=3), SPOT, horizons=(5, 20)) == ()


def test_record_and_fan_agree_where_they_have_the_same_level():
    paths = simulated()
    by_level = dict(zip(QUANTILE_LEVELS, horizon_quantiles(paths, SPOT)[-1].prices, strict=True))
    for level, row in zip(FAN_LEVELS, fan(paths, SPOT), strict=True):
        assert row[20] == pytest.approx(by_level[level], rel=1e-9)


def test_probability_and_mean_are_within_four_standard_errors_of_the_closed_form():
    paths = simulated(n_paths=20_000)
    chance = gbm_probability_up(DRIFT, SIGMA, 20)
    assert abs(probability_up(paths, SPOT) - chance) < 4 * math.sqrt(chance * (1 - chance) / 20_000)
    ends = np.exp(paths[-1])
    error = ends.std(ddof=1) / math.sqrt(20_000)
    assert abs(expected_price(paths) - gbm_mean(SPOT, DRIFT, SIGMA, 20)) < 4 * error


def test_a_path_that_ends_at_spot_did_not_go_up():
    paths = np.log(np.array([[10.0, 10.0, 10.0, 10.0], [10.0, 11.0, 9.0, 12.0]]))
    assert probability_up(paths, 10.0) == 0.5


def test_paths_of_the_wrong_shape_are_refused():
    with pytest.raises(InvalidValueError, match="log_paths"):
        fan(np.zeros(5), SPOT)
    with pytest.raises(InvalidValueError, match="spot"):
        fan(np.zeros((2, 5)), 0.0)
