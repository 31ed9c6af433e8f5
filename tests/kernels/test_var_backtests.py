import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.var_backtests import (
    PLUS_FACTORS,
    Zone,
    christoffersen,
    cumulative_probability,
    exceptions,
    kupiec,
    kupiec_accepts,
    traffic_light,
)

rows_of_hits = st.lists(st.booleans(), min_size=2, max_size=200)
probabilities = st.sampled_from([0.001, 0.01, 0.025, 0.05, 0.1])

# Kupiec (1995), table 3, as reprinted by Jorion, Value at Risk: failures N that are not rejected at 5 %, by confidence
# and T = 255, 510, 1000; "N < 7" in the print stands here as 0 to 6
KUPIEC_TABLE = {
    0.01: ((0, 6), (2, 10), (5, 16)),
    0.025: ((3, 11), (7, 20), (16, 35)),
    0.05: ((7, 20), (17, 35), (38, 64)),
    0.075: ((12, 27), (28, 50), (60, 91)),
    0.1: ((17, 35), (39, 64), (82, 119)),
}


def likelihood_ratio_by_scipy(n, x, p):
    free, bound = stats.binom(n, x / n), stats.binom(n, p)
    return 2.0 * (free.logpmf(x) - bound.logpmf(x))


def test_an_exception_is_a_loss_strictly_beyond():
    assert exceptions([-0.03, -0.02, 0.05], [0.02] * 3).tolist() == [True, False, False]


def test_the_values_that_everybody_quotes():
    assert kupiec(250, 3, 0.01).ratio.statistic == pytest.approx(0.0949, abs=5e-5)
    assert kupiec(250, 0, 0.05).ratio.statistic == pytest.approx(25.6, abs=0.05)


@pytest.mark.parametrize("probability", KUPIEC_TABLE)
def test_the_regions_are_those_of_kupiecs_table(probability):
    for n, (first, last) in zip((255, 510, 1000), KUPIEC_TABLE[probability], strict=True):
        accepted = kupiec_accepts(n, probability)
        # the print says N < 7 at T = 255 and 1 %, but no exception at all has LR 5.13
        assert accepted == ((1, 6) if (n, probability) == (255, 0.01) else (first, last))


@pytest.mark.parametrize(("n", "p"), [(250, 0.01), (250, 0.05), (1, 0.01), (1_000_000, 0.01)])
def test_none_and_all_have_their_closed_forms(n, p):
    assert kupiec(n, 0, p).ratio.statistic == pytest.approx(-2 * n * math.log1p(-p))
    assert kupiec(n, n, p).ratio.statistic == pytest.approx(-2 * n * math.log(p))
    assert kupiec(n, n, p).ratio.p_value < 1.0


@settings(deadline=None)
@given(st.integers(1, 2_000), st.floats(0.0, 1.0), probabilities)
def test_the_ratio_is_that_of_binomial_likelihoods_and_its_p_that_of_chi_squared(n, share, p):
    x = round(share * n)
    ratio = kupiec(n, x, p).ratio
    assert ratio.statistic == pytest.approx(likelihood_ratio_by_scipy(n, x, p), rel=1e-6, abs=1e-7)
    assert ratio.p_value == pytest.approx(stats.chi2.sf(ratio.statistic, 1))


@settings(deadline=None)
@given(st.integers(40, 2_000), probabilities)
def test_what_lies_outside_the_region_is_rejected(n, p):
    first, last = kupiec_accepts(n, p)
    assert first <= n * p + 1
    assert last >= n * p - 1
    assert kupiec(n, last + 1, p).ratio.p_value <= 0.05 < kupiec(n, last, p).ratio.p_value
    if first:
        assert kupiec(n, first - 1, p).ratio.p_value <= 0.05


def test_pairs_of_a_short_row_counted_by_hand():
    found = christoffersen([0, 1, 1, 0, 0, 1, 0, 0], 0.1)
    assert (found.n00, found.n01, found.n10, found.n11) == (2, 2, 2, 1)
    # pi = 3/7, after none 1/2, after an exception 1/3
    apart = 4 * math.log(1 / 2) + math.log(1 / 3) + 2 * math.log(2 / 3)
    together = 3 * math.log(3 / 7) + 4 * math.log(4 / 7)
    assert found.independence.statistic == pytest.approx(2 * (apart - together))
    assert found.independence.p_value == pytest.approx(
        stats.chi2.sf(found.independence.statistic, 1)
    )
    assert found.conditional.degrees == 2


@settings(deadline=None)
@given(rows_of_hits.filter(lambda h: 0 < sum(h[:-1]) < len(h) - 1))
def test_independence_is_the_g_test_of_the_table_of_pairs(hits):
    found = christoffersen(hits, 0.05)
    table = np.array([[found.n00, found.n01], [found.n10, found.n11]])
    if (table.sum(axis=0) == 0).any():
        assert found.independence.statistic == pytest.approx(0.0, abs=1e-9)
        return
    g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert found.independence.statistic == pytest.approx(g.statistic, abs=1e-9)
    # of its own statistic: at 0 the chance falls with the root, and rounding of 1e-15 there is 3e-8 here
    chance = stats.chi2.sf(found.independence.statistic, 1)
    assert found.independence.p_value == pytest.approx(chance, abs=1e-12)


