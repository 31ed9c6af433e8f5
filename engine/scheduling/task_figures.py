"""What tasks took and how late they began, per agent and kind of work.

Durations are milliseconds of `perf_counter`, lateness that of the engine's clock from due to begun. An agent's own
`run()` is counted but not timed: it lasts as long as the agent.
"""

import math
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from engine.domain.agents import TaskDurations
from engine.scheduling.lanes import LONG
from engine.scheduling.tasks import Task

WINDOW = 200
"""Newest durations, and newest latenesses, behind the percentiles of one kind."""
OVERALL = 1_000
"""The same over all kinds."""
MAX_KINDS = 128
"""Pairs of agent and task type that are kept; beyond it the one that began longest ago goes."""
LATE_MS = 100.0
"""A task that begins later than this after it was due counts as late."""


class _Kind:
    """Figures of one agent's tasks of one type."""

    __slots__ = ("failed", "late_ms", "longest_ms", "n", "timed_out", "took_ms")

    def __init__(self) -> None:
        self.n = self.timed_out = self.failed = 0
        self.longest_ms: float | None = None
        self.took_ms: deque[float] = deque(maxlen=WINDOW)
        self.late_ms: deque[float] = deque(maxlen=WINDOW)

    def row(self, agent_id: str, task_type: str) -> TaskDurations:
        """Return the figures as they stand."""
        took = sorted(self.took_ms)
        return TaskDurations(
            agent_id=agent_id, task_type=task_type, n=self.n, p50_ms=nearest_rank(took, 0.50),
            p95_ms=nearest_rank(took, 0.95), max_ms=self.longest_ms,
            last_ms=self.took_ms[-1] if self.took_ms else None, timed_out=self.timed_out, failed=self.failed,
            late_ms_p99=nearest_rank(sorted(self.late_ms), 0.99),
        )  # fmt: skip


class TaskFigures:
    """Counts what happened to tasks and times them; what it keeps is bounded whatever is scheduled."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """Ends of tasks ("completed", "failed", "timed_out", "cancelled") and whatever the engine counts beside."""
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._took_ms: deque[float] = deque(maxlen=WINDOW)
        self._late_ms: deque[float] = deque(maxlen=OVERALL)
        self._latest_ms: float | None = None

    def began(self, task: Task, now_s: float) -> None:
        """Take the start of a task."""
        if task.lane == LONG:
            return
        late_ms = max(0.0, now_s - task.due_s) * 1000
        self.counts["late"] += late_ms > LATE_MS
        self._late_ms.append(late_ms)
        self._latest_ms = max(late_ms, self._latest_ms or 0.0)
        self._kind_of(task).late_ms.append(late_ms)

    def timed_out(self, task: Task) -> None:
        """Take that a task's time is up, though it may not have ended."""
        self.counts["timed_out"] += 1
        self._kind_of(task).timed_out += 1

    def ended(self, task: Task, outcome: str, took_ms: float) -> None:
        """Take the end of a task that had begun; that its time was up has been taken before."""
        self.counts[outcome] += outcome != "timed_out"
        if task.lane == LONG:
            return
        self._took_ms.append(took_ms)
        kind = self._kind_of(task)
        kind.n += 1
        kind.failed += outcome == "failed"
        kind.took_ms.append(took_ms)
        kind.longest_ms = max(took_ms, kind.longest_ms or 0.0)

    def rows(self) -> tuple[TaskDurations, ...]:
        """Return a row for each agent and task type, sorted by both."""
        return tuple(kind.row(*key) for key, kind in sorted(self._kinds.items()))

    def stats(self) -> dict[str, Any]:
        """Return the figures as the engine's statistics carry them; None before the first task."""
        counts, took, late = self.counts, self._took_ms, sorted(self._late_ms)
        return {
            "completed_tasks": counts["completed"],
            "failed_tasks": counts["failed"],
            "timed_out_tasks": counts["timed_out"],
            "cancelled_tasks": counts["cancelled"],
            "replaced_cycles": counts["replaced"],
            "late_tasks": counts["late"],
            "late_ms_p50": nearest_rank(late, 0.50),
            "late_ms_p99": nearest_rank(late, 0.99),
            "late_ms_max": self._latest_ms,
            "mean_duration_ms": sum(took) / len(took) if took else None,
            "durations": self.rows(),
        }

    def _kind_of(self, task: Task) -> _Kind:
        """Return the figures of a task's kind and make them the newest."""
        key = (task.agent_id, task.task_type)
        kind = self._kinds.pop(key, None) or _Kind()
        self._kinds[key] = kind
        if len(self._kinds) > MAX_KINDS:
            del self._kinds[next(iter(self._kinds))]
        return kind


def nearest_rank(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that `share` of the sorted values do not exceed; None of nothing.

    Examples
    --------
    >>> nearest_rank([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    >>> nearest_rank([], 0.5) is None
    True
    """
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
