"""The machine's clock. Wall time may jump (NTP, a person); the monotonic time never goes back, so pace counts in it."""

import asyncio
import time
from datetime import UTC, datetime


class WallClock:
    """Real time."""

    def now(self) -> datetime:
        """Return the wall time, UTC and aware."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds; their zero means nothing."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds; zero or less gives others one turn."""
        await asyncio.sleep(max(0.0, seconds))
