"""The event bus: one queue in order, delivered by type, each handler behind its own fence.

Synchronous handlers run inline, in order of subscription; asynchronous ones get a mailbox each. With a sink, an event
is stamped, folded and (class LEDGER) committed before anybody hears of it.
"""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import fields
from datetime import datetime
from typing import Protocol

from engine.core.containing import BrokenOffError
from engine.core.mailbox import Fence, Mailbox
from engine.core.tally import Tally
from engine.domain.agents import AgentFailed
from engine.domain.events import Event, EventType, Retention

Handler = Callable[[Event], object] | Callable[[Event], Awaitable[object]]
"""What `subscribe` takes: a plain function (called inline) or a coroutine function (gets a mailbox)."""

MAILBOX_SIZE = 1_000
"""Events that wait for one asynchronous handler before stream events are conflated."""
BREATH = 500
"""Deliveries after which the queue lets the loop look after others."""

_FAILURES = (Exception, SystemExit, KeyboardInterrupt, asyncio.CancelledError, BrokenOffError)
"""What a plain handler may fail with: it cannot be cancelled, nor end the program."""

log = logging.getLogger(__name__)


class EventSink(Protocol):
    """What takes every event before it is delivered; see `engine.core.event_log`."""

    def stamp(self, event: Event) -> Event:
        """Return the event with its place in the log and its time of receipt."""
        ...

    async def commit(self, event: Event) -> None:
        """Write a LEDGER event, and all that came before it, durably.

        Raises
        ------
        JournalError
            It could not be written: the event must not be delivered.
        """
        ...

    def append(self, event: Event) -> None:
        """Take an event of any other class; it is written soon."""
        ...


def placed(event: Event, seq: int, computed_at: datetime | None) -> Event:
    """Return the event with its place and time of receipt: what `dataclasses.replace` does, at a fraction of the cost.

    Every event passes here. A frozen class writes each field through `object.__setattr__`, which looks it up by name;
    the slots themselves do not.
    """
    made = object.__new__(Event)
    _SET_TYPE(made, event.event_type)
    _SET_DATA(made, event.data)
    _SET_SOURCE(made, event.source)
    _SET_AS_OF(made, event.as_of)
    _SET_SEQ(made, seq)
    _SET_CAUSE(made, event.cause)
    _SET_COMPUTED_AT(made, computed_at)
    return made


_SET_TYPE, _SET_DATA, _SET_SOURCE, _SET_AS_OF, _SET_SEQ, _SET_CAUSE, _SET_COMPUTED_AT = (
    vars(Event)[item.name].__set__ for item in fields(Event)
)


class _Entry:
    """One published event on its way, with whoever waits for it."""

    __slots__ = ("error", "event", "is_done", "waiter")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.is_done = False
        self.error: BaseException | None = None
        self.waiter: asyncio.Future[None] | None = None

    def finish(self, error: BaseException | None = None) -> None:
        self.is_done, self.error = True, error
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


