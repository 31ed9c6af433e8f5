"""The one door of screens, REST and command line: read sections, send commands, ask questions.

It needs a store and a journal, not the engine: in the engine's process it is told of changes, elsewhere it looks for
them twenty times a second.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from engine.core.commands import checked
from engine.core.projection.meaning import is_told, log_row
from engine.core.section_writer import GONE, Listener
from engine.core.time_travel import TimeTravel
from engine.domain.commands import CommandEnvelope, HaltTrading
from engine.domain.errors import JournalError, StoreError, UnknownNameError, must
from engine.domain.events import Event
from engine.domain.log import LogRow
from engine.domain.payload import Payload
from engine.domain.sections import Section, Snapshot, section_type
from engine.domain.trading import HaltMode, TradingHalt
from engine.ports.journal import EventQuery, Journal
from engine.ports.store import Store

T = TypeVar("T")
Question = Callable[..., Any]
Watch = Callable[[Listener], Callable[[], None]]

LATCH = "trading"
"""Name of the kill switch in the journal."""
POLL_S = 0.05
MAX_ID = 64
_TRIES = 4
"""Readings that a write may spoil before the store is asked for everything in one go."""
_CANNOT = {
    "journal": "No order leaves while the journal cannot be written:",
    "store": "Screens stand still while the live cache cannot be written:",
    "loop": "The engine has stood still",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSide:
    """What the gateway has of the engine in the engine's own process.

    Parameters
    ----------
    halt : callable
        Sets the kill switch, in force at once even if the journal cannot be written.
    troubles : callable
        Returns what cannot be written at present (part -> reason). The store cannot tell of it: a full disk takes
        the store too.
    """

    halt: Callable[[TradingHalt], None]
    troubles: Callable[[], Mapping[str, str]]


class Gateway:
    """Reads, sends and asks.

    Parameters
    ----------
    store : Store
        Where the sections are.
    journal : Journal
        Where commands go and what time travel folds.
    questions : mapping of str to callable, optional
        What `ask` answers beside "events" and "event".
    wake : callable, optional
        Tells the engine's desk of a new command (in its process).
    watch : callable, optional
        Subscribes a listener to new versions (the event log's `on_flush`); without it the store is polled.
    engine : EngineSide, optional
        What can be asked of the engine itself; without it the journal's latch is the kill switch.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        questions: Mapping[str, Question] | None = None,
        wake: Callable[[], None] | None = None,
        watch: Watch | None = None,
        engine: EngineSide | None = None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._questions: dict[str, Question] = {"events": self._events, "event": self._event}
        self._questions.update(questions or {})
        self._wake = wake
        self._engine = engine
        self._poller = _Poller(store) if watch is None else None
        self._watch: Watch = watch or self._polled
        self._decoded: dict[str, Section[Any]] = {}
        """Every section ever read here, newest; without value when it exists no more."""
        self._versions: tuple[int, dict[str, int]] = (-1, {})
        self._past = TimeTravel(journal, self._present)

    # -- read ----------------------------------------------------------------------------------------------------

    def read(
        self,
        sections: Iterable[str] | None = None,
        as_of: datetime | int | None = None,
        since: int | None = None,
    ) -> Snapshot:
        """Return sections with their stamps; those that do not exist yet are left out.

        Parameters
        ----------
        sections : iterable of str, optional
            Names; ``kind:*`` means every subject of a kind, None means all.
        as_of : datetime or int, optional
            Market time or place in the journal: the sections as they were then, folded from the journal (slow the
            first time; not for an event loop).
        since : int, optional
            Only what changed after this version.

        Raises
        ------
        UnknownNameError
            No section has such a name.
        """
        wanted = None if sections is None else tuple(sections)
        for name in wanted or ():
            section_type(name)
        if as_of is not None:
            return self._past.read(wanted, as_of)
        version, found = self._current(wanted)
        live = {n: s for n, s in found.items() if s.stamp.version > (since or 0)}
        self._tell_troubles(live)
        return Snapshot(version=version, sections=live)

    def version(self) -> int:
        """Return the newest version."""
        return self._store.version()

    def on_change(self, callback: Listener) -> Callable[[], None]:
        """Call `callback` with each new version, from another thread; return how to stop it."""
        return self._watch(callback)

    # -- send ----------------------------------------------------------------------------------------------------

    def send(
        self,
        command: Payload,
        *,
        actor: str = "local",
        source: str = "",
        command_id: str | None = None,
    ) -> str:
        """Queue a command and return its id; the answer is an event (see the ``answers`` section).

        The same id again is the same command. HaltTrading sets the kill switch here and now, whatever the engine does.

        Raises
        ------
        UnknownNameError, InvalidValueError
            It is no command, or a field is unusable; the message names it.
        JournalError
            It could not be queued.
        """
        name = uuid.uuid4().hex if command_id is None else command_id
        if not 0 < len(name) <= MAX_ID:
            raise must("command_id", f"have 1 to {MAX_ID} characters", name, "shorten it")
        envelope = CommandEnvelope(
            command_id=name, name=type(command).__name__, params=command.to_data(), actor=actor,
            source=source,
        )  # fmt: skip
        checked(envelope)
        if isinstance(command, HaltTrading):
            is_soft = command.mode is HaltMode.REDUCING
            mode = HaltMode.REDUCING if is_soft else HaltMode.HALTED
            self._set_kill_switch(TradingHalt(mode=mode, actor=actor, reason=command.reason))
        self._journal.send(envelope)
        if self._wake is not None:
            self._wake()
        return name

    # -- ask -----------------------------------------------------------------------------------------------------

    def ask(self, question: str, **params: Any) -> Any:  # noqa: ANN401 -- each question has its own answer
        """Answer a pure question over sections or journal; call off the event loop.

        Raises
        ------
        UnknownNameError
            Nobody answers this question here.
        """
        answer = self._questions.get(question)
        if answer is None:
            known = ", ".join(sorted(self._questions))
            raise UnknownNameError(f"question must be one of {known}, was {question!r}; correct it")
        return answer(**params)

    def close(self) -> None:
        """Stop looking for changes; store and journal stay open, they belong to who built them."""
        if self._poller is not None:
            self._poller.close()

    # -- inside --------------------------------------------------------------------------------------------------

    def _set_kill_switch(self, halt: TradingHalt) -> None:
        if self._engine is None:
            self._journal.set_latch(LATCH, halt.to_json().decode())
            return
        try:
            self._engine.halt(halt)
        except JournalError as error:
            raise JournalError(
                f"trading is halted, but the halt will not survive a restart until it is written: {error}"
            ) from error

    def _tell_troubles(self, live: dict[str, Section[Any]]) -> None:
        """Put into the engine's section what the store cannot be told."""
        troubles = {} if self._engine is None else self._engine.troubles()
        section = live.get("engine")
        if not troubles or section is None:
            return
        words = [f"{_CANNOT[part]} {reason}" for part, reason in troubles.items()]
        value = replace(section.value, state="failed", note=" ".join(words))
        stamp = replace(section.stamp, version=section.stamp.version + 1)  # so that screens draw it
        live["engine"] = Section("engine", value, stamp)

    def _current(self, wanted: tuple[str, ...] | None) -> tuple[int, dict[str, Section[Any]]]:
        """Return the version and the sections wanted as they stand; only what changed since the last time is read.

        What is returned belongs together: nothing was written between the look at the versions and the reading.
        """
        for _ in range(_TRIES):
            version = self._store.version()
            versions = self._versions_at(version)
            names = [n for n in versions if wanted is None or is_wanted(n, wanted)]
            known = {n: s for n in names if (s := self._decoded.get(n)) is not None}
            stale = [n for n in names if n not in known or known[n].stamp.version != versions[n]]
            if not stale:
                return version, _living(known)
            known |= self._fetched(stale)
            if self._store.version() == version:
                return version, _living(known)
        version = (
            self._store.version()
        )  # a store that never rests: what is asked for in one go belongs together
        return version, _living(self._fetched(self._matching(wanted)))

    def _matching(self, wanted: tuple[str, ...] | None) -> list[str]:
        return [n for n in self._store.versions() if wanted is None or is_wanted(n, wanted)]

    def _versions_at(self, version: int) -> dict[str, int]:
        if self._versions[0] != version:
            self._versions = (version, self._store.versions())
        return self._versions[1]

    def _fetched(self, names: list[str]) -> dict[str, Section[Any]]:
        found: dict[str, Section[Any]] = {}
        for name, (raw, stamp) in self._store.read(names).items():
            value: Any = None if raw == GONE else section_type(name).from_json(raw)
            found[name] = Section(name, value, stamp)
        self._decoded |= found
        return found

    def _present(self, name: str) -> Payload | None:
        value: Payload | None = self.read((name,)).value(name)
        return value

    def _polled(self, listener: Listener) -> Callable[[], None]:
        if self._poller is None:  # pragma: no cover -- built together with this method's use
            raise RuntimeError("poller must exist where nobody tells of changes")
        return self._poller.add(listener)

    def _events(self, *, is_brief: bool = False, **fields: Any) -> tuple[LogRow, ...]:  # noqa: ANN401 -- of EventQuery
        """Answer "events": rows of the journal, newest first, by the fields of `EventQuery`.

        With `is_brief` those alone that the section "log" tells.
        """
        query = EventQuery(**fields)
        found = self._journal.query(query)
        if not is_brief:
            return tuple(log_row(event) for event in found)
        told = [event for event in found if is_told(event)]
        while found and len(told) < query.limit:
            found = self._journal.query(replace(query, before_seq=found[-1].seq))
            told += [event for event in found if is_told(event)]
        return tuple(log_row(event) for event in told[: query.limit])

    def _event(self, seq: int) -> Event | None:
        """Answer "event": one event whole, or None when it is not kept."""
        return next(iter(self._journal.events(seq - 1, seq)), None)


def _living(sections: dict[str, Section[Any]]) -> dict[str, Section[Any]]:
    return {name: section for name, section in sections.items() if section.value is not None}


def is_wanted(name: str, wanted: tuple[str, ...]) -> bool:
    """Return True when a section is named, or its kind is with ``:*``."""
    return name in wanted or f"{name.partition(':')[0]}:*" in wanted


class _Poller:
    """Looks at the store's version while somebody listens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def add(self, listener: Listener) -> Callable[[], None]:
        with self._lock:
            self._listeners = (*self._listeners, listener)
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._look, args=(self._stop,), name="gateway.poll", daemon=True
                )
                self._thread.start()

        def remove() -> None:
            with self._lock:
                self._listeners = tuple(k for k in self._listeners if k is not listener)
                if not self._listeners:
                    self._end()

        return remove

    def close(self) -> None:
        with self._lock:
            self._listeners = ()
            self._end()

    def _end(self) -> None:
        self._stop.set()
        self._thread = None

    def _look(self, stop: threading.Event) -> None:
        seen = self._version(0)
        while not stop.wait(POLL_S):
            version = self._version(seen)
            if version == seen:
                continue
            seen = version
            for listener in self._listeners:
                try:
                    listener(version)
                except Exception:
                    log.exception("a listener of new versions failed")

    def _version(self, known: int) -> int:
        try:
            return self._store.version()
        except StoreError as error:
            log.debug("store cannot be read: %s", error)
            return known
