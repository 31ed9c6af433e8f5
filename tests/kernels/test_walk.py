"""Paths of level 1 against the closed form over many seeds, and against themselves."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError
from engine.kernels import threads
from engine.kernels.paths import DriftAndSigma, gbm_mean, stream_seed
from engine.kernels.walk import gbm_paths

DRIFT, SIGMA = 0.0004, 0.02


def law(drift=DRIFT, sigma=SIGMA) -> DriftAndSigma:
    return DriftAndSigma(
        drift_per_step=drift, drift_error_per_step=0.0, sigma_per_step=sigma, n_observations=1
    )


def paths(n_paths=2_000, n_steps=30, seed=3, **of) -> np.ndarray:
    return gbm_paths(law(**of), n_paths, n_steps, seed)


def _errors(seeds, level=0.9, step=12, n_paths=999):
    """Errors of one quantile of the paths, in units of its sampling error."""
    z = stats.norm.ppf(level)
    deviation = math.sqrt(level * (1 - level) / n_paths) / stats.norm.pdf(z)
    found = [np.quantile(paths(n_paths, step, seed)[-1], level) for seed in seeds]
    return ((np.array(found) - DRIFT * step) / (SIGMA * math.sqrt(step)) - z) / deviation


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9])
def test_a_quantile_errs_as_much_as_sampling_must(level):
    errors = _errors(range(600), level)
    assert abs(errors.mean()) < 4.0 / math.sqrt(errors.size)
    assert abs(errors.std() - 1.0) < 4.0 / math.sqrt(2 * errors.size)
    assert stats.kstest(errors, stats.norm.cdf).pvalue > 0.001


def test_neighbouring_seeds_and_symbols_err_independently():
    errors = _errors(range(600))
    limit = 4.0 / math.sqrt(600)
    assert all(abs(np.corrcoef(errors[:-k], errors[k:])[0, 1]) < limit for k in (1, 2, 8))
    symbols = [_errors([stream_seed(s, name, 1, 0) for s in range(600)]) for name in ("A", "B")]
    assert abs(np.corrcoef(symbols)[0, 1]) < limit
    far = _errors([s << 32 for s in range(600)])
    assert abs(np.corrcoef(errors, far)[0, 1]) < limit


def test_mean_and_chance_are_those_of_the_closed_form():
    n = 200_000
    end = paths(n, 40)[-1]
    exact = gbm_mean(1.0, DRIFT, SIGMA, 40)
    spread = exact * math.sqrt(math.expm1(40 * SIGMA**2))
    assert abs(np.exp(end).mean() - exact) < 4.0 * spread / math.sqrt(n)
    chance = stats.norm.cdf(DRIFT * math.sqrt(40) / SIGMA)
    assert abs((end > 0.0).mean() - chance) < 2.0 / math.sqrt(n)


def test_steps_are_normal_and_independent_of_each_other():
    steps = np.diff(paths(20_000, 6), axis=0)
    assert stats.kstest(steps.ravel(), stats.norm(DRIFT, SIGMA).cdf).pvalue > 0.001
    assert np.abs(np.corrcoef(steps)[np.triu_indices(6, 1)]).max() < 4.5 / math.sqrt(20_000)


def test_more_paths_or_steps_keep_those_that_were_there():
    small, large = paths(7, 3), paths(300_001, 6)
    assert (small == large[:4, :7]).all()


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_numbers_do_not_depend_on_threads(monkeypatch, n_threads):
    expected = paths(30_001, 25)
    monkeypatch.setattr(threads, "n_threads", lambda: n_threads)
    assert (paths(30_001, 25) == expected).all()


def test_an_error_in_a_thread_is_not_lost(monkeypatch):
    monkeypatch.setattr(threads, "n_threads", lambda: 3)

    def fail(span):
        if span[0] == 0:
            raise RuntimeError("the ground moved")

    with pytest.raises(RuntimeError, match="the ground moved"):
        threads.shared(fail, 9, is_alone=False)


def test_without_volatility_every_path_is_the_drift():
    found = paths(5, 20, drift=-0.01, sigma=0.0)
    np.testing.assert_allclose(found, np.tile(-0.01 * np.arange(21)[:, None], 5), rtol=1e-14)


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.01, 0.01), st.floats(0.0, 10.0), st.integers(1, 600), st.integers(0, 2**64 - 1))
def test_paths_start_at_spot_are_finite_and_follow_their_seed(drift, sigma, n_paths, seed):
    first, second = (paths(n_paths, 22, seed, drift=drift, sigma=sigma) for _ in range(2))
    assert first.shape == (23, n_paths)
    assert (first[0] == 0.0).all()
    assert np.isfinite(first).all()
    assert (first == second).all()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("drift_per_step", {"drift": math.nan}),
        ("sigma_per_step", {"sigma": math.nan}),
        ("sigma_per_step", {"sigma": -0.1}),
        ("n_paths", {"n_paths": 0}),
        ("n_steps", {"n_steps": 0}),
        ("seed", {"seed": -1}),
        ("seed", {"seed": 2**64}),
    ],
)
def test_a_senseless_argument_is_refused_by_name(name, change):
    with pytest.raises(InvalidValueError, match=rf"^{name} must"):
        paths(**change)
