"""Work beside the loop: a heavy agent's events one at a time, the newest first of each kind, then what can wait."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from engine.domain.events import Event, EventType
from engine.ports.compute import Compute

Events = tuple[Event, ...]
LATER = "later"
"""Where work that could wait fails, among the places of an agent's fence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the worker asks of its agent.

    Parameters
    ----------
    is_running : callable
        Whether the agent is in service; who was paused meanwhile says nothing.
    answers_to, later : callable
        The judgement, run off the loop; `later` returns None when nothing waits.
    answered, failed : callable
        Told on the loop, with the event (None for work that could wait that failed) and what came of it.
    passed : callable
        Told on the loop, with `LATER`, when a piece of work that could wait has been done.
    timed : callable
        Told when an event began to be answered, by `perf_counter`.
    say : async callable
        Publishes an event of work that could wait.
    """

    is_running: Callable[[], bool]
    answers_to: Callable[[Event], Events]
    later: Callable[[], Events | None]
    answered: Callable[[Event, Events], None]
    failed: Callable[[Event | None, Exception], None]
    passed: Callable[[str], None]
    timed: Callable[[float], None]
    say: Callable[[Event], Awaitable[None]]


class Worker:
    """Runs while something is pending.

    Parameters
    ----------
    one_at_a_time : asyncio.Lock
        Held while the judgement runs, so that a cycle does not run beside it.
    """

    def __init__(self, hands: Hands, compute: Compute, one_at_a_time: asyncio.Lock) -> None:
        self._hands = hands
        self._compute = compute
        self._one_at_a_time = one_at_a_time
        self._pending: dict[tuple[EventType, object], Event] = {}
        self._at_work: EventType | None = None
        self._began_s: float | None = None
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_woken = False
        self._unsaid: deque[Event] = deque()
        """What later work gave and nobody has heard yet: it is not given twice."""
        self.task: asyncio.Task[None] | None = None
        """The one at work; None before the first event."""

    @property
    def n_pending(self) -> int:
        """Events that wait."""
        return len(self._pending)

    @property
    def in_flight_s(self) -> float | None:
        """How long the event at work has been at work; None when none is."""
        began_s = self._began_s
        return None if began_s is None else time.perf_counter() - began_s

    def owes(self, topic: EventType) -> bool:
        """Return whether an event of a topic waits or is being answered; from any thread."""
        return self._at_work is topic or any(key[0] is topic for key in tuple(self._pending))

    def forget(self) -> None:
        """Let go of what is pending."""
        self._pending.clear()

    def cancel(self) -> None:
        """Break off what is at work for good; what runs off the loop ends by itself, and nothing of it is heard."""
        self._unsaid.clear()
        if self.task is not None:
            self.task.cancel()

    def take(self, event: Event) -> bool:
        """Keep the newest event per type and symbol; return whether an older one gave way."""
        key = (event.event_type, event.data.get("symbol"))
        is_conflated = key in self._pending
        self._pending[key] = event
        self._arrived.set()
        self._loop = asyncio.get_running_loop()
        self._begin()
        return is_conflated

    def wake(self) -> None:
        """Ask again for work that could wait; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look_again)

    def _look_again(self) -> None:
        self._is_woken = True
        self._begin()

    def _begin(self) -> None:
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._work_off())

    async def _work_off(self) -> None:
        while self._hands.is_running():
            await self._say()
            if self._pending:
                await self._answer(self._pending.pop(next(iter(self._pending))))
                continue
            self._is_woken = False
            if not await self._work_later() and not (self._is_woken or self._pending):
                break  # what came while it looked for later work is pending, and nobody else will begin

    async def _answer(self, event: Event) -> None:
        self._at_work = event.event_type
        try:
            async with self._one_at_a_time:
                began = self._began_s = time.perf_counter()
                try:
                    answers = await self._compute.run(partial(self._hands.answers_to, event))
                except Exception as error:  # noqa: BLE001 -- the fence: a failure becomes an event
                    self._hands.failed(event, error)
                else:
                    if self._hands.is_running():
                        self._hands.answered(event, answers)
                self._hands.timed(began)
        finally:
            self._at_work = self._began_s = None

    async def _work_later(self) -> bool:
        """Do one piece of work that could wait, and rest as long as it took; return whether there was one."""
        began = time.perf_counter()
        async with self._one_at_a_time:
            try:
                events = await self._compute.run(self._hands.later)
            except Exception as error:  # noqa: BLE001 -- as above
                self._hands.failed(None, error)
                return False
        self._unsaid.extend(events or ())
        await self._say()
        if events is not None:
            self._hands.passed(LATER)
            await self._rest(time.perf_counter() - began)
        return events is not None

    async def _say(self) -> None:
        """Say what later work gave; who was paused meanwhile says it once resumed."""
        while self._unsaid and self._hands.is_running():
            await self._hands.say(self._unsaid.popleft())

    async def _rest(self, seconds: float) -> None:
        """Leave the processor and the interpreter's lock to others, until the next event at most."""
        self._arrived.clear()
        if self._pending:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
