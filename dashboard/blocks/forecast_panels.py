"""The panels of the Forecast page: the fan, the five levels with the controls, the report card."""

import dash_bootstrap_components as dbc
import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from dashboard import formatting as fmt
from dashboard.blocks import forecast_controls as ctl
from dashboard.blocks import forecast_parts as parts
from dashboard.blocks import report_card as card
from dashboard.blocks.market_panels import chart_tools
from dashboard.components.chart import chart
from dashboard.components.controls import Option, button, segments
from dashboard.components.nodes import attrs
from dashboard.components.panels import empty_state, panel
from dashboard.views import bars as b
from dashboard.views import forecast_facts as facts
from dashboard.views.five_levels import FiveChart, differences
from dashboard.views.forecast_chart import ForecastChart
from dashboard.views.forecast_grounds import grounds_view
from dashboard.views.forecast_place import ALL, ONE, Place
from dashboard.views.forecast_reading import horizon_words
from dashboard.views.price_chart import columns_of, forecast_of
from dashboard.views.report_card import report_view
from dashboard.views.watchlist import instruments
from dashboard.views.what_if import stored_values
from engine.domain.forecast import HORIZONS
from engine.domain.sections import Snapshot

SYMBOL, CHART, SUMMARY = (
    "forecast-symbol", "forecast-fan", "forecast-summary",
)  # fmt: skip
HEAD, MODE, HORIZON = "forecast-head", "forecast-mode", "forecast-horizon"
NOTE, TRUST, GROUNDS, NONE, NONE_WHY = (
    "forecast-note", "forecast-trust", "forecast-grounds", "forecast-none", "forecast-none-why",
)  # fmt: skip
CARD, CARD_HORIZON, CARD_REMARK, CARD_WALK = (
    "forecast-card", "forecast-card-horizon", "forecast-card-remark", "forecast-card-walk",
)  # fmt: skip
CSV, DOWNLOAD = "forecast-csv", "forecast-download"


def fan_panel(
    snapshot: Snapshot,
    place: Place,
    view: ForecastChart | FiveChart,
    drawn: go.Figure,
    note: str = "",
) -> html.Section:
    """Return the panel with the chart as drawn, its head and its tools, and what the address asked for in vain."""
    head = facts.head_view(snapshot, place)
    none = html.Div(
        empty_state("trending-up", "No forecast yet", ""), id=NONE, hidden=head.is_known,
        className="ph-fc-none",
    )  # fmt: skip
    none.children.children[2] = html.P(head.why_none, id=NONE_WHY)
    return html.Section(
        [
            html.Header(
                [
                    _symbols(snapshot, place.symbol),
                    *([html.Span(note, className="ph-t12 ph-warn", role="status")] if note else []),
                    html.Div(parts.head(head), id=HEAD, className="ph-line"),
                    _horizons(snapshot, place),
                    _modes(place),
                ],
                className="ph-panel-head ph-fan-head",
            ),
            html.Div(
                [
                    chart(CHART, drawn, label=f"Forecast. {view.label}"),
                    html.P(view.label, id=SUMMARY, className="ph-hidden"),
                    none,
                    ctl.what_if_line(),
                ],
                className="ph-price",
            ),
            html.Div(grounds(snapshot, place), id=GROUNDS, className="ph-fc-grounds ph-t12"),
            html.Footer(
                [*parts.legend(), chart_tools(f"{place.symbol}-forecast")], className="ph-fan-foot"
            ),
        ],
        className="ph-panel ph-area-fan",
        **attrs({"data-chart-host": ""}),
    )  # fmt: skip


def grounds(snapshot: Snapshot, place: Place) -> list[Component | str]:
    """Return what the newest stored forecast rests on."""
    return parts.grounds(grounds_view(forecast_of(snapshot, place.symbol, str(place.level))))


def _symbols(snapshot: Snapshot, symbol: str) -> html.Label:
    options = [{"label": item.symbol, "value": item.symbol} for item in instruments(snapshot)]
    box = dbc.Select(id=SYMBOL, options=options, value=symbol, class_name="ph-select")
    return html.Label([html.Span("Symbol", className="ph-hidden"), box], className="ph-select-box")


def _modes(place: Place) -> html.Div:
    options = [Option(ONE, "One level"), Option(ALL, "All five")]
    return segments(MODE, options, place.mode, label="Levels shown")


def _horizons(snapshot: Snapshot, place: Place) -> html.Div:
    seconds = b.bar_seconds(columns_of(snapshot, place.symbol))
    options = [Option(str(h), horizon_words(h, seconds)) for h in HORIZONS]
    return segments(HORIZON, options, str(place.horizon), label="Horizon")


def side(snapshot: Snapshot, place: Place) -> list[Component]:
    """Return the five levels, where they differ, and the controls."""
    rows = facts.level_rows(snapshot, place)
    stored = forecast_of(snapshot, place.symbol, str(place.level))
    figures = parts.figures(facts.figures_view(snapshot, place))
    differ = html.Dl(
        parts.differences(differences(snapshot, place)), className="ph-fc-differ ph-t12"
    )
    trust = html.P(facts.trust_words(snapshot, place), id=TRUST, className="ph-tx2 ph-t12")
    return [
        panel(
            "Five levels",
            parts.level_table(rows, place),
            html.P(facts.rows_note(snapshot, place), id=NOTE, className="ph-tx3 ph-t11 ph-only-one ph-fc-rows-note"),
            is_flush=True,
        ),
        panel("Where they differ", differ, trust, class_name="ph-only-all"),
        ctl.controls(stored_values(stored, place.horizon), place.edges, *figures),
    ]  # fmt: skip


def report_panel(snapshot: Snapshot, place: Place) -> html.Section:
    """Return the panel of the report card."""
    view = report_view(snapshot, place)
    options = [
        {
            "label": html.Span(
                [words, html.Span(f"n {fmt.count(n)}", id=card.n_id(h), className="ph-tx3")],
                className="ph-rc-n",
            ),
            "value": str(h),
        }
        for h, words, n in view.horizons
    ]  # fmt: skip
    choice = dbc.RadioItems(
        options=options, value=str(place.card), id=CARD_HORIZON, class_name="ph-seg-items"
    )
    seg = html.Div(
        choice,
        className="ph-seg",
        role="radiogroup",
        **attrs({"aria-label": "Horizon of the report card"}),
    )
    walk = html.Div(card.progress(view), id=CARD_WALK, className="ph-line")
    export = [button("CSV", "ghost", "download", id=CSV, small=True), dcc.Download(id=DOWNLOAD)]
    return panel(
        "Report card",
        html.Div(
            card.report(view, is_all=place.is_all), id=CARD, className="ph-scroll", tabIndex=0,
            role="region", **attrs({"aria-label": "Report card"}),
        ),
        remark=html.Span(view.remark, id=CARD_REMARK, className="ph-panel-remark"),
        tools=[walk, *export, seg],
        class_name="ph-area-report",
    )  # fmt: skip
