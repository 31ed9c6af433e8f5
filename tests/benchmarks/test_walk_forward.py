import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.walk_forward import (
    NormalLaw,
    QuantileLaw,
    SampleLaw,
    WalkPlan,
    ewma_law,
    forecasts,
    gbm_law,
    report,
    settle,
    walk_forward,
)
from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels import scoring
from engine.kernels.calibration import coverage, diebold_mariano, pit_distance, skill


def closes_of(log_returns):
    """Closes that start at 1."""
    return np.exp(np.r_[0.0, np.cumsum(log_returns)])


def market(n=400, seed=1, sigma=0.01):
    return 100.0 * closes_of(np.random.default_rng(seed).normal(0.0002, sigma, size=n))


def restless(n=1_600, seed=1):
    """Returns whose volatility comes in long waves: constant-volatility forecasts are wrong in each."""
    rng = np.random.default_rng(seed)
    sigma = 0.01 * np.exp(0.8 * np.sin(np.arange(n) / 60.0))
    return closes_of(sigma * rng.normal(size=n))


def test_the_first_forecast_is_settled_with_the_right_closes():
    closes = market(100)
    seen = []

    def forecaster(history, horizon):
        seen.append((history.size, history[0], history[-1], horizon))
        return NormalLaw(mean=0.0, sigma=0.01)

    plan = WalkPlan(first=60, horizon=5, step=3, window=50)
    settled = walk_forward(closes, plan, forecaster)
    assert settled.origins.tolist() == list(range(60, 96, 3))
    assert seen[0] == (51, closes[10], closes[60], 5)
    assert seen[-1] == (51, closes[43], closes[93], 5)
    assert settled.outcomes[0] == pytest.approx(math.log(closes[65] / closes[60]))
    assert settled.outcomes[-1] == pytest.approx(math.log(closes[98] / closes[93]))


def test_two_forecasts_worked_by_hand():
    closes = closes_of([0.01, -0.01] * 40)
    settled = walk_forward(closes, WalkPlan(first=60, window=60), gbm_law)
    assert settled.origins.size == 20
    assert settled.outcomes[:2] == pytest.approx([0.01, -0.01])
    one_deviation = stats.norm.cdf(math.sqrt(59 / 60))
    assert settled.pits[:2] == pytest.approx([one_deviation, 1.0 - one_deviation])


def test_without_a_window_everything_up_to_the_origin_is_handed_over():
    sizes = []
    plan = WalkPlan(first=30)
    list(forecasts(market(40), plan, lambda c, _: sizes.append(c.size) or gbm_law(c, 1)))
    assert sizes == list(range(31, 41))


def test_a_shuffled_future_changes_no_forecast_that_was_made_before():
    closes = market(300)
    origin = 200
    shuffled = closes.copy()
    np.random.default_rng(9).shuffle(shuffled[origin + 1 :])
    for plan in (WalkPlan(first=60, window=60), WalkPlan(first=60, horizon=5)):
        for forecaster in (gbm_law, ewma_law):
            before = walk_forward(closes, plan, forecaster)
            after = walk_forward(shuffled, plan, forecaster)
            known = before.origins <= origin
            assert (before.quantiles[known] == after.quantiles[known]).all()
            assert (before.terciles[known] == after.terciles[known]).all()
            assert (before.quantiles[~known] != after.quantiles[~known]).any()
            settled = before.origins <= origin - plan.horizon
            assert (before.crps[settled] == after.crps[settled]).all()


def test_a_forecaster_can_neither_reach_behind_its_closes_nor_change_them():
    closes = market(80)
    kept = closes.copy()

    def curious(history, horizon):
        assert history.base is None, "a view would lead to the closes that are still to come"
        with pytest.raises(ValueError, match="read-only"):
            history[0] = 1.0
        with pytest.raises(ValueError, match=r"resize|cannot"):
            history.resize(200)
        return gbm_law(history, horizon)

    walk_forward(closes, WalkPlan(first=60, window=20), curious)
    assert (closes == kept).all()


def test_terciles_are_known_at_the_origin():
    closes = restless(1_000)
    whole = walk_forward(closes, WalkPlan(first=30), gbm_law)
    part = walk_forward(closes[:500], WalkPlan(first=30), gbm_law)
    assert (whole.terciles[: part.terciles.size] == part.terciles).all()
    # 20 returns seed the volatility, 60 readings make the first rank
    assert (whole.terciles[: 79 - 30] == -1).all()
    assert (whole.terciles[79 - 30 :] >= 0).all()


def test_three_forms_of_one_law_score_alike():
    closes = market(200)
    plan = WalkPlan(first=100, horizon=2)
    law = stats.norm(0.001, 0.014)
    draws = law.ppf((np.arange(20_000) + 0.5) / 20_000)
    exact = walk_forward(closes, plan, lambda *_: NormalLaw(mean=0.001, sigma=0.014))
    sample = walk_forward(closes, plan, lambda *_: SampleLaw(draws=draws))
    listed = walk_forward(closes, plan, lambda *_: QuantileLaw(quantiles=law.ppf(scoring.LEVELS)))
    for other in (sample, listed):
        assert other.crps.mean() == pytest.approx(exact.crps.mean(), rel=1e-3)
        assert other.pits == pytest.approx(exact.pits, abs=1e-4)
        assert other.quantiles == pytest.approx(exact.quantiles, abs=3e-4)


