"""A coroutine that can be held back: while the gate is shut it is not resumed, whatever it waits for.

This is how an agent with a loop of its own is paused without its help.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


class Gate:
    """Open or shut; waiting passes when it is open."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    @property
    def is_open(self) -> bool:
        """Whether coroutines pass."""
        return self._open.is_set()

    def shut(self) -> None:
        """Hold back every coroutine behind this gate from its next step on."""
        self._open.clear()

    def open(self) -> None:
        """Let them go on."""
        self._open.set()

    def wait(self) -> Coroutine[Any, Any, bool]:
        """Return an awaitable that ends when the gate is open."""
        return self._open.wait()


class Held:
    """Awaits a coroutine step by step and takes no step while the gate is shut.

    Parameters
    ----------
    coroutine : coroutine
        What to run; it is always either finished or closed in the end.
    gate : Gate
        Holds it back.

    Notes
    -----
    A cancellation reaches the coroutine at once, gate or no gate, so that its clean-up runs.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None], gate: Gate) -> None:
        self._coroutine = coroutine
        self._gate = gate

    def __await__(self) -> Generator[Any, Any, None]:
        """Drive the coroutine by hand."""
        coroutine, failure = self._coroutine, None
        try:
            while True:
                failure = yield from self._passage(failure)
                try:
                    wish = coroutine.send(None) if failure is None else coroutine.throw(failure)
                except StopIteration:
                    return
                try:
                    yield wish
                except BaseException as error:  # noqa: BLE001 -- belongs to the coroutine, see the next turn
                    failure = error
                else:
                    failure = None
        finally:
            coroutine.close()

    def _passage(self, failure: BaseException | None) -> Generator[Any, Any, BaseException | None]:
        """Wait for the gate; return the failure to hand on, which passes without waiting."""
        while failure is None and not self._gate.is_open:
            try:
                yield from self._gate.wait().__await__()
            except BaseException as error:  # noqa: BLE001 -- a cancellation while held back is the coroutine's
                failure = error
        return failure
