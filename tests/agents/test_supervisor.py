"""The supervisor: order of start and stop, restarts with growing waits, the alert in the end, health figures."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.agents import supervisor
from engine.agents.base import BaseAgent
from engine.agents.own_parts import OwnBus
from engine.agents.quota import EVENTS_PER_S, WINDOW_S, Quota
from engine.agents.supervisor import SupervisorAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentMeasured, AgentStatus
from engine.domain.errors import InvalidValueError
from engine.domain.events import Event, EventType
from tests.scheduling.outside import Outside, busy


class Crew:
    """A supervisor with agents on one bus and one clock."""

    def __init__(self, **config: object) -> None:
        self.bus, self.clock, self.state = EventBus(), ManualClock(), StateManager()
        self.events: list[Event] = []
        for event_type in EventType:
            self.bus.subscribe(event_type, self.events.append)
        self.supervisor = self.add(SupervisorAgent, "supervisor", **config)

    def add(self, kind: type[BaseAgent], name: str, **config: object) -> Any:
        return kind(name, self.bus, self.state, {"clock": self.clock, **config})

    def recruit(self, kind: type[BaseAgent], *names: str) -> list[Any]:
        agents = [self.add(kind, name) for name in names]
        for agent in agents:
            self.supervisor.register_agent(agent)
        return agents

    def of(self, event_type: EventType) -> list[dict[str, Any]]:
        return [dict(e.data) for e in self.events if e.event_type is event_type]


class Idle(BaseAgent):
    """Does nothing, well."""


class Broken(BaseAgent):
    """Fails on every event while `is_broken`."""

    topics: ClassVar = (EventType.CUSTOM,)
    is_broken = True

    def handle(self, event: Event) -> Iterable[Event]:
        if self.is_broken:
            raise RuntimeError("no luck")
        return ()


class NeverStarts(BaseAgent):
    async def on_start(self) -> None:
        raise RuntimeError("no exchange")


async def trip(crew: Crew) -> None:
    for _ in range(5):
        await crew.bus.publish(Event(EventType.CUSTOM, {}))


@pytest.mark.asyncio
async def test_agents_start_in_order_and_stop_in_reverse_inside_the_supervisor() -> None:
    crew = Crew()
    agents = crew.recruit(Idle, "a", "b", "c")
    await crew.supervisor.start()
    assert [row["name"] for row in crew.of(EventType.ENGINE_STARTED)] == [
        "a",
        "b",
        "c",
        "supervisor",
    ]
    await crew.supervisor.stop()
    assert [row["name"] for row in crew.of(EventType.ENGINE_STOPPED)] == [
        "c",
        "b",
        "a",
        "supervisor",
    ]
    assert {agent.status for agent in agents} == {AgentStatus.STOPPED}


class Meets(BaseAgent):
    """Starts and ends only together with another of its kind."""

    async def on_start(self) -> None:
        await self.config["gate"].wait()

    async def on_stop(self) -> None:
        await self.config["gate"].wait()


@pytest.mark.asyncio
async def test_agents_of_ones_own_start_and_stop_together_so_that_one_that_hangs_keeps_no_other() -> (
    None
):
    crew, gate = Crew(), asyncio.Barrier(2)
    crew.recruit(Idle, "first")
    own = [crew.add(Meets, name, gate=gate) for name in ("a", "b")]
    for agent in own:
        crew.supervisor.register_agent(agent, is_own=True)
    crew.recruit(Idle, "last")
    async with asyncio.timeout(
        1
    ):  # one by one they would wait for ever, and be given up one by one
        await crew.supervisor.start()
        assert {agent.status for agent in own} == {AgentStatus.RUNNING}
        await crew.supervisor.stop()
    started = [row["name"] for row in crew.of(EventType.ENGINE_STARTED)]
    stopped = [row["name"] for row in crew.of(EventType.ENGINE_STOPPED)]
    assert (started[0], *started[-2:]) == ("first", "last", "supervisor")
    assert (stopped[0], *stopped[-2:]) == ("last", "first", "supervisor")
    assert {agent.status for agent in own} == {AgentStatus.STOPPED}


@pytest.mark.asyncio
async def test_an_agent_that_cannot_be_looked_at_has_failed_itself_and_the_others_are_checked() -> (
    None
):
    crew = Crew()
    (bad, good) = crew.recruit(Idle, "bad", "good")
    await crew.supervisor.start()
    bad.quota = 10  # as a foreign agent may
    for _ in range(5):
        await crew.supervisor.perform_cycle(None)
    assert bad.status is AgentStatus.ERROR
    assert "AttributeError" in bad.reason
    assert (good.status, crew.supervisor.status) == (AgentStatus.RUNNING, AgentStatus.RUNNING)
    await crew.supervisor.stop()


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), 1e12, "5", None, True])
def test_an_interval_that_no_timer_can_count_is_refused_whenever_it_is_set(value: object) -> None:
    agent = Crew().add(Idle, "a", interval=5)
    with pytest.raises(InvalidValueError, match="interval must be a number of seconds above 0"):
        agent.interval = value
    assert agent.interval == 5


@pytest.mark.asyncio
async def test_one_agent_that_cannot_start_does_not_keep_the_others() -> None:
    crew = Crew()
    (bad,) = crew.recruit(NeverStarts, "bad")
    (good,) = crew.recruit(Idle, "good")
    await crew.supervisor.start()
    assert (bad.status, good.status) == (AgentStatus.ERROR, AgentStatus.RUNNING)
    await crew.supervisor.stop()


@pytest.mark.asyncio
async def test_a_failed_agent_is_restarted_by_the_next_health_check() -> None:
    crew = Crew(health_check_interval=30)
    (agent,) = crew.recruit(Broken, "mortal")
    await crew.supervisor.start()
    await crew.clock.run(1)
    await trip(crew)
    assert agent.status is AgentStatus.ERROR
    agent.is_broken = False
    await crew.clock.run(28)
    assert agent.status is AgentStatus.ERROR
    await crew.clock.run(2)
    assert agent.status is AgentStatus.RUNNING
    assert crew.of(EventType.RISK_ALERT) == []
    await crew.supervisor.stop()


@pytest.mark.asyncio
async def test_an_agent_that_never_starts_is_given_up_after_three_restarts_with_one_alert() -> None:
    crew = Crew(health_check_interval=0.25)
    crew.recruit(NeverStarts, "bad")
    failed_at: list[float] = []

    def note(event: Event) -> None:
        if event.data["status"] == "error":
            failed_at.append(crew.clock.monotonic())

    crew.bus.subscribe(EventType.AGENT_CHANGED, note)
    await crew.supervisor.start()
    await crew.clock.run(200)
    assert failed_at == [0.0, 0.0, 60.0, 180.0]  # the start, then three restarts with growing waits
    (alert,) = crew.of(EventType.RISK_ALERT)
    assert (alert["symbol"], alert["severity"]) == ("engine", "critical")
    assert "no exchange" in alert["message"]
    await crew.supervisor.stop()


@pytest.mark.asyncio
async def test_who_is_started_by_hand_after_giving_up_has_its_tries_back() -> None:
    crew = Crew(health_check_interval=1)
    (agent,) = crew.recruit(Broken, "mortal")
    await crew.supervisor.start()
    for _ in range(4):
        await trip(crew)
        await crew.clock.run(130)
    assert len(crew.of(EventType.RISK_ALERT)) == 1
    assert agent.status is AgentStatus.ERROR
    await agent.start()
    await crew.clock.run(2)
    await trip(crew)
    agent.is_broken = False
    await crew.clock.run(10)
    assert agent.status is AgentStatus.RUNNING
    await crew.supervisor.stop()


@pytest.mark.asyncio
async def test_who_was_stopped_by_hand_is_left_alone() -> None:
    crew = Crew(health_check_interval=1)
    (agent,) = crew.recruit(Idle, "resting")
    await crew.supervisor.start()
    await agent.stop()
    await crew.clock.run(10)
    assert agent.status is AgentStatus.STOPPED
    await crew.supervisor.stop()


@pytest.mark.asyncio
async def test_who_was_held_back_by_a_person_is_not_started_with_the_others() -> None:
    crew = Crew(held_back=frozenset({"b"}))
    first, second = crew.recruit(Idle, "a", "b")
    await crew.supervisor.start()
    assert first.status is AgentStatus.RUNNING
    assert second.status is not AgentStatus.RUNNING
    await crew.supervisor.stop()


@pytest.mark.asyncio
async def test_health_figures_are_published_with_every_check() -> None:
    crew = Crew(health_check_interval=10, health=lambda: {"running_tasks": 3})
    await crew.supervisor.start()
    await crew.clock.run(25)
    assert crew.of(EventType.HEALTH_CHECKED) == [{"running_tasks": 3}] * 3
    await crew.supervisor.stop()


def test_the_mode_and_the_crew_stand_in_the_metrics() -> None:
    crew = Crew(mode="paper_trading")
    crew.recruit(Idle, "a", "b")
    metrics = crew.supervisor.get_metrics()
    assert metrics["mode"] == "paper"
    assert metrics["agents"] == {"a": "created", "b": "created"}


@pytest.mark.parametrize(
    ("key", "value"), [("mode", "yolo"), ("health", 3), ("health_check_interval", 0)]
)
def test_bad_values_are_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(InvalidValueError, match=key):
        Crew(**{key: value})


def test_two_agents_of_one_name_are_refused() -> None:
    crew = Crew()
    (agent,) = crew.recruit(Idle, "a")
    crew.supervisor.register_agent(agent)  # the same again is harmless
    with pytest.raises(InvalidValueError, match="unique"):
        crew.recruit(Idle, "a")


class Hanging(BaseAgent):
    """Fails every ninety seconds, as one that hangs until it is cut."""

    async def _run_cycle(self, resource_pool: Any) -> None:
        await self._clock.sleep(90.0)
        raise TimeoutError("took too long")


@pytest.mark.asyncio
async def test_an_agent_that_fails_slowly_is_given_up_too() -> None:
    crew = Crew()
    hanging = crew.add(Hanging, "hanging", interval=5)
    crew.supervisor.register_agent(hanging)
    await crew.supervisor.start()
    await crew.clock.run(3000)
    alerts = [a for a in crew.of(EventType.RISK_ALERT) if a["metric"] == "agent_failed"]
    assert len(alerts) == 1
    assert hanging.status is AgentStatus.ERROR
    assert len(crew.of(EventType.AGENT_FAILED)) == 5 * 4
    await crew.supervisor.stop()


class Hoarder(BaseAgent):
    """Keeps all that it ever heard."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.heard: list[int] = []

    async def _run_cycle(self, resource_pool: Any) -> None:
        self.heard.extend(range(2_000))


