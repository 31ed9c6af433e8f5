"""Risk: events in, events out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from engine.agents.account_depth import AccountDepth
from engine.agents.risk import RiskAgent
from engine.core.event_bus import EventBus
from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.domain.events import Event, EventType
from engine.domain.instrument import Instrument
from engine.domain.risk import Alert, RiskLevel, RiskMetrics
from engine.domain.trading import Account, Position
from engine.domain.var_backtest import VarsSettled
from engine.kernels.tail_risk import value_at_risk
from tests.agents.markets import FIRST, Market


def agent(market: Market, **config) -> RiskAgent:
    return RiskAgent(
        "risk", EventBus(), market.state, {"symbols": (market.symbol,), "seed": 5} | config
    )


def forecast(market: Market, *, is_record=True) -> Event:
    data = {
        "symbol": market.symbol,
        "origin": market.last_close_at.isoformat(),
        "is_record": is_record,
        "probability_up": 0.5,
    }
    return Event(EventType.MC_UPDATE, data, as_of=market.last_close_at)


def of(events, event_type):
    return [event for event in events if event.event_type is event_type]


def crash(market: Market, n=8) -> None:
    for _ in range(n):
        market.close(market.prices[-1] * 0.9)


def test_only_the_primary_level_leads_to_a_risk():
    market = Market(n=300)
    subject, event = agent(market), forecast(market)
    other = Event(event.event_type, {**event.data, "is_primary": False}, as_of=event.as_of)
    assert tuple(subject.handle(other)) == ()
    assert market.state.get("risk:AAPL") is None
    assert len(tuple(subject.handle(event))) == 1  # control


def test_a_forecast_leads_to_the_symbols_risk():
    market = Market(n=300)
    (event,) = agent(market).handle(forecast(market))
    metrics = RiskMetrics.from_data(event.data)
    returns = np.diff(market.prices) / market.prices[:-1]
    assert metrics.n_observations == 299
    assert metrics.var_95 == pytest.approx(value_at_risk(returns, 0.95))
    assert metrics.cvar_95 >= metrics.var_95
    assert metrics.var_95_monte_carlo == pytest.approx(metrics.var_95_parametric, rel=0.1)
    assert sum(point.points for point in metrics.points) == metrics.score
    assert (event.data["symbol"], event.data["is_record"]) == ("AAPL", True)
    assert event.data["risk_level"] == metrics.risk_level.value
    assert market.state.get("risk:AAPL")["var_95"] == metrics.var_95


def test_what_was_stated_at_a_close_is_held_against_the_next():
    market = Market(n=300)
    subject = agent(market)
    (first,) = subject.handle(forecast(market))
    market.close(market.prices[-1] * 0.9)
    settled, second, *_ = subject.handle(forecast(market))  # it rings as well
    assert settled.event_type is EventType.VAR_SETTLED
    told = VarsSettled.from_data(settled.data)
    assert (told.symbol, settled.as_of) == ("AAPL", market.last_close_at)
    assert told.rows[0].change == pytest.approx(-0.1)
    assert told.rows[0].stated[:2] == (first.data["var_95"], first.data["var_99"])
    assert second.data["var_95"] >= first.data["var_95"]
    market.close(market.prices[-1])
    assert [e.event_type for e in subject.handle(forecast(market, is_record=False))] == [
        EventType.RISK_UPDATE
    ]


def test_a_loaded_history_is_walked():
    market = Market(n=300)
    walked, _ = agent(market).handle(market.loaded())
    told = VarsSettled.from_data(walked.data)
    assert (walked.event_type, len(told.rows)) == (EventType.VAR_WALKED, 250)
    assert told.rows[-1].at == market.last_close_at.timestamp()


def test_todays_positions_are_walked_with_a_cycle_when_they_are_other_ones():
    market = Market(n=300)
    account = [Account(name="paper", initial_cash=Decimal(100_000), cash=Decimal(100_000))]
    subject = agent(market, portfolio=lambda: (account[0], {"AAPL": market.prices[-1]}))
    list(subject.handle(market.loaded()))
    assert of(subject.cycle(), EventType.VAR_WALKED) == []
    held = Position(symbol="AAPL", quantity=Decimal(100), entry_price=Decimal(100), opened_at=FIRST)
    account[0] = Account(
        name="paper", initial_cash=Decimal(100_000), cash=Decimal(90_000), positions=(held,)
    )
    (walked,) = of(subject.cycle(), EventType.VAR_WALKED)
    told = VarsSettled.from_data(walked.data)
    assert (told.symbol, len(told.rows)) == ("portfolio", 250)
    assert of(subject.cycle(), EventType.VAR_WALKED) == [], "nothing is new"
    leveraged = replace(
        held, quantity=Decimal(-100_000)
    )  # a rise by a tenth loses more than all there is
    crash(market)
    list(subject.handle(market.loaded()))
    account[0] = replace(
        account[0],
        cash=Decimal(10_000) + 100_000 * Decimal(str(market.prices[-1])),
        positions=(leveraged,),
    )
    (walked,) = of(subject.cycle(), EventType.VAR_WALKED)
    assert VarsSettled.from_data(walked.data).rows == (), "no law says what it could have lost"
    account[0] = Account(name="paper", initial_cash=Decimal(100_000), cash=Decimal(100_000))
    (walked,) = of(subject.cycle(), EventType.VAR_WALKED)
    assert VarsSettled.from_data(walked.data).rows == (), "nothing is held"


def test_a_redraw_leads_to_risk_that_is_no_record():
    market = Market()
    (event,) = agent(market).handle(forecast(market, is_record=False))
    assert event.data["is_record"] is False


def test_too_few_returns_give_no_number_and_the_reason():
    market = Market(n=20)
    (event,) = agent(market).handle(forecast(market))
    metrics = RiskMetrics.from_data(event.data)
    assert (metrics.var_95, metrics.note) == (None, "n = 19 returns, needs 30")


def test_risk_never_looks_past_the_forecasts_bar():
    market, later = Market(), Market()
    asked = forecast(market)
    later.close(20.0)
    assert list(agent(later).handle(asked)) == list(agent(market).handle(asked))


def test_a_crash_rings_once_per_limit_and_again_only_after_calm():
    market = Market(n=400)
    subject = agent(market)
    assert of(subject.handle(forecast(market)), EventType.RISK_ALERT) == []
    crash(market)
    alerts = [
        Alert.from_data(e.data) for e in of(subject.handle(forecast(market)), EventType.RISK_ALERT)
    ]
    assert {a.metric for a in alerts} == {"drawdown", "score"}
    assert all(a.symbol == "AAPL" and a.value > a.limit for a in alerts)
    crash(market, 1)
    assert of(subject.handle(forecast(market)), EventType.RISK_ALERT) == []
    for _ in range(12):
        market.close(market.prices[-1] * 1.1)
    assert of(subject.handle(forecast(market)), EventType.RISK_ALERT) == []
    crash(market, 4)
    again = of(subject.handle(forecast(market)), EventType.RISK_ALERT)
    assert "drawdown" in {e.data["metric"] for e in again}


def test_what_was_crossed_before_trading_began_does_not_ring():
    market = Market(n=400)
    crash(market)
    subject = agent(market)
    assert of(subject.handle(market.loaded()), EventType.RISK_ALERT) == []
    assert of(subject.handle(forecast(market)), EventType.RISK_ALERT) == []
    # the control: without the warm-up the same market rings
    assert of(agent(market).handle(forecast(market)), EventType.RISK_ALERT)


def test_alert_ids_are_the_same_in_every_run():
    found = []
    for _ in range(2):
        market = Market(n=400)
        crash(market)
        found.append(
            [
                e.data["alert_id"]
                for e in of(agent(market).handle(forecast(market)), EventType.RISK_ALERT)
            ]
        )
    assert found[0] == found[1]
    assert len(set(found[0])) == len(found[0])


def test_a_cycle_measures_closes_that_no_forecast_announced():
    market = Market()
    subject = agent(market)
    assert len(list(subject.cycle())) == 1
    assert list(subject.cycle()) == []
    market.close(101.0)
    assert len(list(subject.cycle())) == 1


def test_beta_is_measured_against_the_first_index():
    market = Market()
    index = Market(symbol="SPX", state=market.state)
    index.prices = [10 * p**2 for p in market.prices]
    index.close(10 * 101.0**2)
    market.close(101.0)
    instruments = (
        Instrument(symbol="AAPL", name="Apple"),
        Instrument(symbol="SPX", name="S&P 500", is_tradable=False),
    )
    subject = agent(market, instruments=instruments)
    (event,) = subject.handle(forecast(market))
    assert event.data["beta"] == pytest.approx(0.5, abs=0.02)


def test_an_empty_account_has_nothing_at_risk():
    market = Market()
    subject = agent(market, portfolio=lambda: (Account(), {}))
    _, event = subject.handle(forecast(market))
    metrics = RiskMetrics.from_data(event.data)
    assert (metrics.scope, metrics.var_95, metrics.note) == ("portfolio", 0.0, "no position")
    assert event.data["is_record"] is True
    assert len(list(subject.handle(forecast(market)))) == 1


def test_the_accounts_risk_is_that_of_todays_positions():
    market = Market(n=300)
    price = market.prices[-1]
    position = Position(
        symbol="AAPL",
        quantity=Decimal(100),
        entry_price=Decimal(90),
        opened_at=datetime(2007, 1, 1, tzinfo=UTC),
    )
    account = Account(cash=Decimal(100_000) - Decimal(str(100 * price)), positions=(position,))
    subject = agent(market, portfolio=lambda: (account, {"AAPL": price}))
    own, whole = (RiskMetrics.from_data(e.data) for e in subject.handle(forecast(market)))
    assert whole.var_95 == pytest.approx(own.var_95 * 100 * price / 100_000)


def test_the_founding_calculations_agree_with_each_other():
    subject = agent(Market())
    returns = np.random.default_rng(2).normal(0, 0.01, 2000)
    assert subject.calculate_cvar(returns) >= subject.calculate_var(returns)
    assert subject.calculate_var(returns, 0.99, "parametric") == pytest.approx(0.0233, rel=0.05)
    metrics = subject.calculate_metrics(returns, returns * 2)
    assert metrics["beta"] == pytest.approx(0.5)
    assert metrics["note"] == ""


def test_poor_data_gives_none_with_the_reason():
    metrics = agent(Market()).calculate_metrics([0.01])
    assert metrics["var_95"] is None
    assert "at least 2 observations" in metrics["note"]
    with pytest.raises(NotEnoughDataError):
        agent(Market()).calculate_var([])


def test_unknown_methods_and_senseless_limits_are_refused():
    with pytest.raises(InvalidValueError, match="method"):
        agent(Market()).calculate_var([0.1, 0.2], method="astrology")
    with pytest.raises(InvalidValueError, match="max_var_threshold"):
        agent(Market(), max_var_threshold=5)
    with pytest.raises(InvalidValueError, match="var_confidence"):
        agent(Market(), var_confidence=0.05)


def test_a_calm_market_is_low():
    market = Market()
    (event,) = agent(market).handle(forecast(market))
    assert RiskLevel(event.data["risk_level"]) in {RiskLevel.LOW, RiskLevel.MEDIUM}


def test_an_alert_of_the_accounts_drawdown_rings_when_the_last_position_is_closed():
    market = Market(n=300)
    cash = [Decimal(100_000)]
    subject = agent(market, portfolio=lambda: (Account(cash=cash[0]), {}))
    subject.handle(forecast(market))
    cash[0] = Decimal(85_000)
    later = market.last_close_at + timedelta(hours=18)
    fill = Event(EventType.ORDER_FILLED, {"symbol": "AAPL"}, as_of=later)
    (alert,) = of(subject.handle(fill), EventType.RISK_ALERT)
    assert (alert.data["symbol"], alert.data["metric"]) == ("portfolio", "drawdown")
    assert alert.data["value"] == pytest.approx(0.15)


def test_half_told_closes_make_no_peak_of_the_account():
    depth = AccountDepth()
    first, second = datetime(2008, 9, 26, 20, tzinfo=UTC), datetime(2008, 9, 29, 20, tzinfo=UTC)
    assert depth.take(100.0, first, is_close=True) == (0.0, 0.0)
    assert depth.take(110.0, second, is_close=True) == (0.0, 0.0)  # one of two symbols told
    assert depth.take(95.0, second, is_close=True) == pytest.approx((-0.05, -0.05))
    assert depth.peak == 100.0
