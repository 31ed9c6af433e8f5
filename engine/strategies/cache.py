"""A bounded memory for calculations that several strategies share."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import perf_counter
from typing import Any

from engine.domain.errors import must


class CalculationCache:
    """Keeps values for a while, the newest `max_size` of them; safe from several threads.

    Parameters
    ----------
    max_size : int
        Entries kept; the one written longest ago leaves first.
    ttl_seconds : float
        Life of an entry from its last `set`.
    timer : callable
        Monotonic seconds; a test turns it by hand.

    Examples
    --------
    >>> cache = CalculationCache(max_size=2)
    >>> cache.set("AAPL_1", {"atr": 1.5})
    >>> "AAPL_1" in cache, cache.get("AAPL_2")
    (True, None)
    """

    def __init__(
        self,
        max_size: int = 256,
        ttl_seconds: float = 60.0,
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        if max_size < 1:
            raise must("max_size", "be at least 1", max_size, "allow one entry")
        if not ttl_seconds > 0:
            raise must("ttl_seconds", "be positive", ttl_seconds, "give a life in seconds")
        self._max_size = max_size
        self._ttl_s = ttl_seconds
        self._timer = timer
        self._entries: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def set(self, key: Hashable, value: object) -> None:
        """Keep `value` under `key`, as the newest entry."""
        with self._lock:
            self._entries[key] = (self._timer() + self._ttl_s, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self._max_size:
                self._entries.popitem(last=False)

    def get(self, key: Hashable, default: Any = None) -> Any:  # noqa: ANN401 -- what was put in comes out
        """Return the value under `key`, or `default` where there is none or its time is over."""
        with self._lock:
            return self._entries[key][1] if self._is_alive(key) else default

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return self._is_alive(key)

    def __len__(self) -> int:
        with self._lock:
            return sum(self._is_alive(key) for key in list(self._entries))

    def _is_alive(self, key: Hashable) -> bool:
        entry = self._entries.get(key)
        if entry is None:
            return False
        if self._timer() >= entry[0]:
            del self._entries[key]
            return False
        return True
