import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.trading_costs import (
    LinearImpact,
    estimated_impact,
    liquidation_cost,
    optimal_liquidation,
    square_root_impact,
)

PAPER = LinearImpact(sigma=0.95, fixed=0.0625, permanent=2.5e-7, temporary=2.5e-6)
"""Section 3.4 of Almgren and Chriss: a million shares in five days."""
SHARES, DAYS = 1e6, 5.0


def test_selling_evenly_costs_what_the_paper_says():
    plan = optimal_liquidation(SHARES, DAYS, 5, 0.0, PAPER)
    assert plan.holdings == pytest.approx([1e6, 8e5, 6e5, 4e5, 2e5, 0.0])
    assert plan.expected_cost == pytest.approx(662_500.0)
    assert plan.variance == pytest.approx(1.083e12)
    assert (plan.kappa, plan.half_life) == (0.0, None)


def test_a_risk_aversion_of_one_millionth_fades_as_the_paper_says():
    plan = optimal_liquidation(SHARES, DAYS, 5, 1e-6, PAPER)
    assert plan.kappa == pytest.approx(0.607, abs=5e-4)
    assert plan.half_life == pytest.approx(1.65, abs=5e-3)


def test_a_cost_worked_by_hand():
    # sold 6 and 4: 0.5 * 10^2 * 0.1 + 10 * 0.2 + (0.5 - 0.1 * 2 / 2) / 2 * (36 + 16); variance 9 * 2 * 4^2
    impact = LinearImpact(sigma=3.0, fixed=0.2, permanent=0.1, temporary=0.5)
    expected, variance = liquidation_cost([10.0, 4.0, 0.0], 2.0, impact)
    assert expected == pytest.approx(5.0 + 2.0 + 0.2 * 52.0)
    assert variance == pytest.approx(288.0)


@pytest.mark.parametrize("aversion", [1e-8, 1e-6, 1e-5])
def test_no_other_schedule_is_better(aversion):
    plan = optimal_liquidation(SHARES, DAYS, 5, aversion, PAPER)

    def loss(inner):
        expected, variance = liquidation_cost([SHARES, *(SHARES * inner), 0.0], 1.0, PAPER)
        return (expected + aversion * variance) / 1e6

    found = minimize(loss, np.linspace(0.8, 0.2, 4), method="BFGS", options={"gtol": 1e-9})
    least = (plan.expected_cost + aversion * plan.variance) / 1e6
    assert least <= loss(found.x) + 1e-12
    assert least == pytest.approx(loss(found.x), rel=1e-6)
    assert plan.holdings[1:-1] == pytest.approx(SHARES * found.x, rel=1e-3)


@given(st.floats(1e-9, 1e-4), st.integers(2, 200))
def test_a_schedule_falls_all_the_way_and_faster_with_more_aversion(aversion, n_trades):
    plan = optimal_liquidation(SHARES, DAYS, n_trades, aversion, PAPER)
    bolder = optimal_liquidation(SHARES, DAYS, n_trades, aversion / 2.0, PAPER)
    assert plan.holdings.shape == (n_trades + 1,)
    assert plan.holdings[0] == SHARES
    assert plan.holdings[-1] == 0.0
    assert (np.diff(plan.holdings) <= 0.0).all()
    assert (plan.holdings <= bolder.holdings * (1.0 + 1e-12)).all()
    assert plan.kappa > bolder.kappa
    assert plan.variance <= bolder.variance
    assert plan.expected_cost >= bolder.expected_cost * (1.0 - 1e-12)


def test_an_aversion_near_zero_meets_the_straight_line_and_a_huge_one_sells_at_once():
    straight = optimal_liquidation(SHARES, DAYS, 50, 0.0, PAPER)
    nearly = optimal_liquidation(SHARES, DAYS, 50, 1e-18, PAPER)
    assert nearly.holdings == pytest.approx(straight.holdings, abs=1e-3)
    at_once = optimal_liquidation(SHARES, 1e5, 1_000, 1e6, LinearImpact(
        sigma=1.0, fixed=0.0, permanent=0.0, temporary=1e-6
    ))  # fmt: skip
    assert np.isfinite(at_once.holdings).all()
    assert at_once.holdings[1] == pytest.approx(0.0, abs=1e-9)
    assert at_once.expected_cost == pytest.approx(1e-6 / 100.0 * SHARES**2)


