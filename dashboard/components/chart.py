"""The host of a figure: a graph that the browser fills from a store, so that colours follow the theme.

A figure names its colours as tokens (`dashboard.theme.token`); the browser puts in the values of the theme in force.
"""

from typing import Any

import dash
import plotly.graph_objects as go
from dash import ClientsideFunction, Input, Output, dcc, html

from dashboard.components.nodes import attrs, classes

CONFIG: Any = {
    "displayModeBar": False,
    "displaylogo": False,
    "scrollZoom": False,
    "doubleClick": "reset",
    "responsive": True,
    "showTips": False,
    "plotlyServerURL": "",
}


def graph_id(name: str) -> dict[str, str]:
    """Return the id of a chart's graph; clicks and zooms are read from it."""
    return {"type": "chart", "name": name}


def figure_id(name: str) -> dict[str, str]:
    """Return the id of a chart's store; a new figure goes into its ``data``."""
    return {"type": "figure", "name": name}


def chart(
    name: str,
    figure: go.Figure,
    *,
    label: str,
    class_name: str = "",
    summary: str = "",
    has_wheel: bool = False,
) -> html.Div:
    """Return a chart.

    Parameters
    ----------
    name : str
        Unique in the application; patches call Plotly by it.
    figure : go.Figure
        Colours as tokens.
    label : str
        Text summary for readers: what is drawn and what it shows.
    summary : str
        Longer text that only readers hear.
    has_wheel : bool
        Whether the wheel zooms; elsewhere it scrolls the page.
    """
    graph = dcc.Graph(
        id=graph_id(name),
        config=CONFIG | {"scrollZoom": has_wheel},
        responsive=True,
        className="ph-chart-graph",
        style={"height": "100%"},
    )
    return html.Div(
        [
            html.Div(graph, className="ph-chart-draw", role="img", **attrs({"aria-label": label})),
            dcc.Store(id=figure_id(name), data=figure_data(figure)),
            html.P(summary, className="ph-hidden") if summary else None,
        ],
        id=name,
        className=classes("ph-chart", class_name),
        **attrs({"data-chart": name}),
    )


def figure_data(figure: go.Figure) -> dict[str, object]:
    """Return a figure as the store holds it."""
    data: dict[str, object] = figure.to_plotly_json()
    return data


def register(app: dash.Dash) -> None:
    """Connect every chart's store to its graph; called once by the composition root."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction(namespace="pilothouse", function_name="drawFigure"),
        Output({"type": "chart", "name": dash.MATCH}, "figure"),
        Input({"type": "figure", "name": dash.MATCH}, "data"),
    )
