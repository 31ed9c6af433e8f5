import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.calibration import (
    IntervalMethod,
    coverage,
    coverage_by_tercile,
    diebold_mariano,
    grade,
    pit_distance,
    share_of,
    skill,
    spacing,
    volatility_terciles,
)

counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def even(n):
    """PITs of a forecast that is as calibrated as n outcomes can show."""
    return (np.arange(n) + 0.5) / n


@given(counts, st.sampled_from([0.9, 0.95, 0.99]))
def test_intervals_of_a_share_are_those_of_statsmodels(count_n, confidence):
    count, n = count_n
    for method, theirs in ((IntervalMethod.WILSON, "wilson"), (IntervalMethod.EXACT, "beta")):
        share = share_of(count, n, confidence, method)
        lower, upper = proportion_confint(count, n, 1 - confidence, theirs)
        lower = 0.0 if count == 0 else lower
        assert (share.lower, share.upper) == pytest.approx((lower, upper), abs=1e-9)
        assert 0.0 <= share.lower <= share.value <= share.upper <= 1.0


def test_the_exact_interval_of_none_is_the_rule_of_three():
    share = share_of(0, 100, 0.90, IntervalMethod.EXACT)
    assert share.upper == pytest.approx(1 - 0.05 ** (1 / 100))


def test_coverage_counts_the_edges_in():
    found = coverage([0.05, 0.95, 0.049, 0.5], bands=(0.9,))[0]
    assert (found.share.count, found.share.n) == (3, 4)


def test_coverage_of_even_pits_meets_every_band():
    for band in coverage(even(1_000)):
        assert band.share.value == pytest.approx(band.nominal, abs=0.002)
        assert band.is_met


def test_doubled_and_halved_forecasts_miss_every_band():
    z = stats.norm.ppf(even(500))
    assert not any(band.is_met for band in coverage(stats.norm.cdf(2 * z)))
    assert not any(band.is_met for band in coverage(stats.norm.cdf(z / 2)))


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=50))
def test_wider_bands_hold_no_fewer(pits):
    shares = [band.share.count for band in coverage(pits)]
    assert shares == sorted(shares)


def test_design_examples_of_the_grade():
    # 47 %, 78 % and 96 % of 250 inside hold; 43 % at 50 misses
    assert grade(even(250)).letter == "A"
    assert grade(even(19)).letter is None
    assert grade(even(19)).note == "n = 19, not enough yet"
    assert grade([]).n == 0
    assert grade(even(20)).letter == "A"
    z = stats.norm.ppf(even(500))
    assert grade(stats.norm.cdf(2 * z)).letter == "D"


def test_one_missed_band_is_a_b():
    # 106 of 250 inside the half band: Wilson's 0.364 to 0.486 leaves 0.5 out; the other two are held
    inside = np.linspace(0.26, 0.74, 106)
    middle = np.concatenate([np.linspace(0.11, 0.24, 47), np.linspace(0.76, 0.89, 47)])
    outer = np.concatenate([np.linspace(0.03, 0.09, 19), np.linspace(0.91, 0.97, 19)])
    rest = np.concatenate([np.linspace(0.001, 0.02, 6), np.linspace(0.98, 0.999, 6)])
    pits = np.concatenate([inside, middle, outer, rest])
    assert pits.size == 250
    assert [b.share.count for b in coverage(pits, (0.5, 0.8, 0.95))] == [106, 200, 238]
    assert grade(pits).letter == "B"
    assert "2 of 3" in grade(pits).note


def test_coverage_by_tercile_shows_what_the_whole_hides():
    rng = np.random.default_rng(6)
    terciles = rng.integers(0, 3, size=6_000)
    sigma = np.array([0.6, 1.0, 1.4])[terciles]
    pits = stats.norm.cdf(rng.normal(size=6_000) * sigma)
    calm, usual, wild = coverage_by_tercile(pits, terciles)
    assert abs(coverage(pits, (0.9,))[0].share.value - 0.9) < 0.03
    assert calm.share.value > 0.98
    assert usual.is_met
    assert wild.share.value < 0.80
    assert calm.share.n + usual.share.n + wild.share.n == 6_000


def test_a_tercile_without_forecasts_says_nothing_and_unranked_ones_are_left_out():
    calm, usual, wild = coverage_by_tercile([0.5, 0.5, 0.5], [-1, 2, 2])
    assert calm is None
    assert usual is None
    assert wild.share.n == 2