@settings(deadline=None)
@given(rows_of_hits, probabilities)
def test_conditional_coverage_is_the_sum_of_both(hits, p):
    found = christoffersen(hits, p)
    assert found.unconditional == kupiec(len(hits), sum(hits), p).ratio
    if found.independence is not None:
        total = found.unconditional.statistic + found.independence.statistic
        assert found.conditional.statistic == pytest.approx(total)
        assert found.conditional.p_value == pytest.approx(stats.chi2.sf(total, 2))


def test_no_exception_in_a_row_gives_a_finite_ratio():
    hits = np.zeros(250)
    hits[[40, 90, 200]] = 1
    found = christoffersen(hits, 0.01)
    assert found.n11 == 0
    # by hand: 246 ways to stay out, 3 in, 3 out, none to stay in
    expected = 2 * (
        243 * math.log(243 / 246) + 3 * math.log(3 / 246)
        - 246 * math.log(246 / 249) - 3 * math.log(3 / 249)
    )  # fmt: skip
    assert found.independence.statistic == pytest.approx(expected)


@pytest.mark.parametrize("hits", [[0] * 250, [1] * 250, [0] * 249 + [1], [1] * 249 + [0]])
def test_where_nothing_can_be_said_of_clusters_nothing_is_said(hits):
    found = christoffersen(hits, 0.01)
    assert found.independence is None
    assert found.conditional is None
    assert math.isfinite(found.unconditional.statistic)


def test_a_true_value_at_risk_is_rejected_as_often_as_the_significance_says():
    rng = np.random.default_rng(5)
    counts = rng.binomial(1000, 0.05, size=4_000)
    rejected = np.mean([kupiec(1000, int(x), 0.05).ratio.p_value < 0.05 for x in counts])
    assert 0.03 < rejected < 0.07


def test_clustered_exceptions_are_found_where_the_count_is_right():
    rng = np.random.default_rng(5)
    hits = [False]
    for u in rng.uniform(size=5_000):
        hits.append(u < (0.4 if hits[-1] else 0.03))
    found = christoffersen(hits, float(np.mean(hits)))
    assert found.unconditional.p_value > 0.9
    assert found.independence.p_value < 1e-10


def test_the_cumulative_probability_is_that_of_the_binomial():
    for x in (0, 4, 5, 10):
        assert cumulative_probability(250, x, 0.01) == pytest.approx(stats.binom(250, 0.01).cdf(x))


def test_basels_zones_and_plus_factors():
    lights = [traffic_light(250, x) for x in range(13)]
    assert [light.zone for light in lights] == (
        [Zone.GREEN] * 5 + [Zone.YELLOW] * 5 + [Zone.RED] * 3
    )
    assert [light.plus_factor for light in lights] == [*PLUS_FACTORS, 1.0, 1.0]
    assert (lights[0].yellow_from, lights[0].red_from) == (5, 10)


@pytest.mark.parametrize(("n", "p"), [(249, 0.01), (251, 0.01), (250, 0.05), (1000, 0.01)])
def test_elsewhere_the_zones_are_binomial_and_have_no_plus_factor(n, p):
    light = traffic_light(n, 0, p)
    law = stats.binom(n, p)
    assert light.plus_factor is None
    assert law.cdf(light.yellow_from) >= 0.95 > law.cdf(light.yellow_from - 1)
    assert law.cdf(light.red_from) >= 0.9999 > law.cdf(light.red_from - 1)
    assert traffic_light(n, light.red_from, p).zone is Zone.RED
    assert traffic_light(n, light.red_from - 1, p).zone is Zone.YELLOW


@pytest.mark.parametrize("n", [1, 2, 5])
def test_in_a_handful_of_bars_none_is_green_and_all_is_red(n):
    assert traffic_light(n, 0).zone is Zone.GREEN
    assert traffic_light(n, n).zone is Zone.RED


def test_mistakes_are_named():
    with pytest.raises(InvalidValueError, match="exceptions must lie between 0 and n = 10"):
        kupiec(10, 11, 0.01)
    with pytest.raises(InvalidValueError, match="n must be at least 1"):
        kupiec(0, 0, 0.01)
    with pytest.raises(InvalidValueError, match="probability"):
        kupiec(10, 1, 1.0)
    with pytest.raises(InvalidValueError, match="hits must be true or false"):
        christoffersen([0.0, 2.0], 0.01)
    with pytest.raises(NotEnoughDataError, match="hits"):
        christoffersen([1], 0.01)
    with pytest.raises(InvalidValueError, match="values_at_risk"):
        exceptions([0.1], [0.1, 0.2])
    with pytest.raises(InvalidValueError, match="leave a count"):
        kupiec_accepts(1, 0.01, 0.9)
