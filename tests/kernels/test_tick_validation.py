"""Ticks: the impossible is dropped, the improbable needs a second witness, trusted files are flagged and kept."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import DropReason
from engine.kernels.tick_validation import MAX_JUMP, Judgement, TickMemory, judge_tick

T0 = datetime(2024, 1, 1, tzinfo=UTC)


def judge_all(prices, *, is_trusted=False, memory=None) -> list[Judgement]:
    """Judge prices that come a second apart."""
    judged = []
    memory = memory or TickMemory()
    for k, price in enumerate(prices):
        judged.append(judge_tick(memory, price, T0 + timedelta(seconds=k), is_trusted=is_trusted))
        memory = judged[-1].memory
    return judged


def accepted(prices, **more) -> list[float]:
    return [p for p, j in zip(prices, judge_all(prices, **more), strict=True) if j.is_accepted]


def reasons(prices, **more) -> list[DropReason]:
    return [reason for j in judge_all(prices, **more) for _, reason in j.dropped]


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        (math.nan, DropReason.NOT_FINITE),
        (math.inf, DropReason.NOT_FINITE),
        (-math.inf, DropReason.NOT_FINITE),
        (0.0, DropReason.NOT_POSITIVE),
        (-5.0, DropReason.NOT_POSITIVE),
    ],
)
@pytest.mark.parametrize("is_trusted", [True, False])
def test_the_impossible_is_dropped_and_leaves_no_trace(price, reason, is_trusted):
    judged = judge_all([100.0, price, 101.0], is_trusted=is_trusted)
    assert [j.is_accepted for j in judged] == [True, False, True]
    assert judged[1].dropped == ((pytest.approx(price, nan_ok=True), reason),)
    assert judged[1].memory == judged[0].memory


@pytest.mark.parametrize("spike", [130.0, 70.0, 1e12, 0.01])
def test_a_lone_jump_is_held_and_then_dropped(spike):
    assert accepted([100.0, spike, 101.0, 102.0]) == [100.0, 101.0, 102.0]
    assert reasons([100.0, spike, 101.0]) == [DropReason.HELD, DropReason.IMPLAUSIBLE]


@pytest.mark.parametrize("price", [129.0, 71.0])
def test_a_smaller_jump_passes(price):
    assert accepted([100.0, price]) == [100.0, price]


def test_a_jump_that_a_second_tick_confirms_is_believed_from_there_on():
    assert accepted([100.0, 50.0, 51.0, 52.0]) == [100.0, 51.0, 52.0]
    assert reasons([100.0, 50.0, 51.0, 52.0]) == [DropReason.HELD]


def test_two_jumps_that_contradict_each_other_are_both_doubted():
    assert accepted([100.0, 50.0, 200.0, 100.5]) == [100.0, 100.5]


def test_an_enormous_first_price_needs_a_witness_and_a_usual_one_does_not():
    assert accepted([42_000.0]) == [42_000.0]
    assert accepted([1e12, 100.0]) == [100.0]
    assert accepted([1e12, 1e12]) == [1e12]


def test_a_trusted_file_is_flagged_and_never_dropped():
    judged = judge_all([100.0, 48.1, 49.0], is_trusted=True)
    assert [j.is_accepted for j in judged] == [True, True, True]
    assert [j.is_flagged for j in judged] == [False, True, False]
    assert all(j.dropped == () for j in judged)


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (10, DropReason.DUPLICATE),
        (9.999, DropReason.OUT_OF_ORDER),
        (-3600, DropReason.OUT_OF_ORDER),
    ],
)
def test_a_time_that_was_seen_or_passed_is_dropped(seconds, reason):
    memory = TickMemory(price=100.0, at=T0 + timedelta(seconds=10))
    judged = judge_tick(memory, 100.0, T0 + timedelta(seconds=seconds))
    assert judged.dropped == ((100.0, reason),)
    assert judged.memory == memory


def test_a_held_price_repeated_at_the_same_time_is_no_confirmation():
    held = judge_all([100.0, 50.0])[-1].memory
    assert judge_tick(held, 50.0, held.at).dropped == ((50.0, DropReason.DUPLICATE),)


ANY_PRICE = st.floats(allow_nan=True, allow_infinity=True) | st.floats(1.0, 200.0)


@given(prices=st.lists(ANY_PRICE, max_size=40))
def test_what_passes_is_finite_positive_and_jumps_only_with_a_witness(prices):
    last, previous = None, None
    for price, judged in zip(prices, judge_all(prices), strict=True):
        if judged.is_accepted:
            assert math.isfinite(price)
            assert price > 0
            if last is not None and abs(price / last - 1) > MAX_JUMP:
                assert abs(price / previous - 1) <= 0.1
            last = price
        if math.isfinite(price) and price > 0:
            previous = price


@given(prices=st.lists(ANY_PRICE, max_size=40))
def test_every_tick_passes_or_is_counted(prices):
    judged = judge_all(prices)
    for price, one in zip(prices, judged, strict=True):
        counted = [p for p, reason in one.dropped if reason is not DropReason.IMPLAUSIBLE]
        assert one.is_accepted != bool(counted)
        assert all(p == price or math.isnan(p) for p in counted)
    held = sum(reason is DropReason.HELD for one in judged for _, reason in one.dropped)
    given_up = sum(reason is DropReason.IMPLAUSIBLE for one in judged for _, reason in one.dropped)
    assert given_up <= held


@given(prices=st.lists(st.floats(90.0, 110.0), max_size=40))
def test_a_quiet_market_loses_nothing(prices):
    assert accepted(prices) == prices


@given(prices=st.lists(st.floats(1e-6, 1e6), max_size=40))
def test_a_trusted_file_of_possible_prices_loses_nothing(prices):
    assert accepted(prices, is_trusted=True) == prices
