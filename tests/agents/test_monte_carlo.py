"""Monte Carlo: events in, events out."""

import asyncio
import threading
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from engine.adapters.compute.inline import InlineCompute
from engine.agents.monte_carlo import LEAST_RETURNS, MonteCarloAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.domain.events import Event, EventType
from engine.domain.forecast import (
    FAN_LEVELS,
    QUANTILE_LEVELS,
    Forecast,
    ForecastsSettled,
    SimulationLevel,
)
from tests.agents.markets import FIRST, Market, closes

SETTLED = EventType.FORECASTS_SETTLED


def told(event: Event) -> ForecastsSettled:
    return ForecastsSettled.from_data(event.data)


def agent(market: Market, **config) -> MonteCarloAgent:
    return MonteCarloAgent(
        "monte_carlo", EventBus(), market.state,
        {"symbols": (market.symbol,), "seed": 5, "n_paths": 200} | config,
    )  # fmt: skip


def forecast(events) -> Forecast:
    (event,) = (e for e in events if e.event_type is EventType.MC_UPDATE)
    return Forecast.from_data(event.data)


def test_a_closed_bar_gives_a_record_that_starts_at_its_close():
    market = Market()
    subject = agent(market)
    made = forecast(subject.handle(market.close(101.5)))
    assert made.is_record
    assert (made.spot, made.origin) == (101.5, market.last_close_at)
    assert len(made.fan) == len(FAN_LEVELS)
    assert {row[0] for row in made.fan} == {101.5}
    assert [q.horizon for q in made.quantiles] == [1, 5, 10, 20]
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


def test_who_missed_the_history_makes_up_for_lost_closes_from_the_first_tick_on():
    market = Market()
    subject = agent(market)
    assert list(subject.handle(market.tick(101.0))) == []
    market.close(103.0)  # this event never reaches the agent
    made = forecast(subject.handle(market.tick(104.0)))
    assert (made.spot, made.is_record) == (103.0, True)


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
    made = forecast(agent(market, window=60, levels=[1]).handle(market.close(100.0)))
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


def test_a_level_that_the_history_does_not_carry_gives_way_and_says_so():
    market = Market(n=200)
    made = forecast(agent(market, levels=[5]).handle(market.close(100.0)))
    assert made.level is SimulationLevel.LEVEL_4_MULTI_FACTOR
    assert made.note.startswith("level 4 stands in for level 5: closes must have at least 251")


def all_later(subject: MonteCarloAgent) -> list[Event]:
    """Return what is said when nothing waits, piece by piece until all is done."""
    found: list[Event] = []
    while (events := subject.later()) is not None:
        found += events
    return found


def test_work_that_can_wait_is_done_a_level_at_a_time():
    """A close that comes meanwhile waits for one piece, not for all."""
    market = Market(n=400)
    subject = agent(market, levels=[2, 1, 3, 4, 5], rehearsal=0)
    subject.handle(market.close(100.0))
    pieces = []
    while (events := subject.later()) is not None:
        pieces.append(len(events))
    # what the close settled (nothing yet), four levels, and what is to be prepared
    assert pieces == [0, 1, 1, 1, 1, 0]


def test_the_other_levels_follow_when_nothing_waits_and_are_nobodys_business():
    market = Market(n=400)
    subject = agent(market, levels=[2, 1, 3, 4, 5], rehearsal=0)
    first = forecast(subject.handle(market.close(100.0)))
    rest = [Forecast.from_data(event.data) for event in all_later(subject)]
    assert (first.level.value, first.is_primary) == (2, True)
    assert [(f.level.value, f.is_primary) for f in rest] == [(n, False) for n in (1, 3, 4, 5)]
    assert {f.spot for f in rest} == {100.0}
    assert market.state.get("mc:AAPL")["level"] == first.to_data()["level"]


def test_levels_that_a_short_history_does_not_carry_are_told_and_settled_once():
    market = Market(n=70)
    subject = agent(market, levels=[2, 1, 3, 4, 5], rehearsal=0)
    rows = []
    for n in range(24):
        events = list(subject.handle(market.close(100.0 + n % 5)))
        events += all_later(subject)
        levels = [f.data["level"] for f in events if f.event_type is EventType.MC_UPDATE]
        assert len(levels) == len(set(levels)) >= 3
        rows += [row for e in events if e.event_type is SETTLED for row in told(e).rows]
    assert len({(r.level, r.horizon, r.origin) for r in rows}) == len(rows) > 60


def test_a_bar_that_the_rehearsal_has_walked_counts_once():
    market = Market(n=120)
    subject = agent(market, levels=[2, 3], rehearsal=3)
    subject.handle(market.loaded())
    event = market.close(101.0)  # the memory has it before the event comes
    all_later(subject)
    rows = []
    for closing in (event, *(market.close(102.0 + n) for n in range(2))):
        events = [*subject.handle(closing), *all_later(subject)]
        rows += [row for e in events if e.event_type is SETTLED for row in told(e).rows]
    assert len({(r.level, r.horizon, r.origin) for r in rows}) == len(rows) > 0


