"""The registry: who is on the list, who drives them, how starts and failures are told."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from engine.agents.base import BaseAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus
from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.domain.events import Event, EventType
from engine.scheduling.registry import AgentRegistry, get_agent_registry


@pytest.fixture(autouse=True)
def _no_instance() -> Iterator[None]:
    AgentRegistry.set_instance(None)
    yield
    AgentRegistry.set_instance(None)


class Counting(BaseAgent):
    cycles = 0

    async def _run_cycle(self, resource_pool: object) -> None:
        self.cycles += 1


def agent(name: str = "one", kind: type[BaseAgent] = Counting) -> Any:
    return kind(name, EventBus(), StateManager(), {"interval": 60})


async def turns(n: int = 20) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_there_is_one_instance_and_no_engine_before_it() -> None:
    assert AgentRegistry.get_execution_engine() is None
    registry = await get_agent_registry()
    assert registry is AgentRegistry.get_instance()
    assert AgentRegistry.get_execution_engine() is registry.execution_engine


@pytest.mark.asyncio
async def test_a_registered_agent_has_its_cycles_from_the_engine_alone() -> None:
    registry, one = AgentRegistry(), agent()
    registry.register_agent(one)
    await registry.start()
    await one.start()
    await turns()
    assert one.cycles == 1
    assert registry.execution_engine.get_stats()["completed_tasks"] == 1
    await registry.stop()


@pytest.mark.asyncio
async def test_an_agent_taken_off_the_list_is_on_its_own() -> None:
    registry, one = AgentRegistry(), agent()
    registry.register_agent(one)
    registry.unregister_agent("one")
    await registry.start()
    await one.start()
    await turns()
    assert one.cycles == 1
    assert registry.execution_engine.get_stats()["completed_tasks"] == 0
    await one.stop()
    await registry.stop()


@pytest.mark.asyncio
async def test_an_id_is_taken_while_its_agent_is_at_work_and_free_when_it_has_stopped() -> None:
    registry, first, second = AgentRegistry(), agent(), agent()
    registry.register_agent(first)
    await first.start()
    with pytest.raises(InvalidValueError, match="'one'"):
        registry.register_agent(second)
    await first.stop()
    registry.register_agent(second)
    assert registry.agents["one"] is second


@pytest.mark.asyncio
async def test_unknown_ids_are_named_with_those_that_are_known() -> None:
    registry = AgentRegistry()
    registry.register_agent(agent("risk"))
    for call in (registry.start_agent, registry.stop_agent):
        with pytest.raises(UnknownNameError, match=r"risk.*'ghost'"):
            await call("ghost")


@pytest.mark.asyncio
async def test_pausing_takes_the_waiting_cycle_back_and_resuming_queues_one() -> None:
    registry, one = AgentRegistry(), agent()
    registry.register_agent(one)
    await registry.start()
    await registry.start_agent("one")
    await turns()
    await one.pause()
    assert registry.execution_engine.get_stats()["queued_tasks"] == 0
    await one.resume()
    await turns()
    assert one.cycles == 2
    await registry.stop()


@pytest.mark.asyncio
async def test_agents_stop_in_reverse_and_one_that_fails_does_not_keep_the_others() -> None:
    order: list[str] = []

    class Noting(Counting):
        async def stop(self, **words: Any) -> None:
            order.append(self.name)
            if self.name == "b":
                raise RuntimeError("stuck")
            await super().stop(**words)

    registry = AgentRegistry()
    for name in ("a", "b", "c"):
        registry.register_agent(agent(name, Noting))
        await registry.start_agent(name)
    await registry.stop_all_agents()
    assert order == ["c", "b", "a"]
    assert registry.agents["a"].status is AgentStatus.STOPPED


@pytest.mark.asyncio
async def test_a_failing_task_of_an_agent_becomes_its_event() -> None:
    registry, one = AgentRegistry(), agent()
    failed: list[Event] = []
    one.event_bus.subscribe(EventType.AGENT_FAILED, failed.append)
    registry.register_agent(one)
    await registry.start()

    async def broken() -> None:
        raise ValueError("no positions")

    await registry.execution_engine.schedule_task("one", "check_positions", broken)
    await turns()
    assert [e.data["where"] for e in failed] == ["task check_positions"]
    await registry.stop()
