"""What the engine does for itself: every five minutes, after everything else, whatever becomes of it."""

import ctypes
import sys
from pathlib import Path

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.bootstrap.heap import give_back
from engine.bootstrap.housekeeping import EVERY_S, Housekeeping
from engine.domain.agents import TaskPriority
from engine.scheduling.execution_engine import ExecutionEngine

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("fails", [False, True])
async def test_it_comes_again_at_the_lowest_priority_also_after_a_failure(
    caplog: pytest.LogCaptureFixture, *, fails: bool
) -> None:
    done: list[float] = []
    clock = ManualClock()

    def work() -> None:
        done.append(clock.monotonic())
        if fails:
            raise OSError("no heap")

    engine = ExecutionEngine(clock, is_stepped=True)
    await Housekeeping(engine, work).begin()
    for n in range(1, 4):
        assert engine.get_stats()["queue_by_priority"][TaskPriority.IDLE.name] == 1
        assert not await engine.run_due(n * EVERY_S - 1)
        clock.advance(EVERY_S)
        assert await engine.run_due(n * EVERY_S)
    assert done == [EVERY_S, 2 * EVERY_S, 3 * EVERY_S]
    assert ("no heap" in caplog.text) is fails
    await engine.stop()


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="another C library than GNU's",
)
async def test_what_is_free_between_what_is_kept_goes_back_to_the_system() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
    size = 64 * 1024  # below what the C library maps apart and gives back by itself
    blocks = [libc.malloc(size) for _ in range(1_600)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    for block in blocks[::2] + blocks[1:-1:2]:
        libc.free(block)  # all but the last, which keeps the heap's end where it is
    before = resident_mb()
    assert give_back()
    assert before - resident_mb() > 50
    libc.free(blocks[-1])


async def test_elsewhere_there_is_nothing_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not give_back()