def test_one_trade_bears_no_risk():
    plan = optimal_liquidation(SHARES, DAYS, 1, 1e-6, PAPER)
    assert plan.holdings.tolist() == [SHARES, 0.0]
    assert plan.variance == 0.0


def test_the_table_of_the_direct_estimate():
    # IBM in the table of Almgren et al.: 10 % of a day in a tenth, a fifth and half a day cost 32, 25 and 18 bp
    for days, basis_points in ((0.1, 32), (0.2, 25), (0.5, 18)):
        found = estimated_impact(656_100, 6_561_000, 1_728e6, 0.0157, days)
        assert round(1e4 * found.cost) == basis_points
        assert 1e4 * found.permanent == pytest.approx(19.86, abs=5e-3)


@given(st.floats(1.0, 1e6), st.floats(0.01, 5.0), st.floats(1.1, 10.0))
def test_slower_is_cheaper_and_what_stays_does_not_depend_on_haste(size, days, factor):
    fast = estimated_impact(size, 1e6, 1e8, 0.02, days)
    slow = estimated_impact(size, 1e6, 1e8, 0.02, days * factor)
    assert slow.permanent == fast.permanent
    assert slow.temporary == pytest.approx(fast.temporary / factor**0.6)
    assert fast.cost == pytest.approx(fast.permanent / 2.0 + fast.temporary)


@given(st.floats(0.0, 1e6), st.floats(0.0, 0.2))
def test_four_times_the_size_moves_a_price_twice_as_far(size, sigma):
    one = square_root_impact(size, 1e6, sigma)
    assert square_root_impact(4.0 * size, 1e6, sigma) == pytest.approx(2.0 * one)
    assert square_root_impact(size, 1e6, sigma, factor=0.5) == pytest.approx(0.5 * one)
    assert square_root_impact(1e6, 1e6, sigma) == sigma


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_numbers_out_of_their_range_are_refused(bad):
    for call in (
        lambda: square_root_impact(bad, 1e6, 0.02), lambda: square_root_impact(1.0, bad, 0.02),
        lambda: square_root_impact(1.0, 1e6, bad), lambda: square_root_impact(1.0, 1e6, 0.02, bad),
        lambda: estimated_impact(1.0, 1e6, bad, 0.02, 1.0),
        lambda: estimated_impact(1.0, 1e6, 1e8, 0.02, bad),
        lambda: optimal_liquidation(bad, DAYS, 5, 0.0, PAPER),
        lambda: optimal_liquidation(SHARES, bad, 5, 0.0, PAPER),
        lambda: optimal_liquidation(SHARES, DAYS, 5, bad, PAPER),
    ):  # fmt: skip
        with pytest.raises(InvalidValueError, match="must be finite and"):
            call()
    with pytest.raises(InvalidValueError, match="n_trades must be at least 1"):
        optimal_liquidation(SHARES, DAYS, 0, 0.0, PAPER)


def test_an_impact_that_rewards_haste_is_refused():
    upside_down = LinearImpact(sigma=1.0, fixed=0.0, permanent=1.0, temporary=0.4)
    with pytest.raises(InvalidValueError, match=r"temporary must exceed half.*take more trades"):
        optimal_liquidation(SHARES, DAYS, 5, 0.0, upside_down)
    assert optimal_liquidation(SHARES, DAYS, 10, 0.0, upside_down).holdings[-1] == 0.0
    falling = LinearImpact(sigma=1.0, fixed=0.0, permanent=-1.0, temporary=0.4)
    with pytest.raises(InvalidValueError, match="permanent must be finite and at least 0"):
        optimal_liquidation(SHARES, DAYS, 5, 0.0, falling)


def test_a_schedule_has_to_end_with_nothing():
    with pytest.raises(InvalidValueError, match=r"holdings must end with 0, was 1\.0"):
        liquidation_cost([10.0, 1.0], 1.0, PAPER)
    with pytest.raises(NotEnoughDataError, match="at least 2"):
        liquidation_cost([0.0], 1.0, PAPER)
