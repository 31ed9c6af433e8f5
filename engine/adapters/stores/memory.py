"""A store in memory, for one process: tests, contract runs and back-tests."""

import threading
from collections.abc import Iterable, Mapping

from engine.domain.errors import StoreError
from engine.domain.sections import Stamp


class MemoryStore:
    """A store in memory; safe to call from any thread."""

    was_rebuilt = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sections: dict[str, tuple[bytes, Stamp]] = {}
        self._values: dict[str, bytes] = {}
        self._version = 0

    def write(self, items: Mapping[str, tuple[bytes, Stamp]]) -> None:
        """Put all items in one transaction; readers see all or none."""
        refuse_all_but_bytes(raw for raw, _ in items.values())
        with self._lock:
            self._sections.update(items)
            versions = (stamp.version for _, stamp in items.values())
            self._version = max(self._version, *versions, 0)

    def read(
        self, names: Iterable[str] | None = None, since: int = 0
    ) -> dict[str, tuple[bytes, Stamp]]:
        """Return the named items (all when None) whose version is above `since`."""
        with self._lock:
            wanted = self._sections.keys() if names is None else names
            found = {name: self._sections[name] for name in wanted if name in self._sections}
        return {name: item for name, item in found.items() if item[1].version > since}

    def version(self) -> int:
        """Return the highest version written, 0 when empty."""
        return self._version

    def versions(self) -> dict[str, int]:
        """Return the version of every section."""
        with self._lock:
            return {name: stamp.version for name, (_, stamp) in self._sections.items()}

    def get(self, key: str) -> bytes | None:
        """Return a plain value, or None."""
        return self._values.get(key)

    def put(self, items: Mapping[str, bytes]) -> None:
        """Put plain values in one transaction."""
        refuse_all_but_bytes(items.values())
        with self._lock:
            self._values.update(items)

    def keys(self) -> tuple[str, ...]:
        """Return the plain keys, sorted."""
        with self._lock:
            return tuple(sorted(self._values))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._sections.clear()
            self._values.clear()
            self._version = 0

    def close(self) -> None:
        """Do nothing; there is nothing to release."""


def refuse_all_but_bytes(values: Iterable[object]) -> None:
    """Refuse what is not bytes, before anything is written.

    Raises
    ------
    StoreError
        A value is of another type.
    """
    for value in values:
        if type(value) is not bytes:
            raise StoreError(
                f"a stored value must be JSON bytes, was {type(value).__name__}; encode it first"
            )
