"""A circuit breaker: an API that fails, or asks for quiet, is left alone until a trial call has shown that it is back.

Closed lets every call leave, open none, half-open one. Times are seconds of the clock's monotonic time.
"""

import logging

from engine.domain.errors import ApiUnavailableError
from engine.domain.resources import BreakerState
from engine.ports.clock import Clock

FAILURES = 5
"""Failures in a row that open it."""
FIRST_WAIT_S = 5.0
MAX_WAIT_S = 300.0
"""Each opening in a row doubles the wait, up to this."""
MAX_QUIET_S = 3 * 86_400.0
"""Longest quiet that an API is granted: the longest ban that exchanges publish."""

log = logging.getLogger(__name__)


class Breaker:
    """Guards one API.

    Parameters
    ----------
    api : str
        Its name in the pool, for messages.
    clock : Clock
        Measures.

    Notes
    -----
    `admit` gives a permit; its call reports `succeeded`, `failed` or `throttled` with it, or nothing if it was
    cancelled, and then calls `release` whatever happened. What a call that left before the last opening reports is
    old news and changes nothing, but for a request for quiet, which always counts.
    """

    def __init__(self, api: str, clock: Clock) -> None:
        self.api = api
        self._clock = clock
        self._until_s: float | None = None
        self._reason = ""
        self._failures = 0
        self._openings = 0
        self._issued = 0
        self._stale = 0
        self._trial: int | None = None

    @property
    def state(self) -> BreakerState:
        """Closed, open, or half-open once the wait is over."""
        left_s = self.next_try_in_s
        if left_s is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if left_s > 0 else BreakerState.HALF_OPEN

    @property
    def reason(self) -> str:
        """Why it is not closed; empty when it is."""
        return self._reason

    @property
    def next_try_in_s(self) -> float | None:
        """Seconds until a trial call may leave; None while closed."""
        return None if self._until_s is None else max(0.0, self._until_s - self._clock.monotonic())

    def check(self) -> None:
        """Do nothing if a call could leave now.

        Raises
        ------
        ApiUnavailableError
            It is open, or half-open with its trial call under way.
        """
        left_s = self.next_try_in_s
        if left_s is not None and (left_s > 0 or self._trial is not None):
            raise ApiUnavailableError(self.api, self._reason, left_s)

    def admit(self) -> int:
        """Return the permit of a call that leaves now.

        Raises
        ------
        ApiUnavailableError
            As `check`.
        """
        self.check()
        self._issued += 1
        if self._until_s is not None:
            self._trial = self._issued
        return self._issued

    def succeeded(self, permit: int) -> None:
        """Count an answer: the API is there."""
        if permit <= self._stale:
            return
        if self._until_s is not None:
            log.info("%s: answers again", self.api)
        self._until_s, self._reason = None, ""
        self._failures = self._openings = 0

    def failed(self, permit: int, reason: str) -> None:
        """Count a failure; a failed trial, or the last of a row, opens."""
        if permit <= self._stale:
            return
        self._failures += 1
        if self._until_s is not None:
            self._open(permit, f"the trial call failed: {reason}", self._own_wait_s())
        elif self._failures >= FAILURES:
            row = f"{self._failures} failures in a row, the last: {reason}"
            self._open(permit, row, self._own_wait_s())

    def throttled(self, permit: int, reason: str, quiet_s: float | None) -> None:
        """Open at once, for as long as the API asked; for its own wait when the API named none."""
        if quiet_s:
            self._open(permit, reason, min(quiet_s, MAX_QUIET_S))
        elif permit > self._stale:
            self._open(permit, reason, self._own_wait_s())

    def release(self, permit: int) -> None:
        """End a call; a trial that ended without a report leaves its place to the next."""
        if permit == self._trial:
            self._trial = None

    def _own_wait_s(self) -> float:
        return float(min(MAX_WAIT_S, FIRST_WAIT_S * 2 ** min(self._openings, 10)))

    def _open(self, permit: int, reason: str, wait_s: float) -> None:
        if self.state is not BreakerState.OPEN:
            log.warning("%s: no call for %.0f s: %s", self.api, wait_s, reason)
        self._openings += permit > self._stale
        self._failures = 0
        self._stale = self._issued
        self._reason = reason
        self._until_s = max(self._until_s or 0.0, self._clock.monotonic() + wait_s)
