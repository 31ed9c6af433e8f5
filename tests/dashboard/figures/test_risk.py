"""Charts of the Risk page."""

import json
import re
from dataclasses import replace

from dashboard.figures import risk as figures
from dashboard.views import risk_series as series
from tests.dashboard.samples import NOW, SampleGateway, sample_values


def snapshot(without=()):
    return SampleGateway({n: v for n, v in sample_values().items() if n not in without}).read()


def all_figures(shot):
    return (
        figures.drawdown_figure(series.drawdown_view(shot)),
        figures.trend_figure(series.trend_view(shot)),
    )


def test_colours_are_tokens_only():
    for figure in all_figures(snapshot()):
        text = json.dumps(figure.to_plotly_json(), default=str)
        assert not re.search(r"#[0-9a-fA-F]{6}", text)
        assert "var(--ph-" in text  # control: there are colours


def test_the_limit_is_a_line_with_its_words():
    down, trend = all_figures(snapshot())
    assert (down.layout.shapes[0].y0, down.layout.annotations[0].text) == (-10.0, "limit −10%")
    assert (trend.layout.shapes[0].y0, trend.layout.annotations[0].text) == (5.0, "limit 5.00%")


def test_without_a_limit_no_line_is_drawn():
    down, trend = all_figures(snapshot(without=("trading",)))
    assert not down.layout.shapes
    assert not trend.layout.annotations


def test_zoom_is_kept_when_data_come_in():
    first, second = all_figures(snapshot())[0], all_figures(snapshot(without=("trading",)))[0]
    assert first.layout.uirevision == second.layout.uirevision


def test_ticks_are_those_of_the_view():
    shot = snapshot()
    down, trend = all_figures(shot)
    ticks = series.trend_view(shot).ticks
    assert trend.layout.xaxis.tickmode == "array"
    assert [*zip(trend.layout.xaxis.tickvals, trend.layout.xaxis.ticktext, strict=True)] == [*ticks]
    assert down.layout.xaxis.tickformat == series.drawdown_view(shot).ticks.format
    view = replace(
        series.drawdown_view(shot),
        ticks=series.DateTicks(format="%-d %b", n=6, first=NOW, step_s=86_400, x_range=(NOW, NOW)),
    )
    axis = figures.drawdown_figure(view).layout.xaxis
    assert (axis.tick0, axis.dtick, axis.range) == (NOW, 86_400_000, (NOW, NOW))


def test_an_axis_of_an_unknown_account_names_no_day():
    down, _ = all_figures(snapshot(without=("portfolio",)))
    assert not down.layout.xaxis.showticklabels
    assert all_figures(snapshot())[0].layout.xaxis.showticklabels
