"""One piece of work and the queue it waits in: by time while it is delayed, by priority and age when it is due.

Times are seconds of the clock's monotonic time. A task that was dropped is skipped when its turn comes.
"""

import heapq
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.domain.agents import TaskPriority
from engine.domain.errors import must
from engine.ports.agent import ScheduledAgent
from engine.scheduling.lanes import lane_of

AGE_S = 5.0
"""A due task that has waited so long stands as if it were one priority more urgent."""
PATIENCE_S: Mapping[TaskPriority, float] = MappingProxyType(
    {
        TaskPriority.CRITICAL: 0.0,
        TaskPriority.HIGH: 60.0,
        TaskPriority.NORMAL: 60.0 + AGE_S,
        TaskPriority.LOW: 60.0 + 2 * AGE_S,
        TaskPriority.IDLE: 60.0 + 3 * AGE_S,
    }
)
"""Seconds that each priority lets others go first. What was due goes in order of due time plus these, so that nothing
waits for ever: HIGH work that came due more than 10 s after a LOW task runs after it. Only after a minute does anything
go before CRITICAL work."""

MAX_DROPPED = 64
"""Dropped tasks that may wait for their time beside as many as are alive, before they are swept out."""


@dataclass(slots=True, eq=False, kw_only=True)
class Task:
    """One piece of work.

    Parameters
    ----------
    order : int
        Breaks ties: the order of scheduling, for an agent's cycles that of the agent's first.
    work : callable
        Starts it.
    timeout_s : float or None
        Allowed duration before the engine's multiplier; None for no limit.
    agent : ScheduledAgent or None
        The agent whose cycle it is.
    """

    task_id: str
    order: int
    agent_id: str
    task_type: str
    priority: TaskPriority
    due_s: float
    work: Callable[[], Awaitable[object]]
    timeout_s: float | None = None
    agent: ScheduledAgent | None = None
    lane: str = field(init=False)
    """The lane of this kind of work."""

    def __post_init__(self) -> None:
        self.lane = lane_of(self.task_type)


class TaskQueue:
    """Tasks that wait. Each leaves exactly once: taken or dropped.

    Parameters
    ----------
    patience_s : mapping of TaskPriority to float
        Seconds that each priority lets others go first.

    Notes
    -----
    Every task of a lane that is due ages at the same rate, so their order never changes while they wait.
    """

    def __init__(self, patience_s: Mapping[TaskPriority, float] = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._waiting: set[Task] = set()
        self._of_agent: Counter[str] = Counter()
        self._delayed: list[tuple[float, int, int, Task]] = []
        self._due: dict[str, list[tuple[float, int, float, int, int, Task]]] = {}
        self._pushed = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, task: Task) -> None:
        """Let a task wait until its time, then by priority and age, then by order."""
        if task not in self._waiting:
            self._of_agent[task.agent_id] += 1
        self._waiting.add(task)
        self._pushed += 1
        heapq.heappush(self._delayed, (task.due_s, task.order, self._pushed, task))

    def drop(self, task: Task) -> bool:
        """Take a task out unrun; False when it waits no more."""
        if task not in self._waiting:
            return False
        self._leave(task)
        if len(self._delayed) > 2 * len(self._waiting) + MAX_DROPPED:
            self._delayed = [entry for entry in self._delayed if entry[-1] in self._waiting]
            heapq.heapify(self._delayed)
        return True

    def clear(self) -> int:
        """Drop every task and return how many there were."""
        n_dropped = len(self._waiting)
        self._waiting.clear()
        self._of_agent.clear()
        self._delayed.clear()
        self._due.clear()
        return n_dropped

    def next_due_s(self) -> float | None:
        """Return when the next delayed task is due, or None when there is none."""
        while self._delayed and self._delayed[0][-1] not in self._waiting:
            heapq.heappop(self._delayed)
        return self._delayed[0][0] if self._delayed else None

    def ripen(self, now_s: float) -> None:
        """Put what is due by now in its lane."""
        while (due_s := self.next_due_s()) is not None and due_s <= now_s:
            *_, pushed, task = heapq.heappop(self._delayed)
            until_s = task.due_s + self._patience_s[task.priority]
            entry = (until_s, int(task.priority), task.due_s, task.order, pushed, task)
            heapq.heappush(self._due.setdefault(task.lane, []), entry)

    def lanes(self) -> tuple[str, ...]:
        """Return the lanes in which something is due."""
        return tuple(lane for lane, tasks in self._due.items() if tasks)

    def take(self, lane: str) -> Task | None:
        """Return the most urgent task that is due in a lane, or None."""
        tasks = self._due.get(lane, [])
        while tasks:
            task = heapq.heappop(tasks)[-1]
            if self.drop(task):
                return task
        return None

    def take_by_time(self, now_s: float) -> Task | None:
        """Return the task that is due first, whatever its priority, or None when none is due by now."""
        due_s = self.next_due_s()
        if due_s is None or due_s > now_s:
            return None
        task = heapq.heappop(self._delayed)[-1]
        self._leave(task)
        return task

    def _leave(self, task: Task) -> None:
        self._waiting.discard(task)
        self._of_agent[task.agent_id] -= 1
        if not self._of_agent[task.agent_id]:
            del self._of_agent[task.agent_id]

    def n_of(self, agent_id: str) -> int:
        """Return how many tasks of an agent wait."""
        return self._of_agent[agent_id]

    def __contains__(self, task: Task) -> bool:
        return task in self._waiting

    def by_priority(self) -> dict[str, int]:
        """Return how many wait by the name of their priority, every name included."""
        counts = Counter(task.priority for task in self._waiting)
        return {priority.name: counts[priority] for priority in TaskPriority}


def priority_of(value: int) -> TaskPriority:
    """Return the priority that was given, as itself or as its number.

    Raises
    ------
    InvalidValueError
        There is no such priority.
    """
    try:
        return TaskPriority(value)
    except ValueError:
        known = ", ".join(f"{p.name} ({p})" for p in TaskPriority)
        raise must("priority", f"be one of {known}", value, "use for example NORMAL") from None


def takes_argument(function: Callable[..., object]) -> bool:
    """Return whether a function can be called with one positional argument."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    takes = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return any(parameter.kind in takes for parameter in parameters)
