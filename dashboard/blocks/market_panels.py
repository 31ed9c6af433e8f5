"""What stands in the panels of the Markets page: fills, the head over the chart, forecast strip, why-card, gauges."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard import formatting as fmt
from dashboard.components.icons import icon
from dashboard.components.meters import gauge
from dashboard.components.nodes import attrs, classes, present
from dashboard.components.panels import empty_state, kpi
from dashboard.components.pills import age, grade, side_pill
from dashboard.components.sparklines import sparkline
from dashboard.components.tables import Column, Row
from dashboard.components.why import why_card
from dashboard.views import watchlist
from dashboard.views.markets import FillRow, HeadView, StripView, VarView
from dashboard.views.why import WhyView

FILL_COLUMNS = (
    Column("Date", is_number=False, width="52px"),
    Column("Side", is_number=False, width="70px"),
    Column("Symbol", is_number=False),
    Column("Change", width="72px"),
    Column("Position after", width="92px"),
)


def fill_rows(rows: Sequence[FillRow]) -> list[Row]:
    """Return the fills as rows of the activity table."""
    if not rows:
        text = html.Span(
            "No fill yet. Orders are filled at the first later tick.", className="ph-tx3"
        )
        return [Row(cells=("", "", text, "", ""), class_name="ph-activity-none")]
    return [
        Row(
            cells=(
                html.Span(row.day, className="ph-tx2"),
                side_pill(row.side),
                html.Strong(row.symbol),
                html.Span(row.change, className="ph-tx2"),
                html.Strong(row.after),
            ),
            attrs={"data-tip": row.tip},
        )
        for row in rows
    ]


def tool(icon_name: str, label: str, data: str, value: str) -> html.Button:
    """Return a tool of a chart; `data` names the attribute that the script acts on."""
    named = {"aria-label": label, "data-tip": label, data: value}
    return html.Button(icon(icon_name), type="button", className="ph-ibtn", **attrs(named))


def chart_tools(name: str) -> html.Div:
    """Return image and full screen; `name` is that of the saved file."""
    return html.Div(
        [
            tool("camera", "Save as an image", "data-chart-image", name),
            tool("expand", "Full screen", "data-full-screen", ""),
        ],
        className="ph-panel-tools",
    )


def jump_to_live() -> html.Button:
    """Return the button that the script shows while the last bar is out of view."""
    return html.Button(
        [icon("skip-forward"), html.Span("Jump to live")],
        type="button",
        hidden=True,
        className="ph-btn ph-btn-s ph-jump-live",
        **attrs({"data-chart-live": ""}),
    )


def head(view: HeadView) -> list[Component]:
    """Return symbol, price, change and the legend of the newest bar."""
    tone = f"ph-{view.tone}" if view.tone else "ph-tx2"
    adj = html.Span(
        "adj",
        className="ph-tx3 ph-t11",
        **attrs({"data-tip": "Adjusted closes only: a line in place of candles"}),
    )
    legend = [
        html.Span([f"{name} ", html.B(text, id=f"markets-leg-{i}")])
        for i, (name, text) in enumerate(view.legend)
    ]
    hovered = [
        html.Span([f"{name} ", html.B("", **attrs({"data-figure": ""}))]) for name, _ in view.legend
    ]
    return [
        html.Div(
            present(
                html.H2(view.symbol or "No symbol", className="ph-t20"),
                html.Span(view.name if view.name != view.symbol else "", className="ph-tx2 ph-cut"),
                adj if view.is_adj else None,
                html.Span(view.last, id="markets-last", className="ph-t20 ph-aged"),
                html.Span(
                    [html.Span(view.change, id="markets-change"), " ",
                     html.Span(view.difference, id="markets-difference")],
                    id="markets-move", className=classes("ph-move ph-aged", tone),
                ),
                age("markets-age", view.received_at, watchlist.DEFAULT_BUDGET_S,
                    "never" if view.received_at is None else ""),
                html.Span("", hidden=True, className="ph-when ph-t12", **attrs({"data-chart-when": ""})),
            ),
            className="ph-line",
            **attrs({"data-age-scope": ""}),
        ),
        html.Div(legend, className="ph-legend ph-t12", **attrs({"data-chart-legend": ""})),
        html.Div(hovered, className="ph-legend ph-t12", hidden=True, **attrs({"data-chart-hovered": ""})),
    ]  # fmt: skip


def strip(view: StripView) -> html.Div:
    """Return the forecast in one line; the grade is of one bar ahead and needs settled outcomes."""
    told = (
        age("markets-strip-age", view.received_at, view.budget_s, "", is_behind=view.is_behind)
        if view.is_known
        else None
    )
    title = html.Div(
        [
            html.Span(
                present(
                    html.Strong(view.title, className="ph-acc ph-aged" if view.is_known else ""),
                    told,
                ),
                className="ph-line",
            ),
            html.Span(view.detail, className="ph-tx3 ph-t12"),
        ],
        className="ph-strip-title",
    )
    if not view.is_known:
        return html.Div(title, className="ph-inset ph-forecast-strip")
    figures = (
        ("P(up)", view.probability_up), ("Median", view.median), ("80% band", view.band_80), ("95% band", view.band_95),
    )  # fmt: skip
    return html.Div(
        [
            title,
            html.Dl([kpi(name, text) for name, text in figures], className="ph-strip-figures"),
            html.Div(
                [html.Span(line, className="ph-tx3 ph-t11") for line in _settled(view)],
                className="ph-strip-grade",
            ),
            grade(view.letter, view.graded_at, view.n_settled),
        ],
        className="ph-inset ph-forecast-strip",
        **attrs({"data-age-scope": "forecast"}),
    )  # fmt: skip


def _settled(view: StripView) -> tuple[str, ...]:
    """Return what the grade rests on, in two short lines."""
    n, enough = fmt.count(view.n_settled), view.n_settled >= fmt.MIN_SAMPLE
    return (view.graded_at, f"n = {n}") if enough else (f"n = {n}", f"of {fmt.MIN_SAMPLE}")


def why(view: WhyView) -> Component:
    """Return the why-card, or words while no vote was cast."""
    if view.card is None:
        return empty_state(
            "scale", "No cycle yet", "The first vote comes with the next closed bar."
        )
    return html.Div(why_card(view.card), className="ph-behind" if view.is_behind else None)


def var(view: VarView) -> list[Component]:
    """Return the gauges, what has not been counted yet, and the trend."""
    dials = [
        html.Div(gauge(g), className=None if g.of_limit != "no limit set" else "ph-gauge-free")
        for g in view.gauges
    ]
    legend = [
        html.Span([html.Span(className="ph-arc-sample"), "historical"]),
        html.Span([html.Span("◆", className="ph-mark-diamond"), " parametric"]),
        html.Span([html.Span("●", className="ph-mark-circle"), " Monte Carlo"]),
    ]
    line = sparkline(view.trend, label=f"{view.trend_title}, now {view.trend_last}")
    return [
        html.Div(dials, className="ph-var-dials"),
        html.Div(legend, className="ph-var-legend ph-t11", **attrs({"aria-hidden": "true"})),
        html.P(
            [html.Strong("Was it right? "), view.proof],
            className="ph-inset ph-t12 ph-tx2",
        ),
        html.Div(
            [html.Span([view.trend_title, " · ", view.note], className="ph-tx3 ph-t11 ph-cut"), line,
             html.Strong(view.trend_last)],
            className="ph-var-trend ph-t12",
        ),
    ]  # fmt: skip
