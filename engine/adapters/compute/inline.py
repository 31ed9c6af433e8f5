"""Heavy work done where it is asked for: nothing runs beside it, so a run under the manual clock repeats exactly."""

from collections.abc import Callable
from typing import Any, TypeVar

from engine.ports.compute import Call

T = TypeVar("T")


class InlineCompute:
    """Runs the work at once, on the caller's loop."""

    is_inline = True

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns."""
        return work()

    def call(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:  # noqa: ANN401 -- the function's own
        """Return what `function` returns."""
        return function(*args, **kwargs)

    def aside(self, work: Callable[[Call], None]) -> None:
        """Do `work` at once."""
        work(self.call)

    def close(self) -> None:
        """End nothing: there is no worker."""
