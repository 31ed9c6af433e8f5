import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.overfitting import (
    deflated_sharpe,
    expected_maximum_sharpe,
    probabilistic_sharpe,
)
from engine.kernels.ratios import sharpe_ratio

R = np.random.default_rng(4).normal(0.0005, 0.01, 1_000)
returns = st.lists(st.floats(-0.3, 0.3), min_size=4, max_size=60)


def test_the_bar_in_the_example_of_the_paper():
    # Bailey and Lopez de Prado (2014): 100 trials whose annual ratios have the variance 1/2, over days of a year of 250
    assert expected_maximum_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)


def test_it_is_the_formula_of_the_paper():
    ratio = R.mean() / R.std(ddof=1)
    spread = 1 - stats.skew(R) * ratio + (stats.kurtosis(R) + 2) / 4 * ratio**2
    z = (ratio - 0.01) * math.sqrt(R.size - 1) / math.sqrt(spread)
    assert probabilistic_sharpe(R, 0.01) == pytest.approx(stats.norm.cdf(z), rel=1e-12)


def test_a_symmetric_normal_sample_is_as_sure_as_its_t_statistic():
    grid = stats.norm.ppf((np.arange(2_000) + 0.5) / 2_000)
    r = 0.0002 + 0.01 * grid
    t = sharpe_ratio(r, 1.0) * math.sqrt(r.size)
    assert probabilistic_sharpe(r) == pytest.approx(stats.norm.cdf(t), abs=1e-3)


@given(returns, st.floats(0.0, 0.5))
def test_a_higher_bar_is_less_likely_and_the_own_ratio_is_even_odds(r, higher):
    assume(np.unique(np.round(r, 3)).size > 2)
    own = sharpe_ratio(r, 1.0)
    assert probabilistic_sharpe(r, own) == pytest.approx(0.5)
    assert 0.0 <= probabilistic_sharpe(r, own + higher) <= 0.5 + 1e-12


def test_the_sign_of_the_returns_turns_the_chance_over():
    assert probabilistic_sharpe(-R) == pytest.approx(1.0 - probabilistic_sharpe(R))


def test_a_left_tail_makes_a_good_ratio_less_sure():
    right = np.random.default_rng(5).exponential(0.01, 500) - 0.009
    left = 2.0 * right.mean() - right
    assert sharpe_ratio(left, 1.0) == pytest.approx(sharpe_ratio(right, 1.0))
    assert probabilistic_sharpe(left) < probabilistic_sharpe(right)


@pytest.mark.parametrize("n_trials", [10, 100, 1_000])
def test_the_expected_maximum_is_that_of_simulated_trials(n_trials):
    draws = 0.3 * np.random.default_rng(6).standard_normal((20_000, n_trials))
    found = draws.max(axis=1).mean()
    assert expected_maximum_sharpe(n_trials, 0.09) == pytest.approx(found, rel=0.03)


@given(st.integers(2, 10_000), st.floats(0.0, 4.0))
def test_more_trials_raise_the_bar_and_it_scales_with_their_spread(n_trials, variance):
    bar = expected_maximum_sharpe(n_trials, variance)
    assert bar >= 0.0
    assert expected_maximum_sharpe(2 * n_trials, variance) >= bar
    assert expected_maximum_sharpe(n_trials, 4.0 * variance) == pytest.approx(2.0 * bar)


def test_a_single_trial_is_not_deflated():
    found = deflated_sharpe(R, 1, 0.25)
    assert found.expected_maximum == 0.0
    assert found.probability == probabilistic_sharpe(R)
    assert found.sharpe == sharpe_ratio(R, 1.0)


def test_the_more_was_tried_the_less_is_left():
    left = [deflated_sharpe(R, n, 0.001).probability for n in (1, 2, 10, 100, 1_000)]
    assert left == sorted(left, reverse=True)
    assert left[0] > left[-1]


def test_numbers_out_of_their_range_are_refused():
    with pytest.raises(InvalidValueError, match="n_trials must be at least 1"):
        expected_maximum_sharpe(0, 0.1)
    for variance in (-0.1, math.nan, math.inf):
        with pytest.raises(InvalidValueError, match="variance must be finite and at least 0"):
            deflated_sharpe(R, 10, variance)
    with pytest.raises(InvalidValueError, match="benchmark must be finite"):
        probabilistic_sharpe(R, math.nan)


@pytest.mark.parametrize("r", [[0.01], [0.01, 0.01, 0.01], [0.0, 0.0]])
def test_returns_without_a_ratio_are_an_error(r):
    with pytest.raises(NotEnoughDataError, match=f"n = {len(r)}"):
        probabilistic_sharpe(r)
    with pytest.raises(NotEnoughDataError, match=f"n = {len(r)}"):
        deflated_sharpe(r, 10, 0.1)


def test_two_values_whose_ratio_has_no_error_are_an_error():
    # of two values the spread is (1 - skewness SR / 2)^2, which is zero where SR = 2 / skewness
    r = np.array([0.0] * 800 + [1.0] * 200)
    ratio = 2.0 / stats.skew(r)
    with pytest.raises(NotEnoughDataError, match="tell the error of their Sharpe ratio"):
        probabilistic_sharpe(r - r.mean() + ratio * r.std(ddof=1))
