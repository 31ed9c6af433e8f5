"""How pace is set on the Agents page: the chosen agent's interval and priority, and the scheduler's weights."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import Slider, button, field, weight_slider
from dashboard.components.nodes import attrs, optional_id, slug
from dashboard.views.pace import PRIORITIES, TITLES, IntervalRow, PaceView

FORM, INTERVAL, PRIORITY, SET, ERROR, WORDS = (
    "agents-pace", "agents-pace-interval", "agents-pace-priority", "agents-pace-set", "agents-pace-error",
    "agents-pace-words",
)  # fmt: skip
APPLY, SENT, ROWS, SUMMARY = (
    "agents-weights-apply", "agents-weights-sent", "agents-weights-rows", "agents-weights-words",
)  # fmt: skip
HEADS = ("Agent", "Set", "In force", "Leads to")


def slider_id(key: str) -> str:
    """Return the id of a weight's slider."""
    return f"agents-weight-{key}"


def number_id(key: str) -> str:
    """Return the id of the number beside it."""
    return f"agents-weight-{key}-number"


# -- one agent -------------------------------------------------------------------------------------------------


def pace_form(view: PaceView | None) -> list[Component]:
    """Return interval and priority of the chosen agent as a form; nothing where it has no cycle."""
    if view is None:
        return []
    priorities = html.Label(
        [
            html.Span("Priority", className="ph-field-name"),
            dbc.Select(
                id=PRIORITY, options=list(PRIORITIES), value=view.priority, class_name="ph-select"
            ),
        ],
        className="ph-field",
    )
    fields = html.Div(
        [
            field(INTERVAL, "Interval", view.interval, unit="s", kind="number"),
            priorities,
            button("Set", id=SET),
        ],
        id=FORM,
        className="ph-pace",
        **attrs({"data-agent": view.agent_id}),
    )
    words = html.P(view.words, id=WORDS, className="ph-tx3 ph-t12")
    return [fields, html.P(id=ERROR, className="ph-field-error ph-pace-error", role="alert"), words]


def pace_text(view: PaceView | None) -> dict[str, str]:
    """Return what is in force now, by element; what is being typed stays."""
    return {} if view is None else {WORDS: view.words}


# -- the scheduler's weights -----------------------------------------------------------------------------------


def weights_box(weights: dict[str, int], rows: Sequence[IntervalRow]) -> Component:
    """Return the weights in a line that opens: sliders, and the intervals that they lead to."""
    summary = html.Summary(
        [
            html.Span("Scheduler weights"),
            html.Span(weights_words(weights), id=SUMMARY, className="ph-tx3"),
        ],
        className="ph-t12",
    )
    foot = html.Div(
        [
            html.P(id=SENT, className="ph-intent-answer", role="alert"),
            button("Apply", "primary", id=APPLY, small=True, class_name="ph-push"),
        ],
        className="ph-line",
    )
    heads = [html.Span(head) for head in HEADS]
    table = [
        html.Div(heads, className="ph-interval ph-tx3 ph-t11", **attrs({"aria-hidden": "true"})),
        html.Ul(interval_list(rows), id=ROWS, className="ph-intervals"),
    ]
    sliders = [_slider(key, value) for key, value in weights.items()]
    return html.Details([summary, *sliders, *table, foot], className="ph-fold ph-weights-box")


def weights_words(weights: dict[str, int]) -> str:
    """Return the weights in a line."""
    return ", ".join(f"{TITLES[key].lower()} {value}%" for key, value in weights.items())


def _slider(key: str, value: int) -> html.Div:
    return html.Div(
        [
            html.Span(TITLES[key], className="ph-tx2 ph-t12"),
            weight_slider(slider_id(key), f"Weight of {TITLES[key].lower()}", Slider(value=value)),
            html.Span(f"{value}%", id=number_id(key), className="ph-num ph-t12"),
        ],
        className="ph-weight-line",
    )  # fmt: skip


def interval_list(rows: Sequence[IntervalRow]) -> list[Component]:
    """Return the intervals, a line each; every figure carries its name for readers."""
    return [
        html.Li(
            [
                html.Span(row.title),
                _figure("Set", row.base),
                _figure("In force", row.now, now_id(row.agent_id)),
                _figure("Leads to", row.target),
            ],
            className="ph-interval",
        )
        for row in rows
    ]


def now_id(agent_id: str) -> str:
    """Return the id of the interval that is in force."""
    return f"agents-interval-{slug(agent_id)}"


def _figure(name: str, value: str, id: str = "") -> html.Span:
    number = html.Span(value, **optional_id(id or None))
    return html.Span([html.Span(f"{name} ", className="ph-hidden"), number], className="ph-num")


def weights_text(weights: dict[str, int], rows: Sequence[IntervalRow]) -> dict[str, str]:
    """Return weights and intervals in force, by element."""
    return {SUMMARY: weights_words(weights)} | {now_id(row.agent_id): row.now for row in rows}
