"""Bars on a chart: resampled exactly, placed evenly, averaged over what there is."""

from datetime import UTC, datetime

from dashboard.views import bars as b
from engine.domain.market import Bar, BarColumns

# Thursday 25 Sep to Tuesday 30 Sep 2008, each closing at 20:00 UTC
DAYS = (25, 26, 29, 30)
CLOSES_AT = tuple(int(datetime(2008, 9, day, 20, tzinfo=UTC).timestamp()) for day in DAYS)
COLUMNS = BarColumns(
    symbol="AAPL", closes_at=CLOSES_AT, open=(10.0, 12.0, 11.0, 9.0), high=(13.0, 14.0, 12.0, 10.0),
    low=(9.0, 11.0, 8.0, 8.5), close=(12.0, 11.5, 8.5, 9.5), volume=(100.0, 200.0, 300.0, 400.0),
)  # fmt: skip


def test_a_week_takes_first_open_highest_high_lowest_low_last_close_and_all_volume() -> None:
    weeks = b.resample(COLUMNS, "1W")
    assert weeks.at == ("2008-09-24", "2008-10-01")
    assert (weeks.open, weeks.high, weeks.low, weeks.close, weeks.volume) == (
        (10.0, 11.0), (14.0, 12.0), (9.0, 8.0), (11.5, 9.5), (300.0, 700.0),
    )  # fmt: skip


def test_days_stay_as_the_feed_closed_them() -> None:
    days = b.resample(COLUMNS, "1D")
    assert days.close == COLUMNS.close
    assert days.at == ("2008-09-25", "2008-09-26", "2008-09-29", "2008-09-30")


def test_closes_alone_give_no_open_no_high_and_no_volume() -> None:
    none = (None,) * 4
    bare = BarColumns(
        symbol="JPM",
        closes_at=CLOSES_AT,
        open=none,
        high=none,
        low=none,
        close=COLUMNS.close,
        volume=none,
    )
    weeks = b.resample(bare, "1W")
    assert weeks.close == (11.5, 9.5)
    assert weeks.open == weeks.high == weeks.low == weeks.volume == (None, None)


def test_no_bars_give_an_empty_series() -> None:
    assert b.resample(BarColumns(symbol="AAPL"), "1D") == b.Series()


def test_the_open_bar_of_a_week_holds_its_closed_days() -> None:
    moment = datetime(2008, 10, 1, 20, tzinfo=UTC)
    bar = Bar(symbol="AAPL", opens_at=moment, closes_at=moment, close=9.2, open=9.4, high=12.5, low=9.1, volume=50.0,
              is_closed=False)  # fmt: skip
    week = b.forming(b.resample(COLUMNS, "1W").tail(1), bar, 9.2, "2008-10-01")
    assert (week.open, week.high, week.low, week.close, week.volume) == (
        (11.0,), (12.5,), (8.0,), (9.2,), (750.0,),
    )  # fmt: skip


def test_the_open_bar_of_a_day_stands_alone() -> None:
    day = b.forming(b.resample(COLUMNS, "1D").tail(1), None, 9.2, "2008-10-01")
    assert (day.open, day.high, day.low, day.volume) == ((9.2,), (9.2,), (9.2,), (None,))


def test_the_feed_decides_which_timeframes_there_are() -> None:
    assert b.bar_seconds(COLUMNS) == 86_400
    refused = [frame.key for frame in b.TIMEFRAMES if b.refusal(frame, 86_400)]
    assert refused == ["1m", "5m", "1h"]
    assert b.chosen_timeframe("5m", 86_400) == "1D"
    assert b.chosen_timeframe("5m", 60) == "5m"


def test_a_weekday_without_a_bar_is_a_holiday_and_a_weekend_is_not() -> None:
    without_monday = BarColumns(
        symbol="A", closes_at=(*CLOSES_AT[:2], CLOSES_AT[3]), close=(1.0, 1.0, 1.0)
    )
    assert b.closed_days(without_monday) == ("2008-09-29",)
    assert b.closed_days(COLUMNS) == ()


def test_steps_ahead_skip_weekends_and_begin_at_the_last_bar() -> None:
    assert b.ahead(CLOSES_AT[1], 2, 86_400) == ("2008-09-26", "2008-09-29", "2008-09-30")
    assert b.ahead(0, 2, 60) == (
        "1970-01-01T00:00:00",
        "1970-01-01T00:01:00",
        "1970-01-01T00:02:00",
    )
