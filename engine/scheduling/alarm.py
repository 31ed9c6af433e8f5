"""One wake-up call of the running loop, moved only when the moment changes: arming is what dispatching would cost most.

Moments are seconds of the engine clock's monotonic time.
"""

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls once at the moment it was last set to.

    Parameters
    ----------
    ring : callable
        Called on the loop; by then nothing is set.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._moment_s: float | None = None
        self._handle: asyncio.TimerHandle | None = None

    def set(self, moment_s: float | None, now_s: float) -> None:
        """Ring at this moment instead of any other, at once when it has passed; never for None."""
        if moment_s is not None and moment_s == self._moment_s:
            return
        self.cancel()
        if moment_s is not None:
            self._moment_s = moment_s
            loop = asyncio.get_running_loop()
            self._handle = loop.call_later(max(0.0, moment_s - now_s), self._at_the_moment)

    def cancel(self) -> None:
        """Ring no more; harmless when nothing is set."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._moment_s = None

    def _at_the_moment(self) -> None:
        self._handle = self._moment_s = None
        self._ring()
