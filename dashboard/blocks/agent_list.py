"""Every agent with its figures and buttons: rows of a table or cards, as a person chose; on a phone cards only.

Both are the same elements. The browser keeps the choice, and the style sheet follows it without asking the server.
"""

from collections.abc import Collection, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.blocks import agents as part
from dashboard.blocks.aging import aged
from dashboard.components.controls import Option, button, segments
from dashboard.components.nodes import attrs, optional_id, slug
from dashboard.components.panels import panel
from dashboard.patches import Patch
from dashboard.views.agent_crowd import CROWDS
from dashboard.views.agents import AgentView, MeasuredView

SHAPE, COUNTS, SINCE, OWNER, MEASURED = (
    "agents-shape", "agents-list-counts", "agents-since", "agents-list-owner", "agents-list-measured",
)  # fmt: skip
CROWD_ANSWER = "agents-all-answer"
SHAPES = (Option("table", "Table"), Option("cards", "Cards"))
LAST_TIP = "Since its newest run, of which it tells once a second"
HEADS = ("Agent", "State", "Every", "Priority", "Last", "p50", "p95", "Runs", "Errors", "Control")


def crowd_id(key: str) -> str:
    """Return the id of a button that acts on many."""
    return f"agents-all-{key}"


def crowd_class(*, is_open: bool) -> str:
    """Return the class of such a button; one that nobody would follow is not there."""
    return f"ph-btn ph-btn-ghost ph-btn-s{'' if is_open else ' ph-none'}"


def list_panel(
    rows: Sequence[AgentView],
    chosen: str,
    counts: Sequence[tuple[str, str, str]],
    open_to: Collection[str],
    measured: MeasuredView,
    above: Component,
) -> html.Section:
    """Return the panel with every agent; its head counts states where the graph is out of sight.

    `open_to` names the acts on many that somebody would follow; `measured` says when the figures were taken;
    `above` is what a phone shows before the agents.
    """
    listed = [agent_row(row, is_chosen=row.agent_id == chosen) for row in rows]
    tools = [
        html.Div(part.heading_pills(counts), id=COUNTS, className="ph-line ph-agents-counts"),
        *(
            button(
                crowd.word,
                "ghost",
                crowd.icon,
                id=crowd_id(crowd.key),
                small=True,
                class_name="" if crowd.key in open_to else "ph-none",
            )
            for crowd in CROWDS
        ),
        segments(SHAPE, SHAPES, "table", label="Show agents as", is_kept=True),
    ]
    body = html.Div(
        [
            html.Div(id=CROWD_ANSWER, className="ph-intent-answer", role="alert"),
            agent_heads(),
            html.Ul(listed, className="ph-agent-list"),
        ],
        className="ph-agent-table",
    )
    since = html.Span("", id=SINCE, className="ph-panel-remark")
    owner = html.Span("", id=OWNER, className="ph-only-phone ph-tx3 ph-t12 ph-fixed")
    remark = html.Div(
        [since, owner, part.measured(MEASURED, measured)], className="ph-line ph-agents-since"
    )
    return aged(
        panel("Agents", above, body, remark=remark, tools=tools, class_name="ph-agents-panel")
    )


def name_id(agent_id: str) -> dict[str, str]:
    """Return the id of the button with the name in the row."""
    return {"type": "agents-name", "agent": agent_id}


