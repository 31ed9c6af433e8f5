import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, stats

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.scoring import (
    LEVELS,
    crps_normal,
    crps_quantiles,
    crps_sample,
    interval_score,
    pinball,
    pit_normal,
    pit_quantiles,
    pit_sample,
)

numbers = st.floats(-100.0, 100.0)
rows_of_quantiles = arrays(np.float64, (3, LEVELS.size), elements=numbers).map(
    lambda rows: np.sort(rows, axis=1)
)
three = arrays(np.float64, 3, elements=numbers)


def of_law(law, n):
    """Quantiles of a law at the 27 levels, one row per outcome."""
    return np.tile(law.ppf(LEVELS), (n, 1))


def outcomes_of(law, n):
    """Evenly spread outcomes of a law: what the mean of n draws tends to, without noise."""
    return law.ppf((np.arange(n) + 0.5) / n)


def crps_by_integral(distribution, outcome, low, high):
    """Return the definition, integrated numerically on both sides of the outcome."""
    below = integrate.quad(lambda x: distribution(x) ** 2, low, outcome, limit=200)[0]
    above = integrate.quad(lambda x: (1.0 - distribution(x)) ** 2, outcome, high, limit=200)[0]
    return below + above


def test_a_sample_of_five_worked_by_hand():
    # mean |X - 1| = (2.2 + .7 + .6 + 1.2 + 4) / 5 = 1.74; the ten pairs differ by 28.6, so 1.74 - 28.6 / 25 and / 20
    draws = [[-1.2, 0.3, 0.4, 2.2, 5.0]]
    assert crps_sample(draws, [1.0])[0] == pytest.approx(1.74 - 28.6 / 25)
    assert crps_sample(draws, [1.0], is_fair=True)[0] == pytest.approx(1.74 - 28.6 / 20)


@given(arrays(np.float64, (3, 7), elements=numbers), three)
def test_the_score_of_a_sample_is_its_definition_over_all_pairs(samples, outcomes):
    pairs = np.abs(samples[:, :, None] - samples[:, None, :]).sum(axis=(1, 2))
    first = np.abs(samples - outcomes[:, None]).mean(axis=1)
    assert crps_sample(samples, outcomes) == pytest.approx(first - pairs / 2 / 49, abs=1e-9)
    assert crps_sample(samples, outcomes, is_fair=True) == pytest.approx(
        first - pairs / 2 / 42, abs=1e-9
    )


@given(arrays(np.float64, (3, 7), elements=numbers), three)
def test_the_score_of_a_sample_is_the_integral_of_its_energy_distance(samples, outcomes):
    # scipy: energy distance = sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|), so the V-statistic is half its square
    expected = [
        stats.energy_distance(row, [y]) ** 2 / 2 for row, y in zip(samples, outcomes, strict=True)
    ]
    assert crps_sample(samples, outcomes) == pytest.approx(expected, abs=1e-9)


def test_a_far_common_level_costs_a_sample_no_digits():
    x, y = np.random.default_rng(1).normal(size=(4, 500)), np.zeros(4)
    assert crps_sample(x + 1e6, y + 1e6) == pytest.approx(crps_sample(x, y), rel=1e-7)


@pytest.mark.parametrize(("mean", "sigma", "outcome"), [(0, 1, 0), (0.3, 2, -4), (-1, 0.01, -1.02)])
def test_the_closed_form_of_a_normal_is_the_integral_of_the_definition(mean, sigma, outcome):
    law = stats.norm(mean, sigma)
    low, high = min(mean, outcome) - 12 * sigma, max(mean, outcome) + 12 * sigma
    expected = crps_by_integral(law.cdf, outcome, low, high)
    assert crps_normal([mean], [sigma], [outcome])[0] == pytest.approx(expected, rel=1e-7)


def test_a_normal_at_its_mean_scores_the_published_constant():
    assert crps_normal([0.0], [1.0], [0.0])[0] == pytest.approx(
        (math.sqrt(2) - 1) / math.sqrt(math.pi)
    )


def test_a_sure_forecast_scores_its_miss():
    assert crps_normal([1.0, 1.0], [0.0, 0.0], [3.0, 1.0]).tolist() == [2.0, 0.0]
    assert crps_sample([[1.0]], [3.0]).tolist() == [2.0]
    assert crps_quantiles(np.ones((1, 27)), [3.0]).tolist() == [2.0]


