"""How an agent's judgement is carried out: order, fence, back-off, breaker, figures, heavy work."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.agents.base import BaseAgent
from engine.agents.measurement import Measurement
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus
from engine.domain.events import Event, EventType

pytestmark = pytest.mark.asyncio
T = TypeVar("T")


def build(kind: type[BaseAgent], **config: object) -> tuple[Any, list[Event], ManualClock]:
    bus, clock = EventBus(), ManualClock()
    agent = kind(
        name="one", event_bus=bus, state_manager=StateManager(), config={"clock": clock, **config}
    )
    events: list[Event] = []
    for event_type in EventType:
        bus.subscribe(event_type, events.append)
    return agent, events, clock


def of(events: list[Event], event_type: EventType) -> list[Event]:
    return [event for event in events if event.event_type is event_type]


class Fragile(BaseAgent):
    """Fails on events that say so, and on cycles while `is_broken`."""

    topics: ClassVar = (EventType.CUSTOM, EventType.MARKET_DATA)
    is_broken = False
    cycles = 0
    seen: tuple[object, ...] = ()

    def handle(self, event: Event) -> Iterable[Event]:
        yield self.event(EventType.RISK_ALERT, {"n": event.data.get("n")})
        if event.data.get("fail"):
            raise ValueError("bad event")
        self.seen = (*self.seen, event.data.get("n"))

    def cycle(self) -> Iterable[Event]:
        self.cycles += 1
        if self.is_broken:
            raise RuntimeError("bad cycle")
        return ()


async def test_each_event_of_a_cycle_is_delivered_before_the_next_is_asked_for() -> None:
    heard: list[int] = []
    told: list[tuple[int, ...]] = []

    class Speaker(BaseAgent):
        def cycle(self) -> Iterable[Event]:
            for n in range(3):
                told.append(tuple(heard))
                yield self.event(EventType.CUSTOM, {"n": n})

    agent, _, clock = build(Speaker, interval=60)
    agent.event_bus.subscribe(EventType.CUSTOM, lambda event: heard.append(event.data["n"]))
    await agent.start()
    await clock.run(0)
    await agent.stop()
    assert told == [(), (0,), (0, 1)]


async def test_a_failing_handler_says_nothing_of_its_own_and_its_failure_is_an_event() -> None:
    agent, events, _ = build(Fragile)
    await agent.start()
    asked = await agent.event_bus.publish(Event(EventType.CUSTOM, {"n": 1, "fail": True}))
    (failed,) = of(events, EventType.AGENT_FAILED)
    assert failed.data["where"] == "handle CUSTOM"
    assert failed.data["error"] == "ValueError: bad event"
    assert failed.cause == asked.seq
    assert of(events, EventType.RISK_ALERT) == []  # not even what it yielded before
    await agent.stop()


async def test_the_fifth_failure_in_a_row_takes_the_agent_out_of_service() -> None:
    agent, events, clock = build(Fragile)
    await agent.start()
    for n in range(8):
        await agent.event_bus.publish(Event(EventType.CUSTOM, {"n": n, "fail": True}))
        clock.advance(60)
    assert agent.status is AgentStatus.ERROR
    assert [e.data["consecutive"] for e in of(events, EventType.AGENT_FAILED)] == [1, 2, 3, 4, 5]
    changed = of(events, EventType.AGENT_CHANGED)[-1]
    assert changed.data["status"] == "error"
    assert "bad event" in changed.data["reason"]
    await agent.stop()
    assert agent.status is AgentStatus.STOPPED


async def test_a_success_ends_the_row_of_failures() -> None:
    agent, _, clock = build(Fragile)
    await agent.start()
    for n in range(12):
        await agent.event_bus.publish(Event(EventType.CUSTOM, {"n": n, "fail": n % 4 != 3}))
        clock.advance(60)
    assert agent.status is AgentStatus.RUNNING
    assert agent.get_metrics()["errors"] == 9
    await agent.stop()


class Later(BaseAgent):
    """Has one piece of work that could wait for each event, and fails at those that `fails` names."""

    topics: ClassVar = (EventType.CUSTOM,)
    heavy = False
    pieces = 0
    asked = 0

    def handle(self, _: Event) -> Iterable[Event]:
        self.pieces += 1
        return ()

    def later(self) -> Iterable[Event] | None:
        if not self.pieces:
            return None
        self.pieces -= 1
        self.asked += 1
        if self.config["fails"](self.asked):
            raise OSError("the child died")
        return ()


@pytest.mark.parametrize("is_heavy", [False, True])
@pytest.mark.parametrize(("fails", "status"), [
    (lambda n: n % 2, AgentStatus.RUNNING), (lambda _: True, AgentStatus.ERROR),
], ids=["now and then", "in a row"])  # fmt: skip
async def test_work_that_could_wait_ends_a_service_by_failures_in_a_row_alone(
    *, is_heavy: bool, fails: Callable[[int], object], status: AgentStatus
) -> None:
    compute = SlowCompute()
    kind = type("Kind", (Later,), {"heavy": is_heavy})
    agent, events, clock = build(kind, fails=fails, **({"compute": compute} if is_heavy else {}))
    await agent.start()
    for n in range(12):
        await agent.event_bus.publish(Event(EventType.CUSTOM, {"n": n}))
        await heavy_turns(compute, 4 if is_heavy else 0)
        clock.advance(600)
    assert agent.status is status
    assert len(of(events, EventType.AGENT_FAILED)) == (6 if status is AgentStatus.RUNNING else 5)
    await agent.stop()


async def test_a_healthy_handler_does_not_hide_a_broken_cycle() -> None:
    agent, events, clock = build(Fragile, interval=1)
    agent.is_broken = True
    await agent.start()
    for n in range(60):
        await clock.run(1)
        await agent.event_bus.publish(Event(EventType.CUSTOM, {"n": n}))
    assert agent.status is AgentStatus.ERROR
    assert {e.data["where"] for e in of(events, EventType.AGENT_FAILED)} == {"cycle"}
    await agent.stop()


async def test_back_off_delays_cycles_and_skips_ticks_but_never_other_events() -> None:
    agent, _, clock = build(Fragile, interval=0.1)
    agent.is_broken = True
    await agent.start()
    await clock.run(0)
    assert agent.cycles == 1
    await clock.run(0.4)
    assert agent.cycles == 1  # 0.5 s after the first failure
    await agent.event_bus.publish(Event(EventType.MARKET_DATA, {"n": "tick"}))
    await agent.event_bus.publish(Event(EventType.CUSTOM, {"n": "order"}))
    assert agent.seen == ("order",)
    agent.is_broken = False
    await clock.run(0.15)
    assert agent.cycles == 2
    await agent.event_bus.publish(Event(EventType.MARKET_DATA, {"n": "tick"}))
    assert agent.seen == ("order", "tick")
    await agent.stop()


async def test_a_start_after_the_breaker_begins_afresh() -> None:
    agent, _, clock = build(Fragile)
    await agent.start()
    for _ in range(5):
        await agent.event_bus.publish(Event(EventType.CUSTOM, {"fail": True}))
    await agent.stop()
    await agent.start()
    for _ in range(4):
        await agent.event_bus.publish(Event(EventType.CUSTOM, {"fail": True}))
    assert agent.status is AgentStatus.RUNNING
    clock.advance(60)
    await agent.stop()


async def test_a_failing_run_is_tried_again_after_a_pause_and_gives_up_after_five() -> None:
    class Dies(BaseAgent):
        runs = 0

        async def run(self) -> None:
            self.runs += 1
            raise RuntimeError("loop died")

    agent, events, clock = build(Dies)
    await agent.start()
    await clock.run(0.4)
    assert agent.runs == 1
    await clock.run(100)
    assert (agent.runs, agent.status) == (5, AgentStatus.ERROR)
    assert len(of(events, EventType.AGENT_FAILED)) == 5
    await agent.stop()


async def test_figures_are_published_at_most_once_a_second_of_the_clock() -> None:
    agent, events, clock = build(Fragile)
    await agent.start()
    for n in range(20):
        await agent.event_bus.publish(Event(EventType.CUSTOM, {"n": n}))
    assert len(of(events, EventType.AGENT_MEASURED)) == 1
    clock.advance(1)
    await agent.event_bus.publish(Event(EventType.CUSTOM, {"n": 20}))
    measured = of(events, EventType.AGENT_MEASURED)
    assert [e.data["handled"] for e in measured] == [1, 21]
    assert measured[-1].data["p50_ms"] >= 0
    assert len(measured[-1].data["event_times"]["recent_ms"]) == 21
    await agent.stop()


async def test_the_next_run_is_told_in_wall_time() -> None:
    agent, events, clock = build(Fragile, interval=30)
    await agent.start()
    await clock.run(0)
    (measured,) = of(events, EventType.AGENT_MEASURED)
    assert measured.data["next_run_at"] == pytest.approx(clock.now().timestamp() + 30)
    await agent.stop()


async def test_percentiles_are_those_of_the_last_200_durations() -> None:
    measurement = Measurement()
    for milliseconds in [1000.0] * 50 + [float(n) for n in range(1, 201)]:
        measurement.took(milliseconds, is_cycle=True)
    measured = measurement.payload("one")
    assert (measured.p50_ms, measured.p95_ms, measured.last_ms) == (100.0, 190.0, 200.0)
    assert measured.cycle_times.recent_ms == tuple(float(n) for n in range(177, 201))


async def test_cycles_and_events_are_timed_apart() -> None:
    measurement = Measurement()
    for _ in range(9):
        measurement.took(0.01, is_cycle=False)
    measurement.took(18.0, is_cycle=True)
    measured = measurement.payload("one")
    assert (measured.cycle_times.p50_ms, measured.cycle_times.last_ms) == (18.0, 18.0)
    assert (measured.event_times.p95_ms, len(measured.event_times.recent_ms)) == (0.01, 9)
    assert measured.p50_ms == 0.01
    nothing = Measurement().payload("one")
    assert nothing.cycle_times.p50_ms is nothing.event_times.last_ms is None


class SlowCompute:
    """Runs work when the test lets it."""

    is_inline = False

    def __init__(self) -> None:
        self.gate = asyncio.Semaphore(0)
        self.at_once = 0
        self.peak = 0

    async def run(self, work: Callable[[], T]) -> T:
        self.at_once += 1
        self.peak = max(self.peak, self.at_once)
        await self.gate.acquire()
        self.at_once -= 1
        return work()

    def close(self) -> None:
        return


class Heavy(Fragile):
    heavy: ClassVar[bool] = True
    handled: tuple[object, ...] = ()

    def handle(self, event: Event) -> Iterable[Event]:
        self.handled = (*self.handled, (event.data["symbol"], event.data["n"]))
        return (self.event(EventType.RISK_ALERT, {"n": event.data["n"]}),)


async def heavy_turns(compute: SlowCompute, n: int) -> None:
    for _ in range(n):
        compute.gate.release()
        for _ in range(20):
            await asyncio.sleep(0)


async def test_a_cycle_asked_for_while_one_is_at_work_is_skipped_and_asked_for_again_an_interval_later() -> (
    None
):
    gate = asyncio.Event()

    class Slow(BaseAgent):
        async def _run_cycle(self, resource_pool: object) -> None:
            await gate.wait()

    agent, _, clock = build(Slow, interval=10)
    await agent.start()
    gate.set()
    await clock.run(0)
    gate.clear()
    await clock.run(10)  # the second is at work now
    clock.advance(3)
    assert agent.seconds_to_next() == 0.0, "the next was due while the first is at work"
    await agent.perform_cycle(None)
    assert agent.measured().skipped == 1
    assert agent.seconds_to_next() == 10.0, "or whoever drives it would ask without pause"
    gate.set()
    await clock.run(0)
    assert agent.measured().cycles == 2
    await agent.stop()


async def test_heavy_work_waits_as_the_newest_per_type_and_symbol_one_at_a_time() -> None:
    compute = SlowCompute()
    agent, events, _ = build(Heavy, compute=compute)
    await agent.start()
    for n in range(3):
        for symbol in ("A", "B"):
            await agent.event_bus.publish(Event(EventType.CUSTOM, {"symbol": symbol, "n": n}))
        await asyncio.sleep(0)
    assert agent.handled == ()
    await heavy_turns(compute, 10)
    assert agent.handled == (("A", 0), ("B", 2), ("A", 2))
    assert (compute.peak, agent.get_metrics()["conflated"]) == (1, 3)
    assert [e.cause for e in of(events, EventType.RISK_ALERT)] != [None] * 3
    await agent.stop()


async def test_what_is_answered_off_the_loop_is_in_flight_until_it_ends() -> None:
    """Or a handler that never ends would be seen by nobody: it is no cycle."""
    compute = SlowCompute()
    agent, _, _ = build(Heavy, compute=compute)
    await agent.start()
    await heavy_turns(compute, 1)  # its first cycle
    assert agent.in_flight_s is None
    await agent.event_bus.publish(Event(EventType.CUSTOM, {"symbol": "A", "n": 1}))
    await asyncio.sleep(0.01)
    assert agent.vitals(with_durations=False).in_flight_s > 0
    await heavy_turns(compute, 2)
    assert agent.handled
    assert agent.in_flight_s is None
    await agent.stop()


async def test_heavy_work_finished_after_a_pause_says_nothing() -> None:
    compute = SlowCompute()
    agent, events, _ = build(Heavy, compute=compute)
    await agent.start()
    await agent.event_bus.publish(Event(EventType.CUSTOM, {"symbol": "A", "n": 1}))
    await asyncio.sleep(0)
    await agent.pause()
    await heavy_turns(compute, 2)
    assert agent.handled == (("A", 1),)
    assert of(events, EventType.RISK_ALERT) == []
    await agent.stop()


async def test_with_inline_compute_nothing_is_conflated() -> None:
    agent, _, _ = build(Heavy)
    await agent.start()
    for n in range(3):
        await agent.event_bus.publish(Event(EventType.CUSTOM, {"symbol": "A", "n": n}))
    assert agent.handled == (("A", 0), ("A", 1), ("A", 2))
    await agent.stop()


async def test_a_cycle_that_was_told_to_be_at_work_is_told_to_have_ended() -> None:
    class Long(BaseAgent):
        async def _run_cycle(self, resource_pool: Any) -> None:
            await self._clock.sleep(20.0)

    agent, events, clock = build(Long, interval=60)
    await agent.start()
    await clock.run(19.9)
    agent.publish_measured()  # as the supervisor does, right before the end
    await clock.run(0.2)
    told = [e.data["running_since"] for e in of(events, EventType.AGENT_MEASURED)]
    assert told == [pytest.approx(clock.now().timestamp() - 20.1), None]
    await agent.stop()
