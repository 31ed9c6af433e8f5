"""A loop that stands still is noticed, and who holds it up is named."""

import asyncio
import sys
import time

import pytest

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
    (block,) = await watched(0.4)
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
