"""What the adaptive pace goes by, and how a person's own pace is set and kept.

It is kept as latches of the journal, so that a restart knows it.
"""

import json
import math
from collections.abc import Callable, Iterable
from statistics import median

import psutil

from engine.agents.base import BaseAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import (
    LEAST_INTERVAL_S,
    MOST_INTERVAL_S,
    AgentPaced,
    SchedulerWeights,
    TaskPriority,
)
from engine.domain.commands import CommandEnvelope, SetAgentPace, SetSchedulerWeights
from engine.domain.errors import must
from engine.domain.events import Event, EventType
from engine.kernels.turbulence import as_input, turbulence
from engine.ports.journal import Journal
from engine.scheduling.execution_engine import ExecutionEngine
from engine.scheduling.pacing import Load, PaceKeeper

_PACE, _WEIGHTS = "pace:", "scheduler"
_NAMES = ("market", "performance", "system")


def build_keeper(
    engine: ExecutionEngine,
    crew: Callable[[], Iterable[BaseAgent]],
    market: Callable[[], float | None],
    lag_ms: Callable[[], float | None] | None,
) -> PaceKeeper:
    """Return what adjusts the crew's intervals; without `lag_ms` (a manual clock) nothing of this machine counts."""
    psutil.cpu_percent()  # the first answer of a process means nothing

    def load() -> Load:
        stats = engine.get_stats()
        at_work = stats["running_tasks"] + stats["queued_tasks"]
        lag = (None if lag_ms is None else lag_ms()) or 0.0
        return Load(
            lag_ms=lag, cpu=psutil.cpu_percent() / 100, queue=at_work / engine.max_concurrent_tasks
        )

    def repaced(agent: object) -> None:
        if engine.timers is not None and isinstance(agent, BaseAgent):
            engine.timers.repace(agent)

    return PaceKeeper(
        engine.scheduler,
        lambda: [agent for agent in crew() if agent.has_cycle],
        market,
        None if lag_ms is None else load,
        repaced,
    )


def market_input(state: StateManager, symbols: Iterable[str]) -> float | None:
    """Return the watched market's turbulence as an input of the scheduler, None while no symbol tells."""
    bars = (state.get(f"bars:{symbol}") for symbol in symbols)
    ratios = (turbulence(data["close"]) for data in bars if data and data.get("close"))
    known = [ratio for ratio in ratios if ratio is not None]
    return as_input(median(known)) if known else None


