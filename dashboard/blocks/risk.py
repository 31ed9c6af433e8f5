"""The blocks of the Risk page: verdict, gauges, limits, lines of the tables."""

import json
from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.blocks.aging import panel_age
from dashboard.components.heat_map import heat_map
from dashboard.components.icons import icon
from dashboard.components.meters import (
    MARK_SHAPES,
    Gauge,
    LimitBar,
    Mark,
    diverging_bar,
    gauge,
    limit_bar,
)
from dashboard.components.nodes import attrs, classes, present
from dashboard.components.panels import empty_state
from dashboard.components.pills import pill, risk_bars
from dashboard.components.tables import Column, Row, table
from dashboard.views.risk import GaugeView, LevelView, LimitView
from dashboard.views.risk_contribution import ContributionView
from dashboard.views.risk_lists import AlertView, SymbolView
from dashboard.views.risk_series import NEEDS, CorrelationView
from dashboard.views.var_backtest import MethodView, TestsView

SYMBOL_COLUMNS = (
    Column("Symbol", is_number=False, width="64px"),
    Column("Level", is_number=False, width="64px"),
    Column("VaR 95", tip="Loss in one bar that 95% of bars stay below, historical"),
    Column("VaR 99", tip="Loss in one bar that 99% of bars stay below, historical"),
    Column("ES 95", tip="Mean loss of the worst 5% of bars"),
    Column("Volatility", tip="annualised, over as many returns as n says"),
    Column("Drawdown", tip="below the highest close"),
    Column("n", width="44px", tip="returns behind the numbers"),
    Column("Age", width="56px", tip="since the numbers of this row were received"),
)
_LEVEL_TONES = {"HIGH": "ph-warn", "CRITICAL": "ph-crit"}
_MODE_ICONS = {"up": "circle-check", "warn": "minus", "crit": "octagon-x"}


def level_block(view: LevelView) -> list[Component]:
    """Return the verdict, its bars and the points behind it."""
    head = html.Div(
        [
            html.Strong(
                view.word, className=classes("ph-t28 ph-aged", _LEVEL_TONES.get(view.word))
            ),
            risk_bars(view.level),
            html.Span(view.score, className="ph-tx2 ph-t12 ph-push ph-fixed"),
        ],
        className="ph-line ph-risk-verdict",
    )
    lines = [_point(*point) for point in view.points]
    rest: list[Component] = [html.Ul(lines, className="ph-risk-points")] if lines else []
    if view.words:
        rest.append(html.P(view.words, className="ph-tx2 ph-t12"))
    return [head, *rest]


def _point(rule: str, detail: str, points: str) -> html.Li:
    measured = html.Span(detail, className="ph-tx2 ph-cut", **attrs({"data-tip": detail}))
    return html.Li(
        [html.Span(rule), measured, html.Strong(points, className="ph-push ph-aged")],
        className="ph-line ph-t12",
    )


def gauge_block(view: GaugeView) -> html.Div:
    """Return one gauge with what each method says below it, and the loss in dollars."""
    marks = tuple(
        Mark(shape=m.shape, use=m.share, label=f"{m.method} {m.value}") for m in view.marks
    )
    dial = Gauge(
        id=f"risk-gauge-{view.key}", name=view.name, value=view.value, unit=view.unit, use=view.share,
        of_limit=view.of_limit, marks=marks, size=160, is_limited=view.is_limited,
    )  # fmt: skip
    values = [
        html.Span(
            [html.Span(MARK_SHAPES[m.shape], className="ph-risk-mark"), _method_value(m.method, m.value)],
            className="ph-fixed",
            **attrs({"data-tip": m.method}),
        )
        for m in view.marks
    ]  # fmt: skip
    money = html.Span(view.money, className="ph-tx3", **attrs({"data-tip": "at today's equity"}))
    foot = html.Div(
        [*(values or [html.Span(view.words)]), money],
        className="ph-risk-methods ph-t11 ph-tx2 ph-aged",
    )
    return html.Div([gauge(dial), foot], className="ph-risk-gauge")


def _method_value(method: str, value: str) -> Component | str:
    return html.Strong(value) if method == "historical" else value


def limit_blocks(limits: Sequence[LimitView], switch: tuple[str, str]) -> list[Component]:
    """Return a bar per limit and what the kill switch allows, given as (words, tone)."""
    if not limits:
        text = "Limits are measured with each price."
        return [empty_state("gauge", "No limit measured yet", text)]
    bars: list[Component] = [
        limit_bar(
            LimitBar(
                id=f"risk-limit-{u.key}", name=u.name, value=u.value, limit=u.limit, use=u.use,
                window=u.window, left=u.left,
            )
        )
        for u in limits
    ]  # fmt: skip
    words, tone = switch
    mode = pill(tone or "grey", words, _MODE_ICONS.get(tone, "circle-dashed"))
    return [
        *bars,
        html.Div([html.Span("Kill switch"), mode], className="ph-spread ph-t12 ph-risk-switch"),
    ]


TEST_COLUMNS = (
    Column("Method", is_number=False),
    Column("95%", tip="losses beyond the VaR 95, over as many as it promises"),
    Column("Kupiec", tip="chance of a count as far from what is promised, were the VaR 95 true"),
    Column("99%", tip="losses beyond the VaR 99, over as many as it promises"),
    Column("Kupiec", tip="the same of the VaR 99"),
    Column(
        "Clusters",
        tip="Christoffersen's independence, VaR 99: small when losses beyond it cluster",
    ),
    Column(
        "Zone",
        is_number=False,
        tip="traffic light of the VaR 99, binomial; Basel's over 250 bars",
    ),
)


