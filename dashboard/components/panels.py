"""Surfaces: panels, key figures, and the three answers to "there is nothing here" (loading, empty, error)."""

from collections.abc import Sequence

from dash import html

from dashboard.components.icons import icon
from dashboard.components.nodes import Children, Id, Node, attrs, classes, optional_id, present


def panel(
    title: Node,
    *children: Node,
    remark: Node = None,
    tools: Children = None,
    id: Id | None = None,
    class_name: str = "",
    is_flush: bool = False,
) -> html.Section:
    """Return a panel: header 40 with title, one grey remark and tools at the right, then the body.

    Parameters
    ----------
    remark : node
        One grey line beside the title.
    is_flush : bool
        The body has no padding at the sides, for tables whose rows reach the edge.
    """
    right = (
        [tools]
        if isinstance(tools, (str, html.Div)) or not isinstance(tools, Sequence)
        else list(tools)
    )
    head = html.Header(
        present(
            html.H2(title) if title is not None else None,
            html.Span(remark, className="ph-panel-remark") if isinstance(remark, str) else remark,
            html.Div(present(*right), className="ph-panel-tools") if tools is not None else None,
        ),
        className="ph-panel-head",
    )
    return html.Section(
        present(
            head if title is not None or tools is not None else None,
            html.Div(
                present(*children),
                className=classes("ph-panel-body", "ph-flush" if is_flush else None),
            ),
        ),
        className=classes("ph-panel", class_name),
        **optional_id(id),
    )


def inset(*children: Node, class_name: str = "", id: Id | None = None) -> html.Div:
    """Return an inset: a quieter surface inside a panel."""
    return html.Div(
        present(*children), className=classes("ph-inset", class_name), **optional_id(id)
    )


def kpi(
    label: str, value: str, *, id: str | None = None, tone: str = "", tip: str = ""
) -> html.Div:
    """Return a key figure: label over value; `id` is the id of the value, for patches."""
    shown = html.Dd(
        value, className=classes("ph-kpi-value", f"ph-{tone}" if tone else None), **optional_id(id)
    )
    extra = {"data-tip": tip} if tip else {}
    return html.Div([html.Dt(label), shown], className="ph-kpi", **attrs(extra))


def kpis(*figures: html.Div, columns: int = 3) -> html.Dl:
    """Return key figures in columns."""
    return html.Dl(list(figures), className="ph-kpis", style={"--ph-columns": str(columns)})


def skeleton(kind: str = "lines") -> html.Div:
    """Return grey blocks where something will stand: "lines", "chart" or "rows"; they do not shimmer."""
    widths = {
        "lines": (60, 100, 85, 55, 100),
        "chart": (40, 100),
        "rows": (100, 100, 100, 100, 100),
    }[kind]
    blocks = [
        html.Span(className=f"ph-skeleton-{kind}", style={"width": f"{width}%"}) for width in widths
    ]
    return html.Div([*blocks, html.Span("Loading", className="ph-hidden")], className="ph-skeleton")


def empty_state(icon_name: str, title: str, text: str, action: Node = None) -> html.Div:
    """Return what is missing, when or how it fills, and one button."""
    return html.Div(
        present(icon(icon_name, 20), html.Strong(title), html.P(text), action),
        className="ph-nothing",
    )


def error_state(title: str, text: str, *actions: Node) -> html.Div:
    """Return what did not happen and the last good time, with Retry and Details."""
    return html.Div(
        [
            icon("triangle-alert", 20, class_name="ph-crit"),
            html.Strong(title),
            html.P(text),
            html.Div(present(*actions), className="ph-line"),
        ],
        className="ph-nothing ph-nothing-bad",
        role="alert",
    )
