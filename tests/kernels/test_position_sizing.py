from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError
from engine.kernels.position_sizing import position_size


def test_the_loss_at_the_stop_is_the_risk_per_trade():
    # 2 % of 100,000 is 2,000; a stop 50 away allows 40 units, worth 4,000: inside the cap
    size = position_size(100_000, 100.0, 50.0)
    assert (size.units, size.is_capped) == (Decimal(40), False)


def test_a_near_stop_is_cut_by_the_cap():
    size = position_size(100_000, 100.0, 98.0)
    assert (size.units, size.is_capped) == (Decimal(100), True)
    assert size.risk_units == pytest.approx(1_000)


@given(
    st.floats(0, 1e7), st.floats(0.01, 1e4), st.floats(0.01, 1e4), st.floats(0, 1), st.floats(0, 1),
    st.sampled_from([Decimal(1), Decimal("0.001"), Decimal(100)]),
)  # fmt: skip
def test_neither_limit_is_ever_exceeded_and_units_are_whole_lots(
    equity, price, stop, risk, cap, lot
):
    if price == stop:
        return
    units = position_size(equity, price, stop, risk, cap, lot).units
    assert units >= 0
    assert units % lot == 0
    slack = 1e-6 * max(1.0, equity)
    assert float(units) * price <= cap * equity + price * 1e-9 + slack
    assert float(units) * abs(price - stop) <= risk * equity + abs(price - stop) * 1e-9 + slack


def test_binary_noise_does_not_cost_a_lot():
    assert 0.07 * 100 != 7.0, "the noise that would cost one"
    assert position_size(100, 1.0, 0.5, 1.0, 0.07, Decimal("0.01")).units == Decimal("7.00")
    assert position_size(30_000, 100.0, 10.0, 1.0, 0.1).units == 30


def test_without_equity_there_is_nothing_to_buy():
    assert position_size(-5.0, 100.0, 90.0).units == 0


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("price", (100, 0.0, 1.0)),
        ("stop_loss", (100, 1.0, float("nan"))),
        ("stop_loss", (100, 1.0, 1.0)),
        ("equity", (float("inf"), 1.0, 2.0)),
        ("risk_per_trade", (100, 1.0, 2.0, 1.5)),
        ("max_position_size", (100, 1.0, 2.0, 0.5, -0.1)),
    ],
)
def test_a_senseless_argument_is_refused_by_name(name, arguments):
    with pytest.raises(InvalidValueError, match=f"^{name} must"):
        position_size(*arguments)
