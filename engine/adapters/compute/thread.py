"""Heavy work in one thread beside the event loop; kernels release the GIL while they count.

The thread is a daemon: a long simulation must not hold up Ctrl-C, which `ThreadPoolExecutor` would.
"""

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from engine.adapters.compute.child import NICE, ChildCompute, ComputeClosedError
from engine.ports.compute import Call

log = logging.getLogger(__name__)

T = TypeVar("T")
_Job = tuple[Callable[[], Any], Future[Any]]


class ThreadCompute:
    """Runs work one piece at a time, first come first served, in one named daemon thread.

    Parameters
    ----------
    name : str
        Name of the thread, for stack dumps.
    """

    is_inline = False

    def __init__(self, name: str = "pilothouse-compute") -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._child = ChildCompute()
        self._child_beside = ChildCompute(nice=NICE)
        self._beside: queue.SimpleQueue[Callable[[Call], None] | None] = queue.SimpleQueue()
        self._helper: threading.Thread | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; cancelling the caller drops work that has not begun.

        Raises
        ------
        ComputeClosedError
            `close` was called before the work began.
        """
        job: Future[T] = Future()
        with self._lock:
            if self._is_closed:
                raise ComputeClosedError("compute must be open, was closed; start the engine again")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._jobs.put((work, job))
        return await asyncio.wrap_future(job)

    def call(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:  # noqa: ANN401 -- the function's own
        """Return what `function` returns, done in a child process."""
        return self._child.call(function, *args, **kwargs)

    def aside(self, work: Callable[[Call], None]) -> None:
        """Do `work` in a thread and a child of its own, after what was given before; nothing once it is closed."""
        with self._lock:
            if self._is_closed:
                return
            if self._helper is None:
                name = f"{self._name}-aside"
                self._helper = threading.Thread(target=self._work_aside, name=name, daemon=True)
                self._helper.start()
            self._beside.put(work)

    def close(self) -> None:
        """Refuse new work, fail the waiting, and let thread and child end after their present piece."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._child.close()
        self._child_beside.close()
        waiting = []
        with contextlib.suppress(queue.Empty):
            while True:
                waiting.append(self._jobs.get_nowait())
        self._jobs.put(None)
        self._beside.put(None)
        for item in waiting:
            if item is not None and item[1].set_running_or_notify_cancel():
                item[1].set_exception(
                    ComputeClosedError("the engine stopped before this work began")
                )

    def _work_aside(self) -> None:
        while (work := self._beside.get()) is not None and not self._is_closed:
            try:
                work(self._child_beside.call)
            except ComputeClosedError:
                break
            except Exception:
                log.exception("work aside failed")
            del work

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            work, job = item
            if not job.set_running_or_notify_cancel():
                continue
            _do(work, job)
            del item, work, job  # a result may be large: hold nothing while waiting


def _do(work: Callable[[], Any], job: Future[Any]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 -- the fence: it is raised again at the caller
        job.set_exception(error)
    else:
        job.set_result(result)
