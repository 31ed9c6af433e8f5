"""Time as a port: the engine asks a clock, never the machine."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where time comes from; `perf_counter` for durations needs no clock."""

    def now(self) -> datetime:
        """Return the wall time, UTC and aware (the manual clock's own under test)."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; ages, intervals and the feed's pace count in these."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many monotonic seconds."""
        ...
