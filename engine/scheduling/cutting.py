"""How a task is ended: cancelled when its time is up, and again when it swallows that.

A coroutine may catch its cancellation and go on; asking once would then leave it behind. One that swallows every
cancellation cannot be ended by anybody: after `CUTS` of them whoever drives it must do without it.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any

AGAIN_S = 5.0
"""Time to clean up for a task past its limit, before it is cancelled again."""
CUTS = 3
"""Cancellations of a task past its limit; one that is still there `AGAIN_S` after the last will not end."""
ROUNDS_S = (1.0, 1.0, 1.0)
"""Time to clean up for tasks that are ended, before each further cancellation and before they are given up."""


class TimeLimit:
    """Cancels the task that enters it after so many seconds, and again every `AGAIN_S`, `CUTS` times in all.

    Parameters
    ----------
    seconds : float or None
        Of the loop's time; None for no limit.
    over : callable, optional
        Told at the limit, and every `AGAIN_S` from there, how often the task has been cut before.

    Notes
    -----
    Leaving late raises TimeoutError, also when the cancellation was swallowed; another exception passes as it is. A
    cancellation from elsewhere stays one.
    """

    def __init__(self, seconds: float | None, over: Callable[[int], None] = lambda _: None) -> None:
        self._seconds = seconds
        self._over = over
        self._n_cuts = 0
        self._n_before = 0
        self._task: asyncio.Task[object] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def has_expired(self) -> bool:
        """Whether the time was up before the task had left."""
        return self._n_cuts > 0

    async def __aenter__(self) -> "TimeLimit":
        self._task = asyncio.current_task()
        if self._task is not None and self._seconds is not None:
            self._n_before = self._task.cancelling()
            self._arm(self._task, self._seconds)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if self._task is None or not self._n_cuts:
            return
        for _ in range(self._n_cuts):
            self._task.uncancel()
        is_own = self._task.cancelling() <= self._n_before
        if kind is None or (issubclass(kind, asyncio.CancelledError) and is_own):
            raise TimeoutError from error

    def _arm(self, task: asyncio.Task[object], seconds: float) -> None:
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._cut, task)

    def _cut(self, task: asyncio.Task[object]) -> None:
        self._over(self._n_cuts)
        if self._n_cuts < CUTS:
            self._n_cuts += 1
            task.cancel()
        self._arm(task, AGAIN_S)


async def end(tasks: Iterable[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Cancel tasks until they have ended and return those that would not."""
    left = set(tasks)
    for patience_s in ROUNDS_S:
        if not left:
            break
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=patience_s)
    return left


def current_task() -> asyncio.Task[Any] | None:
    """Return the task at work, None outside a loop."""
    with suppress(RuntimeError):
        return asyncio.current_task()
    return None
