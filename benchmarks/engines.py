"""A live engine in this process (compute thread, SQLite, disk store) whose feed moves when it is told to."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.servers import symbols
from engine.adapters.clocks.wall import WallClock
from engine.adapters.compute.thread import ThreadCompute
from engine.adapters.journals.opening import open_journal
from engine.adapters.stores.on_disk import DiskStore
from engine.bootstrap.engine import Engine, Parts
from engine.core.live_store import LiveStore
from engine.core.trouble import Pace
from engine.settings import load_settings


@asynccontextmanager
async def live_engine(n_symbols: int, **settings: str) -> AsyncIterator[Engine]:
    """Give an engine that is built but not started, as the web server builds it but without timers."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        environment = {
            "PILOTHOUSE_HOME": folder,
            "PILOTHOUSE_FEED": "synthetic",
            "PILOTHOUSE_SYMBOLS": symbols(n_symbols),
            **settings,
        }
        known = load_settings(None, environment)
        journal = open_journal(known.journal_location, make_backup=False)
        store = LiveStore(lambda: DiskStore(Path(folder) / "store"))
        clock = WallClock()
        parts = Parts(
            settings=known,
            journal=journal,
            store=store,
            clock=clock,
            compute=ThreadCompute(),
            lease=journal.acquire("benchmark", "here", os.getpid(), clock.now()),
            version="benchmark",
            pace=Pace(),
        )
        engine = Engine(parts)
        try:
            yield engine
        finally:
            await engine.stop()
            store.close()
            journal.close()
