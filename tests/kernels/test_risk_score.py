from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.domain.risk import RiskLevel
from engine.kernels.risk_score import CRYPTO_CUTS, risk_score

DATA = Path(__file__).parents[1] / "data/closes.parquet"


@pytest.fixture(scope="module")
def sp500() -> pd.Series:
    frame = pd.read_parquet(DATA)
    frame = frame[frame["symbol"] == "SP500"]
    return frame.set_index(frame["day"].astype(str))["close"]


def score_on(closes: pd.Series, day: str):
    return risk_score(closes.loc[:day].to_numpy()[-1300:])


@pytest.mark.parametrize(
    ("day", "score"), [("2008-10-10", 10), ("2020-03-16", 10), ("2017-10-16", 0)]
)
def test_the_great_crashes_score_ten_and_the_calmest_autumn_zero(sp500, day, score):
    assert score_on(sp500, day).score == score


def test_levels_are_as_frequent_as_published(sp500):
    # every twentieth day from 1991 to 2022; published: 67.5, 18.5, 8.9 and 5.1 % of days
    days = [d for d in sp500.index if d >= "1991-01-01"][::20]
    levels = [RiskLevel.from_score(score_on(sp500, day).score) for day in days]
    shares = [100 * levels.count(level) / len(levels) for level in RiskLevel]
    # two binomial standard errors of 403 days
    for share, published in zip(shares, (67.5, 18.5, 8.9, 5.1), strict=True):
        p = published / 100
        assert abs(share - published) < 200 * (p * (1 - p) / len(levels)) ** 0.5


def test_the_points_add_up_to_the_score_and_say_why(sp500):
    result = score_on(sp500, "2008-10-10")
    assert sum(p.points for p in result.points) == result.score
    assert [(p.rule, p.points) for p in result.points] == [
        ("Volatility", 3), ("Drawdown", 3), ("Exceptions", 2), ("VaR 95", 2),
    ]  # fmt: skip
    assert "1000-bar median" in result.points[0].detail
    assert "252-bar high" in result.points[1].detail


def test_a_short_history_says_how_short_it_is():
    prices = 100.0 * 1.001 ** np.arange(40)
    details = [p.detail for p in risk_score(prices).points]
    assert "39-bar median" in details[0]
    assert "40-bar high" in details[1]
    assert "in 19 bars" in details[2]


def test_a_market_that_never_moved_scores_zero():
    assert risk_score(np.full(30, 100.0)).score == 0


def test_a_lone_fall_of_eight_percent_worked_by_hand():
    # +-0.5 % for 60 bars: sigma 0.5 %; then -8 %: variance 0.94 x 2.5e-5 + 0.06 x 64e-4, sigma 2.02 %, ratio 4.04
    prices = 100.0 * np.cumprod([1.0, *(1.0 + 0.005 * (-1.0) ** np.arange(60)), 0.92])
    points = {p.rule: p.points for p in risk_score(prices).points}
    assert points == {"Volatility": 3, "Drawdown": 1, "Exceptions": 1, "VaR 95": 2}
    crypto = {p.rule: p.points for p in risk_score(prices, CRYPTO_CUTS).points}
    assert crypto["VaR 95"] == 0
