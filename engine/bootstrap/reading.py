"""Reading what an engine left behind, without starting one."""

from dataclasses import replace

from engine.adapters.journals.opening import open_journal
from engine.adapters.ownership import EngineLock
from engine.adapters.stores.memory import MemoryStore
from engine.core.gateway import Gateway
from engine.domain.sections import EngineSection, Section, Snapshot
from engine.settings import Settings


def read_from_journal(settings: Settings) -> Snapshot | None:
    """Return the sections as the journal last had them, or None when there is none or nothing in it.

    Nothing is changed: no backup, no lease, no store is touched. An engine that no process runs is told as stopped.

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
        if not journal.head():
            return None  # a start that failed before anything happened
        gateway = Gateway(MemoryStore(), journal)
        try:
            return _as_it_is(gateway.read(as_of=journal.head()), is_free(settings))
        finally:
            gateway.close()
    finally:
        journal.close()


def is_free(settings: Settings) -> bool:
    """Return whether no process owns the engine of this data folder."""
    lock = EngineLock(settings.home)
    try:
        return lock.acquire()
    finally:
        lock.release()


def _as_it_is(snapshot: Snapshot, is_ownerless: bool) -> Snapshot:
    section = snapshot.sections.get("engine")
    if section is None or not is_ownerless:
        return snapshot
    engine: EngineSection = section.value
    told = replace(engine, state="stopped", note=f"No engine runs; {engine.owner} was the last.")
    sections = {**snapshot.sections, "engine": Section("engine", told, section.stamp)}
    return Snapshot(version=snapshot.version, sections=sections)
