"""Risk of every symbol against textbook formulas on the shipped closes, none of them the project's kernels."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.domain.events import EventType
from engine.domain.risk import PORTFOLIO, RiskLevel, RiskMetrics
from tests.numbers.runs import log_of, section

CLOSES = Path(__file__).parents[1] / "data" / "closes.parquet"
NEAR = {"rel": 1e-4, "abs": 1e-6}
"""Shipped closes are kept to six decimals after adjustment; a return feels that in its sixth digit."""


@pytest.fixture(scope="module")
def measured(replay, shipped):
    """Every symbol's metrics with the closes that they had to go by."""
    found = []
    for event in log_of(replay, EventType.RISK_UPDATE):
        metrics = RiskMetrics.from_data(event.data)
        if metrics.scope != PORTFOLIO:
            closes = shipped[metrics.scope].close
            found.append((metrics, closes[closes.index <= event.as_of.timestamp()]))
    assert len(found) >= 14 * 10
    return found


def shortfall(returns, alpha):
    """Rockafellar and Uryasev: the smallest ``x + E[(loss - x)+] / alpha`` over all x."""
    losses = -np.asarray(returns)
    return min(x + np.maximum(losses - x, 0).sum() / (alpha * losses.size) for x in losses)


def test_value_at_risk_is_an_observed_loss_and_shortfall_the_optimum_beyond_it(measured):
    for metrics, closes in measured[::7]:
        r = closes.pct_change().iloc[-500:]
        assert metrics.n_observations == 500
        assert metrics.var_95 == pytest.approx(-r.sort_values().iloc[24], **NEAR)
        assert metrics.var_99 == pytest.approx(-r.sort_values().iloc[4], **NEAR)
        assert metrics.cvar_95 == pytest.approx(shortfall(r, 0.05), **NEAR)
        assert metrics.cvar_99 == pytest.approx(shortfall(r, 0.01), **NEAR)


def test_model_values_at_risk_are_those_of_their_laws(measured):
    ratios = []
    for metrics, closes in measured:
        r = closes.pct_change().iloc[-500:]
        logs = np.log1p(r)
        for alpha, normal, simulated, told_error in (
            (
                0.05,
                metrics.var_95_parametric,
                metrics.var_95_monte_carlo,
                metrics.var_95_monte_carlo_error,
            ),
            (
                0.01,
                metrics.var_99_parametric,
                metrics.var_99_monte_carlo,
                metrics.var_99_monte_carlo_error,
            ),
        ):
            z = stats.norm.ppf(alpha)
            assert normal == pytest.approx(-(r.mean() + z * r.std(ddof=1)), **NEAR)
            exact = -math.expm1(logs.mean() + z * logs.std(ddof=1))
            error = logs.std(ddof=1) * math.sqrt(alpha * (1 - alpha) / 10_000) / stats.norm.pdf(z)
            assert abs(simulated - exact) < 4 * error
            ratios.append(told_error / error)
    # an error from some twenty spacings at 99 % is itself uncertain by a fifth
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.15)
    assert 0.3 < min(ratios) <= max(ratios) < 2.0


def test_volatility_ratios_and_drawdowns_are_annual_and_of_their_windows(measured):
    for metrics, closes in measured:
        r = closes.pct_change().iloc[-500:]
        year = math.sqrt(252)
        assert metrics.volatility == pytest.approx(r.std(ddof=1) * year, **NEAR)
        assert metrics.sharpe_ratio == pytest.approx(r.mean() / r.std(ddof=1) * year, abs=1e-3)
        downside = math.sqrt((r.clip(upper=0) ** 2).mean())
        assert metrics.sortino_ratio == pytest.approx(r.mean() / downside * year, abs=1e-3)
        wealth = np.concatenate([[1.0], (1 + r).cumprod()])
        deepest = (wealth / np.maximum.accumulate(wealth) - 1).min()
        assert metrics.max_drawdown == pytest.approx(deepest, **NEAR)
        assert metrics.drawdown == pytest.approx(
            closes.iloc[-1] / closes.iloc[-252:].max() - 1, **NEAR
        )


