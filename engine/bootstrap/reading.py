"""Reading what an engine left behind, without starting one."""

from engine.adapters.journals.opening import open_journal
from engine.adapters.stores.memory import MemoryStore
from engine.core.gateway import Gateway
from engine.domain.sections import Snapshot
from engine.settings import Settings


def read_from_journal(settings: Settings) -> Snapshot | None:
    """Return the sections as the journal last had them, or None when there is no journal.

    Nothing is changed: no backup, no lease, no store is touched.

    Raises
    ------
    JournalError
        There is one and it cannot be read.
    """
    where = settings.journal_location
    if not isinstance(where, str) and not where.is_file():
        return None
    journal = open_journal(where, make_backup=False)
    try:
        gateway = Gateway(MemoryStore(), journal)
        try:
            return gateway.read(as_of=journal.head())
        finally:
            gateway.close()
    finally:
        journal.close()
