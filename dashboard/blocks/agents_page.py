"""The Agents page put together: its areas, each with the live topics that keep it."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.blocks import agent_list as rows
from dashboard.blocks import agent_panels as side
from dashboard.blocks import agents as part
from dashboard.blocks import pace
from dashboard.blocks import resources as shared
from dashboard.blocks.order_way import order_way_box, order_way_card
from dashboard.blocks.own_agents import own_block
from dashboard.components.nodes import attrs
from dashboard.components.panels import empty_state, panel
from dashboard.views import agent_graph as graph
from dashboard.views import agents as view
from dashboard.views import pace as paces
from dashboard.views import resources, task_queue
from dashboard.views.agent_crowd import open_to
from dashboard.views.journal import RowView
from dashboard.views.order_way import OrderWayView
from dashboard.views.own_agents import own_view
from engine.domain.sections import AgentsSection

DETAIL, LOG = "agents-detail", "agents-log"
COUNTS, REMARK, OWNER = "agents-counts", "agents-remark", "agents-owner"
MEASURED = "agents-measured"


def whole(
    section: AgentsSection, log: Sequence[RowView], wanted: str, way: OrderWayView
) -> list[Component]:
    """Return the page: graph and list at the left; the chosen agent, the queue and the newest events beside them."""
    if not section.rows:
        waiting = empty_state(
            "bot", "No agent yet", "The engine is starting; agents appear with it."
        )
        return [panel("Agents", waiting)]
    return [
        _graph(section, wanted),
        _table(section, wanted, way),
        html.Div(
            [
                html.Div(
                    side.detail(view.detail_view(section, wanted), view.measured_view(section))
                    if wanted
                    else None,
                    id=DETAIL,
                    className="ph-panel-host",
                    **attrs({"data-topics": detail_topics(wanted)}),
                ),
                html.Div(
                    side.queue_panel(
                        task_queue.queue_view(section),
                        part.measured(side.MEASURED, view.measured_view(section)),
                        weights_of(section),
                        shared.services(resources.api_rows(section)),
                        order_way_box(way),
                        shared.pool_box(resources.pool_view(section.pool)),
                    ),
                    className="ph-panel-host",
                    **attrs(
                        {"data-topics": "agents.queue agents.way agents.resources agents.weights"}
                    ),
                ),
                html.Div(
                    side.log_panel(log),
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
                    part.measured(MEASURED, view.measured_view(section)),
                ],
                className="ph-panel-head",
            ),
            html.Div(
                [edges, *nodes],
                className="ph-graph",
                style={"--ph-least": f"{graph.MIN_GRAPH_WIDTH}px"},
            ),
            *own_block(own_view(section), wanted),
        ],
        className="ph-panel ph-area-graph",
        **attrs(
            {"data-topics": "agents.graph agents.counts agents.payloads", "data-age-scope": ""}
        ),
    )


def _table(section: AgentsSection, wanted: str, way: OrderWayView) -> Component:
    return html.Div(
        rows.list_panel(
            view.rows_view(section),
            wanted,
            view.crew_view(section).counts,
            open_to(section.rows),
            view.measured_view(section),
            order_way_card(way),
        ),
        className="ph-area-table ph-panel-host",
        **attrs({"data-topics": "agents.figures agents.states"}),
    )


def detail_topics(agent_id: str) -> str:
    """Return the live topics of the chosen agent: its figures, and what changes only with its state; none of none."""
    return f"agents.detail:{agent_id} agents.chosen:{agent_id}" if agent_id else ""


def log_topic(kind: str, *, is_held: bool) -> str:
    """Return the live topic of the event log: none while it is held."""
    return "" if is_held else f"agents.log:{kind}"


def weights_of(section: AgentsSection) -> Component:
    """Return the scheduler's weights with the intervals in force."""
    intervals = paces.interval_rows(paces.paced_rows(section), {})
    return pace.weights_box(paces.weights_of(section), intervals)
