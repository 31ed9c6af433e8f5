"""The parts of the Agents page: nodes and edges of the graph, an agent's state and buttons.

An edge is a mask over a colour, so it takes the theme's; the graph stretches, its nodes and lines do not.
"""

import json
from collections.abc import Sequence
from functools import cache
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from dashboard.components.icons import icon
from dashboard.components.nodes import attrs, classes, slug
from dashboard.components.pills import age, pill
from dashboard.patches import Patch
from dashboard.views.agent_controls import Control
from dashboard.views.agent_graph import EdgeView, FlowView, NodeView
from dashboard.views.agents import AgentView, MeasuredView

ARROW = 7
PAD = 6
"""Room around a line for its width, in pixels."""

_PILLS = {
    "running": ("up", "dot"),
    "late": ("warn", "clock"),
    "paused": ("warn", "circle-pause"),
    "failed": ("crit", "circle-x"),
    "stopped": ("grey", "circle-stop"),
    "starting": ("grey", "circle-dashed"),
    "not set up": ("dashed", "circle-dashed"),
}


def node_id(agent_id: str) -> dict[str, str]:
    """Return the id of a node's button."""
    return {"type": "agents-node", "agent": agent_id}


# -- graph -----------------------------------------------------------------------------------------------------


def node(view: NodeView, *, is_chosen: bool) -> html.Div:
    """Return one agent of the graph: ring with its glyph, name, and figures or what keeps it from running."""
    key = slug(view.agent_id)
    figures = html.Span(
        [
            html.Strong(view.last, id=f"node-last-{key}", className="ph-node-last"),
            html.Span(
                [
                    "q",
                    html.Span("ueue ", className="ph-node-rest"),
                    " ",
                    html.Strong(view.queue, id=f"node-queue-{key}"),
                ],
                className="ph-tx2",
            ),
            counter(f"node-next-{key}", "due", view.next_run_at, view.next_words),
        ],
        className="ph-node-figures",
    )
    button = html.Button(
        [
            html.Span(html.Span(className=glyph_class(view.ring), id=f"node-glyph-{key}"), className="ph-ring"),
            html.Span(view.title, className="ph-node-name ph-cut"),
            _errors(view, key),
            html.Span(view.state, id=f"node-state-{key}", className="ph-hidden"),
            figures,
            html.Span(view.words, id=f"node-words-{key}", className="ph-node-words"),
        ],
        id=node_id(view.agent_id),
        type="button",
        n_clicks=0,
        className="ph-node",
        **attrs(choice(is_chosen=is_chosen)),
    )  # fmt: skip
    topic = html.Span(view.topic, id=f"node-topic-{key}", className="ph-node-topic ph-mono")
    return html.Div(
        [topic, button],
        id=f"node-{key}",
        className=node_class(view),
        style={"--ph-x": f"{view.x:.4f}", "--ph-top": f"{view.top}px"},
        **attrs({"data-tip": view.tip}),
    )


def _errors(view: NodeView, key: str) -> html.Span:
    """Return the count of an agent's errors; a node without any does not show it."""
    return html.Span(
        [
            icon("circle-x", 12),
            html.Span("errors ", className="ph-hidden"),
            html.Span(view.errors, id=f"node-errors-{key}"),
        ],
        className="ph-node-errors",
    )


def choice(*, is_chosen: bool) -> dict[str, str]:
    """Return the attributes of a button that shows an agent in the side panel."""
    return {
        "aria-pressed": "true" if is_chosen else "false",
        "data-ph-show": "agents-detail",
    }


def node_class(view: NodeView) -> str:
    """Return the class names of a node."""
    return classes(
        "ph-node-place",
        f"ph-agent-{view.state.replace(' ', '-')}",
        "ph-node-silent" if view.words else None,
        "ph-node-erred" if view.errors else None,
        "ph-node-topic-below" if view.is_topic_below else None,
    )


def glyph_class(name: str) -> str:
    """Return the class names of the glyph inside a ring; without a name there is none."""
    return f"ph-i ph-i-{name}" if name else "ph-no-glyph"


