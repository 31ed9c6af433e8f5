"""The engine as the web server holds it: owner or standby, started and stopped with the server.

Exactly one process owns the engine; another one reads and sends, looks for the lock to come free, and takes over.
"""

import asyncio
import logging
import os
import socket
from functools import partial
from pathlib import Path

from engine.adapters.clocks.wall import WallClock
from engine.adapters.compute.thread import ThreadCompute
from engine.adapters.journals.opening import open_journal
from engine.adapters.journals.sql import SqlJournal
from engine.adapters.ownership import EngineLock
from engine.adapters.stores.on_disk import DiskStore
from engine.bootstrap.door import Door
from engine.bootstrap.engine import Engine, Parts
from engine.bootstrap.questions import questions
from engine.bootstrap.warming import Warming, make_ready
from engine.core.gateway import EngineSide, Gateway
from engine.core.live_store import LiveStore
from engine.core.threads import in_thread
from engine.core.trouble import Pace
from engine.domain.commands import HaltTrading
from engine.domain.errors import ConfigurationError, JournalError, OwnershipLostError
from engine.scheduling.host import EngineHost
from engine.scheduling.timers import IntervalTimers
from engine.settings import Settings, TradingMode
from engine.trading.latch import KillSwitch

LOOK_S = 0.5
"""How often a standby looks for the lock."""
BEAT_S = 2.0
MAX_REASON = 200
STOP_S = 4.0
"""Time for the engine's own end; the whole program has five seconds."""

log = logging.getLogger(__name__)


class Host:
    """Runs the engine when this process can own it, else stands by.

    Parameters
    ----------
    settings : Settings
    version : str
        The program's, for `status`.
    """

    def __init__(self, settings: Settings, version: str = "") -> None:
        self.settings = settings
        self.gateway = Door()
        self._version = version
        self._lock = EngineLock(settings.home)
        self._journal: SqlJournal | None = None
        self._store: LiveStore | None = None
        self._thread: EngineHost | None = None
        self._task: asyncio.Task[None] | None = None
        self._kill_switch: KillSwitch | None = None
        self._is_owner = False
        self._epoch = 0

    @property
    def is_owner(self) -> bool:
        """Whether this process runs the engine."""
        return self._is_owner

    async def start(self) -> None:
        """Own the engine and start it, or stand by.

        Raises
        ------
        ConfigurationError
            The data folder cannot be written.
        JournalError
            The journal cannot be opened; it is left as it is.
        """
        await in_thread(self._open)
        watch = self._beat if self._is_owner else self._stand_by
        self._task = asyncio.create_task(watch(), name="host.watch")

    async def stop(self) -> None:
        """Stop what runs here and give the engine free; harmless twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await in_thread(self._close)

    # -- in a thread: these wait for files ------------------------------------------------------------------------

    def _open(self) -> None:
        prepare_home(self.settings.home)
        is_owner = self._lock.acquire()
        try:
            store = self.settings.store_folder
            self._journal = open_journal(
                self.settings.journal_location, make_backup=is_owner, witness=store
            )
            self._store = LiveStore(lambda: DiskStore(store))
            if is_owner:
                self._own(self._journal, self._store)
            else:
                asked = questions(self._journal, self.gateway.read)
                self.gateway.put(Gateway(self._store, self._journal, asked))
                log.info("standing by: another process owns the engine")
        except BaseException:
            self._close()
            raise

    def _own(self, journal: SqlJournal, store: LiveStore) -> None:
        clock = WallClock()
        lease = journal.acquire(
            f"web-{os.getpid()}", socket.gethostname(), os.getpid(), clock.now()
        )
        self._epoch = lease.epoch
        compute = ThreadCompute()
        parts = Parts(
            settings=self.settings,
            journal=journal,
            store=store,
            clock=clock,
            compute=compute,
            lease=lease,
            version=self._version,
            pace=Pace(),
            warming=Warming(partial(make_ready, compute.call)),
            pool_compute=ThreadCompute("pilothouse-pool"),
        )
        engine = Engine(parts, lambda: None if self._thread is None else self._thread.lag_ms)
        timers = IntervalTimers(engine.execution_engine, clock)
        self._thread = EngineHost(engine.start, engine.stop, timers)
        self.gateway.put(
            Gateway(
                store,
                journal,
                questions(journal, self.gateway.read, engine.crew.monte_carlo.drawing),
                wake=engine.desk.wake,
                watch=engine.log.on_flush,
                engine=EngineSide(halt=engine.kill_switch.set, troubles=engine.troubles),
            )
        )
        self._kill_switch = engine.kill_switch
        self._is_owner = True
        self._thread.start()
        log.info("engine %s runs, epoch %d", engine.fingerprint, lease.epoch)

    def _close(self) -> None:
        if self._thread is not None and not self._thread.stop(STOP_S):
            log.error(
                "the engine did not end within %.0f s; its journal is whole all the same", STOP_S
            )
        self._thread = None
        self.gateway.put(None)
        if self._store is not None:
            self._store.close()
        if self._journal is not None:
            self._journal.close()
        self._store = self._journal = None
        self._is_owner = False
        self._lock.release()

    def _take_over(self) -> bool:
        if not self._lock.acquire():
            return False
        log.warning("the owner is gone: taking over")
        if self._journal is None or self._store is None:
            return False
        self._own(self._journal, self._store)
        return True

    # -- in the server's loop -------------------------------------------------------------------------------------

    async def _stand_by(self) -> None:
        while not await in_thread(self._take_over):
            await asyncio.sleep(LOOK_S)
        await self._beat()

    async def _beat(self) -> None:
        """Renew the lease; when another process holds it this one's engine ends at once."""
        clock = WallClock()
        while True:
            await asyncio.sleep(BEAT_S)
            if self._journal is None:
                return
            try:
                await in_thread(self._journal.beat, self._epoch, clock.now())
                if self._kill_switch is not None:
                    await in_thread(repeat_halt, self._kill_switch, self.gateway)
            except OwnershipLostError:
                log.critical("ownership moved to another process: this engine ends")
                await in_thread(self._close)
                return
            except JournalError as error:
                log.warning("heart-beat not written: %s", error)


def repeat_halt(switch: KillSwitch, gateway: Door) -> None:
    """Send a halt again that was in force here and could not be written, so that it is kept, shown and obeyed."""
    halt = switch.unwritten
    if halt is not None:
        wish = HaltTrading(reason=halt.reason[:MAX_REASON], mode=halt.mode)
        gateway.send(wish, actor=halt.actor, source="engine")


def prepare_home(home: Path) -> None:
    """Make the data folder, for this user alone.

    Raises
    ------
    ConfigurationError
        It cannot be made or written.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o700)
        probe = home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"PILOTHOUSE_HOME must be a folder that can be written, was {str(home)!r} ({error.strerror}); "
            "correct its permissions or set another"
        ) from error


def build_host(settings: Settings, version: str = "") -> Host:
    """Return the host of these settings; nothing is opened before `start`.

    Raises
    ------
    ConfigurationError
        Live orders are asked for: a screen that says LIVE over a paper account would be a lie.
    """
    if settings.trading_mode is TradingMode.LIVE:
        raise ConfigurationError(
            "TRADING_MODE must be 'paper', was 'live': this version has no venue that takes live orders; "
            "set TRADING_MODE=paper"
        )
    return Host(settings, version)
