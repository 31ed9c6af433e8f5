"""How each command is obeyed: one coroutine per command, answering with the words of the toast.

What a person wants of an agent (stopped, paused) is kept as a latch, so that a restart keeps it.
"""

import logging

from engine.agents.base import BaseAgent
from engine.bootstrap.crew import Crew
from engine.bootstrap.limiting import Limiting
from engine.bootstrap.pacing import Pacing
from engine.core.commands import CommandDesk
from engine.core.event_bus import EventBus
from engine.domain.agents import AgentStatus
from engine.domain.commands import (
    AcknowledgeAlert,
    CommandEnvelope,
    HaltTrading,
    JumpReplay,
    PauseAgent,
    PauseReplay,
    ResumeAgent,
    ResumeReplay,
    ResumeTrading,
    RunAgentOnce,
    SetAgentPace,
    SetReplaySpeed,
    SetRiskLimits,
    SetSchedulerWeights,
    SetStrategyEnabled,
    SetStrategyWeights,
    StartAgent,
    StepReplay,
    StopAgent,
)
from engine.domain.errors import InvalidValueError, UnknownNameError, must
from engine.domain.events import Event, EventType
from engine.domain.payload import Payload
from engine.domain.sections import WeightsChange
from engine.domain.trading import HaltMode
from engine.ports.journal import Journal
from engine.scheduling.registry import AgentRegistry

Answer = tuple[str, str]
STEERING = (SetReplaySpeed, PauseReplay, ResumeReplay, StepReplay, JumpReplay)
_WISH = "agent:"
"""Latch of an agent: "running", "paused" or "stopped", as a person wanted it, and who that was."""

log = logging.getLogger(__name__)


