"""The agents' memory: what is kept, what is written, what a damaged file does."""

import json
import logging
import stat

import numpy as np
import pytest

from engine.core.state_manager import StateManager
from engine.domain.errors import StoreError


class FakeStore:
    """The plain-key half of the store port; `is_broken` makes writing fail."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.puts: list[set[str]] = []
        self.is_broken = False

    def put(self, items):
        if self.is_broken:
            raise StoreError("disk full")
        self.puts.append(set(items))
        self.values.update(items)

    def get(self, key):
        return self.values.get(key)

    def keys(self):
        return tuple(sorted(self.values))


def test_flush_carries_only_what_changed():
    store = FakeStore()
    state = StateManager(store=store)
    state.update({"price:A": 1.0, "price:B": 2.0})
    state.flush()
    state.set("price:A", 3.0)
    state.flush()
    assert store.puts == [{"price:A", "price:B"}, {"price:A"}]


def test_what_a_store_holds_is_there_again_and_what_was_deleted_is_not():
    store = FakeStore()
    state = StateManager(store=store)
    state.update({"price:A": 1.0, "price:B": 2.0})
    state.flush()
    state.delete("price:B")
    state.flush()
    again = StateManager(store=store)
    assert again.get("price:A") == 1.0
    assert again.keys() == ("price:A",)


def test_a_failed_flush_is_made_good_by_the_next():
    store = FakeStore()
    state = StateManager(store=store)
    state.set("price:A", 1.0)
    store.is_broken = True
    with pytest.raises(StoreError):
        state.flush()
    store.is_broken = False
    state.flush()
    assert store.values == {"price:A": b"1.0"}


def test_a_damaged_snapshot_is_set_aside_and_said(tmp_path, caplog):
    path = tmp_path / "state.json"
    path.write_bytes(b'{"price:A": 1')
    with caplog.at_level(logging.WARNING):
        state = StateManager(snapshot_path=path)
    assert state.keys() == ()
    assert "state.json" in caplog.text
    assert (tmp_path / "state.json.damaged").read_bytes() == b'{"price:A": 1'
    state.set("price:A", 2.0)
    state.snapshot()
    assert StateManager(snapshot_path=path).get("price:A") == 2.0


def test_a_snapshot_that_is_no_object_counts_as_damaged(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("[1, 2]")
    assert StateManager(snapshot_path=path).keys() == ()


def test_a_failed_snapshot_keeps_the_older_file(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    state = StateManager(snapshot_path=path)
    state.set("k", 1)
    state.snapshot()
    state.set("k", 2)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="No space"):
        state.snapshot()
    assert json.loads(path.read_text()) == {"k": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["state.json"], "nothing is left lying about"


def test_a_snapshot_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "deep" / "state.json"
    state = StateManager(snapshot_path=path)
    state.set("k", 1)
    state.snapshot()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_arrays_are_written_as_lists_and_what_is_no_json_stays_in_memory(tmp_path, caplog):
    path = tmp_path / "state.json"
    state = StateManager(snapshot_path=path)
    state.update({"a": np.array([1.0, 2.0]), "f": np.float32(1.5), "odd": object(), "k": 1})
    state.snapshot()
    again = StateManager(snapshot_path=path)
    assert again.keys() == ("a", "f", "k")
    assert (again.get("a"), again.get("f")) == ([1.0, 2.0], 1.5)
    assert "odd" in caplog.text
    assert state.get("odd") is not None


def test_keys_go_by_prefix():
    state = StateManager()
    state.update({"price:B": 1, "price:A": 1, "mc:A": 1})
    assert state.keys("price:") == ("price:A", "price:B")
    state.clear()
    assert "price:A" not in state


def test_what_is_derived_is_made_once_for_each_value():
    made = []

    def doubled(value):
        made.append(value)
        return 2 * value

    state = StateManager()
    assert state.derived("a", doubled) is None
    state.set("a", 3.5)
    assert [state.derived("a", doubled), state.derived("a", doubled)] == [7.0, 7.0]
    state.set("a", 4.5)
    assert state.derived("a", doubled) == 9.0
    assert made == [3.5, 4.5]
    state.delete("a")
    assert state.derived("a", doubled) is None
