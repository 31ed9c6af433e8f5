import numpy as np
import pandas as pd
import pytest

from engine.domain.errors import InvalidValueError
from engine.domain.market import BarColumns
from engine.domain.signals import Signal, SignalAction, SignalStrength
from engine.strategies.algorithms import as_algorithm, column, context_of, last_price
from engine.strategies.base import BaseStrategy, stamp
from engine.strategies.breakout import BreakoutStrategy
from engine.strategies.mc_probability import MonteCarloProbabilityStrategy

COLUMNS = {"close": [10.0, 12.0, 11.0], "volume": [1.0, None, 3.0]}


class OnlySignals(BaseStrategy):
    def generate_signal(self, context):
        if context["prices"][-1] < 10.0:
            return None
        return Signal(
            symbol=context["symbol"], action=SignalAction.SELL, confidence=0.3,
            strength=SignalStrength.WEAK, price=1.0, reason="high", timestamp=stamp(),
        )  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        COLUMNS,
        pd.DataFrame(COLUMNS),
        BarColumns(symbol="X", close=(10.0, 12.0, 11.0), volume=(1.0, None, 3.0)),
        BarColumns(symbol="X", close=(10.0, 12.0, 11.0), volume=(1.0, None, 3.0)).to_data(),
    ],
)
def test_columns_come_from_dicts_frames_and_bar_columns_alike(data):
    assert column(data, "close").tolist() == [10.0, 12.0, 11.0]
    assert np.isnan(column(data, "volume")[1])
    assert column(data, "colour") is None
    assert last_price(data) == 11.0


def test_without_closes_the_price_alone_is_the_history():
    assert context_of([1, 2], "X", 5.0, {}).array("prices").tolist() == [5.0]
    assert context_of(None, "X", None, {}).array("prices").size == 0
    with pytest.raises(InvalidValueError, match="close"):
        last_price({"close": []})


def test_a_voting_strategy_votes_with_its_whole_judgement():
    algorithm = as_algorithm(BreakoutStrategy("b", {"channel_period": 2}))
    word, strength, details = algorithm(COLUMNS, "X", 11.0)
    assert (word, strength) == ("HOLD", 0.0)
    leaning = algorithm({"close": [10.0, 12.0, 11.5]}, "X", 11.5)
    assert leaning[:2] == ("BUY", pytest.approx(0.25))
    assert details["channel_high"] == 12.0
    assert details["reason"]


def test_keywords_reach_the_context():
    algorithm = as_algorithm(MonteCarloProbabilityStrategy("p"))
    known = {"mc_probability_up": 0.45, "market_regime": "trending"}
    assert algorithm(COLUMNS, "X", 11.0, **known)[:2] == ("SELL", pytest.approx(0.5))
    assert algorithm(COLUMNS, "X", 11.0)[:2] == ("HOLD", 0.0)


def test_anyones_strategy_votes_with_its_signals_confidence():
    algorithm = as_algorithm(OnlySignals("mine"))
    assert algorithm(COLUMNS, "X", 11.0) == ("SELL", 0.3, {"reason": "high"})
    assert algorithm({"close": [9.0]}, "X", 9.0) == ("HOLD", 0.0, {})
