"""Threads for what the engine itself waits for: files, heartbeats, commands.

The loop's own executor has a handful of threads for everybody, and an agent's code may take all of them for an hour.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

N_THREADS = 4
"""One for each that may wait at a time: heartbeat, commands, housekeeping, a start or a stop."""

T = TypeVar("T")
P = ParamSpec("P")
_POOL = ThreadPoolExecutor(N_THREADS, thread_name_prefix="pilothouse-engine")


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns, done in a thread that no agent's code can take."""
    whole = partial(copy_context().run, work, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_POOL, whole)
