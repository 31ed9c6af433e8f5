"""Charts of the Risk page."""

import json
import re

from dashboard.figures import risk as figures
from dashboard.views import risk_series as series
from tests.dashboard.samples import SampleGateway, sample_values


def snapshot(without=()):
    return SampleGateway({n: v for n, v in sample_values().items() if n not in without}).read()


def all_figures(shot):
    return (
        figures.drawdown_figure(series.drawdown_view(shot)),
        figures.trend_figure(series.trend_view(shot)),
        figures.correlation_figure(series.correlation_view(shot)),
    )


def test_colours_are_tokens_only():
    for figure in all_figures(snapshot()):
        text = json.dumps(figure.to_plotly_json(), default=str)
        assert not re.search(r"#[0-9a-fA-F]{6}", text)
        assert "var(--ph-" in text  # control: there are colours


def test_the_limit_is_a_line_with_its_words():
    down, trend, _ = all_figures(snapshot())
    assert (down.layout.shapes[0].y0, down.layout.annotations[0].text) == (-10.0, "limit −10%")
    assert (trend.layout.shapes[0].y0, trend.layout.annotations[0].text) == (5.0, "limit 5.00%")


def test_without_a_limit_no_line_is_drawn():
    down, trend, _ = all_figures(snapshot(without=("trading",)))
    assert not down.layout.shapes
    assert not trend.layout.annotations


def test_the_map_has_a_cell_per_pair_and_one_scale_for_all():
    heat = all_figures(snapshot())[2].data[0]
    assert (len(heat.x), len(heat.y), len(heat.z)) == (10, 10, 10)
    assert (heat.zmin, heat.zmax) == (-1, 1)
    assert all(heat.z[k][k] is None for k in range(10))


def test_zoom_is_kept_when_data_come_in():
    first, second = all_figures(snapshot())[0], all_figures(snapshot(without=("trading",)))[0]
    assert first.layout.uirevision == second.layout.uirevision
