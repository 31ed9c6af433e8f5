"""The replay: the feed's conformance, and what its bars, days and jumps owe."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine.adapters.feeds.replay import ReplayFeed
from engine.adapters.feeds.shipped import SHIPPED, DailyBars, load_shipped
from engine.domain.errors import FeedError, UnknownNameError
from engine.domain.instrument import Instrument
from engine.domain.market import FeedKind, FeedState
from tests.ports.feed_conformance import FeedConformance, play

SYMBOLS = ("AAPL", "JPM", "SPX")
NEW_YORK = ZoneInfo("America/New_York")


class TestReplayFeed(FeedConformance):
    def make(self, seed: int = 1) -> ReplayFeed:
        return ReplayFeed(SYMBOLS, seed=seed)


def made_up(n_bars: int = 5, symbol: str = "TOY") -> DailyBars:
    days = np.arange("2010-03-08", "2010-06-30", dtype="datetime64[D]")
    days = days[np.is_busday(days)][:n_bars]
    close = 100.0 + np.arange(n_bars)
    return DailyBars(
        instrument=Instrument(symbol=symbol, name=symbol),
        days=days,
        open=close - 1,
        high=close + 2,
        low=close - 3,
        close=close,
        volume=np.full(n_bars, 1000.0),
    )


def test_it_begins_on_2_september_2008_with_all_the_history_before():
    feed = ReplayFeed()
    assert feed.instruments == SHIPPED
    first = play(feed, 0.25)[0]
    assert first.as_of.astimezone(NEW_YORK) == datetime(2008, 9, 2, 9, 30, tzinfo=NEW_YORK)
    assert feed.state.kind is FeedKind.REPLAY
    assert len(feed.history("AAPL").close) == 2138
    assert len(feed.history("GOOG").close) == 1016
    assert len(feed.history("JPM").close) > 4700


def test_ticks_begin_at_the_open_and_end_at_the_close_of_the_real_bar():
    (apple,) = load_shipped(["AAPL"])
    row = int(np.searchsorted(apple.days, np.datetime64("2008-09-29")))
    feed = ReplayFeed(["AAPL"], start=date(2008, 9, 29), seed=5)
    ticks = play(feed, 5)
    assert ticks[0].price == apple.open[row]
    assert ticks[-1].price == apple.close[row]
    assert max(t.price for t in ticks) == apple.high[row]
    assert min(t.price for t in ticks) == apple.low[row]
    assert ticks[-1].bar.volume == apple.volume[row]
    assert ticks[-1].price / apple.close[row - 1] - 1 == pytest.approx(-0.179, abs=0.001)


def test_a_close_only_symbol_goes_from_close_to_close_and_claims_no_range():
    feed = ReplayFeed(["JPM"])
    before = feed.history("JPM").close[-1]
    ticks = play(feed, 5)
    assert ticks[0].price == before
    assert len({t.price for t in ticks}) > 10
    bar = ticks[-1].bar
    assert (bar.open, bar.high, bar.low, bar.volume) == (None, None, None, None)
    assert ticks[-1].volume is None


def test_the_session_is_half_past_nine_to_four_in_new_york_on_both_sides_of_the_clock_change():
    feed = ReplayFeed(["SPX"], start=date(2008, 10, 31), bars_per_minute=60)
    ticks = play(feed, 2)
    local = [t.as_of.astimezone(NEW_YORK) for t in ticks]
    assert {(t.hour, t.minute) for t in (local[0], local[4])} == {(9, 30)}
    assert {(t.hour, t.minute) for t in (local[3], local[7])} == {(16, 0)}
    assert ticks[4].as_of.hour - ticks[0].as_of.hour == 1  # in UTC the session moved by an hour


def test_every_instrument_has_a_bar_on_every_day_of_the_replay():
    feed = ReplayFeed(bars_per_minute=60)
    feed.set_speed(600)
    days = feed.state.bars_total
    assert days == 1132
    counts = {i.symbol: len(feed.history(i.symbol).close) for i in feed.instruments}
    feed.jump(feed.state.ends_at)
    for symbol, count in counts.items():
        assert len(feed.history(symbol).close) == count + days


def test_at_the_end_it_pauses_and_says_so_and_only_a_jump_back_plays_on():
    feed = ReplayFeed(bars=[made_up(5)], start=date(2010, 3, 12), bars_per_minute=60)
    ticks = play(feed, 3)
    assert len(ticks) == 4
    state = feed.state
    assert (state.is_ended, state.is_paused) == (True, True)
    assert state.market_time == state.ends_at
    for refused in (feed.resume, feed.step):
        with pytest.raises(FeedError, match="data ended"):
            refused()
    feed.jump(datetime(2010, 3, 11, 23, tzinfo=UTC))
    assert (feed.state.is_ended, feed.state.is_paused) == (False, False)
    assert feed.state.run_id == "run-2"
    assert play(feed, 3, begin=10) == ticks


def test_an_ended_replay_is_restored_as_ended():
    feed = ReplayFeed(bars=[made_up(5)], start=date(2010, 3, 12), bars_per_minute=60)
    play(feed, 2)
    again = ReplayFeed(bars=[made_up(5)], start=date(2010, 3, 12), bars_per_minute=60)
    again.restore(feed.state)
    assert again.state == feed.state
    assert play(again, 2) == []


def test_a_jump_forward_turns_the_bars_between_into_history_of_the_same_run():
    feed = ReplayFeed(SYMBOLS)
    play(feed, 7)
    feed.jump(datetime(2008, 9, 15, 12, tzinfo=UTC))
    state = feed.state
    assert state.run_id == "run-1"
    assert state.market_time == datetime(2008, 9, 12, 20, tzinfo=UTC)
    assert state.bars_done == 9
    assert play(feed, 0.25, begin=7)[0].as_of == datetime(2008, 9, 15, 13, 30, tzinfo=UTC)
    last = datetime.fromtimestamp(feed.history("AAPL").closes_at[-1], UTC)
    assert last == datetime(2008, 9, 12, 20, tzinfo=UTC)


def test_a_jump_back_starts_a_new_run_and_counts_anew():
    feed = ReplayFeed(SYMBOLS, start=date(2008, 9, 15))
    play(feed, 7)
    feed.jump(datetime(2008, 9, 2, 20, tzinfo=UTC))
    assert feed.state.run_id == "run-2"
    assert feed.state.bars_done == 0
    assert feed.state.market_time == datetime(2008, 9, 2, 20, tzinfo=UTC)


def test_a_jump_to_the_last_close_inside_a_bar_goes_back_and_so_is_a_new_run():
    feed = ReplayFeed(SYMBOLS)
    play(feed, 7)
    feed.jump(feed.state.market_time)
    assert feed.state.run_id == "run-2"
    assert feed.state.market_time == datetime(2008, 9, 2, 20, tzinfo=UTC)


def test_a_jump_to_where_it_stands_changes_nothing():
    feed = ReplayFeed(SYMBOLS)
    before = feed.state
    feed.jump(before.market_time)
    assert feed.state == before


@pytest.mark.parametrize("to", [datetime(1999, 1, 4, tzinfo=UTC), datetime(2015, 1, 5, tzinfo=UTC)])
def test_a_jump_out_of_the_data_is_refused_with_the_range(to):
    feed = ReplayFeed(SYMBOLS)
    before = feed.state
    with pytest.raises(FeedError, match=r"from 2001-02-26 21:00 to 2013-03-01 21:00"):
        feed.jump(to)
    assert feed.state == before


def test_wherever_one_may_jump_every_symbol_has_a_history():
    feed = ReplayFeed()
    feed.jump(feed.state.starts_at)
    assert min(len(feed.history(i.symbol).close) for i in feed.instruments) == 250
    with pytest.raises(FeedError):
        feed.jump(feed.state.starts_at - timedelta(days=4))


def test_a_place_is_found_again_when_other_symbols_move_the_calendar():
    feed = ReplayFeed(["AAPL"])
    play(feed, 7)
    wider = ReplayFeed(["AAPL", "JPM"])
    assert wider.state.cursor["bar"] != ReplayFeed(["AAPL"]).state.cursor["bar"]
    wider.restore(feed.state)
    assert wider.state.market_time == feed.state.market_time
    assert wider.state.bars_done == 1
    assert [t for t in play(wider, 2) if t.symbol == "AAPL"][:5] == play(feed, 2, begin=7)[:5]


@pytest.mark.parametrize(
    "cursor", [{}, {"bar": 10**9, "point": 0, "start": 1}, {"bar": 9, "point": 240, "start": 1}]
)
def test_a_senseless_cursor_is_refused(cursor):
    feed = ReplayFeed(SYMBOLS)
    state = FeedState(
        kind=FeedKind.REPLAY, label="", market_time=feed.state.market_time, cursor=cursor
    )
    with pytest.raises(FeedError, match="cursor must"):
        feed.restore(state)


def test_a_start_outside_the_data_is_refused_with_the_range():
    with pytest.raises(FeedError, match="from 2001-02-27 to 2013-03-01, was 2014-01-02"):
        ReplayFeed(SYMBOLS, start=date(2014, 1, 2))


def test_a_symbol_that_is_not_shipped_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="'TSLA'"):
        ReplayFeed(["AAPL", "TSLA"])


def test_the_crash_of_apple_on_29_september_2000_survives_every_path():
    (apple,) = load_shipped(["AAPL"])
    row = int(np.searchsorted(apple.days, np.datetime64("2000-09-29")))
    assert apple.close[row] / apple.close[row - 1] - 1 == pytest.approx(-0.519, abs=0.0005)
    feed = ReplayFeed(["AAPL"])
    source_bar = feed._source.unfold(row)[0]  # the day lies before any day that can be played
    assert source_bar.prices[-1] == apple.close[row]
