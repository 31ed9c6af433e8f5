"""What every feed that unfolds bars owes: one class, run on each adapter."""

import itertools
from datetime import timedelta

import numpy as np
import pytest

from engine.domain.errors import FeedError, InvalidValueError
from engine.domain.market import FeedKind, FeedState, Tick
from engine.ports.feed import Controllable, Feed


def play(feed: Feed, seconds: float, every: float = 0.25, begin: float = 0.0) -> list[Tick]:
    """Return the ticks of so many seconds, polled regularly; the first poll only sets the origin."""
    n_polls = round(seconds / every)
    return [tick for k in range(n_polls + 1) for tick in feed.poll(begin + k * every)]


class FeedConformance:
    """Give `make(seed)`, which returns a new feed at its start, with a bar every five seconds."""

    def make(self, seed: int = 1) -> Feed:
        raise NotImplementedError

    def make_from(self, state: FeedState) -> Feed:
        """Return a feed of another process that continues from a state that was journalled."""
        feed = self.make()
        feed.restore(FeedState.from_json(state.to_json()))
        return feed

    # -- ticks and bars --------------------------------------------------------------------------------------------

    def test_the_first_poll_only_sets_the_origin(self):
        feed = self.make()
        assert list(feed.poll(1e6)) == []
        assert len(play(feed, 1, begin=1e6)) > 0

    def test_ticks_come_in_market_time_order_and_of_one_time_in_watchlist_order(self):
        feed = self.make()
        place = {instrument.symbol: i for i, instrument in enumerate(feed.instruments)}
        order = [(tick.as_of, place[tick.symbol]) for tick in play(feed, 16)]
        assert order == sorted(order)
        assert len(set(order)) == len(order)

    def test_a_bar_is_told_in_four_ticks_a_second(self):
        feed = self.make()
        symbol = feed.instruments[0].symbol
        ticks = [tick for tick in play(feed, 10) if tick.symbol == symbol]
        assert len(ticks) == 40
        assert [tick.bar.is_closed for tick in ticks] == ([False] * 19 + [True]) * 2

    def test_ticks_do_not_come_in_heaps(self):
        feed = self.make()
        feed.poll(0)
        sizes = [len(feed.poll(k * 0.25)) for k in range(1, 41)]
        assert max(sizes) <= 3 * len(feed.instruments)
        assert sizes.count(0) <= len(sizes) // 5  # high and low come when they come

    def test_a_forming_bar_says_what_its_ticks_said(self):
        feed = self.make()
        for _, ticks in itertools.groupby(
            sorted(play(feed, 10), key=lambda t: (t.symbol, t.as_of)),
            key=lambda t: (t.symbol, t.bar.opens_at),
        ):
            seen: list[Tick] = []
            for tick in ticks:
                seen.append(tick)
                bar = tick.bar
                assert bar.close == tick.price > 0
                assert bar.opens_at <= tick.as_of <= bar.closes_at
                assert bar.is_closed == (tick.as_of == bar.closes_at)
                if bar.open is None:
                    continue
                assert bar.open == seen[0].price
                assert bar.high >= max(t.price for t in seen)
                assert bar.low <= min(t.price for t in seen)
            if bar.open is not None:
                assert bar.high == max(t.price for t in seen)
                assert bar.low == min(t.price for t in seen)
                volumes = [t.bar.volume for t in seen]
                assert volumes == sorted(volumes)
                assert sum(t.volume for t in seen) == pytest.approx(bar.volume)

    def test_a_closed_bar_stands_in_the_history_and_a_forming_one_does_not(self):
        feed = self.make()
        symbol = feed.instruments[0].symbol
        before = feed.history(symbol)
        bars = [t.bar for t in play(feed, 12) if t.symbol == symbol and t.bar.is_closed]
        after = feed.history(symbol)
        assert len(bars) == 2
        assert after.close[-2:] == tuple(bar.close for bar in bars)
        assert after.open[-2:] == tuple(bar.open for bar in bars)
        assert after.high[-2:] == tuple(bar.high for bar in bars)
        assert after.volume[-2:] == tuple(bar.volume for bar in bars)
        assert after.closes_at[-2:] == tuple(int(bar.closes_at.timestamp()) for bar in bars)
        assert after.close[-3] == before.close[-1]

    def test_history_is_as_long_as_it_must_be_rising_in_time_and_before_the_first_tick(self):
        feed = self.make()
        first = play(feed, 1)[0]
        for instrument in feed.instruments:
            history = feed.history(instrument.symbol)
            n = len(history.closes_at)
            assert n >= 250
            assert list(history.closes_at) == sorted(set(history.closes_at))
            assert history.closes_at[-1] <= first.as_of.timestamp()
            columns = (history.open, history.high, history.low, history.close, history.volume)
            assert {len(column) for column in columns} == {n}

    def test_history_of_a_strange_symbol_is_refused_with_its_name(self):
        with pytest.raises(FeedError, match="NOBODY"):
            self.make().history("NOBODY")

    # -- repeatable ------------------------------------------------------------------------------------------------

    def test_equal_polls_give_equal_ticks_and_another_seed_gives_others(self):
        assert play(self.make(), 8) == play(self.make(), 8)
        assert play(self.make(), 8) != play(self.make(seed=2), 8)
        assert self.make().fingerprint() == self.make().fingerprint()
        assert self.make().fingerprint() != self.make(seed=2).fingerprint()

    @pytest.mark.parametrize("luck", range(6))
    def test_whenever_it_is_polled_no_tick_is_lost_and_none_comes_twice(self, luck):
        gaps = np.random.default_rng(luck).uniform(0.001, 1.9, 5 + 4 * luck)
        feed = self.make()
        ticks = list(feed.poll(0.0))
        now_s = 0.0
        for gap in gaps:
            now_s += gap
            ticks += feed.poll(now_s)
        regular = play(self.make(), now_s + 0.5)
        assert ticks == regular[: len(ticks)]
        assert len(ticks) > 0

    @pytest.mark.parametrize("seconds", [0.0, 1.25, 5.0, 7.5, 13.0])
    def test_a_restart_continues_with_the_ticks_that_would_have_come(self, seconds):
        feed = self.make()
        play(feed, seconds)
        resumed = self.make_from(feed.state)
        assert resumed.state == feed.state
        for instrument in feed.instruments:
            assert resumed.history(instrument.symbol) == feed.history(instrument.symbol)
        expected, got = play(feed, 8, begin=seconds), play(resumed, 8)
        n = min(len(expected), len(got))
        assert n > 0
        assert expected[:n] == got[:n]
        assert abs(len(expected) - len(got)) <= len(feed.instruments)

    @pytest.mark.parametrize("seconds", [1.25, 4.75, 5.0, 7.5, 13.0])
    def test_a_process_that_died_goes_on_at_the_newest_tick_that_was_told(self, seconds):
        feed = self.make()
        begun = feed.state  # what the journal has of the feed itself; the ticks it has, too
        told = play(feed, seconds)
        heard = told[-1].as_of
        resumed = self.make()
        resumed.restore(begun, heard)
        expected = [tick for tick in [*told, *play(feed, 8, begin=seconds)] if tick.as_of >= heard]
        got = play(resumed, 8)
        n = min(len(expected), len(got))
        assert n > 0
        assert got[:n] == expected[:n]
        assert resumed.state.run_id == begun.run_id

    def test_a_tick_from_before_its_state_takes_a_feed_nowhere(self):
        feed = self.make()
        told = play(feed, 7.5)
        resumed = self.make()
        resumed.restore(feed.state, told[0].as_of)
        assert resumed.state == feed.state

    def test_restoring_what_is_not_its_own_is_refused(self):
        feed = self.make()
        foreign = FeedState(kind=FeedKind.LIVE, label="x", market_time=feed.state.market_time)
        with pytest.raises(FeedError, match="LIVE"):
            feed.restore(foreign)

    # -- market time under control ---------------------------------------------------------------------------------

    def test_a_long_sleep_makes_no_burst_and_loses_nothing(self):
        feed, regular = self.make(), self.make()
        awake = play(feed, 3)
        after_sleep = list(feed.poll(603.0))
        assert 0 < len(after_sleep) <= len(play(self.make(), 2.5))
        rest = play(feed, 3, begin=603.0)
        ticks = awake + after_sleep + rest
        assert ticks == play(regular, 9)[: len(ticks)]

    def test_the_wall_clock_going_back_moves_nothing(self):
        feed = self.make()
        play(feed, 2)
        before = feed.state
        assert list(feed.poll(-3600.0)) == []
        assert feed.state == before

    def test_a_paused_feed_holds_still_and_then_goes_on_from_there(self):
        feed = self.make()
        assert isinstance(feed, Controllable)
        first = play(feed, 2)
        feed.pause()
        assert play(feed, 5, begin=2.0) == []
        assert feed.state.is_paused
        feed.resume()
        ticks = first + play(feed, 2, begin=100.0)
        assert ticks == play(self.make(), 4)[: len(ticks)]
        assert len(ticks) > len(first)

    @pytest.mark.parametrize("seconds", [0.0, 2.0])
    def test_a_step_gives_the_rest_of_the_bar_at_once_and_stays_paused(self, seconds):
        feed = self.make()
        told = play(feed, seconds)
        feed.step()
        rest = list(feed.poll(seconds))
        assert told + rest == play(self.make(), 5)
        assert {tick.symbol for tick in rest if tick.bar.is_closed} == {
            instrument.symbol for instrument in feed.instruments
        }
        assert feed.state.bars_done == 1
        assert feed.state.is_paused
        assert play(feed, 3, begin=50.0) == []

    def test_steps_asked_for_at_once_are_each_a_bar(self):
        feed = self.make()
        for _ in range(3):
            feed.step()
        n_polls = sum(bool(feed.poll(0.0)) for _ in range(6))
        assert (n_polls, feed.state.bars_done, feed.state.is_paused) == (3, 3, True)
        feed.step()
        feed.resume()
        assert list(feed.poll(0.0)) == [], "who plays on steps no more"

    def test_speed_changes_inside_a_bar_contradict_nothing(self):
        feed = self.make()
        ticks = play(feed, 1.5)
        feed.set_speed(60)
        ticks += play(feed, 0.25, begin=1.5)
        feed.set_speed(1)
        ticks += play(feed, 3.0, begin=1.75)
        feed.step()
        ticks += feed.poll(4.75)
        closes = {t.symbol: t.bar for t in ticks if t.bar.is_closed}
        usual = {t.symbol: t.bar for t in play(self.make(), 5) if t.bar.is_closed}
        assert closes == usual
        assert [t.as_of for t in ticks] == sorted(t.as_of for t in ticks)
        for symbol, bar in closes.items():
            prices = [t.price for t in ticks if t.symbol == symbol]
            if bar.high is not None:
                assert (max(prices), min(prices)) == (bar.high, bar.low)

    def test_a_faster_feed_tells_fewer_ticks_in_less_time(self):
        feed = self.make()
        feed.set_speed(60)
        ticks = play(feed, 1)
        assert len(ticks) == 4 * len(feed.instruments)
        assert feed.state.bars_done == 1
        assert feed.state.bars_per_minute == 60

    @pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), 1e6])
    def test_a_senseless_speed_is_refused_and_the_old_one_stays(self, speed):
        feed = self.make()
        with pytest.raises(InvalidValueError, match="bars_per_minute must"):
            feed.set_speed(speed)
        assert feed.state.bars_per_minute == 12

    def test_bars_strictly_follow_each_other(self):
        feed = self.make()
        feed.set_speed(60)
        opens = sorted({(t.bar.opens_at, t.bar.closes_at) for t in play(feed, 20)})
        assert len(opens) == 20
        for earlier, later in itertools.pairwise(opens):
            assert earlier[0] < earlier[1] <= later[0]
            assert later[0] - earlier[1] < timedelta(days=6)
