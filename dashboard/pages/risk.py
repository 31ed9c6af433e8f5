"""Risk: level and its points, gauges with their back-test, account, limits, symbols, correlations, alerts."""

import asyncio
from collections.abc import Mapping
from typing import Any

import dash
from dash import Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.blocks import limit_editor as edit
from dashboard.blocks import risk as blocks
from dashboard.blocks.aging import aged, panel_age, told_age
from dashboard.components import chart
from dashboard.components.controls import Option, button, segments
from dashboard.components.meters import GAUGE_SCALE
from dashboard.components.nodes import Node, attrs, dom_id
from dashboard.components.panels import kpi, kpis, panel
from dashboard.components.tables import Row, table, table_rows
from dashboard.figures import risk as figures
from dashboard.host import GatewayPort, send
from dashboard.page import LivePart, Page
from dashboard.patches import Patch, PropValue
from dashboard.views import limit_editor as limit_fields
from dashboard.views import risk as view
from dashboard.views import risk_contribution as whose
from dashboard.views import risk_lists as lists
from dashboard.views import risk_series as series
from dashboard.views import var_backtest as proof
from dashboard.views.account_risk import age_view
from dashboard.views.ages import AgeView
from engine.domain.errors import PilothouseError
from engine.domain.limits import LIMITS as SPECS
from engine.domain.sections import Snapshot

PAGE = Page(path="/risk", title="Risk", icon="shield-alert", key="r")

ACCOUNT = ("risk:portfolio", "portfolio", "trading", "instruments", "bars:*")
TABLE = ("risk:*", "instruments", "trading")
MAP = ("bars:*", "instruments")
PROOF = ("backtest:*", "instruments")
SECTIONS = tuple(dict.fromkeys((*ACCOUNT, *TABLE, *MAP, *PROOF, "alerts")))
LEVEL, GAUGES, FACTS, LIMITS, BODY, LEGEND = (
    "risk-level", "risk-gauges", "risk-facts", "risk-limits", "risk-body", "risk-legend",
)  # fmt: skip
AGES = (
    "risk-age-level",
    "risk-age-gauges",
    "risk-age-facts",
    "risk-age-limits",
    "risk-age-down",
    "risk-age-parts",
)
"""Of what speaks of the account."""
AGE_LOSSES, AGE_TESTS, AGE_MAP = "risk-age-losses", "risk-age-tests", "risk-age-map"
DRAWDOWN, HEAT, HEAT_REMARK = "risk-drawdown", "risk-heat", "risk-heat-remark"
LOSSES, LOSSES_REMARK, TESTS, SHOWN, EDITED, WHOSE, PARTS = (
    "risk-losses", "risk-losses-remark", "risk-tests", "risk-shown", "risk-edited", "risk-whose", "risk-parts",
)  # fmt: skip
ALERTS, ALERTS_OPEN, CSV, DOWNLOAD = "risk-alerts", "risk-alerts-open", "risk-csv", "risk-download"
LIMIT_NAMES = tuple(SPECS)
TOPICS = "risk.account risk.table risk.map risk.proof risk.alerts"


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:  # noqa: ARG001 -- nothing of the address
    """Return the page, drawn with what is known now."""
    snapshot = gateway.read(SECTIONS)
    return html.Div(
        [
            html.Div(_top(snapshot), className="ph-risk-top"),
            html.Div(_middle(snapshot), className="ph-risk-middle"),
            html.Div(_bottom(snapshot), className="ph-risk-bottom"),
        ],
        className="ph-page ph-page-risk",
        **attrs({"data-topics": TOPICS}),
    )


def _top(snapshot: Snapshot) -> list[Component]:
    gauges = html.Div(_gauges(snapshot), id=GAUGES, className="ph-risk-gauges")
    legend = html.Span(_legend(snapshot), id=LEGEND, className="ph-panel-remark")
    bodies: tuple[tuple[str, Node, Node], ...] = (
        ("Risk level", html.Div(blocks.level_block(view.level_view(snapshot)), id=LEVEL), None),
        ("One-bar VaR and ES", gauges, legend),
        ("Account", html.Div(_facts(snapshot), id=FACTS), "ratios of today's positions"),
    )
    return [
        aged(panel(title, body, remark=remark, tools=panel_age(name, age_view(snapshot))))
        for name, (title, body, remark) in zip(AGES[:3], bodies, strict=True)
    ]


