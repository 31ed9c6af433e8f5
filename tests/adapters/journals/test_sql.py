"""The journal on SQLite keeps the port's promises, and those that only a file can break."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import event, insert

from engine.adapters.journals import backups
from engine.adapters.journals.opening import open_journal
from engine.adapters.journals.schema import events as events_table
from engine.adapters.journals.sql import SqlJournal
from engine.domain.errors import JournalDamagedError, JournalError, OwnershipLostError
from engine.domain.events import Event, EventType
from engine.ports.journal import Checkpoint
from tests.ports.journal_conformance import NOW, JournalConformance, alert, command, numbers, tick

DIE = """
import os, sys
from datetime import datetime, UTC
from engine.adapters.journals.opening import open_journal
from engine.domain.events import Event, EventType
journal = open_journal(sys.argv[1])
lease = journal.acquire("child", "host", os.getpid(), datetime(2008, 9, 15, tzinfo=UTC))
journal.append([Event(EventType.RISK_ALERT, {}, seq=1)], lease.epoch)
journal.append([Event(EventType.ORDER_INTENDED, {"order_id": "ph-1-2"}, seq=2)], lease.epoch)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqlJournal]:
    opened = open_journal(path)
    yield opened
    opened.close()


class TestSqlJournal(JournalConformance):
    pass


def test_everything_is_there_after_a_restart(path: Path, journal: SqlJournal) -> None:
    lease = journal.acquire("a", "host", 1, NOW)
    journal.append([alert(1), tick(2)], lease.epoch)
    journal.send(command("c-1"))
    journal.set_latch("halt", "HALTED")
    journal.save_checkpoint(Checkpoint(seq=2, sections={"engine": b"{}"}))
    journal.close()
    with closing(open_journal(path)) as again:
        assert list(again.events()) == [alert(1), tick(2)]
        assert (again.head(), again.lease(), again.latch("halt")) == (2, lease, "HALTED")
        assert again.take() == (command("c-1"),)
        assert again.last_checkpoint() == Checkpoint(seq=2, sections={"engine": b"{}"})


def test_a_checkpoint_is_packed_and_one_from_before_that_is_read_too(
    path: Path, journal: SqlJournal
) -> None:
    kept = Checkpoint(seq=1, sections={"card:AAPL": b'{"n":1}' * 1000})
    lease = journal.acquire("a", "host", 1, NOW)
    journal.append([alert(1)], lease.epoch)
    journal.save_checkpoint(kept)
    assert journal.last_checkpoint() == kept
    with closing(sqlite3.connect(path)) as beside, beside:
        assert beside.execute("SELECT length(sections) FROM checkpoints").fetchone()[0] < 200
        plain = msgspec.msgpack.encode(kept.sections)
        beside.execute("UPDATE checkpoints SET sections = ?", (plain,))
    assert journal.last_checkpoint() == kept


@pytest.mark.parametrize("raw", [b"\x78 no such thing", b"\x00\xff", b""])
def test_a_checkpoint_that_cannot_be_read_gives_way_to_an_older_one(
    path: Path, journal: SqlJournal, caplog: pytest.LogCaptureFixture, raw: bytes
) -> None:
    lease = journal.acquire("a", "host", 1, NOW)
    journal.append([alert(1), alert(2)], lease.epoch)
    older, newer = (Checkpoint(seq=n, sections={"engine": b"%d" % n}) for n in (1, 2))
    for each in (older, newer):
        journal.save_checkpoint(each)
    with closing(sqlite3.connect(path)) as beside, beside:
        beside.execute("UPDATE checkpoints SET sections = ? WHERE seq = 2", (raw,))
    assert journal.last_checkpoint() == older
    assert "checkpoint 2 cannot be read" in caplog.text
    with closing(sqlite3.connect(path)) as beside, beside:
        beside.execute("UPDATE checkpoints SET sections = ?", (raw,))
    assert journal.last_checkpoint() is None, "all of it is in the events"


def test_a_journal_with_an_unreadable_event_is_not_copied_over_a_good_backup(
    path: Path, journal: SqlJournal
) -> None:
    journal.append([alert(1)], 0)
    journal.close()
    open_journal(path).close()
    good = backups.newest(path)
    with closing(open_journal(path, make_backup=False)) as again:
        again.append([alert(2), alert(3)], 0)
    with closing(sqlite3.connect(path)) as beside, beside:
        beside.execute("UPDATE events SET data = '{not json' WHERE seq = 2")
    for _ in range(3):
        with pytest.raises(JournalDamagedError, match=f"event 2 cannot be read; .*copy {good}"):
            open_journal(path)
    assert backups.newest(path) == good
    assert len(list(backups.folder_of(path).iterdir())) == 1


def test_a_journal_that_is_gone_beside_what_it_left_is_not_begun_anew_in_silence(
    path: Path, tmp_path: Path
) -> None:
    witness = tmp_path / "store"
    open_journal(path, witness=witness).close()
    witness.mkdir()
    open_journal(path, witness=witness, make_backup=False).close()
    for is_there in (True, False):
        path.write_bytes(b"") if is_there else path.unlink()
        with pytest.raises(
            JournalDamagedError, match=f"gone or empty, but {witness} shows .*move {witness} aside"
        ):
            open_journal(path, witness=witness)
    assert not path.exists()
    witness.rmdir()
    open_journal(path, witness=witness).close()


