"""The supervisor: starts the crew in order, stops it in reverse, and looks after who failed.

A failed agent is restarted with growing waits; after the last try it stays in ERROR and an alert says so.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, ClassVar

from engine.agents.base import BaseAgent
from engine.agents.checkup import Checkup
from engine.agents.limits import within
from engine.agents.tries import MAX_RESTARTS, Tries, Work
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentPaced, AgentStatus, AgentTrouble, TaskPriority
from engine.domain.errors import must
from engine.domain.events import Event, EventType
from engine.domain.risk import Alert, Severity

MODES = {"paper": "paper", "paper_trading": "paper", "live": "live"}
"""Accepted words and what they mean."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Watch:
    """What the supervisor remembers of one agent."""

    tries: Tries
    is_given_up: bool = False
    times_given_up: int = 0
    checkup: Checkup = field(default_factory=Checkup)
    told: frozenset[str] = frozenset()
    """Kinds of trouble that were told and are not over."""
    n_told: int = 0


STOP_LIMIT_S = 2.5
"""Longest that the stop of one agent, whatever it has made of it, may take from the supervisor."""


class SupervisorAgent(BaseAgent):
    """Starts, watches and stops the agents registered with it.

    Parameters
    ----------
    name, event_bus, state_manager
        As of every agent.
    config : mapping, optional
        `mode` ("paper", "paper_trading" or "live"), `health_check_interval` (30 s), `health`: a callable whose mapping
        is published as HEALTH_CHECKED with every check, `held_back`: ids of agents that a person had stopped.

    Raises
    ------
    InvalidValueError
        A value breaks its rule; the message names the field.
    """

    emits: ClassVar[tuple[EventType, ...]] = (
        EventType.RISK_ALERT,
        EventType.HEALTH_CHECKED,
        EventType.AGENT_PACED,
    )
    is_paced: ClassVar[bool] = False
    default_interval: ClassVar[float] = 30.0
    default_priority: ClassVar[TaskPriority] = TaskPriority.HIGH
    task_type: ClassVar[str] = "supervisor_cycle"
    start_limit_s: ClassVar[float | None] = (
        None  # the crew's starts and stops, each with a limit of its own
    )
    stop_limit_s: ClassVar[float | None] = None
    title: ClassVar[str] = "Supervisor"
    detail: ClassVar[str] = "starts, watches and restarts the others"

    def __init__(
        self,
        name: str,
        event_bus: EventBus,
        state_manager: StateManager,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, event_bus, state_manager, config)
        mode = self.config.get("mode", "paper")
        if mode not in MODES:
            raise must("mode", f"be one of {', '.join(MODES)}", mode, "use paper")
        self.mode = MODES[mode]
        health = self.config.get("health")
        if health is not None and not callable(health):
            raise must("health", "be a callable that returns a mapping", health, "leave it out")
        self._health: Callable[[], Mapping[str, Any]] | None = health
        self.pacer: Callable[[], Iterable[AgentPaced]] = tuple
        """Adjusts intervals with every check and returns what it changed; nothing until it is set."""
        self.counts_durations = True
        """False under a turned clock, where what a machine takes may not influence a run."""
        self._crew: dict[str, BaseAgent] = {}
        self._own: set[str] = set()
        self._watches: dict[str, _Watch] = {}

    @property
    def agents(self) -> tuple[BaseAgent, ...]:
        """The agents under supervision, in start order."""
        return tuple(self._crew.values())

    def register_agent(self, agent: BaseAgent, *, is_own: bool = False) -> None:
        """Put an agent under supervision; it is started with the supervisor, after those registered before.

        Agents of one's own that are registered one after the other start and stop together: nobody waits for another.

        Raises
        ------
        InvalidValueError
            Another agent has this id, or it is the supervisor itself.
        """
        if agent is self or self._crew.get(agent.agent_id, agent) is not agent:
            raise must(
                "agent_id", "be unique under one supervisor", agent.agent_id, "choose another"
            )
        self._crew[agent.agent_id] = agent
        if is_own:
            self._own.add(agent.agent_id)

    def get_metrics(self) -> dict[str, Any]:
        """Return the figures of every agent, the mode, and who is under supervision with what status."""
        crew = {agent.agent_id: agent.status.value for agent in self.agents}
        return super().get_metrics() | {"mode": self.mode, "agents": crew}

    async def on_start(self) -> None:
        """Start the crew in order; one that cannot start does not keep the others."""
        self._watches = {}
        held_back = self.config.get("held_back", ())
        for group in self._groups():
            await asyncio.gather(
                *(self._started(agent) for agent in group if agent.agent_id not in held_back)
            )

    async def on_stop(self) -> None:
        """Stop the crew, the last started first."""
        for group in reversed(self._groups()):
            await asyncio.gather(*(self._stopped(agent) for agent in reversed(group)))

    def _groups(self) -> list[list[BaseAgent]]:
        """Return the crew in start order: who starts together stands together."""
        groups = groupby(
            self.agents,
            key=lambda agent: agent.agent_id not in self._own and agent.agent_id,
        )
        return [list(group) for _, group in groups]

    async def _run_cycle(self, resource_pool: Any) -> dict[str, str]:  # noqa: ANN401, ARG002 -- the founding signature
        """Check everybody's health and return the statuses."""
        await asyncio.gather(*(self._checked(agent) for agent in self.agents))
        if self._health is not None:
            await self.event_bus.publish(self.event(EventType.HEALTH_CHECKED, self._health()))
        for paced in self.pacer():
            await self.event_bus.publish(self.event(EventType.AGENT_PACED, paced))
        return {agent.agent_id: agent.status.value for agent in self.agents}

    async def _checked(self, agent: BaseAgent) -> None:
        """Check one; an agent that cannot be looked at has failed itself, and keeps nobody from being checked."""
        try:
            await self._check(agent)
            agent.publish_measured()
        except Exception as error:
            log.exception("agent %s could not be checked", agent.agent_id)
            agent.note_failure("check", error)

    async def _check(self, agent: BaseAgent) -> None:
        now_s = self._clock.monotonic()
        watch = self._watches.setdefault(agent.agent_id, _Watch(tries=Tries(now_s)))
        agent.troubles = ()
        if agent.status is AgentStatus.RUNNING:
            await self._look(agent, watch)
        if agent.status is not AgentStatus.ERROR:
            if watch.tries.is_healthy(now_s, _work_of(agent)) or watch.is_given_up:
                watch.tries, watch.is_given_up = Tries(now_s), False
            return
        watch.tries.failed(now_s)
        if watch.is_given_up:
            return
        if watch.tries.are_used_up:
            watch.is_given_up = True
            watch.times_given_up += 1
            await self.event_bus.publish(self._alert(agent, watch))
        elif now_s >= watch.tries.not_before_s:
            await self._restart(agent, watch.tries)

    async def _restart(self, agent: BaseAgent, tries: Tries) -> None:
        now_s = self._clock.monotonic()
        tries.restarted(now_s)
        words = f"restart {tries.restarts} of {MAX_RESTARTS}: {agent.reason}"
        log.warning("agent %s: %s", agent.agent_id, words)
        await self._stopped(agent, reason=words)
        await self._started(agent)
        if agent.status is AgentStatus.ERROR:
            tries.failed(now_s)

    async def _look(self, agent: BaseAgent, watch: _Watch) -> None:
        """Tell of a trouble that is new: an agent that hangs, is too slow, or keeps ever more."""
        seen = agent.vitals(with_durations=self.counts_durations)
        vitals = replace(seen, late_s=agent.late_s)
        found = watch.checkup.findings(agent.title or agent.name, vitals)
        for finding in found:
            if finding.kind not in watch.told:
                watch.n_told += 1
                await self.event_bus.publish(self._trouble(agent, finding, watch.n_told))
        watch.told = frozenset(finding.kind for finding in found)
        agent.troubles = found

    def _trouble(self, agent: BaseAgent, finding: AgentTrouble, number: int) -> Event:
        alert = Alert(
            alert_id=f"agent-{agent.agent_id}-{finding.kind}-{number}", symbol="engine", title=finding.title,
            metric=f"agent_{finding.kind}", severity=Severity.WARNING, message=finding.message,
        )  # fmt: skip
        return self.event(EventType.RISK_ALERT, alert)

    async def _started(self, agent: BaseAgent) -> None:
        """Start an agent; its failure is its own, announced status."""
        try:
            await agent.start()
        except Exception:
            log.exception("agent %s did not start", agent.agent_id)

    async def _stopped(self, agent: BaseAgent, reason: str = "") -> None:
        """Stop an agent, whatever becomes of that: one of one's own may have written another `stop`."""
        try:
            await within(STOP_LIMIT_S, agent.stop(reason=reason), "stop", agent.agent_id)
        except Exception:
            log.exception("agent %s did not stop", agent.agent_id)

    def _alert(self, agent: BaseAgent, watch: _Watch) -> Event:
        title = agent.title or agent.name
        return self.event(
            EventType.RISK_ALERT,
            Alert(
                alert_id=f"agent-{agent.agent_id}-{watch.times_given_up}",
                symbol="engine",
                metric="agent_failed",
                severity=Severity.CRITICAL,
                title=f"{title} has failed",
                message=(
                    f"Restarted {MAX_RESTARTS} times, {agent.reason}. "
                    "It stays out of service until it is started by hand."
                ),
            ),
        )


def _work_of(agent: BaseAgent) -> Work:
    done = agent.measured()
    runs = None if agent.runs_itself else done.cycles + done.handled
    interval_s = agent.interval if agent.has_cycle else 0.0
    return Work(runs=runs, errors=done.errors, interval_s=interval_s)
