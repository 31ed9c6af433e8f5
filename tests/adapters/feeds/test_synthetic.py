"""The synthetic feed: the feed's conformance, and that it is labelled and has the manners it claims."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from engine.adapters.feeds.synthetic import HISTORY_BARS, GarchSource, SyntheticFeed
from engine.domain.errors import FeedError, InvalidValueError
from engine.domain.market import FeedKind
from tests.ports.feed_conformance import FeedConformance, play


class TestSyntheticFeed(FeedConformance):
    def make(self, seed: int = 1) -> SyntheticFeed:
        return SyntheticFeed(["ONE", "TWO"], seed=seed)


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    """Log returns of shape (n_bars, 4)."""
    feed = SyntheticFeed(["A", "B", "C", "D"], seed=3)
    feed._source._reach(3 * HISTORY_BARS)
    rows = feed._source._rows
    closes = np.array([rows[bar][:, 3] for bar in sorted(rows)])
    return np.diff(np.log(closes), axis=0)


def test_it_is_labelled_synthetic_and_its_instruments_say_so():
    feed = SyntheticFeed()
    assert feed.state.kind is FeedKind.SYNTHETIC
    assert "made-up" in feed.state.label
    assert all("synthetic" in instrument.name for instrument in feed.instruments)
    assert feed.state.bars_total is None


def test_its_annual_volatility_is_what_its_periods_per_year_make_of_its_bars(returns):
    feed = SyntheticFeed(["A", "B", "C", "D"], seed=3)
    periods = np.array([i.periods_per_year for i in feed.instruments])
    claimed = np.sqrt(feed._source._model.variance * 240 * periods)
    assert claimed.min() >= 0.3
    assert claimed.max() <= 0.8
    assert returns.std(axis=0) * np.sqrt(periods) == pytest.approx(claimed, rel=0.25)


def test_its_returns_move_together_have_fat_tails_and_clusters(returns):
    correlations = np.corrcoef(returns.T)[np.triu_indices(4, 1)]
    assert correlations.min() > 0.1
    assert correlations.max() < 0.85
    kurtosis = ((returns - returns.mean(axis=0)) ** 4).mean(axis=0) / returns.var(axis=0) ** 2
    assert kurtosis.min() > 3.3  # 3 for a normal distribution, whose standard error here is 0.09
    size = np.abs(returns).mean(axis=1)
    assert np.corrcoef(size[1:], size[:-1])[0, 1] > 0.05  # 0 without clusters, standard error 0.018


def large_ticks(source: GarchSource, n_bars: int) -> int:
    """Return how many tick returns are beyond 60 of the model's standard deviations."""
    made = [source.unfold(HISTORY_BARS + n) for n in range(n_bars)]
    found = 0
    for i, variance in enumerate(source._model.variance):
        prices = np.concatenate([bar[i].prices for bar in made])
        found += int((np.abs(np.diff(np.log(prices))) > 60 * np.sqrt(variance)).sum())
    return found


def test_the_feed_has_jumps_of_its_own_at_tick_frequency():
    """Four a day and symbol, of 93 standard deviations on average; without them nothing is as large."""
    symbols, n_bars = ["A", "B", "C", "D", "E", "F"], 2_000
    with_jumps, without = GarchSource(symbols, 5), GarchSource(symbols, 5)
    without._model = replace(without._model, own_jumps=0.0, common_jumps=0.0)
    expected = len(symbols) * 4 * n_bars / (24 * 60) * 2 * stats.norm.sf(60 / 93)
    assert 0.4 * expected < large_ticks(with_jumps, n_bars) < 1.8 * expected
    assert large_ticks(without, n_bars) == 0


def test_any_number_of_symbols_is_served():
    feed = SyntheticFeed([f"S{i}" for i in range(25)])
    assert {t.symbol for t in play(feed, 1)} == {i.symbol for i in feed.instruments}


def test_a_restart_long_after_the_warm_up_needs_no_more_than_the_last_anchor():
    feed = SyntheticFeed(["ONE", "TWO"], seed=4, bars_per_minute=600, max_gap_s=60)
    for k in range(6):
        feed.poll(60.0 * k)
    state = feed.state
    assert state.bars_done == 3000
    assert state.cursor["anchor"] == 3000
    again = SyntheticFeed(["ONE", "TWO"], seed=4)
    again.restore(state)
    assert again.history("TWO") == feed.history("TWO")
    assert len(again.history("TWO").close) == HISTORY_BARS
    feed.resume()  # a new origin, as the restored feed has
    feed.set_speed(12)
    again.set_speed(12)
    assert play(again, 6) == play(feed, 6, begin=1000.0)


def test_a_state_of_other_symbols_is_refused():
    with pytest.raises(FeedError, match="other symbols"):
        SyntheticFeed(["THREE"]).restore(SyntheticFeed(["ONE"]).state)


def test_it_has_nowhere_to_jump():
    with pytest.raises(FeedError, match="replay"):
        SyntheticFeed(["ONE"]).jump(datetime(2024, 1, 5, tzinfo=UTC))


@pytest.mark.parametrize("symbols", [[], ["A", "A"]])
def test_symbols_must_be_different_and_at_least_one(symbols):
    with pytest.raises(InvalidValueError, match="symbols must"):
        SyntheticFeed(symbols)
