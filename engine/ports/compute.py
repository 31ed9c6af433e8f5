"""Where heavy numerical work runs: inline under the manual clock, in a thread otherwise."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Call = Callable[..., Any]
"""Takes a function and its arguments, returns what it returns."""


class Compute(Protocol):
    """Runs one function at a time per caller."""

    is_inline: bool

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; its exception is raised here."""
        ...

    def call(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:  # noqa: ANN401 -- the function's own
        """Return what a function returns whose work is dear and rare, such as a fit; call off the loop.

        The function and its arguments can be pickled: where there is a child process, the work is done there.
        """
        ...

    def aside(self, work: Callable[[Call], None]) -> None:
        """Do `work` beside everything else, some time; nobody waits for it, and its failure is logged.

        It is given a `call` of its own, so that what somebody waits for is never behind it.
        """
        ...

    def close(self) -> None:
        """End workers; harmless twice."""
        ...