def _middle(snapshot: Snapshot) -> list[Component]:
    down, losses = series.drawdown_view(snapshot), proof.losses_view(snapshot)
    drawn_down = chart.chart(
        DRAWDOWN, figures.drawdown_figure(down), label="Drawdown of the account under its limit"
    )
    drawn_losses = chart.chart(
        LOSSES, figures.losses_figure(losses), label="Losses beside the VaR 99 stated before them"
    )
    told, judged = age_view(snapshot), proof.age_view(snapshot)
    both = html.Div(
        [
            html.Div([drawn_losses, _said(LOSSES, losses.summary)], className="ph-risk-losses"),
            html.Div([drawn_down, _said(DRAWDOWN, down.summary)], className="ph-risk-down"),
        ],
        className="ph-risk-both",
    )
    remark = html.Span(losses.remark, id=LOSSES_REMARK, className="ph-panel-remark ph-risk-losses")
    reading = html.Span(
        [*_reading(DRAWDOWN, down), panel_age(AGES[4], told)], className="ph-risk-down ph-line"
    )
    when = html.Span(panel_age(AGE_LOSSES, judged), className="ph-risk-losses")
    choice = segments(
        SHOWN, (Option("losses", "VaR 99"), Option("down", "Drawdown")), "losses", label="Chart"
    )
    tests = html.Div(blocks.tests_block(proof.tests_view(snapshot)), id=TESTS)
    heads = html.Span("exceptions / expected, p-values", className="ph-tx3 ph-t11")
    return [
        panel("Was the VaR right?", both, remark=remark, tools=[reading, when, choice], class_name="ph-risk-proof"),
        aged(panel("Back-tests", _scroll(tests, "Back-tests"), tools=[heads, panel_age(AGE_TESTS, judged)])),
        _alerts(snapshot),
    ]  # fmt: skip


def _bottom(snapshot: Snapshot) -> list[Component]:
    found = series.correlation_view(snapshot)
    heat = html.Div(blocks.correlation_map(found), id=HEAT, className="ph-risk-heat")
    about = html.Span(found.remark, id=HEAT_REMARK, className="ph-panel-remark")
    export = [button("CSV", "ghost", "download", id=CSV, small=True), dcc.Download(id=DOWNLOAD)]
    symbols = table(
        blocks.SYMBOL_COLUMNS,
        _rows(snapshot),
        caption="Risk of each symbol, one bar ahead",
        body_id=BODY,
        class_name="ph-table-sticky ph-risk-table",
    )
    parts = html.Div(blocks.contribution_block(whose.contribution_view(snapshot)), id=PARTS)
    both = html.Div(
        [
            html.Div(_scroll(symbols, "Symbols"), className="ph-risk-symbols"),
            html.Div(_scroll(parts, "Contribution"), className="ph-risk-contribution"),
        ],
        className="ph-risk-both",
    )
    remark = html.Span(
        [
            html.Span("each symbol, one bar ahead", className="ph-risk-symbols"),
            html.Span("positions in the account's VaR 95", className="ph-risk-contribution"),
        ],
        className="ph-panel-remark",
    )
    when = html.Span(panel_age(AGES[5], age_view(snapshot)), className="ph-risk-contribution")
    options = (Option("symbols", "Symbols"), Option("parts", "Contribution"))
    choice = segments(WHOSE, options, "symbols", label="Whose risk")
    export = [when, *(html.Span(each, className="ph-risk-symbols") for each in export)]
    return [
        panel(
            "Whose risk", both, remark=remark, is_flush=True, tools=[*export, choice], class_name="ph-risk-whose"
        ),
        aged(panel("Correlation", heat, remark=about, tools=panel_age(AGE_MAP, series.correlation_age(snapshot)))),
        _distance(snapshot),
    ]  # fmt: skip


