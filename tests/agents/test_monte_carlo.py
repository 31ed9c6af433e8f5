"""Monte Carlo: events in, events out."""

from itertools import pairwise

import numpy as np
import pytest

from engine.agents.monte_carlo import LEAST_RETURNS, MonteCarloAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.domain.events import Event, EventType
from engine.domain.forecast import FAN_LEVELS, QUANTILE_LEVELS, Forecast, SimulationLevel
from tests.agents.markets import Market, closes


def agent(market: Market, **config) -> MonteCarloAgent:
    return MonteCarloAgent(
        "monte_carlo", EventBus(), market.state,
        {"symbols": (market.symbol,), "seed": 5, "n_paths": 200} | config,
    )  # fmt: skip


def forecast(events) -> Forecast:
    (event,) = events
    assert event.event_type is EventType.MC_UPDATE
    return Forecast.from_data(event.data)


def test_a_closed_bar_gives_a_record_that_starts_at_its_close():
    market = Market()
    subject = agent(market)
    made = forecast(subject.handle(market.close(101.5)))
    assert made.is_record
    assert (made.spot, made.origin) == (101.5, market.last_close_at)
    assert len(made.fan) == len(FAN_LEVELS)
    assert {row[0] for row in made.fan} == {101.5}
    assert [q.horizon for q in made.quantiles] == [1, 5, 20]
    assert all(len(q.prices) == len(QUANTILE_LEVELS) for q in made.quantiles)
    assert made.step_seconds == 86_400
    assert market.state.get("mc:AAPL")["probability_up"] == made.probability_up


def test_a_forming_bar_gives_nothing():
    market = Market()
    subject = agent(market)
    subject.handle(market.loaded())
    assert list(subject.handle(market.tick(101.0))) == []


def test_a_closing_tick_lost_under_load_is_made_up_for_by_the_next_tick():
    market = Market()
    subject = agent(market)
    subject.handle(market.loaded())
    market.close(103.0)  # this event never reaches the agent
    made = forecast(subject.handle(market.tick(104.0)))
    assert (made.spot, made.is_record) == (103.0, True)
    assert list(subject.handle(market.tick(104.5))) == []


def test_a_forecast_never_looks_past_the_bar_it_is_made_for():
    market, later = Market(), Market()
    asked = market.close(102.0)
    later.close(102.0)
    later.close(150.0)
    assert forecast(agent(later).handle(asked)) == forecast(agent(market).handle(asked))


def test_a_loaded_history_is_drawn_but_not_recorded():
    market = Market()
    made = forecast(agent(market).handle(market.loaded()))
    assert not made.is_record
    assert made.spot == market.prices[-1]


def test_too_few_returns_give_no_forecast_and_the_reason():
    market = Market(n=LEAST_RETURNS - 1)
    subject = agent(market)
    assert list(subject.handle(market.close(100.0))) == []
    assert subject.waiting == {"AAPL": f"n = {LEAST_RETURNS - 1} returns, needs {LEAST_RETURNS}"}
    assert len(list(subject.handle(market.close(100.0)))) == 1
    assert subject.waiting == {}


def test_the_window_bounds_the_estimate():
    market = Market(n=200)
    made = forecast(agent(market, window=60).handle(market.close(100.0)))
    assert made.n_observations == 60
    assert made.drift_error_per_step == pytest.approx(made.sigma_per_step / 60**0.5)


def test_the_same_bar_and_seed_give_the_same_fan_and_another_seed_another():
    market = Market()
    event = market.close(100.0)
    one, same = (forecast(agent(market).handle(event)) for _ in range(2))
    other = forecast(agent(market, seed=6).handle(event))
    assert one == same
    assert one.fan != other.fan


def test_the_far_horizon_is_recorded_even_when_the_fan_is_short():
    market = Market()
    made = forecast(agent(market, n_steps=3).handle(market.close(100.0)))
    assert len(made.fan[0]) == 4
    assert made.quantiles[-1].horizon == 20


def test_a_level_not_built_degrades_and_says_so():
    market = Market()
    subject = agent(market, levels=[SimulationLevel.LEVEL_2_CONDITIONAL])
    made = forecast(subject.handle(market.close(100.0)))
    assert made.level is SimulationLevel.LEVEL_1_BASE
    assert "level 2 is not built yet" in made.note


def test_a_price_without_a_bar_is_one_observation():
    state = StateManager()
    subject = MonteCarloAgent("mc", EventBus(), state, {"symbols": ["BTC"], "n_paths": 50})
    made = []
    for price in closes(LEAST_RETURNS + 3):
        event = Event(EventType.MARKET_DATA, {"symbol": "BTC", "price": price})
        made.extend(subject.handle(event))
    assert len(made) == 3
    assert made[-1].data["spot"] == closes(LEAST_RETURNS + 3)[-1]


def test_a_symbol_of_somebody_else_is_left_alone():
    market = Market(symbol="IBM")
    subject = MonteCarloAgent("mc", EventBus(), market.state, {"symbols": ["AAPL"]})
    assert list(subject.handle(market.close(100.0))) == []


def test_a_cycle_draws_only_what_has_no_drawing_of_its_last_bar():
    market = Market()
    subject = agent(market)
    assert forecast(subject.cycle()).is_record is False
    assert list(subject.cycle()) == []


def test_simulate_gives_paths_from_the_last_price_with_ordered_bands():
    result = agent(Market()).simulate("AAPL", prices=closes(), n_paths=300, n_steps=10, seed=3)
    assert result.paths.shape == (300, 11)
    np.testing.assert_allclose(result.paths[:, 0], closes()[-1])
    rows = [result.percentiles[k] for k in sorted(result.percentiles, key=float)]
    assert all(a <= b for low, high in pairwise(rows) for a, b in zip(low, high, strict=True))
    assert rows[3][-1] == pytest.approx(np.median(result.paths[:, -1]), rel=1e-5)


def test_simulate_refuses_what_is_not_built_or_not_given():
    subject = agent(Market())
    with pytest.raises(InvalidValueError, match="not built yet"):
        subject.simulate("AAPL", prices=closes(), level=SimulationLevel.LEVEL_5_SEMANTIC)
    with pytest.raises(InvalidValueError, match="level 2"):
        subject.simulate("AAPL", prices=closes(), events=[{"sentiment": 1}])
    with pytest.raises(NotEnoughDataError):
        subject.simulate("UNHEARD")


@pytest.mark.parametrize(("name", "value"), [("n_paths", 0), ("n_steps", "x"), ("levels", [9])])
def test_senseless_configuration_is_refused_by_name(name, value):
    with pytest.raises(InvalidValueError, match=name):
        agent(Market(), **{name: value})
