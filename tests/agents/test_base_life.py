"""The life of an agent: start, stop, pause, resume, what is announced, and its two ways of working."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.agents.base import BaseAgent
from engine.agents.limits import START_S, STOP_S
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus
from engine.domain.errors import InvalidValueError
from engine.domain.events import Event, EventType

pytestmark = pytest.mark.asyncio


class Log:
    """Every event of a bus, in order."""

    def __init__(self, bus: EventBus) -> None:
        self.events: list[Event] = []
        for event_type in EventType:
            bus.subscribe(event_type, self.take)

    def take(self, event: Event) -> None:
        self.events.append(event)

    def of(self, event_type: EventType) -> list[dict[str, Any]]:
        return [dict(e.data) for e in self.events if e.event_type is event_type]


class Echo(BaseAgent):
    """Answers a CUSTOM event that says "ping"."""

    topics: ClassVar = (EventType.CUSTOM,)

    def handle(self, event: Event) -> Iterable[Event]:
        if event.data.get("say") == "ping":
            yield self.event(EventType.CUSTOM, {"say": "pong"})


class Ticking(BaseAgent):
    """Counts cycles."""

    cycles = 0

    async def _run_cycle(self, resource_pool: object) -> dict[str, int]:
        self.cycles += 1
        return {"cycles": self.cycles}


class Looping(BaseAgent):
    """Has a loop of its own that takes a step each time it is let."""

    steps = 0

    async def run(self) -> None:
        while self._running:
            self.steps += 1
            await asyncio.sleep(0)


def build(kind: type[BaseAgent], **config: object) -> tuple[Any, Log, ManualClock]:
    bus, clock = EventBus(), ManualClock()
    agent = kind(
        name="one", event_bus=bus, state_manager=StateManager(), config={"clock": clock, **config}
    )
    return agent, Log(bus), clock


async def turns(n: int = 30) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


async def test_start_and_stop_are_announced_once_each_in_this_order() -> None:
    agent, log, _ = build(Echo)
    await agent.start()
    await agent.start()
    await agent.stop()
    await agent.stop()
    said = [(e.event_type, e.data["status"]) for e in log.events]
    assert said == [
        (EventType.AGENT_CHANGED, "running"),
        (EventType.ENGINE_STARTED, "running"),
        (EventType.AGENT_CHANGED, "stopped"),
        (EventType.ENGINE_STOPPED, "stopped"),
    ]
    assert {e.data["name"] for e in log.events} == {"one"}


async def test_an_answer_carries_the_cause_and_the_market_time_of_what_it_answers() -> None:
    agent, log, clock = build(Echo)
    await agent.start()
    asked = await agent.event_bus.publish(
        Event(EventType.CUSTOM, {"say": "ping"}, as_of=clock.now())
    )
    pong = log.events[-1] if log.events[-1].data.get("say") == "pong" else log.events[-2]
    assert pong.data["say"] == "pong"
    assert (pong.cause, pong.as_of, pong.source) == (asked.seq, clock.now(), "one")


@pytest.mark.parametrize("hush", ["pause", "stop"])
async def test_who_is_paused_or_stopped_answers_nothing_until_it_runs_again(hush: str) -> None:
    agent, log, _ = build(Echo)
    await agent.start()
    await getattr(agent, hush)()
    before = len(log.events)
    await agent.event_bus.publish(Event(EventType.CUSTOM, {"say": "ping"}))
    assert len(log.events) == before + 1
    await (agent.resume() if hush == "pause" else agent.start())
    await agent.event_bus.publish(Event(EventType.CUSTOM, {"say": "ping"}))
    assert {"say": "pong"} in log.of(EventType.CUSTOM)


async def test_a_handler_subscribed_by_the_agent_is_deaf_while_it_is_paused() -> None:
    agent, _, _ = build(Echo)
    plain: list[object] = []
    mailed: list[object] = []

    async def take(event: Event) -> None:
        mailed.append(event.data["n"])

    agent.subscribe_to(EventType.RISK_ALERT, lambda event: plain.append(event.data["n"]))
    agent.subscribe_to(EventType.RISK_ALERT, take)
    await agent.start()
    for n, step in enumerate((agent.pause, agent.resume, agent.stop)):
        await agent.event_bus.publish(Event(EventType.RISK_ALERT, {"n": n}))
        await agent.event_bus.drain()
        await step()
    assert plain == mailed == [0, 2]


async def test_cycles_come_every_interval_of_the_clock_and_none_while_paused() -> None:
    agent, _, clock = build(Ticking, interval=10)
    await agent.start()
    await clock.run(35)
    assert agent.cycles == 4  # at 0, 10, 20, 30
    await agent.pause()
    await clock.run(100)
    assert agent.cycles == 4
    await agent.resume()
    await clock.run(0)
    assert agent.cycles == 5  # due at once
    await agent.stop()
    await clock.run(100)
    assert agent.cycles == 5


async def test_a_loop_of_its_own_takes_no_step_while_paused() -> None:
    agent, _, _ = build(Looping)
    await agent.start()
    await turns()
    assert agent.steps > 3
    await agent.pause()
    frozen = agent.steps
    await turns()
    assert agent.steps == frozen
    await agent.resume()
    await turns()
    assert agent.steps > frozen
    await agent.stop()
    frozen = agent.steps
    await turns()
    assert agent.steps == frozen


async def test_a_paused_loop_is_cancelled_by_stop_and_may_clean_up() -> None:
    class Careful(Looping):
        cleaned = False

        async def run(self) -> None:
            try:
                await super().run()
            finally:
                self.cleaned = True

    agent, _, _ = build(Careful)
    await agent.start()
    await turns()
    await agent.pause()
    await agent.stop()
    assert agent.cleaned
    assert agent.status is AgentStatus.STOPPED


async def test_a_loop_may_stop_its_own_agent() -> None:
    class Suicidal(BaseAgent):
        async def run(self) -> None:
            await self.stop(reason="had enough")

    agent, log, _ = build(Suicidal)
    await agent.start()
    await turns()
    assert agent.status is AgentStatus.STOPPED
    assert [row["reason"] for row in log.of(EventType.ENGINE_STOPPED)] == ["had enough"]


async def test_a_loop_that_ends_stops_its_agent() -> None:
    class Finite(BaseAgent):
        async def run(self) -> None:
            return

    agent, _, _ = build(Finite)
    await agent.start()
    await turns()
    assert agent.status is AgentStatus.STOPPED
    assert "end" in agent.reason


async def test_a_failing_start_is_raised_and_announced_and_can_be_tried_again() -> None:
    class Shy(Echo):
        is_ready = False

        async def on_start(self) -> None:
            if not self.is_ready:
                raise RuntimeError("no exchange today")

    agent, log, _ = build(Shy)
    with pytest.raises(RuntimeError, match="no exchange"):
        await agent.start()
    assert agent.status is AgentStatus.ERROR
    assert "no exchange today" in log.of(EventType.AGENT_CHANGED)[-1]["reason"]
    agent.is_ready = True
    await agent.start()
    assert agent.status is AgentStatus.RUNNING


async def never(_agent: BaseAgent) -> None:
    """Ignore being cancelled, though not for ever: the test's own loop has to end."""
    for _ in range(2):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


