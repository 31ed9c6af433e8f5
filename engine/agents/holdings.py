"""How much an object keeps: entries and bytes of its own containers, estimated at a bounded cost.

What hangs on the object is looked at two containers deep, and so is what hangs on objects of its own, so a leak has the
name of an attribute, or the path to it. What is of the engine is shared, and no agent's own.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Reversible
from dataclasses import dataclass
from itertools import islice
from types import FunctionType, MethodType, ModuleType

import numpy as np

SAMPLE = 20
"""Entries at each end of a container that are looked into; its whole is estimated from them."""
DEPTH = 2
OBJECTS = 2
"""Objects of its own, one inside the other, that are looked into."""
ATTRIBUTES = 20
"""Attributes that are looked at of an object in a container, of which there may be many."""
_KEEPS = (Mapping, list, tuple, set, frozenset, deque)
_SHARED = (type, ModuleType, FunctionType, MethodType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one attribute keeps: entries of containers, and bytes of text, buffers and arrays."""

    entries: int = 0
    n_bytes: int = 0


def holdings_of(owner: object) -> dict[str, Holding]:
    """Return what each attribute of an object keeps, and each attribute of the objects behind it, by its path.

    Examples
    --------
    >>> class Owner:
    ...     def __init__(self):
    ...         self.rows, self.by_name, self.page, self.n = [1, 2], {"a": [1, 2, 3]}, b"12345", 7
    >>> {name: (found.entries, found.n_bytes) for name, found in holdings_of(Owner()).items()}
    {'rows': (2, 0), 'by_name': (4, 0), 'page': (0, 5)}
    """
    return dict(_found(owner, "", OBJECTS, {id(owner)}))


def _found(owner: object, path: str, objects: int, seen: set[int]) -> Iterator[tuple[str, Holding]]:
    for name, value in _attributes(owner):
        if objects and _is_own(value):
            if id(value) not in seen:
                seen.add(id(value))
                yield from _found(value, f"{path}{name}.", objects - 1, seen)
            continue
        holding = _guarded(value)
        if holding != Holding():
            yield path + name, holding


def _attributes(owner: object) -> list[tuple[str, object]]:
    """Return an object's attributes, also those in slots; none where it will not be looked at."""
    try:
        named = tuple(vars(owner).items()) if hasattr(owner, "__dict__") else ()
        slots = [name for kind in type(owner).__mro__ for name in getattr(kind, "__slots__", ())]
        return [*named, *((name, getattr(owner, name, None)) for name in slots)]
    except Exception:  # noqa: BLE001 -- a foreign object may raise anything, and must not harm who looks
        return []


def _is_own(value: object) -> bool:
    """Return whether it is an object with attributes that somebody else has written: neither data nor the engine's."""
    kind = type(value)
    has_attributes = hasattr(kind, "__slots__") or hasattr(value, "__dict__")
    is_data = kind.__module__ == "builtins" or isinstance(value, (*_KEEPS, np.ndarray, *_SHARED))
    return has_attributes and not is_data and kind.__module__.partition(".")[0] != "engine"


def _guarded(value: object) -> Holding:
    """Return what a value keeps; nothing where it will not be looked at, or changes in another thread meanwhile."""
    try:
        return _holding(value, DEPTH, 1)
    except Exception:  # noqa: BLE001 -- as above
        return Holding()


def _holding(value: object, depth: int, objects: int) -> Holding:
    if isinstance(value, np.ndarray | memoryview):
        return Holding(n_bytes=value.nbytes)
    if isinstance(value, str | bytes | bytearray):
        return Holding(n_bytes=len(value))
    if not depth:
        return Holding()
    if not isinstance(value, _KEEPS):
        return _inside(value, depth, objects - 1) if objects and _is_own(value) else Holding()
    if not value:
        return Holding()
    inner: Collection[object] = value.values() if isinstance(value, Mapping) else value
    sample = [_holding(each, depth - 1, objects) for each in _ends(inner)]
    n = len(value)
    return Holding(
        entries=n + n * sum(each.entries for each in sample) // len(sample),
        n_bytes=n * sum(each.n_bytes for each in sample) // len(sample),
    )


def _inside(value: object, depth: int, objects: int) -> Holding:
    """Return what an object in a container keeps, over all its attributes."""
    inner = [_holding(each, depth, objects) for _, each in _attributes(value)[:ATTRIBUTES]]
    return Holding(
        entries=sum(each.entries for each in inner), n_bytes=sum(each.n_bytes for each in inner)
    )


def _ends(inner: Collection[object]) -> list[object]:
    """Return all of a small container, and both ends of a large one, where it has two."""
    if len(inner) <= 2 * SAMPLE or not isinstance(inner, Reversible):
        return list(islice(inner, 2 * SAMPLE))
    return [*islice(inner, SAMPLE), *islice(reversed(inner), SAMPLE)]
