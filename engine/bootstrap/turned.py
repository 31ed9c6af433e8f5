"""An engine under a clock that is turned: the same engine, a pure function of its inputs.

Everything runs in the caller's loop, compute is inline, nothing is conflated, APScheduler is not started. Two such runs
with one fingerprint give the same log, hash for hash.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from engine.adapters.clocks.manual import ManualClock
from engine.adapters.compute.inline import InlineCompute
from engine.adapters.journals.log_hash import log_hash
from engine.adapters.journals.memory import MemoryJournal
from engine.adapters.stores.memory import MemoryStore
from engine.bootstrap.engine import Engine, Parts
from engine.bootstrap.questions import questions
from engine.core.gateway import Gateway
from engine.domain.payload import Payload
from engine.ports.journal import Journal
from engine.ports.store import Store
from engine.scheduling.manual_host import ManualHost
from engine.settings import Settings

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
"""Wall time at which a turned clock begins; it reaches no event's data."""


@dataclass(frozen=True, slots=True)
class TurnedEngine:
    """An engine with its clock in your hand."""

    engine: Engine
    host: ManualHost
    gateway: Gateway
    journal: Journal

    async def advance(self, seconds: float) -> int:
        """Let so much time pass and return how many tasks ran."""
        return await self.host.advance(seconds)

    async def obey(self, *commands: Payload, actor: str = "tester") -> None:
        """Send commands and have them obeyed before time moves on."""
        for n, command in enumerate(commands):
            head = self.journal.head()
            self.gateway.send(command, actor=actor, command_id=f"c-{head}-{n}")
        await self.engine.desk.work_once()
        await self.engine.bus.drain()

    def log_hash(self) -> str:
        """Return the hash of everything journalled so far."""
        return log_hash(self.journal.events())


def build_turned(
    settings: Settings,
    journal: Journal | None = None,
    store: Store | None = None,
    begin: datetime = BEGIN,
) -> TurnedEngine:
    """Return an engine that stands still until its clock is turned."""
    journal = MemoryJournal() if journal is None else journal
    store = MemoryStore() if store is None else store
    clock = ManualClock(begin)
    parts = Parts(
        settings=settings,
        journal=journal,
        store=store,
        clock=clock,
        compute=InlineCompute(),
        lease=journal.acquire("turned", "here", 0, begin),
        version="turned",
        pace=None,
    )
    engine = Engine(parts)
    host = ManualHost(clock, engine.execution_engine, engine.start, engine.stop, engine.bus.drain)
    asked = questions(journal, Gateway(store, journal).read, engine.crew.monte_carlo.drawing)
    gateway = Gateway(store, journal, asked, wake=engine.desk.wake, watch=engine.log.on_flush)
    return TurnedEngine(engine, host, gateway, journal)
