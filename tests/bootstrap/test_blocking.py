"""An agent that holds up the engine is named; one of one's own that does so again and again is stopped."""

import asyncio
from dataclasses import replace

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.agents.base import BaseAgent
from engine.bootstrap.blocking import TIMES, WINDOW_S, Blocking
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus
from engine.domain.events import EventType
from engine.scheduling.loop_watch import Block

pytestmark = pytest.mark.asyncio


class Slow(BaseAgent):
    title = "Slow"


class Bench:
    def __init__(self, *, is_own: bool) -> None:
        self.bus, self.clock = EventBus(), ManualClock()
        self.agent = Slow("slow", self.bus, StateManager(), {"clock": self.clock})
        self.told: list[dict] = []
        self.bus.subscribe(EventType.RISK_ALERT, lambda e: self.told.append(dict(e.data)))
        own = frozenset({"slow"} if is_own else ())
        self.blocking = Blocking({"slow": self.agent}, own, self.bus, self.clock)
        self.blocking.is_starting = False

    async def block(self, seconds: float, agent_id: str = "slow") -> None:
        self.blocking.take(Block(seconds=seconds, agent_id=agent_id, where="slow.py:7 in handle"))
        await asyncio.sleep(0)
        await self.bus.drain()
        for _ in range(5):
            await asyncio.sleep(0)


async def test_the_third_long_block_within_a_minute_stops_an_agent_of_ones_own_and_says_why():
    bench = Bench(is_own=True)
    await bench.agent.start()
    for n in range(TIMES):
        assert bench.agent.status is AgentStatus.RUNNING, n
        await bench.block(1.5)
    assert bench.agent.status is AgentStatus.STOPPED
    assert "slow.py:7 in handle" in bench.agent.row().reason
    assert [t["severity"] for t in bench.told] == ["warning", "warning", "critical"]
    assert bench.told[-1]["message"] == "1.5 s at slow.py:7 in handle. It is stopped."


@pytest.mark.parametrize(("seconds", "within_s"), [(0.9, 10), (0.2, 40)])
async def test_short_blocks_that_add_up_name_and_stop_an_agent_of_ones_own(
    seconds: float, within_s: int
):
    bench = Bench(is_own=True)
    await bench.agent.start()
    for _ in range(within_s):
        await bench.block(seconds)
        bench.clock.advance(1.0)
    assert bench.agent.status is AgentStatus.STOPPED
    (alert,) = bench.told
    assert alert["severity"] == "critical"
    assert alert["message"].endswith(
        "of the last 60 s, the last at slow.py:7 in handle. It is stopped."
    )


async def test_a_habit_of_a_built_in_agent_is_told_now_and_then_and_it_goes_on():
    bench = Bench(is_own=False)
    await bench.agent.start()
    for _ in range(700):
        await bench.block(0.2)
        bench.clock.advance(1.0)
    assert bench.agent.status is AgentStatus.RUNNING
    assert [t["severity"] for t in bench.told] == ["warning"] * 2
    await bench.agent.stop()


@pytest.mark.parametrize(
    ("blocks", "every_s"),
    [([0.9] * 6, 0.0), ([0.95] * 9, 0.1), ([0.06] * 600, 1.0)],
    ids=["one slow moment", "a slow moment in pieces", "many that take too little"],
)
async def test_neither_a_slow_moment_nor_small_bites_accuse_anybody(
    blocks: list[float], every_s: float
):
    bench = Bench(is_own=True)
    await bench.agent.start()
    for seconds in blocks:
        await bench.block(seconds)
        bench.clock.advance(every_s)
    assert bench.agent.status is AgentStatus.RUNNING
    assert bench.told == []
    await bench.agent.stop()


@pytest.mark.parametrize("case", ["spread over time", "short", "built in", "nobody's"])
async def test_what_is_rare_short_built_in_or_nobodys_stops_nobody(case: str):
    bench = Bench(is_own=case != "built in")
    await bench.agent.start()
    for _ in range(2 * TIMES):
        await bench.block(0.4 if case == "short" else 2.0, "" if case == "nobody's" else "slow")
        if case == "spread over time":
            bench.clock.advance(WINDOW_S)
    assert bench.agent.status is AgentStatus.RUNNING
    is_told = case in {"spread over time", "built in"}
    assert len(bench.told) == (2 * TIMES if is_told else 0)
    await bench.agent.stop()


@pytest.mark.parametrize("is_own", [True, False])
async def test_a_block_without_end_is_named_while_it_lasts_and_one_of_ones_own_is_ended(
    is_own: bool,
):
    bench = Bench(is_own=is_own)
    await bench.agent.start()
    lasts = Block(seconds=5.0, agent_id="slow", where="slow.py:7 in handle")
    assert not bench.blocking.still_there(lasts), "it may end yet"
    assert bench.blocking.stuck == "for 5 s. Slow is at slow.py:7 in handle."
    assert bench.blocking.still_there(replace(lasts, seconds=10.0)) is is_own
    await bench.block(10.1)
    assert bench.blocking.stuck == ""
    assert bench.agent.status is (AgentStatus.STOPPED if is_own else AgentStatus.RUNNING)
    assert not bench.blocking.still_there(Block(seconds=60.0)), "nobody's"
    assert bench.blocking.stuck == "for 60 s."


@pytest.mark.parametrize(("is_own", "n_told"), [(False, 0), (True, 1)])
async def test_while_the_engine_comes_up_only_agents_of_ones_own_are_judged(
    is_own: bool, n_told: int
):
    bench = Bench(is_own=is_own)
    bench.blocking.is_starting = True
    await bench.agent.start()
    await bench.block(1.5)
    assert len(bench.told) == n_told
