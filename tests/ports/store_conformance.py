"""What every store promises; each adapter's test subclasses `StoreConformance` and gives the fixture `store`."""

import threading
from datetime import UTC, datetime

import pytest

from engine.domain.errors import StoreError
from engine.domain.sections import Stamp
from engine.ports.store import Store

NOW = datetime(2008, 9, 15, 14, 30, 0, 250_001, tzinfo=UTC)


def section(version: int, raw: bytes = b"{}") -> tuple[bytes, Stamp]:
    return raw, Stamp(version=version, as_of=NOW, computed_at=1_700_000_000.25, budget_s=15.0)


class StoreConformance:
    """The promises of `engine.ports.store.Store`."""

    def test_a_new_store_is_empty(self, store: Store) -> None:
        assert (store.version(), store.read(), store.keys(), store.get("x")) == (0, {}, (), None)

    def test_a_section_comes_back_with_its_stamp(self, store: Store) -> None:
        raw = b'{"a":1,"text":"line\\nline \xc3\xbc"}\n'
        store.write({"quotes": section(3, raw)})
        assert store.read() == {"quotes": section(3, raw)}

    def test_a_large_value_comes_back_whole(self, store: Store) -> None:
        raw = b'"' + b"x" * 3_000_000 + b'"'
        store.write({"bars:AAPL": section(1, raw)})
        store.write({"bars:AAPL": section(2, raw + b" ")})
        assert store.read(["bars:AAPL"])["bars:AAPL"][0] == raw + b" "

    def test_reading_since_a_version_gives_what_changed_after_it(self, store: Store) -> None:
        store.write({"a": section(1), "b": section(2)})
        store.write({"b": section(5), "c": section(4)})
        assert set(store.read(since=2)) == {"b", "c"}
        assert set(store.read(since=4)) == {"b"}
        assert store.read(since=5) == {}
        assert store.version() == 5

    def test_versions_say_what_each_section_stands_at(self, store: Store) -> None:
        assert store.versions() == {}
        store.write({"a": section(1), "b": section(2)})
        store.write({"b": section(5)})
        store.put({"price:IBM": b"1"})
        assert store.versions() == {"a": 1, "b": 5}

    def test_names_that_do_not_exist_are_left_out(self, store: Store) -> None:
        store.write({"a": section(1), "b": section(2)})
        assert set(store.read(["a", "nothing"])) == {"a"}
        assert store.read(["a"], since=1) == {}
        assert store.read([]) == {}

    def test_plain_values_live_beside_sections(self, store: Store) -> None:
        store.write({"a": section(1)})
        store.put({"price:IBM": b"1.5", "a": b"2", "history:IBM": b"[]"})
        store.put({"price:IBM": b"2.5"})
        assert (store.get("price:IBM"), store.get("a")) == (b"2.5", b"2")
        assert store.keys() == ("a", "history:IBM", "price:IBM")
        assert store.read() == {"a": section(1)}
        assert store.version() == 1

    def test_an_empty_write_changes_nothing(self, store: Store) -> None:
        store.write({"a": section(4)})
        store.write({})
        store.put({})
        assert (store.version(), store.read()) == (4, {"a": section(4)})

    def test_clearing_forgets_everything(self, store: Store) -> None:
        store.write({"a": section(4)})
        store.put({"x": b"1"})
        store.clear()
        assert (store.version(), store.read(), store.keys()) == (0, {}, ())
        store.write({"a": section(1)})
        assert store.read() == {"a": section(1)}

    @pytest.mark.parametrize("value", [1, "text", None, {"a": 1}, object(), bytearray(b"x")])
    def test_anything_but_bytes_is_refused_and_nothing_of_its_batch_stays(
        self, store: Store, value: object
    ) -> None:
        stamp = Stamp(version=9)
        with pytest.raises(StoreError, match="must be JSON bytes"):
            store.write({"good": section(1), "bad": (value, stamp)})  # type: ignore[dict-item]
        with pytest.raises(StoreError, match="must be JSON bytes"):
            store.put({"good": b"1", "bad": value})  # type: ignore[dict-item]
        assert (store.read(), store.keys(), store.version()) == ({}, (), 0)

    def test_readers_see_all_of_a_write_or_none_of_it(self, store: Store) -> None:
        names = [f"s{n}" for n in range(12)]
        store.write({name: section(1, b"1") for name in names})
        torn: list[dict[str, bytes]] = []
        reads = threading.Semaphore(0)
        is_over = threading.Event()

        def read() -> None:
            while not is_over.is_set():
                seen = {name: raw for name, (raw, _) in store.read().items()}
                if len(set(seen.values())) != 1 or len(seen) != len(names):
                    torn.append(seen)
                reads.release()
            store.close()

        reader = threading.Thread(target=read)
        reader.start()
        for version in range(2, 120):
            store.write({name: section(version, b"%d" % version) for name in names})
            if version % 10 == 0:
                assert reads.acquire(timeout=20)
        is_over.set()
        reader.join(20)
        assert torn == []

    def test_closing_twice_is_harmless(self, store: Store) -> None:
        store.close()
        store.close()
