from datetime import UTC, datetime, timedelta

import pytest

from engine.domain.errors import InvalidValueError
from engine.domain.signals import SignalAction, SignalStrength, StrategyContext
from engine.strategies.base import BaseStrategy, Judgement, VotingStrategy, as_context, strength_of

NOON = datetime(2008, 9, 26, 20, 0, tzinfo=UTC)


class Fixed(VotingStrategy):
    title = "Fixed"

    def judge(self, context):
        return Judgement(float(self.config["vote"]), "fixed", {"x": 1.0})


def signal(vote, **extra):
    context = {"symbol": "AAPL", "prices": [99.0, 100.0], "now": NOON, **extra}
    return Fixed("fixed", {"vote": vote}).generate_signal(context)


def test_a_signal_says_what_was_judged():
    made = signal(-0.5)
    assert (made.symbol, made.action, made.price) == ("AAPL", SignalAction.SELL, 100.0)
    assert (made.confidence, made.strength) == (0.5, SignalStrength.MODERATE)
    assert (made.stop_loss, made.take_profit) == (pytest.approx(102.0), pytest.approx(96.0))
    assert (made.reason, made.strategy, made.quantity) == ("fixed", "fixed", None)


def test_no_view_is_no_signal():
    assert signal(0.0) is None


def test_market_time_is_the_signals_time_and_the_clock_only_where_there_is_none():
    assert signal(1.0).timestamp == NOON
    before = datetime.now(UTC)
    stamped = signal(1.0, now=None).timestamp
    assert before <= stamped <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.parametrize(("vote", "sign"), [(0.5, 1), (-0.5, -1)])
def test_forecast_and_sentiment_shift_confidence_towards_their_side(vote, sign):
    plain = signal(vote).confidence
    assert sign * (signal(vote, mc_probability_up=0.7).confidence - plain) > 0
    assert sign * (signal(vote, mc_probability_up=0.3).confidence - plain) < 0
    assert sign * (signal(vote, sentiment=0.8).confidence - plain) > 0
    assert signal(vote, mc_probability_up=0.5, sentiment=0.0).confidence == plain


def test_evidence_never_lifts_confidence_over_one_nor_turns_a_signal():
    assert signal(1.0, mc_probability_up=1.0, sentiment=1.0).confidence == 1.0
    against = signal(1.0, mc_probability_up=0.0, sentiment=-1.0)
    assert against.action is SignalAction.BUY
    assert 0.0 < against.confidence < 1.0


@pytest.mark.parametrize("price", [0.01, 100.0, 1e6])
def test_stop_and_target_lie_on_their_sides_with_configured_distances(price):
    strategy = Fixed("x", {"vote": 0, "stop_loss_pct": 0.1, "take_profit_pct": 0.3})
    assert strategy.calculate_stop_loss(price, SignalAction.BUY) == pytest.approx(0.9 * price)
    assert strategy.calculate_take_profit(price, "SELL") == pytest.approx(0.7 * price)


def test_the_target_of_a_sell_is_never_below_zero():
    strategy = Fixed("x", {"vote": 0, "take_profit_pct": 2.0})
    assert 0.0 < strategy.calculate_take_profit(100.0, SignalAction.SELL) < 1.0


def test_a_hold_has_no_stop():
    with pytest.raises(InvalidValueError, match="BUY or SELL"):
        Fixed("x", {"vote": 0}).calculate_stop_loss(100.0, SignalAction.HOLD)


@pytest.mark.parametrize("distance", [0.0, -0.02, 1.0, "2%"])
def test_a_senseless_stop_distance_is_refused_by_name(distance):
    with pytest.raises(InvalidValueError, match="stop_loss_pct"):
        Fixed("x", {"vote": 0, "stop_loss_pct": distance})


def test_a_dict_without_prices_is_refused_and_unknown_keys_do_no_harm():
    with pytest.raises(InvalidValueError, match="prices"):
        as_context({"symbol": "X"})
    context = as_context({"symbol": "X", "prices": [1.0], "colour": "blue"})
    assert context == StrategyContext(symbol="X", prices=[1.0])


def test_a_strategy_must_say_how_it_signals():
    with pytest.raises(TypeError, match="generate_signal"):
        BaseStrategy(name="x", config={})


def test_strength_has_three_words():
    assert [strength_of(c) for c in (0.0, 0.34, 0.67)] == [
        SignalStrength.WEAK, SignalStrength.MODERATE, SignalStrength.STRONG,
    ]  # fmt: skip
