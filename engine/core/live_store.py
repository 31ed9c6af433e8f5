"""A store that heals: when it breaks it is opened anew, and whoever writes learns that it begins empty.

The store holds what may be seen, never what is true, so losing it costs a rewrite and no more.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from engine.domain.errors import StoreError
from engine.domain.sections import Stamp
from engine.ports.store import Store

T = TypeVar("T")

log = logging.getLogger(__name__)


class LiveStore:
    """The store port over whatever `open_store` opens, reopened after a failure.

    Parameters
    ----------
    open_store : callable
        Opens the store; sets a damaged one aside by itself.
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open = open_store
        self._store = open_store()
        self._lock = threading.Lock()
        self.generation = 0
        """Grows when the store was opened anew: everything must be written again."""

    def write(self, items: Mapping[str, tuple[bytes, Stamp]]) -> None:
        """Put all items in one transaction."""
        self._guarded(lambda store: store.write(items))

    def read(
        self, names: Iterable[str] | None = None, since: int = 0
    ) -> dict[str, tuple[bytes, Stamp]]:
        """Return the named items (all when None) whose version is above `since`."""
        wanted = None if names is None else tuple(names)
        return self._guarded(lambda store: store.read(wanted, since))

    def version(self) -> int:
        """Return the highest version written."""
        return self._guarded(lambda store: store.version())

    def versions(self) -> dict[str, int]:
        """Return the version of every section."""
        return self._guarded(lambda store: store.versions())

    def get(self, key: str) -> bytes | None:
        """Return a plain value."""
        return self._guarded(lambda store: store.get(key))

    def put(self, items: Mapping[str, bytes]) -> None:
        """Put plain values in one transaction."""
        self._guarded(lambda store: store.put(items))

    def keys(self) -> tuple[str, ...]:
        """Return the plain keys, sorted."""
        return self._guarded(lambda store: store.keys())

    def clear(self) -> None:
        """Forget everything."""
        self._guarded(lambda store: store.clear())

    def close(self) -> None:
        """Release files."""
        self._store.close()

    def _guarded(self, act: Callable[[Store], T]) -> T:
        generation, store = self.generation, self._store
        try:
            return act(store)
        except StoreError as error:
            log.warning("store failed and is opened anew: %s", error)
            with self._lock:
                if self.generation == generation:
                    self._reopen()
            return act(self._store)

    def _reopen(self) -> None:
        try:
            self._store.close()
        except StoreError as error:
            log.debug("closing the broken store: %s", error)
        self._store = self._open()
        self.generation += 1