def _alerts(snapshot: Snapshot) -> html.Section:
    alerts = blocks.alert_blocks(lists.alerts_view(snapshot))
    return panel(
        "Alerts",
        _scroll(html.Div(alerts, id=ALERTS), "Alerts"),
        remark=html.Span(lists.open_alerts(snapshot), id=ALERTS_OPEN, className="ph-panel-remark"),
        tools=[blocks.acknowledge("Acknowledge all", {})],
        class_name="ph-risk-alerts",
    )


def _distance(snapshot: Snapshot) -> html.Section:
    """Return the limits as bars, and as the form that sets them."""
    bars = html.Div(_limits(snapshot), id=LIMITS, className="ph-risk-bars")
    form = html.Div(edit.editor(limit_fields.fields_view(snapshot)), className="ph-risk-edit")
    choice = segments(
        EDITED, (Option("bars", "Bars"), Option("edit", "Edit")), "bars", label="Limits"
    )
    when = html.Span(panel_age(AGES[3], age_view(snapshot)), className="ph-risk-bars")
    body = html.Div([bars, form], className="ph-risk-limits")
    tools = [when, choice]
    return aged(
        panel("Distance to the trigger", _scroll(body, "Limits"), tools=tools, class_name="ph-risk-distance")
    )  # fmt: skip


# -- drawing -----------------------------------------------------------------------------------------------------


def _scroll(content: Component, label: str) -> Component:
    return html.Div(
        content, className="ph-scroll", tabIndex=0, role="region", **attrs({"aria-label": label})
    )


def _said(name: str, summary: str) -> Component:
    """Return the numbers of a chart for readers; kept up to date with it."""
    return html.P(summary, id=f"{name}-said", className="ph-hidden")


def _legend(snapshot: Snapshot) -> str:
    return f"▲ historical (limited) ◆ parametric ● Monte Carlo, {view.scale_words(snapshot, GAUGE_SCALE)}"


def _gauges(snapshot: Snapshot) -> list[Component]:
    return [blocks.gauge_block(found) for found in view.gauges_view(snapshot)]


def _facts(snapshot: Snapshot) -> Component:
    return kpis(*(kpi(f.label, f.value, tip=f.tip) for f in view.account_view(snapshot)))


def _reading(name: str, found: series.DrawdownView) -> list[Component]:
    now = html.Strong(found.now, id=f"{name}-now")
    limit = html.Span(found.limit_words, id=f"{name}-limit", className="ph-tx2")
    return [html.Span([now, " ", limit], className="ph-tx ph-t12 ph-fixed")]


def _limits(snapshot: Snapshot) -> list[Component]:
    return blocks.limit_blocks(view.limits_view(snapshot), view.trading_words(snapshot))


def _rows(snapshot: Snapshot) -> list[Row]:
    return [blocks.symbol_row(line) for line in lists.symbols_view(snapshot)]


def _children(blocks_by_id: Mapping[str, PropValue]) -> dict[str, dict[str, PropValue]]:
    return {name: {"children": value} for name, value in blocks_by_id.items()}


