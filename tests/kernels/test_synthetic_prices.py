"""Made-up prices: the vectorised recursion is the textbook's, and the moments are those asked for."""

import numpy as np
import pytest
from scipy import stats

from engine.kernels import synthetic_prices
from engine.kernels.synthetic_prices import GarchJump, simulate_ticks

MODEL = GarchJump(variance=np.array([1e-6, 4e-6]), loading=np.array([0.6, 0.8]))


def test_variances_follow_the_recursion_step_by_step():
    rng = np.random.default_rng(1)
    shocks = rng.standard_normal((50, 2))
    ratios = synthetic_prices._variance_ratios(MODEL, np.array([2.0, 0.5]), shocks)
    h = np.array([2.0, 0.5])
    for t in range(50):
        assert ratios[t] == pytest.approx(h)
        h = (1 - MODEL.alpha - MODEL.beta) + (MODEL.alpha * shocks[t] ** 2 + MODEL.beta) * h
    assert ratios[50] == pytest.approx(h)


def test_two_halves_continue_each_other_in_variance():
    first = np.ones(2)
    logs, ratios = simulate_ticks(MODEL, np.zeros(2), first, 100, np.random.default_rng(2))
    assert logs.shape == (100, 2)
    assert ratios.shape == (101, 2)
    assert ratios[0] == pytest.approx(first)


def test_the_long_run_variance_and_the_correlation_are_those_asked_for():
    # Clusters so short that the average over 120,000 steps is near the expectation.
    model = GarchJump(variance=MODEL.variance, loading=MODEL.loading, alpha=0.05, beta=0.85)
    rng = np.random.default_rng(3)
    logs, ratios = np.zeros(2), np.ones(2)
    steps = []
    for _ in range(60):
        path, ratio = simulate_ticks(model, logs, ratios, 2000, rng)
        steps.append(np.diff(np.vstack([logs, path]), axis=0))
        logs, ratios = path[-1], ratio[-1]
    returns = np.vstack(steps)
    assert returns.var(axis=0) == pytest.approx(MODEL.variance, rel=0.05)
    assert np.corrcoef(returns.T)[0, 1] == pytest.approx(0.48, abs=0.03)


def test_innovations_are_students_of_unit_variance_and_not_normal():
    """Against scipy: one asset's shocks, scaled back, follow the t with the model's degrees of freedom."""
    shocks = synthetic_prices._student_shocks(MODEL, 40_000, 2, np.random.default_rng(6))
    scale = np.sqrt(MODEL.degrees / (MODEL.degrees - 2))
    for column in shocks.T:
        assert stats.kstest(column * scale, stats.t(MODEL.degrees).cdf).pvalue > 0.01
        assert stats.kstest(column, stats.norm.cdf).pvalue < 1e-9, "the control"
    large = np.abs(shocks) > 4.0
    together = (large[:, 0] & large[:, 1]).sum()
    assert together > 10 * large.mean(axis=0).prod() * len(shocks), "bad moments are bad for both"


def test_jumps_are_a_share_of_the_variance_and_not_more_on_top():
    jumpy = GarchJump(
        variance=np.array([1e-6]),
        loading=np.array([0.5]),
        own_jumps=0.01,
        common_jumps=0.01,
        jump_size=20.0,
    )
    logs, _ = simulate_ticks(jumpy, np.zeros(1), np.ones(1), 20_000, np.random.default_rng(4))
    returns = np.diff(logs[:, 0])
    assert returns.var() == pytest.approx(1e-6, rel=0.25)
    kurtosis = ((returns - returns.mean()) ** 4).mean() / returns.var() ** 2
    assert kurtosis > 50  # without jumps about 6 to 15


def test_equal_generators_give_equal_paths():
    one, two = (
        simulate_ticks(MODEL, np.zeros(2), np.ones(2), 30, np.random.default_rng(9))[0]
        for _ in "ab"
    )
    assert (one == two).all()
