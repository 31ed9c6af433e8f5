"""Whose work is at hand: tasks that an agent's code begins belong to it, however far from its own cycle they run.

The engine's own tasks (a queue being emptied, a mailbox at work) may be begun in an agent's context as well; so a task
belongs to an agent only when its code does too.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary

OWNER: ContextVar[str] = ContextVar("owner", default="")
"""Id of the agent at work; empty in the engine's own work."""
_ENGINE = __name__.partition(".")[0]

_owners: WeakKeyDictionary[asyncio.Task[Any], str] = WeakKeyDictionary()


@contextmanager
def owned(agent_id: str) -> Iterator[None]:
    """Let what the block begins belong to an agent."""
    before = OWNER.set(agent_id)
    try:
        yield
    finally:
        with suppress(ValueError):  # thrown away unfinished, in another context
            OWNER.reset(before)


def note_owners() -> None:
    """Note from now on to whom the tasks of the running loop belong."""
    asyncio.get_running_loop().set_task_factory(_noted)  # type: ignore[arg-type]  # takes what a task takes


def _noted(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    **options: Any,  # noqa: ANN401 -- the loop's
) -> asyncio.Task[Any]:
    task = asyncio.Task(coroutine, loop=loop, **options)
    context: Context | None = options.get("context")
    owner = OWNER.get() if context is None else context.get(OWNER, "")
    if owner:
        _owners[task] = owner
    return task


def tasks_of(agent_id: str, home: str) -> set[asyncio.Task[Any]]:
    """Return the unfinished tasks that an agent's own code began and that run its code.

    Parameters
    ----------
    home : str
        Where its code lies, as `home_of` says; nothing is found without one.
    """
    return {
        task
        for task, owner in tuple(_owners.items())
        if owner == agent_id and not task.done() and is_at_home(_code_of(task.get_coro()), home)
    }


def cancel_timers(agent_id: str, home: str) -> None:
    """Cancel what an agent's own code has put off in the running loop, if it is its code that would run.

    Asyncio names neither timers nor callbacks that wait for their turn; this reads the two lists that its loops have
    kept since their beginning, and does nothing where a loop has none.
    """
    loop = asyncio.get_running_loop()
    for timer in (*getattr(loop, "_scheduled", ()), *getattr(loop, "_ready", ())):
        owner = getattr(timer, "_context", Context()).get(OWNER, "")
        if owner == agent_id and is_at_home(_code_behind(getattr(timer, "_callback", None)), home):
            timer.cancel()


def _code_behind(callback: object) -> CodeType | None:
    while isinstance(callback, partial):
        callback = callback.func
    code: CodeType | None = getattr(getattr(callback, "__func__", callback), "__code__", None)
    return code


def home_of(kind: type) -> str:
    """Return the file, or the folder of the package, that a class's code lies in; nothing for the engine's own."""
    top, _, rest = kind.__module__.partition(".")
    file = getattr(sys.modules.get(top), "__file__", None)
    if top == _ENGINE or not file:
        return ""
    return str(Path(file).parent) + "/" if rest else str(file)


def is_at_home(code: CodeType | None, home: str) -> bool:
    """Return whether code lies in a file or below a folder."""
    return bool(home) and code is not None and code.co_filename.startswith(home)


def _code_of(coroutine: object) -> CodeType | None:
    return getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