def test_a_sigma_of_next_to_nothing_is_a_sure_forecast():
    tiny = np.full(3, 5e-324)
    assert crps_normal(np.zeros(3), tiny, [1.0, 0.0, -2.0]).tolist() == [1.0, 0.0, 2.0]
    assert pit_normal(np.zeros(3), tiny, [1.0, 0.0, -2.0]) == pytest.approx([1.0, 0.5, 0.0])
    steps = np.arange(27) * 5e-324
    assert pit_quantiles([steps, steps], [1.0, -1.0]).tolist() == pytest.approx([0.9995, 0.0005])
    assert crps_quantiles([steps], [1.0]).tolist() == [1.0]


def test_the_fair_score_of_few_draws_is_that_of_the_law_and_the_other_is_larger():
    rng = np.random.default_rng(3)
    outcomes = np.zeros(40_000)
    draws = rng.normal(size=(40_000, 5))
    exact = (math.sqrt(2) - 1) / math.sqrt(math.pi)
    fair, plain = crps_sample(draws, outcomes, is_fair=True), crps_sample(draws, outcomes)
    assert abs(fair.mean() - exact) < 4 * fair.std() / 200
    # the V-statistic of m draws is too large by E|X-X'| / (2 m) = 1 / (sqrt(pi) m)
    assert plain.mean() - fair.mean() == pytest.approx(1 / (math.sqrt(math.pi) * 5), rel=0.02)


@pytest.mark.parametrize(
    ("law", "worst", "mean"),
    [(stats.norm(), 0.0036, 0.0001), (stats.t(3), 0.0079, 0.0002), (stats.t(5), 0.006, 0.0001)],
)
def test_the_score_from_27_quantiles_is_near_that_of_a_large_sample(law, worst, mean):
    outcomes = outcomes_of(law, 400)
    sample = np.tile(outcomes_of(law, 20_000), (400, 1))
    ratio = crps_quantiles(of_law(law, 400), outcomes) / crps_sample(sample, outcomes)
    assert np.abs(ratio - 1.0).max() < worst
    total = crps_quantiles(of_law(law, 400), outcomes).mean() / crps_sample(sample, outcomes).mean()
    assert abs(total - 1.0) < mean


def test_the_score_from_quantiles_is_the_integral_of_the_law_that_its_note_names():
    q = np.sort(np.random.default_rng(2).normal(size=LEVELS.size))
    for outcome in (q[0] - 1.0, q[3], 0.1, q[-1] + 2.0):
        grid = np.linspace(min(q[0], outcome) - 0.1, max(q[-1], outcome) + 0.1, 400_001)
        f = np.interp(grid, q, LEVELS, left=0.0, right=1.0)
        expected = integrate.trapezoid((f - (grid >= outcome)) ** 2, grid)
        assert crps_quantiles([q], [outcome])[0] == pytest.approx(expected, rel=1e-4)


@given(rows_of_quantiles, three, st.floats(0.01, 100.0), numbers)
def test_scores_scale_with_the_unit_and_do_not_see_a_shift(q, y, scale, shift):
    moved, there = scale * q + shift, scale * y + shift
    tolerance = 1e-9 * (1.0 + 100.0 * scale + abs(shift))
    assert crps_quantiles(moved, there) == pytest.approx(
        scale * crps_quantiles(q, y), abs=tolerance
    )
    assert crps_sample(moved, there) == pytest.approx(scale * crps_sample(q, y), abs=tolerance)


@given(rows_of_quantiles, three)
def test_no_score_is_negative(q, y):
    assert (crps_quantiles(q, y) >= 0.0).all()
    assert (crps_sample(q, y) >= -1e-12).all()
    assert (pinball(q, LEVELS, y[:, None]) >= 0.0).all()
    assert (interval_score(q[:, 0], q[:, -1], y, 0.9) >= 0.0).all()


def test_the_true_law_scores_best_on_its_own_outcomes():
    y = outcomes_of(stats.norm(), 2_000)
    true = crps_quantiles(of_law(stats.norm(), 2_000), y).mean()
    for other in (stats.norm(0.2, 1.0), stats.norm(0.0, 1.2), stats.norm(0.0, 0.8), stats.t(3)):
        assert crps_quantiles(of_law(other, 2_000), y).mean() > true


@given(numbers, numbers, st.floats(0.01, 0.99))
def test_pinball_is_that_of_the_quantile_regression_of_others(q, y, tau):
    assert float(pinball(q, tau, y)) == pytest.approx((tau - (y < q)) * (y - q), abs=1e-12)


def test_an_interval_scores_its_width_and_forty_times_a_miss_at_95_percent():
    score = interval_score([-2.0, -2.0, -2.0], [3.0, 3.0, 3.0], [0.0, 4.0, -2.5], 0.95)
    assert score == pytest.approx([5.0, 45.0, 25.0])


def test_the_interval_score_is_the_sum_of_two_pinball_losses():
    lower, upper, y = -1.3, 0.9, 2.0
    both = pinball(lower, 0.05, y) + pinball(upper, 0.95, y)
    assert interval_score([lower], [upper], [y], 0.9)[0] == pytest.approx(2 / 0.1 * float(both))


