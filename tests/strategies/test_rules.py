"""The five rules on bars that a person can follow, and on Apple's of 26 September 2008."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.signals import StrategyContext
from engine.strategies.breakout import BreakoutStrategy
from engine.strategies.ma_trend import MovingAverageTrendStrategy
from engine.strategies.mc_probability import MonteCarloProbabilityStrategy
from engine.strategies.mean_reversion import MeanReversionStrategy
from engine.strategies.momentum import MomentumStrategy

EQUITIES = Path(__file__).parents[2] / "engine/data/equities.parquet"
RULES = [
    MomentumStrategy("m", {"volume_threshold": 0.0}), MeanReversionStrategy("r"),
    MovingAverageTrendStrategy("t"), BreakoutStrategy("b"), MonteCarloProbabilityStrategy("p"),
]  # fmt: skip


def judge(strategy, prices, volumes=(), **extra):
    return strategy.judge(StrategyContext(symbol="X", prices=prices, volumes=volumes, **extra))


@pytest.fixture(scope="module")
def apple() -> np.ndarray:
    bars = pd.read_parquet(EQUITIES)
    bars = bars[(bars["symbol"] == "AAPL") & (bars["day"].astype(str) <= "2008-09-26")]
    return bars["adj_close"].to_numpy()


@pytest.mark.parametrize(
    ("strategy", "vote"),
    [
        # -18.79 % in 14 bars of a full 20 %; z = -1.235 of a full 2.5; averages 14 % apart of a full 5 %;
        # 3 % up the channel of the 20 closes before, counted half
        (RULES[0], -0.94), (RULES[1], 0.49), (RULES[2], -1.00), (RULES[3], -0.47),
    ],
)  # fmt: skip
def test_votes_on_apple_in_the_crash(apple, strategy, vote):
    assert judge(strategy, apple).vote == pytest.approx(vote, abs=0.005)


@given(st.lists(st.floats(1.0, 1000.0), max_size=120), st.floats(0.0, 1.0))
def test_a_vote_always_lies_between_minus_one_and_one_and_has_a_reason(prices, probability):
    for strategy in RULES:
        judgement = judge(strategy, prices, mc_probability_up=probability)
        assert -1.0 <= judgement.vote <= 1.0
        assert judgement.reason
        assert all(np.isfinite(v) for v in judgement.indicators.values())


@given(st.lists(st.floats(1.0, 1000.0), min_size=60, max_size=120), st.floats(0.001, 1000.0))
def test_the_unit_of_price_does_not_matter(prices, unit):
    for strategy in RULES[:4]:
        vote = judge(strategy, prices).vote
        if abs(vote) in (0.0, 0.5, 1.0):
            continue  # at an edge rounding may decide
        assert judge(strategy, unit * np.array(prices)).vote == pytest.approx(vote, abs=1e-6)


@pytest.mark.parametrize("strategy", RULES)
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_too_few_bars_are_no_view_with_the_number_wanted(strategy, n):
    judgement = judge(strategy, np.full(n, 100.0))
    assert judgement.vote == 0.0
    assert "needs" in judgement.reason or "no forecast" in judgement.reason


@pytest.mark.parametrize("strategy", RULES)
def test_a_flat_market_is_no_view(strategy):
    assert judge(strategy, np.full(200, 0.1), mc_probability_up=0.5).vote == 0.0


def test_momentum_names_what_speaks_against_it():
    rising = 100.0 * 1.01 ** np.arange(60)
    strategy = MomentumStrategy("m", {})
    assert "no volume" in judge(strategy, rising).reason
    assert "volume 1.0 ×" in judge(strategy, rising, np.full(60, 500.0)).reason
    assert "no volume" in judge(strategy, rising, [*np.full(59, 500.0), np.nan]).reason
    confirmed = judge(strategy, rising, [*np.full(59, 500.0), 750.0])
    assert confirmed.vote > 0.0
    assert confirmed.indicators["volume_ratio"] == pytest.approx(1.5)
    assert "minimum" in judge(strategy, 100.0 * 1.001 ** np.arange(60)).reason
    bounce = np.concatenate([200.0 * 0.98 ** np.arange(60), 60.0 * 1.03 ** np.arange(1, 8)])
    loose = MomentumStrategy("m", {"volume_threshold": 0.0, "lookback_period": 5})
    assert judge(loose, bounce).reason.endswith("averages disagree")


def test_momentum_is_whole_at_its_full_move_and_half_at_half():
    strategy = MomentumStrategy(
        "m", {"volume_threshold": 0.0, "use_ma_filter": False, "lookback_period": 1}
    )
    votes = [judge(strategy, [100.0, 100.0 * (1 + move)]).vote for move in (0.1, 0.2, 0.4, -0.1)]
    assert votes == pytest.approx([0.5, 1.0, 1.0, -0.5])


def test_mean_reversion_waits_for_the_rsi():
    # a slow slide ends low in its window, but a last jump up keeps the RSI from confirming a sale
    quiet = 100.0 + 0.05 * (-1.0) ** np.arange(60)
    down = np.concatenate([quiet, [99.0]])
    assert judge(MeanReversionStrategy("r"), down).vote > 0.0
    after_fall = np.concatenate([100.0 - 2.0 * np.arange(40), np.full(19, 20.0), [21.0]])
    spiked = judge(MeanReversionStrategy("r"), after_fall)
    assert spiked.indicators["z_score"] > 1.2
    assert spiked.vote == 0.0
    assert "does not confirm" in spiked.reason


def test_mean_reversion_is_quiet_inside_its_band():
    quiet = 100.0 + (-1.0) ** np.arange(60)
    judgement = judge(MeanReversionStrategy("r"), quiet)
    assert judgement.vote == 0.0
    assert judgement.indicators["lower_band"] < 99.0 < 101.0 < judgement.indicators["upper_band"]


def test_the_average_trend_has_a_dead_zone():
    strategy = MovingAverageTrendStrategy("t", {"ma_fast": 1, "ma_slow": 2})
    # averages of the last one and two closes: gap = (b - a) / (a + b)
    assert judge(strategy, [100.0, 100.2]).vote == 0.0
    assert judge(strategy, [100.0, 102.0]).vote == pytest.approx(2 / 202 / 0.05)
    assert judge(strategy, [100.0, 50.0]).vote == -1.0


def test_a_breakout_needs_a_close_beyond_the_bars_before_it():
    strategy = BreakoutStrategy("b", {"channel_period": 4})
    channel = [10.0, 12.0, 11.0, 10.5]
    assert judge(strategy, [*channel, 12.01]).vote == 1.0
    assert judge(strategy, [*channel, 9.99]).vote == -1.0
    assert judge(strategy, [*channel, 12.0]).vote == 0.5
    assert judge(strategy, [*channel, 11.0]).vote == 0.0


def test_leaning_inside_the_channel_is_an_opinion_and_no_signal():
    strategy = BreakoutStrategy("b", {"channel_period": 4})
    inside = {"symbol": "X", "prices": [10.0, 12.0, 11.0, 10.5, 11.9]}
    assert strategy.generate_signal(inside) is None
    beyond = strategy.generate_signal({**inside, "prices": [10.0, 12.0, 11.0, 10.5, 12.1]})
    assert (beyond.action, beyond.confidence) == ("BUY", 1.0)


@pytest.mark.parametrize(
    ("probability", "vote"),
    [(0.472, -0.28), (0.53, 0.3), (0.51, 0.0), (0.49, 0.0), (0.9, 1.0), (0.0, -1.0)],
)
def test_the_forecast_votes_by_its_distance_from_even(probability, vote):
    judgement = judge(MonteCarloProbabilityStrategy("p"), [1.0], mc_probability_up=probability)
    assert judgement.vote == pytest.approx(vote)


@pytest.mark.parametrize("probability", [1.5, -0.1, float("nan")])
def test_a_forecast_that_is_no_probability_has_no_voice(probability):
    judgement = judge(MonteCarloProbabilityStrategy("p"), [1.0], mc_probability_up=probability)
    assert judgement.vote == 0.0
    assert "no probability" in judgement.reason
