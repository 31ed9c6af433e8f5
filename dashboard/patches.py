"""What a live part of a page changes on screen: plain data, encoded once per tick and painted by the browser.

A patch is the complete newest state of its part, so a client that missed some needs only the last one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TypeAlias, cast

import plotly.io.json
from dash.development.base_component import Component

Plain: TypeAlias = "str | int | float | bool | Sequence[Plain] | Mapping[str, Plain] | None"
"""Whatever JSON can say."""

PropValue: TypeAlias = "Plain | Component | Sequence[Component | str]"
"""A value of a Dash property; components are allowed."""


@dataclass(frozen=True, slots=True)
class Patch:
    """The newest state of one live part.

    Parameters
    ----------
    text : mapping of DOM id to text
        Replaces the text of an element; for numbers that change with each tick.
    cls : mapping of DOM id to class names
        Replaces the whole `class` attribute.
    attrs : mapping of DOM id to attribute values
        Sets attributes; ``style`` replaces the inline style, so custom properties travel in it.
    props : mapping of Dash component id to property values
        For blocks that change once per bar; values may be components.
    plot : mapping of chart name to Plotly calls
        Each call is ``[method, *arguments]``, for example ``["extendTraces", {"y": [[1.0]]}, [0]]``.
    age : mapping of DOM id to (received, budget) or (received, budget, behind)
        Wall time of receipt in epoch seconds and the age in seconds up to which the value counts as fresh; `behind` is
        1 where the value speaks of an earlier bar than the market is at, which makes it stale at any age.
    """

    text: Mapping[str, str] = field(default_factory=dict)
    cls: Mapping[str, str] = field(default_factory=dict)
    attrs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    props: Mapping[str, Mapping[str, PropValue]] = field(default_factory=dict)
    plot: Mapping[str, Sequence[Sequence[Plain]]] = field(default_factory=dict)
    age: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def to_data(self) -> dict[str, Mapping[str, object]]:
        """Return the parts that hold something, by name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name))}


_NESTED = ("attrs", "props")


def merge(patches: Iterable[Patch]) -> Patch:
    """Return one patch that does what the given ones do in turn.

    Later values win per id; `attrs` and `props` win per attribute, and `plot` calls of one chart follow each other.

    Examples
    --------
    >>> merge([Patch(text={"a": "1", "b": "2"}), Patch(text={"a": "3"})]).text
    {'a': '3', 'b': '2'}
    """
    whole: dict[str, dict[str, object]] = {f.name: {} for f in fields(Patch)}
    for patch in patches:
        for name, values in patch.to_data().items():
            for key, value in values.items():
                whole[name][key] = _joined(name, whole[name].get(key), value)
    return Patch(**cast("dict[str, dict[str, str]]", whole))  # type: ignore[arg-type] # names are the fields' own


def _joined(name: str, before: object, value: object) -> object:
    if before is None:
        return value
    if name in _NESTED and isinstance(before, Mapping) and isinstance(value, Mapping):
        return {**before, **value}
    if name == "plot" and isinstance(before, Sequence) and isinstance(value, Sequence):
        return [*before, *value]
    return value


def encode_patch(patch: Patch) -> bytes:
    """Return the patch as JSON in UTF-8; components and arrays become what Dash's renderer reads.

    Not-a-number becomes null: JSON has no word for it.

    Examples
    --------
    >>> encode_patch(Patch(text={"last": "128.24"}))
    b'{"text":{"last":"128.24"}}'
    """
    encoded: str = plotly.io.json.to_json_plotly(patch.to_data())
    return encoded.encode()
