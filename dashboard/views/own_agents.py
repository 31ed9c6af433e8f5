"""Agents of one's own in the graph: each with its node, what it hears at the left of it and what it says at the right.

They stand in rows below the house's agents, however many there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dashboard import formatting as fmt
from dashboard.components.nodes import slug
from dashboard.views import agents as view
from dashboard.views.agent_graph import (
    PLACES,
    FlowView,
    NodeView,
    flow_state,
    node_view,
    said_by,
    width_of,
)
from dashboard.views.agent_states import names_of
from engine.domain.events import OPEN_TYPES
from engine.domain.sections import AgentRow, AgentsSection

N_STUBS = 2
"""Topics drawn at each side of a node; the others are counted, and told by a tip."""
N_LETTERS = 13
"""Letters of a name that a node has room for."""
N_NAMED = 3
"""Agents that a flow names at its other end."""
THE_BUS = "the bus"
"""Who is at the other end where no agent is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestView:
    """The topics of a side that are not drawn: how many, in words for readers, and each with its rate."""

    key: str
    label: str
    names: str
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SideView:
    """What an agent hears, or what it says."""

    stubs: tuple[FlowView, ...]
    rest: RestView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnView:
    """One agent of one's own."""

    node: NodeView
    hears: SideView
    says: SideView


def own_view(section: AgentsSection) -> tuple[OwnView, ...]:
    """Return the agents of one's own in start order: all that have no place in the graph."""
    return tuple(
        OwnView(node=_node(row, section), hears=_hears(row, section), says=_says(row, section))
        for row in section.rows
        if row.agent_id not in PLACES
    )


def stubs_of(own: Sequence[OwnView]) -> tuple[FlowView, ...]:
    """Return every flow that is drawn."""
    return tuple(stub for one in own for side in (one.hears, one.says) for stub in side.stubs)


def _node(row: AgentRow, section: AgentsSection) -> NodeView:
    """Return its node, with the whole name as the tip where it is cut and nothing else is to be told."""
    node = node_view(row, section)
    is_cut = len(node.title) > N_LETTERS
    return replace(node, tip=node.title) if is_cut and not node.tip else node


def _hears(row: AgentRow, section: AgentsSection) -> SideView:
    topics = tuple(dict.fromkeys(row.topics_in))
    stubs = tuple(_heard(row, topic, section) for topic in topics[:N_STUBS])
    rest = tuple((topic, view.rate(section, topic)) for topic in topics[N_STUBS:])
    return SideView(stubs=stubs, rest=_rest(row, "in", rest))


def _says(row: AgentRow, section: AgentsSection) -> SideView:
    """Return what it says by its declaration, and what it was heard to say besides."""
    said = section.events_by_source.get(row.agent_id, {})
    undeclared = (kind.value for kind in OPEN_TYPES if kind.value in said)
    topics = tuple(dict.fromkeys((*row.topics_out, *undeclared)))
    stubs = tuple(_said(row, topic, section) for topic in topics[:N_STUBS])
    rest = tuple((topic, said_by(row, topic, section)[1]) for topic in topics[N_STUBS:])
    return SideView(stubs=stubs, rest=_rest(row, "out", rest))


def _heard(row: AgentRow, topic: str, section: AgentsSection) -> FlowView:
    """Return a topic that it hears, from whoever says it."""
    speakers = [other for other in section.rows if topic in other.topics_out]
    rate = view.per_second(section, topic)
    is_known = bool(section.events_per_second) or not speakers
    who = _others(row, speakers, section)
    return FlowView(
        key=f"in-{slug(row.agent_id)}-{topic}",
        names=f"{who[:1].upper()}{who[1:]} to {names_of(section.rows)[row.agent_id]}",
        topic=topic,
        speaker="",
        state=flow_state("running", rate, is_known=is_known),
        label=view.rate(section, topic),
        width=width_of(rate),
    )


def _said(row: AgentRow, topic: str, section: AgentsSection) -> FlowView:
    """Return a topic that it says, to whoever hears it."""
    hearers = [other for other in section.rows if topic in other.topics_in]
    state, label, width = said_by(row, topic, section)
    who = _others(row, hearers, section)
    return FlowView(
        key=f"out-{slug(row.agent_id)}-{topic}",
        names=f"{names_of(section.rows)[row.agent_id]} to {who}",
        topic=topic,
        speaker=row.agent_id,
        state=state,
        label=label,
        width=width,
    )


def _others(row: AgentRow, found: Sequence[AgentRow], section: AgentsSection) -> str:
    """Return who is at the other end of a flow."""
    names = names_of(section.rows)
    others = [names[other.agent_id] for other in found if other.agent_id != row.agent_id]
    if len(others) > N_NAMED:
        others = [*others[: N_NAMED - 1], f"{len(others) - N_NAMED + 1} others"]
    return ", ".join(others) or THE_BUS


def _rest(row: AgentRow, way: str, topics: Sequence[tuple[str, str]]) -> RestView | None:
    if not topics:
        return None
    verb = "hears" if way == "in" else "says"
    return RestView(
        key=f"{way}-{slug(row.agent_id)}",
        label=f"+{len(topics)} more",
        names=f"{fmt.plural(len(topics), 'more topic')} that {row.title} {verb}",
        tip=", ".join(f"{topic} {rate}" for topic, rate in topics),
    )
