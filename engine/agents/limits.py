"""A bound on what an agent does at the ends of its life, so that one that hangs there keeps nobody else."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Self, overload

from engine.core.containing import contained
from engine.domain.errors import is_number, must

START_S = 10.0
"""How long `on_start` may take."""
STOP_S = 1.5
"""How long `on_stop` may take: the whole program has five seconds."""
LONGEST_S = 1e9
"""The longest interval between two cycles: thirty years."""


async def within(
    seconds: float | None, work: Coroutine[Any, Any, None], name: str, agent_id: str = ""
) -> None:
    """Await work for so long at most; what goes on then is cancelled and left behind.

    Raises
    ------
    TimeoutError
        The time was up; the message names the work.
    """
    if seconds is None:
        await work
        return
    task = asyncio.ensure_future(alone(work, agent_id))
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        raise TimeoutError(f"{name} took longer than {seconds:g} s")
    task.result()


async def alone(work: Awaitable[Any], agent_id: str = "") -> Any:  # noqa: ANN401 -- the work's own
    """Await what somebody else wrote and return what it returns; it can end neither the loop nor the program.

    Raises
    ------
    LeftByError
        It was left by SystemExit, KeyboardInterrupt or a cancellation that nobody asked for.
    """
    with contained(agent_id):
        return await work


class Interval:
    """Seconds between two cycles: an attribute that refuses what no timer can count.

    Raises
    ------
    InvalidValueError
        It is set to anything but a finite number above 0 and up to `LONGEST_S`.
    """

    @overload
    def __get__(self, agent: None, kind: type[object]) -> Self: ...
    @overload
    def __get__(self, agent: object, kind: type[object]) -> float: ...
    def __get__(self, agent: object | None, kind: type[object]) -> Self | float:
        """Return the agent's own."""
        return self if agent is None else float(vars(agent)["_interval_s"])

    def __set__(self, agent: object, value: float) -> None:
        """Keep a value that can be counted."""
        if not (is_number(value) and 0.0 < value <= LONGEST_S):
            rule = f"be a number of seconds above 0 and up to {LONGEST_S:g}"
            raise must("interval", rule, value, "give for example 5")
        vars(agent)["_interval_s"] = value
