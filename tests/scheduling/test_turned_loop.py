"""The tests' own loop: time passes by waiting and by blocking, never by itself."""

import asyncio
import time

import pytest

from tests.scheduling.turned_loop import LoopClock, turned


def test_an_hour_of_waiting_costs_no_time() -> None:
    async def main() -> list[float]:
        clock, seen = LoopClock(), []
        for seconds in (3600.0, 0.5):
            await clock.sleep(seconds)
            seen.append(clock.monotonic())
        return seen

    began = time.perf_counter()
    assert turned(main) == pytest.approx([3600.0, 3600.5])
    assert time.perf_counter() - began < 60


def test_who_is_blocked_comes_late() -> None:
    async def main() -> float:
        clock = LoopClock()
        asyncio.get_running_loop().call_later(0.1, lambda: clock.loop.block(2.0))
        await clock.sleep(1.0)
        return clock.monotonic()

    assert turned(main) == pytest.approx(2.1)


def test_a_deadlock_is_told() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="deadlock"):
        turned(main)
