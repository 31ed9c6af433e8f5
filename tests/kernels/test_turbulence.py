import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError
from engine.kernels.turbulence import EXTREME, HABIT, LEAST, RECENT, as_input, turbulence


def closes(sigmas: list[float], seed: int = 3) -> np.ndarray:
    r = np.random.default_rng(seed).normal(0.0, sigmas)
    return 100.0 * np.exp(np.concatenate([[0.0], np.cumsum(r)]))


def test_it_is_the_last_reading_over_the_median_of_all_readings_as_pandas_has_them():
    prices = closes([0.01] * 300 + [0.03] * 20)[-(HABIT + RECENT) :]
    readings = np.log(pd.Series(prices)).diff().rolling(RECENT).std().dropna()
    assert turbulence(prices) == pytest.approx(readings.iloc[-1] / readings.median(), rel=1e-12)


def test_a_market_three_times_as_restless_as_usual_says_so():
    assert turbulence(closes([0.01] * 300 + [0.03] * RECENT)) == pytest.approx(3.0, rel=0.4)
    assert turbulence(closes([0.01] * 320)) == pytest.approx(1.0, rel=0.4)


def test_too_little_history_or_a_market_that_never_moved_says_nothing():
    assert turbulence(closes([0.01] * (LEAST - 1))) is None
    assert turbulence(closes([0.01] * LEAST)) is not None
    assert turbulence([100.0] * 200) is None


def test_a_price_that_is_none_is_refused():
    with pytest.raises(InvalidValueError, match="closes"):
        turbulence([100.0, -1.0] * 50)


@given(st.floats(0.0, 1e6))
def test_an_input_lies_between_0_and_1_and_mirrors_its_inverse(ratio: float):
    assert 0.0 <= as_input(ratio) <= 1.0
    if 1 / EXTREME < ratio < EXTREME:
        assert as_input(ratio) + as_input(1 / ratio) == pytest.approx(1.0)
