import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.ratios import (
    annual_alpha,
    beta,
    cagr,
    calmar_ratio,
    correlation,
    sharpe_ratio,
    sortino_ratio,
)

returns = st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=60)


def test_sharpe_and_sortino_worked_by_hand():
    r = [0.03, -0.01]
    # mean 0.01, deviation 0.04 / sqrt 2; downside sqrt((0 + 0.0001) / 2)
    assert sharpe_ratio(r, 1) == pytest.approx(0.01 / (0.04 / math.sqrt(2)))
    assert sortino_ratio(r, 1) == pytest.approx(0.01 / math.sqrt(0.00005))
    assert sharpe_ratio(r, 252) == pytest.approx(sharpe_ratio(r, 1) * math.sqrt(252))


def test_the_downside_is_averaged_over_all_returns_and_not_over_losses_alone():
    padded = [0.03, -0.01, 0.0, 0.0]
    assert sortino_ratio(padded, 1) == pytest.approx(0.005 / math.sqrt(0.0001 / 4))


def test_growth_and_calmar_worked_by_hand():
    # 1.0 -> 1.2 -> 0.9 -> 1.44 in three years: 12.924 % a year, 25 % deep
    r = [0.2, -0.25, 0.6]
    assert cagr(r, 1) == pytest.approx(1.44 ** (1 / 3) - 1)
    assert calmar_ratio(r, 1) == pytest.approx((1.44 ** (1 / 3) - 1) / 0.25)


@given(returns, st.floats(0.1, 5.0))
def test_leverage_changes_neither_sharpe_nor_sortino(r, leverage):
    assume(np.std(r) > 1e-6)
    assume(min(r) < -1e-6)
    scaled = leverage * np.array(r)
    assert sharpe_ratio(scaled, 252) == pytest.approx(sharpe_ratio(r, 252), rel=1e-6, abs=1e-9)
    assert sortino_ratio(scaled, 252) == pytest.approx(sortino_ratio(r, 252), rel=1e-6, abs=1e-9)


@given(returns, st.floats(-3.0, 3.0), st.floats(-0.1, 0.1))
def test_beta_is_the_slope_whatever_the_intercept(b, slope, intercept):
    assume(np.std(b) > 1e-3)
    assert beta(slope * np.array(b) + intercept, b) == pytest.approx(slope, abs=1e-9)


@given(returns)
def test_beta_equals_covariance_over_variance(b):
    assume(np.std(b) > 1e-3)
    r = np.sin(np.arange(len(b)))
    covariance = np.cov(r, b)
    assert beta(r, b) == pytest.approx(covariance[0, 1] / covariance[1, 1], abs=1e-9)


@pytest.mark.parametrize(
    ("ratio", "r"),
    [
        (sharpe_ratio, [0.001] * 50),
        (sharpe_ratio, [0.0, 0.0]),
        (sortino_ratio, [0.01, 0.02]),
        (calmar_ratio, [0.01, 0.02]),
    ],
)
def test_a_ratio_without_a_denominator_is_an_error_and_not_infinity(ratio, r):
    with pytest.raises(NotEnoughDataError, match=f"n = {len(r)}"):
        ratio(r, 252)


def test_beta_needs_a_benchmark_that_moves_and_the_same_bars():
    with pytest.raises(NotEnoughDataError, match="benchmark that moves"):
        beta([0.1, 0.2, 0.3], [0.01, 0.01, 0.01])
    with pytest.raises(InvalidValueError, match="have 3 values"):
        beta([0.1, 0.2, 0.3], [0.1, 0.2])


def test_alpha_is_what_is_left_of_a_year_beside_the_benchmark():
    b = np.array([0.01, -0.02, 0.03])
    assert annual_alpha(1.5 * b + 0.001, b, 252) == pytest.approx(1.001**252 - 1.0)
    assert annual_alpha(b, b, 252) == pytest.approx(0.0, abs=1e-12)
    assert annual_alpha(0.5 * b - 0.001, b, 12) == pytest.approx(0.999**12 - 1.0)


@given(returns, st.floats(-3.0, 3.0), st.floats(-0.1, 0.1))
def test_alpha_is_the_compounded_intercept_of_a_regression(b, slope, intercept):
    assume(np.std(b) > 1e-3)
    r = slope * np.array(b) + intercept
    assert annual_alpha(r, b, 12) == pytest.approx((1.0 + intercept) ** 12 - 1.0, abs=1e-6)


def test_alpha_equals_the_intercept_of_scipy():
    rng = np.random.default_rng(1)
    b = rng.normal(0.0, 0.01, 500)
    r = 0.0003 + 0.8 * b + rng.normal(0.0, 0.01, 500)
    intercept = stats.linregress(b, r).intercept
    assert annual_alpha(r, b, 252) == pytest.approx((1.0 + intercept) ** 252 - 1.0)


def test_alpha_of_more_than_everything_lost_is_refused():
    with pytest.raises(InvalidValueError, match="growth must not fall below zero"):
        annual_alpha([-2.0, -1.9, -2.1], [0.01, 0.02, -0.03], 252)
    with pytest.raises(NotEnoughDataError, match="benchmark that moves"):
        annual_alpha([0.1, 0.2, 0.3], [0.01, 0.01, 0.01], 252)
    with pytest.raises(InvalidValueError, match="periods_per_year"):
        annual_alpha([0.1, 0.2, 0.3], [0.01, 0.02, -0.03], 0)


@given(returns)
def test_correlation_equals_that_of_scipy_and_does_not_mind_the_order(b):
    assume(np.std(b) > 1e-3)
    r = np.sin(np.arange(len(b)))
    assert correlation(r, b) == pytest.approx(stats.pearsonr(r, b).statistic, abs=1e-9)
    assert correlation(b, r) == pytest.approx(correlation(r, b), abs=1e-12)


@given(returns, st.floats(0.1, 5.0), st.floats(-0.1, 0.1))
def test_correlation_is_one_on_a_line_and_never_more(b, slope, intercept):
    assume(np.std(b) > 1e-3)
    line = slope * np.array(b) + intercept
    assert correlation(line, b) == pytest.approx(1.0, abs=1e-9)
    assert correlation(-line, b) == pytest.approx(-1.0, abs=1e-9)
    assert abs(correlation(line, b)) <= 1.0


def test_correlation_needs_two_series_that_move_over_the_same_bars():
    flat, moving = [0.01, 0.01, 0.01], [0.1, 0.2, 0.3]
    for pair in ((flat, moving), (moving, flat), (moving, [0.0, 0.0, 0.0])):
        with pytest.raises(NotEnoughDataError, match="two series that move"):
            correlation(*pair)
    with pytest.raises(InvalidValueError, match="have 3 values"):
        correlation(moving, [0.1, 0.2])