class Pacing:
    """Obeys a person's wishes about the pace, and repeats them after a restart.

    Parameters
    ----------
    agents : callable
        Returns the agents of the crew.
    engine : ExecutionEngine
        Whose scheduler and timers are set.
    bus, journal
        Where it is told and kept.
    """

    def __init__(
        self,
        agents: Callable[[], Iterable[BaseAgent]],
        engine: ExecutionEngine,
        bus: EventBus,
        journal: Journal,
    ) -> None:
        self._agents = agents
        self._engine = engine
        self._bus = bus
        self._journal = journal

    def weights(self, actor: str = "engine") -> SchedulerWeights:
        """Return the scheduler's weights as they are in force."""
        s = self._engine.scheduler
        return SchedulerWeights(
            market=s.market_weight, performance=s.performance_weight, system=s.system_weight, actor=actor
        )  # fmt: skip

    def repeat(self) -> None:
        """Take up what a person had set before a restart; call before the agents start."""
        for agent in self._agents():
            kept = self._journal.latch(_PACE + agent.agent_id)
            if kept:
                self._apply(agent, SetAgentPace.from_data(json.loads(kept)))
        kept = self._journal.latch(_WEIGHTS)
        if kept:
            self._weigh(SetSchedulerWeights.from_data(json.loads(kept)))

    async def set_pace(
        self, agent: BaseAgent, command: SetAgentPace, envelope: CommandEnvelope
    ) -> tuple[str, str]:
        """Set an agent's interval or priority and return the words of the answer."""
        checked_pace(agent, command)
        previous_s = agent.interval
        self._apply(agent, command)
        merged = SetAgentPace(
            agent_id=agent.agent_id, interval_s=agent.base_interval, priority=agent.priority.name
        )
        self._journal.set_latch(_PACE + agent.agent_id, merged.to_json().decode())
        paced = AgentPaced(
            agent_id=agent.agent_id, name=agent.name, interval_s=agent.interval, previous_s=previous_s,
            base_interval_s=agent.base_interval, priority=agent.priority, actor=envelope.actor,
        )  # fmt: skip
        await self._tell(EventType.AGENT_PACED, paced)
        if self._engine.timers is not None:
            self._engine.timers.repace(agent)
        words = f"A cycle every {agent.base_interval:g} s at priority {agent.priority.name}."
        follows = " The scheduler moves it with market and load." if agent.is_paced else ""
        return f"{agent.title or agent.name} repaced", words + follows

    async def set_weights(
        self, command: SetSchedulerWeights, envelope: CommandEnvelope
    ) -> tuple[str, str]:
        """Set the scheduler's weights and return the words of the answer."""
        before = self.weights()
        for name in _NAMES:
            value = getattr(command, name)
            if value is not None and not (math.isfinite(value) and 0 <= value <= 1):
                raise must(f"{name} weight", "be from 0 to 1", value, "0 switches it off")
        self._weigh(command)
        now = self.weights(envelope.actor)
        kept = {name: getattr(now, name) for name in _NAMES}
        self._journal.set_latch(_WEIGHTS, json.dumps(kept))
        await self._tell(EventType.SCHEDULER_WEIGHTED, now)
        changes = [
            f"{name.capitalize()} {getattr(before, name):.0%} → {getattr(now, name):.0%}"
            for name in _NAMES
            if getattr(before, name) != getattr(now, name)
        ]
        return "Scheduler weights applied", ", ".join(changes) or "They were in force already."

    def _apply(self, agent: BaseAgent, command: SetAgentPace) -> None:
        if command.interval_s is not None and command.interval_s != agent.base_interval:
            agent.interval = agent.base_interval = command.interval_s
        if command.priority is not None:
            agent.priority = TaskPriority[command.priority]

    def _weigh(self, command: SetSchedulerWeights) -> None:
        for name in _NAMES:
            value = getattr(command, name)
            if value is not None:
                setattr(self._engine.scheduler, f"{name}_weight", value)

    async def _tell(self, kind: EventType, payload: AgentPaced | SchedulerWeights) -> None:
        await self._bus.publish(Event(kind, payload.to_data(), source="engine"))


def checked_interval(name: str, seconds: float) -> None:
    """Refuse an interval outside the bounds, by the name it goes under.

    Raises
    ------
    InvalidValueError
        It is shorter than 0.1 s or longer than a day.
    """
    if not LEAST_INTERVAL_S <= seconds <= MOST_INTERVAL_S:
        rule = f"be from {LEAST_INTERVAL_S:g} to {MOST_INTERVAL_S:,.0f} s"
        raise must(name, rule, seconds, "give seconds within")


def checked_pace(agent: BaseAgent, command: SetAgentPace) -> None:
    """Refuse a pace that cannot be.

    Raises
    ------
    InvalidValueError
        There is no cycle to pace, the interval lies outside 0.1 s to a day, or the priority has no such name.
    """
    if not agent.has_cycle:
        driven = f"driven {agent.trigger or 'by events'}"
        raise must(agent.title or agent.name, "have a cycle to pace", driven, "leave it")
    seconds = command.interval_s
    if seconds is None and command.priority is None:
        raise must("pace", "name an interval or a priority", "neither", "give one")
    if seconds is not None:
        checked_interval("interval", seconds)
    if command.priority is not None and command.priority not in TaskPriority.__members__:
        known = ", ".join(TaskPriority.__members__)
        raise must("priority", f"be one of {known}", command.priority, "choose one")
