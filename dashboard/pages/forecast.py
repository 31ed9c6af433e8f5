"""Forecast: where a symbol may go and how sure that is, with everything that the number rests on."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, dcc, html
from dash.development.base_component import Component

from dashboard.blocks.market_panels import chart_tools
from dashboard.components.chart import chart, figure_data, figure_id
from dashboard.components.controls import Option, segments
from dashboard.components.nodes import attrs, present
from dashboard.components.panels import empty_state, inset, kpi, kpis, panel
from dashboard.components.pills import age, grade, pill
from dashboard.components.tables import Column, Row, table
from dashboard.figures.forecast import forecast_figure, replace_all
from dashboard.host import GatewayPort
from dashboard.page import LivePart, Page
from dashboard.patches import Patch
from dashboard.views.forecast import (
    BUILT,
    LEVELS,
    ForecastChart,
    chosen_level,
    forecast_chart,
    level_name,
)
from dashboard.views.forecast_facts import (
    LATER,
    ForecastFacts,
    LevelRow,
    facts_view,
    level_rows,
)
from dashboard.views.markets import chosen_symbol
from dashboard.views.watchlist import instruments
from engine.domain.sections import Snapshot

PAGE = Page(path="/forecast", title="Forecast", icon="trending-up", key="f")

ROOT, SYMBOL, LEVEL, CHART, SUMMARY = (
    "forecast-root", "forecast-symbol", "forecast-level", "forecast-fan", "forecast-summary",
)  # fmt: skip
HEAD, SIDE, AGE, AGAIN = "forecast-head", "forecast-side", "forecast-age", "forecast-again"
LEVEL_COLUMNS = (
    Column("Level", is_number=False, width="150px"),
    Column("P(up)", width="56px"),
    Column("80% band"),
    Column("Grade", width="48px"),
)
LEGEND = (
    ("ph-key-50", "50%"), ("ph-key-80", "80%"), ("ph-key-95", "95%"), ("ph-key-median", "median"),
    ("ph-key-real", "realised"), ("ph-key-past", "forecast one bar before, as far as it is settled"),
    ("ph-key-tail", "lowest 5%"),
)  # fmt: skip


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:
    """Return the page with the symbol and the level of the address."""
    symbol = chosen_symbol(gateway.read(("instruments",)), query.get("symbol", ""))
    level = chosen_level(query.get("level", "1"))
    snapshot = _read(gateway, symbol)
    return html.Div(
        [
            html.H1(PAGE.title, className="ph-hidden"),
            _fan_panel(snapshot, symbol, level),
            html.Div(_side(snapshot, symbol, level), id=SIDE, className="ph-area-side ph-col"),
            _report_panel(),
            dcc.Store(id=AGAIN),
        ],
        id=ROOT,
        className="ph-page ph-page-forecast",
        **attrs(_address(symbol, level) | {"data-age-scope": ""}),
    )


def _address(symbol: str, level: int) -> dict[str, str]:
    place = f"{symbol}:{level}"
    topics = f"forecast.chart:{place} forecast.side:{place}" if symbol else ""
    query = urlencode({"symbol": symbol, "level": level})
    return {"data-topics": topics, "data-address": f"/forecast?{query}" if symbol else "/forecast"}


def _read(gateway: GatewayPort, symbol: str) -> Snapshot:
    return gateway.read(("instruments", f"bars:{symbol}", f"forecast:{symbol}"))


def _fan_panel(snapshot: Snapshot, symbol: str, level: int) -> html.Section:
    view = forecast_chart(snapshot, symbol, level)
    keys = [
        html.Span([html.Span(className=f"ph-key-fill {name}"), words]) for name, words in LEGEND
    ]
    return html.Section(
        [
            html.Header(
                [
                    _symbols(snapshot, symbol),
                    html.Div(_head(facts_view(snapshot, symbol, level)), id=HEAD, className="ph-line"),
                    _levels(level),
                ],
                className="ph-panel-head ph-fan-head",
            ),
            html.Div(
                [
                    chart(CHART, forecast_figure(view), label=f"Forecast. {view.label}"),
                    html.P(view.label, id=SUMMARY, className="ph-hidden"),
                    None if view.at else _waiting(),
                ],
                className="ph-price",
            ),
            html.Footer(
                [
                    html.Div(keys, className="ph-fan-keys ph-t11", **attrs({"aria-hidden": "true"})),
                    chart_tools(f"{symbol}-forecast"),
                ],
                className="ph-fan-foot",
            ),
        ],
        className="ph-panel ph-area-fan",
        **attrs({"data-chart-host": "", "data-chart-again": AGAIN}),
    )  # fmt: skip


def _waiting() -> html.Div:
    return empty_state(
        "trending-up", "No forecast yet", "The first one comes with the next closed bar."
    )


def _symbols(snapshot: Snapshot, symbol: str) -> html.Label:
    options = [{"label": item.symbol, "value": item.symbol} for item in instruments(snapshot)]
    box = dbc.Select(id=SYMBOL, options=options, value=symbol, class_name="ph-select")
    return html.Label([html.Span("Symbol", className="ph-hidden"), box], className="ph-select-box")


def _levels(level: int) -> html.Div:
    options = [
        Option(
            str(each.value),
            f"L{each.value}",
            "" if each in BUILT else f"{level_name(each)} {LATER}",
        )
        for each in LEVELS
    ]
    return segments(LEVEL, options, str(level), label="Level")


def _head(view: ForecastFacts) -> list[Component]:
    text = "never" if view.received_at is None else ""
    return [
        html.Span(view.name, className="ph-tx2 ph-cut"),
        html.Span(view.spot, className="ph-t16"),
        pill("acc", view.title),
        html.Span(view.issued, className="ph-tx3 ph-t12 ph-cut"),
        age(AGE, view.received_at, view.budget_s or 0.0, text, is_behind=view.is_behind),
    ]


def _side(snapshot: Snapshot, symbol: str, level: int) -> list[Component]:
    facts = facts_view(snapshot, symbol, level)
    return [_level_panel(level_rows(snapshot, symbol, level), facts), _quantile_panel(facts)]


def _level_panel(rows: tuple[LevelRow, ...], facts: ForecastFacts) -> html.Section:
    figures = [kpi(name, value) for name, value in facts.figures]
    return panel(
        "Five levels",
        table(
            LEVEL_COLUMNS,
            [_level_row(row) for row in rows],
            caption="The five levels of simulation",
        ),
        inset(kpis(*figures), class_name="ph-fan-figures") if figures else None,
        remark="level 1 is built",
    )


def _level_row(row: LevelRow) -> Row:
    name = html.Span(
        present(html.Strong(f"L{row.level}"), f" {row.name}"),
        className="ph-struck ph-tx3" if row.refusal else "",
        **attrs({"data-tip": row.refusal} if row.refusal else {}),
    )
    mark = (
        html.Span("later", className="ph-tx3", **attrs({"data-tip": row.refusal}))
        if row.refusal
        else grade(None, "any horizon", 0)
    )
    return Row(cells=(name, row.probability_up, row.band_80, mark), is_selected=row.is_chosen)


def _quantile_panel(facts: ForecastFacts) -> html.Section:
    if not facts.is_known:
        return panel("Quantiles", html.P(facts.note, className="ph-tx2"))
    columns = (Column("Level", is_number=False), *(Column(name) for name in facts.horizons))
    rows = [
        Row(cells=(row.level, *row.prices), class_name="ph-strong" if row.is_median else "")
        for row in facts.quantiles
    ]
    lines = [html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts.facts]
    return panel(
        "Quantiles",
        html.Div(
            [
                table(columns, rows, caption="Price quantiles at each horizon", class_name="ph-table-dense"),
                html.Dl(lines, className="ph-fan-facts ph-t12"),
                html.P(facts.note, className="ph-tx3 ph-t12") if facts.note else None,
            ],
            className="ph-scroll",
            tabIndex=0,
            role="region",
            **attrs({"aria-label": "Quantiles and facts"}),
        ),
        remark="price after so many bars",
    )  # fmt: skip


def _report_panel() -> html.Section:
    return panel(
        "Report card",
        empty_state(
            "circle-dashed",
            "No grade yet",
            "n = 0 of 20 at each horizon. Forecasts are stored now; settling them at their horizon and grading them "
            "comes with a later release.",
        ),
        remark="how often the outcome fell inside the 50, 80 and 95% bands",
        class_name="ph-area-report",
    )


# -- live -------------------------------------------------------------------------------------------------


def _place(argument: str) -> tuple[str, int]:
    symbol, _, level = argument.partition(":")
    return symbol, chosen_level(level)


def live_chart(snapshot: Snapshot, argument: str) -> Patch:
    """Return the chart at the newest closed bar."""
    view: ForecastChart = forecast_chart(snapshot, *_place(argument))
    return Patch(plot={CHART: [replace_all(view)]}, text={SUMMARY: view.label})


def live_side(snapshot: Snapshot, argument: str) -> Patch:
    """Return head, levels and quantiles of the newest forecast."""
    symbol, level = _place(argument)
    facts = facts_view(snapshot, symbol, level)
    told = (facts.received_at or 0.0, facts.budget_s or 0.0, float(facts.is_behind))
    ages = {} if facts.received_at is None else {AGE: told}
    return Patch(
        props={
            HEAD: {"children": _head(facts)},
            SIDE: {"children": _side(snapshot, symbol, level)},
        },
        age=ages,
    )


_SECTIONS = ("instruments", "bars:{arg}", "forecast:{arg}")
LIVE = (
    LivePart(name="forecast.chart", sections=_SECTIONS, render=live_chart, min_interval_s=0.5),
    LivePart(name="forecast.side", sections=_SECTIONS, render=live_side, min_interval_s=0.5),
)


# -- callbacks --------------------------------------------------------------------------------------------


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect the choice of symbol and level, and the reload of a chart."""

    @app.callback(
        Output(HEAD, "children"), Output(figure_id(CHART), "data"), Output(SUMMARY, "children"),
        Output(SIDE, "children"), Output(ROOT, "data-topics"), Output(ROOT, "data-address"),
        Input(SYMBOL, "value"), Input(LEVEL, "value"), Input(AGAIN, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def choose(symbol: str | None, level: str | None, _again: float | None) -> Any:  # noqa: ANN401 -- Dash's own tuple
        return await asyncio.to_thread(chosen, gateway, symbol or "", level or "1")


def chosen(gateway: GatewayPort, asked: str, asked_level: str) -> tuple[Any, ...]:
    """Return everything that speaks of the chosen symbol and level."""
    symbol = chosen_symbol(gateway.read(("instruments",)), asked)
    level = chosen_level(asked_level)
    snapshot = _read(gateway, symbol)
    view = forecast_chart(snapshot, symbol, level)
    address = _address(symbol, level)
    return (
        _head(facts_view(snapshot, symbol, level)), figure_data(forecast_figure(view)), view.label,
        _side(snapshot, symbol, level), address["data-topics"], address["data-address"],
    )  # fmt: skip