def counter(
    id: str, way: str, moment: float | None, words: str, class_name: str = "ph-tx3 ph-fixed"
) -> html.Span:
    """Return a time that the browser counts: `way` is "due" (down to it) or "since" (up from it).

    What was told once a second counts in whole seconds: a tenth would be made up.
    """
    data = {f"data-ph-{way}": epoch(moment)}
    if way == "since":
        data["data-ph-whole"] = ""
    return html.Span(words, id=id, className=class_name, **attrs(data))


def epoch(moment: float | None) -> str:
    """Return a moment as the browser's counters read it; nothing where there is none."""
    return "" if moment is None else f"{moment:.3f}"


def edge(view: EdgeView) -> html.Li:
    """Return a flow between two of the crew."""
    return flow(view, edge_class(view), edge_style(view))


def flow(view: FlowView, class_name: str, style: dict[str, str]) -> html.Li:
    """Return one flow: a line with an arrow and its rate; on a phone it reads as text, with what it carried last."""
    return html.Li(
        [
            html.Span(className="ph-edge-line"),
            html.Span(f"{view.names} ", className="ph-edge-names"),
            html.Span(view.topic, className="ph-edge-topic ph-mono"),
            html.Span(
                view.label,
                id=f"edge-rate-{view.key}",
                className="ph-edge-rate ph-aged",
                tabIndex=0,
                role="group",
                **attrs(
                    {
                        "aria-label": f"{view.names}, {view.topic}",
                        "aria-describedby": f"edge-last-{view.key}",
                    }
                ),
            ),
            html.Span(id=f"edge-last-{view.key}", className="ph-edge-last"),
        ],
        id=f"edge-{view.key}",
        className=class_name,
        style=style,
    )


def edge_class(view: EdgeView) -> str:
    """Return the class names of an edge."""
    way = "down" if view.start[0] == view.end[0] else "across"
    return f"ph-edge ph-edge-{way} ph-edge-{view.state}"


def edge_style(view: EdgeView) -> dict[str, str]:
    """Return the place and the line of an edge as custom properties."""
    (x0, y0), (x1, y1) = view.start, view.end
    is_down = x0 == x1
    rise = y1 - y0
    height = rise - ARROW if is_down else abs(rise) + 2 * PAD
    return {
        "--ph-x0": f"{x0:.4f}",
        "--ph-x1": f"{x1:.4f}",
        "--ph-y": f"{y0 if is_down else min(y0, y1) - PAD}px",
        "--ph-h": f"{height}px",
        "--ph-tip": f"{height if is_down else PAD + max(0, rise)}px",
        "--ph-path": _line(
            rise, is_down=is_down, width=view.width, is_dashed=is_dashed(view.state)
        ),
    }


def stub_class(view: FlowView) -> str:
    """Return the class names of a flow of an agent of one's own."""
    return f"ph-edge ph-stub ph-edge-{view.state}"


def stub_style(view: FlowView) -> dict[str, str]:
    """Return its line as a custom property; its place is its list's."""
    return {"--ph-path": _line(0, is_down=False, width=view.width, is_dashed=is_dashed(view.state))}


def is_dashed(state: str) -> bool:
    """Return whether nothing flows."""
    return state in {"none", "silent", "failed"}


def css(style: dict[str, str]) -> str:
    """Return custom properties as the text of a ``style`` attribute, for patches."""
    return "; ".join(f"{name}: {value}" for name, value in style.items())


@cache
def _line(rise: int, *, is_down: bool, width: float, is_dashed: bool) -> str:
    """Return the line as a mask; it stretches with its box, its stroke does not."""
    if is_down:
        box, path = (2 * PAD, rise - ARROW), f"M{PAD},0 V{rise - ARROW}"
    else:
        box = (100, abs(rise) + 2 * PAD)
        first, last = PAD + max(0, -rise), PAD + max(0, rise)
        path = f"M0,{first} C50,{first} 50,{last} 100,{last}" if rise else f"M0,{first} H100"
    dash = " stroke-dasharray='4 4'" if is_dashed else ""
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {box[0]} {box[1]}' preserveAspectRatio='none'>"
        f"<path d='{path}' fill='none' stroke='black' stroke-width='{width:g}'{dash} "
        "vector-effect='non-scaling-stroke'/></svg>"
    )
    return f'url("data:image/svg+xml,{quote(svg, safe=" =:/,")}")'