def test_the_pit_on_a_quantile_is_its_level():
    q = stats.t(3).ppf(LEVELS)
    assert pit_quantiles(np.tile(q, (27, 1)), q) == pytest.approx(LEVELS, abs=1e-12)


def test_the_pit_between_quantiles_is_exact_for_a_normal_and_near_for_others():
    for law, allowed in ((stats.norm(2, 3), 1e-12), (stats.t(5), 0.002), (stats.t(3), 0.002)):
        y = law.ppf(np.linspace(0.0011, 0.9989, 500))
        assert pit_quantiles(of_law(law, 500), y) == pytest.approx(law.cdf(y), abs=allowed)


def test_beyond_the_last_quantiles_the_pit_is_the_middle_of_what_remains():
    q = of_law(stats.norm(), 2)
    assert pit_quantiles(q, [-4.0, 40.0]).tolist() == pytest.approx([0.0005, 0.9995])


def test_an_outcome_on_several_quantiles_takes_the_middle_of_their_levels():
    q = np.concatenate([np.full(5, -1.0), np.zeros(17), np.ones(5)])
    assert pit_quantiles([q], [0.0])[0] == pytest.approx((LEVELS[5] + LEVELS[21]) / 2)
    assert pit_quantiles([np.zeros(27)] * 3, [-1.0, 0.0, 1.0]).tolist() == pytest.approx(
        [0.0005, 0.5, 0.9995]
    )


@given(rows_of_quantiles, three, st.floats(0.0, 10.0))
def test_the_pit_stays_inside_and_never_falls_with_the_outcome(q, y, step):
    pit = pit_quantiles(q, y)
    assert ((pit >= 0.0005) & (pit <= 0.9995)).all()
    assert (pit_quantiles(q, y + step) >= pit - 1e-12).all()


def test_the_pit_of_a_normal_is_its_distribution_function():
    expected = stats.norm(1.0, 2.0).cdf([0.0, 3.0])
    assert pit_normal([1.0] * 2, [2.0] * 2, [0.0, 3.0]) == pytest.approx(expected)
    assert 0.0 < pit_normal([0.0], [1.0], [-60.0])[0] < 1e-9


def test_mid_ranks_of_four_draws():
    draws = np.tile([1.0, 2.0, 2.0, 4.0], (5, 1))
    assert pit_sample(draws, [0.0, 1.0, 2.0, 3.0, 5.0]) == pytest.approx([0.1, 0.2, 0.5, 0.7, 0.9])


def test_randomised_ranks_are_uniform_where_mid_ranks_are_a_staircase():
    rng = np.random.default_rng(8)
    draws, y = rng.normal(size=(4_000, 4)), rng.normal(size=4_000)
    assert stats.kstest(pit_sample(draws, y, rng), "uniform").pvalue > 0.01
    assert stats.kstest(pit_sample(draws, y), "uniform").pvalue < 1e-6


@settings(max_examples=50)
@given(arrays(np.float64, (3, 7), elements=numbers), three, st.integers(0, 2**32))
def test_both_places_among_draws_lie_in_the_same_gap(samples, y, seed):
    mid = pit_sample(samples, y)
    drawn = pit_sample(samples, y, np.random.default_rng(seed))
    ties = (samples == y[:, None]).sum(axis=1)
    assert (np.abs(mid - drawn) <= (ties + 1) / 16 + 1e-12).all()


def test_mistakes_are_named():
    with pytest.raises(InvalidValueError, match="crossing in row 0"):
        crps_quantiles([LEVELS[::-1]], [0.0])
    with pytest.raises(InvalidValueError, match="quantiles must have"):
        crps_quantiles(np.zeros((1, 28)), [0.0])
    with pytest.raises(InvalidValueError, match="samples must have shape"):
        crps_sample([[1.0]], [0.0], is_fair=True)
    with pytest.raises(InvalidValueError, match="samples must be finite"):
        crps_sample([[1.0, math.nan]], [0.0])
    with pytest.raises(InvalidValueError, match="sigmas must not be negative"):
        crps_normal([0.0], [-1.0], [0.0])
    with pytest.raises(InvalidValueError, match="sigmas must be positive"):
        pit_normal([0.0], [0.0], [0.0])
    with pytest.raises(InvalidValueError, match="upper must not be below lower"):
        interval_score([1.0], [0.0], [0.0], 0.9)
    with pytest.raises(InvalidValueError, match="levels"):
        pinball(0.0, 1.0, 0.0)
    with pytest.raises(NotEnoughDataError, match="outcomes"):
        crps_normal([], [], [])
