"""A bound on what an agent does at the ends of its life, so that one that hangs there keeps nobody else."""

import asyncio
from collections.abc import Coroutine
from typing import Any

START_S = 10.0
"""How long `on_start` may take."""
STOP_S = 1.5
"""How long `on_stop` may take: the whole program has five seconds."""


async def within(seconds: float | None, work: Coroutine[Any, Any, None], name: str) -> None:
    """Await work for so long at most; what goes on then is cancelled and left behind.

    Raises
    ------
    TimeoutError
        The time was up; the message names the work.
    """
    if seconds is None:
        await work
        return
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        raise TimeoutError(f"{name} took longer than {seconds:g} s")
    task.result()
