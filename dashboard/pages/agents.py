"""Agents: the live graph, every agent with its controls, the chosen one in detail, the queue, the newest events."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import dash
from dash import ALL, Input, Output, State, ctx, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard.blocks import agent_list as rows
from dashboard.blocks import agent_panels as side
from dashboard.blocks import agents as part
from dashboard.blocks import pace
from dashboard.blocks import resources as shared
from dashboard.blocks.agents_page import (
    COUNTS,
    DETAIL,
    LOG,
    MEASURED,
    OWNER,
    REMARK,
    detail_topics,
    log_topic,
    whole,
)
from dashboard.blocks.journal import log_rows
from dashboard.blocks.order_way import order_way_patch
from dashboard.blocks.own_agents import own_patch
from dashboard.components.nodes import attrs
from dashboard.host import GatewayPort, send
from dashboard.page import LivePart, Page
from dashboard.patches import Patch, merge
from dashboard.views import agent_crowd as crowd
from dashboard.views import agent_graph as graph
from dashboard.views import agents as view
from dashboard.views import journal, resources, task_queue
from dashboard.views import pace as paces
from dashboard.views.order_way import order_way_view
from dashboard.views.own_agents import own_view, stubs_of
from engine.domain.errors import PilothouseError
from engine.domain.events import EventType
from engine.domain.log import LogSection
from engine.domain.sections import AgentRow, AgentsSection, QuotesSection, Snapshot

PAGE = Page(path="/agents", title="Agents", icon="bot", key="a")

ROOT = "agents-root"
_WHOLE = ("agents", "log", "order_way")
_KINDS = tuple(kind.key for kind in journal.KINDS)


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:
    """Return the page with the agent of the address chosen."""
    snapshot = gateway.read(_WHOLE)
    section = _agents(snapshot)
    is_closed = query.get("detail") == "closed"
    wanted = "" if is_closed else view.chosen(section, query.get("agent", ""))
    return html.Div(
        whole(section, _log(snapshot, side.ALL_TOPICS), wanted, order_way_view(snapshot)),
        id=ROOT,
        className="ph-page ph-page-agents" if section.rows else "ph-page ph-page-plain",
        **attrs({"data-topics": f"agents.crew:{view.crew_key(section)}"}),
    )


def _agents(snapshot: Snapshot) -> AgentsSection:
    return snapshot.value("agents") or AgentsSection()


def _log(snapshot: Snapshot, kind: str) -> tuple[journal.RowView, ...]:
    """Return the newest of what the live section holds, which is the newest of all kinds."""
    section: LogSection | None = snapshot.value("log")
    newest = section.rows if section else ()
    if kind != side.ALL_TOPICS:
        return journal.rows_view(newest, (kind,))[: side.N_LOG]
    return journal.folded(journal.rows_view(newest))[: side.N_LOG]


def _listed(gateway: GatewayPort, kind: str) -> tuple[journal.RowView, ...]:
    """Return the newest events of a kind, from the journal where they are rare."""
    if kind != side.ALL_TOPICS:
        types = tuple(EventType(name) for name in sorted(journal.types_of((kind,))))
        with suppress(PilothouseError):
            found = gateway.ask(
                "events", types=types, text="", before_seq=None, limit=side.N_LOG, is_brief=True
            )
            return journal.rows_view(found, (kind,))
    return _log(gateway.read(("log",)), kind)


def sample_layout() -> Component:
    """Return the page with somebody in it, so that Dash knows the ids before the engine runs."""
    row = AgentRow(agent_id="sample", title="Sample", interval_s=60.0, base_interval_s=60.0)
    section = AgentsSection(rows=(row,))
    return html.Div(whole(section, (), "sample", order_way_view(Snapshot(version=0))))


# -- live ------------------------------------------------------------------------------------------------------


def render_crew(snapshot: Snapshot, known: str) -> Patch:
    """Return the whole page when the crew is not the one that was drawn, else nothing."""
    section = _agents(snapshot)
    if not section.rows or view.crew_key(section) == known:
        return Patch()
    return Patch(
        props={
            ROOT: {
                "children": whole(
                    section,
                    _log(snapshot, side.ALL_TOPICS),
                    view.chosen(section, ""),
                    order_way_view(snapshot),
                ),
                "className": "ph-page ph-page-agents",
                "data-topics": f"agents.crew:{view.crew_key(section)}",
            }
        }
    )


def render_counts(snapshot: Snapshot, _: str) -> Patch:
    """Return the counts over the graph, and when they were taken."""
    section, engine = _agents(snapshot), snapshot.value("engine")
    crew = view.crew_view(section)
    owner = f"owner {engine.owner}" if engine is not None and engine.owner else ""
    words = {REMARK: crew.remark, rows.SINCE: view.since_words(engine), rows.OWNER: owner}
    counts = Patch(
        text=words | {OWNER: view.owner_words(engine)},
        props={
            place: {"children": part.heading_pills(crew.counts)} for place in (COUNTS, rows.COUNTS)
        },
    )
    shown = view.measured_view(section)
    return merge((counts, *(part.measured_patch(at, shown) for at in (MEASURED, rows.MEASURED))))


def render_graph(snapshot: Snapshot, _: str) -> Patch:
    """Return states and figures of nodes and edges."""
    section = _agents(snapshot)
    placed = part.graph_patch(graph.nodes_view(section), graph.edges_view(section))
    return merge((placed, own_patch(own_view(section))))


def render_payloads(snapshot: Snapshot, _: str) -> Patch:
    """Return what each flow carried last."""
    section = _agents(snapshot)
    log: LogSection | None = snapshot.value("log")
    quotes: QuotesSection | None = snapshot.value("quotes")
    last = graph.last_words(
        (*graph.edges_view(section), *stubs_of(own_view(section))),
        log.rows if log else (),
        quotes.quotes if quotes else {},
    )
    return Patch(
        text={f"edge-last-{key}": words for key, words in last.items()},
        attrs={f"edge-rate-{key}": {"data-tip": words} for key, words in last.items()},
    )


def render_figures(snapshot: Snapshot, _: str) -> Patch:
    """Return the figures of every agent."""
    return rows.figures_patch(view.rows_view(_agents(snapshot)))


def render_states(snapshot: Snapshot, _: str) -> Patch:
    """Return what changes only with a state of an agent."""
    section = _agents(snapshot)
    return rows.states_patch(view.rows_view(section), crowd.open_to(section.rows))


def render_detail(snapshot: Snapshot, agent_id: str) -> Patch:
    """Return the figures of the chosen agent."""
    section = _agents(snapshot)
    shown = view.detail_view(section, agent_id)
    if shown is None:
        return Patch()
    told = part.measured_patch(side.DETAIL_MEASURED, view.measured_view(section))
    return merge((side.detail_patch(shown), told))


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
    section = _agents(snapshot)
    told = part.measured_patch(side.MEASURED, view.measured_view(section))
    return merge((side.queue_patch(task_queue.queue_view(section)), told))


def render_way(snapshot: Snapshot, _: str) -> Patch:
    """Return how long the newest order took from its close."""
    return order_way_patch(order_way_view(snapshot))


def render_resources(snapshot: Snapshot, _: str) -> Patch:
    """Return outside services and what all agents share."""
    section = _agents(snapshot)
    return shared.resources_patch(resources.api_rows(section), resources.pool_view(section.pool))


def render_weights(snapshot: Snapshot, _: str) -> Patch:
    """Return the weights in force; the sliders stay as somebody moves them."""
    section = _agents(snapshot)
    intervals = paces.interval_rows(paces.paced_rows(section), {})
    return Patch(text=pace.weights_text(paces.weights_of(section), intervals))


def render_log(snapshot: Snapshot, kind: str) -> Patch:
    """Return the newest events; those of one kind are put above what the journal gave."""
    how = "data-ph-rows" if kind == side.ALL_TOPICS else "data-ph-newer"
    return Patch(attrs={side.LOG_BODY: {how: log_rows(_log(snapshot, kind))}})


_CREW = ("agents",)
LIVE = (
    LivePart(name="agents.crew", sections=_WHOLE, render=render_crew, min_interval_s=1.0),
    LivePart(
        name="agents.counts",
        sections=("agents", "engine"),
        render=render_counts,
        min_interval_s=0.5,
    ),
    LivePart(
        name="agents.payloads",
        sections=("agents", "log", "quotes"),
        render=render_payloads,
        min_interval_s=1.0,
    ),
    LivePart(name="agents.graph", sections=_CREW, render=render_graph, min_interval_s=0.5),
    LivePart(name="agents.figures", sections=_CREW, render=render_figures, min_interval_s=0.5),
    LivePart(name="agents.states", sections=_CREW, render=render_states, min_interval_s=0.2),
    LivePart(name="agents.detail", sections=_CREW, render=render_detail, min_interval_s=0.5),
    LivePart(name="agents.chosen", sections=_CREW, render=render_chosen, min_interval_s=0.2),
    LivePart(name="agents.queue", sections=_CREW, render=render_queue, min_interval_s=1.0),
    LivePart(
        name="agents.way", sections=("agents", "order_way"), render=render_way, min_interval_s=1.0
    ),
    LivePart(name="agents.resources", sections=_CREW, render=render_resources, min_interval_s=1.0),
    LivePart(name="agents.weights", sections=_CREW, render=render_weights, min_interval_s=1.0),
    LivePart(name="agents.log", sections=("log",), render=render_log, min_interval_s=1.0),
)


# -- intent ----------------------------------------------------------------------------------------------------


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect the choice of an agent, the log's filter and its hold; commands go through the frame."""
    _register_pace(app, gateway)
    _register_crowds(app, gateway)
    nodes, names = {"type": "agents-node", "agent": ALL}, {"type": "agents-name", "agent": ALL}

    @app.callback(
        Output(DETAIL, "children"), Output(DETAIL, "data-topics"), Output(ROOT, "data-ph-here"),
        Output(nodes, "aria-pressed"), Output(names, "aria-pressed"),
        Input(nodes, "n_clicks"), Input(names, "n_clicks"), Input(side.close_id(ALL), "n_clicks"),
        State(nodes, "id"), State(names, "id"), prevent_initial_call=True,
    )  # fmt: skip
    async def choose(*given: list[Any]) -> Any:  # noqa: ANN401 -- Dash's own tuple
        *clicks, node_ids, name_ids = given
        clicked = ctx.triggered_id
        if not isinstance(clicked, dict) or not any(map(any, clicks)):
            raise PreventUpdate
        wanted = "" if clicked["type"] == side.CLOSE else clicked["agent"]
        return await asyncio.to_thread(_chosen, gateway, wanted, node_ids, name_ids)

    @app.callback(
        Output(side.LOG_BODY, "data-ph-rows"), Output(LOG, "data-topics"), Output(side.LOG_HOLD, "aria-pressed"),
        Input(side.LOG_KIND, "value"), Input(side.LOG_HOLD, "n_clicks"), State(side.LOG_HOLD, "aria-pressed"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def filter_log(kind: Any, _clicks: int, held: str) -> Any:  # noqa: ANN401 -- Dash's own tuple
        is_held = (held == "true") != (ctx.triggered_id == side.LOG_HOLD)
        mark = "true" if is_held else "false"
        wanted = kind if kind in _KINDS else side.ALL_TOPICS
        newest = log_rows(await asyncio.to_thread(_listed, gateway, wanted))
        return newest, log_topic(wanted, is_held=is_held), mark


def _register_crowds(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect the buttons that act on many: one command to each, answered by one toast."""
    buttons = [Input(rows.crowd_id(kind.key), "n_clicks") for kind in crowd.CROWDS]

    @app.callback(Output(rows.CROWD_ANSWER, "children"), *buttons, prevent_initial_call=True)
    async def act_on_many(*clicks: int | None) -> Any:  # noqa: ANN401 -- Dash's own value
        if not any(clicks):
            raise PreventUpdate
        return await asyncio.to_thread(send_to_many, gateway, str(ctx.triggered_id))


def send_to_many(gateway: GatewayPort, pressed: str) -> str:
    """Send the commands of the button that was pressed; return words when one could not be sent."""
    kind = next(kind for kind in crowd.CROWDS if rows.crowd_id(kind.key) == pressed)
    for command_id, command in crowd.commands_of(kind, _agents(gateway.read(("agents",))).rows):
        words = send(gateway, command, command_id)
        if words:
            return words
    return ""


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
        Output(pace.ERROR, "children"), Input(pace.SET, "n_clicks"), Input(pace.INTERVAL, "n_submit"),
        State(pace.INTERVAL, "value"), State(pace.PRIORITY, "value"), State(pace.FORM, "data-agent"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def set_pace(
        clicks: int, enters: int | None, seconds: str, priority: str, agent_id: str
    ) -> Any:  # noqa: ANN401 -- as above
        if not (clicks or enters):
            raise PreventUpdate
        return await asyncio.to_thread(send_pace, gateway, agent_id, seconds, priority)


def _weighed(gateway: GatewayPort, percent: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the numbers beside the sliders and where they would lead each interval."""
    paced = paces.paced_rows(_agents(gateway.read(("agents",))))
    targets = gateway.ask("intervals", rows=paced, weights=paces.proposed(percent))
    numbers = [f"{percent.get(key)}%" for key in paces.TITLES]
    return *numbers, pace.interval_list(paces.interval_rows(paced, targets))


def send_pace(gateway: GatewayPort, agent_id: str, seconds: str | None, priority: str) -> str:
    """Send an agent's pace; return words when it could not be sent."""
    try:
        command = paces.pace_command(agent_id, seconds, priority)
    except PilothouseError as error:
        return str(error)
    return send(gateway, command)


def _chosen(
    gateway: GatewayPort, agent_id: str, node_ids: list[Any], name_ids: list[Any]
) -> tuple[Component | None, str, str, list[str], list[str]]:
    """Return the detail of the agent that was clicked, its topic, and the marks of every button; none closes it."""
    section = _agents(gateway.read(("agents",)))

    def marks(ids: list[Any]) -> list[str]:
        return ["true" if i["agent"] == agent_id else "false" for i in ids]

    shown = (
        side.detail(view.detail_view(section, agent_id), view.measured_view(section))
        if agent_id
        else None
    )
    here = f"{PAGE.path}?{urlencode({'agent': agent_id} if agent_id else {'detail': 'closed'})}"
    return shown, detail_topics(agent_id), here, marks(node_ids), marks(name_ids)
