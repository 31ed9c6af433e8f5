"""The controls of a what-if: four sliders, each with its number, Re-run, and the way back to the stored forecast."""

import json
from collections.abc import Mapping

import dash_bootstrap_components as dbc
from dash import html

from dashboard.components.controls import Option, Slider, button, segments, weight_slider
from dashboard.components.nodes import attrs, present
from dashboard.components.panels import panel
from dashboard.components.pills import pill
from dashboard.views.forecast_place import EDGES
from dashboard.views.what_if import PATHS, SHOCK, STEPS, VOLATILITY

CONTROLS, RERUN, RESET, EDGE = (
    "forecast-controls", "forecast-rerun", "forecast-reset", "forecast-edges",
)  # fmt: skip
WORDS, SINCE = "forecast-what-if", "forecast-since"
FACTOR = "×"
NAMES = ("paths", "steps", "shock", "volatility")
_LABELS = {
    "paths": ("Paths", "", PATHS), "steps": ("Horizon", "bars", STEPS), "shock": ("Event shock", "%", SHOCK),
    "volatility": ("Volatility", FACTOR, VOLATILITY),
}  # fmt: skip


def range_id(name: str) -> str:
    """Return the id of a slider."""
    return f"forecast-{name}"


def number_id(name: str) -> str:
    """Return the id of the number beside it."""
    return f"forecast-{name}-number"


def stored_text(values: Mapping[str, float]) -> str:
    """Return the values as the script reads them."""
    return json.dumps(dict(values), separators=(",", ":"))


def what_if_line() -> html.Div:
    """Return what stands over the chart while it shows something that is not stored; the page's state shows it."""
    return html.Div(
        [
            pill("acc", "what-if: not stored", "git-compare"),
            html.Span("", id=WORDS, className="ph-acc ph-t12"),
            html.Span("", id=SINCE, className="ph-warn ph-t12"),
        ],
        className="ph-what-if ph-line",
        role="status",
    )


def controls(values: Mapping[str, float], edges: int, *figures: html.Div) -> html.Section:
    """Return the panel; `figures` stand at its foot."""
    rows = [_row(name, values[name]) for name in NAMES]
    edge = html.Div(
        [
            html.Span("Edges", className="ph-tx2"),
            segments(EDGE, [Option(str(e), f"{e}%") for e in EDGES], str(edges), label="Edges drawn"),
        ],
        className="ph-fc-control ph-only-all",
    )  # fmt: skip
    return panel(
        "Controls",
        html.Div(
            [*rows, edge],
            id=CONTROLS,
            className="ph-fc-controls",
            **attrs({"data-stored": stored_text(values)}),
        ),
        html.Dl(list(figures), className="ph-inset ph-kpis ph-fc-figures"),
        tools=[
            button("Reset", "ghost", "undo-2", id=RESET, small=True, class_name="ph-fc-reset"),
            button("Re-run", "ghost", "rotate-cw", id=RERUN, small=True),
        ],
        class_name="ph-fc-controls-panel",
    )


def _row(name: str, value: float) -> html.Div:
    label, unit, (low, high, step) = _LABELS[name]
    slider = Slider(
        value=value, low=low, high=high, step=step, current=value, unit=f" {unit}".rstrip()
    )
    number = dbc.Input(
        id=number_id(name), type="number", value=value, min=low, max=high, step=step, debounce=True,
        autocomplete="off", class_name="ph-input",
    )  # fmt: skip
    said = html.Label(f"{label}, number", htmlFor=number_id(name), className="ph-hidden")
    mark = html.Span(unit, className="ph-field-unit") if unit else None
    box = html.Span(
        present(said, mark if unit == FACTOR else None, number, mark if unit != FACTOR else None),
        className="ph-field-box ph-field-num",
    )
    return html.Div(
        [
            html.Span(label, className="ph-tx2", **attrs({"aria-hidden": "true"})),
            weight_slider(range_id(name), label, slider),
            box,
        ],
        className=f"ph-fc-control ph-fc-control-{name}",
    )
