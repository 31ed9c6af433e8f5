"""The desk where commands arrive: each is checked, obeyed once or refused with the plain reason, and answered.

The queue is the journal's, so a command of another process or of a moment before a crash is not lost.
"""

import asyncio
import logging
import math
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from engine.core.event_bus import EventBus
from engine.core.threads import in_thread
from engine.domain.commands import CommandAnswer, CommandEnvelope, HaltTrading, ResumeTrading
from engine.domain.errors import JournalError, PilothouseError, must
from engine.domain.events import Event, EventType
from engine.domain.payload import Payload
from engine.ports.journal import Journal

T = TypeVar("T")
C = TypeVar("C", bound=Payload)
Answer = tuple[str, str]
"""Title and message of the toast: what happened, the number, what follows."""
Obey = Callable[[Any, CommandEnvelope], Awaitable[Answer]]

POLL_S = 0.05
PATIENCE_S = 30.0
"""How long a command may take before it counts as failed."""
BATCH = 25
"""Commands marked done together; fewer than the answers that a restart remembers."""
MEMORY = 10_000
LOT = 1_000
MAX_LOT = 8_000
"""How many waiting commands are looked at for a halt; fewer than the ids that are remembered."""
MAX_TEXT = 500
MAX_ITEMS = 100

log = logging.getLogger(__name__)


def checked(envelope: CommandEnvelope) -> Payload:
    """Return the typed command of an envelope.

    Raises
    ------
    UnknownNameError
        No command has this name.
    InvalidValueError
        A field is missing, of the wrong kind, too long, or not a finite number; the message names it.
    """
    command = envelope.command
    _sound(envelope.name, command.to_data())
    return command


def _sound(name: str, value: object) -> None:
    """Refuse numbers that are none, and texts and lists that no person wrote: a command is kept for ever."""
    if isinstance(value, float) and not math.isfinite(value):
        raise must(name, "be a finite number", value, "enter a number")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise must(name, f"have at most {MAX_TEXT} characters", len(value), "shorten it")
    if isinstance(value, Mapping):
        if len(value) > MAX_ITEMS:
            raise must(name, f"have at most {MAX_ITEMS} entries", len(value), "send fewer")
        for key, inner in value.items():
            _sound(f"{name}.{str(key)[:MAX_ITEMS]}", inner)


