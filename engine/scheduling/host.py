"""Where the engine lives: a daemon thread with an asyncio loop and the timers in it.

The host knows nothing of agents: bootstrap gives it what to start, what to stop and the timers. Other threads reach the
loop through `submit`.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from engine.domain.errors import PilothouseError

T = TypeVar("T")
Step = Callable[[], Awaitable[None]]

BEAT_S = 0.25
"""How often the loop's lag is measured."""
LAG_KEPT = 240
"""Beats behind `lag_ms`: one minute."""
CLEAN_UP_S = 1.0
"""What is left of `stop`'s time for tasks that were cancelled."""

HELPER = "pilothouse-helper"
"""Name of the threads in which the loop's own blocking calls are made."""

log = logging.getLogger(__name__)


class HostError(PilothouseError):
    """The engine's thread could not be started, stopped in time, or asked."""


class LoopTimers(Protocol):
    """Timers that live in the loop."""

    def start(self) -> None:
        """Start on the running loop."""
        ...

    def stop(self) -> None:
        """Stop; harmless twice."""
        ...


class EngineHost:
    """Runs an engine in a thread of its own.

    Parameters
    ----------
    start : async callable
        Brings the engine up; its exception is raised by `start` and ends the thread.
    stop : async callable
        Takes it down; called in the same loop.
    timers : LoopTimers, optional
        Started before the engine and stopped before it.
    """

    def __init__(self, start: Step, stop: Step, timers: LoopTimers | None = None) -> None:
        self._start = start
        self._stop = stop
        self._timers = timers
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started: Future[None] = Future()
        self._wish: asyncio.Event | None = None
        self._stop_s = 5.0
        self._lags_ms: list[float] = []
        self._unhandled = 0
        self._failure: BaseException | None = None

    @property
    def is_running(self) -> bool:
        """Whether the engine is up and not on its way down."""
        is_alive = self._thread is not None and self._thread.is_alive()
        is_up = self._started.done() and self._started.exception() is None
        return is_alive and is_up and self._wish is not None and not self._wish.is_set()

    @property
    def failure(self) -> BaseException | None:
        """What ended the engine or was raised in its loop unhandled, newest."""
        return self._failure

    @property
    def n_unhandled(self) -> int:
        """How many exceptions nobody took care of."""
        return self._unhandled

    @property
    def lag_ms(self) -> float | None:
        """The longest delay of the loop in the last minute, in milliseconds; None before the first was measured."""
        return max(self._lags_ms, default=None)

    def start(self, timeout: float | None = 30.0) -> None:
        """Start the thread and return when the engine is up.

        Raises
        ------
        HostError
            It has been started before, or is not up after `timeout` seconds (it may still come up).
        Exception
            What the engine's own start raised.
        """
        if self._thread is not None:
            raise HostError("engine host must be new to start, was started before; build another")
        self._thread = threading.Thread(target=self._live, name="pilothouse-engine", daemon=True)
        self._thread.start()
        try:
            self._started.result(timeout)
        except TimeoutError:
            if self._started.done():
                raise  # the engine's own
            raise HostError(f"engine must be up within {timeout} s, was not; see the log") from None

    def stop(self, timeout: float = 5.0) -> bool:
        """Take the engine down and end the thread; harmless twice.

        Returns
        -------
        bool
            False when the thread still lives after `timeout` seconds; being a daemon it cannot hold up the process.
        """
        thread, loop, wish = self._thread, self._loop, self._wish
        if thread is None:
            return True
        self._stop_s = timeout
        if loop is not None and wish is not None and thread.is_alive():
            try:
                loop.call_soon_threadsafe(wish.set)
            except RuntimeError:
                log.debug("engine loop had closed already")
        if thread is threading.current_thread():
            return False
        thread.join(timeout)
        if thread.is_alive():
            log.error("engine did not end within %.1f s and is left behind", timeout)
        return not thread.is_alive()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine in the engine's loop; safe from any thread.

        Raises
        ------
        HostError
            The engine is not running.
        """
        loop = self._loop
        if loop is None or not self.is_running:
            work.close()
            raise HostError("engine must be running to take work, was not; start it first")
        return asyncio.run_coroutine_threadsafe(work, loop)

    # -- in the thread -----------------------------------------------------------------------------------------------

    def _live(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            if self._started.done() and self._started.exception() is error:
                self._failure = error  # whoever started it tells why it could not be
                log.debug("engine did not start", exc_info=error)
                return
            self._failed("engine thread ended", error)
            if not self._started.done():
                self._started.set_exception(error)

    async def _main(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_unhandled)
        helpers = ThreadPoolExecutor(thread_name_prefix=HELPER)
        loop.set_default_executor(helpers)
        wish = self._wish = asyncio.Event()
        try:
            if self._timers is not None:
                self._timers.start()
            await _unless(wish, self._start())
        except BaseException as error:
            await self._take_down()
            self._started.set_exception(error)
            raise
        self._started.set_result(None)
        beat = asyncio.create_task(self._measure_lag(loop), name="host.lag")
        await wish.wait()
        beat.cancel()
        await self._take_down()
        # what an agent has begun in a thread may go on for ever: the loop's own end would wait for it
        helpers.shutdown(wait=False, cancel_futures=True)
        loop.set_default_executor(ThreadPoolExecutor(1))

    async def _take_down(self) -> None:
        if self._timers is not None:
            self._timers.stop()
        limit_s = max(CLEAN_UP_S, self._stop_s - CLEAN_UP_S)
        try:
            await asyncio.wait_for(self._stop(), limit_s)
        except TimeoutError as error:
            self._failed(f"engine did not stop within {limit_s:.1f} s", error)
        except Exception as error:  # noqa: BLE001 -- the fence: the thread ends all the same
            self._failed("engine failed while stopping", error)
        await _cancel_all()

    async def _measure_lag(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            due_s = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._lags_ms = [*self._lags_ms[1 - LAG_KEPT :], max(0.0, loop.time() - due_s) * 1000]

    def _on_unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._unhandled += 1
        error = context.get("exception") or HostError(str(context.get("message")))
        self._failed(str(context.get("message")), error)

    def _failed(self, what: str, error: BaseException) -> None:
        self._failure = error
        log.error("%s: %s", what, error, exc_info=error)


async def _unless(wish: asyncio.Event, work: Awaitable[None]) -> None:
    """Do the work, but give it up as soon as the wish is there: Ctrl-C must not wait for a slow start."""
    waiting = asyncio.ensure_future(wish.wait())
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait((waiting, working), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HostError("engine was stopped while it was starting")
        working.result()
    finally:
        waiting.cancel()
        working.cancel()
        await asyncio.wait((waiting, working))


async def _cancel_all() -> None:
    """Cancel what is left in the loop and let it clean up, so that no task is destroyed while it waits."""
    here = asyncio.current_task()
    left = {task for task in asyncio.all_tasks() if task is not here}
    for task in left:
        task.cancel()
    if left:
        _, stuck = await asyncio.wait(left, timeout=CLEAN_UP_S)
        for task in stuck:
            log.error("task %s ignores its cancellation", task.get_name())
