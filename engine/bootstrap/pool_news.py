"""What the resource pool has done, for the screens: with every health check, and at once when a breaker turns."""

from collections.abc import Callable
from typing import Any

from engine.domain.events import Event, EventType
from engine.domain.resources import BreakerState
from engine.ports.clock import Clock
from engine.scheduling.resource_pool import ResourcePool

AT_MOST_EVERY_S = 1.0


def told_of(pool: ResourcePool) -> dict[str, Any]:
    """Return the pool's part of HEALTH_CHECKED, plain data throughout."""
    return {
        "apis": [row.to_data() for row in pool.get_stats()["apis"]],
        "pool": pool.figures().to_data(),
    }


class PoolNews:
    """Tells the pool's figures as it is used: at most once a second, and always when a breaker has turned.

    Parameters
    ----------
    pool : ResourcePool
        Whose figures; it calls `look` from then on.
    post : callable
        Takes an event without waiting.
    clock : Clock
        Measures.
    """

    def __init__(self, pool: ResourcePool, post: Callable[[Event], None], clock: Clock) -> None:
        self._pool = pool
        self._post = post
        self._clock = clock
        self._told_at_s: float | None = None
        self._states: dict[str, tuple[BreakerState, bool]] = {}
        pool.on_change = self.look

    def look(self) -> None:
        """Tell the figures if they are news."""
        rows = self._pool.get_stats()["apis"]
        states = {row.api: _state(row.breaker, row.in_flight) for row in rows}
        now_s = self._clock.monotonic()
        is_quiet = self._told_at_s is not None and now_s - self._told_at_s < AT_MOST_EVERY_S
        if is_quiet and states == self._states:
            return
        self._told_at_s, self._states = now_s, states
        self._post(Event(EventType.HEALTH_CHECKED, told_of(self._pool), source="engine"))


def _state(breaker: BreakerState, in_flight: int) -> tuple[BreakerState, bool]:
    """Return what makes news of a breaker: its state, and of one half-open whether its trial call is under way."""
    return breaker, breaker is BreakerState.HALF_OPEN and in_flight > 0
