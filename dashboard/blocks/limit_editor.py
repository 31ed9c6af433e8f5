"""The limits as a form: one row each with its value and its action; tightening by a click, loosening by a hold."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components.controls import button, field, hold_button
from dashboard.views.limit_editor import LimitField

APPLY, LOOSEN, ERROR = "risk-limits-apply", "risk-limits-loosen", "risk-limits-error"
TIP = "A looser limit, or a milder action"


def value_id(name: str) -> str:
    """Return the id of a limit's field."""
    return f"risk-set-{name}"


def action_id(name: str) -> str:
    """Return the id of a limit's choice of action."""
    return f"risk-act-{name}"


def now_id(name: str) -> str:
    """Return the id of the words of what is in force."""
    return f"risk-now-{name}"


def editor(fields: Sequence[LimitField]) -> html.Div:
    """Return the form."""
    buttons = html.Div(
        [button("Tighten", id=APPLY), hold_button(LOOSEN, "Hold to loosen")],
        className="ph-line ph-limit-buttons",
    )
    error = html.P(id=ERROR, className="ph-field-error", role="alert")
    return html.Div([*(_row(each) for each in fields), buttons, error], className="ph-limit-form")


def _row(view: LimitField) -> html.Div:
    action: Component = dbc.Select(
        id=action_id(view.name),
        options=[{"value": value, "label": words} for value, words in view.actions],
        value=view.action,
        class_name="ph-select",
    )
    return html.Div(
        [
            html.Div(
                [
                    html.Span(view.title),
                    html.Span(view.now, id=now_id(view.name), className="ph-tx3 ph-t11 ph-cut"),
                ],
                className="ph-limit-name",
            ),
            field(
                value_id(view.name),
                view.title,
                view.percent,
                unit="%",
                kind="number",
                hide_label=True,
            ),
            html.Label(
                [html.Span(f"{view.title}, when broken", className="ph-hidden"), action],
                className="ph-field",
            ),
        ],
        className="ph-limit-row",
    )


def now_text(fields: Sequence[LimitField]) -> dict[str, str]:
    """Return what is in force, by element; what is being typed stays."""
    return {now_id(view.name): view.now for view in fields}
