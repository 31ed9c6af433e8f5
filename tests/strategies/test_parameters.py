import math

import pytest

from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.strategies.breakout import BreakoutStrategy
from engine.strategies.ma_trend import MovingAverageTrendStrategy
from engine.strategies.mc_probability import MonteCarloProbabilityStrategy
from engine.strategies.mean_reversion import MeanReversionStrategy
from engine.strategies.momentum import MomentumStrategy
from engine.strategies.parameters import Parameter, refuse_unknown

KINDS = [
    MomentumStrategy, MeanReversionStrategy, MovingAverageTrendStrategy, BreakoutStrategy,
    MonteCarloProbabilityStrategy,
]  # fmt: skip
LOOKBACK = Parameter(
    name="lookback_period", kind=int, default=20, minimum=5, maximum=100, title="Look-back",
    aliases=("momentum_period",),
)  # fmt: skip


def test_a_parameter_gives_its_default_its_value_and_its_alias():
    assert LOOKBACK.read({}) == 20
    assert LOOKBACK.read({"lookback_period": 5}) == 5
    assert LOOKBACK.read({"momentum_period": 100}) == 100
    assert LOOKBACK.read({"momentum_period": 7, "lookback_period": 8}) == 8


@pytest.mark.parametrize("value", [4, 101, 10.0, "10", True, None])
def test_a_value_of_another_kind_or_out_of_bounds_is_refused_under_the_key_as_written(value):
    with pytest.raises(InvalidValueError, match=r"^momentum_period must .*was"):
        LOOKBACK.read({"momentum_period": value})


def test_a_float_parameter_takes_whole_numbers_and_no_nan():
    share = Parameter(
        name="share", kind=float, default=0.5, minimum=0.0, maximum=1.0, title="Share"
    )
    value = share.read({"share": 1})
    assert (value, type(value)) == (1.0, float)
    with pytest.raises(InvalidValueError, match="finite"):
        share.read({"share": math.nan})


def test_a_typing_error_in_a_key_is_refused_with_the_known_ones():
    refuse_unknown("x", (LOOKBACK,), {"momentum_period": 9})
    with pytest.raises(UnknownNameError, match=r"lookback_period, momentum_period, was lockback"):
        refuse_unknown("x", (LOOKBACK,), {"lockback": 9})


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_can_be_shown_as_a_form_and_its_defaults_and_bounds_are_accepted(kind):
    strategy = kind(name="x", config={})
    assert list(strategy.parameters) == [p.name for p in kind.schema]
    for p in kind.schema:
        assert p.title
        assert p.description
        assert p.read({p.name: p.default}) == p.default
        assert strategy.parameters[p.name] == p.default
        if p.kind in (int, float):
            assert p.minimum <= p.default <= p.maximum
            assert p.read({p.name: p.kind(p.minimum)}) == p.minimum
            assert p.read({p.name: p.kind(p.maximum)}) == p.maximum
    assert kind.title
    assert strategy.description
    assert "prices" in strategy.get_required_data()


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_parameters_of_a_strategy_answer_to_one_key(kind):
    keys = [key for p in kind.schema for key in (p.name, *p.aliases)]
    assert len(keys) == len(set(keys))


def test_parameters_that_contradict_each_other_are_refused_by_name():
    for kind in (MomentumStrategy, MovingAverageTrendStrategy):
        with pytest.raises(InvalidValueError, match="ma_fast"):
            kind(name="x", config={"ma_fast": 30, "ma_slow": 30})
    with pytest.raises(InvalidValueError, match="entry_z"):
        MeanReversionStrategy(name="x", config={"entry_z": 2.6})
