"""Tries of a failing agent: growing waits, and given back only by a healthy stretch that suits its own rhythm."""

import pytest

from engine.agents.tries import (
    FIRST_WAIT_S,
    LEAST_HEALTHY_S,
    MAX_RESTARTS,
    MOST_HEALTHY_S,
    Tries,
    Work,
)

CHECK_S = 30.0


def given_back_after(
    lasted_s: float, interval_s: float = 5.0, error_every_s: float = 0.0, runs: bool = True
) -> float | None:
    """Restart an agent that had lasted so long, and return when it has its tries back; None for never within a day."""
    tries = Tries(0.0)
    tries.failed(lasted_s)
    tries.restarted(lasted_s)
    for n in range(2880):
        now_s = n * CHECK_S
        errors = int(now_s // error_every_s) if error_every_s else 0
        work = Work(runs=n if runs else 0, errors=errors, interval_s=interval_s)
        if tries.is_healthy(lasted_s + now_s, work):
            return now_s
    return None


def test_waits_grow_beyond_the_rhythm_of_the_checks_and_count_from_the_failure() -> None:
    tries, waits, now_s = Tries(0.0), [], 1000.0
    while not tries.are_used_up:
        tries.failed(now_s)
        tries.failed(now_s + 1.0)  # seen again
        waits.append(tries.not_before_s - now_s)
        now_s = tries.not_before_s + 500.0
        tries.restarted(tries.not_before_s)
    assert waits == [0.0, FIRST_WAIT_S, 2 * FIRST_WAIT_S]
    assert len(waits) == MAX_RESTARTS


def test_a_failure_after_somebody_started_it_in_the_wait_has_a_wait_of_its_own() -> None:
    tries = Tries(0.0)
    tries.failed(100.0)
    tries.restarted(100.0)
    tries.failed(130.0)
    assert tries.not_before_s == 130.0 + FIRST_WAIT_S
    tries.is_healthy(150.0, Work(runs=1, errors=0, interval_s=5.0))  # by hand: it is in service
    tries.failed(340.0)
    assert tries.not_before_s == 340.0 + FIRST_WAIT_S


@pytest.mark.parametrize(
    ("lasted_s", "interval_s", "expected"),
    [
        (0.0, 5.0, LEAST_HEALTHY_S),
        (1200.0, 5.0, 2400.0),
        (1e6, 5.0, MOST_HEALTHY_S),
        (0.0, 3600.0, 3 * 3600.0),
    ],
)
def test_the_healthy_stretch_grows_with_what_it_lasted_and_with_its_interval(
    lasted_s: float, interval_s: float, expected: float
) -> None:
    assert given_back_after(lasted_s, interval_s) == expected


def test_who_fails_within_the_stretch_or_does_nothing_in_it_has_no_tries_back() -> None:
    assert given_back_after(450.0, error_every_s=90.0) is None
    assert given_back_after(450.0, runs=False) is None
    assert given_back_after(450.0) == 900.0


def test_a_loop_of_its_own_has_no_runs_to_count_and_is_healthy_by_not_failing() -> None:
    tries = Tries(0.0)
    tries.restarted(0.0)
    work = Work(runs=None, errors=7)
    assert [tries.is_healthy(t, work) for t in (0.0, 299.0, 300.0)] == [False, False, True]
