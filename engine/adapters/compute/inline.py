"""Heavy work done where it is asked for: nothing runs beside it, so a run under the manual clock repeats exactly."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class InlineCompute:
    """Runs the work at once, on the caller's loop."""

    is_inline = True

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns."""
        return work()

    def close(self) -> None:
        """End nothing: there is no worker."""
