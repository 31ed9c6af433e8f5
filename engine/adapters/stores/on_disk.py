"""The shared state on disk, for every process of this machine: diskcache without pickle and without eviction.

Keys: ``s:NAME`` a section (a line with its stamp, then its JSON), ``p:KEY`` a plain value, ``i`` the version of each
section, ``v`` the highest version and a count of writes. Readers look at ``v`` before and after: an idle poll costs
one row, and what they get belongs together.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import diskcache
from filelock import FileLock
from filelock import Timeout as LockTimeout

from engine.adapters.stores.memory import refuse_all_but_bytes
from engine.adapters.stores.plain_disk import PlainDisk
from engine.adapters.stores.quarantine import put_aside
from engine.domain.errors import InvalidValueError, StoreError
from engine.domain.payload import decode, encode
from engine.domain.sections import Stamp

_BUSY_S = 2.0
_OPENING_S = 30.0
_TRIES = 8
_SETTINGS = {
    "eviction_policy": "none",
    "cull_limit": 0,
    "size_limit": 2**40,
    "statistics": 0,
    "tag_index": 0,
    "disk_min_file_size": 2**20,
    "sqlite_mmap_size": 0,  # a mapped file that somebody truncates would kill the process
    "sqlite_synchronous": 1,
}
_SOUND = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_FULL",
    "SQLITE_READONLY",
    "SQLITE_CANTOPEN",
    "SQLITE_IOERR",
)
"""Errors of SQLite that say nothing against the file; any other at opening means that it is damaged."""


class DiskStore:
    """A store in a folder; safe to call from any thread and process.

    A folder that is damaged, or holds what a store must not hold, is put aside and begun anew.

    Parameters
    ----------
    folder : Path
        Made with mode 0700; a folder with wider permissions is narrowed.

    Attributes
    ----------
    was_rebuilt : bool
        True when a damaged folder was put aside: everything must be written again, and a person told.

    Raises
    ------
    StoreError
        The folder cannot be made or written, or is locked for long.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opening = threading.RLock()
        self.was_rebuilt = False
        self._open()

    def write(self, items: Mapping[str, tuple[bytes, Stamp]]) -> None:
        """Put all items in one transaction; readers see all or none.

        Raises
        ------
        StoreError
            The folder vanished, was replaced or is damaged: `clear` it and write everything again.
        """
        refuse_all_but_bytes(raw for raw, _ in items.values())
        with self._in_place(is_writing=True) as cache, cache.transact():
            version, writes = _versions(cache)
            index = _index(cache)
            for name, (raw, stamp) in items.items():
                cache.set(f"s:{name}", stamp.to_json() + b"\n" + raw)
                index[name] = stamp.version
                version = max(version, stamp.version)
            cache.set("i", encode(index))
            cache.set("v", b"%d %d" % (version, writes + 1))

    def read(
        self, names: Iterable[str] | None = None, since: int = 0
    ) -> dict[str, tuple[bytes, Stamp]]:
        """Return the named items (all when None) whose version is above `since`."""
        wanted = None if names is None else tuple(names)
        with self._in_place() as cache:
            for attempt in range(_TRIES):
                is_last = attempt == _TRIES - 1
                with cache.transact() if is_last else nullcontext():
                    before = _versions(cache)
                    found = _sections(cache, wanted, since) if before[0] > since else {}
                    if found is not None and (not found or _versions(cache) == before):
                        return found
        raise StoreError(f"the store {self._folder} must hold all its sections, did not; clear it")

    def version(self) -> int:
        """Return the highest version written, 0 when empty."""
        with self._in_place() as cache:
            return _versions(cache)[0]

    def versions(self) -> dict[str, int]:
        """Return the version of every section: one row."""
        with self._in_place() as cache:
            return _index(cache)

    def get(self, key: str) -> bytes | None:
        """Return a plain value, or None."""
        with self._in_place() as cache:
            value: bytes | None = cache.get(f"p:{key}")
            return value

    def put(self, items: Mapping[str, bytes]) -> None:
        """Put plain values in one transaction; raises like `write`."""
        refuse_all_but_bytes(items.values())
        with self._in_place(is_writing=True) as cache, cache.transact():
            for key, value in items.items():
                cache.set(f"p:{key}", value)

    def keys(self) -> tuple[str, ...]:
        """Return the plain keys, sorted."""
        with self._in_place() as cache:
            return tuple(sorted(key[2:] for key in cache if key.startswith("p:")))

    def clear(self) -> None:
        """Forget everything; a folder that cannot be emptied is put aside and begun anew."""
        with self._opening:
            try:
                with self._in_place() as cache:
                    cache.clear()
            except StoreError:
                self._begin_anew()

    def close(self) -> None:
        """Release this thread's files; harmless twice. Another thread's go when it ends."""
        self._cache.close()

    @contextmanager
    def _in_place(self, *, is_writing: bool = False) -> Iterator[diskcache.Cache]:
        """Give the cache if its file is still the one that was opened.

        Without the check a process would go on with a deleted file that nobody else can see.
        """
        with _in_plain_words(self._folder):
            if _identity(self._folder) != self._identity:
                with self._opening:
                    if _identity(self._folder) != self._identity:
                        self._open()
                if is_writing:
                    raise StoreError(
                        f"the store {self._folder} must stay in place, was replaced; clear it, write all again"
                    )
            yield self._cache

    def _open(self) -> None:
        with _in_plain_words(self._folder):
            self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._guard():
                try:
                    cache = _opened(self._folder)
                except (
                    sqlite3.DatabaseError,
                    StoreError,
                    ValueError,
                    TypeError,
                    LookupError,
                ) as error:
                    if getattr(error, "sqlite_errorname", "").startswith(_SOUND):
                        raise
                    put_aside(self._folder)
                    self.was_rebuilt = True
                    cache = _opened(self._folder)
                self._adopt(cache)

    def _begin_anew(self) -> None:
        with _in_plain_words(self._folder), self._guard():
            self._cache.close()
            put_aside(self._folder)
            self.was_rebuilt = True
            self._adopt(_opened(self._folder))

    def _adopt(self, cache: diskcache.Cache) -> None:
        self._cache = cache
        self._identity = _identity(self._folder)

    def _guard(self) -> FileLock:
        """Only one process makes or puts aside the folder at a time; the lock stands beside it."""
        return FileLock(
            f"{self._folder}.lock", timeout=_OPENING_S, mode=0o600, fallback_to_soft=False
        )


