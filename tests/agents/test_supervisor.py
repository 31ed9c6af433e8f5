"""The supervisor: order of start and stop, restarts with growing waits, the alert in the end, health figures."""

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.agents.base import BaseAgent
from engine.agents.supervisor import SupervisorAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus
from engine.domain.errors import InvalidValueError
from engine.domain.events import Event, EventType


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
    await crew.clock.run(20)
    assert failed_at == [0.0, 0.0, 1.0, 3.0]  # the start, then three restarts with growing waits
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
        await crew.clock.run(10)
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


class Hoarder(BaseAgent):
    """Keeps all that it ever heard."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.heard: list[int] = []

    async def _run_cycle(self, resource_pool: Any) -> None:
        self.heard.extend(range(2_000))


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


@pytest.mark.asyncio
async def test_an_agent_whose_cycle_never_ends_is_told_of_once() -> None:
    crew = Crew(health_check_interval=10)
    stuck = crew.add(Stuck, "stuck", interval=5)
    crew.supervisor.register_agent(stuck)
    await crew.supervisor.start()
    await crew.clock.run(100)
    (alert,) = crew.of(EventType.RISK_ALERT)
    assert (alert["metric"], alert["title"]) == ("agent_hangs", "stuck hangs")
    assert stuck.status is AgentStatus.RUNNING
    await crew.supervisor.stop()
