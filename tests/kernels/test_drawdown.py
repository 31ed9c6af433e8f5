import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernels.drawdown import drawdowns, from_high, max_drawdown

returns = st.lists(st.floats(-0.9, 2.0), min_size=1, max_size=60)


def test_a_loss_in_the_first_period_counts_from_the_start_value():
    assert max_drawdown([-0.25, 0.10]) == pytest.approx(-0.25)


def test_wealth_is_compounded():
    # 1.0 -> 0.5 -> 0.25: -75 %, where adding returns would give -100 %
    assert max_drawdown([-0.5, -0.5]) == pytest.approx(-0.75)


def test_gains_alone_have_no_drawdown():
    assert max_drawdown([0.1, 0.0, 0.2]) == 0.0


@given(returns)
def test_a_drawdown_lies_between_total_loss_and_zero_and_is_the_worst_of_all_pairs(r):
    wealth = np.concatenate([[1.0], np.cumprod(1.0 + np.array(r))])
    worst = min(
        wealth[j] / wealth[i] - 1.0 for i in range(len(wealth)) for j in range(i, len(wealth))
    )
    assert max_drawdown(r) == pytest.approx(worst, abs=1e-12)
    assert ((drawdowns(r) <= 0.0) & (drawdowns(r) > -1.0)).all()


@given(returns)
def test_the_deepest_point_of_the_series_is_the_maximum_drawdown(r):
    assert drawdowns(r).min() == max_drawdown(r)


def test_the_high_is_that_of_the_window_only():
    prices = [200.0, *([100.0] * 252)]
    assert from_high(prices, 252) == 0.0
    assert from_high(prices, 253) == pytest.approx(-0.5)
    assert from_high([80.0, 100.0, 90.0]) == pytest.approx(-0.1)
