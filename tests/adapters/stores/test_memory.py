"""The store in memory keeps the port's promises."""

import pytest

from engine.adapters.stores.memory import MemoryStore
from engine.ports.store import Store
from tests.ports.store_conformance import StoreConformance


class TestMemoryStore(StoreConformance):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()
