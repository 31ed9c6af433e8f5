"""Opening a journal: found whole, copied, brought to this program's version; or refused in plain words.

Nothing here ever replaces a file: a damaged, foreign or vanished journal is for a person to decide on.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.engine import make_url

from engine.adapters.journals import backups
from engine.adapters.journals.connecting import (
    BUSY_S,
    DURABLE,
    WRITING,
    remote_engine,
    sqlite_engine,
)
from engine.adapters.journals.faults import damaged, explain, in_plain_words
from engine.adapters.journals.schema import REVISIONS, metadata
from engine.adapters.journals.sql import SqlJournal
from engine.domain.errors import JournalDamagedError, JournalError, JournalVersionError

_OPENING_S = 60.0
_SQLITE = "sqlite:///"


def open_journal(
    target: str | Path,
    *,
    make_backup: bool = True,
    busy_s: float = BUSY_S,
    witness: Path | None = None,
) -> SqlJournal:
    """Return the journal at a file or database URL, created when there was none.

    Parameters
    ----------
    target : str or Path
        A SQLite file, or a database URL.
    make_backup : bool
        Copy a journal that was found whole; for the engine's owner, not for further processes.
    busy_s : float
        Seconds to wait for a lock of another process.
    witness : Path, optional
        What is there only where a journal has been: without the journal it is a sign that this one has vanished.

    Raises
    ------
    JournalDamagedError
        The file is corrupt, or gone although backups of it or the witness exist; nothing was changed.
    JournalVersionError
        It was written by a newer program.
    JournalError
        It cannot be opened: no permission, locked, or a database of something else.
    """
    if isinstance(target, str) and "://" in target and not target.startswith(_SQLITE):
        return _open_remote(target)
    path = Path(str(target).removeprefix(_SQLITE)).expanduser().absolute()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock", timeout=_OPENING_S, mode=0o600, fallback_to_soft=False)
        with lock:
            return _open_file(path, make_backup, busy_s, witness)
    except Timeout as error:
        raise JournalError(
            f"the journal {path} is being opened by another process for over {_OPENING_S:.0f} s; end that process"
        ) from error
    except OSError as error:
        raise JournalError(
            f"the journal {path} cannot be opened: {error}; correct the folder's permissions or set PILOTHOUSE_HOME"
        ) from error


def _open_file(path: Path, make_backup: bool, busy_s: float, witness: Path | None) -> SqlJournal:
    is_empty = not path.exists() or path.stat().st_size == 0
    if is_empty:
        _refuse_a_silent_new_start(path, witness)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    else:
        _check(path, busy_s)
    engine = sqlite_engine(path, busy_s)
    try:
        with in_plain_words(str(path), lambda: backups.newest(path)):
            found = _revision(engine, str(path), is_shared=False)
            if found is not None and make_backup:
                _check_events(path)
                _back_up(path, engine)
            if found != REVISIONS[-1]:
                migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return SqlJournal(engine, str(path), path)


def _open_remote(url: str) -> SqlJournal:
    engine = remote_engine(url)
    where = make_url(url).render_as_string(hide_password=True)
    with in_plain_words(where):
        if _revision(engine, where, is_shared=True) != REVISIONS[-1]:
            migrate(engine)
    return SqlJournal(engine, where)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables to `revision`, all or nothing."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    scripts = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    with engine.connect().execution_options(**{WRITING: DURABLE}) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _refuse_a_silent_new_start(path: Path, witness: Path | None) -> None:
    backup = backups.newest(path)
    if backup is not None:
        raise damaged(str(path), "it is gone or empty, but backups of it exist", backup)
    if witness is not None and witness.exists():
        raise JournalDamagedError(
            f"the journal {path} is gone or empty, but {witness} shows that there was one; nothing was changed; "
            f"bring it back, or move {witness} aside to begin a new one, knowing that what it held is lost"
        )


def _check_events(path: Path) -> None:
    """Refuse a journal with an event that cannot be read: a copy of it would be no backup."""
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(
            "SELECT seq FROM events WHERE NOT json_valid(data) LIMIT 1"
        ).fetchone()
    if row is not None:
        raise damaged(str(path), f"event {row[0]} cannot be read", backups.newest(path))


def _check(path: Path, busy_s: float) -> None:
    try:
        with closing(sqlite3.connect(path, timeout=busy_s)) as connection:
            findings = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.DatabaseError as error:
        raise explain(str(path), error, lambda: backups.newest(path)) from error
    if findings != ["ok"]:
        raise damaged(str(path), "; ".join(findings), backups.newest(path))


def _revision(engine: Engine, where: str, *, is_shared: bool) -> str | None:
    """Return the version that the tables have, or None for an empty database."""
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        if "alembic_version" not in tables:
            if tables & set(metadata.tables) if is_shared else tables:
                raise JournalError(
                    f"the journal {where} is a database of something else; choose another PILOTHOUSE_HOME or URL"
                )
            return None
        found = connection.execute(select(text("version_num FROM alembic_version"))).scalar()
    if found not in REVISIONS:
        raise JournalVersionError(
            f"the journal {where} has version {found}, this program knows up to {REVISIONS[-1]}; "
            "start the newer program, or choose another PILOTHOUSE_HOME"
        )
    return str(found)


def _back_up(path: Path, engine: Engine) -> None:
    with engine.connect() as connection:
        head = connection.execute(text("SELECT head FROM owner")).scalar_one()
    try:
        backups.make(path, int(head))
    except sqlite3.DatabaseError as error:
        raise explain(str(path), error, lambda: backups.newest(path)) from error
