"""A thousand commands at once, each clicked twice, into the whole engine: applied once each, the vote stays whole."""

from collections import Counter

import pytest

from engine.bootstrap.turned import TurnedEngine, build_turned
from engine.domain.commands import (
    AcknowledgeAlert,
    HaltTrading,
    PauseAgent,
    ResumeAgent,
    RunAgentOnce,
    SetStrategyEnabled,
    SetStrategyWeights,
)
from engine.domain.events import EventType
from engine.domain.payload import Payload
from engine.domain.signals import CycleRecord
from engine.settings import Settings

pytestmark = pytest.mark.asyncio

N = 1_000


def wishes(names: list[str]) -> list[Payload]:
    """Return a thousand commands of every temper, some of which must be refused."""
    first, second = names[0], names[1]
    kinds: list[Payload] = [
        SetStrategyWeights(weights={first: 0.25}),
        SetStrategyWeights(weights={first: 3.0, second: 0.5}),
        SetStrategyWeights(weights=dict.fromkeys(names, 0.0)),  # nobody would vote: refused
        SetStrategyWeights(weights={"nobody": 1.0}),  # refused
        SetStrategyEnabled(strategy=second, enabled=False),
        SetStrategyEnabled(strategy=second, enabled=True),
        RunAgentOnce(agent_id="market_data"),
        PauseAgent(agent_id="sentiment"),  # of two in a row the second is refused
        ResumeAgent(agent_id="sentiment"),
        AcknowledgeAlert(alert_id=None),
    ]
    return [kinds[n % len(kinds)] for n in range(N)]


async def flooded(n_clicks: int, *, ids: bool = True) -> TurnedEngine:
    """Send everything at once, each click with the id of its wish (or none of its own), and have it obeyed."""
    turned = build_turned(Settings(mc_levels=(1,), mc_rehearsal=0, speed=60))
    await turned.host.start()
    await turned.advance(2.0)
    commands = wishes(list(turned.engine.crew.strategy.orchestrator.weights))
    for _ in range(n_clicks):
        for n, command in enumerate(commands):
            turned.gateway.send(command, actor="anna", command_id=f"w{n}" if ids else None)
    while await turned.engine.desk.work_once():
        pass
    return turned


def answers(turned: TurnedEngine) -> Counter[tuple[str, str]]:
    kinds = {EventType.COMMAND_ACCEPTED, EventType.COMMAND_REFUSED}
    told = (e for e in turned.journal.events() if e.event_type in kinds)
    return Counter((e.data["command_id"], e.event_type.value) for e in told)


async def test_each_of_a_thousand_wishes_is_answered_once_however_often_it_was_clicked() -> None:
    once, twice = await flooded(1), await flooded(2)
    assert set(answers(twice).values()) == {1}
    assert {name for name, _ in answers(twice)} == {f"w{n}" for n in range(N)}
    assert answers(twice) == answers(once)
    assert turned_weights(twice) == turned_weights(once)
    assert twice.log_hash() == once.log_hash()
    assert twice.journal.take() == ()


async def test_clicks_without_an_id_of_their_wish_would_be_obeyed_twice() -> None:
    assert sum(answers(await flooded(2, ids=False)).values()) == 2 * N


async def test_after_a_flood_of_weights_shares_add_up_and_the_score_is_the_sum_of_its_parts() -> (
    None
):
    turned = await flooded(2)
    await turned.advance(1.0)
    records = [
        CycleRecord.from_data(e.data)
        for e in turned.journal.events()
        if e.event_type is EventType.CYCLE_RECORDED
    ]
    last = records[-1]
    assert sum(vote.weight for vote in last.votes) == pytest.approx(1.0, abs=1e-12)
    assert last.score == pytest.approx(sum(vote.part for vote in last.votes), abs=1e-12)
    weights = turned_weights(turned)
    shares = {name: weight / sum(weights.values()) for name, weight in weights.items()}
    assert {vote.algorithm: vote.weight for vote in last.votes} == pytest.approx(shares)


async def test_a_halt_behind_a_flood_is_obeyed_first() -> None:
    turned = build_turned(Settings(mc_levels=(1,), mc_rehearsal=0, speed=60))
    await turned.host.start()
    for n in range(3 * N):
        turned.gateway.send(RunAgentOnce(agent_id="market_data"), command_id=f"w{n}")
    turned.gateway.send(HaltTrading(reason="flood"), command_id="halt")
    while await turned.engine.desk.work_once():
        pass
    order = [e.data["command_id"] for e in turned.journal.events() if "command_id" in e.data]
    assert order[0] == "halt"
    assert len(order) == 3 * N + 1


def turned_weights(turned: TurnedEngine) -> dict[str, float]:
    return turned.engine.crew.strategy.orchestrator.weights
