"""What components are made of: children, ids and class names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from dash.development.base_component import Component

Node: TypeAlias = Component | str | None
"""One child; None draws nothing."""

Children: TypeAlias = Node | Sequence[Node]

Id: TypeAlias = str | Mapping[str, str | int]
"""A Dash id, plain or by pattern."""


def classes(*names: str | None) -> str:
    """Return the class names that are there, with spaces between.

    Examples
    --------
    >>> classes("ph-pill", None, "", "ph-up")
    'ph-pill ph-up'
    """
    return " ".join(name for name in names if name)


def dom_id(component_id: Id) -> str:
    """Return the id as it stands in the document; Dash writes a pattern id as JSON with sorted keys.

    Examples
    --------
    >>> dom_id("equity"), dom_id({"type": "weight", "name": "momentum"})
    ('equity', '{"name":"momentum","type":"weight"}')
    """
    if isinstance(component_id, str):
        return component_id
    return json.dumps(dict(component_id), sort_keys=True, separators=(",", ":"))


def slug(agent_id: str) -> str:
    """Return an agent's id as a part of DOM ids, which take no dot or space; different ids stay different.

    Examples
    --------
    >>> slug("monte_carlo"), slug("my agent"), slug("my.agent")
    ('monte_carlo', 'my-20-agent', 'my-2e-agent')
    """
    return "".join(c if c.isalnum() or c == "_" else f"-{ord(c):x}-" for c in agent_id)


def optional_id(component_id: Id | None) -> dict[str, Any]:
    """Return the keyword for an id, empty where there is none; Dash refuses an id of None."""
    if component_id is None:
        return {}
    return {"id": component_id if isinstance(component_id, str) else dict(component_id)}


def present(*children: Node) -> list[Component | str]:
    """Return the children that are there."""
    return [child for child in children if child is not None and child != ""]


def attrs(values: Mapping[str, str]) -> dict[str, Any]:
    """Return ``data-`` and ``aria-`` attributes as keywords; Dash takes them in this form only."""
    return dict(values)
