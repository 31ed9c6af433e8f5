"""The shared state: bytes under names with versions; what may be seen, never what is true."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from engine.domain.sections import Stamp


class Store(Protocol):
    """Holds sections for every process on this machine. Values are JSON bytes; nothing is ever evicted or unpickled."""

    def write(self, items: Mapping[str, tuple[bytes, Stamp]]) -> None:
        """Put all items in one transaction; readers see all or none."""
        ...

    def read(
        self, names: Iterable[str] | None = None, since: int = 0
    ) -> dict[str, tuple[bytes, Stamp]]:
        """Return the named items (all when None) whose version is above `since`."""
        ...

    def version(self) -> int:
        """Return the highest version written, 0 when empty."""
        ...

    def versions(self) -> dict[str, int]:
        """Return the version of every section: a small answer that says what is worth reading."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return a plain value outside the sections (the StateManager's), or None."""
        ...

    def put(self, items: Mapping[str, bytes]) -> None:
        """Put plain values outside the sections in one transaction."""
        ...

    def keys(self) -> tuple[str, ...]:
        """Return the plain keys, sorted."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def close(self) -> None:
        """Release files; harmless twice."""
        ...
