import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.extreme_value import ParetoTail, extended_pool, fit_tail

LOSSES = np.random.default_rng(1).standard_t(4, 4_000) * 0.01
TAIL = fit_tail(LOSSES)

tails = st.builds(
    ParetoTail, threshold=st.floats(-0.1, 0.1), xi=st.floats(-0.4, 0.85), beta=st.floats(1e-4, 0.1),
    n_exceedances=st.just(50), n=st.just(1_000),
)  # fmt: skip


def test_a_tail_worked_by_hand():
    tail = ParetoTail(threshold=0.02, xi=0.5, beta=0.01, n_exceedances=50, n=1_000)
    # 1 % is a fifth of the 5 %: 0.02 + 0.01 / 0.5 (sqrt 5 - 1); shortfall 2 VaR + (0.01 - 0.01) / 0.5
    assert tail.value_at_risk(0.99) == pytest.approx(0.02 + 0.02 * (math.sqrt(5) - 1))
    assert tail.expected_shortfall(0.99) == pytest.approx(2 * tail.value_at_risk(0.99))
    assert tail.value_at_risk(0.95) == pytest.approx(0.02)


def test_a_shape_of_zero_is_the_exponential_and_the_limit_of_small_ones():
    law = {"threshold": 0.02, "beta": 0.01, "n_exceedances": 50, "n": 1_000}
    exponential = ParetoTail(xi=0.0, **law).value_at_risk(0.999)
    assert exponential == pytest.approx(0.02 + 0.01 * math.log(50))
    assert ParetoTail(xi=1e-9, **law).value_at_risk(0.999) == pytest.approx(exponential, rel=1e-7)


def test_the_shape_of_a_grown_tail_is_found_again():
    losses = stats.genpareto(0.25, scale=0.01).rvs(20_000, random_state=2)
    tail = fit_tail(losses, 0.8)
    assert tail.xi == pytest.approx(0.25, abs=0.05)
    assert tail.value_at_risk(0.9999) == pytest.approx(
        stats.genpareto(0.25, scale=0.01).ppf(0.9999), rel=0.15
    )
    assert tail.tail_share == pytest.approx(0.2)


@given(tails, st.floats(0.95, 0.9999), st.floats(0.95, 0.9999))
def test_more_confidence_is_never_less_loss_and_shortfall_is_the_larger(tail, one, other):
    low, high = sorted((one, other))
    assert tail.value_at_risk(high) >= tail.value_at_risk(low) - 1e-15
    assert tail.expected_shortfall(high) >= tail.value_at_risk(high)


def test_a_tail_without_a_mean_has_no_shortfall():
    tail = ParetoTail(threshold=0.02, xi=1.0, beta=0.01, n_exceedances=50, n=1_000)
    assert tail.expected_shortfall(0.99) is None
    assert math.isfinite(tail.value_at_risk(0.99))


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-6, 1e3), st.floats(-5.0, 5.0))
def test_a_fit_scales_with_the_losses_and_moves_with_them(scale, shift):
    tail = fit_tail(scale * (LOSSES + shift))
    assert tail.threshold == pytest.approx(scale * (TAIL.threshold + shift), rel=1e-9, abs=1e-12)
    assert tail.xi == pytest.approx(TAIL.xi, abs=1e-3)
    assert tail.beta == pytest.approx(scale * TAIL.beta, rel=1e-3)


def test_a_shape_that_has_no_mean_is_replaced_and_said():
    wild = np.abs(np.random.default_rng(1).standard_cauchy(1_000)) ** 2
    tail = fit_tail(wild)
    assert tail.xi == 0.0
    assert "an exponential tail stands in" in tail.note
    assert math.isfinite(tail.value_at_risk(0.999))


def test_an_extended_pool_keeps_the_body_and_reaches_beyond_the_sample():
    z = np.random.default_rng(3).standard_t(5, 750)
    z = (z - z.mean()) / z.std()
    pool = extended_pool(z)
    assert pool.shocks.size == 16_384
    assert (np.diff(pool.shocks) >= 0.0).all()
    assert pool.shocks.mean() == pytest.approx(0.0, abs=1e-12)
    assert pool.shocks.std() == pytest.approx(1.0)
    levels = np.linspace(0.06, 0.94, 30)
    np.testing.assert_allclose(np.quantile(pool.shocks, levels), np.quantile(z, levels), atol=0.06)
    assert pool.shocks[0] < z.min()
    assert pool.shocks[-1] > z.max()


def test_the_tails_of_an_extended_pool_are_those_of_the_law():
    z = np.random.default_rng(3).standard_t(5, 5_000) / math.sqrt(5 / 3)
    pool = extended_pool(z, n_pool=100_000)
    body = (
        0.3,
        0.7,
    )  # the body of the pool is the sample's, so it tells how the pool was moved to standard units
    plain, made = np.quantile(z, body), np.quantile(pool.shocks, body)
    stretch = (plain[1] - plain[0]) / (made[1] - made[0])
    shift = plain[0] - stretch * made[0]
    for level in (0.99, 0.999):
        found = -(stretch * np.quantile(pool.shocks, 1 - level) + shift)
        assert found == pytest.approx(pool.lower.value_at_risk(level), rel=0.005)


def test_a_mirrored_sample_gives_a_mirrored_pool():
    z = np.random.default_rng(3).standard_t(5, 900) + 0.1
    one, mirrored = extended_pool(z), extended_pool(-z)
    np.testing.assert_allclose(one.shocks, -mirrored.shocks[::-1], atol=1e-9)
    assert one.lower == mirrored.upper


def test_senseless_arguments_are_refused_by_name():
    with pytest.raises(NotEnoughDataError, match=r"20 above their 0\.95 quantile, was 5"):
        fit_tail(LOSSES[:100])
    with pytest.raises(NotEnoughDataError, match="losses must have at least 20"):
        fit_tail(np.zeros(500))
    with pytest.raises(InvalidValueError, match="confidence must be at least 0"):
        TAIL.value_at_risk(0.9)
    with pytest.raises(InvalidValueError, match="threshold_level must be above one half"):
        extended_pool(LOSSES, 0.4)
    with pytest.raises(InvalidValueError, match="losses must be finite"):
        fit_tail([*LOSSES, math.nan])
