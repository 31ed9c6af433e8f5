"""A bounded memory in which each value has its own time to live; the longest unused leaves first when it is full."""

from dataclasses import dataclass
from typing import Any

from cachetools import TLRUCache

from engine.ports.clock import Clock

MAX_ENTRIES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    value: Any
    ttl_s: float


class TtlCache:
    """Keeps values for as long as each was given, and counts how often it could help.

    Parameters
    ----------
    clock : Clock
        Ages count in its monotonic seconds.
    max_entries : int
        Entries kept.

    Examples
    --------
    >>> from engine.adapters.clocks.manual import ManualClock
    >>> clock = ManualClock()
    >>> cache = TtlCache(clock)
    >>> cache.put("AAPL", 189.5, ttl_s=5)
    >>> clock.advance(4.9)
    >>> cache.get("AAPL")
    189.5
    >>> clock.advance(0.1)
    >>> cache.get("AAPL"), cache.hit_rate
    (None, 0.5)
    """

    def __init__(self, clock: Clock, max_entries: int = MAX_ENTRIES) -> None:
        self._entries: TLRUCache[str, _Entry] = TLRUCache(
            max_entries, ttu=lambda _key, entry, now_s: now_s + entry.ttl_s, timer=clock.monotonic
        )
        self.hits = 0
        self.misses = 0

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 -- whatever was put in
        """Return the value, or `default` when it is unknown or too old."""
        entry = self._entries.get(key)
        if entry is None:
            self.misses += 1
            return default
        self.hits += 1
        return entry.value

    def put(self, key: str, value: Any, ttl_s: float) -> None:  # noqa: ANN401 -- anything
        """Keep a value for `ttl_s` seconds; zero or less forgets the key."""
        self._entries[key] = _Entry(value=value, ttl_s=ttl_s)

    @property
    def size(self) -> int:
        """Entries that still live."""
        return len(self._entries)

    @property
    def hit_rate(self) -> float:
        """Share of look-ups that found a value; 0 before the first."""
        looked = self.hits + self.misses
        return self.hits / looked if looked else 0.0

    @property
    def places(self) -> int:
        """Entries kept at most."""
        return int(self._entries.maxsize)
