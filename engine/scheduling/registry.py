"""The crew list: every agent by its id, and the execution engine that drives them.

`AgentRegistry.get_instance()` is one object per process; the success dictionaries are the founding documents' form.
"""

import logging
from typing import Any, ClassVar, Optional

from engine.domain.agents import AgentStatus
from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.ports.agent import ScheduledAgent
from engine.scheduling.execution_engine import ExecutionEngine

log = logging.getLogger(__name__)

_IDLE = {AgentStatus.CREATED, AgentStatus.STOPPED, AgentStatus.NOT_SET_UP, AgentStatus.ERROR}


class AgentRegistry:
    """Agents in order of registration, driven by one engine.

    Parameters
    ----------
    execution_engine : ExecutionEngine, optional
        A new one on the wall clock by default.
    """

    _instance: ClassVar[Optional["AgentRegistry"]] = None

    def __init__(self, execution_engine: ExecutionEngine | None = None) -> None:
        self.agents: dict[str, ScheduledAgent] = {}
        self._execution_engine = execution_engine or ExecutionEngine()
        self._execution_engine.on_task_failed = self._task_failed

    @classmethod
    def get_instance(cls) -> "AgentRegistry":
        """Return this process's registry, making it when there is none."""
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    @classmethod
    def set_instance(cls, registry: Optional["AgentRegistry"]) -> None:
        """Make a registry this process's one; None when an engine has ended."""
        cls._instance = registry

    @classmethod
    def get_execution_engine(cls) -> ExecutionEngine | None:
        """Return the engine of this process's registry, or None before there is one."""
        return None if cls._instance is None else cls._instance._execution_engine

    @property
    def execution_engine(self) -> ExecutionEngine:
        """The engine of this registry, be it the process's one or not."""
        return self._execution_engine

    def register_agent(self, agent: ScheduledAgent) -> None:
        """Add an agent; from now on the engine drives it.

        Raises
        ------
        InvalidValueError
            The id is taken by an agent that is at work.
        """
        known = self.agents.get(agent.agent_id)
        if known is not None and known is not agent and known.status not in _IDLE:
            raise InvalidValueError(
                f"agent_id must be unique, was {agent.agent_id!r} of an agent that is {known.status.value}; "
                "stop that one first or choose another id"
            )
        self.agents[agent.agent_id] = agent
        agent.driver = self._execution_engine

    def unregister_agent(self, agent_id: str) -> None:
        """Take an agent off the list; it is on its own then.

        Raises
        ------
        UnknownNameError
            No agent has this id.
        """
        agent = self._known(agent_id)
        self._execution_engine.forget(agent_id)
        self._execution_engine.scheduler.forget(agent_id)
        agent.driver = None
        del self.agents[agent_id]

    async def start(self) -> None:
        """Start the execution engine; agents are started one by one."""
        await self._execution_engine.start()

    async def stop(self) -> None:
        """Stop all agents, then the engine."""
        await self.stop_all_agents()
        await self._execution_engine.stop()

    async def start_agent(self, agent_id: str) -> dict[str, Any]:
        """Start an agent and queue its first cycle.

        Returns
        -------
        dict
            ``{"success": True, "status": ...}``, or ``{"success": False, "error": text, "status": ...}``.

        Raises
        ------
        UnknownNameError
            No agent has this id.
        """
        agent = self._known(agent_id)
        agent.driver = self._execution_engine
        try:
            await agent.start()
            is_asked_for = self._execution_engine.has_cycle_of(agent_id)  # by the agent itself
            if agent.status is AgentStatus.RUNNING and not is_asked_for:
                await self._execution_engine.schedule_agent_cycle(agent)
        except Exception as error:
            log.exception("agent %s did not start", agent_id)
            return {"success": False, "error": str(error), "status": agent.status.value}
        return {"success": True, "status": agent.status.value}

    async def stop_agent(self, agent_id: str) -> dict[str, Any]:
        """Stop an agent; the answer has the form of `start_agent`.

        Raises
        ------
        UnknownNameError
            No agent has this id.
        """
        agent = self._known(agent_id)
        try:
            await agent.stop()
        except Exception as error:
            log.exception("agent %s did not stop", agent_id)
            return {"success": False, "error": str(error), "status": agent.status.value}
        return {"success": True, "status": agent.status.value}

    async def stop_all_agents(self) -> None:
        """Stop every agent, the last registered first; one that fails to stop does not keep the others."""
        for agent_id in reversed(tuple(self.agents)):
            await self.stop_agent(agent_id)

    def _known(self, agent_id: str) -> ScheduledAgent:
        agent = self.agents.get(agent_id)
        if agent is None:
            raise UnknownNameError(
                f"agent_id must be one of {', '.join(sorted(self.agents)) or 'none yet'}, was {agent_id!r}; "
                "register the agent first"
            )
        return agent

    def _task_failed(self, agent_id: str, task_type: str, error: Exception) -> None:
        agent = self.agents.get(agent_id)
        if agent is not None:
            agent.note_failure(f"task {task_type}", error)


async def get_agent_registry() -> AgentRegistry:
    """Return this process's registry; a dependency for API routes."""
    return AgentRegistry.get_instance()
