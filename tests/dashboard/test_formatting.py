"""The rules of writing numbers: one test per rule, properties where a rule holds for all numbers."""

import csv
import io
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import formatting as fmt

finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
WRITERS = (
    fmt.money,
    fmt.notional,
    fmt.pnl,
    fmt.price,
    fmt.quantity,
    fmt.percent,
    fmt.share,
    fmt.weight,
    fmt.points,
    fmt.change,
    fmt.p_value,
    fmt.score,
    fmt.duration,
    fmt.count,
    fmt.volume,
    fmt.multiple,
)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_a_dash_and_never_zero(write, value):
    assert write(value) == "–"


@given(finite)
def test_no_number_is_written_with_a_hyphen(value):
    for write in WRITERS:
        assert "-" not in write(value)


@given(finite)
def test_a_signed_number_reads_back_as_its_rounded_value(value):
    text = fmt.number(value, 2, signed=True)
    read = Decimal(text.replace("−", "-").replace(",", ""))
    assert abs(read - Decimal(str(value))) <= Decimal("0.005")
    assert text[0] in "+−" or read == 0


@given(st.floats(min_value=-0.00499, max_value=0.00499))
def test_what_rounds_to_zero_has_no_sign_and_no_colour(value):
    assert fmt.number(value, 2, signed=True) == "0.00"
    assert fmt.tone(value, decimals=2) == ""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (fmt.money(102641.63), "$102,641.63"),
        (fmt.money(-0.5), "−$0.50"),
        (fmt.pnl(536.16), "+$536.16"),
        (fmt.pnl(0), "0"),
        (fmt.notional(9763.6), "$9,764"),
        (fmt.percent(-0.028), "−2.80%"),
        (fmt.change(0.0053), "▲ +0.53%"),
        (fmt.share(0.476), "47.6%"),
        (fmt.weight(0.35), "35%"),
        (fmt.points(-0.10), "−10 pts"),
        (fmt.p_value(0.38), "0.380"),
        (fmt.p_value(0.0), "< 0.001"),
        (fmt.p_value(0.001), "0.001"),
        (fmt.score(-0.495), "−0.495"),
        (fmt.span(103.3, 155.9, lambda v: fmt.number(v, 1)), "103.3\u2009–\u2009155.9"),
        (fmt.span(None, 1.0), "–"),
        (fmt.volume(40_213_000), "40.2M"),
        (fmt.sample(12), "n = 12, not enough yet"),
        (fmt.sample(20), "n = 20"),
        (fmt.event_id(9572), "#9,572"),
    ],
)
def test_the_examples_of_the_design_hold(text, written):
    assert text == written


def test_half_a_cent_is_rounded_away_from_zero_on_both_sides():
    assert fmt.money(Decimal("0.125")) == "$0.13"
    assert fmt.money(Decimal("-0.125")) == "−$0.13"


def test_a_float_is_rounded_as_it_reads_and_not_as_it_is_stored():
    assert fmt.number(1.005, 2) == "1.01"
    assert fmt.percent(0.00285, 2) == "0.29%"


@pytest.mark.parametrize(
    ("tick", "written"), [("0.01", "128.24"), ("0.0001", "128.2400"), ("1", "128")]
)
def test_a_price_has_the_decimals_of_its_tick(tick, written):
    assert fmt.price(128.24, Decimal(tick)) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "0 ms"),
        (0.00004, "<0.1 ms"),
        (0.0006, "0.6 ms"),
        (0.00996, "10 ms"),
        (0.027, "27 ms"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
    ],
)
def test_a_duration_has_one_decimal_below_ten(seconds, written):
    assert fmt.duration(seconds) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.4, "0.4 s"),
        (9.96, "10 s"),
        (12, "12 s"),
        (59.6, "1 m 00 s"),
        (125, "2 m 05 s"),
        (3599.6, "1 h 00 m"),
        (11_400, "3 h 10 m"),
    ],
)
def test_an_age_grows_from_seconds_to_hours_without_a_seam(seconds, written):
    assert fmt.age(seconds) == written


def test_an_age_of_a_day_is_a_date_where_the_moment_is_known():
    moment = datetime(2008, 9, 26, 14, tzinfo=UTC)
    assert fmt.age(86_399, moment) == "23 h 59 m"
    assert fmt.age(86_400, moment) == "26 Sep 2008"


def test_a_clock_that_runs_ahead_gives_no_negative_age():
    assert fmt.age(-0.2) == "0.0 s"


@given(st.floats(min_value=0, max_value=1000), st.floats(min_value=0.1, max_value=100))
def test_an_age_state_never_gets_better_with_time(seconds, budget):
    order = ["fresh", "ageing", "stale"]
    assert order.index(fmt.age_state(seconds, budget)) <= order.index(
        fmt.age_state(seconds * 1.5, budget)
    )


def test_a_lost_feed_wins_over_a_fresh_value_but_not_over_an_unknown_one():
    assert fmt.age_state(0.1, 5, is_feed_lost=True) == "lost"
    assert fmt.age_state(None, 5, is_feed_lost=True) == "unknown"


def test_a_log_time_is_cut_to_the_millisecond_and_never_rounded_into_the_next_second():
    moment = datetime(2008, 9, 26, 14, 32, 7, 999_999, tzinfo=UTC)
    assert fmt.clock(moment, thousandths=True) == "14:32:07.999"


def test_epoch_seconds_become_the_moment_in_utc():
    assert fmt.from_epoch(1_222_380_000) - datetime(2008, 9, 25, 22, tzinfo=UTC) == timedelta(0)


@given(st.lists(st.floats(min_value=-1, max_value=1), min_size=1, max_size=12))
def test_rounded_parts_add_up_to_the_rounded_sum(parts):
    rounded = fmt.round_to_sum(parts, 3)
    assert round(sum(rounded), 3) == pytest.approx(
        round(sum(parts), 3), abs=1.01e-3 if _is_half(sum(parts)) else 1e-9
    )
    assert all(abs(r - p) < 0.001 + 1e-12 for r, p in zip(rounded, parts, strict=True))


def _is_half(value):
    return abs(abs(value * 1000) % 1 - 0.5) < 1e-6


@given(st.text())
def test_no_text_becomes_a_formula_in_a_spreadsheet(text):
    cell = fmt.csv_cell(text)
    is_number = (
        cell.strip()
        .lstrip("+-")
        .replace(".", "")
        .replace("e", "")
        .replace("E", "")
        .replace("-", "")
        .replace("+", "")
        .isdigit()
    )
    assert (
        is_number
        or not cell.lstrip(" \t\r\n").startswith(("=", "+", "-", "@"))
        or cell.startswith("'")
    )


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-2+3|cmd", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "|calc"]
)
def test_a_dangerous_cell_is_defused_and_survives_a_csv_reader(text):
    out = io.StringIO()
    csv.writer(out).writerow([fmt.csv_cell(text)])
    assert next(csv.reader(io.StringIO(out.getvalue(), newline="")))[0] == f"'{text}"


@pytest.mark.parametrize("value", [-5, "-5.25", "+3", 1e-9, "AAPL", "a=b", ""])
def test_a_harmless_cell_stays_as_it_is(value):
    assert fmt.csv_cell(value) == str(value)
