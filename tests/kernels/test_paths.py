import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError
from engine.domain.forecast import SimulationLevel
from engine.kernels.paths import (
    estimate_drift_and_sigma,
    gbm_mean,
    gbm_probability_up,
    gbm_quantile,
    simulate_gbm,
    stream_seed,
)


def rng(seed=1):
    return np.random.default_rng(seed)


def test_estimates_of_three_prices_worked_by_hand():
    # log returns ln 1.1 and ln 0.9: mean -0.005025, deviation 0.200671 / sqrt 2 = 0.141896
    fit = estimate_drift_and_sigma([100.0, 110.0, 99.0])
    assert fit.drift_per_step == pytest.approx(math.log(0.99) / 2)
    assert fit.sigma_per_step == pytest.approx(math.log(1.1 / 0.9) / math.sqrt(2))
    assert fit.drift_error_per_step == pytest.approx(math.log(1.1 / 0.9) / 2)
    assert fit.n_observations == 2


def test_flat_prices_have_neither_drift_nor_volatility():
    fit = estimate_drift_and_sigma([50.0] * 5)
    assert (fit.drift_per_step, fit.sigma_per_step) == (0.0, 0.0)


def test_paths_start_at_the_log_of_spot_and_have_a_row_per_step():
    paths = simulate_gbm(100.0, 0.001, 0.02, n_paths=7, n_steps=4, rng=rng())
    assert paths.shape == (5, 7)
    assert (paths[0] == math.log(100.0)).all()


def test_without_volatility_every_path_is_the_drift():
    paths = simulate_gbm(100.0, 0.01, 0.0, n_paths=3, n_steps=5, rng=rng())
    assert paths[-1] == pytest.approx([math.log(100.0) + 0.05] * 3)


def test_steps_are_normal_and_independent():
    paths = simulate_gbm(1.0, 0.001, 0.02, n_paths=4_000, n_steps=5, rng=rng(11))
    steps = np.diff(paths, axis=0)
    assert stats.kstest(steps.ravel(), stats.norm(0.001, 0.02).cdf).pvalue > 0.001
    correlations = np.corrcoef(steps)[np.triu_indices(5, 1)]
    assert np.abs(correlations).max() < 4.5 / math.sqrt(4_000)
    # control: the same test sees a drift that is off by a twentieth of sigma
    assert stats.kstest(steps.ravel(), stats.norm(0.002, 0.02).cdf).pvalue < 0.001


def test_the_same_generator_state_gives_the_same_paths_and_another_gives_others():
    draw = [simulate_gbm(10.0, 0.0, 0.1, 50, 3, rng(seed)) for seed in (5, 5, 6)]
    assert (draw[0] == draw[1]).all()
    assert not (draw[0][1:] == draw[2][1:]).any()


@pytest.mark.parametrize("level", [0.01, 0.05, 0.5, 0.95, 0.99])
def test_the_closed_form_quantile_is_the_lognormal_one(level):
    exact = stats.lognorm(s=0.02 * math.sqrt(10), scale=100 * math.exp(0.01)).ppf(level)
    assert gbm_quantile(100.0, 0.001, 0.02, 10, level) == pytest.approx(exact)


def test_the_closed_form_mean_and_chance_are_the_lognormal_ones():
    law = stats.lognorm(s=0.02 * math.sqrt(10), scale=100 * math.exp(0.01))
    assert gbm_mean(100.0, 0.001, 0.02, 10) == pytest.approx(law.mean())
    assert gbm_probability_up(0.001, 0.02, 10) == pytest.approx(law.sf(100.0))
    assert [gbm_probability_up(drift, 0.0, 10) for drift in (-0.1, 0.0, 0.1)] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("spot", {"spot": 0.0}),
        ("spot", {"spot": math.nan}),
        ("sigma_per_step", {"sigma_per_step": -0.1}),
        ("sigma_per_step", {"sigma_per_step": math.inf}),
        ("drift_per_step", {"drift_per_step": math.nan}),
        ("n_paths", {"n_paths": 0}),
        ("n_steps", {"n_steps": 0}),
    ],
)
def test_a_senseless_argument_is_refused_by_name(name, change):
    sane = {"spot": 1.0, "drift_per_step": 0.0, "sigma_per_step": 0.1, "n_paths": 2, "n_steps": 2}
    with pytest.raises(InvalidValueError, match=f"^{name} must"):
        simulate_gbm(**{**sane, **change}, rng=rng())


parts = st.tuples(
    st.integers(0, 2**40), st.text(max_size=8), st.integers(1, 5), st.integers(0, 10**7)
)


@settings(max_examples=200)
@given(parts, parts)
def test_different_forecasts_have_different_seeds(one, other):
    assert (stream_seed(*one) == stream_seed(*other)) == (one == other)
    assert 0 <= stream_seed(*one) < 2**53


def test_a_seed_is_the_same_in_every_process_and_for_level_and_number():
    assert stream_seed(42, "AAPL", SimulationLevel.LEVEL_1_BASE, 7) == stream_seed(42, "AAPL", 1, 7)
    assert stream_seed(42, "AAPL", 1, 7) == 6991639616272503


def test_neighbouring_seeds_give_streams_that_do_not_correlate():
    streams = np.array([
        np.random.default_rng(stream_seed(run, "AAPL", 1, bar)).standard_normal(500)
        for run in range(12) for bar in range(12)
    ])  # fmt: skip
    off_diagonal = np.corrcoef(streams)[np.triu_indices(len(streams), 1)]
    # the largest of 10,296 independent correlations of 500 draws exceeds 5.5 s.e. once in 2,500 runs
    assert np.abs(off_diagonal).max() < 5.5 / math.sqrt(500)
    assert len({s[0] for s in streams}) == len(streams)
