"""Where an engine lives under a manual clock: in the caller's loop, and time moves only when it is told to.

A run is then a pure function of its inputs: the same advances give the same events in the same order.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from engine.domain.errors import must
from engine.ports.clock import Clock
from engine.scheduling.execution_engine import ExecutionEngine

Step = Callable[[], Awaitable[None]]


class TurnableClock(Clock, Protocol):
    """A clock that can be turned."""

    def advance(self, seconds: float) -> None:
        """Move time on."""
        ...


class ManualHost:
    """Turns the clock from one due moment to the next and runs what is due there.

    Parameters
    ----------
    clock : TurnableClock
        The same that the engine and its agents have.
    engine : ExecutionEngine
        Built with ``is_stepped=True``.
    start, stop : async callable
        Bring the engine up and take it down.
    drain : async callable
        Returns when the bus has delivered everything.
    """

    def __init__(
        self, clock: TurnableClock, engine: ExecutionEngine, start: Step, stop: Step, drain: Step
    ) -> None:
        if not engine.is_stepped:
            raise must(
                "engine",
                "be stepped under a manual clock",
                "one that runs by itself",
                "use is_stepped=True",
            )
        self._clock = clock
        self._engine = engine
        self._start = start
        self._stop = stop
        self._drain = drain

    async def start(self) -> None:
        """Bring the engine up; time stands still."""
        await self._start()
        await self._drain()

    async def stop(self) -> None:
        """Take the engine down; time stands still."""
        await self._stop()
        await self._drain()

    async def advance(self, seconds: float) -> int:
        """Run everything due in the next `seconds`, in order of due time and then start order; return how many ran.

        The clock stands at the due moment while a task runs, and the bus is drained after each. What is due exactly at
        the end runs too.
        """
        end_s = self._clock.monotonic() + seconds
        n_run = 0
        while (due_s := self._engine.next_due_s()) is not None and due_s <= end_s:
            self._turn_to(due_s)
            await self._engine.run_due(due_s)
            await self._drain()
            n_run += 1
        self._turn_to(end_s)
        return n_run

    def _turn_to(self, moment_s: float) -> None:
        self._clock.advance(max(0.0, moment_s - self._clock.monotonic()))
