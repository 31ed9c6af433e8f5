"""Waits in the pool: counted for the work at hand and what it starts, and once when they overlap."""

import asyncio

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.scheduling.waits import PRESENT, Waits, waiting
from tests.scheduling.outside import Outside, busy

pytestmark = pytest.mark.asyncio


async def wait(clock: ManualClock, seconds: float) -> None:
    with waiting():
        await clock.sleep(seconds)


async def test_waits_at_the_same_time_count_once_and_the_present_one_counts() -> None:
    clock = ManualClock()
    waits = Waits(clock)
    PRESENT.set(waits)
    work = asyncio.gather(wait(clock, 10.0), wait(clock, 4.0))
    await clock.run(6.0)
    assert waits.seconds == 6.0
    await clock.run(20.0)
    await work
    assert waits.seconds == 10.0
    await clock.run(1.0)
    await asyncio.gather(wait(clock, 0.0), clock.run(5.0))
    assert waits.seconds == 10.0


async def test_what_nobody_asks_for_is_not_counted() -> None:
    clock = ManualClock()
    await asyncio.gather(wait(clock, 1.0), clock.run(1.0))
    assert PRESENT.get() is None


async def test_a_call_that_an_api_keeps_waiting_is_a_wait() -> None:
    outside = Outside(busy(429, retry_after="20"), busy(429, retry_after="20"))
    waits = Waits(outside.clock)
    PRESENT.set(waits)
    (answer,) = await outside.after(60.0, outside.call())
    assert answer == (200, "fine")
    assert waits.seconds == pytest.approx(outside.times[-1])
    assert waits.seconds > 40.0