class EventBus:
    """Publishes events to the handlers of their type, in one order for everybody.

    Parameters
    ----------
    sink : EventSink, optional
        Stamps, journals and folds events before delivery; without one, `seq` counts from 1.
    mailbox_size : int
        Events that wait for one asynchronous handler; beyond it stream events keep only the newest per symbol.

    Notes
    -----
    Events published by a handler queue up behind the present one (breadth first), so the order of the log does not
    depend on who is subscribed. Use from one event loop; other threads go through `run_coroutine_threadsafe`.
    """

    def __init__(self, sink: EventSink | None = None, mailbox_size: int = MAILBOX_SIZE) -> None:
        self._sink = sink
        self._mailbox_size = mailbox_size
        self._queue: deque[_Entry] = deque()
        self._inline: dict[EventType, tuple[tuple[Handler, Fence], ...]] = {}
        self._posted: dict[EventType, tuple[Mailbox, ...]] = {}
        self._mailboxes: dict[Handler, Mailbox] = {}
        self._fences: dict[Handler, Fence] = {}
        self._is_draining = False
        self._is_closed = False
        self._pump: asyncio.Task[None] | None = None
        self._seq = 0
        self._tally = Tally()
        self._said = self._tally.said

    # -- subscribing ---------------------------------------------------------------------------------------------

    def subscribe(self, event_type: EventType, handler: Handler) -> None:
        """Let `handler` have every event of this type from now on; the same pair again changes nothing."""
        if is_async(handler):
            boxes = self._posted.get(event_type, ())
            box = self._mailboxes.get(handler)
            if box is None:
                box = Mailbox(handler, self._fence_of(handler), self._mailbox_size)
                self._mailboxes[handler] = box
            if box not in boxes:
                self._posted[event_type] = (*boxes, box)
            return
        pairs = self._inline.get(event_type, ())
        if all(known != handler for known, _ in pairs):
            self._inline[event_type] = (*pairs, (handler, self._fence_of(handler)))

    def unsubscribe(self, event_type: EventType, handler: Handler) -> None:
        """Stop delivering; harmless for a pair that is not subscribed."""
        pairs = self._inline.get(event_type, ())
        self._inline[event_type] = tuple(pair for pair in pairs if pair[0] != handler)
        boxes = self._posted.get(event_type, ())
        self._posted[event_type] = tuple(box for box in boxes if box.handler != handler)
        if not self._is_subscribed(handler):
            self._fences.pop(handler, None)
            box = self._mailboxes.pop(handler, None)
            if box is not None:
                box.clear()

    # -- publishing ----------------------------------------------------------------------------------------------

    async def publish(self, event: Event) -> Event:
        """Deliver an event and return it as the log has it (with its `seq`).

        On return every synchronous handler has run and every asynchronous one has it in its mailbox.

        Raises
        ------
        JournalError
            A LEDGER event could not be committed; nobody has heard of it.
        """
        if not (self._is_draining or self._is_closed or self._must_commit(event)):
            return self._publish_at_once(event)
        entry = self._enqueue(event)
        if not entry.is_done:
            entry.waiter = asyncio.get_running_loop().create_future()
            await entry.waiter
        if entry.error is not None:
            raise entry.error
        return entry.event

    def post(self, event: Event) -> None:
        """Queue an event without waiting: what a synchronous handler publishes with. Call on the loop."""
        self._enqueue(event)

    async def drain(self) -> None:
        """Return when the queue and every mailbox are empty and no handler is at work."""
        while True:
            pump = self._pump
            if pump is not None and not pump.done():
                await asyncio.wait((pump,))
                continue
            busy = [box for box in self._mailboxes.values() if not box.is_idle]
            if not busy and not self._queue:
                return
            for box in busy:
                await box.idle()
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Deliver what waits, then take no more; harmless twice."""
        await self.drain()
        self._is_closed = True
        for box in self._mailboxes.values():
            box.clear()

    @property
    def unmetered(self) -> "EventBus":
        """The bus itself; one with a quota before it gives it for what is said on an agent's behalf."""
        return self

    # -- figures -------------------------------------------------------------------------------------------------

    @property
    def counts(self) -> dict[EventType, int]:
        """How many events of each type were delivered."""
        return self._tally.counts()

    @property
    def conflated(self) -> int:
        """How many stream events gave way to a newer one of their symbol in a full mailbox."""
        return sum(box.conflated for box in self._mailboxes.values())

    def rates(self) -> dict[str, float]:
        """Return events per second by type since the last sample, which is at least a second old."""
        return self._tally.rates()

    def said(self) -> dict[str, dict[str, float]]:
        """Return events per second by source and type, from the sample that `rates` took last.

        Sources for whom there is no room stand together under `engine.core.tally.OTHER`.
        """
        return self._tally.rates_by_source()

    def figures(self) -> dict[str, dict[str, int]]:
        """Return what each handler has done: handled, failed, waiting, conflated."""
        return {
            fence.name: fence.figures() | (box.figures() if (box := self._mailboxes.get(handler)) else {})
            for handler, fence in self._fences.items()
        }  # fmt: skip

    # -- the queue -----------------------------------------------------------------------------------------------

    def _enqueue(self, event: Event) -> _Entry:
        if self._is_closed:
            raise RuntimeError("event bus must be open to publish, was closed; build a new one")
        entry = _Entry(event)
        self._queue.append(entry)
        if not self._is_draining:
            self._is_draining = True
            try:
                self._drain_inline()
            finally:
                if self._queue:
                    self._hand_over()
                else:
                    self._is_draining = False
        return entry

    def _drain_inline(self) -> None:
        """Deliver until the queue is empty, or the next event must be awaited, or others need the loop."""
        queue = self._queue
        for _ in range(BREATH):
            if not queue or self._must_commit(queue[0].event):
                return
            self._take(queue.popleft())

    def _publish_at_once(self, event: Event) -> Event:
        """Do what `_enqueue` does for an event that nothing is before: the way of nearly every event."""
        self._is_draining = True
        try:
            received = self._received(event)
            self._deliver(received)
            if self._queue:
                self._drain_inline()
        finally:
            if self._queue:
                self._hand_over()
            else:
                self._is_draining = False
        return received

    def _hand_over(self) -> None:
        self._is_draining = False
        self._pump = asyncio.get_running_loop().create_task(self._drain_awaiting())
        self._is_draining = True

    async def _drain_awaiting(self) -> None:
        done = 0
        try:
            while self._queue:
                entry = self._queue.popleft()
                if self._must_commit(entry.event):
                    await self._commit(entry)
                else:
                    self._take(entry)
                done += 1
                if done % BREATH == 0:
                    await asyncio.sleep(0)
        finally:
            self._is_draining = False

    def _must_commit(self, event: Event) -> bool:
        return self._sink is not None and event.retention is Retention.LEDGER

    async def _commit(self, entry: _Entry) -> None:
        sink = self._sink
        if sink is None:  # pragma: no cover -- `_must_commit` said otherwise
            return
        try:
            entry.event = sink.stamp(entry.event)
            await sink.commit(entry.event)
        except Exception as error:
            if entry.waiter is None:
                log.exception("%s was not journalled", entry.event.event_type.value)
            entry.finish(error)
        except BaseException as error:
            entry.finish(error)
            raise
        else:
            self._deliver(entry.event)
            entry.finish()

    def _take(self, entry: _Entry) -> None:
        try:
            entry.event = self._received(entry.event)
        except Exception as error:
            log.exception("%s was not taken by the log", entry.event.event_type.value)
            entry.finish(error)
        else:
            self._deliver(entry.event)
            entry.finish()

    def _received(self, event: Event) -> Event:
        if self._sink is None:
            self._seq += 1
            return placed(event, self._seq, event.computed_at)
        stamped = self._sink.stamp(event)
        self._sink.append(stamped)
        return stamped

    def _deliver(self, event: Event) -> None:
        kind = event.event_type
        try:
            self._said[event.source, kind] += 1
        except (KeyError, TypeError):  # the first of its kind, or a source that is no name
            self._tally.begin(event.source, kind)
        for handler, fence in self._inline.get(kind, ()):
            try:
                handler(event)
            except _FAILURES as error:  # the fence: one handler's failure stops nobody else
                self._failed(fence, event, error)
            else:
                fence.handled += 1
                fence.consecutive = 0
        for box in self._posted.get(kind, ()):
            box.put(event, self._failed)

    # -- fences --------------------------------------------------------------------------------------------------

    def _fence_of(self, handler: Handler) -> Fence:
        return self._fences.setdefault(handler, Fence(_name_of(handler)))

    def _is_subscribed(self, handler: Handler) -> bool:
        return any(known == handler for pairs in self._inline.values() for known, _ in pairs) or any(
            box.handler == handler for boxes in self._posted.values() for box in boxes
        )  # fmt: skip

    def _failed(self, fence: Fence, event: Event, error: BaseException) -> None:
        """Count a failure and say so on the bus, at the 1st, 2nd, 4th, 8th … in a row."""
        consecutive = fence.failed()
        log.warning(
            "handler %s failed on %s", fence.name, event.event_type.value, exc_info=error
        )  # fmt: skip
        is_echo = event.event_type is EventType.AGENT_FAILED
        if is_echo or self._is_closed or consecutive & (consecutive - 1):
            return
        said = AgentFailed(
            agent_id=fence.name, where=event.event_type.value, error=f"{type(error).__name__}: {error}",
            consecutive=consecutive,
        )  # fmt: skip
        self.post(
            Event(
                EventType.AGENT_FAILED,
                said.to_data(),
                source="bus",
                as_of=event.as_of,
                cause=event.seq,
            )
        )


def is_async(handler: Handler) -> bool:
    """Return whether a handler is awaited, which is what gets a mailbox."""
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004 -- looks for an async __call__, not for callability
    )


def _name_of(handler: Handler) -> str:
    owner = getattr(handler, "__self__", handler)
    named = getattr(owner, "agent_id", None)
    return str(named or getattr(handler, "__qualname__", type(handler).__name__))