def test_beta_is_the_slope_on_the_index_over_common_days(measured, shipped):
    index = shipped["SPX"].close
    for metrics, closes in measured:
        if metrics.scope == "SPX":
            assert metrics.beta is None
            continue
        both = pd.concat([closes, index], axis=1, join="inner").iloc[-502:]
        # symbols that close before the index in one instant know its close of the bar before
        slopes = [
            stats.linregress(p.iloc[:, 1], p.iloc[:, 0]).slope
            for p in (both.iloc[1:].pct_change().dropna(), both.iloc[:-1].pct_change().dropna())
        ]
        assert min(abs(metrics.beta - slope) for slope in slopes) < 1e-4


def independent_scores(closes: pd.Series, cuts=(0.015, 0.03)) -> pd.DataFrame:
    """The four lines of the score on every day, with pandas' windows."""
    r = closes.pct_change().dropna()
    seeded = pd.concat([pd.Series([r.iloc[:20].var(ddof=0)], index=[r.index[0]]), r**2])
    variance = seeded.ewm(alpha=0.06, adjust=False).mean().iloc[1:]
    sigma = np.sqrt(variance)
    ratio = sigma / sigma.rolling(1000, min_periods=1).median()
    depth = 1 - closes / closes.rolling(252, min_periods=1).max()
    beyond = (r < stats.norm.ppf(0.01) * sigma.shift(1)).rolling(20, min_periods=1).sum()
    loss = stats.norm.ppf(0.95) * sigma

    def points(values, limits):
        return sum((values > limit).astype(int) for limit in limits)

    return pd.DataFrame(
        {
            "Volatility": points(ratio, (1.25, 1.75, 2.5)),
            "Drawdown": points(depth, (0.05, 0.12, 0.20)).reindex(r.index),
            "Exceptions": points(beyond, (0.5, 2.5)),
            "VaR 95": points(loss, cuts),
        }
    )


def test_the_score_and_each_of_its_points_follow_the_written_rule(measured):
    for metrics, closes in measured[::3]:
        expected = independent_scores(closes.iloc[-1252:]).iloc[-1]
        assert {p.rule: p.points for p in metrics.points} == expected.to_dict()
        assert metrics.score == expected.sum()
        assert metrics.risk_level is RiskLevel.from_score(expected.sum())


def test_the_rule_calls_thirty_years_of_the_market_as_often_as_published():
    # 1991 to 2022 as published; the medians of the first two years of data are not counted, they know too little
    closes = pd.read_parquet(CLOSES)
    scores = independent_scores(closes[closes.symbol == "SP500"].set_index("day").close).sum(axis=1)
    scores.index = pd.to_datetime(scores.index)
    levels = pd.cut(scores.loc["1992":], [-1, 2, 4, 6, 10], labels=[x.value for x in RiskLevel])
    shares = (100 * levels.value_counts(normalize=True)).round(1)
    assert shares.to_dict() == {"low": 67.5, "medium": 18.5, "high": 8.9, "critical": 5.1}


def test_a_trend_has_one_reading_per_close_and_the_newest_is_the_present_one(replay):
    for name in replay.engine.projection.names():
        if name.startswith("risk:"):
            known = section(replay, name)
            closes = {
                e.as_of
                for e in log_of(replay, EventType.RISK_UPDATE)
                if e.data["scope"] == known.metrics.scope and e.data["is_record"]
            }
            assert len(known.trend_var_95) == len(closes) + 1  # and what the history gave
            assert known.trend_var_95[-1] == known.metrics.var_95


def test_contributions_sum_to_the_parametric_value_at_risk(replay):
    told = [
        e.data
        for e in log_of(replay, EventType.RISK_UPDATE)
        if e.data["scope"] == PORTFOLIO and e.data["contributions"]
    ]
    assert len(told) > 3
    for data in told:
        parts = data["contributions"]
        assert sum(p["component"] for p in parts) == pytest.approx(
            data["var_95_parametric"], abs=1e-12
        )
