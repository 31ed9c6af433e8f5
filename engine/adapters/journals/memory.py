"""A journal that lives as long as its object: for tests, contract runs and back-tests.

It keeps all the port's promises but durability, and gives events back in the form that a file would give.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from engine.adapters.journals.batch import (
    answered,
    check_checkpoint,
    check_sequence,
    kept,
    ownership_lost,
    refusal,
)
from engine.adapters.journals.encoding import encode_data, from_microseconds, to_microseconds
from engine.domain.commands import CommandEnvelope
from engine.domain.errors import JournalError
from engine.domain.events import Event, Retention
from engine.domain.payload import decode
from engine.ports.journal import Checkpoint, EventQuery, Lease


class MemoryJournal:
    """A journal in memory; safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._events: dict[int, Event] = {}
        self._texts: dict[int, str] = {}
        self._head = 0
        self._lease: Lease | None = None
        self._envelopes: dict[str, CommandEnvelope] = {}
        self._waiting: dict[str, None] = {}
        self._latches: dict[str, str] = {}
        self._checkpoint: Checkpoint | None = None
        self._is_closed = False

    def append(self, events: Sequence[Event], epoch: int) -> None:
        """Take events; see the port."""
        self._refuse_when_closed()
        if not events:
            return
        check_sequence(events)
        with self._lock:
            if self._epoch() > epoch or events[0].seq <= self._head:
                raise refusal(epoch, self._epoch(), self._head, events[0].seq)
            for event in kept(events):
                raw = encode_data(event.data)
                self._texts[event.seq] = (
                    f"{event.event_type.value} {event.source} {raw.decode()}".lower()
                )
                self._events[event.seq] = _as_read_back(event, raw)
            self._head = events[-1].seq
            self.done(answered(events))

    def head(self) -> int:
        """Return the highest `seq` ever given out, 0 for an empty journal."""
        self._refuse_when_closed()
        return self._head

    def events(self, after_seq: int = 0, until_seq: int | None = None) -> Iterable[Event]:
        """Yield kept events in order."""
        self._refuse_when_closed()
        last = self._head if until_seq is None else until_seq
        with self._lock:
            return iter([event for seq, event in self._events.items() if after_seq < seq <= last])

    def query(self, query: EventQuery) -> tuple[Event, ...]:
        """Return events newest first."""
        self._refuse_when_closed()
        with self._lock:
            found = [seq for seq in reversed(self._events) if self._answers(query, seq)]
            return tuple(self._events[seq] for seq in found[: max(query.limit, 0)])

    def trim(self, keep_stream: int) -> int:
        """Delete all but the newest `keep_stream` events of class STREAM; return how many went."""
        self._refuse_when_closed()
        with self._lock:
            stream = [s for s, e in self._events.items() if e.retention is Retention.STREAM]
            gone = stream[: max(len(stream) - max(keep_stream, 0), 0)]
            for seq in gone:
                del self._events[seq], self._texts[seq]
            return len(gone)

    def send(self, envelope: CommandEnvelope) -> bool:
        """Queue a command; False when this `command_id` was queued before."""
        self._refuse_when_closed()
        with self._lock:
            if envelope.command_id in self._envelopes:
                return False
            self._envelopes[envelope.command_id] = CommandEnvelope.from_json(envelope.to_json())
            self._waiting[envelope.command_id] = None
            return True

    def take(self, limit: int = 1000) -> tuple[CommandEnvelope, ...]:
        """Return commands not yet marked done, oldest first, without removing them."""
        self._refuse_when_closed()
        with self._lock:
            return tuple(self._envelopes[each] for each in list(self._waiting)[:limit])

    def done(self, command_ids: Iterable[str]) -> None:
        """Mark commands as answered."""
        self._refuse_when_closed()
        with self._lock:
            for command_id in command_ids:
                self._waiting.pop(command_id, None)

    def set_latch(self, name: str, value: str) -> None:
        """Set a named latch; needs no owner."""
        self._refuse_when_closed()
        with self._lock:
            self._latches[name] = value

    def latch(self, name: str) -> str | None:
        """Return a latch's value, or None when it was never set."""
        self._refuse_when_closed()
        return self._latches.get(name)

    def acquire(self, owner: str, host: str, pid: int, now: datetime) -> Lease:
        """Take the lease with the next epoch."""
        self._refuse_when_closed()
        at = from_microseconds(to_microseconds(now))
        with self._lock:
            epoch = self._epoch() + 1
            self._lease = Lease(
                owner=owner, host=host, pid=pid, epoch=epoch, acquired_at=at, heartbeat_at=at
            )
            return self._lease

    def beat(self, epoch: int, now: datetime) -> None:
        """Renew the heart-beat; see the port."""
        self._refuse_when_closed()
        with self._lock:
            if self._lease is None or self._lease.epoch != epoch:
                raise ownership_lost(epoch, self._epoch())
            at = from_microseconds(to_microseconds(now))
            self._lease = replace(self._lease, heartbeat_at=at)

    def lease(self) -> Lease | None:
        """Return the present lease, or None before the first owner."""
        self._refuse_when_closed()
        return self._lease

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; only the newest stays."""
        self._refuse_when_closed()
        with self._lock:
            check_checkpoint(checkpoint.seq, self._head)
            if self._checkpoint is None or checkpoint.seq >= self._checkpoint.seq:
                self._checkpoint = replace(checkpoint, sections=dict(checkpoint.sections))

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint, or None."""
        self._refuse_when_closed()
        return self._checkpoint

    def size_bytes(self) -> int:
        """Return roughly how much text the journal holds."""
        self._refuse_when_closed()
        with self._lock:
            return sum(len(text) for text in self._texts.values())

    def close(self) -> None:
        """Refuse further use; harmless twice."""
        self._is_closed = True

    def _epoch(self) -> int:
        return 0 if self._lease is None else self._lease.epoch

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise JournalError("the journal in memory is closed; open another")

    def _answers(self, query: EventQuery, seq: int) -> bool:
        event = self._events[seq]
        return (
            (not query.types or event.event_type in query.types)
            and (not query.sources or event.source in query.sources)
            and all(word.lower() in self._texts[seq] for word in query.words)
            and (query.before_seq is None or seq < query.before_seq)
            and (query.after_seq is None or seq > query.after_seq)
        )


def _as_read_back(event: Event, raw: bytes) -> Event:
    """Return the event in the form that it would have after a way through a file."""
    return replace(
        event,
        data=decode(raw),
        as_of=from_microseconds(to_microseconds(event.as_of)),
        computed_at=from_microseconds(to_microseconds(event.computed_at)),
    )
