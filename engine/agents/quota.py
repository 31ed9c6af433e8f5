"""How much an agent may say: so many events and bytes a second over a minute, so that none fills the journal or disk.

Times are seconds of the clock's monotonic time.
"""

from engine.ports.clock import Clock

EVENTS_PER_S = 50.0
"""Events that an agent of one's own may publish in the long run: an answer to every tick of a dozen symbols."""
ALERTS_PER_S = 0.1
"""Alerts among them: they reach a person, who reads six a minute at most."""
BYTES_PER_S = 20_000.0
"""Bytes of their data, as JSON, that it may publish in the long run: 1.7 GB a day at the most."""
WINDOW_S = 60.0
"""Seconds whose share may be said in one burst."""


class Quota:
    """Lets `EVENTS_PER_S` and `BYTES_PER_S` through in the long run, a minute's worth at once, and counts the rest.

    Parameters
    ----------
    clock : Clock
        Measures.
    per_s : float
        Events a second.

    Examples
    --------
    >>> from engine.adapters.clocks.manual import ManualClock
    >>> clock = ManualClock()
    >>> quota = Quota(clock)
    >>> sum(quota.admits() for _ in range(5000)), quota.dropped
    (3000, 2000)
    >>> clock.advance(1.0)
    >>> sum(quota.admits() for _ in range(100)), quota.dropped
    (50, 2050)
    """

    def __init__(self, clock: Clock, per_s: float = EVENTS_PER_S) -> None:
        self._clock = clock
        self._per_s = per_s
        self._events = per_s * WINDOW_S
        self._bytes = BYTES_PER_S * WINDOW_S
        self._at_s = clock.monotonic()
        self.admitted = 0
        self.dropped = 0

    async def wait(self) -> None:
        """Wait until there may be room for one more."""
        await self._clock.sleep(1.0 / EVENTS_PER_S)

    def admits(self, n_bytes: int = 0) -> bool:
        """Return whether one more event of so many bytes may be said now; one that may not is counted."""
        self._grow()
        if self._events < 1 or self._bytes < n_bytes:
            self.dropped += 1
            return False
        self._events -= 1
        self._bytes -= n_bytes
        self.admitted += 1
        return True

    def _grow(self) -> None:
        now_s = self._clock.monotonic()
        seconds, self._at_s = now_s - self._at_s, now_s
        self._events = min(self._per_s * WINDOW_S, self._events + seconds * self._per_s)
        self._bytes = min(BYTES_PER_S * WINDOW_S, self._bytes + seconds * BYTES_PER_S)
