"""From a close to an order: one line that opens, part of the queue panel."""

from dash import html
from dash.development.base_component import Component

from dashboard.components.nodes import attrs
from dashboard.patches import Patch
from dashboard.views.order_way import LegView, OrderWayView

TOTAL, WORDS, LEGS = "agents-way-total", "agents-way-words", "agents-way-legs"
TIP = "From the tick that closed a bar to the order at the broker; waiting for one's turn included"


def order_way_box(shown: OrderWayView) -> html.Details:
    """Return the newest way, opened: its legs as one bar and in figures."""
    summary = html.Summary(
        [
            html.Span("Bar to order", **attrs({"data-tip": TIP})),
            html.Span(shown.total, id=TOTAL, className="ph-tx3 ph-cut"),
        ],
        className="ph-t12",
    )
    body = html.Div(_legs(shown.legs), id=LEGS)
    words = html.P(shown.words, id=WORDS, className="ph-tx3 ph-t12")
    return html.Details([summary, body, words], className="ph-fold")


def order_way_card(shown: OrderWayView) -> html.Section:
    """Return the same way for a phone, where it stands above the agents: its whole, its bar, what most ways took."""
    head = [html.Span("Bar to order"), html.Strong(shown.total, id=f"{TOTAL}-card")]
    return html.Section(
        [
            html.Div(head, className="ph-spread"),
            html.Div(_bar(shown.legs), id=f"{LEGS}-card"),
            html.P(shown.words, id=f"{WORDS}-card", className="ph-tx3"),
        ],
        className="ph-way-card ph-panel ph-t12",
        **attrs({"aria-label": "Bar to order"}),
    )


def order_way_patch(shown: OrderWayView) -> Patch:
    """Return the newest way."""
    return Patch(
        text={TOTAL: shown.total, WORDS: shown.words}
        | {f"{TOTAL}-card": shown.total, f"{WORDS}-card": shown.words},
        props={
            LEGS: {"children": _legs(shown.legs)},
            f"{LEGS}-card": {"children": _bar(shown.legs)},
        },
    )


def _legs(legs: tuple[LegView, ...]) -> list[Component]:
    figures = [html.Div([html.Dt(leg.who), html.Dd(leg.took)]) for leg in legs]
    return [*_bar(legs), html.Dl(figures, className="ph-way-figures")] if legs else []


def _bar(legs: tuple[LegView, ...]) -> list[Component]:
    pieces = [
        html.Span(
            className="ph-way-leg ph-way-forecast" if leg.is_forecast else "ph-way-leg",
            style={"flexGrow": round(leg.share, 4)},
        )
        for leg in legs
    ]
    return [html.Div(pieces, className="ph-way", **attrs({"aria-hidden": "true"}))] if legs else []
