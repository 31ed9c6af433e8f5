"""A boundary around code that somebody else wrote: what would end the loop, or pass every fence, becomes a failure."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from engine.core.belonging import owned


class BrokenOffError(BaseException):
    """Raised in work that holds up the loop: nothing that catches plain exceptions may swallow it."""


class LeftByError(Exception):
    """Code left by what nobody but the program itself may raise; the message names it."""


@contextmanager
def contained(agent_id: str = "") -> Iterator[None]:
    """Turn SystemExit, KeyboardInterrupt, a breaking-off and a cancellation that nobody asked for into `LeftByError`.

    What the block begins belongs to the agent named. A task that is being cancelled stays so, and so does a generator
    that is closed.

    Raises
    ------
    LeftByError
        In place of one of them.

    Examples
    --------
    >>> import sys
    >>> try:
    ...     with contained():
    ...         sys.exit(3)
    ... except LeftByError as error:
    ...     print(error)
    SystemExit: 3
    """
    try:
        with owned(agent_id):
            yield
    except (SystemExit, KeyboardInterrupt, BrokenOffError) as error:
        raise LeftByError(_words(error)) from error
    except asyncio.CancelledError as error:
        if _is_asked_for():
            raise
        raise LeftByError(f"{_words(error)}, though nobody cancelled it") from error


def _words(error: BaseException) -> str:
    said = str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _is_asked_for() -> bool:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # off the loop nothing can be cancelled
        return False
    return task is not None and task.cancelling() > 0
