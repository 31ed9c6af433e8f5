"""The published forecast: what is drawn, what is stored, and what it says of itself."""

from datetime import UTC, datetime

import numpy as np
import pytest

from engine.domain.forecast import HORIZONS, QUANTILE_LEVELS, Forecast, SimulationLevel
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.records import Occasion, forecast_of, issued_of
from engine.forecasts.size import Drawn
from engine.kernels.analogues import apart
from tests.forecasts.pasts import L1, L3, L5, past_of, restless, size

PAST = past_of(restless(400))
ORIGIN = datetime.fromtimestamp(PAST.closes_at[-1], UTC)
LEVELS = Levels()


def draw(level: SimulationLevel, past: Past = PAST) -> Drawn:
    asked = Ask(past=past, size=size(n_steps=30, horizons=HORIZONS), others=lambda: (past,))
    return LEVELS.draw(level, asked)


def forecast(drawn: Drawn, past: Past = PAST, n_steps: int = 30) -> Forecast:
    occasion = Occasion(past=past, origin=ORIGIN, n_steps=n_steps, seed=7, is_record=True)
    return forecast_of(drawn, issued_of(drawn), occasion, LEVELS.crew)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return draw(L5)


def test_the_fan_starts_at_spot_and_is_drawn_without_the_stress(drawn: Drawn):
    made = forecast(drawn)
    central = drawn.logs[:, : -drawn.n_stressed]
    assert {row[0] for row in made.fan} == {made.spot} == {PAST.spot}
    np.testing.assert_allclose(
        made.fan[0][1:], PAST.spot * np.exp(np.quantile(central[1:], 0.025, axis=1)), rtol=1e-5
    )
    assert made.stress_weight == drawn.n_stressed / drawn.logs.shape[1] == 0.01
    assert made.level is L5


def test_matches_are_dated_and_begin_at_spot(drawn: Drawn):
    assert drawn.matches is not None
    made = forecast(drawn)
    ended = [match.ended_at.timestamp() for match in made.analogues]
    places = drawn.matches.ends[apart(drawn.matches.ends, 5, 30)]
    assert ended == PAST.closes_at[places].tolist()
    assert places[0] == drawn.matches.ends[0]
    assert np.diff(np.sort(places)).min() >= 30, "five episodes, not one five times"
    for match in made.analogues:
        assert len(match.path) == 31
        assert match.path[0] == PAST.spot
    step = ORIGIN.timestamp() - max(ended)
    assert step >= 30 * 86_400


def test_the_stored_record_is_what_the_book_settles(drawn: Drawn):
    for each in (drawn, draw(L1), draw(L3)):
        made, kept = forecast(each), issued_of(each)
        assert [q.horizon for q in made.quantiles] == list(HORIZONS)
        prices = np.array([q.prices for q in made.quantiles])
        assert prices.shape == (len(HORIZONS), len(QUANTILE_LEVELS))
        np.testing.assert_allclose(prices, PAST.spot * np.exp(kept.quantiles), rtol=1e-5)
        assert (np.diff(prices, axis=1) >= 0.0).all()
        assert kept.level == each.level.value


def test_chances_of_a_touch_and_of_a_fall_are_those_of_the_paths():
    logs = np.zeros((31, 10))
    logs[5:, :2] = np.log(0.89)
    logs[3, 9] = np.log(1.12)
    made = forecast(Drawn(
        level=L1, logs=logs, drift_per_step=0.0, drift_error_per_step=0.0, sigma_per_step=0.01,
        n_observations=9,
    ))  # fmt: skip
    assert (made.touch_below, made.touch_above) == (0.2, 0.1)
    assert made.drawdown_95 == pytest.approx(-0.11, abs=0.002)
    assert (made.stress_weight, made.analogues, made.weights) == (None, (), ())


def test_numbers_are_kept_to_seven_digits():
    made = forecast(draw(L1))
    for price in made.fan[2][1:]:
        assert price == pytest.approx(float(f"{price:.7g}"), rel=1e-12)


def test_prices_without_times_have_no_step_and_no_dates(drawn: Drawn):
    bare = Past(symbol="AAA", closes=PAST.closes)
    made = forecast(drawn, bare)
    assert made.step_seconds == 0.0
    assert {match.ended_at for match in made.analogues} == {None}
    assert Forecast.from_data(made.to_data()) == made


def test_level_3_names_its_experts_weights():
    made = forecast(draw(L3))
    assert sum(weight for _, weight in made.weights) == pytest.approx(1.0)