def _identity(folder: Path) -> tuple[int, int]:
    status = os.stat(folder / diskcache.core.DBNAME)  # noqa: PTH116 -- half the time of Path.stat, 20 times a second
    return status.st_dev, status.st_ino


def _opened(folder: Path) -> diskcache.Cache:
    """Return the cache in `folder`, made if need be and found sound to the last row."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    database = folder / diskcache.core.DBNAME
    if database.exists():
        with closing(sqlite3.connect(database, timeout=_BUSY_S)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise ValueError("the store's file is inconsistent")
    cache = diskcache.Cache(str(folder), timeout=_BUSY_S, disk=PlainDisk, **_SETTINGS)
    try:
        _check_rows(cache)
    except BaseException:
        cache.close()
        raise
    return cache


def _check_rows(cache: diskcache.Cache) -> None:
    for key in cache:
        value = cache.get(key)
        if value is None:
            raise ValueError(f"the value of {key!r} is gone")
        if key.startswith("s:"):
            _unpacked(value)
    _versions(cache)
    _index(cache)


def _versions(cache: diskcache.Cache) -> tuple[int, int]:
    """Return the highest version and the count of writes."""
    version, _, writes = (cache.get("v") or b"0 0").partition(b" ")
    return int(version), int(writes)


def _index(cache: diskcache.Cache) -> dict[str, int]:
    return dict(decode(cache.get("i") or b"{}"))


def _sections(
    cache: diskcache.Cache, wanted: tuple[str, ...] | None, since: int
) -> dict[str, tuple[bytes, Stamp]] | None:
    """Return the sections above `since`, or None when one went away meanwhile."""
    index = _index(cache)
    found = {}
    for name in index if wanted is None else wanted:
        if index.get(name, since) > since:
            value = cache.get(f"s:{name}")
            if value is None:
                return None
            found[name] = _unpacked(value)
    return found


def _unpacked(value: bytes) -> tuple[bytes, Stamp]:
    head, _, raw = value.partition(b"\n")
    return raw, Stamp.from_json(head)


@contextmanager
def _in_plain_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StoreError(
            f"the store {folder} must stay in place, is gone; clear it, write all again"
        ) from error
    except (diskcache.Timeout, LockTimeout) as error:
        raise StoreError(
            f"the store {folder} is locked by another process; end it or wait"
        ) from error
    except (sqlite3.Error, OSError, InvalidValueError, ValueError) as error:
        raise StoreError(
            f"the store {folder} cannot be used: {error}; clear it, or check its disk"
        ) from error