async def test_a_start_that_hangs_is_given_up_and_says_so() -> None:
    class Hanging(Echo):
        start_limit_s = 0.05
        on_start = never

    agent, log, _ = build(Hanging)
    with pytest.raises(TimeoutError, match=r"on_start took longer than 0\.05 s"):
        await asyncio.wait_for(agent.start(), 5.0)
    assert agent.status is AgentStatus.ERROR
    assert "on_start took longer" in log.of(EventType.AGENT_CHANGED)[-1]["reason"]
    assert (Echo.start_limit_s, Echo.stop_limit_s) == (START_S, STOP_S), "everybody has one"


async def test_a_stop_that_hangs_ends_all_the_same_and_says_so() -> None:
    class Hanging(Echo):
        stop_limit_s = 0.05
        on_stop = never

    agent, log, _ = build(Hanging)
    await agent.start()
    await asyncio.wait_for(agent.stop(), 5.0)
    assert agent.status is AgentStatus.STOPPED
    assert "stop failed: on_stop took longer than 0.05 s" in agent.reason
    assert log.of(EventType.ENGINE_STOPPED)
    await agent.start()
    assert agent.status is AgentStatus.RUNNING, "it may be started again"


async def test_what_is_not_set_up_says_why_and_does_not_start() -> None:
    class Keyless(Ticking):
        def missing(self) -> str:
            return "no key"

    agent, log, clock = build(Keyless, interval=1)
    await agent.start()
    await clock.run(5)
    assert (agent.status, agent.cycles) == (AgentStatus.NOT_SET_UP, 0)
    assert log.of(EventType.AGENT_CHANGED)[0]["reason"] == "no key"


async def test_state_round_trips_through_the_agent() -> None:
    agent, _, _ = build(Echo)
    agent.update_state("last", 17)
    assert agent.get_state("last") == agent.state_manager.get("last") == 17


async def test_the_row_says_what_a_screen_shows() -> None:
    agent, _, _ = build(Ticking, interval=7)
    row = agent.row()
    assert (row.agent_id, row.status, row.interval_s) == ("one", AgentStatus.CREATED, 7.0)
    assert build(Echo)[0].row().interval_s is None


@pytest.mark.parametrize(
    "key", ["interval", "interval_sec", "interval_seconds", "health_check_interval"]
)
async def test_every_spelling_of_the_interval_counts(key: str) -> None:
    agent, _, _ = build(Echo, **{key: 7})
    assert agent.interval == 7.0


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "5", True])
async def test_a_senseless_interval_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidValueError, match="interval_sec"):
        build(Echo, interval_sec=value)


@pytest.mark.parametrize("name", ["", " ", "<b>", "a" * 65, "a/b", "line\n"])
async def test_a_name_that_no_screen_could_show_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError, match="name"):
        Echo(name=name, event_bus=EventBus(), state_manager=StateManager(), config={})


async def test_a_handler_subscribed_with_every_start_hears_once() -> None:
    heard: list[Event] = []

    class Subscribes(BaseAgent):
        async def on_start(self) -> None:
            self.subscribe_to(EventType.CUSTOM, self.hears)

        def hears(self, event: Event) -> None:
            heard.append(event)

    agent = Subscribes("subscribes", EventBus(), StateManager())
    for life in range(1, 4):
        await agent.start()
        await agent.event_bus.publish(Event(EventType.CUSTOM))
        assert len(heard) == life
        await agent.stop()
        await agent.event_bus.publish(Event(EventType.CUSTOM))
    assert len(heard) == 3