class CommandDesk:
    """Takes commands from the journal's queue and answers each with an event.

    Parameters
    ----------
    journal : Journal
        Holds the queue.
    bus : EventBus
        Where the answers go: COMMAND_ACCEPTED or COMMAND_REFUSED.
    answered : iterable of str
        Ids answered before a restart, so that a command whose mark was lost is not obeyed twice.
    is_inline : bool
        True asks the journal in the caller (the manual clock).
    """

    def __init__(
        self,
        journal: Journal,
        bus: EventBus,
        answered: Iterable[str] = (),
        *,
        is_inline: bool = False,
    ) -> None:
        self._journal = journal
        self._bus = bus
        self._is_inline = is_inline
        self._handlers: dict[str, Obey] = {}
        self._seen: dict[str, None] = dict.fromkeys(answered)
        self._answered: set[str] = set(self._seen)
        self._unmarked: deque[str] = deque()
        self._marking = asyncio.Lock()
        self._queue: asyncio.Queue[CommandEnvelope] = asyncio.Queue()
        self._resumes: set[str] = set()
        """Ids of ResumeTrading that wait."""
        self._overtaken: set[str] = set()
        """Those of them that a halt came after: obeying them would undo the newer wish."""
        self._bell: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._is_silent = False

    def register(
        self, kind: type[C], obey: Callable[[C, CommandEnvelope], Awaitable[Answer]]
    ) -> None:
        """Let `obey` carry out commands of a kind; it returns title and message, or raises to refuse."""
        self._handlers[kind.__name__] = obey

    def remember(self, answered: Iterable[str]) -> None:
        """Take ids as answered: commands of an earlier process whose mark was lost are not obeyed again."""
        fresh = dict.fromkeys(answered)
        self._seen.update(fresh)
        self._answered.update(fresh)

    def start(self) -> None:
        """Work from now on; call on the engine's loop."""
        self._loop = asyncio.get_running_loop()
        self._bell = asyncio.Event()
        self._tasks = (
            self._loop.create_task(self._watch(), name="commands.watch"),
            self._loop.create_task(self._work(), name="commands.work"),
        )

    def wake(self) -> None:
        """Look into the queue now; from any thread, harmless when not started."""
        loop, bell = self._loop, self._bell
        if loop is None or bell is None or loop.is_closed():
            return
        try:
            loop.call_soon_threadsafe(bell.set)
        except RuntimeError as error:
            log.debug("nobody to wake: %s", error)

    async def stop(self) -> None:
        """Take no more commands; those in the queue wait for the next start."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks, self._loop, self._bell = (), None, None
        await self._mark_done()

    async def work_once(self) -> int:
        """Obey everything that waits now and return how many commands that was."""
        n = await self._collect()
        while not self._queue.empty():
            await self._obey(self._queue.get_nowait())
        await self._mark_done()
        return n

    # -- inside --------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        bell = self._bell
        while bell is not None:
            await self._fenced(self._collect())
            try:
                # not wait_for: before Python 3.12 it loses a cancellation that comes together with the bell
                async with asyncio.timeout(POLL_S):
                    await bell.wait()
            except TimeoutError:
                continue
            bell.clear()

    async def _work(self) -> None:
        while True:
            await self._fenced(self._obey(await self._queue.get()))
            if self._queue.empty() or len(self._unmarked) >= BATCH:
                await self._fenced(self._mark_done())

    async def _fenced(self, work: Awaitable[object]) -> None:
        """Do a piece of the desk's own work; whatever goes wrong there, the kill switch must be heard again."""
        try:
            await work
        except Exception:
            log.exception("the command desk failed and goes on")
            await asyncio.sleep(POLL_S)

    async def _collect(self) -> int:
        """Take what is new; the kill switch does not queue behind anything."""
        try:
            envelopes = await self._waiting()
        except JournalError as error:
            if not self._is_silent:
                log.error("commands cannot be read: %s", error)  # noqa: TRY400 -- no fault of this code
            self._is_silent = True
            return 0
        self._is_silent = False
        fresh = [e for e in envelopes if e.command_id not in self._seen]
        again = [e.command_id for e in envelopes if e.command_id in self._answered]
        self._unmarked.extend(name for name in again if name not in self._unmarked)
        for envelope in fresh:
            self._seen[envelope.command_id] = None
            if envelope.name == HaltTrading.__name__:
                self._overtaken |= self._resumes
                await self._obey(envelope)
            else:
                if envelope.name == ResumeTrading.__name__:
                    self._resumes.add(envelope.command_id)
                self._queue.put_nowait(envelope)
        if again and not fresh:
            await self._mark_done()
        return len(fresh)

    async def _waiting(self) -> tuple[CommandEnvelope, ...]:
        """Return what waits, oldest first; a full lot may hide a halt, so the next one is larger."""
        limit = LOT
        envelopes = await self._ask(partial(self._journal.take, limit))
        while len(envelopes) == limit < MAX_LOT:
            limit *= 2
            envelopes = await self._ask(partial(self._journal.take, limit))
        return envelopes

    async def _obey(self, envelope: CommandEnvelope) -> None:
        kind = EventType.COMMAND_REFUSED
        try:
            command = checked(envelope)
            self._refuse_overtaken(envelope.command_id)
            obey = self._handlers.get(envelope.name)
            if obey is None:
                raise must("command", "be one that this engine obeys", envelope.name, "start the part that does")  # noqa: TRY301 # fmt: skip
            async with asyncio.timeout(PATIENCE_S):
                title, message = await obey(command, envelope)
            kind = EventType.COMMAND_ACCEPTED
        except PilothouseError as error:
            title, message = f"{_in_words(envelope.name)} refused", _reason(error)
        except TimeoutError:
            title = f"{_in_words(envelope.name)} did not end"
            message = f"No answer within {PATIENCE_S:.0f} s, so it was given up."
        except Exception as error:
            log.exception("command %s failed", envelope.name)
            title = f"{_in_words(envelope.name)} failed"
            message = f"{type(error).__name__}: {error}"
        await self._answer(kind, envelope, title, message)

    def _refuse_overtaken(self, command_id: str) -> None:
        self._resumes.discard(command_id)
        if command_id in self._overtaken:
            self._overtaken.discard(command_id)
            raise must("resumption", "come after the last halt", "overtaken by one", "resume again")

    async def _answer(
        self, kind: EventType, envelope: CommandEnvelope, title: str, message: str
    ) -> None:
        answer = CommandAnswer(
            command_id=envelope.command_id, name=envelope.name, title=title, message=message,
            actor=envelope.actor, source=envelope.source, params=envelope.params,
        )  # fmt: skip
        try:
            await self._bus.publish(Event(kind, answer.to_data(), source="commands"))
        except PilothouseError as error:
            log.error("answer to %s was not journalled: %s", envelope.command_id, error)  # noqa: TRY400
            return
        self._answered.add(envelope.command_id)
        self._unmarked.append(envelope.command_id)

    async def _mark_done(self) -> None:
        """Mark what was answered; both tasks come here, one after the other."""
        async with self._marking:
            names = tuple(self._unmarked)
            if not names:
                return
            try:
                await self._ask(partial(self._journal.done, names))
            except JournalError as error:
                log.warning("commands answered but not marked: %s", error)
                return
            for name in names:
                self._unmarked.remove(name)
            self._forget()

    def _forget(self) -> None:
        """Keep the newest ids only: a marked command is never taken again."""
        for name in list(self._seen)[:-MEMORY]:
            del self._seen[name]
            self._answered.discard(name)

    async def _ask(self, work: Callable[[], T]) -> T:
        return work() if self._is_inline else await in_thread(work)


def _in_words(name: str) -> str:
    """Return "Set strategy weights" for "SetStrategyWeights"."""
    words = re.findall(r"[A-Z][^A-Z]*", name) or [name]
    return " ".join(words).capitalize()


def _reason(error: PilothouseError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
