"""The founding documents' database start-up: makes the journal of the settings, or brings it up to date."""

import asyncio
from pathlib import Path

from engine.adapters.journals.opening import open_journal
from engine.settings import load_settings


async def initialize_database(target: str | Path | None = None) -> None:
    """Create or migrate the journal; harmless when it stands already.

    Parameters
    ----------
    target : str or Path, optional
        A SQLite file or database URL; the settings' own when not given.

    Raises
    ------
    JournalError
        It cannot be opened, is damaged, or is newer than this program.
    """
    where = load_settings().journal_location if target is None else target
    await asyncio.to_thread(lambda: open_journal(where, make_backup=False).close())
