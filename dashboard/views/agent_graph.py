"""Where the agents stand in the graph and how events run between them: places, edges, rates.

Places are fractions of the free width (0 left, 1 right) and pixels from the top, so the graph stretches with its panel
and its nodes keep their size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views import agents as view
from dashboard.views.agent_controls import main_topic
from dashboard.views.agent_states import (
    LONG,
    main_times,
    milliseconds,
    names_of,
    set_by,
    shortened,
    state_of,
)
from engine.domain.agents import AgentMeasured, AgentStatus
from engine.domain.log import LogRow
from engine.domain.sections import AgentRow, AgentsSection, Quote

NODE_WIDTH, NODE_HEIGHT = 152, 72
MIN_GRAPH_WIDTH = 660
"""Below this the rates no longer fit between the nodes, and the graph scrolls."""
MAX_WIDTH_PX = 4.0
_THIRD = 1 / 3
PLACES: Mapping[str, tuple[float, int]] = {
    "market_data": (0.0, 126),
    "monte_carlo": (_THIRD, 38),
    "risk": (2 * _THIRD, 38),
    "execution": (1.0, 126),
    "sentiment": (_THIRD, 214),
    "strategy": (2 * _THIRD, 214),
    "supervisor": (1.0, 238),
}
"""Where the agents of the house stand; for those of one's own see `dashboard.views.own_agents`."""
FLOW = (
    ("market_data", "monte_carlo", "MARKET_DATA"),
    ("monte_carlo", "risk", "MC_UPDATE"),
    ("risk", "strategy", "RISK_UPDATE"),
    ("strategy", "execution", "SIGNAL_GENERATED"),
    ("sentiment", "strategy", "CUSTOM"),
)
"""What sets each agent off; drawn where the one says the topic and the other hears it."""