class Obeying:
    """Carries commands out.

    Parameters
    ----------
    crew, registry, bus, journal
        What it acts on; see `engine.bootstrap.engine`.
    """

    def __init__(
        self, crew: Crew, registry: AgentRegistry, bus: EventBus, journal: Journal
    ) -> None:
        self._crew = crew
        self._registry = registry
        self._bus = bus
        self._journal = journal
        self.pacing = Pacing(lambda: crew.all, registry.execution_engine, bus, journal)
        self.limiting = Limiting(crew, bus, journal)
        self._agents: dict[str, BaseAgent] = {agent.agent_id: agent for agent in crew.all}

    def enlist(self, desk: CommandDesk) -> None:
        """Register every command at the desk."""
        desk.register(StartAgent, self.start_agent)
        desk.register(StopAgent, self.stop_agent)
        desk.register(PauseAgent, self.pause_agent)
        desk.register(ResumeAgent, self.resume_agent)
        desk.register(RunAgentOnce, self.run_agent_once)
        desk.register(SetAgentPace, self.set_pace)
        desk.register(SetSchedulerWeights, self.pacing.set_weights)
        desk.register(SetStrategyWeights, self.set_weights)
        desk.register(SetStrategyEnabled, self.set_enabled)
        desk.register(SetRiskLimits, self.limiting.set_limits)
        desk.register(HaltTrading, self.halt)
        desk.register(ResumeTrading, self.resume_trading)
        desk.register(AcknowledgeAlert, self.acknowledge)
        for kind in STEERING:
            desk.register(kind, self.steer)

    # -- agents --------------------------------------------------------------------------------------------------

    def held_back(self) -> frozenset[str]:
        """Return the ids of agents that a person had stopped."""
        return frozenset(a for a in self._agents if self._wished(a)[0] == "stopped")

    async def pause_again(self) -> None:
        """Pause the agents that a person had paused."""
        for agent_id, agent in self._agents.items():
            wanted, actor = self._wished(agent_id)
            if wanted == "paused":
                await agent.pause(actor=actor or "engine")

    async def start_agent(self, command: StartAgent, envelope: CommandEnvelope) -> Answer:
        """Start an agent."""
        agent = self._agent(command.agent_id)
        if agent.status is AgentStatus.RUNNING:
            return f"{agent.title} runs already", "Nothing changed."
        if agent.status is AgentStatus.PAUSED:
            return await self.resume_agent(ResumeAgent(agent_id=command.agent_id), envelope)
        result = await self._registry.start_agent(command.agent_id)
        if result["status"] != AgentStatus.RUNNING.value:
            reason = result.get("error") or agent.reason or "it gave no reason"
            raise must(agent.title, "start", result["status"], str(reason))
        self._wish(command.agent_id, "running", envelope)
        return f"{agent.title} started", "It works with the next event."

    async def stop_agent(self, command: StopAgent, envelope: CommandEnvelope) -> Answer:
        """Stop an agent; it stays stopped through a restart."""
        agent = self._agent(command.agent_id)
        self._refuse_supervisor(agent, "stop")
        await agent.stop(actor=envelope.actor, reason=f"stopped by {envelope.actor}")
        self._wish(command.agent_id, "stopped", envelope)
        return f"{agent.title} stopped", _after_stop(agent)

    async def pause_agent(self, command: PauseAgent, envelope: CommandEnvelope) -> Answer:
        """Pause an agent."""
        agent = self._agent(command.agent_id)
        self._refuse_supervisor(agent, "pause")
        if agent.status is not AgentStatus.RUNNING:
            raise must(agent.title, "run to be paused", agent.status.value, "start it first")
        await agent.pause(actor=envelope.actor)
        self._wish(command.agent_id, "paused", envelope)
        return f"{agent.title} paused", _after_stop(agent)

    async def resume_agent(self, command: ResumeAgent, envelope: CommandEnvelope) -> Answer:
        """Let a paused agent go on."""
        agent = self._agent(command.agent_id)
        if agent.status is not AgentStatus.PAUSED:
            raise must(agent.title, "be paused to resume", agent.status.value, "start it instead")
        await agent.resume(actor=envelope.actor)
        self._wish(command.agent_id, "running", envelope)
        return f"{agent.title} resumed", "It works with the next event."

    async def run_agent_once(self, command: RunAgentOnce, _: CommandEnvelope) -> Answer:
        """Queue one cycle now."""
        agent = self._agent(command.agent_id)
        if agent.status is not AgentStatus.RUNNING:
            raise must(agent.title, "run to do one cycle", agent.status.value, "start it first")
        if not agent.has_cycle:
            raise must(agent.title, "have a cycle", f"driven by events ({agent.trigger})", "wait")
        await self._registry.execution_engine.schedule_agent_cycle(agent)
        return f"{agent.title} runs once", "One cycle was queued."

    async def set_pace(self, command: SetAgentPace, envelope: CommandEnvelope) -> Answer:
        """Set how often and how urgently an agent works."""
        return await self.pacing.set_pace(self._agent(command.agent_id), command, envelope)

    # -- strategies ----------------------------------------------------------------------------------------------

    async def set_weights(self, command: SetStrategyWeights, envelope: CommandEnvelope) -> Answer:
        """Put weights in force with the next cycle."""
        change = self._crew.strategy.set_weights(command.weights, actor=envelope.actor)
        await self._changed(change)
        lines = [
            f"{self._title(name)} {_pct(change.previous[name])} → {_pct(weight)}"
            for name, weight in change.weights.items()
            if weight != change.previous.get(name)
        ]
        return "Weights applied", ", ".join(lines) or "They were in force already."

    async def set_enabled(self, command: SetStrategyEnabled, envelope: CommandEnvelope) -> Answer:
        """Switch a strategy's vote on or off with the next cycle."""
        enabled = {command.strategy: command.enabled}
        await self._changed(self._crew.strategy.set_weights(enabled=enabled, actor=envelope.actor))
        word = "votes again" if command.enabled else "votes no more"
        return f"{self._title(command.strategy)} {word}", "In force with the next bar."

    async def _changed(self, change: WeightsChange) -> None:
        await self._bus.publish(
            self._crew.strategy.event(EventType.WEIGHTS_CHANGED, change, change.at)
        )

    # -- trading -------------------------------------------------------------------------------------------------

    async def halt(self, command: HaltTrading, envelope: CommandEnvelope) -> Answer:
        """Set the kill switch, cancel what is open, and verify."""
        if command.mode is HaltMode.ACTIVE:
            raise must(
                "mode", "be REDUCING or HALTED", command.mode.value, "resume trading instead"
            )
        events = self._crew.execution.halt(envelope.actor, command.reason, command.mode)
        for event in events:
            await self._bus.publish(event)
        left = len(self._crew.execution.broker.open_orders())
        positions = len(self._crew.execution.desk.account.positions)
        cancelled = len(events) - 1
        orders = f"{_n(cancelled, 'open order')} cancelled, {left} left open, verified."
        kept = f"{_n(positions, 'position')} kept."
        if command.mode is HaltMode.REDUCING:
            follows = "No entry leaves; stops, targets and signals still close positions."
            return f"Reduce only, by {envelope.actor}", f"{orders} {follows} {kept}"
        follows = "No order leaves, those of stops and targets included."
        return f"HALTED by {envelope.actor}", f"{orders} {follows} {kept}"

    async def resume_trading(self, _: ResumeTrading, envelope: CommandEnvelope) -> Answer:
        """Lift the kill switch."""
        if self._crew.execution.kill_switch.check().mode is HaltMode.ACTIVE:
            return "Trading was not halted", "Nothing changed."
        for event in self._crew.execution.resume_trading(envelope.actor):
            await self._bus.publish(event)
        follows = "Stops and targets that were passed meanwhile fire at the next price, entries with the next signal."
        return "Trading resumed", follows

    # -- feed and alerts -----------------------------------------------------------------------------------------

    async def steer(self, command: Payload, _: CommandEnvelope) -> Answer:
        """Steer market time; where the feed then stands is journalled with the answer, so that a crash keeps both."""
        answer = self._crew.market_data.steer(command)
        for event in self._crew.market_data.changes():
            await self._bus.publish(event)
        return answer

    async def acknowledge(self, command: AcknowledgeAlert, envelope: CommandEnvelope) -> Answer:
        """Mark alerts as seen."""
        data = {"alert_id": command.alert_id, "actor": envelope.actor}
        await self._bus.publish(Event(EventType.ALERT_ACKNOWLEDGED, data, source="engine"))
        return "Alert acknowledged" if command.alert_id else "All alerts acknowledged", ""

    # -- inside --------------------------------------------------------------------------------------------------

    def _agent(self, agent_id: str) -> BaseAgent:
        agent = self._agents.get(agent_id)
        if agent is None:
            known = ", ".join(sorted(self._agents))
            raise UnknownNameError(f"agent_id must be one of {known}, was {agent_id!r}; correct it")
        return agent

    def _refuse_supervisor(self, agent: BaseAgent, verb: str) -> None:
        if agent is self._crew.supervisor:
            raise InvalidValueError(
                f"supervisor must run while the engine runs, was asked to {verb}; "
                "stop the program instead, or halt trading"
            )

    def _wish(self, agent_id: str, wanted: str, envelope: CommandEnvelope) -> None:
        self._journal.set_latch(_WISH + agent_id, f"{wanted} {envelope.actor}")

    def _wished(self, agent_id: str) -> tuple[str, str]:
        """Return what a person wanted of an agent, and who; both empty when nobody did."""
        wanted, _, actor = (self._journal.latch(_WISH + agent_id) or "").partition(" ")
        return wanted, actor

    def _title(self, strategy: str) -> str:
        titles = {entry.name: entry.title for entry in self._crew.strategy.strategies}
        return titles.get(strategy, strategy)


def _after_stop(agent: BaseAgent) -> str:
    """Return what follows when an agent gives no answers."""
    topics = ", ".join(topic.value for topic in agent.emits)
    return f"No {topics} until it goes on." if topics else "It stays so until it goes on."


def _pct(weight: float) -> str:
    return f"{100 * weight:.0f}%"


def _n(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
