"""Dear and rare work in a child process: it neither holds the interpreter's lock nor keeps its libraries in this one.

The child starts with the first call and ends itself after a while without any, or as soon as its parent is gone.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from engine.domain.errors import PilothouseError

T = TypeVar("T")
Line = tuple[Connection, Connection]
"""The child's end and the parent's."""

IDLE_S = 10.0
CALL_S = 60.0
"""How long one call may take before the work is done here instead."""
NICE = 19
"""Of a child whose work nobody waits for: the loops of the parent are never to wait for a processor."""

log = logging.getLogger(__name__)


class ComputeClosedError(PilothouseError):
    """Work was given to a compute adapter that has been closed."""


class _ChildFailedError(Exception):
    """The child did not answer: it died, could not be reached, or took too long."""


class ChildCompute:
    """Calls functions in the child; both must be importable and their arguments picklable.

    Parameters
    ----------
    idle_s : float
        Time without a call after which the child ends.
    nice : int
        How far it stands back for others.
    """

    def __init__(self, idle_s: float = IDLE_S, nice: int = 0) -> None:
        self._idle_s = idle_s
        self._nice = nice
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._line: Line | None = None
        self._timer: threading.Timer | None = None
        self._n_calls = self._n_at_work = 0
        self._is_closed = False

    @property
    def is_alive(self) -> bool:
        """Whether there is a child now."""
        return self._pool is not None

    def call(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:  # noqa: ANN401 -- the function's own
        """Return what the function returns, or raise what it raises; when the child fails the work is done here.

        Raises
        ------
        ComputeClosedError
            It was closed before the work was done.
        """
        with self._lock:
            pool = self._ready()
            self._n_calls += 1
            self._n_at_work += 1
            # here, as a child may begin with it: a line that is hung up meanwhile would never reach it
            handed_in = _handed_in(pool, function, args, kwargs)
        try:
            return _done_there(handed_in)
        except _ChildFailedError as error:
            self._let_go(pool)
            if self._is_closed:
                raise _closed() from None
            log.warning("the child process failed (%s): %s is done here", error, function.__name__)
        finally:
            self._rest()
        return function(*args, **kwargs)

    def close(self) -> None:
        """End the child; what is at work there and what comes later is refused."""
        with self._lock:
            self._is_closed = True
            pool, timer, line = self._pool, self._timer, self._line
            self._pool = self._timer = self._line = None
        if timer is not None:
            timer.cancel()
        _hang_up(line)  # the interpreter's end waits for a piece that is at work, else
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _ready(self) -> ProcessPoolExecutor:
        if self._is_closed:
            raise _closed()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pool is None:
            # spawned, not forked: a fork would copy the locks of threads that do not go with it
            context = multiprocessing.get_context("spawn")
            self._line = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(
                1, context, initializer=_begin, initargs=(self._nice, self._line[0])
            )
        return self._pool

    def _rest(self) -> None:
        with self._lock:
            self._n_at_work -= 1
            if self._is_closed or self._pool is None or self._n_at_work:
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(self._idle_s, self._end_if_idle, (self._n_calls,))
            self._timer.daemon = True
            self._timer.start()

    def _end_if_idle(self, n_calls: int) -> None:
        with self._lock:
            pool, line = (self._pool, self._line) if n_calls == self._n_calls else (None, None)
            if pool is not None:
                self._pool = self._timer = self._line = None
        if pool is not None:
            pool.shutdown(wait=False)
        _hang_up(line)

    def _let_go(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            line = self._line if self._pool is pool else None
            if self._pool is pool:
                self._pool = self._line = None
        pool.shutdown(wait=False, cancel_futures=True)
        _hang_up(line)


def _handed_in(
    pool: ProcessPoolExecutor,
    function: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Future[T]:
    """Return the child's answer to come; where it cannot be asked, that failure."""
    try:
        with _deaf_birth():
            return pool.submit(function, *args, **kwargs)
    except (BrokenProcessPool, RuntimeError, OSError) as failure:
        failed: Future[T] = Future()
        failed.set_exception(_ChildFailedError(repr(failure)))
        return failed


_FOR_THE_PARENT = (signal.SIGINT, signal.SIGTERM)
"""A terminal and a service manager send these to both; the parent ends by them, and the child with the parent."""


@contextlib.contextmanager
def _deaf_birth() -> Iterator[None]:
    """Hold signals back in this thread: a child that is born here is deaf to them until it has begun."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_PARENT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _done_there(future: Future[T]) -> T:
    """Return what the child returns; what the function raises there is its own, not the child's."""
    try:
        # a cancel wakes who waits here; it would not wake `concurrent.futures.wait`
        error = future.exception(CALL_S)
    except TimeoutError as late:
        raise _ChildFailedError(f"no answer within {CALL_S:.0f} s") from late
    except CancelledError as cancelled:
        raise _ChildFailedError(repr(cancelled)) from cancelled
    if isinstance(error, BrokenProcessPool):
        raise _ChildFailedError(repr(error)) from error
    return future.result()


def _closed() -> ComputeClosedError:
    return ComputeClosedError("compute must be open, was closed; start the engine again")


def _hang_up(line: Line | None) -> None:
    if line is not None:
        for end in line:
            end.close()


def _begin(nice: int, line: Connection) -> None:
    """Leave signals and the processor to the parent, and end when its end of the line is closed: by it, or with it."""
    for number in _FOR_THE_PARENT:
        signal.signal(number, signal.SIG_IGN)  # what came since its birth is dropped with it
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FOR_THE_PARENT)
    if hasattr(os, "nice"):
        os.nice(nice)

    def watch() -> None:
        with contextlib.suppress(OSError):
            line.poll(None)
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
