"""The side of the Agents page: the chosen agent, the queue by priority, the newest events."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.components import agents as part
from dashboard.components.controls import icon_button
from dashboard.components.nodes import Node, attrs, classes
from dashboard.components.panels import empty_state, kpi, kpis, panel
from dashboard.views.agents import DetailView, QueueView
from dashboard.views.journal import KINDS, RowView

PILL, TOOLS, NOTE, MORE = (
    "agents-detail-pill", "agents-detail-tools", "agents-detail-note", "agents-detail-more",
)  # fmt: skip
LAST, P50, P95, NEXT = "agents-last", "agents-p50", "agents-p95", "agents-next"
QUEUE, RUNNING = "agents-queue", "agents-running"
LOG_BODY, LOG_KIND, LOG_HOLD = "agents-log-body", "agents-log-kind", "agents-log-hold"
ALL_TOPICS = "all"


# -- the chosen agent ------------------------------------------------------------------------------------------


def detail(shown: DetailView | None) -> Component:
    """Return the panel of the chosen agent."""
    if shown is None:
        return panel("Agent", empty_state("bot", "No such agent", "Choose one in the table."))
    head = html.Header(
        [html.H2(shown.row.title), html.Div(part.state_pill(shown.row), id=PILL)],
        className="ph-panel-head",
    )
    body = html.Div(
        [
            html.Div(detail_tools(shown), id=TOOLS, className="ph-agent-buttons"),
            html.Div(part.note(shown.row), id=NOTE, className="ph-agent-note"),
            _figures(shown),
            html.Div(detail_more(shown), id=MORE, className="ph-stack"),
        ],
        className="ph-panel-body ph-stack",
    )
    return html.Section([head, body], className="ph-panel")


def detail_tools(shown: DetailView) -> list[html.Button]:
    """Return the buttons with their words."""
    return part.controls(shown.row.controls, shown.row, with_words=True)


def _figures(shown: DetailView) -> Component:
    next_run = part.counter(NEXT, "due", shown.next_run_at, shown.next_words, "")
    return kpis(
        kpi("Last cycle", shown.last, id=LAST),
        kpi("p50", shown.row.p50, id=P50),
        kpi("p95", shown.row.p95, id=P95),
        html.Div(
            [html.Dt("Next run"), html.Dd(next_run, className="ph-kpi-value")], className="ph-kpi"
        ),
        columns=4,
    )


def detail_more(shown: DetailView) -> list[Component]:
    """Return the recent durations and what the agent hears and says."""
    error: Node = "none"
    if shown.last_error:
        error = html.Span(shown.last_error, className="ph-crit")
    facts = [
        _fact("Hears", _topics(shown.hears, "nothing, it works by the clock")),
        _fact("Says", _topics(shown.says, "nothing")),
        _fact("Runs", f"{shown.row.runs_tip}, {shown.conflated} conflated"),
        _fact("Last error", error),
    ]
    return [_durations(shown), html.Dl(facts, className="ph-facts")]


def _durations(shown: DetailView) -> Component:
    if not shown.bars:
        return html.P("No run yet. Durations appear with the first.", className="ph-tx3 ph-t12")
    label = f"Last {len(shown.bars)} durations, oldest first, longest {shown.longest}"
    bars = html.Div(
        part.duration_bars(shown.bars),
        className="ph-durations",
        role="img",
        **attrs({"aria-label": label}),
    )
    return html.Div(
        [bars, html.Span(shown.longest, className="ph-tx3 ph-t11")], className="ph-durations-box"
    )


def _fact(title: str, value: Node) -> html.Div:
    return html.Div([html.Dt(title), html.Dd(value)])


def _topics(topics: Sequence[tuple[str, str]], nothing: str) -> Node:
    if not topics:
        return nothing
    pieces = [
        html.Li([html.Span(topic, className="ph-mono"), html.Span(rate, className="ph-tx3")])
        for topic, rate in topics
    ]
    return html.Ul(pieces, className="ph-topics")


# -- queue and log ---------------------------------------------------------------------------------------------


def queue_panel(shown: QueueView) -> Component:
    """Return the queue of the execution engine."""
    running = html.Span(shown.running, id=RUNNING, className="ph-tx3 ph-t12")
    body = html.Ul(queue_rows(shown), id=QUEUE, className="ph-queue")
    return panel("Queue by priority", body, remark=shown.remark, tools=[running])


def queue_rows(shown: QueueView) -> list[Component]:
    """Return one line a priority: its name, who works at it, how many tasks wait."""
    return [
        html.Li(
            [
                html.Span(row.priority, className="ph-tx2"),
                html.Span(row.who or "nobody", className="ph-tx3 ph-cut"),
                html.Span(row.count, className="ph-tx3" if row.is_empty else "ph-strong"),
            ]
        )
        for row in shown.rows
    ]


def log_panel(rows: Sequence[RowView]) -> Component:
    """Return the newest events with a choice of topics and a hold."""
    options = [{"label": "All topics", "value": ALL_TOPICS}]
    options += [{"label": kind.title, "value": kind.key} for kind in KINDS]
    topics = html.Label(
        [
            html.Span("Topics", className="ph-hidden"),
            dbc.Select(id=LOG_KIND, options=options, value=ALL_TOPICS, class_name="ph-select"),
        ]
    )
    hold = icon_button("pause", "Hold the log", id=LOG_HOLD, pressed=False)
    body = html.Div(
        html.Ol(log_rows(rows), id=LOG_BODY, className="ph-log"),
        className="ph-scroll",
        tabIndex=0,
        role="region",
        **attrs({"aria-label": "Newest events"}),
    )
    return panel("Event log", body, tools=[topics, hold])


def log_rows(rows: Sequence[RowView]) -> list[Component]:
    """Return one line an event: time, topic, meaning."""
    if not rows:
        return [html.Li("No event of this kind among the newest.", className="ph-tx3")]
    return [
        html.Li(
            [
                html.Span(row.time, className="ph-mono ph-tx3"),
                html.Span(
                    row.topic,
                    className=classes("ph-mono ph-cut", f"ph-{row.tone}" if row.tone else "ph-tx2"),
                ),
                html.Span(row.meaning, className="ph-cut", title=row.meaning),
            ]
        )
        for row in rows
    ]
