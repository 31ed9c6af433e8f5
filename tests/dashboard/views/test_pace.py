"""How a person's interval is read: what it may mean, and what is refused."""

import pytest

from dashboard.views.pace import interval_of, pace_command
from engine.domain.errors import InvalidValueError


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("30", 30.0), ("12.5", 12.5), ("0,5", 0.5), ("0,500", 0.5), (" 2 s ", 2.0), ("1.000", 1.0)],
)
def test_a_comma_parts_decimals_as_a_point_does(typed: str, seconds: float):
    assert interval_of(typed) == seconds


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("1,000", "1000"), ("86 400", "86400"), ("1'000", "1000"), ("1.000,5", "1000"), ("1,000,000", "1000000")],
)  # fmt: skip
def test_a_sign_between_thousands_is_refused_with_the_plain_number(typed: str, meant: str):
    with pytest.raises(InvalidValueError, match=f"enter for example {meant}$"):
        interval_of(typed)


@pytest.mark.parametrize("typed", ["", "soon", "1e3", "1_000", "nan", "inf", "1,2,3", "--1", "."])
def test_what_is_no_plain_number_is_refused(typed: str):
    with pytest.raises(InvalidValueError, match="must be a number of seconds"):
        interval_of(typed)


@pytest.mark.parametrize("typed", ["0", "-5", "0,05", "86401"])
def test_an_interval_out_of_bounds_is_refused_before_it_is_sent(typed: str):
    with pytest.raises(InvalidValueError, match=r"must be from 0\.1 to 86,400 s"):
        pace_command("risk", typed, "LOW")
