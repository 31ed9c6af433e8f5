"""The forecast chart's traces and the call that replaces them."""

from dashboard.figures import forecast as f
from dashboard.views.forecast import forecast_chart
from tests.dashboard.samples import SampleGateway


def view():
    return forecast_chart(SampleGateway().read(None), "AAPL", 1)


def test_the_distribution_lies_on_the_price_axis_of_the_fan() -> None:
    figure = f.forecast_figure(view())
    bars = figure.data[f.TERMINAL]
    assert (bars.orientation, bars.yaxis, bars.xaxis) == ("h", None, "x2")
    assert sum(x * w for x, w in zip(bars.x, bars.width, strict=True)) > 0.99


def test_the_tail_below_value_at_risk_has_its_own_colour() -> None:
    shown = view()
    bars = f.terminal_trace(shown.distribution)
    below = [y < shown.distribution.value_at_risk_price for y in bars.y]
    assert [colour == bars.marker.color[0] for colour in bars.marker.color] == below
    assert True in below
    assert False in below


def test_the_realised_path_ends_where_the_fan_begins() -> None:
    figure = f.forecast_figure(view())
    assert figure.data[f.CLOSES].y[-1] == figure.data[f.FAN + 3].y[0]
    assert figure.data[f.CLOSES].x[-1] == figure.data[f.FAN + 3].x[0]


def test_a_new_bar_replaces_every_trace_of_the_drawn_figure() -> None:
    figure = f.forecast_figure(view())
    method, step = f.replace_all(view())
    assert method == "advance"
    assert sorted(s["trace"] for s in step["sets"]) == list(range(len(figure.data)))
    notes = {key.split("]")[0] for key in step["layout"] if key.startswith("annotations[")}
    assert len(notes) == len(figure.layout.annotations)
