"""News: only a change of sentiment counts, at its own bar, and what it does is learned without a look ahead."""

import numpy as np
import pytest

from engine.domain.forecast import SimulationLevel
from engine.forecasts.events import (
    NEWS_DRIFT,
    NEWS_VARIANCE,
    PRIOR_N,
    NewsEffect,
    effect_of,
    news_of,
)
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.moods import Moods
from engine.forecasts.past import Past
from engine.forecasts.size import Size
from tests.forecasts.pasts import past_of, restless


def bars(n: int) -> Past:
    return Past(symbol="BTC", closes=np.full(n, 100.0), closes_at=60.0 * np.arange(1, n + 1))


def test_a_sentiment_that_stands_is_no_news():
    moods = Moods()
    for n, score in ((10, 0.5), (11, 0.5), (12, 0.55), (13, -0.45)):
        moods.hear(bars(n), score)
    assert [moods.at(bars(n)) for n in (10, 11, 12, 13, 14)] == [0.0, 0.0, 0.0, -1.0, 0.0]


def test_what_is_heard_twice_in_one_bar_is_one_news_of_both():
    moods = Moods()
    for n, score in ((10, 0.0), (11, 0.2), (11, 0.5), (12, 0.5)):
        moods.hear(bars(n), score)
    assert moods.at(bars(11)) == pytest.approx(0.5)
    np.testing.assert_allclose(moods.before(bars(12), 2), [0.0, 0.5])


def test_news_of_another_run_are_forgotten():
    moods = Moods()
    for n, score in ((5, 0.0), (8, 0.5)):
        moods.hear(bars(n), score)
    moods.forget("BTC")
    assert moods.at(bars(8)) == 0.0
    assert not moods.before(bars(10), 9).any()


@pytest.mark.parametrize("wrong", [None, "good", True, 1.5, float("nan")])
def test_what_is_no_sentiment_is_not_heard(wrong: object):
    moods = Moods()
    moods.hear(bars(10), 0.0)
    moods.hear(bars(11), wrong)
    moods.hear(bars(12), 0.5)
    assert (moods.at(bars(11)), moods.at(bars(12))) == (0.0, 0.5)


def test_news_stands_before_the_bar_that_followed_it_and_nowhere_else():
    moods = Moods()
    for n, score in ((5, 0.0), (8, 0.5), (10, -0.25)):
        moods.hear(bars(n), score)
    np.testing.assert_array_equal(moods.before(bars(10), 9), [0, 0, 0, 0, 0, 0, 0, 0.5, 0])
    np.testing.assert_array_equal(moods.before(bars(12), 3), [0, -0.75, 0])
    np.testing.assert_array_equal(moods.before(bars(8), 7), np.zeros(7))
    assert not moods.before(Past(symbol="ETH", closes=np.ones(9)), 8).any()


def test_what_news_does_comes_from_the_prior_to_the_planted_truth():
    rng = np.random.default_rng(4)
    moods = rng.uniform(-1.0, 1.0, 4_000)
    residuals = 0.8 * moods + np.sqrt(1.0 + 2.0 * np.abs(moods)) * rng.standard_normal(4_000)
    effect = effect_of(moods, residuals)
    assert effect.drift == pytest.approx(0.8, abs=0.1)
    assert effect.variance == pytest.approx(2.5, abs=0.4)  # 0.8² of the drift is variance too
    assert effect_of(np.zeros(50), rng.standard_normal(50)) == NewsEffect()
    one = effect_of(np.array([1.0, 0.0]), np.array([2.0, 9.0]))
    assert one.drift == pytest.approx((PRIOR_N * NEWS_DRIFT + 2.0) / (PRIOR_N + 1))
    assert one.variance == pytest.approx((PRIOR_N * NEWS_VARIANCE + 3.0) / (PRIOR_N + 1))


def test_learned_news_says_from_how_many():
    (flag,) = news_of([{"sentiment": -0.5}], NewsEffect(variance=1.0, drift=0.4, n=7))
    assert (flag.variance, flag.drift) == pytest.approx((1.5, -0.2))
    assert flag.words == "news: variance × 1.50 (learned from 7)"


def test_level_2_widens_with_the_news_of_its_bar():
    past = past_of(restless(400))
    ask = Ask(past=past, size=Size(n_paths=4_000, n_steps=3, seed=1))
    levels = Levels()
    calm = levels.draw(SimulationLevel.LEVEL_2_CONDITIONAL, ask)
    levels.moods.hear(past.until(399), -0.2)
    levels.moods.hear(past, 0.8)
    moved = levels.draw(SimulationLevel.LEVEL_2_CONDITIONAL, ask)
    assert "news: variance × 1.50 (prior)" in moved.note
    assert moved.logs[1].std() == pytest.approx(calm.logs[1].std() * 1.5**0.5, rel=0.01)
    assert moved.logs[1].mean() > calm.logs[1].mean() + 0.2 * calm.logs[1].std()
