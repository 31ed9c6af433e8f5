"""The boundary around foreign code: what would end the loop becomes a failure, a real cancellation stays one."""

import asyncio

import pytest

from engine.core.containing import BrokenOffError, LeftByError, contained
from engine.core.event_bus import EventBus
from engine.domain.events import Event, EventType

LEAVING = [SystemExit(3), KeyboardInterrupt(), BrokenOffError(), asyncio.CancelledError()]


@pytest.mark.parametrize("error", LEAVING, ids=lambda error: type(error).__name__)
def test_what_would_end_the_program_becomes_a_failure(error: BaseException):
    with pytest.raises(LeftByError, match=type(error).__name__), contained():
        raise error


def test_an_ordinary_failure_stays_what_it_is():
    with pytest.raises(ZeroDivisionError), contained():
        raise ZeroDivisionError


@pytest.mark.asyncio
async def test_a_task_that_is_cancelled_stays_cancelled():
    async def work() -> None:
        with contained():
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.asyncio
@pytest.mark.parametrize("error", LEAVING, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_handler_that_leaves_so_stops_nobody_else(error: BaseException, *, is_async: bool):
    bus, heard = EventBus(), list[Event]()

    def leaves(_: Event) -> None:
        raise error

    async def leaves_later(_: Event) -> None:
        raise error

    bus.subscribe(EventType.CUSTOM, leaves_later if is_async else leaves)
    bus.subscribe(EventType.CUSTOM, heard.append)
    for _ in range(2):
        await bus.publish(Event(EventType.CUSTOM, {}))
    await bus.drain()
    assert len(heard) == 2
    [figures] = [each for name, each in bus.figures().items() if "leaves" in name]
    assert figures["failures"] == 2
