import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError
from engine.kernels.tail_risk import (
    expected_shortfall,
    monte_carlo,
    monte_carlo_value_at_risk,
    parametric_expected_shortfall,
    parametric_value_at_risk,
    simulated_tail,
    tail_count,
    value_at_risk,
)

returns = st.lists(st.floats(-0.9, 0.9), min_size=2, max_size=80)
confidences = st.sampled_from([0.5, 0.6, 0.9, 0.95, 0.99, 0.999])
MEASURES = [
    value_at_risk, expected_shortfall, parametric_value_at_risk, parametric_expected_shortfall,
]  # fmt: skip


def test_a_simulated_tail_refuses_what_it_has_not_kept():
    tail = simulated_tail(np.random.default_rng(1).normal(0.0, 0.01, 300), seed=3)
    assert tail.value_at_risk(0.9) > 0.0
    for ask in (tail.value_at_risk, tail.expected_shortfall):
        with pytest.raises(InvalidValueError, match="confidence must ask for one of the"):
            ask(0.5)


def test_a_uniform_sample_gives_its_known_losses():
    # -1.00, -0.99 .. -0.01: the worst five are 1.00 to 0.96
    r = -np.arange(1, 101) / 100
    assert value_at_risk(r, 0.95) == pytest.approx(0.96)
    assert expected_shortfall(r, 0.95) == pytest.approx(0.98)
    assert value_at_risk(r, 0.99) == pytest.approx(1.00)


def test_the_boundary_counts_with_its_fraction():
    # alpha n = 0.05 x 30 = 1.5: all of the worst, half of the second
    r = np.concatenate([[-0.30, -0.20], np.zeros(28)])
    assert value_at_risk(r, 0.95) == pytest.approx(0.20)
    assert expected_shortfall(r, 0.95) == pytest.approx((0.30 + 0.5 * 0.20) / 1.5)


def test_the_tail_of_5040_days_is_252_and_not_253():
    assert math.ceil((1 - 0.95) * 5040) == 253, "the trap that the rounding avoids"
    assert tail_count(5040, 0.95) == 252


@given(returns, confidences)
def test_shortfall_is_never_below_value_at_risk(r, confidence):
    assert expected_shortfall(r, confidence) >= value_at_risk(r, confidence)


@given(returns, confidences)
def test_value_at_risk_is_an_observed_loss(r, confidence):
    assert value_at_risk(r, confidence) in {-x for x in r}


@given(returns)
def test_more_confidence_is_never_less_risk(r):
    assert value_at_risk(r, 0.99) >= value_at_risk(r, 0.95)
    assert expected_shortfall(r, 0.99) >= expected_shortfall(r, 0.95) - 1e-12


@given(returns, confidences, st.randoms())
def test_order_of_the_days_does_not_matter(r, confidence, random):
    shuffled = list(r)
    random.shuffle(shuffled)
    for measure in MEASURES:
        assert measure(shuffled, confidence) == pytest.approx(measure(r, confidence), abs=1e-12)


@given(returns, confidences, st.floats(0.01, 100.0), st.floats(-0.5, 0.5))
def test_risk_scales_with_the_position_and_falls_by_a_sure_gain(r, confidence, scale, gain):
    moved = scale * np.array(r) + gain
    for measure in MEASURES:
        expected = scale * measure(r, confidence) - gain
        assert measure(moved, confidence) == pytest.approx(expected, abs=1e-9 * max(1.0, scale))


@given(returns, returns)
def test_shortfall_of_a_sum_is_at_most_the_sum_of_shortfalls(one, other):
    n = min(len(one), len(other))
    a, b = np.array(one[:n]), np.array(other[:n])
    together = expected_shortfall(a + b, 0.9)
    assert together <= expected_shortfall(a, 0.9) + expected_shortfall(b, 0.9) + 1e-12


def test_parametric_measures_are_those_of_the_normal_law():
    r = np.array([0.01, -0.03, 0.02, 0.0, -0.01])
    law = stats.norm(r.mean(), r.std(ddof=1))
    assert parametric_value_at_risk(r, 0.99) == pytest.approx(-law.ppf(0.01))
    beyond = law.expect(lambda x: x, ub=law.ppf(0.01), conditional=True)
    assert parametric_expected_shortfall(r, 0.99) == pytest.approx(-beyond, rel=1e-6)


def test_three_methods_stand_near_each_other_on_normal_returns():
    r = np.random.default_rng(4).normal(0.0003, 0.012, 5_000)
    simulated = monte_carlo_value_at_risk(r, 0.95, np.random.default_rng(1))
    numbers = [value_at_risk(r), parametric_value_at_risk(r), simulated.value_at_risk]
    assert max(numbers) / min(numbers) < 1.05
    assert simulated.n_paths == 10_000


def test_the_standard_error_of_the_simulated_loss_is_its_spread_over_seeds():
    r = np.random.default_rng(4).normal(0.0003, 0.012, 500)
    for confidence in (0.95, 0.99):
        runs = [
            monte_carlo_value_at_risk(r, confidence, np.random.default_rng(seed), n_paths=2_000)
            for seed in range(120)
        ]
        spread = np.std([run.value_at_risk for run in runs], ddof=1)
        claimed = np.mean([run.standard_error for run in runs])
        assert 0.75 < claimed / spread < 1.3
        logs = np.log1p(r)
        exact = -math.expm1(stats.norm(logs.mean(), logs.std(ddof=1)).ppf(1 - confidence))
        mean = np.mean([run.value_at_risk for run in runs])
        assert abs(mean - exact) < 5 * spread / math.sqrt(120) + claimed / 10


def test_a_longer_horizon_costs_more_by_the_root_of_time():
    r = np.random.default_rng(4).normal(0.0, 0.01, 500) - 0.0
    r -= r.mean()
    day = monte_carlo_value_at_risk(r, 0.95, np.random.default_rng(1))
    ten = monte_carlo_value_at_risk(r, 0.95, np.random.default_rng(1), n_steps=10)
    assert ten.value_at_risk / day.value_at_risk == pytest.approx(math.sqrt(10), rel=0.05)


def test_simulated_shortfall_is_at_least_the_simulated_value_at_risk():
    tail = monte_carlo(np.random.default_rng(1).standard_t(3, 10_000) / 100, 0.99)
    assert tail.expected_shortfall > tail.value_at_risk > 0.0
    assert tail.standard_error > 0.0


@settings(max_examples=30)
@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=6), confidences)
def test_a_handful_of_paths_still_gives_finite_numbers(outcomes, confidence):
    tail = monte_carlo(outcomes, confidence)
    assert math.isfinite(tail.standard_error)
    assert tail.standard_error >= 0.0


def test_gains_alone_give_a_negative_loss_and_no_minus_zero():
    assert value_at_risk([0.02, 0.03]) == -0.02
    assert math.copysign(1.0, value_at_risk([0.0, 0.0])) == 1.0


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.1, 95.0, math.nan])
def test_a_confidence_that_is_no_fraction_is_refused(confidence):
    for measure in MEASURES:
        with pytest.raises(InvalidValueError, match="confidence"):
            measure([0.01, -0.01], confidence)


def test_a_total_loss_has_no_simulation():
    with pytest.raises(InvalidValueError, match="above -1"):
        monte_carlo_value_at_risk([-1.0, 0.1], 0.95, np.random.default_rng(1))