def test_fits_of_the_next_block_are_made_before_they_are_needed():
    market = Market(n=330)
    subject = agent(market, levels=[2], rehearsal=0)
    fits, needed = subject.drawing.fits, 0
    for n in range(45):
        before = {key for made in fits._symbols.values() for key in made}
        subject.handle(market.close(100.0 + n % 5))
        needed += n > 0 and {key for made in fits._symbols.values() for key in made} != before
        all_later(subject)
    assert needed == 0


def test_each_level_says_what_only_it_knows():
    market = Market(n=400)
    subject = agent(market, levels=[1, 3, 4, 5], rehearsal=0, n_paths=500)
    base = forecast(subject.handle(market.close(100.0)))
    adaptive, joint, semantic = (Forecast.from_data(event.data) for event in all_later(subject))
    assert (base.fit, base.stressed, base.stress_weight, base.analogues) == ("", None, None, ())
    assert sum(weight for _, weight in adaptive.weights) == pytest.approx(1.0)
    assert 0.0 <= joint.stressed <= 1.0
    assert semantic.stress_weight == 0.01
    ended = [match.ended_at for match in semantic.analogues]
    assert len(ended) == 2, "so short a past holds no third one at least a horizon apart"
    assert abs(ended[0] - ended[1]) >= timedelta(days=50)
    assert all(market.last_close_at - at >= timedelta(days=50) for at in ended), (
        "older than the horizon"
    )
    assert all(len(match.path) == 51 and match.path[0] == 100.0 for match in semantic.analogues)


def test_a_forecast_is_settled_at_each_of_its_horizons_once():
    market = Market(n=60)
    subject = agent(market, levels=[1], rehearsal=0)
    settled = []
    for n in range(22):
        events = subject.handle(market.close(100.0 + n))
        settled += [row for e in events if e.event_type is SETTLED for row in told(e).rows]
    first = FIRST + timedelta(days=60)
    own = [row for row in settled if row.origin == first]
    assert [row.horizon for row in own] == [1, 5, 10, 20]
    assert len({(row.origin, row.horizon) for row in settled}) == len(settled)
    assert all(0.0 < row.pit < 1.0 and row.crps > 0.0 for row in settled)


def test_a_loaded_history_is_rehearsed_in_pieces_and_goes_on_from_there():
    market = Market(n=300)
    subject = agent(market, levels=[1, 2], rehearsal=12)
    subject.handle(market.loaded())
    pieces = []
    while (events := subject.later()) is not None:
        pieces += [told(e) for e in events if e.event_type is SETTLED]
    assert [(p.is_rehearsal, p.is_first, p.n_walked, p.n_to_walk) for p in pieces] == [
        (True, True, 0, 12), (True, False, 5, 12), (True, False, 10, 12), (True, False, 12, 12),
    ]  # fmt: skip
    rows = [row for piece in pieces for row in piece.rows]
    assert {(row.level, row.horizon) for row in rows} == {
        (n, h) for n in (1, 2) for h in (1, 5, 10)
    }
    events = [*subject.handle(market.close(101.0)), *all_later(subject)]
    (live,) = (told(e) for e in events if e.event_type is SETTLED)
    assert not live.is_rehearsal
    assert {row.horizon for row in live.rows} == {1, 5, 10}


def test_a_rehearsal_says_what_was_said_when_the_bars_were_new():
    market = Market(n=300)
    live = agent(market, levels=[1], rehearsal=0)
    seen = []
    for n in range(8):
        events = [*live.handle(market.close(100.0 + n % 3)), *all_later(live)]
        seen += [row for e in events if e.event_type is SETTLED for row in told(e).rows]
    again = agent(market, levels=[1], rehearsal=8)
    again.handle(market.loaded())
    rows = []
    while (events := again.later()) is not None:
        rows += [row for e in events if e.event_type is SETTLED for row in told(e).rows]
    assert [(r.origin, r.horizon) for r in rows] == [(r.origin, r.horizon) for r in seen]
    np.testing.assert_allclose([r.pit for r in rows], [r.pit for r in seen], atol=1e-3)


def test_a_price_without_a_bar_is_one_observation():
    state = StateManager()
    subject = MonteCarloAgent(
        "mc", EventBus(), state, {"symbols": ["BTC"], "n_paths": 50, "levels": [1]}
    )
    made = []
    for price in closes(LEAST_RETURNS + 3):
        event = Event(EventType.MARKET_DATA, {"symbol": "BTC", "price": price})
        made.extend(subject.handle(event))
    made = [event for event in made if event.event_type is EventType.MC_UPDATE]
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


