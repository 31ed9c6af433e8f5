"""Clocks: one conformance class for every adapter, and what only the manual clock promises."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.adapters.clocks.wall import WallClock
from engine.domain.errors import InvalidValueError
from engine.ports.clock import Clock


@pytest.fixture(params=[WallClock, ManualClock])
def clock(request) -> Clock:
    return request.param()


class TestEveryClock:
    def test_wall_time_is_aware_and_in_utc(self, clock):
        assert clock.now().utcoffset() == timedelta(0)

    def test_monotonic_never_goes_back(self, clock):
        seen = [clock.monotonic() for _ in range(100)]
        assert seen == sorted(seen)

    @pytest.mark.asyncio
    async def test_a_sleep_of_zero_gives_others_a_turn(self, clock):
        turns = []
        task = asyncio.create_task(_note(turns))
        await clock.sleep(0)
        await clock.sleep(-1)
        await task
        assert turns == ["turn"]


async def _note(turns: list[str]) -> None:
    turns.append("turn")


@pytest.mark.asyncio
async def test_manual_clock_wakes_by_due_time_and_then_by_order_of_falling_asleep():
    clock, woken = ManualClock(), []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    tasks = [
        asyncio.create_task(sleeper(n, s)) for n, s in [("c", 3), ("a", 1), ("b", 1), ("late", 9)]
    ]
    await clock.run(5)
    assert woken == [("a", 1.0), ("b", 1.0), ("c", 3.0)]
    assert clock.n_sleepers == 1
    await clock.run(4)
    await asyncio.gather(*tasks)
    assert woken[-1] == ("late", 9.0)


@pytest.mark.asyncio
async def test_run_gives_a_periodic_task_all_its_turns_and_advance_gives_one():
    clock, times = ManualClock(), []

    async def beat() -> None:
        while True:
            await clock.sleep(1)
            times.append(clock.monotonic())

    task = asyncio.create_task(beat())
    await clock.run(4)
    assert times == [1.0, 2.0, 3.0, 4.0]
    clock.advance(4)
    for _ in range(5):
        await asyncio.sleep(0)
    assert times == [1.0, 2.0, 3.0, 4.0, 8.0]
    task.cancel()


@pytest.mark.asyncio
async def test_a_cancelled_sleeper_is_forgotten():
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.n_sleepers == 0
    await clock.run(2)
    assert clock.monotonic() == 2


def test_manual_clock_moves_wall_and_monotonic_time_together():
    clock = ManualClock(datetime(2008, 9, 2, tzinfo=UTC), monotonic=100.0)
    clock.advance(90)
    assert clock.monotonic() == 190.0
    assert clock.now() == datetime(2008, 9, 2, 0, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_manual_clock_refuses_to_go_back_or_nowhere(seconds):
    with pytest.raises(InvalidValueError, match="seconds must be finite"):
        ManualClock().advance(seconds)


def test_manual_clock_refuses_a_naive_start():
    with pytest.raises(InvalidValueError, match="start must be aware"):
        ManualClock(datetime(2008, 9, 2))  # noqa: DTZ001 -- the mistake under test
