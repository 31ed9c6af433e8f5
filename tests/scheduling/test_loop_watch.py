"""A loop that stands still is noticed, and who holds it up is named."""

import asyncio
import sys
import time
from types import FrameType

import pytest

from engine.core.containing import BrokenOffError
from engine.scheduling.loop_watch import Block, LoopWatch, blamed


class Blocker:
    """Works longer than a loop can bear."""

    agent_id = "greedy"

    def handle(self, seconds: float) -> None:
        self._deeper(seconds)

    @staticmethod
    def _deeper(seconds: float) -> None:
        time.sleep(seconds)


async def watched(work: float, threshold_s: float = 0.1) -> list[Block]:
    blocks: list[Block] = []
    watch = LoopWatch(blocks.append, threshold_s)
    watch.start()
    watch.start()
    await asyncio.sleep(0.06)
    Blocker().handle(work)
    await asyncio.sleep(0.12)
    watch.stop()
    watch.stop()
    return blocks


@pytest.mark.asyncio
async def test_a_block_is_told_once_with_agent_and_line_and_how_long():
    (block,) = [
        b for b in await watched(0.4) if b.agent_id
    ]  # a slow machine's moments are nobody's
    assert block.agent_id == "greedy"
    assert block.where.startswith("test_loop_watch.py:")
    assert block.where.endswith(" in handle")
    assert 0.2 < block.seconds < 5


@pytest.mark.asyncio
async def test_a_loop_that_keeps_its_beat_is_no_block():
    assert await watched(0.0, threshold_s=5.0) == []


@pytest.mark.asyncio
async def test_nobody_is_blamed_where_no_agent_is_at_work():
    assert blamed(sys._getframe()).agent_id == ""
    assert blamed(None) == Block(seconds=0.0)


@pytest.mark.asyncio
@pytest.mark.parametrize(("work_s", "expected"), [(0.2, [0.2]), (0.11, [0.11]), (0.04, [])])
async def test_a_short_block_is_told_and_a_beat_a_little_late_is_not(
    work_s: float, expected: list[float]
):
    blocks: list[Block] = []
    now_s = iter([1.0, 1.05, 1.10 + work_s, 1.15 + work_s])
    watch = LoopWatch(blocks.append, timer=lambda: next(now_s))
    for _ in range(4):
        watch._beat()
    watch.stop()
    assert [block.seconds for block in blocks] == pytest.approx(expected)


class Foreign:
    """An object of somebody else's library, whose own lookup fails in its own way."""

    def __getattr__(self, name: str) -> object:
        raise KeyError(name)

    def frame(self) -> FrameType:
        return sys._getframe()


def test_an_object_that_fails_when_it_is_asked_ends_no_watch():
    """Seen live: numba's intermediate representation raises KeyError for any attribute that it does not know."""
    assert blamed(Foreign().frame()).agent_id == ""


@pytest.mark.asyncio
async def test_a_block_without_end_is_told_while_it_lasts_and_broken_off():
    """Nobody else could: the loop itself stands still, and with it everything that would look."""
    blocks: list[Block] = []
    told: list[Block] = []

    def still_there(block: Block) -> bool:
        told.append(block)
        return len(told) > 1

    watch = LoopWatch(blocks.append, 0.1, on_stuck=still_there, stuck_s=0.3)
    watch.start()
    await asyncio.sleep(0.06)

    class Endless(Blocker):
        def handle(self, seconds: float) -> None:
            while True:
                time.sleep(seconds)

    with pytest.raises(BrokenOffError):
        Endless().handle(0.005)
    await asyncio.sleep(0.12)
    watch.stop()
    assert [block.agent_id for block in told] == ["greedy", "greedy"]
    assert [round(block.seconds, 1) for block in told] == [0.3, 0.6]
    assert told[0].where.startswith("test_loop_watch.py:")
    assert [block.agent_id for block in blocks if block.seconds > 0.5] == ["greedy"]


@pytest.mark.asyncio
async def test_a_block_that_ends_is_never_broken_off():
    told: list[Block] = []

    def never(block: Block) -> bool:
        told.append(block)
        return False

    watch = LoopWatch(lambda _: None, 0.1, on_stuck=never, stuck_s=0.3)
    watch.start()
    await asyncio.sleep(0.06)
    Blocker().handle(0.5)
    await asyncio.sleep(0.12)
    watch.stop()
    assert len(told) == 1
