"""The alarm: one call at the last moment it was set to."""

import asyncio

import pytest

from engine.scheduling.alarm import Alarm
from tests.scheduling.turned_loop import LoopClock, turned


def rung(*settings: float | None) -> list[float]:
    """Return when an alarm rang that was set to these moments one after the other."""

    async def main() -> list[float]:
        clock, rang = LoopClock(), list[float]()
        alarm = Alarm(lambda: rang.append(clock.monotonic()))
        for moment_s in settings:
            alarm.set(moment_s, clock.monotonic())
        await asyncio.sleep(100.0)
        return rang

    return turned(main)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [((5.0, 3.0), [3.0]), ((3.0, 5.0), [5.0]), ((3.0, 3.0), [3.0]), ((3.0, None), []), ((-1.0,), [0.0])],
)  # fmt: skip
def test_it_rings_once_at_the_moment_set_last(
    settings: tuple[float | None, ...], expected: list[float]
) -> None:
    assert rung(*settings) == pytest.approx(expected)


def test_who_answers_may_set_it_to_the_same_moment_again() -> None:
    async def main() -> int:
        clock, n = LoopClock(), 0

        def again() -> None:
            nonlocal n
            n += 1
            if n < 3:
                alarm.set(5.0, clock.monotonic())

        alarm = Alarm(again)
        alarm.set(5.0, 0.0)
        await asyncio.sleep(10.0)
        alarm.cancel()
        alarm.cancel()
        return n

    assert turned(main) == 3