def test_terciles_of_a_plain_count():
    s = np.random.default_rng(1).lognormal(size=400)
    found = volatility_terciles(s, window=100)
    assert (found[:59] == -1).all()
    for t in (59, 98, 99, 100, 250, 399):
        window = s[max(0, t - 99) : t + 1]
        percentile = stats.percentileofscore(window, s[t], kind="mean")
        assert found[t] == min(2, int(3 * percentile / 100))
    assert np.bincount(found[59:]) == pytest.approx(np.full(3, 341 / 3), rel=0.25)


def test_terciles_see_nothing_later():
    s = np.random.default_rng(1).lognormal(size=5_000)
    changed = s.copy()
    changed[3_000:] *= 1e3
    before, after = volatility_terciles(s), volatility_terciles(changed)
    assert (before[:3_000] == after[:3_000]).all()
    assert (before[3_000:] != after[3_000:]).any()


def test_a_market_that_never_moves_is_usual():
    assert set(volatility_terciles(np.zeros(100))[59:]) == {1}


@settings(max_examples=60)
@given(st.integers(20, 300), st.integers(0, 2**32), st.floats(0.5, 2.0))
def test_the_pit_distance_is_that_of_scipy(n, seed, power):
    u = np.random.default_rng(seed).uniform(size=n) ** power
    found, theirs = pit_distance(u), stats.kstest(u, "uniform")
    assert found.distance == pytest.approx(theirs.statistic)
    assert found.p_value == pytest.approx(theirs.pvalue, abs=0.002)


def test_at_horizon_one_the_comparison_is_the_ordinary_t():
    rng = np.random.default_rng(2)
    a, b = rng.exponential(size=200), rng.exponential(size=200)
    found, theirs = diebold_mariano(a, b), stats.ttest_rel(a, b)
    assert (found.t, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert found.lags == 0


@pytest.mark.parametrize("h", [2, 5, 20])
def test_overlapping_forecasts_have_the_newey_west_error_of_statsmodels(h):
    rng = np.random.default_rng(h)
    noise = np.convolve(rng.normal(size=400 + h - 1), np.ones(h), "valid")
    d = 0.3 + noise
    base = 10.0 + rng.normal(size=400)
    found = diebold_mariano(base + d, base, h)
    fit = sm.OLS(d, np.ones(400)).fit(
        cov_type="HAC", cov_kwds={"maxlags": h - 1, "use_correction": False}
    )
    correction = math.sqrt((400 + 1 - 2 * h + h * (h - 1) / 400) / 400)
    assert found.t == pytest.approx(float(fit.tvalues[0]) * correction)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(found.t), 399))


def test_overlap_is_not_taken_for_evidence():
    rng = np.random.default_rng(11)
    plain, robust = [], []
    for _ in range(300):
        d = np.convolve(rng.normal(size=419), np.ones(20), "valid")
        plain.append(diebold_mariano(d, np.zeros(400)).p_value < 0.05)
        robust.append(diebold_mariano(d, np.zeros(400), 20).p_value < 0.05)
    assert np.mean(plain) > 0.5
    assert np.mean(robust) < 0.2


def test_better_is_negative_in_the_t_and_positive_in_the_skill():
    rng = np.random.default_rng(3)
    base = rng.exponential(size=500)
    better = 0.9 * base + 0.01 * rng.normal(size=500)
    assert diebold_mariano(better, base).t < -5
    assert skill(better, base) == pytest.approx(0.1, abs=0.01)
    assert skill(base, base) == 0.0


def test_the_base_against_itself_is_no_comparison():
    with pytest.raises(NotEnoughDataError, match="differ"):
        diebold_mariano(np.ones(50), np.ones(50))


def test_spacing_is_the_number_of_forecasts_that_share_a_bar():
    assert [spacing(h, k) for h, k in ((1, 1), (20, 1), (20, 5), (20, 6), (5, 20))] == [
        1, 20, 4, 4, 1,
    ]  # fmt: skip


def test_mistakes_are_named():
    with pytest.raises(InvalidValueError, match="pits must lie between 0 and 1"):
        coverage([1.2])
    with pytest.raises(InvalidValueError, match="count must lie between"):
        share_of(3, 2)
    with pytest.raises(InvalidValueError, match="terciles"):
        coverage_by_tercile([0.5], [0, 1])
    with pytest.raises(InvalidValueError, match="base_losses"):
        skill([1.0], [1.0, 2.0])
    with pytest.raises(NotEnoughDataError, match="positive mean"):
        skill([1.0], [0.0])
    with pytest.raises(NotEnoughDataError, match="losses"):
        diebold_mariano(np.ones(10), np.ones(10), 20)
    with pytest.raises(NotEnoughDataError, match="pits"):
        pit_distance([])
