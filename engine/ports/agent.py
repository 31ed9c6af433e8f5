"""What scheduling needs of an agent, and what an agent needs of whoever drives it.

Scheduling lies below the agents and must not know them; both sides know these protocols.
"""

from typing import Protocol

from engine.domain.agents import AgentMeasured, AgentStatus, TaskPriority


class ScheduledAgent(Protocol):
    """An agent as the execution engine sees it."""

    driver: "Driver | None"
    """Who drives its cycles; None while it drives itself."""

    @property
    def agent_id(self) -> str:
        """Name under which it is registered, unique."""
        ...

    @property
    def status(self) -> AgentStatus:
        """Only a RUNNING agent gets cycles."""
        ...

    @property
    def interval(self) -> float:
        """Seconds from the start of one cycle to the start of the next."""
        ...

    @property
    def priority(self) -> TaskPriority:
        """Priority of its cycles unless the caller says otherwise."""
        ...

    @property
    def task_type(self) -> str:
        """What kind of work its cycles are; chooses their lane."""
        ...

    @property
    def runs_itself(self) -> bool:
        """True when it has a `run()` of its own: then that is one long task and there are no cycles."""
        ...

    @property
    def has_cycle(self) -> bool:
        """False when it only answers events: then there is nothing to schedule."""
        ...

    async def start(self) -> None:
        """Start it; harmless when it runs."""
        ...

    async def stop(self) -> None:
        """Stop it; harmless when it does not run."""
        ...

    async def perform_cycle(self, resource_pool: object) -> object:
        """Run one cycle behind the agent's own fence and return its result (None after a failure)."""
        ...

    async def perform_run(self) -> None:
        """Run its own `run()` behind the fence until it is stopped."""
        ...

    def seconds_to_next(self) -> float:
        """Return the wait until the next cycle is due, longer after failures."""
        ...

    def note_skipped(self) -> None:
        """Count a cycle that was due while the last had not ended."""
        ...

    def note_failure(self, where: str, error: BaseException) -> None:
        """Count a failure that happened outside its fence: a cycle that ran out of time."""
        ...


class PacedAgent(ScheduledAgent, Protocol):
    """An agent whose interval may be moved."""

    interval: float
    base_interval: float
    """What the configuration or a person set, seconds."""

    @property
    def name(self) -> str:
        """Shown on screens."""
        ...

    @property
    def is_paced(self) -> bool:
        """False for one whose pace is not its own: the feed's, or the supervisor's."""
        ...

    @property
    def in_flight_s(self) -> float | None:
        """How long the cycle at work has lasted; None when none is."""
        ...

    def measured(self) -> AgentMeasured:
        """Return what it has done so far."""
        ...


class Driver(Protocol):
    """Who drives an agent's cycles: the execution engine."""

    async def schedule_agent_cycle(
        self, agent: ScheduledAgent, priority: TaskPriority | None = None, delay: float = 0.0
    ) -> None:
        """Queue the agent's next cycle; a cycle that waits already is replaced."""
        ...

    def forget(self, agent_id: str) -> None:
        """Drop what waits for this agent."""
        ...


class Timers(Protocol):
    """What asks for the next cycles of the agents it watches; see `engine.scheduling.timers`."""

    def watch(self, agent: ScheduledAgent) -> None:
        """Ask for a cycle every interval; harmless when it is watched."""
        ...

    def forget(self, agent_id: str) -> None:
        """Ask no more; harmless when it is not watched."""
        ...

    def repace(self, agent: ScheduledAgent) -> None:
        """Count the agent's interval from now on, as it is now; harmless when it is not watched."""
        ...

    def get_stats(self) -> dict[str, int]:
        """Return how many are watched and what went wrong with their triggers."""
        ...
