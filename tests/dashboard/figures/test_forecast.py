"""The forecast charts' traces, and the calls that move them."""

import pytest

from dashboard.figures import five_levels as ff
from dashboard.figures import forecast as f
from dashboard.views.five_levels import five_chart
from dashboard.views.forecast_chart import forecast_chart
from dashboard.views.forecast_place import Place
from engine.domain.sections import ForecastSection
from tests.dashboard import forecasts
from tests.dashboard.samples import SampleGateway, columns, sample_values

AAPL = columns("AAPL")


def read(section=None):
    own = {"forecast:AAPL": forecasts.five(AAPL) if section is None else section}
    return SampleGateway(sample_values() | own).read(None)


def view(level=3, **changes):
    place = Place(symbol="AAPL", level=level)
    return forecast_chart(read(), place, forecasts.past_forecasts(AAPL, 1, 60), **changes)


def five(**changes):
    return five_chart(read(**changes), Place(symbol="AAPL", level=2, mode="all"))


def test_the_distribution_lies_on_the_price_axis_of_the_fan() -> None:
    bars = f.forecast_figure(view()).data[f.TERMINAL]
    assert (bars.orientation, bars.yaxis, bars.xaxis) == ("h", None, "x2")
    assert sum(bars.x) == pytest.approx(0.998)


def test_the_tail_below_value_at_risk_has_its_own_colour() -> None:
    shown = view()
    bars = f.traces(shown)[f.TERMINAL]
    below = [y < shown.distribution.value_at_risk_price for y in bars["y"]]
    assert [colour == bars["marker"]["color"][0] for colour in bars["marker"]["color"]] == below
    assert True in below
    assert False in below


def test_the_realised_path_ends_where_the_fan_begins() -> None:
    figure = f.forecast_figure(view())
    assert figure.data[f.CLOSES].y[-1] == figure.data[f.FAN + 3].y[0]
    assert figure.data[f.CLOSES].x[-1] == figure.data[f.FAN + 3].x[0]


def test_earlier_fans_say_when_they_were_issued() -> None:
    words = [note.text for note in f.forecast_figure(view()).layout.annotations if note.visible]
    assert sum(word.startswith("issued ") for word in words) == 2


def test_a_new_bar_moves_all_but_the_earlier_fans() -> None:
    figure = f.forecast_figure(view())
    method, step = f.replace_all(view())
    assert method == "advance"
    assert sorted(s["trace"] for s in step["sets"]) == list(range(f.CLOSES, len(figure.data)))
    assert step["meta"]["hold"] == list(range(f.CLOSES))


def test_the_earlier_fans_are_moved_by_a_call_of_their_own() -> None:
    _, step = f.replace_past(view())
    assert [s["trace"] for s in step["sets"]] == list(range(f.CLOSES))
    figure = f.forecast_figure(view())
    last = len(figure.layout.annotations) - 1
    assert f"annotations[{last}].text" in step["layout"]
    assert f"shapes[{len(figure.layout.shapes) - 1}].x0" in step["layout"]


def test_a_what_if_moves_everything_but_the_earlier_fans() -> None:
    answer = forecasts.made(AAPL, 3, n_steps=7)
    _, step = f.replace_all(view(what_if=answer))
    assert min(s["trace"] for s in step["sets"]) == f.CLOSES
    closes = next(s for s in step["sets"] if s["trace"] == f.CLOSES)
    assert (closes["x"][-1], closes["y"][-1]) == (view().closes.at[-1], AAPL.close[-1])
    assert step["layout"]["annotations[1].y"] == AAPL.close[-1], "the price tag is that of now"
    fan = next(s for s in step["sets"] if s["trace"] == f.FAN + 3)
    assert len(fan["x"]) == 8


def test_look_alikes_are_one_trace_with_gaps() -> None:
    trace = f.traces(view(level=5))[f.ALIKE]
    assert trace["y"].count(None) == 3
    assert f.traces(view(level=3))[f.ALIKE]["y"] == []


def test_levels_are_told_apart_by_more_than_colour() -> None:
    traces = ff.traces(five())
    dashes = {t["name"]: t["line"]["dash"] for t in traces if t["name"].endswith(" low")}
    assert len({dashes[f"L{k} low"] for k in (1, 2, 4, 5)}) == 4
    assert len(set(ff.DASHES.values())) == 5, "whichever is chosen, no two others look alike"
    widths = {t["name"]: t["line"]["width"] for t in traces if t["name"].endswith(" low")}
    assert widths["L2 low"] > widths["L1 low"]


@pytest.mark.parametrize("section", [None, ForecastSection()])
def test_the_chart_of_five_keeps_the_number_of_its_parts(section) -> None:
    figure = ff.five_figure(five(section=section))
    _, step = ff.replace_five(five())
    assert [s["trace"] for s in step["sets"]] == list(range(len(figure.data)))
    notes = {key.split("]")[0] for key in step["layout"] if key.startswith("annotations[")}
    assert len(notes) == len(figure.layout.annotations)
