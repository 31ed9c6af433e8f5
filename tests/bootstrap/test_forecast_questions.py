"""What-if forecasts and stored ones, asked at the gateway of a turned engine."""

import asyncio

import pytest

from engine.bootstrap.turned import TurnedEngine, build_turned
from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.domain.sections import ForecastSection
from engine.settings import Settings

LEVELS = (2, 1, 3, 4, 5)


@pytest.fixture(scope="module")
def turned() -> TurnedEngine:
    async def run() -> TurnedEngine:
        settings = Settings(speed=60, symbols=("AAPL", "IBM"), mc_levels=LEVELS, mc_rehearsal=6)
        engine = build_turned(settings)
        await engine.host.start()
        await engine.advance(3.5)
        return engine

    return asyncio.run(run())


def section(turned: TurnedEngine) -> ForecastSection:
    return turned.gateway.read(("forecast:AAPL",)).value("forecast:AAPL")


def test_every_level_is_drawn_and_stored_at_each_close(turned: TurnedEngine):
    made = section(turned).by_level
    assert set(made) == {"1", "2", "3", "4", "5"}
    assert {f.level.value for f in made.values()} == set(LEVELS)
    assert len({f.origin for f in made.values()}) == 1
    assert [level for level, f in made.items() if f.is_primary] == ["2"]


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_usual_outlook_gives_the_stored_forecast_again(turned: TurnedEngine, level: int):
    stored = section(turned).by_level[str(level)]
    asked = turned.gateway.ask("simulate", symbol="AAPL", level=level)
    assert asked.fan == stored.fan
    assert (asked.is_record, stored.is_record) == (False, True)


def test_a_shock_moves_the_fan_and_volatility_widens_it(turned: TurnedEngine):
    usual, shocked, wide = (
        turned.gateway.ask("simulate", symbol="AAPL", level=2, **what)
        for what in ({}, {"shock": -0.1}, {"volatility": 2.0})
    )
    assert shocked.fan[3][1] < 0.93 * usual.fan[3][1]
    assert shocked.spot == usual.spot == shocked.fan[3][0]
    assert wide.fan[-1][-1] - wide.fan[0][-1] > 1.6 * (usual.fan[-1][-1] - usual.fan[0][-1])


def test_what_no_simulation_can_do_is_refused_by_name(turned: TurnedEngine):
    for wrong in ({"n_paths": 0}, {"n_steps": 10_000}, {"shock": 2.0}, {"volatility": -1.0}):
        with pytest.raises(InvalidValueError, match=next(iter(wrong))):
            turned.gateway.ask("simulate", symbol="AAPL", level=1, **wrong)
    for wrong in ({"n_paths": 1.5}, {"n_steps": True}):
        with pytest.raises(InvalidValueError, match="whole number"):
            turned.gateway.ask("simulate", symbol="AAPL", level=1, **wrong)
    for question in ("simulate", "past_forecasts"):
        with pytest.raises(InvalidValueError, match="level must be one of the five"):
            turned.gateway.ask(question, symbol="AAPL", level=9)
    with pytest.raises(UnknownNameError, match="NOBODY"):
        turned.gateway.ask("simulate", symbol="NOBODY", level=1)


def test_stored_forecasts_come_oldest_first(turned: TurnedEngine):
    found = turned.gateway.ask("past_forecasts", symbol="AAPL", level=3)
    assert len(found) == 3
    assert [f.origin for f in found] == sorted(f.origin for f in found)
    assert {(f.symbol, f.level.value, f.is_record) for f in found} == {("AAPL", 3, True)}
    assert found[-1] == section(turned).by_level["3"]


def test_the_report_card_counts_what_was_rehearsed_and_what_was_lived(turned: TurnedEngine):
    card = turned.gateway.read(("card:AAPL",)).value("card:AAPL")
    assert card.n_walked == card.n_to_walk >= 6
    one = {c.level: c for c in card.cards if c.horizon == 1}
    assert set(one) == set(LEVELS)
    for level in one.values():
        assert level.n == sum(level.pit_counts) >= 7
        assert 0 < level.n_rehearsed < level.n
        assert list(level.inside) == sorted(level.inside)
        assert level.base_crps == one[1].crps
        assert level.fault == ""
