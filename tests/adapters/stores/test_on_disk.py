"""The store on disk keeps the port's promises, never runs what it reads, and survives what happens to its folder."""

import pickle
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import diskcache
import pytest

from engine.adapters.stores.on_disk import DiskStore
from engine.domain.errors import StoreError
from tests.ports.store_conformance import StoreConformance, section

WRITE = """
import sys
from pathlib import Path
from engine.adapters.stores.on_disk import DiskStore
from engine.domain.sections import Stamp
store = DiskStore(Path(sys.argv[1]))
store.write({"quotes": (b'{"from":"elsewhere"}', Stamp(version=store.version() + 1))})
store.put({"price:IBM": b"120.5"})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[DiskStore]:
    opened = DiskStore(folder)
    yield opened
    opened.close()


def aside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.glob("store.damaged-*"))


class TestDiskStore(StoreConformance):
    pass


def test_a_second_process_sees_writes_and_its_own_are_seen(folder: Path, store: DiskStore) -> None:
    store.write({"engine": section(7)})
    subprocess.run([sys.executable, "-c", WRITE, str(folder)], check=True, timeout=60)
    assert set(store.read(since=7)) == {"quotes"}
    assert store.read()["quotes"][0] == b'{"from":"elsewhere"}'
    assert (store.version(), store.get("price:IBM")) == (8, b"120.5")


def test_everything_is_there_after_reopening(folder: Path, store: DiskStore) -> None:
    store.write({"engine": section(7)})
    store.close()
    with closing(DiskStore(folder)) as again:
        assert again.read() == {"engine": section(7)}
        assert not again.was_rebuilt


def test_the_folder_is_the_owners_alone_even_if_it_was_wider(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    folder.chmod(0o755)
    DiskStore(folder).close()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_is_evicted_however_much_there_is(store: DiskStore) -> None:
    big = b'"' + b"x" * 900_000 + b'"'
    for n in range(1, 41):
        store.write({f"bars:{n}": section(n, big)})
    assert len(store.read()) == 40


class Mine:
    """What a pickle would bring to life."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mine)

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("key", ["p:price:IBM", "s:quotes"])
@pytest.mark.parametrize("padding", [0, 2_000_000])
def test_no_pickled_row_is_read(folder: Path, store: DiskStore, key: str, padding: int) -> None:
    store.write({"quotes": section(1)})
    with diskcache.Cache(str(folder), disk=diskcache.Disk) as plain:
        plain.set(key, (Mine(), "x" * padding))
        assert plain[key] == (Mine(), "x" * padding), "control: plain diskcache brings it to life"
    with pytest.raises(StoreError, match="mode 4"):
        store.read() if key.startswith("s:") else store.get("price:IBM")
    with closing(DiskStore(folder)) as again:
        assert again.was_rebuilt
        assert (again.read(), again.keys()) == ({}, ())


def test_no_pickled_key_is_read(folder: Path, store: DiskStore) -> None:
    store.put({"x": b"1"})
    with diskcache.Cache(str(folder), disk=diskcache.Disk) as plain:
        plain.set((1, 2), b"1")
        assert (1, 2) in list(plain), "control: plain diskcache unpickles the key"
    with pytest.raises(StoreError, match="key that is not text"):
        store.keys()


def test_what_the_store_writes_holds_no_pickle(folder: Path, store: DiskStore) -> None:
    store.write({"quotes": section(1), "bars:A": section(2, b'"' + b"x" * 2_000_000 + b'"')})
    store.put({"price:IBM": b"1"})
    with closing(sqlite3.connect(folder / "cache.db")) as raw:
        modes = {row[0] for row in raw.execute("SELECT mode FROM Cache")}
        assert modes == {diskcache.core.MODE_RAW, diskcache.core.MODE_BINARY}
        assert raw.execute("SELECT COUNT(*) FROM Cache WHERE raw = 0").fetchone() == (0,)


@pytest.mark.parametrize("name", ["../../../canary", "/etc/hostname", "aa/bb/../../canary"])
def test_a_row_that_points_outside_the_folder_is_not_followed(
    folder: Path, store: DiskStore, name: str
) -> None:
    canary = folder.parent / "canary"
    canary.write_bytes(b"secret")
    store.put({"x": b"1"})
    with closing(sqlite3.connect(folder / "cache.db")) as raw:
        raw.execute(
            "UPDATE Cache SET mode = 2, filename = ?, value = NULL WHERE key = 'p:x'", (name,)
        )
        raw.commit()
    with pytest.raises(StoreError, match="mode 2"):
        store.get("x")
    store.clear()
    assert canary.read_bytes() == b"secret", "nor is it deleted"


def _spoil_header(folder: Path) -> None:
    database = folder / "cache.db"
    database.write_bytes(b"this is no database" + database.read_bytes()[19:])


def _truncate(folder: Path) -> None:
    database = folder / "cache.db"
    database.write_bytes(database.read_bytes()[: 3 * 4096])


def _overwrite_pages(folder: Path) -> None:
    database = folder / "cache.db"
    raw = bytearray(database.read_bytes())
    raw[4096 : 10 * 4096] = b"\xaa" * (9 * 4096)
    database.write_bytes(raw)


def _drop_a_value(folder: Path) -> None:
    next(folder.glob("*/*/*.val")).unlink()


