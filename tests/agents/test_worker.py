"""The worker beside the loop: events first; work that can wait leaves the processor to others between its pieces."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from engine.agents.worker import Hands, Worker
from engine.domain.events import Event, EventType

pytestmark = pytest.mark.asyncio
T = TypeVar("T")
PIECE_S = 0.05


class Threads:
    """Runs work in a thread."""

    is_inline = False

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)


class Diary:
    """An agent's hands that write down what was done when."""

    def __init__(self, pieces: int) -> None:
        self.pieces = pieces
        self.done: list[tuple[str, float]] = []
        self.said: list[str] = []
        self.is_running = True

    def hands(self) -> Hands:
        async def say(event: Event) -> None:
            self.said.append(str(event.data["symbol"]))

        return Hands(
            is_running=lambda: self.is_running, answers_to=self.answer, later=self.later,
            answered=lambda *_: None, failed=lambda *_: None, passed=lambda _: None, timed=lambda _: None,
            say=say,
        )  # fmt: skip

    def answer(self, event: Event) -> tuple[Event, ...]:
        self.done.append((str(event.data["symbol"]), time.perf_counter()))
        return ()

    def later(self) -> tuple[Event, ...] | None:
        if not self.pieces:
            return None
        self.pieces -= 1
        time.sleep(PIECE_S)
        self.done.append(("piece", time.perf_counter()))
        return (tick(f"piece {self.pieces}"),)


def tick(symbol: str) -> Event:
    return Event(EventType.MARKET_DATA, {"symbol": symbol})


async def test_between_two_pieces_it_rests_as_long_as_the_last_one_took():
    diary = Diary(pieces=3)
    worker = Worker(diary.hands(), Threads(), asyncio.Lock())
    worker.take(tick("AAPL"))
    await worker.task
    assert [name for name, _ in diary.done] == ["AAPL", "piece", "piece", "piece"]
    moments = [at for _, at in diary.done[1:]]
    assert all(b - a >= 2 * PIECE_S for a, b in itertools.pairwise(moments))


async def test_an_event_ends_the_rest():
    """The rest before it would last a second: the event is answered long before."""
    diary = Diary(pieces=1)
    worker = Worker(diary.hands(), Threads(), asyncio.Lock())
    resting = asyncio.create_task(worker._rest(60.0))
    await asyncio.sleep(0)
    worker.take(tick("IBM"))
    await asyncio.wait_for(resting, 10.0)
    await worker.task
    assert diary.done[0][0] == "IBM"


async def test_no_rest_begins_while_an_event_waits():
    diary = Diary(pieces=0)
    worker = Worker(diary.hands(), Threads(), asyncio.Lock())
    worker.take(tick("IBM"))
    await worker._rest(60.0)
    assert worker.n_pending == 1  # nobody had a turn meanwhile
    await worker.task


@pytest.mark.parametrize(
    ("is_stop", "said"), [(True, []), (False, ["piece 0"])], ids=["stop", "pause"]
)
async def test_what_was_found_at_the_end_of_a_life_is_not_said_in_the_next_one(
    *, is_stop: bool, said: list[str]
):
    """A pause keeps it: it is the same life."""

    class Ended(Diary):
        def later(self) -> tuple[Event, ...] | None:
            found = super().later()
            self.is_running = found is None  # out of service while the piece was being made
            return found

    diary = Ended(pieces=1)
    worker = Worker(diary.hands(), Threads(), asyncio.Lock())
    worker.take(tick("AAPL"))
    await worker.task
    assert (diary.said, diary.is_running) == ([], False)
    worker.forget()
    if is_stop:
        worker.cancel()
    diary.is_running = True
    worker.take(tick("IBM"))
    await worker.task
    assert diary.said == said


async def test_an_event_that_comes_while_it_looks_for_later_work_waits_for_no_other():
    """It was forgotten until the next one came: a vote on the last bar before a pause never did."""
    looking, go_on = threading.Event(), threading.Event()

    class Looking(Diary):
        def later(self) -> None:
            looking.set()
            go_on.wait(10.0)

    diary = Looking(pieces=0)
    worker = Worker(diary.hands(), Threads(), asyncio.Lock())
    worker.take(tick("AAPL"))
    await asyncio.to_thread(looking.wait, 10.0)
    worker.take(tick("IBM"))
    go_on.set()
    await asyncio.wait_for(worker.task, 10.0)
    assert [name for name, _ in diary.done] == ["AAPL", "IBM"]
    assert worker.n_pending == 0


async def test_what_was_found_during_a_pause_is_said_after_it_and_once():
    diary = Diary(pieces=1)
    worker = Worker(diary.hands(), Threads(), asyncio.Lock())
    worker.take(tick("AAPL"))
    while not any(name == "piece" for name, _ in diary.done):
        diary.is_running = diary.pieces > 0  # paused while the piece is at work
        await asyncio.sleep(0.001)
    await worker.task
    assert diary.said == []
    diary.is_running = True
    worker.take(tick("IBM"))
    await worker.task
    assert diary.said == ["piece 0"]


async def test_work_that_was_found_beside_the_loop_is_asked_for_without_a_tick():
    diary = Diary(pieces=0)
    worker = Worker(diary.hands(), Threads(), asyncio.Lock())
    worker.take(tick("AAPL"))
    await worker.task
    diary.pieces = 1
    await asyncio.to_thread(worker.wake)
    await asyncio.sleep(0)
    await worker.task
    assert [name for name, _ in diary.done] == ["AAPL", "piece"]


async def test_an_event_is_owed_until_it_is_answered_or_forgotten():
    may_end = threading.Event()

    class Slow(Diary):
        def answer(self, event: Event) -> tuple[Event, ...]:
            may_end.wait(10.0)
            return super().answer(event)

    worker = Worker(Slow(pieces=0).hands(), Threads(), asyncio.Lock())
    assert not worker.owes(EventType.MARKET_DATA)
    worker.take(tick("AAPL"))
    assert worker.owes(EventType.MARKET_DATA), "it waits"
    await asyncio.sleep(0)
    assert worker.n_pending == 0
    assert worker.owes(EventType.MARKET_DATA), "it is being answered"
    assert not worker.owes(EventType.HISTORY_LOADED)
    may_end.set()
    await worker.task
    assert not worker.owes(EventType.MARKET_DATA)
    worker.take(tick("AAPL"))
    worker.forget()
    assert not worker.owes(EventType.MARKET_DATA)
