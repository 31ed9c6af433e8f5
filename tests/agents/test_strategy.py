"""Strategy: events in, events out."""

import math

import pytest

from engine.agents.strategy import StrategyAgent
from engine.core.event_bus import EventBus
from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.domain.events import Event, EventType
from engine.domain.signals import CycleRecord, Signal, SignalAction
from tests.agents.markets import Market


def agent(market: Market, **config) -> StrategyAgent:
    return StrategyAgent(
        "strategy", EventBus(), market.state, {"symbols": (market.symbol,)} | config
    )


def risk(market: Market, **data) -> Event:
    data = {"symbol": market.symbol, "risk_level": "low", "is_record": True} | data
    return Event(EventType.RISK_UPDATE, data, as_of=market.last_close_at)


def rising(n=120) -> Market:
    market = Market(n=n)
    market.prices = [100 * 1.01**k for k in range(n)]
    market.close(market.prices[-1] * 1.01)
    market.state.set("mc:AAPL", {"probability_up": 0.65})
    return market


def test_the_forecasts_dangers_and_the_sentiment_reach_every_algorithm():
    market, told = rising(), {}

    def curious(data, symbol, price, **known):
        told.update(known)
        return "HOLD", 0.0, {}

    known = {"probability_up": 0.65, "touch_below": 0.3, "touch_above": 0.4, "drawdown_95": -0.12}
    market.state.set("mc:AAPL", known)
    market.state.set("sentiment:AAPL", -0.4)
    one = agent(market)
    one.orchestrator.register_algorithm("curious", curious)
    recorded, *_ = one.handle(risk(market))
    assert told == {
        "mc_probability_up": 0.65, "mc_touch_below": 0.3, "mc_touch_above": 0.4, "mc_drawdown_95": -0.12,
        "sentiment": -0.4, "now": market.last_close_at, "market_regime": "trending",
    }  # fmt: skip
    votes = {vote.algorithm: vote for vote in CycleRecord.from_data(recorded.data).votes}
    assert votes["mc_probability"].indicators == {
        "probability_up": 0.65, "touch_below": 0.3, "touch_above": 0.4, "drawdown_95": -0.12,
    }  # fmt: skip


def test_a_rising_market_gives_a_record_and_a_signal():
    market = rising()
    recorded, signalled = agent(market).handle(risk(market))
    record = CycleRecord.from_data(recorded.data)
    signal = Signal.from_data(signalled.data["signal"])
    assert record.action is signal.action is SignalAction.BUY
    assert record.score > record.threshold
    assert record.bar_closed_at == signal.timestamp == market.last_close_at
    assert signal.stop_loss < signal.price < signal.take_profit
    assert signal.quantity is None
    leader = max(record.votes, key=lambda vote: vote.part)
    assert (signal.strategy, signal.reason) == (leader.algorithm, leader.reason)
    flat = signalled.data
    assert (flat["symbol"], flat["action"], flat["cycle_id"]) == ("AAPL", "BUY", record.cycle_id)


def test_the_parts_of_a_record_add_up_to_its_score():
    market = rising()
    record = CycleRecord.from_data(next(iter(agent(market).handle(risk(market)))).data)
    assert math.fsum(vote.part for vote in record.votes) == record.score
    assert math.fsum(vote.weight for vote in record.votes) == pytest.approx(1.0)
    for vote in record.votes:
        assert vote.part == pytest.approx(vote.vote * vote.weight * vote.regime_factor)


def test_a_market_without_direction_gives_a_record_that_says_hold():
    market = Market()
    market.prices = [100.0] * 119
    market.close(100.0)
    (recorded,) = agent(market).handle(risk(market))
    record = CycleRecord.from_data(recorded.data)
    assert record.action is SignalAction.HOLD
    assert record.verdict == "Hold. The score 0.000 is inside ±0.150."
    assert [s.rule for s in record.steps] == ["Threshold"]


