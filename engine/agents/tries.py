"""How often an agent that failed is tried again: restarts with growing waits, and when they no longer count.

Pure; times are seconds of one monotonic clock.
"""

from dataclasses import dataclass

MAX_RESTARTS = 3
FIRST_WAIT_S = 60.0
"""Wait from the second failure to the second restart, two health checks; it doubles from there. The first has none."""
LEAST_HEALTHY_S, MOST_HEALTHY_S = 300.0, 3600.0
"""Bounds of the healthy stretch that gives an agent its tries back: twice as long as it has ever lasted."""
HEALTHY_INTERVALS = 3.0
"""And at least so many of its intervals, or a slow agent would be healthy between two failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an agent has done so far: runs (None where they can't be counted), failures, and its interval in seconds."""

    runs: int | None
    errors: int
    interval_s: float = 0.0


class Tries:
    """The tries of one agent.

    Parameters
    ----------
    now_s : float
        When it was started.
    """

    def __init__(self, now_s: float) -> None:
        self.restarts = 0
        self.not_before_s = now_s
        """When it may be restarted, once it has failed."""
        self._started_s = now_s
        self._failed_s: float | None = None
        self._lasted_s = 0.0
        self._calm_since_s = now_s
        self._calm_with: Work | None = None

    @property
    def are_used_up(self) -> bool:
        """Whether it was restarted as often as it may be."""
        return self.restarts >= MAX_RESTARTS

    def is_healthy(self, now_s: float, work: Work) -> bool:
        """Take what it has done so far and return whether it has run well for long enough to have its tries back."""
        if (
            self._failed_s is not None
        ):  # somebody has started it meanwhile: its next failure is a new one
            self._failed_s, self._started_s, self._calm_with = None, now_s, None
        before = self._calm_with
        if before is None or work.errors != before.errors:
            self._calm_since_s, self._calm_with = now_s, work
            return False
        is_at_work = work.runs is None or before.runs is None or work.runs > before.runs
        asked_s = min(MOST_HEALTHY_S, max(LEAST_HEALTHY_S, 2 * self._lasted_s))
        asked_s = max(asked_s, HEALTHY_INTERVALS * work.interval_s)
        return self.restarts > 0 and is_at_work and now_s - self._calm_since_s >= asked_s

    def failed(self, now_s: float) -> None:
        """Take that it is out of service; harmless when that is known."""
        if self._failed_s is not None:
            return
        self._failed_s = now_s
        self._lasted_s = max(self._lasted_s, now_s - self._started_s)
        wait_s = FIRST_WAIT_S * 2 ** (self.restarts - 1) if self.restarts else 0.0
        self.not_before_s = now_s + wait_s

    def restarted(self, now_s: float) -> None:
        """Take that it was started once more."""
        self.restarts += 1
        self._started_s = self._calm_since_s = now_s
        self._failed_s = self._calm_with = None
