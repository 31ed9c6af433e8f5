"""A token bucket that really delays: calls of one API leave at its rate, first come first served.

Limits are calls per minute; times are seconds of the clock's monotonic time.
"""

import asyncio
import math

from engine.domain.errors import is_number, must
from engine.ports.clock import Clock

BURST_SHARE = 0.1
"""Part of a minute's calls that may leave at once."""
MIN_SLEEP_S = 1e-3
TOLERANCE = 1e-9
"""What of a token rounding may leave missing."""


class TokenBucket:
    """Lets `per_minute` calls through a minute: a tenth of them at once, the rest evenly.

    Parameters
    ----------
    per_minute : float
        Sustained rate.
    clock : Clock
        Measures and waits.

    Notes
    -----
    In any span of `t` seconds no more than ``burst + per_minute / 60 * t`` calls pass, with
    ``burst = max(1, per_minute / 10)``. A call given up while it waits takes no token.
    """

    def __init__(self, per_minute: float, clock: Clock) -> None:
        self._per_minute = _rate(per_minute)
        self._clock = clock
        self._level = self.burst
        self._settled_at_s = clock.monotonic()
        self._turn = asyncio.Lock()
        self.waiting = 0
        self.delayed_s = 0.0

    @property
    def per_minute(self) -> float:
        """Sustained rate; a new one fills no tokens, so changing to and fro gives no second burst."""
        return self._per_minute

    @per_minute.setter
    def per_minute(self, value: float) -> None:
        self._settle()
        self._per_minute = _rate(value)
        self._level = min(self._level, self.burst)

    @property
    def burst(self) -> float:
        """Most tokens that gather while nobody calls."""
        return max(1.0, self._per_minute * BURST_SHARE)

    @property
    def tokens(self) -> float:
        """Calls that could leave at once."""
        self._settle()
        return max(0.0, self._level)

    async def take(self) -> None:
        """Return when this call's turn has come."""
        began_s = self._clock.monotonic()
        self.waiting += 1
        try:
            async with self._turn:
                while (missing := 1 - self.tokens) > TOLERANCE:
                    await self._clock.sleep(max(MIN_SLEEP_S, missing * 60 / self._per_minute))
                self._level -= 1
        finally:
            self.waiting -= 1
            self.delayed_s += self._clock.monotonic() - began_s

    def _settle(self) -> None:
        now_s = self._clock.monotonic()
        grown = self._level + (now_s - self._settled_at_s) * self._per_minute / 60
        self._level = min(self.burst, grown)
        self._settled_at_s = now_s


def _rate(value: float) -> float:
    if not (is_number(value) and 0 < value < math.inf):
        raise must(
            "rate_limit", "be finite and above 0", value, "leave it out for a call without a limit"
        )
    return value
