"""The journal in SQL: SQLite in WAL mode by default, another database by URL.

The fence is one statement: appending moves the head only while no later epoch holds the lease, in the same
transaction as the events. An answer to a command marks it done in that transaction too, so it is obeyed once.
"""

import logging
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    bindparam,
    delete,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from engine.adapters.journals import backups
from engine.adapters.journals.batch import (
    answered,
    check_checkpoint,
    check_sequence,
    kept,
    ownership_lost,
    refusal,
)
from engine.adapters.journals.connecting import BUSY_S, DURABLE, FAST, WRITING
from engine.adapters.journals.encoding import encode_data, from_microseconds, to_microseconds
from engine.adapters.journals.faults import damaged, in_plain_words
from engine.adapters.journals.schema import checkpoints, commands, events, latches, owner_row
from engine.domain.commands import CommandEnvelope
from engine.domain.errors import InvalidValueError, JournalError
from engine.domain.events import RETENTION, Event, EventType, Retention
from engine.ports.journal import Checkpoint, EventQuery, Lease

log = logging.getLogger(__name__)

_PAGE = 2_000
_CHECKPOINTS_KEPT = 3
_LEVEL = 1
"""Of compression: a fifth of the size in 30 ms."""
_ZLIB = b"\x78"
_STREAM = tuple(
    kind.value for kind, retention in RETENTION.items() if retention is Retention.STREAM
)
_MOVE_HEAD = (
    update(owner_row)
    .where(
        owner_row.c.id == 1,
        owner_row.c.epoch <= bindparam("mine"),
        owner_row.c.head < bindparam("first"),
    )
    .values(head=bindparam("last"))
)
_ADD_EVENTS = insert(events)
_MARK_DONE = (
    update(commands).where(commands.c.command_id == bindparam("answered")).values(is_done=True)
)


