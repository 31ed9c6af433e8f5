"""A clock that a test turns by hand. Nothing moves unless it is told to, so a run is a pure function of its inputs."""

import asyncio
import heapq
import itertools
import math
from datetime import UTC, datetime, timedelta

from engine.domain.errors import must

_DEFAULT_START = datetime(2024, 1, 1, tzinfo=UTC)


class ManualClock:
    """Time that stands still until `advance` or `run` moves it.

    Parameters
    ----------
    start : datetime
        Wall time at the beginning, aware.
    monotonic : float
        Monotonic seconds at the beginning.

    Examples
    --------
    >>> clock = ManualClock()
    >>> clock.advance(2.5)
    >>> clock.monotonic(), clock.now().isoformat()
    (2.5, '2024-01-01T00:00:02.500000+00:00')
    """

    def __init__(self, start: datetime = _DEFAULT_START, monotonic: float = 0.0) -> None:
        if start.tzinfo is None:
            raise must("start", "be aware of its zone", start, "add tzinfo=UTC")
        self._start = start.astimezone(UTC)
        self._origin = monotonic
        self._elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the wall time that the clock was turned to."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Return the monotonic seconds that the clock was turned to."""
        return self._origin + self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been turned so far; zero or less gives others one turn."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Move time at once and wake who is due, by due time and then by order of falling asleep.

        The woken run when the caller next awaits. Whoever sleeps again counts from the new time; use `run` to
        let periodic tasks have every one of their turns.
        """
        self._turn_to(self._elapsed + _seconds(seconds))

    async def run(self, seconds: float, turns: int = 50) -> None:
        """Move time from one due moment to the next, giving the event loop `turns` turns at each.

        A task that sleeps one second in a loop runs ten times in ``run(10)``, as it would in real time.
        """
        end = self._elapsed + _seconds(seconds)
        await _settle(turns)
        while (due := self._next_due()) is not None and due <= end:
            self._turn_to(due)
            await _settle(turns)
        self._turn_to(end)
        await _settle(turns)

    @property
    def n_sleepers(self) -> int:
        """How many wait for the clock."""
        return sum(not woken.done() for *_, woken in self._sleepers)

    def _next_due(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # cancelled while asleep
        return self._sleepers[0][0] if self._sleepers else None

    def _turn_to(self, elapsed: float) -> None:
        self._elapsed = max(self._elapsed, elapsed)
        while (due := self._next_due()) is not None and due <= self._elapsed:
            heapq.heappop(self._sleepers)[2].set_result(None)


def _seconds(value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise must("seconds", "be finite and not negative", value, "a clock never goes back")
    return value


async def _settle(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
