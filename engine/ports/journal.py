"""The journal: what is true. Append-only events, commands that wait, the lease of the owner, latches, checkpoints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.domain.commands import CommandEnvelope
from engine.domain.events import Event, EventType

MAX_WORDS = 100
"""Words of a search that count: databases bound how long a condition may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who owns the engine. `epoch` is the fencing number: it grows with every change of owner."""

    owner: str
    host: str
    pid: int
    epoch: int
    acquired_at: datetime
    heartbeat_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The durable sections as they stood after event `seq`, as JSON bytes by section name."""

    seq: int
    sections: dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """What the Journal page may ask for; None or empty means any. Newest first.

    Every word of `text` must occur in an event's type, source or data, whatever its case.
    """

    types: tuple[EventType, ...] = ()
    sources: tuple[str, ...] = ()
    text: str = ""
    before_seq: int | None = None
    after_seq: int | None = None
    limit: int = 200

    @property
    def words(self) -> tuple[str, ...]:
        """The words of `text`, each once, as many as a question may have."""
        return tuple(dict.fromkeys(self.text.split()))[:MAX_WORDS]


class Journal(Protocol):
    """Append-only log with its neighbours, one per home or database URL; safe from any thread."""

    def append(self, events: Sequence[Event], epoch: int) -> None:
        """Commit events, whose `seq` are given and rising, in one transaction.

        Raises
        ------
        OwnershipLostError
            The lease belongs to a later epoch; nothing was written.
        JournalError
            It cannot be written (locked, disk full); nothing was written.
        """
        ...

    def head(self) -> int:
        """Return the highest `seq` ever given out, 0 for an empty journal (trimmed events count)."""
        ...

    def events(self, after_seq: int = 0, until_seq: int | None = None) -> Iterable[Event]:
        """Yield kept events in order."""
        ...

    def query(self, query: EventQuery) -> tuple[Event, ...]:
        """Return events newest first."""
        ...

    def trim(self, keep_stream: int) -> int:
        """Delete all but the newest `keep_stream` events of class STREAM; return how many went."""
        ...

    def send(self, envelope: CommandEnvelope) -> bool:
        """Queue a command durably; False when this `command_id` was queued before."""
        ...

    def take(self, limit: int = 1000) -> tuple[CommandEnvelope, ...]:
        """Return commands not yet marked done, oldest first, without removing them."""
        ...

    def done(self, command_ids: Iterable[str]) -> None:
        """Mark commands as answered."""
        ...

    def set_latch(self, name: str, value: str) -> None:
        """Set a named latch durably (the kill switch); needs no owner."""
        ...

    def latch(self, name: str) -> str | None:
        """Return a latch's value, or None when it was never set."""
        ...

    def acquire(self, owner: str, host: str, pid: int, now: datetime) -> Lease:
        """Take the lease with the next epoch; call only with the OS lock held."""
        ...

    def beat(self, epoch: int, now: datetime) -> None:
        """Renew the heart-beat.

        Raises
        ------
        OwnershipLostError
            A later epoch holds the lease.
        """
        ...

    def lease(self) -> Lease | None:
        """Return the present lease, or None before the first owner."""
        ...

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; only the newest few stay."""
        ...

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint, or None."""
        ...

    def size_bytes(self) -> int:
        """Return how much room the journal takes."""
        ...

    def close(self) -> None:
        """Release connections; harmless twice."""
        ...