@pytest.mark.parametrize("data", [{"is_record": False}, {"symbol": "portfolio"}, {"symbol": "IBM"}])
def test_redraws_the_portfolio_and_strangers_lead_to_nothing(data):
    market = rising()
    assert list(agent(market).handle(risk(market, **data))) == []


def test_an_update_without_the_mark_counts_as_a_record():
    market = rising()
    event = Event(
        EventType.RISK_UPDATE, {"symbol": "AAPL", "risk_level": "low"}, as_of=market.last_close_at
    )
    assert len(list(agent(market).handle(event))) == 2


def test_a_vote_never_looks_past_its_bar():
    market, later = rising(), rising()
    asked = risk(market)
    later.close(1.0)
    assert list(agent(later).handle(asked)) == list(agent(market).handle(asked))


def test_votes_are_settled_by_the_next_close():
    market = rising()
    subject = agent(market)
    assert subject.orchestrator.n == 0
    record = CycleRecord.from_data(next(iter(subject.handle(risk(market)))).data)
    cast = [vote for vote in record.votes if vote.vote != 0]
    subject.handle(risk(market))
    assert subject.orchestrator.n == 0
    market.close(market.prices[-1] * 1.02)
    subject.handle(risk(market))
    assert (subject.orchestrator.n, subject.orchestrator.wins) == (
        len(cast),
        sum(vote.vote > 0 for vote in cast),
    )


def test_a_loaded_history_leaves_old_votes_unsettled():
    market = rising()
    subject = agent(market)
    subject.handle(risk(market))
    subject.handle(market.loaded())
    market.close(market.prices[-1])
    subject.handle(risk(market))
    assert subject.orchestrator.n == 0


def test_a_weight_counts_from_the_next_vote_after_its_event():
    market = rising()
    subject = agent(market)
    change = subject.set_weights({"momentum": 0.0}, actor="ann")
    assert change.previous["momentum"] == 0.30
    assert subject.orchestrator.weights["momentum"] == 0.30
    subject.handle(Event(EventType.WEIGHTS_CHANGED, change.to_data()))
    record = CycleRecord.from_data(next(iter(subject.handle(risk(market)))).data)
    shares = {vote.algorithm: vote.weight for vote in record.votes}
    assert shares["momentum"] == 0.0
    assert math.fsum(shares.values()) == pytest.approx(1.0)


def test_a_strategy_switched_off_has_no_vote():
    market = rising()
    subject = agent(market)
    subject.handle(
        Event(EventType.WEIGHTS_CHANGED, subject.set_weights(enabled={"momentum": False}).to_data())
    )
    record = CycleRecord.from_data(next(iter(subject.handle(risk(market)))).data)
    assert "momentum" not in {vote.algorithm for vote in record.votes}


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf"), "much", True])
def test_a_senseless_weight_is_refused_by_name(weight):
    with pytest.raises(InvalidValueError, match=r"weights\.momentum"):
        agent(Market()).set_weights({"momentum": weight})


def test_unknown_names_and_a_vote_of_nobody_are_refused():
    subject = agent(Market())
    with pytest.raises(UnknownNameError, match="astrology"):
        subject.set_weights({"astrology": 1.0})
    with pytest.raises(InvalidValueError, match="add up"):
        subject.set_weights(dict.fromkeys(subject.orchestrator.weights, 0.0))
    with pytest.raises(InvalidValueError, match="add up"):
        subject.set_weights(enabled=dict.fromkeys(subject.orchestrator.weights, False))


def test_journalled_weights_are_in_force_at_the_start_and_forgotten_names_are_left_out():
    subject = agent(Market(), weights={"momentum": 0.5, "gone": 1.0}, enabled={"breakout": False})
    rows = {row.name: row for row in subject.rows()}
    assert rows["momentum"].weight == 0.5
    assert rows["breakout"].enabled is False
    assert "gone" not in rows
