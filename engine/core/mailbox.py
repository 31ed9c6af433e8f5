"""Between the bus and one handler: a fence that counts, and a mailbox for handlers that await.

A mailbox is never a reason to lose an order: only stream and telemetry events give way, to a newer one of their kind.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from engine.core.containing import contained
from engine.domain.events import Event, EventType, Retention

_MAY_GIVE_WAY = (Retention.STREAM, Retention.TELEMETRY)


class Fence:
    """Counts what one handler did; a success ends a row of failures."""

    __slots__ = ("consecutive", "failures", "handled", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.handled = 0
        self.failures = 0
        self.consecutive = 0

    def passed(self) -> None:
        """Count a success."""
        self.handled += 1
        self.consecutive = 0

    def failed(self) -> int:
        """Count a failure and return how many came in a row."""
        self.failures += 1
        self.consecutive += 1
        return self.consecutive

    def figures(self) -> dict[str, int]:
        """Return the counters by name."""
        return {"handled": self.handled, "failures": self.failures, "consecutive": self.consecutive}


Failed = Callable[[Fence, Event, Exception], None]
"""Called with the fence, the event and the error when a handler raised."""


class Mailbox:
    """Keeps events in order for one asynchronous handler, which gets one at a time.

    Parameters
    ----------
    handler : coroutine function of one event
    fence : Fence
    size : int
        From here on a stream event replaces the waiting one of its type and symbol.

    Notes
    -----
    The task lives only while there is something to deliver, so that a forgotten bus leaves nothing running.
    """

    def __init__(self, handler: Callable[[Event], Any], fence: Fence, size: int) -> None:
        self.handler = handler
        self.conflated = 0
        self._fence = fence
        self._size = size
        self._waiting: deque[Event | None] = deque()
        self._given_way = 0
        self._newest: dict[tuple[EventType, object], int] = {}
        self._taken = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """True when nothing waits and the handler is not at work."""
        return self._task is None or self._task.done()

    async def idle(self) -> None:
        """Return when the mailbox is empty and the handler has ended."""
        while self._task is not None and not self._task.done():
            await asyncio.wait((self._task,))

    def put(self, event: Event, failed: Failed) -> None:
        """Take an event; the handler is called with it in its turn."""
        if self.n_waiting >= self._size and event.retention in _MAY_GIVE_WAY:
            self._give_way(event)
        key = (event.event_type, event.data.get("symbol"))
        self._newest[key] = self._taken + len(self._waiting)
        self._waiting.append(event)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work(failed))

    @property
    def n_waiting(self) -> int:
        """How many events wait."""
        return len(self._waiting) - self._given_way

    def figures(self) -> dict[str, int]:
        """Return the counters by name."""
        return {"waiting": self.n_waiting, "conflated": self.conflated}

    def clear(self) -> None:
        """Forget what waits and end the task."""
        self._waiting.clear()
        self._newest.clear()
        self._taken = self._given_way = 0
        if self._task is not None and self._task is not _current_task():
            self._task.cancel()

    def _give_way(self, event: Event) -> None:
        """Blank the waiting event of the same type and symbol, so that the newest keeps its place in the order."""
        place = self._newest.get((event.event_type, event.data.get("symbol")))
        if place is None or place < self._taken:
            return
        index = place - self._taken
        if index < len(self._waiting) and self._waiting[index] is not None:
            self._waiting[index] = None
            self._given_way += 1
            self.conflated += 1
            if self._given_way > self._size:
                self._close_gaps()

    def _close_gaps(self) -> None:
        """Drop the blanks, so that a handler that hangs does not make the box grow with every tick."""
        kept = [event for event in self._waiting if event is not None]
        self._waiting = deque(kept)
        self._newest = {
            (event.event_type, event.data.get("symbol")): i for i, event in enumerate(kept)
        }
        self._taken = self._given_way = 0

    async def _work(self, failed: Failed) -> None:
        while self._waiting:
            event = self._waiting.popleft()
            self._taken += 1
            if event is None:
                self._given_way -= 1
                continue
            try:
                with contained():
                    answer = self.handler(event)
                    if isinstance(answer, Awaitable):
                        await answer
            except Exception as error:  # noqa: BLE001 -- the fence: one handler's failure stops nobody else
                failed(self._fence, event, error)
            else:
                self._fence.passed()
        self._newest.clear()
        self._taken = 0


def _current_task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
