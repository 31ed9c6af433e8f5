"""Opening: nothing is lost in silence, nothing newer is touched, older journals come along."""

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from engine.adapters.journals import backups, opening
from engine.adapters.journals.connecting import sqlite_engine
from engine.adapters.journals.opening import migrate, open_journal
from engine.adapters.journals.schema import REVISIONS, metadata
from engine.core.database import initialize_database
from engine.domain.errors import JournalDamagedError, JournalError, JournalVersionError
from tests.ports.journal_conformance import NOW, alert, command, numbers, tick

LAST_VERSION = Path(__file__).with_name("last_version.sql")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "journal.db"


def fill(path: Path, first: int, last: int) -> None:
    with closing(open_journal(path)) as journal:
        journal.append([alert(n, "x" * 300) for n in range(first, last + 1)], 0)


def _spoil_header(path: Path) -> None:
    path.write_bytes(b"this is no database" + path.read_bytes()[19:])


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 // 4096 * 4096])


def _overwrite_pages(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4096 : 12 * 4096] = b"\xaa" * (11 * 4096)
    path.write_bytes(raw)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _delete(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [_spoil_header, _truncate, _overwrite_pages, _empty, _delete])
def test_a_damaged_or_vanished_journal_is_refused_naming_file_and_newest_backup(
    path: Path, damage: Callable[[Path], None]
) -> None:
    fill(path, 1, 200)
    fill(path, 201, 210)
    backup = backups.newest(path)
    damage(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(JournalDamagedError) as refusal:
        open_journal(path)
    assert str(path) in str(refusal.value)
    assert backup is not None
    assert str(backup) in str(refusal.value)
    after = path.read_bytes() if path.exists() else None
    assert after == before, "the file stays as it is for whoever wants to save it"
    path.write_bytes(backup.read_bytes())
    with closing(open_journal(path)) as restored:
        assert restored.head() == 200, "control: what the message advises works"


def test_damage_without_any_backup_says_that_there_is_none(path: Path) -> None:
    fill(path, 1, 200)
    _spoil_header(path)
    with pytest.raises(JournalDamagedError, match="there is no backup"):
        open_journal(path)


def test_damage_met_while_running_is_named_too(path: Path) -> None:
    fill(path, 1, 400)
    with closing(open_journal(path)) as journal:
        _overwrite_pages(path)
        with pytest.raises(JournalDamagedError, match="backups"):
            list(journal.events())


def test_each_start_with_news_makes_a_backup_and_two_are_kept(path: Path) -> None:
    for n in range(1, 5):
        fill(path, n, n)
    fill(path, 5, 5)
    names = sorted(file.name for file in backups.folder_of(path).iterdir())
    assert names == ["journal-000000000003.db", "journal-000000000004.db"]
    newest = backups.newest(path)
    assert newest is not None
    with closing(sqlite3.connect(newest)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT MAX(seq) FROM events").fetchone() == (4,)


def test_a_backup_is_complete_although_another_process_is_writing(path: Path) -> None:
    with closing(open_journal(path)) as journal:
        journal.append([tick(n) for n in range(1, 100)], 0)
        open_journal(path).close()
        newest = backups.newest(path)
        assert newest is not None
        with closing(sqlite3.connect(newest)) as copy:
            assert copy.execute("SELECT COUNT(*) FROM events").fetchone() == (99,)


def test_an_unchanged_journal_and_a_second_process_make_no_backup(path: Path) -> None:
    fill(path, 1, 1)
    open_journal(path, make_backup=False).close()
    assert backups.newest(path) is None
    open_journal(path).close()
    first = backups.newest(path)
    assert first is not None
    made = first.stat().st_mtime_ns
    open_journal(path).close()
    assert first.stat().st_mtime_ns == made


def test_a_journal_of_a_newer_program_is_refused_untouched(path: Path) -> None:
    fill(path, 1, 1)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()
    with pytest.raises(
        JournalVersionError, match=f"9999, this program knows up to {REVISIONS[-1]}"
    ):
        open_journal(path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_a_database_of_something_else_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(JournalError, match="something else"):
        open_journal(path)


def test_this_program_starts_on_a_journal_of_the_last_version(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(LAST_VERSION.read_text(encoding="utf-8"))
    with closing(open_journal(path)) as journal:
        assert numbers(journal.events()) == [1, 2, 4]
        assert (journal.head(), journal.latch("halt")) == (4, "HALTED")
        assert journal.take() == (command("c-2", agent_id="risk"),)
        lease, checkpoint = journal.lease(), journal.last_checkpoint()
        assert lease is not None
        assert checkpoint is not None
        assert (lease.epoch, checkpoint.seq) == (3, 4)
        journal.append([alert(5)], journal.acquire("now", "host", 1, NOW).epoch)
        assert journal.head() == 5


NEXT_VERSION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    op.add_column("events", sa.Column("note", sa.Text, server_default="of old"))
"""


def test_a_later_program_brings_an_older_journal_along_and_keeps_what_is_in_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is one version so far: the next one is made here, to see that its migration would run, and what is kept."""
    fill(path, 1, 3)
    later = tmp_path / "later"
    shutil.copytree(Path(opening.__file__).parent / "migrations", later / "migrations")
    (later / "migrations" / "versions" / "r0002_next.py").write_text(NEXT_VERSION)
    monkeypatch.setattr(opening, "__file__", str(later / "opening.py"))
    monkeypatch.setattr(opening, "REVISIONS", ("0001", "0002"))
    with closing(open_journal(path)) as journal:
        assert numbers(journal.events()) == [1, 2, 3]
        journal.append([alert(4)], journal.acquire("now", "host", 1, NOW).epoch)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]
        assert raw.execute("SELECT seq, note FROM events").fetchall() == [
            (n, "of old") for n in range(1, 5)
        ]
    backup = backups.newest(path)
    assert backup is not None
    with closing(sqlite3.connect(backup)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]

    monkeypatch.undo()
    with pytest.raises(JournalVersionError, match="has version 0002"):
        open_journal(path)


def test_a_migration_that_fails_leaves_the_journal_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    engine = sqlite_engine(path)

    def break_off(self: MigrationContext, **_: object) -> None:
        self.impl._exec("CREATE TABLE half_done (x)")
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(MigrationContext, "run_migrations", break_off)
        with pytest.raises(RuntimeError, match="power cut"):
            migrate(engine)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == []
    migrate(engine)
    engine.dispose()
    open_journal(path).close()


def test_the_migrations_build_exactly_the_tables_that_the_code_uses(path: Path) -> None:
    open_journal(path).close()
    engine = sqlite_engine(path)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        metadata.tables["events"].to_metadata(extended := type(metadata)(), name="more")
        assert compare_metadata(MigrationContext.configure(connection), extended), "control"
    engine.dispose()


def test_the_known_revisions_are_those_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(opening.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(reversed([script.revision for script in scripts])) == REVISIONS


def test_a_start_on_the_present_version_does_not_load_alembic(path: Path) -> None:
    open_journal(path).close()
    program = (
        "import sys; from engine.adapters.journals.opening import open_journal; "
        f"open_journal({str(path)!r}).close(); print('alembic' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"


@pytest.mark.asyncio
async def test_initialising_the_database_twice_is_harmless(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_HOME", str(path.parent))
    await initialize_database()
    fill(path, 1, 3)
    await initialize_database()
    with closing(open_journal(path)) as journal:
        assert journal.head() == 3


def test_messages_follow_the_one_pattern(path: Path) -> None:
    fill(path, 1, 200)
    _spoil_header(path)
    with pytest.raises(JournalDamagedError) as refusal:
        open_journal(path)
    assert re.match(r"the journal .* is damaged: .*; nothing was changed; .+", str(refusal.value))
