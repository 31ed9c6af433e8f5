"""A person's pace is obeyed, told, refused by name and kept; the adaptive pace is journalled with what it went by."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.adapters.stores.memory import MemoryStore
from engine.bootstrap.turned import TurnedEngine, build_turned
from engine.domain.agents import TaskPriority
from engine.domain.commands import SetAgentPace, SetSchedulerWeights
from engine.domain.events import EventType
from engine.domain.payload import Payload
from engine.domain.sections import AgentRow, AgentsSection
from engine.settings import Settings

pytestmark = pytest.mark.asyncio
SETTINGS = Settings(mc_levels=(1,), mc_rehearsal=0, speed=60, symbols=("AAPL", "IBM"))


async def started(**parts: Any) -> TurnedEngine:
    turned = build_turned(SETTINGS, **parts)
    await turned.host.start()
    return turned


def row(turned: TurnedEngine, agent_id: str) -> AgentRow:
    section: AgentsSection = turned.gateway.read(("agents",)).value("agents")
    return next(r for r in section.rows if r.agent_id == agent_id)


def events(turned: TurnedEngine, kind: EventType) -> Iterator[dict[str, Any]]:
    return (dict(e.data) for e in turned.journal.events() if e.event_type is kind)


async def test_a_pace_that_is_set_is_in_force_told_and_kept_through_a_restart() -> None:
    turned = await started()
    await turned.obey(SetAgentPace(agent_id="monte_carlo", interval_s=5.0, priority="LOW"))
    agent = turned.engine.crew.monte_carlo
    assert (agent.interval, agent.base_interval, agent.priority) == (5.0, 5.0, TaskPriority.LOW)
    shown = row(turned, "monte_carlo")
    assert (shown.interval_s, shown.priority) == (5.0, TaskPriority.LOW)
    (told,) = events(turned, EventType.AGENT_PACED)
    assert (told["interval_s"], told["actor"], told["inputs"]) == (5.0, "tester", None)

    again = await started(journal=turned.journal, store=MemoryStore())
    shown = row(again, "monte_carlo")
    assert (shown.interval_s, shown.base_interval_s, shown.priority) == (5.0, 5.0, TaskPriority.LOW)
    assert again.engine.crew.monte_carlo.interval == 5.0


async def test_what_is_not_given_stays() -> None:
    turned = await started()
    await turned.obey(SetAgentPace(agent_id="risk", priority="LOW"))
    await turned.obey(SetAgentPace(agent_id="risk", interval_s=10.0))
    agent = turned.engine.crew.risk
    assert (agent.base_interval, agent.priority) == (10.0, TaskPriority.LOW)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (SetAgentPace(agent_id="risk", interval_s=0.0), "interval must be from 0.1"),
        (SetAgentPace(agent_id="risk", interval_s=1e9), "interval must be from 0.1"),
        (
            SetAgentPace(agent_id="risk", priority="URGENT"),
            "priority must be one of CRITICAL, HIGH",
        ),
        (SetAgentPace(agent_id="risk"), "interval or a priority"),
        (SetAgentPace(agent_id="nobody", interval_s=1.0), "agent_id must be one of"),
        (SetAgentPace(agent_id="strategy", interval_s=1.0), "have a cycle to pace"),
        (SetSchedulerWeights(market=1.5), "market weight must be from 0 to 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_pace_that_cannot_be_is_refused_by_name_and_changes_nothing(
    command: Payload, words: str
) -> None:
    turned = await started()
    before = turned.engine.crew.risk.row(), turned.engine.obeying.pacing.weights()
    await turned.obey(command)
    (refused,) = events(turned, EventType.COMMAND_REFUSED)
    assert words.lower() in refused["message"].lower()
    assert (turned.engine.crew.risk.row(), turned.engine.obeying.pacing.weights()) == before


async def test_scheduler_weights_are_in_force_shown_and_kept_through_a_restart() -> None:
    turned = await started()
    await turned.obey(SetSchedulerWeights(market=0.8, system=0.0))
    scheduler = turned.engine.execution_engine.scheduler
    assert (scheduler.market_weight, scheduler.performance_weight, scheduler.system_weight) == (
        0.8,
        0.3,
        0.0,
    )
    again = await started(journal=turned.journal, store=MemoryStore())
    section: AgentsSection = again.gateway.read(("agents",)).value("agents")
    w = section.weights
    assert (w.market, w.performance, w.system) == (0.8, 0.3, 0.0)


async def test_in_the_crash_the_adaptive_pace_quickens_and_says_by_what() -> None:
    turned = await started()
    await turned.advance(65.0)
    told = list(events(turned, EventType.AGENT_PACED))
    assert {"monte_carlo", "risk"} <= {t["agent_id"] for t in told}
    assert all(t["inputs"]["system"] is None for t in told), "nothing of this machine counts"
    last = [t for t in told if t["agent_id"] == "risk"][-1]
    assert last["inputs"]["market"] > 0.7
    assert last["interval_s"] < last["base_interval_s"] == 60.0
    shown = row(turned, "risk")
    assert shown.interval_s == last["interval_s"]
    assert shown.pace_inputs is not None
    assert shown.pace_inputs.market == last["inputs"]["market"]


async def test_with_all_weights_at_nought_no_interval_moves() -> None:
    turned = await started()
    await turned.obey(SetSchedulerWeights(market=0.0, performance=0.0, system=0.0))
    await turned.advance(65.0)
    assert list(events(turned, EventType.AGENT_PACED)) == []
