"""The engine's thread: up, asked from outside, down within its time, and honest about what went wrong."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from engine.scheduling.host import EngineHost, HostError


async def nothing() -> None:
    return


class Timers:
    """Timers that note when they were asked."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def start(self) -> None:
        asyncio.get_running_loop()
        self.log.append("timers up")

    def stop(self) -> None:
        self.log.append("timers down")


def noting(log: list[str], word: str) -> Callable[[], Awaitable[None]]:
    async def step() -> None:
        log.append(word)

    return step


def test_timers_and_engine_come_up_and_go_down_in_order_in_one_daemon_thread() -> None:
    log: list[str] = []
    host = EngineHost(noting(log, "up"), noting(log, "down"), Timers(log))
    host.start()
    assert host.is_running
    (thread,) = [t for t in threading.enumerate() if t.name == "pilothouse-engine"]
    assert thread.daemon
    assert host.stop()
    assert host.stop()
    assert not host.is_running
    assert not thread.is_alive()
    assert log == ["timers up", "up", "timers down", "down"]


def test_work_from_another_thread_runs_in_the_loop_and_its_error_comes_back() -> None:
    async def where() -> str:
        return threading.current_thread().name

    async def broken() -> None:
        raise ValueError("no such symbol")

    host = EngineHost(nothing, nothing)
    host.start()
    assert host.submit(where()).result(5) == "pilothouse-engine"
    with pytest.raises(ValueError, match="no such symbol"):
        host.submit(broken()).result(5)
    host.stop()


def test_work_is_refused_before_the_start_and_after_the_stop() -> None:
    host = EngineHost(nothing, nothing)
    with pytest.raises(HostError, match="running"):
        host.submit(nothing())
    host.start()
    host.stop()
    with pytest.raises(HostError, match="running"):
        host.submit(nothing())


def test_a_failing_start_is_raised_where_it_was_asked_for_and_what_came_up_goes_down() -> None:
    log: list[str] = []

    async def fails() -> None:
        raise RuntimeError("journal is newer than this program")

    host = EngineHost(fails, noting(log, "down"), Timers(log))
    with pytest.raises(RuntimeError, match="newer"):
        host.start()
    assert log == ["timers up", "timers down", "down"]
    assert not host.is_running
    assert host.stop()


def test_a_host_starts_once() -> None:
    host = EngineHost(nothing, nothing)
    host.start()
    with pytest.raises(HostError, match="before"):
        host.start()
    host.stop()


def test_a_slow_start_is_given_up_when_stop_is_asked_for() -> None:
    log: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            log.append("given up")

    host = EngineHost(slow, noting(log, "down"))
    with pytest.raises(HostError, match="up within"):
        host.start(timeout=0.05)
    assert host.stop(5)
    assert log == ["given up", "down"]


def test_tasks_left_behind_are_cancelled_and_may_clean_up() -> None:
    log: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def left() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            log.append("cleaned")

    async def up() -> None:
        tasks.append(asyncio.create_task(left()))
        await asyncio.sleep(0)

    host = EngineHost(up, nothing)
    host.start()
    assert host.stop()
    assert log == ["cleaned"]


def test_an_engine_that_does_not_stop_is_left_within_the_time() -> None:
    async def hangs() -> None:
        await asyncio.sleep(60)

    host = EngineHost(nothing, hangs)
    host.start()
    began = time.perf_counter()
    assert host.stop(3.0)
    assert time.perf_counter() - began < 3.0
    assert isinstance(host.failure, TimeoutError)


def test_a_blocked_loop_cannot_hold_up_the_caller() -> None:
    release = threading.Event()

    async def block() -> None:
        release.wait(10)

    host = EngineHost(nothing, nothing)
    host.start()
    blocked = host.submit(block())
    assert not host.stop(0.1)
    release.set()
    blocked.result(5)
    assert host.stop(5)


def test_an_exception_that_nobody_took_care_of_is_kept_and_counted() -> None:
    async def up() -> None:
        def fails() -> None:
            raise LookupError("callback broke")

        asyncio.get_running_loop().call_soon(fails)
        await asyncio.sleep(0)

    host = EngineHost(up, nothing)
    host.start()
    assert host.n_unhandled == 1
    assert isinstance(host.failure, LookupError)
    host.stop()


def test_the_lag_of_a_blocked_loop_is_measured() -> None:
    async def block() -> None:
        time.sleep(0.4)

    async def beats() -> None:
        await asyncio.sleep(0.6)

    host = EngineHost(nothing, nothing)
    assert host.lag_ms is None  # nothing was measured yet
    host.start()
    host.submit(block()).result(5)
    host.submit(beats()).result(5)
    assert host.lag_ms is not None
    assert host.lag_ms > 100
    host.stop()
