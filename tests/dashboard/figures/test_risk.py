"""Charts of the Risk page."""

import json
import re
from dataclasses import replace

from dashboard.figures import risk as figures
from dashboard.views import risk_series as series
from dashboard.views import var_backtest as proof
from tests.dashboard.samples import NOW, SampleGateway, sample_values


def snapshot(without=()):
    return SampleGateway({n: v for n, v in sample_values().items() if n not in without}).read()


def all_figures(shot):
    return (
        figures.drawdown_figure(series.drawdown_view(shot)),
        figures.losses_figure(proof.losses_view(shot)),
    )


def test_colours_are_tokens_only():
    for figure in all_figures(snapshot()):
        text = json.dumps(figure.to_plotly_json(), default=str)
        assert not re.search(r"#[0-9a-fA-F]{6}", text)
        assert "var(--ph-" in text  # control: there are colours


def test_the_limit_is_a_line_with_its_words():
    down, _ = all_figures(snapshot())
    assert (down.layout.shapes[0].y0, down.layout.annotations[0].text) == (-10.0, "limit −10%")


def test_without_a_limit_no_line_is_drawn():
    down, _ = all_figures(snapshot(without=("trading",)))
    assert not down.layout.shapes


def test_losses_beyond_what_was_stated_are_crossed_and_the_values_at_risk_lie_below_zero():
    shot = snapshot()
    view = proof.losses_view(shot)
    bars, drawn, beside, crosses = all_figures(shot)[1].data
    assert (drawn.name, beside.name) == ("parametric", "historical")
    assert len(bars.y) == len(drawn.y) == len(beside.y) == 250
    assert max(drawn.y) < 0.0
    beyond = [c for c, v in zip(view.change, view.value_at_risk, strict=True) if c < v]
    assert len(beyond) == sum(view.is_beyond) > 0
    assert [*crosses.y] == beyond


def test_zoom_is_kept_when_data_come_in():
    first, second = all_figures(snapshot())[0], all_figures(snapshot(without=("trading",)))[0]
    assert first.layout.uirevision == second.layout.uirevision


def test_ticks_are_those_of_the_view():
    shot = snapshot()
    down, _ = all_figures(shot)
    assert down.layout.xaxis.tickformat == series.drawdown_view(shot).ticks.format
    view = replace(
        series.drawdown_view(shot),
        ticks=series.DateTicks(format="%-d %b", n=6, first=NOW, step_s=86_400, x_range=(NOW, NOW)),
    )
    axis = figures.drawdown_figure(view).layout.xaxis
    assert (axis.tick0, axis.dtick, axis.range) == (NOW, 86_400_000, (NOW, NOW))


def test_an_axis_of_an_unknown_account_names_no_day():
    down, _ = all_figures(snapshot(without=("portfolio",)))
    _, losses = all_figures(snapshot(without=("backtest:portfolio",)))
    assert not losses.layout.xaxis.showticklabels
    assert not down.layout.xaxis.showticklabels
    assert all_figures(snapshot())[0].layout.xaxis.showticklabels