def measured(name: str, view: MeasuredView) -> html.Span:
    """Return how long ago the engine's figures were taken; that runs on while the feed is paused."""
    ago = age(f"{name}-age", view.received_at, view.budget_s, "")
    setattr(ago, "data-wall", "")
    words = html.Span(view.words, id=f"{name}-words")
    return html.Span([words, " ", ago], id=name, className="ph-tx3 ph-t12 ph-fixed")


def measured_patch(name: str, view: MeasuredView) -> Patch:
    """Return what keeps it."""
    known = view.received_at
    ages = {} if known is None else {f"{name}-age": (known, view.budget_s)}
    return Patch(text={f"{name}-words": view.words}, age=ages)


def graph_patch(nodes: Sequence[NodeView], edges: Sequence[EdgeView]) -> Patch:
    """Return what brings a drawn graph to this state."""
    text: dict[str, str] = {}
    cls: dict[str, str] = {}
    marks: dict[str, dict[str, str]] = {}
    for view in nodes:
        key = slug(view.agent_id)
        text |= {
            f"node-last-{key}": view.last, f"node-queue-{key}": view.queue, f"node-state-{key}": view.state,
            f"node-words-{key}": view.words, f"node-topic-{key}": view.topic, f"node-errors-{key}": view.errors,
        }  # fmt: skip
        cls |= {f"node-{key}": node_class(view), f"node-glyph-{key}": glyph_class(view.ring)}
        marks[f"node-{key}"] = {"data-tip": view.tip}
        text |= count_down(f"node-next-{key}", view.next_run_at, view.next_words, marks)
    for flow in edges:
        text[f"edge-rate-{flow.key}"] = flow.label
        cls[f"edge-{flow.key}"] = edge_class(flow)
        marks[f"edge-{flow.key}"] = {"style": css(edge_style(flow))}
    return Patch(text=text, cls=cls, attrs=marks)


def count_down(
    dom: str, moment: float | None, words: str, marks: dict[str, dict[str, str]]
) -> dict[str, str]:
    """Set what a counter counts to; its words only where it does not count, the browser writes the rest."""
    marks[dom] = {"data-ph-due": epoch(moment)}
    return {dom: words} if moment is None else {}


# -- state and controls ----------------------------------------------------------------------------------------


def state_pill(view: AgentView) -> html.Span:
    """Return the state in a word."""
    kind, mark = _PILLS[view.state]
    return pill(kind, view.pill, mark)


def note(view: AgentView) -> list[Component]:
    """Return the second line: what is wrong, and what follows from it."""
    if not view.problem:
        return []
    tone = "ph-tx2" if view.problem_tone == "grey" else f"ph-{view.problem_tone}"
    whole = attrs({"data-tip": view.whole_problem}) if view.whole_problem else {}
    return [
        html.Span(view.problem, className=tone, **whole),
        html.Span(f" {view.effect}", className="ph-tx2"),
    ]


def controls(
    found: Sequence[Control], view: AgentView, *, with_words: bool = False
) -> list[html.Button]:
    """Return the buttons of an agent; each sends its command, a locked one says why it does not."""
    return [_control(control, view, with_word=with_words or control.is_named) for control in found]


def _control(control: Control, view: AgentView, *, with_word: bool) -> html.Button:
    spoken = f"{control.word} {view.title}"
    data = {
        "aria-label": f"{spoken}, {control.locked}" if control.locked else spoken,
        "data-tip": control.locked[:1].upper() + control.locked[1:]
        if control.locked
        else control.tip,
    }
    if control.locked:
        data["aria-disabled"] = "true"
    else:
        wish = {"name": control.command, "params": {"agent_id": view.agent_id}}
        data["data-ph-intent"] = json.dumps(wish)
    return html.Button(
        [icon("lock" if control.locked and with_word else control.icon), html.Span(control.word, className="ph-word")],
        type="button",
        className=classes("ph-btn", "ph-agent-btn", "ph-agent-btn-worded" if with_word else None,
                          "ph-btn-locked" if control.locked else None),
        **attrs(data),
    )  # fmt: skip


def heading_pills(counts: Sequence[tuple[str, str, str]]) -> list[Component]:
    """Return the counts of the header as pills."""
    return [pill(tone, words, mark or None) for words, tone, mark in counts]
