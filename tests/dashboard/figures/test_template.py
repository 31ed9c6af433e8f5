"""The template: token colours only, the fan's shape, the shared traces."""

import json
import re
from datetime import date, timedelta

import pytest

from dashboard.figures import candles as c
from dashboard.figures import template as t
from dashboard.views.bars import Series

DAYS = [date(2008, 9, 22) + timedelta(days=i) for i in range(4)]
ROWS = [[100 + k * i for i in range(4)] for k in range(-3, 4)]
BARS = Series(
    at=DAYS, open=[1, 3, 2, 5], high=[4] * 4, low=[0] * 4, close=[2, 1, 2, 6], volume=[9] * 4
)
DAYS_OF_RISK = t.Exceptions(
    at=DAYS,
    pnl=[0.01, -0.03, 0.0, -0.01],
    value_at_risk=[-0.02] * 4,
    other_value_at_risk=[-0.01] * 4,
    is_exception=[False, True, False, False],
)


def everything():
    return t.figure(
        [
            *t.fan_traces(t.Fan(at=DAYS, rows=ROWS)),
            *t.fan_traces(t.Fan(at=DAYS, rows=ROWS), is_past=True),
            c.candle_trace(BARS),
            *c.volume_traces(BARS),
            t.marker_trace(DAYS, [1, 2, 3, 4], is_buy=True, texts=["a"] * 4),
            t.marker_trace(DAYS, [1, 2, 3, 4], is_buy=False),
            *t.exception_traces(DAYS_OF_RISK, method="Monte Carlo", other="historical"),
        ],
        key="AAPL:1D",
        shapes=[t.now_line(DAYS[-1]), t.level_line(1.0)],
        annotations=[
            t.price_tag(1.0, "1.00"),
            t.now_label(DAYS[-1]),
            *t.end_labels(DAYS[-1], [(1.0, "95%")]),
        ],
        **t.price_axes(breaks=t.rangebreaks([date(2008, 9, 1)])),
    )


def colours(value, key=""):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from colours(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from colours(inner, key)
    elif isinstance(value, str) and ("color" in key.lower() or re.match(r"#|rgb|var", value)):
        yield value


def test_every_colour_is_a_token_or_nothing_at_all():
    found = set(colours(json.loads(everything().to_json())))
    assert len(found) > 8
    assert all(
        re.fullmatch(r"var\(--ph-[\w-]+(\|[\d.]+)?\)|rgba\(0,0,0,0\)", colour) for colour in found
    )


def test_the_figure_carries_no_template_of_plotlys():
    assert not json.loads(everything().to_json())["layout"].get("template")


def test_the_view_is_kept_for_one_key_and_dropped_for_another():
    assert everything().layout.uirevision == "AAPL:1D"


def test_a_fan_is_three_closed_bands_and_a_median_that_start_at_the_close():
    traces = t.fan_traces(t.Fan(at=DAYS, rows=ROWS))
    assert [trace.name for trace in traces] == [
        "forecast 95%",
        "forecast 80%",
        "forecast 50%",
        "forecast median",
    ]
    for trace in traces[:3]:
        assert len(trace.x) == len(trace.y) == 2 * len(DAYS)
        assert trace.y[0] == trace.y[-1] == 100
    widths = [max(trace.y) - min(trace.y) for trace in traces[:3]]
    assert widths == sorted(widths, reverse=True)
    assert list(traces[3].y) == ROWS[3]


def test_a_past_fan_has_no_median():
    assert len(t.fan_traces(t.Fan(at=DAYS, rows=ROWS), is_past=True)) == 3


def test_a_fan_restyled_equals_a_fan_drawn():
    fan = t.Fan(at=DAYS, rows=ROWS)
    method, change, numbers = t.fan_restyle(fan, first=5)
    assert (method, numbers) == ("restyle", [5, 6, 7, 8])
    for i, trace in enumerate(t.fan_traces(fan)):
        assert list(trace.x) == list(change["x"][i])
        assert list(trace.y) == list(change["y"][i])


def test_a_fan_with_rows_missing_is_refused():
    with pytest.raises(ValueError, match="7 quantiles"):
        t.Fan(at=DAYS, rows=ROWS[:5])


def test_volume_stands_in_the_area_of_its_bar_s_colour():
    rising, falling = c.volume_traces(BARS)
    assert ("up" in rising.fillcolor, "dn" in falling.fillcolor) == (True, True)
    assert [bool(v) for v in rising.y] == [True, False, True, True]
    assert [a + b for a, b in zip(rising.y, falling.y, strict=True)] == list(BARS.volume)


def test_bars_without_volume_draw_an_area_of_none():
    closes = Series(at=DAYS, open=[None] * 4, high=[None] * 4, low=[None] * 4, close=[1.0] * 4)
    assert c.volume_columns(closes) == ([0.0] * 4, [0.0] * 4)


def test_a_hollow_candle_is_up_and_a_filled_one_is_down():
    candles = c.candle_trace(BARS)
    assert candles.increasing.fillcolor == "rgba(0,0,0,0)"
    assert candles.decreasing.fillcolor == "var(--ph-dn)"


def test_exceptions_are_marked_where_the_loss_passed_the_var_and_nowhere_else():
    *_, crosses = t.exception_traces(DAYS_OF_RISK, method="Monte Carlo", other="historical")
    assert (list(crosses.x), list(crosses.y)) == ([DAYS[1]], [-0.03])


def test_weekends_and_holidays_are_cut_out():
    assert t.rangebreaks([date(2008, 9, 1)]) == [
        {"bounds": ["sat", "mon"]},
        {"values": ["2008-09-01"]},
    ]
    assert t.rangebreaks(weekends=False) == []


def test_ticks_stand_below_the_volume_and_the_panes_do_not_overlap():
    axes = t.price_axes()
    assert axes["xaxis"]["anchor"] == "y2"
    assert axes["yaxis2"]["domain"][1] < axes["yaxis"]["domain"][0]
    assert "yaxis2" not in t.price_axes(has_volume=False)
