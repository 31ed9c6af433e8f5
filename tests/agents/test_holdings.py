"""What an object keeps, by attribute: entries and bytes, at a cost that does not grow with it."""

from collections import deque
from typing import Any

import numpy as np
import pytest

from engine.agents.holdings import Holding, holdings_of
from engine.core.state_manager import StateManager

PAGE = bytes(200_000)


class Owner:
    def __init__(self, kept: Any) -> None:
        self.kept = kept


@pytest.mark.parametrize(
    ("kept", "n_bytes"),
    [
        (PAGE, 200_000),
        (bytearray(PAGE), 200_000),
        ("x" * 1000, 1000),
        (np.zeros((10, 10)), 800),
        ([PAGE] * 3, 600_000),
        (deque([PAGE] * 5000), 1_000_000_000),
        ({"a": [PAGE, PAGE], "b": (np.zeros(5),)}, 400_040),
        ([b""] * 1000 + [PAGE] * 1000, 200_000_000),
        (range(10), 0),
        (None, 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bytes_are_those_of_text_buffers_and_arrays_two_containers_deep(kept: Any, n_bytes: int):
    assert holdings_of(Owner(kept)).get("kept", Holding()).n_bytes == n_bytes


def test_a_large_container_is_not_walked_through():
    class Counted(list[int]):
        """Counts what is read of it."""

        n_read = 0

        def __iter__(self) -> Any:
            for value in super().__iter__():
                Counted.n_read += 1
                yield value

    assert holdings_of(Owner(Counted(range(100_000))))["kept"].entries == 100_000
    assert Counted.n_read < 100


class Sulking(dict[str, int]):
    """Will not be looked at."""

    def __len__(self) -> int:
        raise ConnectionError("not now")


def test_what_will_not_be_looked_at_harms_nobody_and_hides_nothing_else():
    owner = Owner([1, 2, 3])
    owner.sulking = Sulking(a=1)  # type: ignore[attr-defined] # as a foreign agent may
    assert holdings_of(owner) == {"kept": Holding(entries=3)}


class Box:
    """An object that somebody keeps something in."""

    def __init__(self, rows: Any, inner: Any = None) -> None:
        self.rows, self.inner = rows, inner


class Slotted:
    __slots__ = ("rows",)

    def __init__(self, rows: Any) -> None:
        self.rows = rows


@pytest.mark.parametrize(
    ("kept", "path", "entries"),
    [
        (Box([1, 2]), "kept.rows", 2),
        (Box(None, Box([1, 2, 3])), "kept.inner.rows", 3),
        (Slotted([1]), "kept.rows", 1),
        ({"a": Box([1, 2]), "b": Box([1, 2])}, "kept", 6),
        ([Slotted({"x": [1, 2]})], "kept", 2),
    ],
)
def test_what_hangs_on_objects_of_its_own_is_named_by_its_path(kept: Any, path: str, entries: int):
    assert {name: found.entries for name, found in holdings_of(Owner(kept)).items()} == {
        path: entries
    }


def test_an_object_that_refers_back_is_looked_at_once():
    owner = Owner(Box([1, 2]))
    owner.kept.inner = owner
    owner.again = owner.kept  # type: ignore[attr-defined] # as a foreign agent may
    assert holdings_of(owner) == {"kept.rows": Holding(entries=2)}


def test_what_is_of_the_engine_is_shared_and_counted_for_nobody():
    shared = StateManager()
    shared.set("rows", [1, 2, 3])
    assert holdings_of(Owner(shared)) == {}