def tests_block(view: TestsView) -> list[Component]:
    """Return a row per method, and what they say in words."""
    words = html.P(view.words, className="ph-tx2 ph-t12")
    if not view.methods:
        return [empty_state("scale", "Not counted yet", view.words)]
    rows = [_test_row(method) for method in view.methods]
    drawn = table(
        TEST_COLUMNS,
        rows,
        caption="Back-tests of the value at risk by method",
        class_name="ph-risk-tests",
    )
    live = html.P(view.live, className="ph-tx3 ph-t12")
    return [drawn, words, live]


def _test_row(line: MethodView) -> Row:
    name = html.Span([html.Span(MARK_SHAPES[line.shape], className="ph-risk-mark"), line.name])
    zone = html.Span(
        pill(line.tone, line.zone, line.icon), **attrs({"data-tip": line.tip} if line.tip else {})
    )
    return Row(
        cells=(name, line.at_95, line.kupiec_95, line.at_99, line.kupiec_99, line.clusters, zone)
    )


def symbol_row(line: SymbolView) -> Row:
    """Return one symbol's line; VaR beyond the limit carries a sign."""
    link = html.A(
        line.symbol, href=f"/?symbol={line.symbol}", className="ph-row-link", title=line.name,
        **attrs({"data-page-link": ""}),
    )  # fmt: skip
    over = icon("triangle-alert", 12, class_name="ph-crit") if line.is_over else None
    heard = html.Span("over the limit ", className="ph-hidden") if line.is_over else None
    tip = attrs({"data-tip": line.tip} if line.tip else {})
    var_95 = html.Span(present(over, heard, line.var_95), className="ph-risk-over", **tip)
    numbers = (line.var_99, line.es_95, line.volatility, line.drawdown, line.sample)
    age = panel_age(f"risk-age-{line.symbol}", line.age)
    return Row(
        cells=(link, risk_bars(line.level, with_word=True), var_95, *numbers, age),
        attrs={"data-age-scope": ""},
    )


PART_COLUMNS = (
    Column("Symbol", is_number=False),
    Column("Position", tip="signed value over equity"),
    Column("Adds", is_number=False, tip="below zero it hedges the others", hide_title=True),
    Column("Of VaR 95", tip="component of the parametric VaR 95; together 100%"),
    Column("Without it", tip="change of the account's VaR 95 if the position were closed"),
)


def contribution_block(view: ContributionView) -> list[Component]:
    """Return a row per position and their sum."""
    if not view.parts:
        return [empty_state("scale", "No contribution", view.words)]
    rows = [
        Row(
            cells=(
                part.symbol,
                part.share,
                diverging_bar(part.part, view.largest, kind="grey" if part.part > 0 else ""),
                html.Strong(part.percent),
                part.without,
            )
        )
        for part in view.parts
    ]
    drawn = table(
        PART_COLUMNS,
        rows,
        caption="What each position adds to the account's VaR 95",
        total=("Sum", "", "", html.Strong("100.0%"), f"of {view.total}"),
        class_name="ph-risk-parts",
    )
    return [drawn]


def alert_block(line: AlertView) -> html.Div:
    """Return one alert with its date and, while it waits, the button that acknowledges it."""
    seen = html.Span("seen", className="ph-tx3 ph-t11")
    said = f"Acknowledge: {line.title}"
    end = seen if line.is_seen else acknowledge("Acknowledge", {"alert_id": line.alert_id}, said)
    when = html.Span(line.when, className="ph-tx3 ph-t11 ph-push ph-fixed")
    title = html.Strong(line.title, className="ph-cut", **attrs({"data-tip": line.title}))
    words = html.Div(
        [
            html.Div([title, when], className="ph-line"),
            html.Div(line.message, className="ph-tx2 ph-t12"),
        ],
        className="ph-notice-words",
    )
    mark = icon(line.icon, 16, class_name=f"ph-{line.tone}" if line.tone else "ph-tx2")
    return html.Div(
        [mark, words, end], className=classes("ph-notice", "ph-notice-seen" if line.is_seen else "")
    )


def alert_blocks(lines: Sequence[AlertView]) -> list[Component]:
    """Return the alerts below each other, or what fills the list."""
    if not lines:
        text = "Broken limits and critical symbols are listed here."
        return [empty_state("bell", "No alert yet", text)]
    return [alert_block(line) for line in lines]


def acknowledge(label: str, params: Mapping[str, str], said: str = "") -> html.Button:
    """Return a button whose click the frame sends as the command."""
    intent = json.dumps({"name": "AcknowledgeAlert", "params": dict(params)})
    return html.Button(
        label,
        type="button",
        className="ph-btn ph-btn-s ph-btn-ghost",
        **attrs({"data-ph-intent": intent, "aria-label": said or label}),
    )


def correlation_map(view: CorrelationView) -> list[Component]:
    """Return the map of correlations, or what it waits for."""
    if not view.symbols:
        return [empty_state("grid-2x2", "No correlation yet", NEEDS)]
    return [heat_map(view.symbols, view.values, view.texts, caption=view.summary)]
