"""Looking into component trees without a browser."""

import json
from collections.abc import Iterator

import plotly.io.json
from dash.development.base_component import Component


def plain(component):
    """The component as the browser gets it."""
    return json.loads(plotly.io.json.to_json_plotly(component))


def walk(node) -> Iterator[dict]:
    if isinstance(node, Component):
        node = plain(node)
    if isinstance(node, list):
        for child in node:
            yield from walk(child)
    elif isinstance(node, dict) and "props" in node:
        yield node
        yield from walk(node["props"].get("children"))
        for option in node["props"].get("options") or []:
            yield from walk(option.get("label") if isinstance(option, dict) else None)


def text_of(node) -> str:
    if isinstance(node, Component):
        node = plain(node)
    if node is None:
        return ""
    if isinstance(node, list):
        return "".join(text_of(child) for child in node)
    if isinstance(node, dict):
        return text_of(node["props"].get("children"))
    return str(node)


def by_id(node, component_id) -> dict:
    return next(found for found in walk(node) if found["props"].get("id") == component_id)


def of_type(node, name) -> list[dict]:
    return [found for found in walk(node) if found["type"] == name]
