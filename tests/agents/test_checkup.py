"""Agents that hang, are too slow or keep ever more are found by their vital signs."""

import pytest

from engine.agents.checkup import (
    GROWING_CHECKS,
    HANG_S,
    LATE_S,
    LEAST_BYTES,
    LEAST_ENTRIES,
    Checkup,
    Vitals,
)
from engine.agents.holdings import Holding


def kinds(checkup: Checkup, vitals: Vitals) -> list[str]:
    return [finding.kind for finding in checkup.findings("Risk", vitals)]


def keeping(**entries: int) -> Vitals:
    return Vitals(kept={name: Holding(entries=n) for name, n in entries.items()})


@pytest.mark.parametrize(
    ("in_flight_s", "interval_s", "expected"),
    [
        (None, 1.0, []),
        (HANG_S, 1.0, []),
        (HANG_S + 1, 1.0, ["hangs"]),
        (HANG_S + 1, 60.0, []),
        (181.0, 60.0, ["hangs"]),
        (HANG_S + 1, None, ["hangs"]),
    ],
)
def test_a_cycle_that_outlasts_what_it_may_hangs(in_flight_s, interval_s, expected):
    vitals = Vitals(in_flight_s=in_flight_s, interval_s=interval_s)
    assert kinds(Checkup(), vitals) == expected


@pytest.mark.parametrize(
    ("late_s", "interval_s", "expected"),
    [
        (LATE_S, 1.0, []),
        (LATE_S + 1, 1.0, ["late"]),
        (LATE_S + 1, 30.0, []),
        (91.0, 30.0, ["late"]),
        (999.0, None, []),
    ],
)
def test_a_cycle_that_does_not_begin_is_late(late_s, interval_s, expected):
    assert kinds(Checkup(), Vitals(late_s=late_s, interval_s=interval_s)) == expected


@pytest.mark.parametrize(
    ("p95_ms", "interval_s", "expected"),
    [(1000.0, 1.0, []), (1001.0, 1.0, ["slow"]), (1e9, None, []), (None, 1.0, [])],
)
def test_runs_longer_than_the_interval_are_too_slow(p95_ms, interval_s, expected):
    assert kinds(Checkup(), Vitals(p95_ms=p95_ms, interval_s=interval_s)) == expected


def test_what_grows_at_every_check_is_a_leak_named_by_its_attribute():
    checkup, step = Checkup(), LEAST_ENTRIES // GROWING_CHECKS
    for n in range(GROWING_CHECKS):
        assert kinds(checkup, keeping(kept=step * n, other=5)) == []
    (leak,) = checkup.findings("Risk", keeping(kept=LEAST_ENTRIES, other=5))
    assert leak.title == "Risk keeps ever more"
    assert leak.message == "10,000 entries more over 10 checks, 10,000 of them in kept."


def test_what_fills_up_and_is_emptied_or_grows_a_little_is_no_leak():
    saw = Checkup()
    for n in range(5 * GROWING_CHECKS):
        assert kinds(saw, keeping(cache=LEAST_ENTRIES * (n % GROWING_CHECKS))) == []
    slow = Checkup()
    for n in range(5 * GROWING_CHECKS):
        assert kinds(slow, keeping(cache=n)) == []


def weighing(n_bytes: int) -> Vitals:
    return Vitals(kept={"pages": Holding(entries=3, n_bytes=n_bytes)})


def test_bytes_that_grow_are_a_leak_though_the_entries_are_few():
    checkup, step = Checkup(), LEAST_BYTES // GROWING_CHECKS
    for n in range(GROWING_CHECKS):
        assert kinds(checkup, weighing(step * n)) == []
    (leak,) = checkup.findings("Risk", weighing(LEAST_BYTES))
    assert leak.message == "10.0 MB more over 10 checks, 10.0 MB of them in pages."


def test_growth_at_every_third_check_is_a_leak_and_ends_where_it_stands_still():
    checkup, step = Checkup(), LEAST_BYTES // GROWING_CHECKS
    for n in range(3 * GROWING_CHECKS):
        assert kinds(checkup, weighing(step * (n // 3))) == []
    assert kinds(checkup, weighing(LEAST_BYTES)) == ["leaks"]
    still = [kinds(checkup, weighing(LEAST_BYTES)) for _ in range(GROWING_CHECKS + 1)]
    assert still[0] == ["leaks"]
    assert still[-1] == []


def test_what_falls_back_by_much_begins_anew_though_its_most_rises_with_each_round():
    """The cache fills over more checks than make a leak and is halved; each round ends higher than the one before."""
    checkup, kept = Checkup(), 0
    for _ in range(6):
        for _ in range(GROWING_CHECKS - 2):
            kept += LEAST_ENTRIES // 4
            assert kinds(checkup, keeping(cache=kept)) == []
        kept = int(kept * 0.4)
        assert kinds(checkup, keeping(cache=kept)) == []


def test_what_is_large_from_the_start_or_trembles_is_no_leak():
    checkup = Checkup()
    for n in range(5 * GROWING_CHECKS):
        assert kinds(checkup, weighing(50 * LEAST_BYTES + (n % 7) * LEAST_BYTES // 8)) == []