@pytest.mark.parametrize("level", [2, 4])
def test_prices_that_somebody_passes_leave_the_live_forecasts_alone(level):
    market = Market(n=300)
    subject, alone = (agent(market, levels=[level], rehearsal=0) for _ in range(2))
    calm, wild = closes(200), (np.asarray(closes(200, seed=2)) ** 3).tolist()
    results = [subject.simulate("AAPL", prices=p, level=level, seed=3) for p in (calm, wild)]
    fresh = agent(market).simulate("AAPL", prices=wild, level=level, seed=3)
    np.testing.assert_array_equal(results[1].paths, fresh.paths)
    assert results[0].level.value == level
    subject.simulate("AAPL", level=level)
    event = market.close(100.0)
    assert forecast(subject.handle(event)) == forecast(alone.handle(event))


def test_prices_without_bars_are_settled_when_the_memory_is_full(monkeypatch):
    monkeypatch.setattr("engine.agents.observations.KEPT", 40)
    subject = MonteCarloAgent(
        "mc", EventBus(), StateManager(), {"symbols": ["BTC"], "n_paths": 50, "levels": [1]}
    )
    rows = []
    for price in closes(80):
        event = Event(EventType.MARKET_DATA, {"symbol": "BTC", "price": price})
        made = [*subject.handle(event), *all_later(subject)]
        rows.append([row for e in made if e.event_type is SETTLED for row in told(e).rows])
    assert [row.horizon for row in rows[-1]] == [20, 10, 5, 1]


def test_what_there_was_no_time_to_settle_is_settled_with_the_next_bar():
    """Where bars come so fast that nothing is done later, no outcome is lost and no issued forecast is kept forever."""
    market = Market(n=300)
    hasty, patient = (agent(market, levels=[2], rehearsal=0) for _ in range(2))
    rows: dict[str, list] = {"hasty": [], "patient": []}
    for n in range(12):
        event = market.close(100.0 + n % 3)
        made = {
            "hasty": hasty.handle(event),
            "patient": [*patient.handle(event), *all_later(patient)],
        }
        for name, events in made.items():
            rows[name] += [row for e in events if e.event_type is SETTLED for row in told(e).rows]
    rows["hasty"] += [
        row for e in all_later(hasty) if e.event_type is SETTLED for row in told(e).rows
    ]
    assert len(rows["patient"]) > 12
    assert sorted(rows["hasty"], key=str) == sorted(rows["patient"], key=str)


@pytest.mark.parametrize(("level", "expected"), [(1, 0.0), (2, 0.0), (4, 0.9), (5, 0.0)])
def test_symbols_fall_together_at_level_4_alone(level: int, expected: float):
    rng = np.random.default_rng(8)
    shared, own = rng.standard_normal((2, 400))
    moves = {"AAA": shared, "BBB": shared + 0.3 * own}
    series = {name: 100.0 * np.exp(np.cumsum(0.01 * z)) for name, z in moves.items()}
    found = agent(Market()).simulate_multi(series, level=level, n_paths=2_000, n_steps=5)
    first, second = (np.log(each.paths[:, -1]) for each in found.values())
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(expected, abs=0.15)


def test_simulate_refuses_what_is_not_there():
    subject = agent(Market())
    with pytest.raises(InvalidValueError, match="level"):
        subject.simulate("AAPL", prices=closes(), level=6)
    with pytest.raises(InvalidValueError, match="sentiment"):
        subject.simulate("AAPL", prices=closes(), level=2, events=[{"sentiment": 2}])
    with pytest.raises(InvalidValueError, match="predicted"):
        subject.record_outcome("AAPL", predicted=0.0, actual=1.0)
    with pytest.raises(NotEnoughDataError):
        subject.simulate("UNHEARD")


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_paths", 0), ("n_steps", "x"), ("levels", [9]), ("rehearsal", -5), ("rehearsal", 2.9)],
)
def test_senseless_configuration_is_refused_by_name(name, value):
    with pytest.raises(InvalidValueError, match=name):
        agent(Market(), **{name: value})


@pytest.mark.asyncio
async def test_market_time_should_stand_while_a_loaded_history_is_fitted_and_no_longer():
    may_end = threading.Event()

    class Beside(InlineCompute):
        is_inline = False

        async def run(self, work):
            await asyncio.to_thread(may_end.wait, 20.0)
            return work()

    market = Market()
    subject = agent(market, compute=Beside())
    await subject.start()
    await subject.event_bus.publish(market.close(101.0))
    assert subject.waits_for() == "", "a bar is no reason"
    await subject.event_bus.publish(market.loaded())
    assert subject.waits_for() == "forecasts are being fitted"
    await subject.pause()
    assert subject.waits_for() == "", "nobody fits it"
    await subject.resume()
    await subject.event_bus.publish(market.loaded())
    assert subject.waits_for()
    may_end.set()
    while subject.waits_for():
        await asyncio.sleep(0.001)
    assert market.state.get("mc:AAPL")["is_record"] is False, "it has its first drawing"
    await subject.stop()
