"""What goes wrong underneath a journal, in plain words: one place turns the database's errors into ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from engine.domain.errors import JournalDamagedError, JournalError

NewestBackup = Callable[[], Path | None]

_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_WORDS = {
    "SQLITE_BUSY": "is locked by another program; close what holds it, the writing is tried again",
    "SQLITE_LOCKED": "is locked by another program; close what holds it, the writing is tried again",
    "SQLITE_FULL": "cannot grow because the disk is full; free some space, the writing is tried again",
    "SQLITE_READONLY": "cannot be written because it is read-only or was moved; correct its permissions or place",
    "SQLITE_CANTOPEN": "cannot be opened; correct the permissions of its folder or choose another PILOTHOUSE_HOME",
    "SQLITE_IOERR": "cannot be read or written because the disk fails; check the disk",
}


@contextmanager
def in_plain_words(where: str, newest_backup: NewestBackup = lambda: None) -> Iterator[None]:
    """Raise errors of the database as `JournalError`; `IntegrityError` passes, it is for the caller.

    Raises
    ------
    JournalDamagedError
        The file is corrupt.
    JournalError
        It is locked, full, read-only or unreachable; nothing was written.
    """
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise explain(where, error.orig, newest_backup) from error
    except SQLAlchemyError as error:
        raise JournalError(
            f"the journal {where} cannot be used: {error}; check that it can be reached"
        ) from error


def explain(where: str, error: BaseException | None, newest_backup: NewestBackup) -> JournalError:
    """Return our error for one of the database driver's."""
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(_DAMAGED):
        return damaged(where, str(error), newest_backup())
    for prefix, words in _WORDS.items():
        if code.startswith(prefix):
            return JournalError(f"the journal {where} {words} ({error})")
    return JournalError(
        f"the journal {where} cannot be used: {error}; check that it can be reached"
    )


def damaged(where: str, detail: str, backup: Path | None) -> JournalDamagedError:
    """Return the error for a corrupt journal; it names the file and the newest backup."""
    remedy = (
        f"stop Pilothouse, move the file with its -wal and -shm neighbours aside and copy {backup} to its place"
        if backup
        else "there is no backup; move it aside to begin a new one, knowing that what it held is lost"
    )
    return JournalDamagedError(
        f"the journal {where} is damaged: {detail}; nothing was changed; {remedy}"
    )