class Paging(BaseAgent):
    """Keeps 200 kB with every cycle: all of it, or the newest twenty."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.pages: deque[bytes] = deque(maxlen=self.config.get("most"))

    async def _run_cycle(self, resource_pool: Any) -> None:
        self.pages.append(bytes(200_000))


@pytest.mark.asyncio
@pytest.mark.parametrize(("most", "n_alerts"), [(None, 1), (20, 0)])
async def test_few_entries_of_many_bytes_are_a_leak_too_and_a_bounded_store_is_none(
    most: int | None, n_alerts: int
) -> None:
    crew = Crew(health_check_interval=30)
    paging = crew.add(Paging, "paging", interval=45, most=most)
    crew.supervisor.register_agent(paging)
    await crew.supervisor.start()
    await crew.clock.run(3600)
    alerts = crew.of(EventType.RISK_ALERT)
    assert len(alerts) == n_alerts
    assert all("MB of them in pages" in alert["message"] for alert in alerts)
    await crew.supervisor.stop()


class Talking(BaseAgent):
    """Says so many things with every cycle, one way or another."""

    topics: ClassVar = (EventType.MARKET_DATA,)

    def handle(self, event: Event) -> Iterable[Event]:
        return [self.event(EventType.CUSTOM, {}) for _ in range(self.config["n"] // 4)]

    async def _run_cycle(self, resource_pool: Any) -> None:
        for _ in range(self.config["n"] // 4):
            await self.emit_event(EventType.CUSTOM, {})
            await self.event_bus.publish(Event(EventType.CUSTOM, {}, source="somebody else"))
            self.event_bus.post(self.event(EventType.CUSTOM, {}))
        await self.event_bus.unmetered.publish(Event(EventType.MARKET_DATA, {"symbol": "A"}))


async def talked(n: int, seconds: float) -> tuple[Crew, Any]:
    crew = Crew(health_check_interval=30)
    talking = crew.add(Talking, "talking", interval=1.0, n=n)
    talking.quota = Quota(crew.clock)
    talking.event_bus = OwnBus(talking.event_bus, "talking", talking.quota, crew.clock)
    crew.supervisor.register_agent(talking)
    await crew.supervisor.start()
    await crew.clock.run(seconds)
    return crew, talking


@pytest.mark.asyncio
async def test_an_agent_that_floods_is_told_of_and_what_is_too_much_is_dropped_and_counted() -> (
    None
):
    crew, talking = await talked(200, 300)
    said, measured = len(crew.of(EventType.CUSTOM)), talking.measured()
    assert said <= EVENTS_PER_S * (WINDOW_S + 301)
    assert measured.emitted == said
    # what is beyond waits for the quota's pace, so a little less is tried
    assert measured.emitted + measured.dropped == pytest.approx(200 * 301, rel=0.02)
    (alert,) = crew.of(EventType.RISK_ALERT)
    assert (alert["metric"], alert["title"]) == ("agent_floods", "talking says too much")
    assert [trouble.kind for trouble in talking.troubles] == ["floods"]
    for _ in range(5):
        talking.note_failure("cycle", ValueError("no"))
    await crew.bus.drain()
    assert [f["consecutive"] for f in crew.of(EventType.AGENT_FAILED)] == [1, 2, 3, 4, 5]
    assert crew.of(EventType.AGENT_CHANGED)[-1]["status"] == "error", "its life is never dropped"
    await crew.supervisor.stop()
    assert crew.of(EventType.AGENT_CHANGED)[-2]["agent_id"] == "talking"


@pytest.mark.asyncio
@pytest.mark.parametrize(("n", "seconds"), [(48, 300), (1000, 2)], ids=["steady", "a burst"])
async def test_an_agent_that_says_much_within_its_quota_is_heard_whole(
    n: int, seconds: float
) -> None:
    crew, talking = await talked(n, seconds)
    await talking.pause()
    await crew.clock.run(60)
    assert len(crew.of(EventType.CUSTOM)) == n * (seconds + 1)
    assert talking.measured().dropped == 0
    assert crew.of(EventType.RISK_ALERT) == []
    await crew.supervisor.stop()


class Stuck(BaseAgent):
    """Its first cycle never ends."""

    async def _run_cycle(self, resource_pool: Any) -> None:
        await self._clock.sleep(1e6)


@pytest.mark.asyncio
async def test_an_agent_that_keeps_ever_more_is_told_of_once_by_its_attribute() -> None:
    crew = Crew(health_check_interval=30)
    hoarder = crew.add(Hoarder, "hoarder", interval=20)
    crew.supervisor.register_agent(hoarder)
    await crew.supervisor.start()
    await crew.clock.run(900)
    (alert,) = crew.of(EventType.RISK_ALERT)
    assert alert["metric"] == "agent_leaks"
    assert "heard" in alert["message"]
    await crew.supervisor.stop()


class Asking(BaseAgent):
    """Asks an API that wants to be left alone for a while."""

    async def _run_cycle(self, resource_pool: Any) -> None:
        await self._pool().http_request("GET", "http://busy/", "busy")


@pytest.mark.asyncio
async def test_who_waits_in_the_resource_pool_does_not_hang() -> None:
    outside = Outside(busy(retry_after="20"), busy(retry_after="20"))
    crew = Crew(health_check_interval=10)
    crew.clock = outside.clock
    asking = crew.add(Asking, "asking", interval=5, resource_pool=outside.pool)
    crew.supervisor.register_agent(asking)
    await asking.start()
    for _ in range(4):
        await outside.clock.run(10)
        await crew.supervisor._run_cycle(None)
    assert asking.in_flight_s == 40.0
    assert crew.of(EventType.RISK_ALERT) == []
    await asking.stop()


@pytest.mark.asyncio
async def test_an_agent_whose_cycle_never_ends_is_told_of_once() -> None:
    crew = Crew(health_check_interval=10)
    stuck = crew.add(Stuck, "stuck", interval=5)
    crew.supervisor.register_agent(stuck)
    await crew.supervisor.start()
    await crew.clock.run(100)
    (alert,) = crew.of(EventType.RISK_ALERT)
    assert (alert["metric"], alert["title"]) == ("agent_hangs", "stuck hangs")
    measured = [AgentMeasured.from_data(d) for d in crew.of(EventType.AGENT_MEASURED)]
    last = [m for m in measured if m.agent_id == "stuck"][-1]
    assert last.running_since == crew.clock.now().timestamp() - 100
    assert [t.message for t in last.troubles] == ["Its work has lasted 100 s, 30 s are allowed."]
    assert stuck.status is AgentStatus.RUNNING
    await crew.supervisor.stop()


@pytest.mark.asyncio
async def test_who_says_ever_more_without_a_pause_leaves_the_loop_to_others():
    """Over its quota an event is dropped; dropping at once would be an endless loop without a turn for anybody."""
    clock, bus = ManualClock(), EventBus()
    metered = OwnBus(bus, "flood", Quota(clock), clock)
    said = Event(EventType.CUSTOM, {"n": 1}, source="flood")

    async def flood() -> None:
        while True:
            await metered.publish(said)

    flooding = asyncio.create_task(flood())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not flooding.done(), "and we are here"
    flooding.cancel()


@pytest.mark.asyncio
async def test_a_stop_that_an_agent_has_written_anew_does_not_hold_the_supervisor(monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_LIMIT_S", 0.05)

    class NeverStops(BaseAgent):
        async def stop(self, *, actor: str = "engine", reason: str = "") -> None:
            await asyncio.Event().wait()

    crew = Crew()
    crew.supervisor.register_agent(crew.add(NeverStops, "never_stops", interval=5.0))
    await crew.supervisor.start()
    await asyncio.wait_for(crew.supervisor.stop(), 5.0)
    assert crew.supervisor.status is AgentStatus.STOPPED
