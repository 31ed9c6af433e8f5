"""Database engines for the journal: SQLite in WAL mode with our own transactions, or whatever a URL names.

A transaction announces itself by the execution option ``writing``: "durable" survives a power cut, "fast" survives
the end of the process; without it the transaction only reads.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from engine.domain.errors import JournalError

BUSY_S = 5.0
"""How long a writer waits for another process's transaction before it says that the journal is locked."""

WRITING = "writing"
DURABLE = "durable"
FAST = "fast"

_PRAGMAS = (
    "journal_mode=WAL",
    "journal_size_limit=67108864",
    "cell_size_check=ON",
    "trusted_schema=OFF",
)
_BEGIN = {
    DURABLE: ("PRAGMA synchronous=FULL", "BEGIN IMMEDIATE"),
    FAST: ("PRAGMA synchronous=NORMAL", "BEGIN IMMEDIATE"),
}


def sqlite_engine(path: Path, busy_s: float = BUSY_S) -> Engine:
    """Return an engine on a SQLite file.

    Notes
    -----
    In WAL mode a commit with ``synchronous=FULL`` also makes all earlier commits durable, because they stand in the
    same file before it. So a batch without an intent, fill or command is written "fast" (a power cut may take the
    last of these, never one in the middle), and everything is on disk at the next ledger event.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": busy_s, "check_same_thread": False},
        pool_size=4,
        max_overflow=12,
        pool_timeout=busy_s,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def remote_engine(url: str) -> Engine:
    """Return an engine on the database that `url` names.

    Raises
    ------
    JournalError
        The URL is malformed or its driver is not installed; the password is not repeated.
    """
    try:
        return create_engine(url, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        kind = url.partition("://")[0]
        raise JournalError(
            f"PILOTHOUSE_DATABASE_URL must name a database whose driver is installed, was {kind}://…; "
            f"install the driver or unset the variable for SQLite ({type(error).__name__})"
        ) from None


def _prepare(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; `_begin` does
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    for statement in _BEGIN.get(connection.get_execution_options().get(WRITING, ""), ("BEGIN",)):
        connection.exec_driver_sql(statement)
