"""Copies of the journal, made by SQLite's own backup at a start that found it whole; the newest two are kept."""

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

KEPT = 2
_NAME = re.compile(r"journal-\d{12,}\.db")


def folder_of(journal: Path) -> Path:
    """Return where the backups of a journal file are."""
    return journal.parent / "backups"


def newest(journal: Path) -> Path | None:
    """Return the newest backup, or None."""
    found = _all(journal)
    return found[-1] if found else None


def make(journal: Path, head: int) -> Path:
    """Return a consistent copy of the journal as of event `head`; an unchanged journal is not copied again."""
    folder = folder_of(journal)
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"journal-{head:012d}.db"
    if newest(journal) != target:
        part = target.with_suffix(".part")
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(journal)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, so that restoring is one copy
        part.replace(target)
        for old in _all(journal)[:-KEPT]:
            old.unlink(missing_ok=True)
    return target


def _all(journal: Path) -> list[Path]:
    """Return the backups, oldest first; by time of making, because a restored journal may count lower."""
    folder = folder_of(journal)
    found = [path for path in folder.glob("journal-*.db") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