class SqlJournal:
    """A journal on a database that `open_journal` has checked and migrated; safe to call from any thread.

    Parameters
    ----------
    engine : Engine
        Made by `engine.adapters.journals.connecting`.
    where : str
        How messages call it, without a password.
    path : Path, optional
        The file of a SQLite journal.
    """

    def __init__(self, engine: Engine, where: str, path: Path | None = None) -> None:
        self._engine = engine
        self._where = where
        self._path = path
        self._inode = path.stat().st_ino if path is not None else None
        self._writer = threading.Lock()
        self._is_closed = False

    def append(self, events: Sequence[Event], epoch: int) -> None:
        """Commit events in one transaction; see the port."""
        if not events:
            return
        check_sequence(events)
        rows = [_to_row(event) for event in kept(events)]
        answers = [{"answered": command_id} for command_id in answered(events)]
        is_durable = any(event.retention is Retention.LEDGER for event in events)
        first, last = events[0].seq, events[-1].seq
        with self._writing(is_durable=is_durable) as connection:
            moved = connection.execute(_MOVE_HEAD, {"mine": epoch, "first": first, "last": last})
            if moved.rowcount == 0:
                held, head = connection.execute(select(owner_row.c.epoch, owner_row.c.head)).one()
                raise refusal(epoch, held, head, first)
            if rows:
                connection.execute(_ADD_EVENTS, rows)
            if answers:
                connection.execute(_MARK_DONE, answers)

    def head(self) -> int:
        """Return the highest `seq` ever given out, 0 for an empty journal."""
        with self._reading() as connection:
            return int(connection.execute(select(owner_row.c.head)).scalar_one())

    def events(self, after_seq: int = 0, until_seq: int | None = None) -> Iterable[Event]:
        """Yield kept events in order, in pages, so that a slow reader holds no transaction open."""
        statement = select(events).order_by(events.c.seq).limit(_PAGE)
        if until_seq is not None:
            statement = statement.where(events.c.seq <= until_seq)
        place = after_seq
        while True:
            with self._reading() as connection:
                rows = connection.execute(statement.where(events.c.seq > place)).all()
            yield from (self._to_event(row) for row in rows)
            if len(rows) < _PAGE:
                return
            place = rows[-1].seq

    def query(self, query: EventQuery) -> tuple[Event, ...]:
        """Return events newest first."""
        statement = select(events).where(*_conditions(query))
        statement = statement.order_by(events.c.seq.desc()).limit(max(query.limit, 0))
        with self._reading() as connection:
            return tuple(self._to_event(row) for row in connection.execute(statement))

    def trim(self, keep_stream: int) -> int:
        """Delete all but the newest `keep_stream` events of class STREAM; return how many went.

        Goes in steps of a page each, so that nobody waits long behind it.
        """
        is_stream = events.c.event_type.in_(_STREAM)
        newest_gone = select(events.c.seq).where(is_stream).order_by(events.c.seq.desc())
        with self._reading() as connection:
            last = connection.execute(newest_gone.offset(max(keep_stream, 0)).limit(1)).scalar()
        if last is None:
            return 0
        page = select(events.c.seq).where(is_stream, events.c.seq <= last).limit(_PAGE)
        gone = 0
        while True:
            with self._writing(is_durable=False) as connection:
                step = connection.execute(delete(events).where(events.c.seq.in_(page))).rowcount
            gone += step
            if step < _PAGE:
                return gone

    def send(self, envelope: CommandEnvelope) -> bool:
        """Queue a command durably; False when this `command_id` was queued before."""
        row = {"command_id": envelope.command_id, "envelope": envelope.to_json().decode()}
        with self._writing() as connection:
            statement = self._insert(commands).on_conflict_do_nothing(index_elements=["command_id"])
            return connection.execute(statement.values(row)).rowcount > 0

    def take(self, limit: int = 1000) -> tuple[CommandEnvelope, ...]:
        """Return commands not yet marked done, oldest first, without removing them."""
        statement = select(commands.c.envelope).where(commands.c.is_done.is_(False))
        with self._reading() as connection:
            rows = connection.execute(statement.order_by(commands.c.id).limit(limit)).scalars()
            return tuple(self._to_envelope(raw) for raw in rows)

    def done(self, command_ids: Iterable[str]) -> None:
        """Mark commands as answered."""
        if rows := [{"answered": command_id} for command_id in command_ids]:
            with self._writing() as connection:
                connection.execute(_MARK_DONE, rows)

    def set_latch(self, name: str, value: str) -> None:
        """Set a named latch durably; needs no owner."""
        statement = self._insert(latches).values(name=name, value=value)
        with self._writing() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
            )

    def latch(self, name: str) -> str | None:
        """Return a latch's value, or None when it was never set."""
        with self._reading() as connection:
            return connection.execute(
                select(latches.c.value).where(latches.c.name == name)
            ).scalar_one_or_none()

    def acquire(self, owner: str, host: str, pid: int, now: datetime) -> Lease:
        """Take the lease with the next epoch; call only with the OS lock held."""
        at = to_microseconds(now)
        values = {"owner": owner, "host": host, "pid": pid, "acquired_at": at, "heartbeat_at": at}
        statement = update(owner_row).values(epoch=owner_row.c.epoch + 1, **values)
        with self._writing() as connection:
            connection.execute(statement)
            return _to_lease(connection)

    def beat(self, epoch: int, now: datetime) -> None:
        """Renew the heart-beat; see the port."""
        mine = update(owner_row).where(owner_row.c.id == 1, owner_row.c.epoch == epoch)
        with self._writing(is_durable=False) as connection:
            beaten = connection.execute(mine.values(heartbeat_at=to_microseconds(now))).rowcount
            if beaten == 0:
                held = connection.execute(select(owner_row.c.epoch)).scalar_one()
                raise ownership_lost(epoch, held)

    def lease(self) -> Lease | None:
        """Return the present lease, or None before the first owner."""
        with self._reading() as connection:
            lease = _to_lease(connection)
        return lease if lease.epoch > 0 else None

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; only the newest three stay."""
        # SQLite holds on to what a statement was given last: five megabytes, in each connection
        raw = zlib.compress(msgspec.msgpack.encode(checkpoint.sections), _LEVEL)
        statement = self._insert(checkpoints).values(seq=checkpoint.seq, sections=raw)
        newest = select(checkpoints.c.seq).order_by(checkpoints.c.seq.desc())
        with self._writing(is_durable=False) as connection:
            check_checkpoint(
                checkpoint.seq, connection.execute(select(owner_row.c.head)).scalar_one()
            )
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["seq"], set_={"sections": statement.excluded.sections}
                )
            )
            kept_rows = newest.limit(_CHECKPOINTS_KEPT)
            connection.execute(delete(checkpoints).where(checkpoints.c.seq.not_in(kept_rows)))

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint that can be read, or None: what it holds is in the events as well."""
        statement = select(checkpoints).order_by(checkpoints.c.seq.desc())
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        for row in rows:
            try:
                is_packed = (
                    row.sections[:1] == _ZLIB
                )  # written before they were: no map begins with it
                raw = zlib.decompress(row.sections) if is_packed else row.sections
                sections = msgspec.msgpack.decode(raw, type=dict[str, bytes])
            except (zlib.error, msgspec.MsgspecError, TypeError) as error:
                log.warning(
                    "checkpoint %d cannot be read (%s): an older one is used", row.seq, error
                )
                continue
            return Checkpoint(seq=row.seq, sections=sections)
        return None

    def size_bytes(self) -> int:
        """Return how much room the journal takes: its file with what waits in the write-ahead log."""
        if self._path is None:
            with self._reading() as connection:
                statement = text("SELECT pg_database_size(current_database())")
                return int(connection.execute(statement).scalar_one())
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Release connections; harmless twice."""
        self._is_closed = True
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._refuse_when_closed()
        with in_plain_words(self._where, self._newest_backup), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, *, is_durable: bool = True) -> Iterator[Connection]:
        """Give a connection inside a write transaction; threads of this process queue here, not in SQLite's polling."""
        self._refuse_when_closed()
        self._refuse_when_moved()
        if not self._writer.acquire(timeout=2 * BUSY_S):
            raise JournalError(
                f"the journal {self._where} is busy with an earlier write for over {2 * BUSY_S:.0f} s; check the disk"
            )
        try:
            with in_plain_words(self._where, self._newest_backup), self._engine.connect() as plain:
                options = {WRITING: DURABLE if is_durable else FAST}
                connection = plain.execution_options(**options)
                with connection.begin():
                    yield connection
        finally:
            self._writer.release()

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        return sqlite.insert(table) if self._path is not None else postgresql.insert(table)

    def _newest_backup(self) -> Path | None:
        return backups.newest(self._path) if self._path is not None else None

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise JournalError(f"the journal {self._where} is closed; open it again")

    def _refuse_when_moved(self) -> None:
        """Without this, writes to a file that was deleted would succeed and be lost."""
        if self._path is None:
            return
        try:
            is_in_place = self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            is_in_place = False
        if not is_in_place:
            raise JournalError(
                f"the journal {self._where} was moved or deleted while in use; put it back and start again"
            )

    @contextmanager
    def _readable(self, what: str) -> Iterator[None]:
        try:
            yield
        except (msgspec.MsgspecError, InvalidValueError, ValueError, zlib.error) as error:
            raise damaged(self._where, f"{what}: {error}", self._newest_backup()) from error

    def _to_event(self, row: Row[Any]) -> Event:
        with self._readable(f"event {row.seq}"):
            return Event(
                event_type=EventType(row.event_type),
                data=msgspec.json.decode(row.data),
                source=row.source,
                as_of=from_microseconds(row.as_of),
                seq=row.seq,
                cause=row.cause,
                computed_at=from_microseconds(row.computed_at),
            )

    def _to_envelope(self, raw: str) -> CommandEnvelope:
        with self._readable("a command"):
            return CommandEnvelope.from_json(raw.encode())


def _to_row(event: Event) -> dict[str, object]:
    return {
        "seq": event.seq,
        "event_type": event.event_type.value,
        "source": event.source,
        "as_of": to_microseconds(event.as_of),
        "cause": event.cause,
        "computed_at": to_microseconds(event.computed_at),
        "data": encode_data(event.data).decode(),
    }


def _conditions(query: EventQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.types:
        found.append(events.c.event_type.in_([kind.value for kind in query.types]))
    if query.sources:
        found.append(events.c.source.in_(query.sources))
    columns = (events.c.event_type, events.c.source, events.c.data)
    found.extend(
        or_(*(column.icontains(word, autoescape=True) for column in columns))
        for word in query.words
    )
    if query.before_seq is not None:
        found.append(events.c.seq < query.before_seq)
    if query.after_seq is not None:
        found.append(events.c.seq > query.after_seq)
    return found


def _to_lease(connection: Connection) -> Lease:
    row = connection.execute(select(owner_row)).one()
    return Lease(
        owner=row.owner,
        host=row.host,
        pid=row.pid,
        epoch=row.epoch,
        acquired_at=from_microseconds(row.acquired_at),
        heartbeat_at=from_microseconds(row.heartbeat_at),
    )