def test_a_true_forecast_has_a_clean_report():
    closes = closes_of(np.random.default_rng(4).normal(0.0, 0.01, size=3_000))
    settled = walk_forward(closes, WalkPlan(first=100), lambda *_: NormalLaw(mean=0.0, sigma=0.01))
    found = report(settled)
    assert found.n == found.n_apart == 2_900
    assert found.grade.letter == "A"
    assert all(band.is_met for band in found.coverage)
    assert all(band.is_met for band in found.by_tercile)
    assert found.value_at_risk.ratio.p_value > 0.05
    assert found.independence.p_value > 0.05
    assert found.pit.p_value > 0.05
    assert found.relative_crps is None
    assert found.diebold_mariano is None


def test_a_forecast_that_follows_volatility_beats_one_that_does_not():
    closes = restless()
    plan = WalkPlan(first=500, window=500)
    base, level = (walk_forward(closes, plan, f) for f in (gbm_law, ewma_law))
    of_base, of_level = report(base, base), report(level, base)
    calm, _, wild = of_base.by_tercile
    assert calm.share.value > 0.97
    assert wild.share.value < 0.82
    assert all(b.share.value > 0.85 for b in of_level.by_tercile)
    assert of_base.independence.statistic > 10 > of_level.independence.statistic
    assert of_level.relative_crps < -0.05
    assert of_level.diebold_mariano.t < -5
    assert of_base.relative_crps == 0.0
    assert of_base.diebold_mariano is None


def test_the_lines_of_the_report_are_those_of_the_kernels():
    closes = restless(900)
    plan = WalkPlan(first=300, window=250, horizon=5, step=2)
    base, level = (walk_forward(closes, plan, f) for f in (gbm_law, ewma_law))
    found = report(level, base)
    assert found.n == level.origins.size
    assert found.n_apart == level.pits[::3].size
    assert found.coverage == coverage(level.pits)
    assert found.coverage_apart == coverage(level.pits[::3])
    assert found.pit == pit_distance(level.pits[::3])
    assert found.pit_distance == pit_distance(level.pits).distance
    assert found.crps == level.crps.mean()
    assert found.relative_crps == pytest.approx(-skill(level.crps, base.crps))
    assert found.diebold_mariano == diebold_mariano(level.crps, base.crps, 3)
    assert found.exceptions == (level.outcomes < level.quantiles[:, 2]).sum()
    assert scoring.LEVELS[2] == 0.01


def test_the_90_percent_band_counts_the_same_by_quantiles_and_by_pits():
    settled = walk_forward(market(400), WalkPlan(first=100), gbm_law)
    low, high = (settled.quantiles[:, np.flatnonzero(p == scoring.LEVELS)[0]] for p in (0.05, 0.95))
    inside = ((settled.outcomes >= low) & (settled.outcomes <= high)).sum()
    assert coverage(settled.pits, (0.9,))[0].share.count == inside


def test_a_market_that_stands_still_is_settled_without_a_number_that_is_none():
    settled = walk_forward(np.full(120, 7.0), WalkPlan(first=60, window=50), gbm_law)
    assert (settled.crps == 0.0).all()
    assert (settled.pits == 0.5).all()
    assert report(settled).independence is None


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 9), st.integers(0, 80))
def test_every_origin_has_its_past_and_its_outcome(first, horizon, step, n):
    plan = WalkPlan(first=first, horizon=horizon, step=step)
    if n < first + horizon + 1:
        with pytest.raises(NotEnoughDataError, match=f"at least {first + horizon + 1}"):
            plan.origins(n)
        return
    origins = plan.origins(n)
    assert origins[0] == first
    assert origins[-1] + horizon <= n - 1 < origins[-1] + horizon + step


def test_settled_forecasts_cannot_be_changed():
    settled = walk_forward(market(80), WalkPlan(first=60), gbm_law)
    for name in ("origins", "outcomes", "quantiles", "pits", "crps", "terciles"):
        assert not getattr(settled, name).flags.writeable


def test_mistakes_are_named():
    closes = market(80)
    with pytest.raises(InvalidValueError, match="first must be at least 60"):
        walk_forward(closes, WalkPlan(first=50, window=60), gbm_law)
    with pytest.raises(InvalidValueError, match="horizon must be at least 1"):
        walk_forward(closes, WalkPlan(first=50, horizon=0), gbm_law)
    with pytest.raises(InvalidValueError, match="laws must be 20"):
        settle(closes, WalkPlan(first=60), [NormalLaw(mean=0.0, sigma=1.0)])
    one = walk_forward(closes, WalkPlan(first=60), gbm_law)
    other = walk_forward(closes, WalkPlan(first=61), gbm_law)
    with pytest.raises(InvalidValueError, match="base must have the same origins"):
        report(one, other)
    with pytest.raises(InvalidValueError, match="closes must be positive"):
        walk_forward([1.0, -1.0, 1.0], WalkPlan(first=1), gbm_law)
