"""An event loop whose time a test turns: waiting costs nothing, and moves time to the next due moment."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)


class _Turning(selectors.SelectSelector):
    """Lets time pass where a selector would wait."""

    loop: "TurnedLoop"

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.loop.block(timeout)
        if not ready and timeout is None:
            raise RuntimeError("the loop must have something to wait for, had nothing: a deadlock")
        return ready


class TurnedLoop(asyncio.SelectorEventLoop):
    """Its `time` moves while everybody waits, or when someone blocks it."""

    def __init__(self) -> None:
        self._now_s = 0.0
        selector = _Turning()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self._now_s

    def block(self, seconds: float) -> None:
        """Let time pass without giving anybody a turn."""
        self._now_s += seconds


class LoopClock:
    """The clock port over a turned loop; also what a blocking agent blocks."""

    def __init__(self) -> None:
        self.loop: Any = asyncio.get_running_loop()

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return self.loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


def turned(main: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function on a turned loop and return its result."""

    async def whole() -> T:
        return await main()

    with asyncio.Runner(loop_factory=TurnedLoop) as runner:
        return runner.run(whole())
