"""Contributions to risk: they sum to the whole, agree with differences, and know a hedge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels import risk_contribution as kernels
from engine.kernels import tail_risk

RNG = np.random.default_rng(11)
MARKET = 0.01 * RNG.standard_normal(500)
RETURNS = np.stack([beta * MARKET + 0.006 * RNG.standard_normal(500) for beta in (1.5, 0.5, 1.0)])
WEIGHTS = np.array([0.3, 0.2, -0.1])

weights = arrays(np.float64, 3, elements=st.floats(-1.0, 1.0).filter(lambda w: abs(w) > 0.01))


@given(weights, st.sampled_from([0.95, 0.99]))
def test_components_sum_to_the_whole(w, confidence):
    whole = w @ RETURNS
    var = kernels.value_at_risk_contributions(w, RETURNS, confidence)
    assert var.total == tail_risk.parametric_value_at_risk(whole, confidence)
    assert var.component.sum() == pytest.approx(var.total, rel=1e-9, abs=1e-12)
    shortfall = kernels.shortfall_contributions(w, RETURNS, confidence)
    expected = tail_risk.expected_shortfall(whole, confidence)
    assert shortfall.component.sum() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(weights, st.integers(0, 2))
def test_the_marginal_value_is_the_slope(w, i):
    step = np.zeros(3)
    step[i] = 1e-6

    def total(shift):
        return tail_risk.parametric_value_at_risk((w + shift) @ RETURNS, 0.95)

    slope = (total(step) - total(-step)) / 2e-6
    found = kernels.value_at_risk_contributions(w, RETURNS, 0.95).marginal[i]
    assert found == pytest.approx(slope, rel=1e-4, abs=1e-7)


@given(weights, st.permutations([0, 1, 2]), st.floats(0.1, 3.0))
def test_order_and_size_change_nothing_but_order_and_size(w, order, factor):
    for divide in (kernels.value_at_risk_contributions, kernels.shortfall_contributions):
        found = divide(w, RETURNS).component
        again = divide(factor * w[order], RETURNS[order]).component
        assert again == pytest.approx(factor * found[order], rel=1e-9, abs=1e-12)


def test_a_short_position_against_the_others_takes_risk_away():
    component = kernels.value_at_risk_contributions(WEIGHTS, RETURNS).component
    assert component[0] > component[1] > 0 > component[2]
    incremental = kernels.incremental_value_at_risk(WEIGHTS, RETURNS)
    assert incremental[2] < 0 < incremental[0]


def test_one_position_is_all_of_it():
    alone = kernels.value_at_risk_contributions([0.4], RETURNS[:1])
    assert alone.component == pytest.approx([alone.total])
    assert kernels.incremental_value_at_risk([0.4], RETURNS[:1]) == pytest.approx([alone.total])


def test_bad_input_is_refused_by_name():
    with pytest.raises(InvalidValueError, match="shape"):
        kernels.value_at_risk_contributions([0.1, 0.2], RETURNS)
    with pytest.raises(InvalidValueError, match="finite"):
        kernels.value_at_risk_contributions([np.nan, 0.2, 0.1], RETURNS)
    with pytest.raises(NotEnoughDataError, match="need 2 returns"):
        kernels.shortfall_contributions(WEIGHTS, RETURNS[:, :1])
    with pytest.raises(NotEnoughDataError, match="never did"):
        kernels.value_at_risk_contributions([1.0], np.zeros((1, 9)))
