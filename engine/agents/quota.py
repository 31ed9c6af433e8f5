"""How much an agent may say: so many events a second over a minute, so that none fills the journal for everybody.

Times are seconds of the clock's monotonic time.
"""

from typing import Any

from engine.core.event_bus import EventBus
from engine.domain.events import Event
from engine.ports.clock import Clock

EVENTS_PER_S = 50.0
"""Events that an agent of one's own may publish in the long run: an answer to every tick of a dozen symbols."""
WINDOW_S = 60.0
"""Seconds whose share may be said in one burst."""


class Quota:
    """Lets `EVENTS_PER_S` through in the long run, up to a minute's worth at once, and counts what it keeps back.

    Parameters
    ----------
    clock : Clock
        Measures.

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

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = EVENTS_PER_S * WINDOW_S
        self._at_s = clock.monotonic()
        self.admitted = 0
        self.dropped = 0

    async def wait(self) -> None:
        """Wait until there may be room for one more."""
        await self._clock.sleep(1.0 / EVENTS_PER_S)

    def admits(self) -> bool:
        """Return whether one more event may be said now; one that may not is counted."""
        now_s = self._clock.monotonic()
        grown = self._left + (now_s - self._at_s) * EVENTS_PER_S
        self._left, self._at_s = min(EVENTS_PER_S * WINDOW_S, grown), now_s
        if self._left < 1:
            self.dropped += 1
            return False
        self._left -= 1
        self.admitted += 1
        return True


class MeteredBus:
    """An event bus as an agent of one's own has it: what it publishes, by whichever way, counts against its quota.

    Parameters
    ----------
    bus : EventBus
        The bus of everybody.
    quota : Quota
        The agent's own.
    """

    def __init__(self, bus: EventBus, quota: Quota) -> None:
        self._bus = bus
        self._quota = quota

    async def publish(self, event: Event) -> Event:
        """Publish as `EventBus.publish` does; an event beyond the quota comes back as it is (`seq` 0), after a wait.

        Who says ever more without a pause is held to the quota's pace: it may not take the loop from the others.
        """
        if self._quota.admits():
            return await self._bus.publish(event)
        await self._quota.wait()
        return event

    def post(self, event: Event) -> None:
        """Queue as `EventBus.post` does; an event beyond the quota is dropped."""
        if self._quota.admits():
            self._bus.post(event)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the bus has
        return getattr(self._bus, name)
