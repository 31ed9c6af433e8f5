"""What an agent has done and how long it took: counters and the percentiles of the last durations.

Durations are milliseconds of `perf_counter`; nothing here is journalled or hashed.
"""

from collections import deque
from collections.abc import Sequence

from engine.domain.agents import AgentMeasured, WorkTimes
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
        self.skipped = 0
        self.last_run_at: float | None = None
        self._all: deque[float] = deque(maxlen=WINDOW)
        self._of_cycles: deque[float] = deque(maxlen=WINDOW)
        self._of_events: deque[float] = deque(maxlen=WINDOW)

    def took(self, milliseconds: float, *, is_cycle: bool) -> None:
        """Take the duration of one more cycle or handled event."""
        self._all.append(milliseconds)
        (self._of_cycles if is_cycle else self._of_events).append(milliseconds)

    def payload(self, agent_id: str) -> AgentMeasured:
        """Return the figures as they stand; percentiles are None before the first duration."""
        every = _times(self._all)
        return AgentMeasured(
            agent_id=agent_id,
            cycles=self.cycles,
            handled=self.handled,
            errors=self.errors,
            emitted=self.emitted,
            conflated=self.conflated,
            skipped=self.skipped,
            last_ms=every.last_ms,
            p50_ms=every.p50_ms,
            p95_ms=every.p95_ms,
            last_run_at=self.last_run_at,
            cycle_times=_times(self._of_cycles),
            event_times=_times(self._of_events),
        )


def _times(durations: Sequence[float]) -> WorkTimes:
    ordered, newest = sorted(durations), tuple(durations)[-RECENT:]
    return WorkTimes(
        last_ms=newest[-1] if newest else None,
        p50_ms=nearest_rank(ordered, 0.50),
        p95_ms=nearest_rank(ordered, 0.95),
        recent_ms=newest,
    )
