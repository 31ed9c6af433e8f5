"""Sentiment: nothing to ask without a source; with one, scores in the state and on the bus."""

from functools import partial
from typing import Any

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.agents.sentiment import NO_SOURCE, SentimentAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus
from engine.domain.errors import InvalidValueError
from engine.domain.events import Event, EventType


def build(**config: object) -> tuple[SentimentAgent, list[Event], Any]:
    bus, clock = EventBus(), ManualClock()
    agent = SentimentAgent(
        "sentiment", bus, StateManager(), {"clock": clock, "symbols": ["A", "B"], **config}
    )
    events: list[Event] = []
    for event_type in (EventType.CUSTOM, EventType.AGENT_FAILED):
        bus.subscribe(event_type, events.append)
    return agent, events, clock


@pytest.mark.asyncio
async def test_without_a_source_it_is_not_set_up_and_says_why() -> None:
    agent, _, _ = build()
    assert (agent.status, agent.reason) == (AgentStatus.NOT_SET_UP, NO_SOURCE)
    await agent.start()
    assert agent.status is AgentStatus.NOT_SET_UP


def plain(symbol: str) -> float:
    return {"A": 0.5, "B": -1.0}[symbol]


async def asked(symbol: str) -> float:
    return plain(symbol)


@pytest.mark.parametrize("source", [plain, asked, partial(asked)])
@pytest.mark.asyncio
async def test_scores_stand_in_the_state_and_on_the_bus(source: object) -> None:
    agent, events, clock = build(source=source)
    await agent.start()
    await clock.run(299)
    assert [dict(e.data) for e in events] == [
        {"kind": "sentiment", "symbol": "A", "score": 0.5},
        {"kind": "sentiment", "symbol": "B", "score": -1.0},
    ]
    assert agent.get_state("sentiment:B") == -1.0
    await clock.run(1)
    assert len(events) == 4
    await agent.stop()


@pytest.mark.parametrize("bad", [float("nan"), 1.5, "good", None, True])
@pytest.mark.asyncio
async def test_an_impossible_score_is_a_visible_failure_and_the_other_symbols_go_on(
    bad: Any,
) -> None:
    agent, events, clock = build(source=lambda symbol: bad if symbol == "A" else 0.25)
    await agent.start()
    await clock.run(0)
    assert agent.get_state("sentiment:A") is None
    assert agent.get_state("sentiment:B") == 0.25
    (failed,) = [e for e in events if e.event_type is EventType.AGENT_FAILED]
    assert "sentiment of A" in failed.data["error"]
    await agent.stop()


def test_a_source_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="source"):
        build(source="reuters")