def test_what_was_appended_survives_a_process_that_is_killed(path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", DIE, str(path)], check=False, timeout=60)
    assert killed.returncode == -9
    with closing(open_journal(path)) as journal:
        assert numbers(journal.events()) == [1, 2]
        successor = journal.acquire("next", "host", 2, NOW)
        assert successor.epoch == 2
        with pytest.raises(OwnershipLostError):
            journal.append([tick(3)], 1)


def test_two_processes_see_each_others_writes(path: Path, journal: SqlJournal) -> None:
    with closing(open_journal(path, make_backup=False)) as other:
        other.send(command("from-elsewhere"))
        journal.append([tick(1)], 0)
        assert other.head() == 1
    assert [each.command_id for each in journal.take()] == ["from-elsewhere"]


def test_folder_and_files_are_the_owners_alone(path: Path, journal: SqlJournal) -> None:
    journal.append([tick(1)], 0)
    journal.close()
    open_journal(path).close()
    assert path.parent.stat().st_mode & 0o777 == 0o700
    files = [path, backups.newest(path)]
    assert [file.stat().st_mode & 0o777 for file in files if file] == [0o600, 0o600]


def test_a_ledger_event_is_synced_and_a_tick_is_not(journal: SqlJournal) -> None:
    levels: list[int] = []

    def note(connection: object, *_rest: object) -> None:
        levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())  # type: ignore[attr-defined]

    event.listen(journal._engine, "commit", note)
    journal.append([tick(1)], 0)
    journal.append([tick(2), Event(EventType.ORDER_INTENDED, {"order_id": "ph-1-3"}, seq=3)], 0)
    journal.send(command("c-1"))
    journal.set_latch("halt", "HALTED")
    normal, full = 1, 2
    assert levels == [normal, full, full, full]


def test_a_batch_that_fails_half_way_leaves_nothing(journal: SqlJournal) -> None:
    def fail(_connection: object, statement: object, *_rest: object) -> None:
        if getattr(statement, "table", None) is events_table:
            raise sqlite3.OperationalError("power cut")

    event.listen(journal._engine, "after_execute", fail)
    with pytest.raises(sqlite3.OperationalError):
        journal.append([alert(1)], 0)
    event.remove(journal._engine, "after_execute", fail)
    assert (journal.head(), list(journal.events())) == (0, [])
    journal.append([alert(1)], 0)
    assert journal.head() == 1


def test_a_locked_journal_says_so_within_its_patience_and_recovers(path: Path) -> None:
    open_journal(path).close()
    with (
        closing(open_journal(path, busy_s=0.05)) as journal,
        closing(sqlite3.connect(path)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked by another program"):
            journal.append([alert(1)], 0)
        assert journal.head() == 0, "reading goes on"
        other.rollback()
        journal.append([alert(1)], 0)
        assert journal.head() == 1


def test_a_full_disk_is_named_and_nothing_is_half_written(journal: SqlJournal) -> None:
    def no_more_pages(connection: object) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()  # type: ignore[attr-defined]
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

    event.listen(journal._engine, "begin", no_more_pages, insert=True)
    with pytest.raises(JournalError, match="disk is full"):
        journal.append([alert(n, "x" * 2_000) for n in range(1, 200)], 0)
    assert (journal.head(), list(journal.events())) == (0, [])


def test_a_journal_deleted_while_in_use_is_noticed_at_the_next_write(
    path: Path, journal: SqlJournal
) -> None:
    journal.append([alert(1)], 0)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(JournalError, match="moved or deleted"):
        journal.append([alert(2)], 0)
    path.with_suffix(".away").rename(path)
    journal.append([alert(2)], 0)
    assert journal.head() == 2


def test_an_event_that_was_tampered_with_is_named(journal: SqlJournal) -> None:
    row = {"seq": 7, "event_type": "NO_SUCH_EVENT", "source": "", "data": "{}"}
    with journal._writing() as connection:
        connection.execute(insert(events_table), row)
    with pytest.raises(JournalDamagedError, match="event 7"):
        list(journal.events())


def test_a_folder_that_cannot_be_written_is_refused_in_plain_words(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(JournalError, match="set PILOTHOUSE_HOME"):
        open_journal(blocked / "journal.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused_in_plain_words(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(JournalError, match="permission"):
        open_journal(folder / "journal.db")


def test_a_url_without_its_driver_is_refused_without_its_password() -> None:
    with pytest.raises(JournalError, match="PILOTHOUSE_DATABASE_URL") as refusal:
        open_journal("nosuchdb://user:canary@localhost/journal")
    assert "canary" not in str(refusal.value)


def test_a_sqlite_url_is_a_file_too(path: Path, journal: SqlJournal) -> None:
    journal.append([tick(1)], 0)
    with closing(open_journal(f"sqlite:///{path}", make_backup=False)) as other:
        assert other.head() == 1
