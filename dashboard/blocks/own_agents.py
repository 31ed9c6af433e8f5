"""Agents of one's own below the graph: a strip each, with what it hears, its node, and what it says."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.blocks import agents as part
from dashboard.components.nodes import attrs, present
from dashboard.patches import Patch, merge
from dashboard.views.own_agents import OwnView, RestView, SideView, stubs_of


def own_block(own: Sequence[OwnView], wanted: str) -> list[Component]:
    """Return the block, nothing where nobody brought an agent; `wanted` is the id of the chosen one."""
    if not own:
        return []
    strips = [_strip(one, is_chosen=one.node.agent_id == wanted) for one in own]
    title = html.H3("Your agents", className="ph-own-title")
    return [html.Div([title, html.Div(strips, className="ph-own-strips")], className="ph-own")]


def _strip(one: OwnView, *, is_chosen: bool) -> html.Div:
    children = present(
        _side(one.hears, "ph-stubs-in"), part.node(one.node, is_chosen=is_chosen), _side(one.says, "ph-stubs-out")
    )  # fmt: skip
    return html.Div(children, className="ph-own-strip")


def _side(side: SideView, class_name: str) -> html.Ul | None:
    if not side.stubs:
        return None
    stubs = [part.flow(stub, part.stub_class(stub), part.stub_style(stub)) for stub in side.stubs]
    rest = [_rest(side.rest)] if side.rest else []
    return html.Ul([*stubs, *rest], className=f"ph-stubs {class_name}")


def _rest(view: RestView) -> html.Li:
    """Return how many topics are not drawn; a tip names them, on a phone they are written out."""
    words = {
        "aria-label": view.names,
        "aria-describedby": f"stubs-rest-words-{view.key}",
        "data-tip": view.tip,
    }
    count = html.Span(
        view.label,
        id=f"stubs-rest-{view.key}",
        className="ph-stubs-rest",
        tabIndex=0,
        role="group",
        **attrs(words),
    )
    told = html.Span(view.tip, id=f"stubs-rest-words-{view.key}", className="ph-edge-last")
    return html.Li([count, told], className="ph-stubs-more")


def own_patch(own: Sequence[OwnView]) -> Patch:
    """Return what brings the drawn block to this state."""
    text: dict[str, str] = {}
    cls: dict[str, str] = {}
    marks: dict[str, dict[str, str]] = {}
    for stub in stubs_of(own):
        text[f"edge-rate-{stub.key}"] = stub.label
        cls[f"edge-{stub.key}"] = part.stub_class(stub)
        marks[f"edge-{stub.key}"] = {"style": part.css(part.stub_style(stub))}
    for side in (side for one in own for side in (one.hears, one.says)):
        if side.rest:
            text[f"stubs-rest-words-{side.rest.key}"] = side.rest.tip
            marks[f"stubs-rest-{side.rest.key}"] = {"data-tip": side.rest.tip}
    nodes = part.graph_patch([one.node for one in own], ())
    return merge((nodes, Patch(text=text, cls=cls, attrs=marks)))
