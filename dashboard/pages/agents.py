"""Agents: the live graph, every agent with its controls, the chosen one in detail, the queue, the newest events."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import dash
from dash import ALL, Input, Output, State, ctx, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.blocks import agent_panels as side
from dashboard.blocks import agents as part
from dashboard.blocks import pace
from dashboard.blocks.journal import log_rows
from dashboard.components.nodes import attrs
from dashboard.components.panels import empty_state, panel
from dashboard.host import GatewayPort, send
from dashboard.page import LivePart, Page
from dashboard.patches import Patch
from dashboard.views import agent_graph as graph
from dashboard.views import agents as view
from dashboard.views import journal, task_queue
from dashboard.views import pace as paces
from engine.domain.errors import PilothouseError
from engine.domain.sections import AgentRow, AgentsSection, LogSection, Snapshot

PAGE = Page(path="/agents", title="Agents", icon="bot", key="a")

ROOT, DETAIL, LOG = "agents-root", "agents-detail", "agents-log"
COUNTS, REMARK, OWNER = "agents-counts", "agents-remark", "agents-owner"
N_LOG = 24


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:
    """Return the page with the agent of the address chosen."""
    snapshot = gateway.read(("agents", "log"))
    section = _agents(snapshot)
    wanted = view.chosen(section, query.get("agent", ""))
    return html.Div(
        _whole(section, snapshot, wanted),
        id=ROOT,
        className="ph-page ph-page-agents" if section.rows else "ph-page ph-page-plain",
        **attrs({"data-topics": f"agents.crew:{view.crew_key(section)}"}),
    )


def _agents(snapshot: Snapshot) -> AgentsSection:
    return snapshot.value("agents") or AgentsSection()


def _whole(section: AgentsSection, snapshot: Snapshot, wanted: str) -> list[Component]:
    if not section.rows:
        waiting = empty_state(
            "bot", "No agent yet", "The engine is starting; agents appear with it."
        )
        return [panel("Agents", waiting)]
    return [
        _graph(section, wanted),
        _table(section, wanted),
        html.Div(
            [
                html.Div(
                    side.detail(view.detail_view(section, wanted)),
                    id=DETAIL,
                    className="ph-panel-host",
                    **attrs({"data-topics": detail_topics(wanted)}),
                ),
                html.Div(
                    side.queue_panel(task_queue.queue_view(section), _weights(section)),
                    className="ph-panel-host",
                    **attrs({"data-topics": "agents.queue agents.weights"}),
                ),
                html.Div(
                    side.log_panel(_log(snapshot, side.ALL_TOPICS)),
                    id=LOG,
                    className="ph-panel-host",
                    **attrs({"data-topics": log_topic(side.ALL_TOPICS, is_held=False)}),
                ),
            ],
            className="ph-area-detail ph-agents-side",
        ),
    ]


def _graph(section: AgentsSection, wanted: str) -> Component:
    crew = view.crew_view(section)
    edges = html.Ul([part.edge(edge) for edge in graph.edges_view(section)], className="ph-edges")
    nodes = [part.node(n, is_chosen=n.agent_id == wanted) for n in graph.nodes_view(section)]
    return html.Section(
        [
            html.Header(
                [
                    html.H2("Agent graph"),
                    html.Div(part.heading_pills(crew.counts), id=COUNTS, className="ph-line"),
                    html.Span("", id=OWNER, className="ph-tx3 ph-t12"),
                    html.Span(crew.remark, id=REMARK, className="ph-panel-remark ph-push"),
                ],
                className="ph-panel-head",
            ),
            html.Div(
                [edges, *nodes],
                className="ph-graph",
                style={"--ph-least": f"{graph.MIN_GRAPH_WIDTH}px"},
            ),
        ],
        className="ph-panel ph-area-graph",
        **attrs({"data-topics": "agents.graph agents.counts agents.payloads"}),
    )


def _table(section: AgentsSection, wanted: str) -> Component:
    rows = [
        part.agent_row(row, is_chosen=row.agent_id == wanted) for row in view.rows_view(section)
    ]
    body = html.Div(
        [part.agent_heads(), html.Ul(rows, className="ph-agent-list")], className="ph-agent-table"
    )
    listed = panel("Agents", body, class_name="ph-agents-panel")
    return html.Div(
        listed,
        className="ph-area-table ph-panel-host",
        **attrs({"data-topics": "agents.figures agents.states"}),
    )


def detail_topics(agent_id: str) -> str:
    """Return the live topics of the chosen agent: its figures, and what changes only with its state."""
    return f"agents.detail:{agent_id} agents.chosen:{agent_id}"


def log_topic(kind: str, *, is_held: bool) -> str:
    """Return the live topic of the event log: none while it is held."""
    return "" if is_held else f"agents.log:{kind}"


def _log(snapshot: Snapshot, kind: str) -> tuple[journal.RowView, ...]:
    section: LogSection | None = snapshot.value("log")
    rows = section.rows if section else ()
    return journal.rows_view(rows, () if kind == side.ALL_TOPICS else (kind,))[:N_LOG]


def sample_layout() -> Component:
    """Return the page with somebody in it, so that Dash knows the ids before the engine runs."""
    row = AgentRow(agent_id="sample", title="Sample", interval_s=60.0, base_interval_s=60.0)
    section = AgentsSection(rows=(row,))
    return html.Div(_whole(section, Snapshot(version=0), "sample"))


def _weights(section: AgentsSection) -> Component:
    rows = paces.interval_rows(paces.paced_rows(section), {})
    return pace.weights_box(paces.weights_of(section), rows)


# -- live ------------------------------------------------------------------------------------------------------


def render_crew(snapshot: Snapshot, known: str) -> Patch:
    """Return the whole page when the crew is not the one that was drawn, else nothing."""
    section = _agents(snapshot)
    if not section.rows or view.crew_key(section) == known:
        return Patch()
    return Patch(
        props={
            ROOT: {
                "children": _whole(section, snapshot, view.chosen(section, "")),
                "className": "ph-page ph-page-agents",
                "data-topics": f"agents.crew:{view.crew_key(section)}",
            }
        }
    )


def render_counts(snapshot: Snapshot, _: str) -> Patch:
    """Return the counts over the graph."""
    crew = view.crew_view(_agents(snapshot))
    return Patch(
        text={REMARK: crew.remark, OWNER: view.owner_words(snapshot.value("engine"))},
        props={COUNTS: {"children": part.heading_pills(crew.counts)}},
    )


def render_graph(snapshot: Snapshot, _: str) -> Patch:
    """Return states and figures of nodes and edges."""
    section = _agents(snapshot)
    return part.graph_patch(graph.nodes_view(section), graph.edges_view(section))


def render_payloads(snapshot: Snapshot, _: str) -> Patch:
    """Return what each flow carried last."""
    log: LogSection | None = snapshot.value("log")
    last = graph.last_words(graph.edges_view(_agents(snapshot)), log.rows if log else ())
    return Patch(attrs={f"edge-rate-{key}": {"data-tip": words} for key, words in last.items()})


def render_figures(snapshot: Snapshot, _: str) -> Patch:
    """Return the figures of the table."""
    text: dict[str, str] = {}
    cls: dict[str, str] = {}
    marks: dict[str, dict[str, str]] = {}
    for row in view.rows_view(_agents(snapshot)):
        key = part.slug(row.agent_id)
        text |= {
            f"agent-p50-{key}": row.p50, f"agent-p95-{key}": row.p95, f"agent-runs-{key}": row.runs,
            f"agent-errors-{key}": row.errors, f"agent-every-{key}": row.every,
        }  # fmt: skip
        cls[f"agent-errors-{key}"] = part.errors_class(row)
        marks[f"agent-done-{key}"] = {"data-tip": row.runs_tip}
        marks[f"agent-last-{key}"] = {"data-ph-since": part.epoch(row.last_run_at)}
        if row.last_run_at is None:
            text[f"agent-last-{key}"] = "never"
    return Patch(text=text, cls=cls, attrs=marks)


def render_states(snapshot: Snapshot, _: str) -> Patch:
    """Return what changes only with a state: pill, buttons, the second line."""
    props: dict[str, dict[str, Any]] = {}
    text: dict[str, str] = {}
    for row in view.rows_view(_agents(snapshot)):
        key = part.slug(row.agent_id)
        props[f"agent-state-{key}"] = {"children": part.state_pill(row)}
        props[f"agent-tools-{key}"] = {"children": part.controls(row.controls, row)}
        props[f"agent-note-{key}"] = {"children": part.note(row)}
        text[f"agent-text-{key}"] = row.detail
    return Patch(props=props, text=text)


def render_detail(snapshot: Snapshot, agent_id: str) -> Patch:
    """Return the figures of the chosen agent."""
    shown = view.detail_view(_agents(snapshot), agent_id)
    return Patch() if shown is None else side.detail_patch(shown)


def render_chosen(snapshot: Snapshot, agent_id: str) -> Patch:
    """Return what changes only with the state of the chosen agent."""
    shown = view.detail_view(_agents(snapshot), agent_id)
    if shown is None:
        return Patch()
    return Patch(
        props={
            side.PILL: {"children": part.state_pill(shown.row)},
            side.TOOLS: {"children": side.detail_tools(shown)},
            side.NOTE: {"children": part.note(shown.row)},
        },
        text=pace.pace_text(shown.pace),
    )


def render_queue(snapshot: Snapshot, _: str) -> Patch:
    """Return the queue by priority."""
    return side.queue_patch(task_queue.queue_view(_agents(snapshot)))


def render_weights(snapshot: Snapshot, _: str) -> Patch:
    """Return the weights in force; the sliders stay as somebody moves them."""
    section = _agents(snapshot)
    rows = paces.interval_rows(paces.paced_rows(section), {})
    return Patch(text=pace.weights_text(paces.weights_of(section), rows))


def render_log(snapshot: Snapshot, kind: str) -> Patch:
    """Return the newest events of a kind."""
    return Patch(attrs={side.LOG_BODY: {"data-ph-rows": log_rows(_log(snapshot, kind))}})


_CREW = ("agents",)
LIVE = (
    LivePart(
        name="agents.crew", sections=("agents", "log"), render=render_crew, min_interval_s=1.0
    ),
    LivePart(
        name="agents.counts",
        sections=("agents", "engine"),
        render=render_counts,
        min_interval_s=0.5,
    ),
    LivePart(
        name="agents.payloads",
        sections=("agents", "log"),
        render=render_payloads,
        min_interval_s=1.0,
    ),
    LivePart(name="agents.graph", sections=_CREW, render=render_graph, min_interval_s=0.5),
    LivePart(name="agents.figures", sections=_CREW, render=render_figures, min_interval_s=0.5),
    LivePart(name="agents.states", sections=_CREW, render=render_states, min_interval_s=0.2),
    LivePart(name="agents.detail", sections=_CREW, render=render_detail, min_interval_s=0.5),
    LivePart(name="agents.chosen", sections=_CREW, render=render_chosen, min_interval_s=0.2),
    LivePart(name="agents.queue", sections=_CREW, render=render_queue, min_interval_s=1.0),
    LivePart(name="agents.weights", sections=_CREW, render=render_weights, min_interval_s=1.0),
    LivePart(name="agents.log", sections=("log",), render=render_log, min_interval_s=1.0),
)


# -- intent ----------------------------------------------------------------------------------------------------


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect the choice of an agent, the log's filter and its hold; commands go through the frame."""
    _register_pace(app, gateway)
    nodes, names = {"type": "agents-node", "agent": ALL}, {"type": "agents-name", "agent": ALL}

    @app.callback(
        Output(DETAIL, "children"), Output(DETAIL, "data-topics"), Output(ROOT, "data-ph-here"),
        Output(nodes, "aria-pressed"), Output(names, "aria-pressed"),
        Input(nodes, "n_clicks"), Input(names, "n_clicks"), State(nodes, "id"), State(names, "id"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def choose(
        node_clicks: list[int], name_clicks: list[int], node_ids: list[Any], name_ids: list[Any]
    ) -> Any:  # noqa: ANN401 -- Dash's own tuple
        clicked = ctx.triggered_id
        if not isinstance(clicked, dict) or not any([*node_clicks, *name_clicks]):
            raise PreventUpdate
        return await asyncio.to_thread(_chosen, gateway, clicked["agent"], node_ids, name_ids)

    @app.callback(
        Output(side.LOG_BODY, "data-ph-rows"), Output(LOG, "data-topics"), Output(side.LOG_HOLD, "aria-pressed"),
        Input(side.LOG_KIND, "value"), Input(side.LOG_HOLD, "n_clicks"), State(side.LOG_HOLD, "aria-pressed"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def filter_log(kind: str | None, _clicks: int, held: str) -> Any:  # noqa: ANN401 -- Dash's own tuple
        is_held = (held == "true") != (ctx.triggered_id == side.LOG_HOLD)
        snapshot = await asyncio.to_thread(gateway.read, ("log",))
        mark = "true" if is_held else "false"
        wanted = kind or side.ALL_TOPICS
        rows = log_rows(_log(snapshot, wanted))
        return rows, log_topic(wanted, is_held=is_held), mark


def _register_pace(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect the form of the chosen agent's pace, and the scheduler's weights."""
    sliders = [Input(pace.slider_id(key), "value") for key in paces.TITLES]

    @app.callback(
        *(Output(pace.number_id(key), "children") for key in paces.TITLES), Output(pace.ROWS, "children"), *sliders
    )  # fmt: skip
    async def weigh(*values: Any) -> Any:  # noqa: ANN401 -- Dash's own tuple
        return await asyncio.to_thread(
            _weighed, gateway, dict(zip(paces.TITLES, values, strict=False))
        )

    @app.callback(
        Output(pace.SENT, "children"), Input(pace.APPLY, "n_clicks"),
        *(State(pace.slider_id(key), "value") for key in paces.TITLES), prevent_initial_call=True,
    )  # fmt: skip
    async def apply_weights(clicks: int, *values: Any) -> Any:  # noqa: ANN401 -- Dash's own value
        if not clicks:
            raise PreventUpdate
        wish = paces.proposed(dict(zip(paces.TITLES, values, strict=False)))
        return await asyncio.to_thread(send, gateway, paces.weights_command(wish))

    @app.callback(
        Output(pace.ERROR, "children"), Input(pace.SET, "n_clicks"), State(pace.INTERVAL, "value"),
        State(pace.PRIORITY, "value"), State(pace.FORM, "data-agent"), prevent_initial_call=True,
    )  # fmt: skip
    async def set_pace(clicks: int, seconds: str, priority: str, agent_id: str) -> Any:  # noqa: ANN401 -- as above
        if not clicks:
            raise PreventUpdate
        return await asyncio.to_thread(send_pace, gateway, agent_id, seconds, priority)


def _weighed(gateway: GatewayPort, percent: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the numbers beside the sliders and where they would lead each interval."""
    rows = paces.paced_rows(_agents(gateway.read(("agents",))))
    targets = gateway.ask("intervals", rows=rows, weights=paces.proposed(percent))
    numbers = [f"{percent.get(key)}%" for key in paces.TITLES]
    return *numbers, pace.interval_list(paces.interval_rows(rows, targets))


def send_pace(gateway: GatewayPort, agent_id: str, seconds: str | None, priority: str) -> str:
    """Send an agent's pace; return words when it could not be sent."""
    try:
        command = paces.pace_command(agent_id, seconds, priority)
    except PilothouseError as error:
        return str(error)
    return send(gateway, command)


def _chosen(
    gateway: GatewayPort, agent_id: str, node_ids: list[Any], name_ids: list[Any]
) -> tuple[Component, str, str, list[str], list[str]]:
    """Return the detail of the agent that was clicked, its topic, and the marks of every button."""
    section = _agents(gateway.read(("agents",)))

    def marks(ids: list[Any]) -> list[str]:
        return ["true" if i["agent"] == agent_id else "false" for i in ids]

    shown = side.detail(view.detail_view(section, agent_id))
    here = f"{PAGE.path}?{urlencode({'agent': agent_id})}"
    return shown, detail_topics(agent_id), here, marks(node_ids), marks(name_ids)