def _spoil_a_stamp(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as raw:
        raw.execute("UPDATE Cache SET value = x'00' WHERE key = 's:quotes'")
        raw.commit()


def _spoil_the_index(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as raw:
        raw.execute("UPDATE Cache SET value = CAST('[1]' AS BLOB) WHERE key = 'i'")
        raw.commit()


def _drop_the_table(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as raw:
        raw.execute("DROP TABLE Settings")
        raw.execute("CREATE TABLE Settings (empty)")
        raw.commit()


@pytest.mark.parametrize(
    "damage",
    [_spoil_header, _truncate, _overwrite_pages, _drop_a_value, _spoil_a_stamp, _spoil_the_index, _drop_the_table],
)  # fmt: skip
def test_a_damaged_store_is_put_aside_and_begun_anew(
    folder: Path, store: DiskStore, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    store.write({"quotes": section(1), "bars:A": section(2, b'"' + b"x" * 2_000_000 + b'"')})
    store.write({f"s{n}": section(3, b'"' + b"y" * 2_000 + b'"') for n in range(50)})
    store.close()
    damage(folder)
    with closing(DiskStore(folder)) as again:
        assert again.was_rebuilt
        assert again.read() == {}
        again.write({"quotes": section(5)})
        assert again.read() == {"quotes": section(5)}
    assert aside(folder) == ["store.damaged-1"]
    assert f"the old one is kept as {folder}.damaged-1" in caplog.text
    with closing(DiskStore(folder)) as sound:
        assert not sound.was_rebuilt


def test_the_newest_two_of_what_was_put_aside_are_kept(folder: Path) -> None:
    for _ in range(4):
        DiskStore(folder).close()
        _spoil_header(folder)
    with closing(DiskStore(folder)) as store:
        assert store.was_rebuilt
    assert aside(folder) == ["store.damaged-3", "store.damaged-4"]


def test_a_folder_deleted_while_running_is_an_error_until_it_is_cleared(
    folder: Path, store: DiskStore
) -> None:
    store.write({"quotes": section(1)})
    shutil.rmtree(folder)
    with pytest.raises(StoreError, match="is gone"):
        store.write({"quotes": section(2)})
    with pytest.raises(StoreError, match="is gone"):
        store.read()
    store.clear()
    store.write({"quotes": section(3)})
    assert store.read() == {"quotes": section(3)}
    with closing(DiskStore(folder)) as other:
        assert other.read() == {"quotes": section(3)}, "another process sees it too"


def test_a_folder_replaced_while_running_is_taken_up_by_readers_and_told_to_the_writer(
    folder: Path, store: DiskStore
) -> None:
    store.write({"quotes": section(1)})
    with closing(DiskStore(folder)) as reader:
        assert reader.version() == 1
        folder.rename(folder.with_name("away"))
        with closing(DiskStore(folder)) as fresh:
            fresh.write({"engine": section(9)})
        assert reader.read() == {"engine": section(9)}
        with pytest.raises(StoreError, match="was replaced"):
            store.write({"quotes": section(10)})
        store.clear()
        store.write({"quotes": section(11)})
        assert reader.read() == {"quotes": section(11)}
    assert aside(folder) == [], "a sound folder is not put aside"


def test_damage_while_running_is_an_error_until_it_is_cleared(
    folder: Path, store: DiskStore
) -> None:
    store.write({f"s{n}": section(3, b'"' + b"y" * 3_000 + b'"') for n in range(50)})
    store.close()
    _overwrite_pages(folder)
    with pytest.raises(StoreError):
        store.read()
    store.clear()
    store.write({"quotes": section(4)})
    assert store.read() == {"quotes": section(4)}
    assert store.was_rebuilt


def test_a_locked_store_is_an_error_and_is_not_put_aside(
    folder: Path, store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.adapters.stores.on_disk._BUSY_S", 0.05)
    with (
        closing(DiskStore(folder)) as impatient,
        closing(sqlite3.connect(folder / "cache.db")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            impatient.write({"quotes": section(1)})
        other.rollback()
        impatient.write({"quotes": section(1)})
    assert aside(folder) == []


def test_a_folder_that_cannot_be_made_is_an_error_in_plain_words(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="check its disk"):
        DiskStore(blocked / "store")


def test_many_processes_may_open_a_new_store_at_once(folder: Path) -> None:
    command = [sys.executable, "-c", WRITE, str(folder)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert errors == [""] * 4
    with closing(DiskStore(folder)) as store:
        assert set(store.read()) == {"quotes"}


def test_an_idle_poll_does_not_read_the_sections(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write({f"bars:{n}": section(n) for n in range(1, 300)})
    asked: list[str] = []
    plain = diskcache.Cache.get

    def counted(cache: diskcache.Cache, key: str) -> object:
        asked.append(key)
        return plain(cache, key)

    monkeypatch.setattr(diskcache.Cache, "get", counted)
    assert store.read(since=299) == {}
    assert asked == ["v"]
    assert set(store.read(since=298)) == {"bars:299"}
    assert asked[1:] == ["v", "i", "s:bars:299", "v"]


def test_a_pickle_refused_on_the_way_in_leaves_no_trace(store: DiskStore) -> None:
    with pytest.raises(StoreError):
        store._cache.set("p:x", Mine())
    with pytest.raises(StoreError):
        store._cache.set((1, 2), b"1")
    assert pickle.loads(pickle.dumps(Mine())) == Mine(), "control: it could have been pickled"  # noqa: S301
    assert store.keys() == ()
