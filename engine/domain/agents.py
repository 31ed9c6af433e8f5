"""What an agent is doing, in the words that screens and REST use."""

from dataclasses import dataclass
from enum import Enum, IntEnum

from engine.domain.payload import Payload

LEAST_INTERVAL_S, MOST_INTERVAL_S = 0.1, 86_400.0
"""Bounds of an agent's interval, whether a person or the configuration file sets it."""


class AgentStatus(Enum):
    """Life of an agent; `.value` is what the interfaces report."""

    CREATED = "created"
    NOT_SET_UP = "not set up"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERROR = "error"


class TaskPriority(IntEnum):
    """Order under contention, most urgent first."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3
    IDLE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChanged(Payload):
    """An agent's state changed: the payload of AGENT_CHANGED (ENGINE_STARTED and _STOPPED carry the same)."""

    agent_id: str
    name: str
    status: AgentStatus
    reason: str = ""
    actor: str = "engine"
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFailed(Payload):
    """A cycle or handler of an agent raised: the payload of AGENT_FAILED."""

    agent_id: str
    where: str
    error: str
    consecutive: int
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTrouble(Payload):
    """What is wrong with an agent that has not failed.

    Parameters
    ----------
    kind : str
        "hangs", "slow", "leaks" or "floods".
    title, message : str
        For people: who does what; the numbers.
    """

    kind: str
    title: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTimes(Payload):
    """What one kind of an agent's work took, over the newest; in milliseconds, None before the first."""

    last_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    recent_ms: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMeasured(Payload):
    """What an agent has done so far; telemetry. Durations in milliseconds, times in epoch seconds of the wall clock.

    Parameters
    ----------
    last_ms, p50_ms, p95_ms : float or None
        Over cycles and handled events alike.
    cycle_times, event_times : WorkTimes
        The same of each alone: an event is often handled in no time, a cycle is not.
    skipped : int
        Cycles that were due while the last was still at work or waiting for its place; they were not made up for.
    running_since : float or None
        When the cycle began that was at work at the time; None when none was.
    troubles : tuple of AgentTrouble
        What the supervisor's last check found.
    dropped : int
        Events beyond its quota, which were not published.
    """

    agent_id: str
    cycles: int = 0
    handled: int = 0
    errors: int = 0
    emitted: int = 0
    queue: int = 0
    conflated: int = 0
    skipped: int = 0
    last_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    last_run_at: float | None = None
    next_run_at: float | None = None
    cycle_times: WorkTimes = WorkTimes()
    event_times: WorkTimes = WorkTimes()
    running_since: float | None = None
    troubles: tuple[AgentTrouble, ...] = ()
    dropped: int = 0
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceInputs(Payload):
    """What moves an agent's interval, each 0 to 1 with 0.5 as neutral; None where it is not known.

    `market` is 0 calm to 1 turbulent, `performance` 0 poor to 1 good, `system` 0 idle to 1 loaded.
    """

    market: float | None = None
    performance: float | None = None
    system: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPaced(Payload):
    """An agent's pace was set: the payload of AGENT_PACED.

    Parameters
    ----------
    interval_s : float
        Seconds from the start of one cycle to the next, in force.
    base_interval_s : float
        What the configuration or a person set; the adaptive scheduler moves the interval around it.
    inputs : PaceInputs, optional
        What the adaptive scheduler went by; None when a person set it.
    actor : str
        A person, or "scheduler".
    """

    agent_id: str
    name: str = ""
    interval_s: float
    base_interval_s: float
    previous_s: float
    priority: TaskPriority
    inputs: PaceInputs | None = None
    actor: str = "scheduler"
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerWeights(Payload):
    """How strongly each input moves intervals: the payload of SCHEDULER_WEIGHTED; 0 switches one off."""

    market: float = 0.5
    performance: float = 0.3
    system: float = 0.2
    actor: str = "engine"
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDurations(Payload):
    """What an agent's tasks of one type took; telemetry, in milliseconds.

    Parameters
    ----------
    n : int
        How many have ended, however they did.
    p50_ms, p95_ms : float or None
        Over the newest; None before the first.
    max_ms : float or None
        The longest of all.
    timed_out, failed : int
        Cut at their time limit; ended by an exception that no agent's own fence had caught.
    late_ms_p99 : float or None
        From due to begun.
    """

    agent_id: str
    task_type: str
    n: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    max_ms: float | None = None
    last_ms: float | None = None
    timed_out: int = 0
    failed: int = 0
    late_ms_p99: float | None = None
