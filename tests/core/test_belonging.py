"""What an agent's code begins is its own, whoever's context the engine's tasks were begun in."""

import asyncio
import sys
import time
from collections.abc import Callable
from contextvars import Context
from functools import partial
from pathlib import Path

import pytest

import engine
from engine.adapters.clocks.manual import ManualClock
from engine.agents.base import BaseAgent
from engine.core.belonging import OWNER, home_of, is_at_home, note_owners, owned, tasks_of
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.events import Event, EventType
from engine.scheduling.loop_watch import Block, LoopWatch

pytestmark = pytest.mark.asyncio
HERE = __file__


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_task_belongs_to_whose_context_and_whose_code_it_is():
    note_owners()
    with owned("mine"):
        child = asyncio.create_task(forever())
        of_the_engine = asyncio.create_task(ManualClock().sleep(1000.0))
        with owned("yours"):
            other = asyncio.create_task(forever())
        elsewhere = asyncio.create_task(forever(), context=Context())
    nobodys = asyncio.create_task(forever())
    everything = {child, of_the_engine, other, elsewhere, nobodys}
    assert tasks_of("mine", HERE) == {child}
    assert tasks_of("yours", HERE) == {other}
    assert tasks_of("mine", "") == set()
    assert tasks_of("mine", str(Path(engine.__file__).parent)) == {of_the_engine}
    for task in everything:
        task.cancel()
    await asyncio.wait(everything)
    assert tasks_of("mine", HERE) == set(), "ended"


async def test_the_owner_is_the_innermost_and_gone_afterwards():
    with owned("a"):
        with owned("b"):
            assert OWNER.get() == "b"
        assert OWNER.get() == "a"
    assert OWNER.get() == ""


async def test_a_class_is_at_home_in_its_file_or_its_package_and_the_engines_own_nowhere():
    assert home_of(ManualClock) == ""
    assert home_of(type("Lost", (), {"__module__": "never_imported"})) == ""
    assert home_of(EventBus) == ""
    package = home_of(type("Here", (), {"__module__": __name__}))
    assert package == str(Path(HERE).parents[1]) + "/"
    assert is_at_home(forever.__code__, package)
    assert not is_at_home(ManualClock.sleep.__code__, package)
    alone = type("Alone", (), {"__module__": "contextvars"})
    assert home_of(alone) == sys.modules["contextvars"].__file__


class Breeds(BaseAgent):
    """Begins a task wherever its code runs, and waits for none."""

    topics = (EventType.CUSTOM,)

    def __init__(self, *given: object) -> None:
        super().__init__(*given)
        self.children: dict[str, asyncio.Task[None]] = {}

    def breed(self, where: str) -> None:
        """Begin one."""
        self.children.setdefault(where, asyncio.create_task(forever()))

    async def on_start(self) -> None:
        self.breed("on_start")

    def handle(self, _: Event) -> tuple[Event, ...]:
        self.breed("handle")
        return ()

    async def _run_cycle(self, _: object) -> None:
        self.breed("cycle")

    async def heard(self, _: Event) -> None:
        self.breed("heard")


async def test_what_an_agent_began_and_left_ends_with_it():
    note_owners()
    agent = Breeds("breeds", EventBus(), StateManager(), {"clock": ManualClock()})
    await agent.start()
    agent.subscribe_to(EventType.RUN_STARTED, agent.heard)
    await agent.event_bus.publish(Event(EventType.CUSTOM))
    await agent.event_bus.publish(Event(EventType.RUN_STARTED))
    await agent.event_bus.drain()
    await agent.perform_cycle(None)
    assert set(agent.children) == {"on_start", "handle", "heard", "cycle"}
    assert not any(child.done() for child in agent.children.values())
    await agent.stop()
    assert all(child.cancelled() for child in agent.children.values())


async def test_what_it_has_put_off_ends_with_it_and_nobody_elses():
    ran: list[str] = []

    class PutsOff(BaseAgent):
        async def on_start(self) -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(0.05, self.late)
            loop.call_later(0.05, partial(self.late))
            loop.call_later(0.05, ran.append, "a library's")

        def late(self) -> None:
            ran.append("late")

    agent = PutsOff("puts_off", EventBus(), StateManager(), {"clock": ManualClock()})
    await agent.start()
    asyncio.get_running_loop().call_later(0.05, ran.append, "mine")
    await agent.stop()
    await asyncio.sleep(0.1)
    assert ran == ["a library's", "mine"]


def bites() -> None:
    time.sleep(0.03)


async def test_bites_too_short_to_be_late_add_up():
    blocks: list[Block] = []
    watch = LoopWatch(blocks.append, 0.5, homes={"mine": HERE})
    watch.start()

    async def chews() -> None:
        for _ in range(60):
            bites()
            await asyncio.sleep(0.001)

    with owned("mine"):
        await asyncio.create_task(chews())
    await asyncio.sleep(0)
    watch.stop()
    assert blocks
    assert {(b.agent_id, b.seconds) for b in blocks} == {("mine", 0.5)}
    assert blocks[0].where.endswith(" in bites")


def sleeps_long() -> None:
    time.sleep(0.4)


async def blocks_after_a_while() -> None:
    await asyncio.sleep(0.01)
    sleeps_long()


@pytest.mark.parametrize(
    "begin",
    [
        lambda: asyncio.create_task(blocks_after_a_while()),
        lambda: asyncio.get_running_loop().call_later(0.01, sleeps_long),
        lambda: asyncio.get_running_loop().call_soon(sleeps_long),
    ],
    ids=["task", "timer", "callback"],
)
@pytest.mark.parametrize("owner", ["mine", ""])
async def test_who_began_what_holds_up_the_loop_is_named(begin: Callable[[], object], owner: str):
    blocks: list[Block] = []
    begun: list[object] = []  # a loop keeps no task of its own
    watch = LoopWatch(blocks.append, 0.1, homes={"mine": HERE})
    watch.start()
    await asyncio.sleep(0.06)
    with owned(owner):
        begun.append(begin())
    await asyncio.sleep(0.6)
    watch.stop()
    named = [block for block in blocks if block.seconds > 0.2]
    assert [block.agent_id for block in named] == [owner]
    assert not owner or named[0].where.endswith(" in sleeps_long")


async def test_the_engines_own_work_in_an_agents_context_is_not_the_agents():
    blocks: list[Block] = []
    bus = EventBus()
    bus.subscribe(EventType.CUSTOM, lambda _: time.sleep(0.4))
    watch = LoopWatch(blocks.append, 0.1, homes={"mine": "/somewhere/else.py"})
    watch.start()
    await asyncio.sleep(0.06)
    with owned("mine"):
        asyncio.get_running_loop().call_soon(bus.post, Event(EventType.CUSTOM))
    await asyncio.sleep(0.2)
    watch.stop()
    assert [b.agent_id for b in blocks if b.seconds > 0.2] == [""]
