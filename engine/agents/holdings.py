"""How much an object keeps: entries and bytes of its own containers, estimated at a bounded cost.

Only what hangs directly on the object is looked at, two containers deep, so a leak has an attribute's name.
"""

from collections import deque
from collections.abc import Collection, Mapping, Reversible
from dataclasses import dataclass
from itertools import islice

import numpy as np

SAMPLE = 20
"""Entries at each end of a container that are looked into; its whole is estimated from them."""
DEPTH = 2
_KEEPS = (Mapping, list, tuple, set, frozenset, deque)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one attribute keeps: entries of containers, and bytes of text, buffers and arrays."""

    entries: int = 0
    n_bytes: int = 0


def holdings_of(owner: object) -> dict[str, Holding]:
    """Return what each attribute of an object keeps.

    Examples
    --------
    >>> class Owner:
    ...     def __init__(self):
    ...         self.rows, self.by_name, self.page, self.n = [1, 2], {"a": [1, 2, 3]}, b"12345", 7
    >>> {name: (found.entries, found.n_bytes) for name, found in holdings_of(Owner()).items()}
    {'rows': (2, 0), 'by_name': (4, 0), 'page': (0, 5)}
    """
    found = {name: _guarded(value) for name, value in tuple(vars(owner).items())}
    return {name: holding for name, holding in found.items() if holding != Holding()}


def _guarded(value: object) -> Holding:
    """Return what a value keeps; nothing where it will not be looked at, or changes in another thread meanwhile."""
    try:
        return _holding(value, DEPTH)
    except Exception:  # noqa: BLE001 -- a foreign object may raise anything, and must not harm who looks
        return Holding()


def _holding(value: object, depth: int) -> Holding:
    if isinstance(value, np.ndarray | memoryview):
        return Holding(n_bytes=value.nbytes)
    if isinstance(value, str | bytes | bytearray):
        return Holding(n_bytes=len(value))
    if not depth or not isinstance(value, _KEEPS) or not value:
        return Holding()
    inner: Collection[object] = value.values() if isinstance(value, Mapping) else value
    sample = [_holding(each, depth - 1) for each in _ends(inner)]
    n = len(value)
    return Holding(
        entries=n + n * sum(each.entries for each in sample) // len(sample),
        n_bytes=n * sum(each.n_bytes for each in sample) // len(sample),
    )


def _ends(inner: Collection[object]) -> list[object]:
    """Return all of a small container, and both ends of a large one, where it has two."""
    if len(inner) <= 2 * SAMPLE or not isinstance(inner, Reversible):
        return list(islice(inner, 2 * SAMPLE))
    return [*islice(inner, SAMPLE), *islice(reversed(inner), SAMPLE)]
