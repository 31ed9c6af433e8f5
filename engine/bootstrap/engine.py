"""One engine, put together: log, bus, feed, broker, crew and desk, brought up from the journal and taken down again.

Starting is recovering: the sections are folded from the journal, the crew continues from them, and the broker is
compared with the journal before anything is traded.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.adapters.brokers.paper import PaperBroker
from engine.bootstrap.blocking import Blocking
from engine.bootstrap.crew import Crew, Surroundings, muster
from engine.bootstrap.feeds import build_feed
from engine.bootstrap.fingerprint import Fingerprint, code_hash
from engine.bootstrap.heap import give_back
from engine.bootstrap.housekeeping import Housekeeping
from engine.bootstrap.obeying import Obeying
from engine.bootstrap.own_agents import sources_hash
from engine.bootstrap.pacing import build_keeper, market_input
from engine.bootstrap.pool_news import PoolNews, told_of
from engine.bootstrap.warming import Warming
from engine.core.belonging import home_of, note_owners
from engine.core.commands import CommandDesk
from engine.core.event_bus import EventBus
from engine.core.event_log import EventLog
from engine.core.projection import Projection
from engine.core.state_manager import StateManager
from engine.core.trouble import Pace
from engine.domain.events import Event, EventType
from engine.domain.market import BarColumns
from engine.domain.risk import PORTFOLIO
from engine.domain.sections import (
    AgentsSection,
    AnswersSection,
    EngineSection,
    InstrumentsSection,
    PortfolioSection,
    RiskSection,
    StrategiesSection,
    TradingSection,
)
from engine.domain.trading import HaltMode
from engine.ports.clock import Clock
from engine.ports.compute import Compute
from engine.ports.journal import Journal, Lease
from engine.ports.store import Store
from engine.scheduling.execution_engine import ExecutionEngine
from engine.scheduling.loop_watch import LoopWatch
from engine.scheduling.registry import AgentRegistry
from engine.scheduling.resource_pool import ResourcePool
from engine.settings import Settings
from engine.trading.latch import KillSwitch

_TOLD = (
    "queue_by_priority", "running_tasks", "max_concurrent_tasks", "timed_out_tasks", "failed_tasks", "late_tasks",
    "late_ms_p99", "late_ms_max", "timers", "orphaned_tasks",
)  # fmt: skip
"""Figures of the execution engine that go into HEALTH_CHECKED as they are."""
FIRST_LOOK_S = 3.0
"""From the start to a check of the health that finds something to count; the one at the start itself does not."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an engine stands on; `pace` None writes everything at once, in the caller (the manual clock).

    Market time waits for `warming` where there is one. `pool_compute` does what agents give the pool to count, so that
    no forecast waits for it.
    """

    settings: Settings
    journal: Journal
    store: Store
    clock: Clock
    compute: Compute
    lease: Lease
    version: str
    pace: Pace | None
    warming: Warming | None = None
    pool_compute: Compute | None = None


class Engine:
    """The engine of one owner.

    Parameters
    ----------
    parts : Parts
    loop_lag_ms : callable, optional
        Longest delay of the engine's loop in the last minute; None before it is measured.
    """

    def __init__(
        self, parts: Parts, loop_lag_ms: Callable[[], float | None] = lambda: None
    ) -> None:
        self.parts = parts
        self._loop_lag_ms = loop_lag_ms
        settings, is_stepped = parts.settings, parts.pace is None
        self.state = StateManager(store=parts.store)
        self.projection = Projection(bars_of=self._bars_of)
        self.log = EventLog(
            parts.journal, self.projection, parts.store, parts.clock, self.state, parts.pace
        )
        self.bus = EventBus(sink=self.log)
        self.log.announce = self.bus.post
        self.feed = build_feed(settings)
        self.broker = PaperBroker(attached=True)
        self.kill_switch = KillSwitch(parts.journal)
        self.execution_engine = self._execution_engine(settings, is_stepped)
        PoolNews(self.execution_engine.resource_pool, self.bus.post, parts.clock)
        self.registry = AgentRegistry(self.execution_engine)
        self.crew: Crew = muster(settings, self._surroundings())
        self.pacer = build_keeper(
            self.execution_engine, lambda: self.crew.all, self._market_input,
            None if is_stepped else loop_lag_ms,
        )  # fmt: skip
        self.crew.supervisor.pacer = self.pacer.look
        self.crew.supervisor.counts_durations = not is_stepped
        by_id = {agent.agent_id: agent for agent in self.crew.all}
        own = frozenset(agent.agent_id for agent in self.crew.own)
        self.execution_engine.foreign = own
        self.blocking = Blocking(by_id, own, self.bus, parts.clock)
        self.loop_watch = LoopWatch(
            self.blocking.take, on_stuck=self.blocking.still_there,
            homes={agent.agent_id: home_of(type(agent)) for agent in self.crew.own},
        )  # fmt: skip
        self.desk = CommandDesk(parts.journal, self.bus, is_inline=is_stepped)
        self.obeying = Obeying(self.crew, self.registry, self.bus, parts.journal)
        self.fingerprint = Fingerprint(
            seed=settings.seed,
            config_hash=settings.config_hash(),
            data_hash=self.feed.fingerprint(),
            code_hash=code_hash() + sources_hash(type(agent) for agent in self.crew.own),
        )

    # -- life ----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Recover from the journal, then let the crew work."""
        note_owners()
        folded = self.log.open(self.parts.lease.epoch)
        log.info("folded %d events since the last checkpoint", folded)
        self._continue_feed()
        self._continue_account()
        self.obeying.pacing.repeat()
        self.obeying.limiting.repeat()
        self._seed_sections()
        await self.bus.publish(
            Event(EventType.RUN_STARTED, self._section("running").to_data(), source="engine")
        )
        await self._tell_latch()
        AgentRegistry.set_instance(self.registry)
        await self.registry.start()
        for agent in self.crew.all:
            self.registry.register_agent(agent)
            if agent is not self.crew.supervisor:
                self.crew.supervisor.register_agent(agent, is_own=agent in self.crew.own)
        self.crew.supervisor.config["held_back"] = self.obeying.held_back()
        if self.parts.pace is not None:
            self.loop_watch.start()  # an agent's first cycle may already be without an end
        await self.registry.start_agent(self.crew.supervisor.agent_id)
        await self.obeying.pause_again()
        self.obeying.enlist(self.desk)
        if self.parts.warming is not None:
            self.parts.warming.start()
        if self.parts.pace is not None:
            self.desk.start()
        self.blocking.is_starting = False
        # Whoever asks from now on sees this engine, not what the last one left.
        await self.log.flush()
        if self.parts.pace is not None:
            await self.execution_engine.schedule_agent_cycle(
                self.crew.supervisor, delay=FIRST_LOOK_S
            )
            await Housekeeping(self.execution_engine, give_back).begin()

    async def stop(self) -> None:
        """Take no more commands, stop the crew, write everything."""
        self.log.show("engine", self._section("stopping"))
        self.loop_watch.stop()
        await self.desk.stop()
        if self.crew.supervisor.agent_id in self.registry.agents:  # else it had not come so far
            await self.registry.stop_agent(self.crew.supervisor.agent_id)
        await self.registry.stop()
        await self.bus.drain()
        await self.bus.close()
        self.log.show("engine", self._section("stopped"))
        await self.log.close()
        self.parts.compute.close()
        for agent in self.crew.own:
            agent.config["compute"].close()
        if self.parts.pool_compute is not None:
            self.parts.pool_compute.close()
        if AgentRegistry._instance is self.registry:
            AgentRegistry.set_instance(None)

    # -- recovering ----------------------------------------------------------------------------------------------

    def _continue_feed(self) -> None:
        """Resume where the feed stood; another feed or other data begin a run of their own."""
        told = self.projection.feed_told
        engine = self._value("engine", EngineSection)
        if told is None:
            return
        is_same = engine is not None and engine.data_hash == self.fingerprint.data_hash
        if is_same and told.kind is self.feed.state.kind:
            self.feed.restore(told, self.projection.feed_heard)
            return
        number = self.parts.journal.head()
        self.feed.restore(replace(self.feed.state, run_id=f"run-{number}"))

    def _continue_account(self) -> None:
        portfolio = self._value("portfolio", PortfolioSection)
        strategies = self._value("strategies", StrategiesSection)
        told = self.projection.feed_told
        is_same_run = told is not None and told.run_id == self.feed.state.run_id
        if portfolio is not None and is_same_run:
            self.crew.execution.restore(
                portfolio.account,
                portfolio.open_orders,
                portfolio.day_start_equity,
                portfolio.marks,
                portfolio.day,
            )
            risk = self._value(f"risk:{PORTFOLIO}", RiskSection)
            deepest = None if risk is None else risk.metrics.max_drawdown
            self.crew.risk.restore(float(portfolio.peak_equity), deepest or 0.0)
        if strategies is not None and strategies.history:
            newest = strategies.history[0]
            self.crew.strategy.restore(newest.weights, newest.enabled)
        answers = self._value("answers", AnswersSection)
        if answers is not None:
            self.desk.remember(row[3].command_id for row in answers.rows)

    def _seed_sections(self) -> None:
        """Tell the screens what no event says."""
        self.log.show("instruments", InstrumentsSection(instruments=self.feed.instruments))
        rows = self.crew.strategy.rows()
        threshold = self.crew.strategy.orchestrator.threshold
        self.log.show("strategies", StrategiesSection(rows=rows, threshold=threshold))
        crew = tuple(agent.row() for agent in self.crew.shown)
        self.log.show("agents", AgentsSection(rows=crew, weights=self.obeying.pacing.weights()))
        self.log.show("trading", TradingSection(limits=self.obeying.limiting.in_force))

    async def _tell_latch(self) -> None:
        """Publish a halt that was set while no engine ran."""
        halt = self.kill_switch.check()
        trading = self._value("trading", TradingSection)
        if trading is not None and trading.mode is not halt.mode:
            kind = (
                EventType.TRADING_RESUMED
                if halt.mode is HaltMode.ACTIVE
                else EventType.TRADING_HALTED
            )
            await self.bus.publish(Event(kind, halt.to_data(), source="engine"))

    # -- inside --------------------------------------------------------------------------------------------------

    def _execution_engine(self, settings: Settings, is_stepped: bool) -> ExecutionEngine:
        pool = ResourcePool(
            clock=self.parts.clock, compute=self.parts.pool_compute or self.parts.compute
        )
        pool.http_pool_size = settings.resource_pool.http_pool_size
        pool.cache_ttl = settings.resource_pool.cache_ttl
        engine = ExecutionEngine(self.parts.clock, pool, is_stepped=is_stepped)
        engine.max_concurrent_tasks = settings.execution_engine.max_concurrent_tasks
        engine.task_timeout_multiplier = settings.execution_engine.task_timeout_multiplier
        engine.scheduler.market_weight = settings.scheduler.market_weight
        engine.scheduler.performance_weight = settings.scheduler.performance_weight
        engine.scheduler.system_weight = settings.scheduler.system_weight
        return engine

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            bus=self.bus,
            state=self.state,
            clock=self.parts.clock,
            compute=self.parts.compute,
            feed=self.feed,
            broker=self.broker,
            kill_switch=self.kill_switch,
            epoch=self.parts.lease.epoch,
            health=self.health,
            waits_for=str if self.parts.warming is None else self.parts.warming.waits_for,
        )

    def health(self) -> dict[str, Any]:
        """Return the engine's figures, plain data throughout: the data of HEALTH_CHECKED.

        The supervisor's own cycle, in which they are taken, is not counted among what runs.
        """
        stats = self.execution_engine.get_stats()
        is_checking = self.execution_engine.is_at_work(self.crew.supervisor.agent_id)
        return {
            **{name: stats[name] for name in _TOLD},
            "running_tasks": stats["running_tasks"] - is_checking,
            "durations": [row.to_data() for row in stats["durations"]],
            **told_of(self.execution_engine.resource_pool),
            "events_per_second": self.bus.rates(),
            "events_by_source": self.bus.said(),
            "loop_lag_ms": self._loop_lag_ms(),
            "events_waiting": self.log.waiting,
            "troubles": self.troubles(),
        }

    def troubles(self) -> Mapping[str, str]:
        """Return what keeps the engine from its work at present (part -> reason); asked from any thread."""
        stuck = self.blocking.stuck
        return {**self.log.troubles, "loop": stuck} if stuck else self.log.troubles

    def _market_input(self) -> float | None:
        return market_input(self.state, (i.symbol for i in self.feed.instruments))

    def _section(self, state: str) -> EngineSection:
        parts, print_ = self.parts, self.fingerprint
        return EngineSection(
            state=state,
            owner=parts.lease.owner,
            pid=parts.lease.pid,
            host=parts.lease.host,
            port=parts.settings.port,
            epoch=parts.lease.epoch,
            started_at=parts.lease.acquired_at.timestamp(),
            trading_mode=parts.settings.trading_mode.value,
            environment=parts.settings.environment.value,
            version=parts.version,
            fingerprint=str(print_),
            seed=print_.seed,
            config_hash=print_.config_hash,
            data_hash=print_.data_hash,
            code_hash=print_.code_hash,
            levels=tuple(int(level) for level in parts.settings.mc_levels),
        )

    def _bars_of(self, symbol: str) -> BarColumns | None:
        data = self.state.get(f"bars:{symbol}")
        return None if data is None else BarColumns.from_data(data)

    def _value(self, name: str, kind: type[Any]) -> Any:  # noqa: ANN401 -- the kind that was asked for
        value = self.projection.value(name)
        return value if isinstance(value, kind) else None