_RINGS = {
    "running": "play",
    "late": "clock",
    "paused": "pause",
    "failed": "x",
    "stopped": "square",
    "starting": "circle-dashed",
    "not set up": "",
}
_SILENT = {"paused": "paused", "failed": "failed", "stopped": "stopped", "starting": "starting"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """One agent in the graph; `words` takes the figures' place while it does not run.

    `errors` counts its failures and is empty where there were none; `tip` says the last reason in full.
    """

    agent_id: str
    title: str
    x: float
    top: int
    state: str
    ring: str
    last: str
    queue: str
    next_words: str
    next_run_at: float | None
    words: str
    errors: str
    tip: str
    topic: str
    is_topic_below: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowView:
    """One topic between agents; `speaker` is the id of the one who says it, empty where everybody's events count.

    `state` is "live", "none", "late", "silent" or "failed", `width` in pixels.
    """

    key: str
    names: str
    topic: str
    speaker: str
    state: str
    label: str
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeView(FlowView):
    """A flow between two agents of the house, with its ends as places."""

    start: tuple[float, int]
    end: tuple[float, int]


def nodes_view(section: AgentsSection) -> tuple[NodeView, ...]:
    """Return the agents that have a place."""
    drawn = {source for source, _, _ in _flows(section.rows)}
    return tuple(
        node_view(
            row, section, PLACES[row.agent_id], _topic(row, section, has_edge=row.agent_id in drawn)
        )
        for row in section.rows
        if row.agent_id in PLACES
    )


def node_view(
    row: AgentRow, section: AgentsSection, place: tuple[float, int] = (0.0, 0), topic: str = ""
) -> NodeView:
    """Return one agent as a node, with a topic over it or none."""
    done = row.measured or AgentMeasured(agent_id=row.agent_id)
    state = state_of(row)
    is_at_work = state in {"running", "late"}
    last, queue = milliseconds(main_times(row).last_ms), fmt.count(done.queue)
    words = "" if is_at_work else _words(row, state)
    n_errors = max(done.errors, row.consecutive_errors)
    return NodeView(
        agent_id=row.agent_id,
        title=_node_name(row, section.rows),
        x=place[0],
        top=place[1],
        state=state,
        ring=_RINGS[state],
        last=last,
        queue=queue,
        next_words="event" if row.trigger else view.next_words(row),
        next_run_at=view.next_run_at(row),
        words=words,
        errors=fmt.count(n_errors) if n_errors else "",
        tip=_tip(row, n_errors),
        topic=topic,
        is_topic_below=place == PLACES["strategy"],
    )


def _node_name(row: AgentRow, crew: Sequence[AgentRow]) -> str:
    """Return the title, or the id where the title would not tell it from another: a node has room for one."""
    return row.title if names_of(crew)[row.agent_id] == row.title else row.agent_id


def _topic(row: AgentRow, section: AgentsSection, *, has_edge: bool) -> str:
    """Return the topic over a node; its rate stands there only where no edge carries it."""
    topic = main_topic(row)
    if not topic or row.status is AgentStatus.NOT_SET_UP:
        return ""
    return topic if has_edge else f"{topic} {view.rate(section, topic, row.agent_id)}"


def _words(row: AgentRow, state: str) -> str:
    if state == "failed":
        return _failed_words(row)
    if state in {"paused", "stopped"} and row.since is not None:
        return set_by(row, state)
    return row.reason if state == "not set up" and row.reason else state


def _failed_words(row: AgentRow) -> str:
    """Return how often it failed and why, the number first: a node cuts what does not fit."""
    times = f" {row.consecutive_errors}×" if row.consecutive_errors > 1 else ""
    why = shortened(row.last_error or row.reason)
    return f"failed{times}: {why}" if why else f"failed{times}"


def _tip(row: AgentRow, n_errors: int) -> str:
    """Return what does not fit into a node: the last error with the count, else what keeps it from running."""
    if n_errors:
        last = f", the last: {shortened(row.last_error, 2 * LONG)}" if row.last_error else ""
        return f"{fmt.plural(n_errors, 'error')}{last}"
    return row.reason if row.status is not AgentStatus.RUNNING else ""


def _flows(rows: Sequence[AgentRow]) -> tuple[tuple[str, str, str], ...]:
    by_id = {row.agent_id: row for row in rows}
    return tuple(
        (source, target, topic)
        for source, target, topic in FLOW
        if source in by_id
        and target in by_id
        and topic in by_id[source].topics_out
        and topic in by_id[target].topics_in
    )


def edges_view(section: AgentsSection) -> tuple[EdgeView, ...]:
    """Return the flows that exist: one agent says the topic, the other hears it."""
    by_id = {row.agent_id: row for row in section.rows}
    return tuple(
        _edge(by_id[source], by_id[target], topic, section)
        for source, target, topic in _flows(section.rows)
    )


def last_words(
    flows: Sequence[FlowView], rows: Sequence[LogRow], quotes: Mapping[str, Quote]
) -> dict[str, str]:
    """Return what each flow carried last, by the flow's key; `rows` are the newest events, newest first.

    Ticks are too many to be listed, so the flow of MARKET_DATA tells the newest of the quotes that they left.
    """
    newest: dict[tuple[str, str], str] = {}
    for row in rows:
        words = f"Last: {row.meaning}"
        newest.setdefault((row.source, row.event_type), words)
        newest.setdefault(("", row.event_type), words)
    tick = max(quotes.values(), key=lambda quote: quote.received_at, default=None)
    if tick is not None:
        words = f"Last: {tick.symbol} {fmt.price(tick.price)}"
        newest |= {("", "MARKET_DATA"): words, ("market_data", "MARKET_DATA"): words}
    return {
        flow.key: newest.get((flow.speaker, flow.topic), f"No {flow.topic} among the newest events")
        for flow in flows
    }


def _edge(source: AgentRow, target: AgentRow, topic: str, section: AgentsSection) -> EdgeView:
    state, label, width = said_by(source, topic, section)
    start, end = _ends(PLACES[source.agent_id], PLACES[target.agent_id])
    return EdgeView(
        key=f"{source.agent_id}-{target.agent_id}",
        names=f"{source.title} to {target.title}",
        topic=topic,
        speaker=source.agent_id,
        state=state,
        label=label,
        width=width,
        start=start,
        end=end,
    )


def said_by(row: AgentRow, topic: str, section: AgentsSection) -> tuple[str, str, float]:
    """Return state, label and width in pixels of the flow of a topic that an agent says."""
    rate = view.per_second(section, topic, row.agent_id)
    state = state_of(row)
    return (
        flow_state(state, rate, is_known=bool(section.events_per_second)),
        _SILENT.get(state) or view.rate(section, topic, row.agent_id),
        width_of(rate if state in {"running", "late"} else 0.0),
    )


def flow_state(speakers_state: str, rate: float, *, is_known: bool) -> str:
    """Return the state of a flow from that of who says it and its events per second."""
    if speakers_state in _SILENT:
        return "failed" if speakers_state == "failed" else "silent"
    if is_known and not rate:
        return "none"
    return "late" if speakers_state == "late" else "live"


def width_of(events_per_second: float) -> float:
    """Return an edge's width in half pixels, so that a small change of the rate redraws nothing.

    Examples
    --------
    >>> width_of(0.0), width_of(1.0), width_of(8.0), width_of(1000.0)
    (1.0, 2.0, 3.5, 4.0)
    """
    exact = 1 + 2.6 * math.log10(1 + max(0.0, events_per_second))
    return min(MAX_WIDTH_PX, round(2 * exact) / 2)


def _ends(
    source: tuple[float, int], target: tuple[float, int]
) -> tuple[tuple[float, int], tuple[float, int]]:
    """Return where an edge leaves and arrives: sideways, or down between nodes of one column."""
    middle = NODE_HEIGHT // 2
    if source[0] == target[0]:
        return (source[0], source[1] + NODE_HEIGHT), (target[0], target[1])
    return (source[0], source[1] + middle), (target[0], target[1] + middle)