def _figure(name: str, drawn: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 -- Plotly's figure
    return {dom_id(chart.figure_id(name)): {"data": chart.figure_data(drawn)}}


def _ages(shown: AgeView, *names: str) -> dict[str, tuple[float, float, float]]:
    """Return what a patch tells of an age to all that share it; nothing while it is not known."""
    return dict.fromkeys(names, told_age(shown)) if shown.received_at is not None else {}


def _live_account(snapshot: Snapshot, _: str) -> Patch:
    """Return all that speaks of the account from one snapshot, so that its numbers agree with each other."""
    found = age_view(snapshot)
    ages = _ages(found, *AGES)
    children: Mapping[str, PropValue] = {
        LEVEL: blocks.level_block(view.level_view(snapshot)),
        GAUGES: _gauges(snapshot),
        FACTS: _facts(snapshot),
        LIMITS: _limits(snapshot),
        PARTS: blocks.contribution_block(whose.contribution_view(snapshot)),
    }
    down = series.drawdown_view(snapshot)
    parts = {"now": down.now, "limit": down.limit_words, "said": down.summary}
    text = {f"{DRAWDOWN}-{part}": words for part, words in parts.items()} | {
        LEGEND: _legend(snapshot),
        **edit.now_text(limit_fields.fields_view(snapshot)),
    }
    drawn = _figure(DRAWDOWN, figures.drawdown_figure(down))
    return Patch(text=text, props={**_children(children), **drawn}, age=ages)


def _live_proof(snapshot: Snapshot, _: str) -> Patch:
    losses = proof.losses_view(snapshot)
    text = {LOSSES_REMARK: losses.remark, f"{LOSSES}-said": losses.summary}
    tests = _children({TESTS: blocks.tests_block(proof.tests_view(snapshot))})
    ages = _ages(proof.age_view(snapshot), AGE_LOSSES, AGE_TESTS)
    props = {**tests, **_figure(LOSSES, figures.losses_figure(losses))}
    return Patch(text=text, props=props, age=ages)


def _live_table(snapshot: Snapshot, _: str) -> Patch:
    return Patch(props=_children({BODY: table_rows(blocks.SYMBOL_COLUMNS, _rows(snapshot))}))


def _live_map(snapshot: Snapshot, _: str) -> Patch:
    found = series.correlation_view(snapshot)
    return Patch(
        text={HEAT_REMARK: found.remark},
        props=_children({HEAT: blocks.correlation_map(found)}),
        age=_ages(series.correlation_age(snapshot), AGE_MAP),
    )


def _live_alerts(snapshot: Snapshot, _: str) -> Patch:
    found = blocks.alert_blocks(lists.alerts_view(snapshot))
    return Patch(text={ALERTS_OPEN: lists.open_alerts(snapshot)}, props=_children({ALERTS: found}))


LIVE = (
    LivePart(name="risk.account", sections=ACCOUNT, render=_live_account, min_interval_s=1.0),
    LivePart(name="risk.table", sections=TABLE, render=_live_table, min_interval_s=1.0),
    LivePart(name="risk.map", sections=MAP, render=_live_map, min_interval_s=2.0, is_slow=True),
    LivePart(
        name="risk.proof", sections=PROOF, render=_live_proof, min_interval_s=2.0, is_slow=True
    ),
    LivePart(name="risk.alerts", sections=("alerts",), render=_live_alerts, min_interval_s=0.5),
)


# -- intent ------------------------------------------------------------------------------------------------------


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect the export and the limits; acknowledging goes through the frame."""
    values = [State(edit.value_id(name), "value") for name in LIMIT_NAMES]
    actions = [State(edit.action_id(name), "value") for name in LIMIT_NAMES]

    @app.callback(
        Output(edit.ERROR, "children"), Input(edit.APPLY, "n_clicks"), Input(edit.LOOSEN, "n_clicks"),
        *values, *actions, prevent_initial_call=True,
    )  # fmt: skip
    async def set_limits(clicks: int | None, holds: int | None, *typed: Any) -> str:  # noqa: ANN401 -- Dash's own
        if not (clicks or holds):
            raise PreventUpdate
        n = len(LIMIT_NAMES)
        fields = dict(zip(LIMIT_NAMES, zip(typed[:n], typed[n:], strict=True), strict=True))
        is_hold = ctx.triggered_id == edit.LOOSEN
        return await asyncio.to_thread(send_limits, gateway, fields, loosen=is_hold)

    @app.callback(Output(DOWNLOAD, "data"), Input(CSV, "n_clicks"), prevent_initial_call=True)
    async def export(_n: int) -> dict[str, str]:
        return await asyncio.to_thread(csv_file, gateway)


def send_limits(gateway: GatewayPort, typed: Mapping[str, tuple[Any, Any]], *, loosen: bool) -> str:
    """Send the limits that were changed; return words when they could not be sent."""
    limits = limit_fields.limits_of(gateway.read(("trading",)))
    try:
        command = limit_fields.limits_command(limits, typed, loosen=loosen)
    except PilothouseError as error:
        return str(error)
    return send(gateway, command)


def csv_file(gateway: GatewayPort) -> dict[str, str]:
    """Return the table of symbols as a file."""
    rows = lists.symbols_view(gateway.read(TABLE))
    return {"content": lists.csv_text(rows), "filename": "risk.csv"}
