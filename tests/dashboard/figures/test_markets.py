"""The price chart's traces and the calls that move them."""

import json

from dashboard.figures import markets as f
from dashboard.figures.template import VOLUME_DOMAIN
from dashboard.patches import Patch, encode_patch
from dashboard.views.price_chart import forming_view, price_chart
from engine.domain.sections import BarsSection
from tests.dashboard.samples import SampleGateway, minutes, sample_values


def chart(symbol: str = "AAPL", timeframe: str = "1D"):
    return price_chart(SampleGateway().read(None), symbol, timeframe)


def test_a_stock_is_drawn_in_candles_and_closes_alone_in_a_line() -> None:
    assert [f.price_figure(chart(s)).data[f.PRICE].type for s in ("AAPL", "JPM")] == [
        "candlestick",
        "scatter",
    ]


def test_every_trace_stands_where_the_patches_look_for_it() -> None:
    figure = f.price_figure(chart())
    names = [trace.name for trace in figure.data]
    assert names[f.PRICE] == "price"
    assert names[f.VOLUME : f.VOLUME + 2] == ["volume", "volume"]
    assert (names[f.MA_SHORT], names[f.MA_LONG]) == ("MA 10", "MA 30")
    assert names[f.FAN : f.FAN + 4] == [
        "forecast 95%",
        "forecast 80%",
        "forecast 50%",
        "forecast median",
    ]
    assert (names[f.BUYS], names[f.SELLS]) == ("buy", "sell")


def test_fan_and_candles_share_one_axis_and_meet_in_the_last_close() -> None:
    view = chart()
    figure = f.price_figure(view)
    median, candles = figure.data[f.FAN + 3], figure.data[f.PRICE]
    assert median.yaxis in {None, "y"}
    assert candles.yaxis in {None, "y"}
    assert median.y[0] == candles.close[-1]
    assert median.x[0] == candles.x[-1]


def test_zoom_is_kept_for_a_symbol_in_a_timeframe() -> None:
    keys = {
        f.price_figure(chart(s, t)).layout.uirevision
        for s in ("AAPL", "GOOG")
        for t in ("1D", "1W")
    }
    assert len(keys) == 4


def test_weekends_are_cut_from_days_and_not_from_weeks() -> None:
    assert f.price_figure(chart()).layout.xaxis.rangebreaks
    assert not f.price_figure(chart(timeframe="1W")).layout.xaxis.rangebreaks


def test_ticks_of_minute_bars_show_the_time_of_day() -> None:
    values = sample_values() | {"bars:AAPL": BarsSection(columns=minutes("AAPL"))}
    view = price_chart(SampleGateway(values).read(None), "AAPL", "")
    assert f.price_figure(view).layout.xaxis.tickformatstops[0].value == "%H:%M"
    assert not f.price_figure(chart()).layout.xaxis.tickformatstops


def test_a_tick_moves_the_open_bar_and_touches_no_trace() -> None:
    view = forming_view(SampleGateway().read(None), "AAPL", "1D")
    method, bar = f.tick(view)
    assert method == "openBar"
    assert bar["bar"][3] == view.price == bar["price"]
    assert (bar["at"], bar["tag"], bar["isLine"]) == (view.bar.at[-1], view.tag, False)
    assert bar["key"] == f.price_figure(chart()).layout.meta["key"]
    assert f.price_figure(chart()).data[bar["trace"]].type == "candlestick"
    assert len(encode_patch(Patch(plot={"x": [[method, bar]]}))) < 300


def test_without_a_tick_there_is_the_price_line_and_no_open_bar() -> None:
    known = SampleGateway(
        {name: value for name, value in sample_values().items() if name != "quotes"}
    )
    bar = f.tick(forming_view(known.read(None), "JPM", "1D"))[1]
    assert (bar["bar"], bar["at"], bar["isLine"]) == (None, None, True)
    assert bar["price"] == chart("JPM").bars.close[-1]


def test_a_closed_bar_sends_tails_and_never_a_whole_annotation() -> None:
    view = chart()
    method, step = f.advance(view)
    assert method == "advance"
    assert [len(tail["x"]) for tail in step["tails"]] == [f.N_TAIL] * 5
    assert step["tails"][0]["close"] == view.bars.close[-f.N_TAIL :]
    whole = [
        key
        for key in step["layout"]
        if key.startswith(("shapes[", "annotations[")) and key.endswith("]")
    ]
    assert whole == []
    assert (
        json.loads(encode_patch(Patch(plot={"x": [[method, step]]})))["plot"]["x"][0][1]["meta"][
            "key"
        ]
        == "AAPL:1D"
    )


def test_a_chart_without_bars_is_empty_and_draws() -> None:
    view = price_chart(SampleGateway({}).read(None), "AAPL", "1D")
    figure = f.price_figure(view)
    assert all(not trace.x for trace in figure.data)
    assert f.advance(view)[1]["meta"]["x"] is None


def test_the_legend_of_each_bar_comes_with_it_and_no_box_covers_it() -> None:
    view = chart()
    figure = f.price_figure(view)
    candles = figure.data[f.PRICE]
    assert (candles.hoverinfo, figure.layout.hovermode) == ("none", "x")
    bars = view.bars
    assert len(candles.customdata) == len(bars.at)
    assert list(candles.customdata[-1]) == [
        "26 Sep 2008",
        *(f"{values[-1]:,.2f}" for values in (bars.open, bars.high, bars.low, bars.close)),
        f"{bars.volume[-1] / 1e6:,.1f}M",
    ]
    assert f.advance(view)[1]["tails"][0]["customdata"] == view.texts[-f.N_TAIL :]
    assert [len(text) for text in chart("JPM").texts[:1]] == [2]


def test_now_is_written_where_the_future_has_no_volume() -> None:
    """At the head of the line stand the legend and the levels."""
    now = f.price_figure(chart()).layout.annotations[0]
    assert (now.text, now.x) == ("now", chart().now)
    assert (now.y, now.yanchor, now.xanchor) == (VOLUME_DOMAIN[1], "top", "left")


def test_a_first_forecast_shows_the_labels_that_were_hidden_before_it() -> None:
    values = {n: v for n, v in sample_values().items() if not n.startswith("forecast:")}
    before = price_chart(SampleGateway(values).read(None), "AAPL", "1D")
    assert not f.price_figure(before).layout.annotations[1].visible
    layout = f.advance(chart())[1]["layout"]
    assert [layout[f"annotations[{1 + i}].visible"] for i in range(f.N_LABELS)] == [True] * 5
