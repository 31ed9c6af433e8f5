"""Time that work spends on others' account: waiting in the resource pool for a limit, a quiet API or an answer.

Who drives the work hangs a `Waits` in its context; the pool finds it there, whatever tasks the work starts on its way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from engine.ports.clock import Clock


class Waits:
    """Adds up the seconds in which at least one wait was under way; waits at the same time count once.

    Parameters
    ----------
    clock : Clock
        Measures.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._n = 0
        self._since_s = 0.0
        self._past_s = 0.0

    @property
    def seconds(self) -> float:
        """Waited so far, the present wait included."""
        return self._past_s + (self._clock.monotonic() - self._since_s if self._n else 0.0)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count while the block lasts."""
        if not self._n:
            self._since_s = self._clock.monotonic()
        self._n += 1
        try:
            yield
        finally:
            self._n -= 1
            if not self._n:
                self._past_s += self._clock.monotonic() - self._since_s


PRESENT: ContextVar[Waits | None] = ContextVar("waits", default=None)
"""Where the work at hand counts its waits; None where nobody asks."""


@contextmanager
def waiting() -> Iterator[None]:
    """Count the block as a wait of the work at hand."""
    present = PRESENT.get()
    if present is None:
        yield
        return
    with present.counted():
        yield
