import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError
from engine.kernels.moments import excess_kurtosis, skewness
from engine.kernels.volatility import annualised_volatility, ewma_sigmas, ewma_volatility

returns = st.lists(st.floats(-0.5, 0.5), min_size=20, max_size=60)


@given(returns, st.sampled_from([52.0, 252.0, 365.0, 8760.0]))
def test_annualising_multiplies_by_the_root_of_the_periods(r, periods):
    assert annualised_volatility(r, periods) == pytest.approx(
        annualised_volatility(r, 1.0) * math.sqrt(periods)
    )


def test_the_forecast_after_one_shock_worked_by_hand():
    # twenty returns of +-1 %: variance 1e-4, unchanged by the recursion; then a shock of 10 %
    calm = 0.01 * (-1.0) ** np.arange(20)
    assert ewma_volatility(calm) == pytest.approx(0.01)
    after = math.sqrt(0.94 * 1e-4 + 0.06 * 1e-2)
    assert ewma_volatility([*calm, 0.10]) == pytest.approx(after)


@given(returns)
def test_the_series_ends_with_the_forecast_and_follows_the_recursion(r):
    sigmas = ewma_sigmas(r)
    assert sigmas.size == len(r)
    assert sigmas[-1] == ewma_volatility(r)
    assert sigmas[1:] ** 2 == pytest.approx(0.94 * sigmas[:-1] ** 2 + 0.06 * np.array(r[1:]) ** 2)


@given(returns)
def test_the_sign_of_returns_after_the_seed_does_not_matter(r):
    flipped = [*r[:20], *(-x for x in r[20:])]
    assert ewma_volatility(flipped) == pytest.approx(ewma_volatility(r))


@pytest.mark.parametrize("periods", [0.0, -252.0, math.nan, math.inf])
def test_periods_per_year_must_be_a_positive_number(periods):
    with pytest.raises(InvalidValueError, match="periods_per_year"):
        annualised_volatility([0.01, 0.02], periods)


def test_moments_of_a_two_point_sample_worked_by_hand():
    assert skewness([-1.0, 1.0]) == pytest.approx(0.0)
    assert excess_kurtosis([-1.0, 1.0]) == pytest.approx(-2.0)
    # three zeros and a four: mean 1, deviation sqrt 3, third moment (3 x -1 + 27) / 4 / 3 sqrt 3
    assert skewness([0.0, 0.0, 0.0, 4.0]) == pytest.approx(6.0 / (3.0 * math.sqrt(3.0)))


@given(st.sampled_from([1e-6, 0.01, 0.5, 0.94, 0.9999]), st.integers(20, 6_000), st.integers(0, 9))
def test_a_long_series_follows_the_recursion_term_by_term_at_any_decay(decay, n, seed):
    r = np.random.default_rng(seed).standard_t(3, n) * 0.01
    variance, by_hand = float(np.var(r[:20])), []
    for x in r.tolist():
        variance = decay * variance + (1.0 - decay) * x * x
        by_hand.append(math.sqrt(variance))
    np.testing.assert_allclose(ewma_sigmas(r, decay), by_hand, rtol=1e-12)
