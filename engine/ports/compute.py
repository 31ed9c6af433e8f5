"""Where heavy numerical work runs: inline under the manual clock, in a thread otherwise."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Compute(Protocol):
    """Runs one function at a time per caller."""

    is_inline: bool

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; its exception is raised here."""
        ...

    def close(self) -> None:
        """End workers; harmless twice."""
        ...