def agent_row(view: AgentView, *, is_chosen: bool) -> html.Li:
    """Return one agent: a row of the table or a card; each figure carries its name for readers."""
    key = slug(view.agent_id)
    name = html.Button(
        view.title,
        id=name_id(view.agent_id),
        type="button",
        n_clicks=0,
        className="ph-agent-name",
        **attrs(part.choice(is_chosen=is_chosen)),
    )
    since = part.counter(f"agent-last-{key}", "since", view.last_run_at, view.last_words)
    every = html.Span(
        [html.Span(view.every, id=f"agent-every-{key}"),
         html.Span(view.every_also, id=f"agent-also-{key}", className="ph-agent-also ph-tx3")]
    )  # fmt: skip
    figures = [
        _figure("Every", every, tip=view.every_tip, id=f"agent-pace-{key}"),
        _figure("Priority", html.Span(view.priority, id=f"agent-priority-{key}", className="ph-tx2")),
        _figure("Last", since, tip=LAST_TIP),
        _figure("p50", html.Span(view.p50, id=f"agent-p50-{key}"), tip=view.took_tip),
        _figure("p95", html.Span(view.p95, id=f"agent-p95-{key}"), tip=view.took_tip),
        _figure("Queue", html.Span(view.queue, id=f"agent-queue-{key}"), class_name="ph-card-only"),
        _figure("Runs", html.Span(view.runs, id=f"agent-runs-{key}"), tip=view.runs_tip, id=f"agent-done-{key}"),
        _figure("Errors", html.Span(view.errors, id=f"agent-errors-{key}", className=errors_class(view))),
    ]  # fmt: skip
    return html.Li(
        [
            html.Div(
                [name, html.Span(view.detail, id=f"agent-text-{key}", className="ph-tx3 ph-cut")],
                className="ph-agent-title",
            ),
            html.Div(part.state_pill(view), id=f"agent-state-{key}", className="ph-agent-state"),
            html.Dl(figures, className="ph-agent-figures"),
            html.Div(
                part.controls(view.controls, view),
                id=f"agent-tools-{key}",
                className="ph-agent-tools",
            ),
            html.Div(part.note(view), id=f"agent-note-{key}", className="ph-agent-note"),
        ],
        id=f"agent-{key}",
        className="ph-agent",
    )


def agent_heads() -> html.Div:
    """Return the heads of the columns; readers hear them with each figure instead."""
    return html.Div(
        [html.Span(head) for head in HEADS],
        className="ph-agent-heads",
        **attrs({"aria-hidden": "true"}),
    )


def _figure(
    title: str, value: html.Span, *, tip: str = "", id: str = "", class_name: str | None = None
) -> html.Div:
    data = {"data-tip": tip} if tip else {}
    return html.Div(
        [html.Dt(title), html.Dd(value)],
        className=class_name,
        **optional_id(id or None),
        **attrs(data),
    )


def errors_class(view: AgentView) -> str:
    """Return the class of the count of errors: any is worth a look."""
    return "ph-crit ph-strong" if view.has_errors else "ph-tx3"


# -- live ------------------------------------------------------------------------------------------------------


def figures_patch(rows: Sequence[AgentView]) -> Patch:
    """Return the figures of every agent as texts and attributes: they change all the time."""
    text: dict[str, str] = {}
    cls: dict[str, str] = {}
    marks: dict[str, dict[str, str]] = {}
    for row in rows:
        key = slug(row.agent_id)
        text |= {
            f"agent-p50-{key}": row.p50, f"agent-p95-{key}": row.p95, f"agent-runs-{key}": row.runs,
            f"agent-errors-{key}": row.errors, f"agent-every-{key}": row.every, f"agent-queue-{key}": row.queue,
            f"agent-also-{key}": row.every_also, f"agent-priority-{key}": row.priority,
        }  # fmt: skip
        cls[f"agent-errors-{key}"] = errors_class(row)
        marks[f"agent-done-{key}"] = {"data-tip": row.runs_tip}
        marks[f"agent-pace-{key}"] = {"data-tip": row.every_tip}
        marks[f"agent-last-{key}"] = {"data-ph-since": part.epoch(row.last_run_at)}
        if row.last_run_at is None:
            text[f"agent-last-{key}"] = row.last_words
    return Patch(text=text, cls=cls, attrs=marks)


def states_patch(rows: Sequence[AgentView], open_to: Collection[str]) -> Patch:
    """Return what changes only with a state: pill, buttons, the second line, what can be done with many."""
    props: dict[str, dict[str, Any]] = {}
    text: dict[str, str] = {}
    for row in rows:
        key = slug(row.agent_id)
        props[f"agent-state-{key}"] = {"children": part.state_pill(row)}
        props[f"agent-tools-{key}"] = {"children": part.controls(row.controls, row)}
        props[f"agent-note-{key}"] = {"children": part.note(row)}
        text[f"agent-text-{key}"] = row.detail
    cls = {crowd_id(c.key): crowd_class(is_open=c.key in open_to) for c in CROWDS}
    return Patch(props=props, text=text, cls=cls if rows else {})
