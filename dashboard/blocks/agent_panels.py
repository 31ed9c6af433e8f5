"""The side of the Agents page: the chosen agent, the queue by priority, the newest events."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard import formatting as fmt
from dashboard.blocks import agents as part
from dashboard.blocks import pace
from dashboard.blocks.aging import aged
from dashboard.blocks.journal import log_rows
from dashboard.components.controls import icon_button
from dashboard.components.nodes import Node, attrs, dom_id
from dashboard.components.panels import empty_state, kpi, kpis, panel
from dashboard.patches import Patch
from dashboard.views.agents import DetailView, MeasuredView
from dashboard.views.journal import KINDS, RowView
from dashboard.views.task_queue import QueueRow, QueueView, TaskRow

PILL, TOOLS, NOTE = "agents-detail-pill", "agents-detail-tools", "agents-detail-note"
BARS, LONGEST, RUNS, ERROR = "agents-bars", "agents-longest", "agents-runs", "agents-error"
MORE_ERROR, WHOLE_ERROR = "agents-error-more", "agents-error-whole"
BAR_STEP, BAR_GAP = 10, 2
LAST, P50, P95, NEXT, OTHER = (
    "agents-last", "agents-p50", "agents-p95", "agents-next", "agents-other",
)  # fmt: skip
RUNNING, MEASURED, DETAIL_MEASURED = (
    "agents-running", "agents-queue-measured", "agents-detail-measured",
)  # fmt: skip
RUNNING_TIP = "Besides the health check that counts them"
TROUBLES = "agents-troubles"
TASKS, TASK_ROWS, TASK_WORDS = "agents-tasks", "agents-task-rows", "agents-task-words"
TASKS_TIP = "Late: 99 in 100 tasks began no later than this after they were due"
TASK_HEADS = ("Agent", "Runs", "p50", "p95", "Max", "Late p99")
LOG_BODY, LOG_KIND, LOG_HOLD = "agents-log-body", "agents-log-kind", "agents-log-hold"
ALL_TOPICS = "all"
N_LOG = 24
"""Events that the log lists."""
CLOSE = "agents-close"


def close_id(agent_id: object) -> dict[str, Any]:
    """Return the id of the button that closes the panel of the chosen agent."""
    return {"type": CLOSE, "agent": agent_id}


# -- the chosen agent ------------------------------------------------------------------------------------------


def detail(shown: DetailView | None, measured: MeasuredView) -> Component:
    """Return the panel of the chosen agent; `measured` says when its figures were taken."""
    if shown is None:
        return panel("Agent", empty_state("bot", "No such agent", "Choose one in the table."))
    close = icon_button("x", "Close", id=close_id(shown.row.agent_id))
    name = dom_id({"type": "agents-name", "agent": shown.row.agent_id})
    head = html.Header(
        [
            html.H2(shown.row.title),
            html.Div(part.state_pill(shown.row), id=PILL),
            part.measured(DETAIL_MEASURED, measured),
            html.Div(close, className="ph-panel-tools", **attrs({"data-ph-escape": name})),
        ],
        className="ph-panel-head",
    )
    body = html.Div(
        [
            html.Div(detail_tools(shown), id=TOOLS, className="ph-agent-buttons"),
            html.Div(part.note(shown.row), id=NOTE, className="ph-agent-note"),
            _figures(shown),
            *pace.pace_form(shown.pace),
            *_more(shown),
        ],
        className="ph-panel-body ph-stack",
    )
    return aged(html.Section([head, body], className="ph-panel"))


def detail_tools(shown: DetailView) -> list[html.Button]:
    """Return the buttons with their words."""
    return part.controls(shown.row.controls, shown.row, with_words=True)


def _figures(shown: DetailView) -> Component:
    next_run = part.counter(NEXT, "due", shown.next_run_at, shown.next_words, "")
    return kpis(
        kpi(shown.last_word, shown.last, id=LAST),
        kpi("p50", shown.row.p50, id=P50, tip=shown.row.took_tip),
        kpi("p95", shown.row.p95, id=P95, tip=shown.row.took_tip),
        html.Div(
            [html.Dt("Next run"), html.Dd(next_run, className="ph-kpi-value")], className="ph-kpi"
        ),
        columns=4,
    )


def _more(shown: DetailView) -> list[Component]:
    """Return the recent durations and what the agent hears and says."""
    facts = [
        _fact("Hears", _topics("hears", shown.hears, "nothing, it works by the clock")),
        _fact("Says", _topics("says", shown.says, "nothing")),
        _fact("Runs", html.Span(shown.runs, id=RUNS)),
        _fact(shown.other_word, html.Span(shown.other, id=OTHER)),
        _fact("Tasks", html.Span(shown.tasks, id=TASKS, **attrs({"data-tip": TASKS_TIP}))),
    ]
    topics = f"{fmt.plural(len(shown.hears), 'topic')} heard, {fmt.count(len(shown.says))} said"
    summary = html.Summary(
        [html.Span("Topics, runs and tasks"), html.Span(topics, className="ph-tx3")],
        className="ph-t12",
    )
    bars = html.Div(
        id=BARS, className="ph-durations", role="img", style=bars_style(shown.bars),
        **attrs({"aria-label": shown.bars_label}),
    )  # fmt: skip
    longest = html.Span(shown.longest, id=LONGEST, className="ph-tx3 ph-t11 ph-fixed")
    return [
        html.Div([bars, longest], className="ph-durations-box"),
        html.Dl([_fact("Last error", _error(shown))], className="ph-facts"),
        html.Details([summary, html.Dl(facts, className="ph-facts")], className="ph-fold"),
    ]


def _error(shown: DetailView) -> Component:
    """Return the last error, one that is too long cut, with the whole behind a line that opens."""
    more = html.Details(
        [html.Summary("The whole error"), html.Span(shown.whole_error, id=WHOLE_ERROR)],
        id=MORE_ERROR,
        className=more_class(shown),
    )
    return html.Div(
        [html.Span(shown.last_error, id=ERROR, className=error_class(shown)), more],
        className="ph-error",
    )


def more_class(shown: DetailView) -> str:
    """Return the class of the line behind which the whole error stands; a short one has none."""
    return "ph-more" if shown.whole_error else "ph-more ph-none"


def error_class(shown: DetailView) -> str:
    """Return the class of the last error."""
    return "ph-crit" if shown.has_error else "ph-tx2"


def bars_style(bars: Sequence[float]) -> dict[str, str]:
    """Return durations as bars in a mask, oldest at the left, each a share of the height."""
    pieces = [
        f"<rect x='{k * BAR_STEP}' y='{100 * (1 - height):.1f}' width='{BAR_STEP - BAR_GAP}' "
        f"height='{100 * height:.1f}'/>"
        for k, height in enumerate(bars)
    ]
    width = max(1, len(bars) * BAR_STEP - BAR_GAP)
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} 100' preserveAspectRatio='none'>"
        f"{''.join(pieces)}</svg>"
    )
    return {"--ph-bars": f'url("data:image/svg+xml,{quote(svg, safe=" =:/,")}")'}


def detail_patch(shown: DetailView) -> Patch:
    """Return the figures of the chosen agent as texts and attributes: they change many times a minute."""
    text = {
        LAST: shown.last, P50: shown.row.p50, P95: shown.row.p95, LONGEST: shown.longest, RUNS: shown.runs,
        TASKS: shown.tasks, ERROR: shown.last_error, OTHER: shown.other, WHOLE_ERROR: shown.whole_error,
    }  # fmt: skip
    for way, topics in (("hears", shown.hears), ("says", shown.says)):
        text |= {f"agents-{way}-{k}": rate for k, (_, rate) in enumerate(topics)}
    if shown.next_run_at is None:
        text[NEXT] = shown.next_words
    marks = {
        NEXT: {"data-ph-due": part.epoch(shown.next_run_at)},
        BARS: {"style": part.css(bars_style(shown.bars)), "aria-label": shown.bars_label},
    }
    cls = {ERROR: error_class(shown), MORE_ERROR: more_class(shown)}
    return Patch(text=text, cls=cls, attrs=marks)


def _fact(title: str, value: Node) -> html.Div:
    return html.Div([html.Dt(title), html.Dd(value)])


def _topics(way: str, topics: Sequence[tuple[str, str]], nothing: str) -> Node:
    if not topics:
        return nothing
    pieces = [
        html.Li(
            [
                html.Span(topic, className="ph-mono"),
                html.Span(rate, id=f"agents-{way}-{k}", className="ph-tx3"),
            ]
        )
        for k, (topic, rate) in enumerate(topics)
    ]
    return html.Ul(pieces, className="ph-topics")


# -- queue and log ---------------------------------------------------------------------------------------------


def queue_panel(
    shown: QueueView, measured: Component, weights: Component, *below: Component
) -> Component:
    """Return the queue of the execution engine, and below it resources, durations and what moves the intervals."""
    running = html.Span(
        shown.running, id=RUNNING, className="ph-tx3 ph-t12", **attrs({"data-tip": RUNNING_TIP})
    )
    body = html.Ul([_queue_row(row) for row in shown.rows], className="ph-queue")
    drawn = panel(
        "Queue by priority",
        body,
        html.P(shown.troubles, id=TROUBLES, className=_troubles_class(shown)),
        *below,
        _tasks_box(shown),
        weights,
        remark=measured,
        tools=[running],
    )
    return aged(drawn)


def _tasks_box(shown: QueueView) -> html.Details:
    """Return what tasks took by their type, in a line that opens."""
    summary = html.Summary(
        [
            html.Span("Durations by task type"),
            html.Span(shown.tasks_words, id=TASK_WORDS, className="ph-tx3"),
        ],
        className="ph-t12",
    )
    heads = html.Thead(html.Tr([html.Th(head, scope="col") for head in TASK_HEADS]))
    body = html.Tbody(
        id=TASK_ROWS,
        **attrs({"data-ph-rows": task_rows(shown.tasks), "data-ph-span": str(len(TASK_HEADS))}),
    )
    table = html.Table([heads, body], className="ph-tasks")
    return html.Details([summary, table], className="ph-fold")


def task_rows(tasks: Sequence[TaskRow]) -> str:
    """Return tasks as plain rows, each type under its name; the browser draws them."""
    rows: list[list[object]] = []
    for task_type, found in groupby(tasks, key=lambda task: task.task_type):
        rows.append(["ph-tasks-type", "", [["ph-mono", task_type]]])
        for task in found:
            figures = (task.runs, task.p50, task.p95, task.longest, task.late)
            rows.append(["", "", [["ph-cut", task.agent], *(["", figure] for figure in figures)]])
    return json.dumps(rows, ensure_ascii=False)


def _troubles_class(shown: QueueView) -> str:
    return f"ph-t12 {'ph-warn' if shown.has_trouble else 'ph-tx3'}"


def queue_patch(shown: QueueView) -> Patch:
    """Return the counts of the queue."""
    text = {
        RUNNING: shown.running, TROUBLES: shown.troubles,
        TASK_WORDS: shown.tasks_words,
    }  # fmt: skip
    text |= {f"agents-queue-{row.priority}": row.count for row in shown.rows}
    text |= {f"agents-at-{row.priority}": row.who for row in shown.rows}
    cls = {f"agents-queue-{row.priority}": _count_class(row) for row in shown.rows}
    cls[TROUBLES] = _troubles_class(shown)
    marks = {
        TASK_ROWS: {"data-ph-rows": task_rows(shown.tasks)},
    }
    return Patch(text=text, cls=cls, attrs=marks)


def _count_class(row: QueueRow) -> str:
    return "ph-tx3" if row.is_empty else "ph-strong ph-aged"


def _queue_row(row: QueueRow) -> Component:
    return html.Li(
        [
            html.Span(row.priority, className="ph-tx2"),
            html.Span(row.who, id=f"agents-at-{row.priority}", className="ph-tx3 ph-cut"),
            html.Span(row.count, id=f"agents-queue-{row.priority}", className=_count_class(row)),
        ]
    )


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
        html.Ol(
            id=LOG_BODY,
            className="ph-log",
            **attrs(
                {"data-ph-rows": log_rows(rows), "data-ph-plain": "", "data-ph-most": str(N_LOG)}
            ),
        ),
        className="ph-scroll",
        tabIndex=0,
        role="region",
        **attrs({"aria-label": "Newest events"}),
    )
    return panel("Event log", body, tools=[topics, hold])
