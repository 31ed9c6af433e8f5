import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.tail_laws import (
    JumpDiffusion,
    StudentT,
    cornish_fisher_value_at_risk,
    expansion,
    fit_student_t,
    is_monotone,
    jump_moments,
    unit_t_quantile,
)

R = stats.t(4, loc=0.001, scale=0.01).rvs(3_000, random_state=1)


def test_the_parameters_of_a_grown_sample_are_found_again():
    fit = fit_student_t(R)
    assert fit.nu == pytest.approx(4.0, rel=0.15)
    assert fit.location == pytest.approx(0.001, abs=0.001)
    assert fit.scale == pytest.approx(0.01, rel=0.06)
    assert fit.n == 3_000


@given(st.floats(1.2, 60.0), st.floats(-0.01, 0.01), st.floats(1e-4, 0.1))
def test_losses_are_those_of_the_law(nu, location, scale):
    fit, law = StudentT(nu=nu, location=location, scale=scale, n=100), stats.t(nu, location, scale)
    for confidence in (0.9, 0.95, 0.99):
        loss = fit.value_at_risk(confidence)
        assert loss == pytest.approx(-law.ppf(1 - confidence), rel=1e-6, abs=1e-9)
        assert fit.expected_shortfall(confidence) > loss


def test_shortfall_is_the_mean_beyond():
    law = stats.t(4, 0.001, 0.01)
    beyond = law.expect(lambda x: x, ub=law.ppf(0.01), conditional=True)
    fit = StudentT(nu=4.0, location=0.001, scale=0.01, n=100)
    assert fit.expected_shortfall(0.99) == pytest.approx(-beyond, rel=1e-6)
    assert StudentT(nu=1.0, location=0.0, scale=1.0, n=100).expected_shortfall(0.99) is None


@pytest.mark.parametrize("scale", [1e-9, 100.0])
def test_a_fit_scales_and_moves_with_the_returns(scale):
    one, other = fit_student_t(R), fit_student_t(scale * (R + 0.5))
    assert other.nu == pytest.approx(one.nu, rel=1e-3)
    assert other.scale == pytest.approx(scale * one.scale, rel=1e-3)
    assert other.location == pytest.approx(scale * (one.location + 0.5), rel=1e-5)


def test_the_unit_t_has_variance_one():
    levels = (np.arange(4_000) + 0.5) / 4_000
    draws = np.array([unit_t_quantile(float(u), 6.0) for u in levels])
    assert draws.var() == pytest.approx(1.0, rel=0.03)
    assert unit_t_quantile(0.975, 1e8) == pytest.approx(1.959964, abs=1e-5)
    with pytest.raises(InvalidValueError, match="nu must be above 2"):
        unit_t_quantile(0.5, 2.0)


def test_without_skew_and_kurtosis_the_expansion_is_the_normal_quantile():
    assert expansion(-1.64, 0.0, 0.0) == -1.64
    # at z = -2: -2 + 3 s/6 - 2 k/24 + 6 s^2/36 with s = -0.3, k = 0.6
    assert expansion(-2.0, -0.3, 0.6) == pytest.approx(-2.0 - 0.15 - 0.05 + 0.015)


@given(st.floats(-1.5, 1.5), st.floats(-1.0, 10.0))
def test_the_domain_is_where_the_expansion_rises(skew, kurtosis):
    z = np.linspace(-40.0, 40.0, 4_001)
    rises = (np.diff([expansion(float(x), skew, kurtosis) for x in z]) > 0.0).all()
    assert rises or not is_monotone(skew, kurtosis)


@pytest.mark.parametrize(
    ("skew", "kurtosis", "inside"),
    [(0.0, 0.0, True), (0.0, 7.9, True), (0.0, 8.1, False), (0.0, -0.1, False), (1.0, 2.0, True), (1.0, 1.0, False)],
)  # fmt: skip
def test_the_domain_ends_where_it_is_published_to_end(skew, kurtosis, inside):
    assert is_monotone(skew, kurtosis) == inside


def test_the_expansion_answers_inside_its_domain_alone():
    r = stats.gamma(60).rvs(4_000, random_state=1) * -0.001
    inside = cornish_fisher_value_at_risk(r, 0.99)
    assert inside.note == ""
    assert inside.value_at_risk == pytest.approx(-np.quantile(r, 0.01), rel=0.03)
    outside = cornish_fisher_value_at_risk(stats.t(3).rvs(4_000, random_state=1) * 0.01, 0.99)
    assert outside.value_at_risk is None
    assert "lie outside the domain" in outside.note


def test_moments_of_jumps_are_those_of_drawn_returns():
    law = JumpDiffusion(growth=0.05, sigma=0.2, jumps_per_year=2.0, jump_mean=-0.1, jump_sigma=0.15)
    rng, n = np.random.default_rng(1), 400_000
    jumps = rng.poisson(2.0 * 0.5, n)
    drift = (0.05 - 0.02 - 2.0 * math.expm1(-0.1 + 0.15**2 / 2)) * 0.5
    r = drift + 0.2 * math.sqrt(0.5) * rng.standard_normal(n)
    r += -0.1 * jumps + 0.15 * np.sqrt(jumps) * rng.standard_normal(n)
    got = jump_moments(law, 0.5)
    assert got.mean == pytest.approx(r.mean(), abs=4 * r.std() / math.sqrt(n))
    assert got.variance == pytest.approx(r.var(), rel=0.02)
    assert got.skewness == pytest.approx(stats.skew(r), abs=0.03)
    assert got.excess_kurtosis == pytest.approx(stats.kurtosis(r), abs=0.15)
    assert got.expected_growth == pytest.approx(np.exp(r).mean(), rel=0.003)
    assert got.probability_no_jump == pytest.approx(np.mean(jumps == 0), abs=0.004)


def test_without_jumps_it_is_the_normal_law():
    law = JumpDiffusion(growth=0.05, sigma=0.2, jumps_per_year=0.0, jump_mean=-0.1, jump_sigma=0.1)
    got = jump_moments(law, 1.0)
    assert (got.mean, got.variance) == pytest.approx((0.03, 0.04))
    assert (got.skewness, got.excess_kurtosis, got.probability_no_jump) == (0.0, 0.0, 1.0)


def test_senseless_arguments_are_refused_by_name():
    with pytest.raises(NotEnoughDataError, match="returns must have at least 20"):
        fit_student_t(R[:19])
    with pytest.raises(NotEnoughDataError, match="two values that differ"):
        cornish_fisher_value_at_risk(np.zeros(50))
    with pytest.raises(InvalidValueError, match="confidence must lie"):
        StudentT(nu=4.0, location=0.0, scale=1.0, n=9).value_at_risk(95.0)
    with pytest.raises(InvalidValueError, match="law must have"):
        jump_moments(JumpDiffusion(growth=0, sigma=0, jumps_per_year=0, jump_mean=0, jump_sigma=0), 1)  # fmt: skip
