"""Markets: every number on the page checked by hand against the samples."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard.views import watchlist
from dashboard.views.markets import activity_view, head_view, strip_view, var_view
from dashboard.views.price_chart import price_chart
from dashboard.views.replay import is_back, jump_moment, replay_view
from dashboard.views.why import why_view
from engine.domain.forecast import FAN_LEVELS
from engine.domain.markers import Marker, MarkersSection
from engine.domain.market import FeedKind
from engine.domain.sections import BarsSection, PortfolioSection
from engine.domain.signals import SignalAction
from engine.domain.trading import Account, Fill, Position, Side
from tests.dashboard.samples import NOW, WALL, SampleGateway, minutes, sample_values


def read(**changes):
    return SampleGateway(sample_values() | changes).read(None)


def test_the_watchlist_shows_the_change_since_the_close_before() -> None:
    row = watchlist.tick_rows(read())[0]
    assert row.s == "AAPL"
    assert row.c == pytest.approx(0.01)
    assert row.d == "▲ +1.00%"
    assert row.a == WALL


def test_an_index_is_never_given_a_signal_and_closes_alone_are_marked() -> None:
    rows = {row.symbol: row for row in watchlist.watch_rows(read())}
    assert rows["SPX"].signal == ""
    assert "never traded" in rows["SPX"].signal_tip
    assert rows["AAPL"].signal == "SELL"
    assert [s for s, row in rows.items() if row.adj] == ["JPM", "XOM", "PG", "JNJ"]
    assert rows["AAPL"].risk == 3


def test_a_tick_of_twenty_symbols_stays_below_four_kilobytes() -> None:
    ten = len(watchlist.ticks_text(read()).encode())
    assert 0 < 2 * ten < 4_000


def test_ticks_carry_what_the_grid_reads_in_its_order() -> None:
    first = json.loads(watchlist.ticks_text(read()))[0]
    row = watchlist.tick_rows(read())[0]
    assert first == [row.s, row.p, row.c, row.l, row.d, row.a]


def test_the_head_writes_price_change_and_the_open_bar() -> None:
    snapshot = read()
    quote = snapshot.value("quotes").quotes["AAPL"]
    view = head_view(snapshot, "AAPL", "1D")
    assert view.last == f"{quote.price:,.2f}"
    assert view.change == "▲ +1.00%"
    assert view.difference == f"+{quote.price - quote.previous_close:,.2f}"
    assert [name for name, _ in view.legend] == ["O", "H", "L", "C", "Vol"]
    assert view.legend[4] == ("Vol", "40.2M")


def test_a_symbol_of_closes_has_one_figure_in_its_legend() -> None:
    assert [name for name, _ in head_view(read(), "JPM", "1D").legend] == ["Close"]


def test_the_fan_starts_at_the_last_close_exactly() -> None:
    snapshot = read()
    view = price_chart(snapshot, "AAPL", "1D")
    last = snapshot.value("bars:AAPL").columns.close[-1]
    assert {row[0] for row in view.fan.rows} == {last}
    assert view.fan.at[0] == view.now == view.bars.at[-1] == "2008-09-26"


def test_the_ranges_hold_the_bars_in_view_and_the_whole_fan() -> None:
    view = price_chart(read(), "AAPL", "1D")
    low, high = view.y_range
    assert low < min(*view.fan.rows[0], *view.bars.low[-66:])
    assert high > max(*view.fan.rows[-1], *view.bars.high[-66:])
    assert view.x_range[1] > view.fan.at[-1]


@pytest.mark.parametrize("timeframe", ["1W", "1M"])
def test_the_labels_of_the_fan_have_room_behind_it_in_every_timeframe(timeframe: str) -> None:
    """Steps of the fan are days: behind weeks and months a few of them are no room."""
    view = price_chart(read(), "AAPL", timeframe)
    first, end, last = (date.fromisoformat(at) for at in (*view.x_range, view.fan.at[-1]))
    assert 0.07 < (end - last) / (end - first) < 0.1


def test_a_signal_is_not_drawn_when_a_fill_answers_it() -> None:
    at = NOW - timedelta(days=3)
    signal = Marker(kind="signal", action=SignalAction.BUY, at=at, price=100.0)
    fill = Marker(kind="fill", action=SignalAction.BUY, at=at + timedelta(days=1), price=100.0)
    lone = price_chart(read(**{"markers:AAPL": MarkersSection(markers=(signal,))}), "AAPL", "1D")
    answered = price_chart(
        read(**{"markers:AAPL": MarkersSection(markers=(signal, fill))}), "AAPL", "1D"
    )
    assert (len(lone.buy_signals.at), len(lone.buys.at)) == (1, 0)
    assert (len(answered.buy_signals.at), len(answered.buys.at)) == (0, 1)


def test_buys_stand_below_the_low_and_sells_above_the_high() -> None:
    view = price_chart(read(), "AAPL", "1D")
    i = view.bars.at.index(view.sells.at[0])
    assert view.sells.price[0] > view.bars.high[i]
    j = view.bars.at.index(view.buy_signals.at[0])
    assert view.buy_signals.price[0] < view.bars.low[j]


def test_parts_shown_add_up_to_the_score_shown() -> None:
    card = why_view(read(), "AAPL").card
    assert [line.part for line in card.votes] == ["−0.254", "+0.078", "−0.220", "−0.070", "−0.029"]
    assert round(card.score, 3) == -0.495
    assert sum(round(line.part_value * 1000) for line in card.votes) == round(card.score * 1000)
    assert sum(int(line.weight.rstrip("%")) for line in card.votes) == 100


def test_without_a_cycle_there_is_no_card() -> None:
    values = {k: v for k, v in sample_values().items() if not k.startswith("cycle:")}
    assert why_view(SampleGateway(values).read(None), "AAPL").card is None


def test_the_strip_reads_the_end_of_the_fan() -> None:
    snapshot = read()
    forecast = snapshot.value("forecast:AAPL").by_level["1"]
    ends = dict(zip(FAN_LEVELS, (row[-1] for row in forecast.fan), strict=True))
    view = strip_view(snapshot, "AAPL")
    assert view.title == "Level 1 Base (GBM)"
    assert view.detail == "20 days · 4,000 paths"
    assert view.probability_up == f"{forecast.probability_up * 100:.1f}%"
    assert view.median == f"{ends[0.5]:,.2f}"


def test_no_forecast_is_said_and_not_invented() -> None:
    values = {k: v for k, v in sample_values().items() if k != "forecast:AAPL"}
    view = strip_view(SampleGateway(values).read(None), "AAPL")
    assert (view.is_known, view.median) == (False, "–")
    assert price_chart(SampleGateway(values).read(None), "AAPL", "1D").fan is None


def fill(n: int, side: Side, quantity: int) -> Fill:
    return Fill(
        fill_id=f"f{n}", order_id=f"o{n}", symbol="IBM", side=side, quantity=Decimal(quantity), price=Decimal(100),
        fee=Decimal("0.50"), filled_at=datetime(2008, 9, n, 14, tzinfo=UTC),
    )  # fmt: skip


def test_the_position_after_each_fill_is_worked_back_from_what_is_held() -> None:
    held = Position(symbol="IBM", quantity=Decimal(-20), entry_price=Decimal(100), opened_at=NOW)
    portfolio = PortfolioSection(
        account=Account(), equity=Decimal(100_000), day_start_equity=Decimal(100_000), day_pnl=Decimal(0),
        peak_equity=Decimal(100_000), positions=(held,),
        recent_fills=(fill(12, Side.SELL, 20), fill(11, Side.SELL, 50), fill(10, Side.BUY, 50)),
    )  # fmt: skip
    rows = activity_view(read(portfolio=portfolio))
    assert [(row.change, row.after) for row in rows] == [
        ("−2.0%", "−2.0%"), ("−5.0%", "flat"), ("+5.0%", "+5.0%"),
    ]  # fmt: skip


def test_bars_of_a_minute_put_the_time_to_each_fill_and_each_vote() -> None:
    snapshot = read(**{"bars:AAPL": BarsSection(columns=minutes("AAPL"))})
    assert activity_view(snapshot, "AAPL")[0].day == "26 Sep 20:00"
    assert why_view(snapshot, "AAPL").remark == "AAPL · bar 26 Sep 20:00"
    assert var_view(snapshot, "AAPL").title == "One-bar VaR"
    chart = price_chart(snapshot, "AAPL", "")
    assert (chart.timeframe, chart.is_intraday) == ("1m", True)
    assert chart.texts[-1][0] == "26 Sep 2008 20:00"


def test_bars_of_a_day_are_named_by_the_date_alone() -> None:
    assert activity_view(read(), "AAPL")[0].day == "26 Sep"
    assert why_view(read(), "AAPL").remark == "AAPL · bar 26 Sep"
    assert var_view(read(), "AAPL").title == "1-day VaR"
    assert var_view(SampleGateway({}).read(None), "AAPL").title == "One-bar VaR"


def test_only_var_95_has_a_limit_and_money_follows_equity() -> None:
    view = var_view(read())
    first, second, third = view.gauges
    assert (first.value, first.of_limit, first.money) == ("0.52", "10% of 5.00%", "$534")
    assert second.of_limit == "no limit set"
    assert third.of_limit.endswith("of 8.00%")
    assert first.use == pytest.approx(0.0052 / 0.05)
    assert [mark.label for mark in first.marks] == ["parametric 0.77%", "Monte Carlo 0.79%"]
    assert third.marks == ()
    assert len(view.trend) == 60


def test_nothing_known_gives_dashes_and_words() -> None:
    empty = SampleGateway({}).read(None)
    assert [gauge.value for gauge in var_view(empty).gauges] == ["–", "–", "–"]
    assert watchlist.grid_rows(empty) == []
    assert head_view(empty, "", "1D").last == "–"
    assert activity_view(empty) == ()
    assert replay_view(empty) is None


def test_the_replay_bar_says_where_it_is_and_what_the_button_does() -> None:
    view = replay_view(read())
    assert (view.bar, view.day, view.play_command) == (
        "bar 18 of 1,140",
        "26 Sep 2008",
        "PauseReplay",
    )
    assert view.progress == pytest.approx(18 / 1140)
    assert [speed for speed in (1, 6, 12, 60) if view.is_speed(speed)] == [12]


def test_a_jump_back_tells_what_ends_and_what_starts_in_numbers() -> None:
    view = replay_view(read())
    assert view.back_ends == (
        "Ends run-1: 2 positions held, equity $102,641.63, all fills and win rates."
    )
    assert view.back_starts == "Starts a fresh paper account of $100,000.00 without positions."
    assert [is_back(jump_moment(day, view), view) for day in ("2008-09-25", "2008-09-26")] == [
        True,
        False,
    ]


def test_a_live_feed_has_no_replay_bar() -> None:
    feed = sample_values()["feed"]
    live = replace(feed, state=replace(feed.state, kind=FeedKind.LIVE, bars_per_minute=None))
    assert replay_view(read(feed=live)) is None


@pytest.mark.parametrize("text", ["", "tomorrow", "2008-13-01", "1999-01-04", "2020-01-02"])
def test_a_day_that_cannot_be_jumped_to_is_refused_with_what_to_enter(text: str) -> None:
    with pytest.raises(ValueError, match="Enter a day"):
        jump_moment(text, replay_view(read()))


def test_a_jump_goes_to_the_end_of_the_day() -> None:
    assert jump_moment(" 2008-10-10 ", replay_view(read())) == datetime(
        2008, 10, 10, 23, 59, 59, tzinfo=UTC
    )
