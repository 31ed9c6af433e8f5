"""The journal in memory keeps the port's promises."""

import pytest

from engine.adapters.journals.memory import MemoryJournal
from engine.ports.journal import Journal
from tests.ports.journal_conformance import JournalConformance


class TestMemoryJournal(JournalConformance):
    @pytest.fixture
    def journal(self) -> Journal:
        return MemoryJournal()
