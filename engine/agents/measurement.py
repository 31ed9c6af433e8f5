"""What an agent has done and how long it took: counters and the percentiles of the last durations.

Durations are milliseconds of `perf_counter`; nothing here is journalled or hashed.
"""

from collections import deque

from engine.domain.agents import AgentMeasured
from engine.scheduling.task_figures import nearest_rank

WINDOW = 200
"""Durations behind the percentiles."""
RECENT = 24
"""Durations that a screen draws as a spark line."""


class Measurement:
    """Counts cycles, handled events, failures and durations of one agent."""

    def __init__(self) -> None:
        self.cycles = 0
        self.handled = 0
        self.errors = 0
        self.emitted = 0
        self.conflated = 0
        self.last_run_at: float | None = None
        self._durations: deque[float] = deque(maxlen=WINDOW)

    def took(self, milliseconds: float) -> None:
        """Take one more duration."""
        self._durations.append(milliseconds)

    def payload(self, agent_id: str, queue: int, next_run_at: float | None) -> AgentMeasured:
        """Return the figures as they stand; percentiles are None before the first duration."""
        durations = tuple(self._durations)
        ordered = sorted(durations)
        return AgentMeasured(
            agent_id=agent_id,
            cycles=self.cycles,
            handled=self.handled,
            errors=self.errors,
            emitted=self.emitted,
            queue=queue,
            conflated=self.conflated,
            last_ms=durations[-1] if durations else None,
            p50_ms=nearest_rank(ordered, 0.50),
            p95_ms=nearest_rank(ordered, 0.95),
            last_run_at=self.last_run_at,
            next_run_at=next_run_at,
            recent_ms=durations[-RECENT:],
        )
