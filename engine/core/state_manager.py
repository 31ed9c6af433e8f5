"""The agents' shared memory: JSON-like values under string keys, for every thread of this process.

A façade over the store port: reads and writes are memory, `flush` carries what changed to the store, and `snapshot`
writes everything to one file, aside first and then renamed, so that a reader never sees half of it.
"""

import contextlib
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.domain.errors import StoreError
from engine.domain.payload import decode
from engine.ports.store import Store

T = TypeVar("T")

log = logging.getLogger(__name__)


class StateManager:
    """Holds values by key, safely for threads.

    Parameters
    ----------
    snapshot_path : str or Path, optional
        File that `snapshot` writes and that a new manager restores from. A damaged one is logged, set aside as
        ``<name>.damaged`` and the start goes on empty.
    store : Store, optional
        Where `flush` puts values for other processes; its values are there again after a restart.

    Notes
    -----
    Values are handed out as they are kept: treat them as read-only and `set` a new one.
    """

    def __init__(self, snapshot_path: str | Path | None = None, store: Store | None = None) -> None:
        self._path = None if snapshot_path is None else Path(snapshot_path)
        self._store = store
        self._values: dict[str, Any] = {}
        self._derived: dict[str, tuple[Any, Callable[[Any], Any], Any]] = {}
        self._dirty: set[str] = set()
        self._lock = threading.RLock()
        self._writing = threading.Lock()
        self._restore()

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 -- JSON-like, the caller knows which
        """Return the value of `key`, or `default` where there is none."""
        with self._lock:
            return self._values.get(key, default)

    def derived(self, key: str, make: Callable[[Any], T]) -> T | None:
        """Return ``make(value)`` for the value of `key`, made once for each value that is set; None without a value.

        All readers share the result: it must be read-only, and `make` a function that lives long (one per key).
        """
        with self._lock:
            value, known = self._values.get(key), self._derived.get(key)
        if value is None:
            return None
        if known is not None and known[0] is value and known[1] is make:
            result: T = known[2]
            return result
        result = make(value)
        with self._lock:
            if self._values.get(key) is value:
                self._derived[key] = (value, make, result)
        return result

    def set(self, key: str, value: Any) -> None:  # noqa: ANN401 -- JSON-like, the caller knows which
        """Keep a value; the later call wins."""
        with self._lock:
            self._values[key] = value
            self._dirty.add(key)

    def update(self, values: Mapping[str, Any]) -> None:
        """Keep several values at once: a reader sees all of them or none."""
        with self._lock:
            self._values.update(values)
            self._dirty.update(values)

    def delete(self, key: str) -> None:
        """Forget a key; harmless when it is unknown."""
        with self._lock:
            self._derived.pop(key, None)
            if self._values.pop(key, None) is not None:
                self._dirty.add(key)

    def keys(self, prefix: str = "") -> tuple[str, ...]:
        """Return the known keys that start with `prefix`, sorted."""
        with self._lock:
            return tuple(sorted(key for key in self._values if key.startswith(prefix)))

    def clear(self) -> None:
        """Forget everything (a new run)."""
        with self._lock:
            self._dirty.update(self._values)
            self._values.clear()
            self._derived.clear()

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._values

    def flush(self, *, everything: bool = False) -> None:
        """Carry what changed since the last flush to the store, in one transaction; nothing without a store.

        Raises
        ------
        StoreError
            The store could not be written; what changed is tried again next time.
        """
        if self._store is None:
            return
        with self._writing:
            with self._lock:
                names = set(self._values) | self._dirty if everything else self._dirty
                self._dirty = set()
                changed = {name: self._values.get(name) for name in names}
            try:
                self._store.put(_encoded(changed))
            except StoreError:
                with self._lock:
                    self._dirty |= names
                raise

    def snapshot(self) -> None:
        """Write every value to `snapshot_path` (making its folder) and flush to the store.

        Raises
        ------
        StoreError
            It could not be written; an older snapshot stands as it was.
        """
        self.flush()
        if self._path is None:
            return
        with self._lock:
            values = dict(self._values)
        parts = (_ENCODER.encode(key) + b":" + raw for key, raw in sorted(_encoded(values).items()))
        with self._writing:
            _write_aside(self._path, b"{" + b",".join(parts) + b"}")

    def _restore(self) -> None:
        if self._store is not None:
            for key in self._store.keys():  # noqa: SIM118 -- a port's method, not a dict
                raw = self._store.get(key)
                if raw is not None and raw != _NULL:
                    self._values[key] = decode(raw)
        if self._path is not None and self._path.is_file():
            self._values.update(_read_snapshot(self._path))


_NULL = b"null"


def _plain(value: object) -> object:
    """Return plain data of a numpy scalar or array (anything with `tolist`)."""
    tolist = getattr(value, "tolist", None)
    if tolist is None:
        raise NotImplementedError(f"{type(value).__name__} is not JSON-like")
    return tolist()


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def _encoded(values: Mapping[str, Any]) -> dict[str, bytes]:
    encoded = {}
    for key, value in values.items():
        try:
            encoded[key] = _ENCODER.encode(value)
        except (NotImplementedError, TypeError, ValueError) as error:
            log.warning("state %r stays in memory only: %s", key, error)
    return encoded


def _read_snapshot(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, ValueError, msgspec.DecodeError) as error:
        aside = path.with_name(path.name + ".damaged")
        log.warning(
            "state snapshot %s is damaged (%s); kept as %s, starting empty", path, error, aside.name
        )
        with contextlib.suppress(OSError):
            path.replace(aside)
        return {}


def _write_aside(path: Path, raw: bytes) -> None:
    temporary: Path | None = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise StoreError(
            f"state snapshot must be writable at {path}, was not: {error}; free space or correct the path"
        ) from error
