"""The circuit breaker: when it opens, how long it waits, and that one call at a time is on trial."""

import logging

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.adapters.clocks.manual import ManualClock
from engine.domain.errors import ApiUnavailableError
from engine.domain.resources import BreakerState
from engine.scheduling.breaker import FAILURES, MAX_QUIET_S, MAX_WAIT_S, Breaker


def new_breaker() -> tuple[Breaker, ManualClock]:
    clock = ManualClock()
    return Breaker("binance", clock), clock


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        permit = breaker.admit()
        breaker.failed(permit, "ConnectError")
        breaker.release(permit)


def test_it_opens_after_five_failures_in_a_row_and_not_before() -> None:
    breaker, _ = new_breaker()
    fail(breaker, FAILURES - 1)
    assert (breaker.state, breaker.reason) == (BreakerState.CLOSED, "")
    fail(breaker)
    assert breaker.state is BreakerState.OPEN
    assert breaker.reason == "5 failures in a row, the last: ConnectError"
    assert breaker.next_try_in_s == 5.0


def test_an_answer_between_failures_begins_the_row_anew() -> None:
    breaker, _ = new_breaker()
    fail(breaker, FAILURES - 1)
    permit = breaker.admit()
    breaker.succeeded(permit)
    breaker.release(permit)
    fail(breaker, FAILURES - 1)
    assert breaker.state is BreakerState.CLOSED


def test_a_call_while_it_is_open_is_told_the_api_the_reason_and_the_time() -> None:
    breaker, clock = new_breaker()
    fail(breaker, FAILURES)
    clock.advance(1.5)
    with pytest.raises(ApiUnavailableError) as caught:
        breaker.admit()
    assert str(caught.value) == (
        "API 'binance' must be available, was not: 5 failures in a row, the last: ConnectError; try again in 4 s"
    )
    assert (caught.value.api, caught.value.next_try_in_s) == ("binance", 3.5)


def test_each_failed_trial_doubles_the_wait_up_to_the_cap_and_an_answer_resets_it() -> None:
    breaker, clock = new_breaker()
    fail(breaker, FAILURES)
    waits = []
    for _ in range(9):
        assert breaker.next_try_in_s is not None
        waits.append(breaker.next_try_in_s)
        clock.advance(breaker.next_try_in_s)
        assert breaker.state is BreakerState.HALF_OPEN
        fail(breaker)
    assert waits == [5, 10, 20, 40, 80, 160, MAX_WAIT_S, MAX_WAIT_S, MAX_WAIT_S]
    clock.advance(MAX_WAIT_S)
    permit = breaker.admit()
    breaker.succeeded(permit)
    breaker.release(permit)
    assert (breaker.state, breaker.next_try_in_s) == (BreakerState.CLOSED, None)
    fail(breaker, FAILURES)
    assert breaker.next_try_in_s == 5.0


def test_half_open_lets_one_call_leave_and_refuses_the_next() -> None:
    breaker, clock = new_breaker()
    fail(breaker, FAILURES)
    clock.advance(5)
    trial = breaker.admit()
    with pytest.raises(ApiUnavailableError, match="after its trial call"):
        breaker.check()
    breaker.succeeded(trial)
    breaker.release(trial)
    breaker.check()


def test_a_trial_that_was_cancelled_leaves_its_place_to_the_next() -> None:
    breaker, clock = new_breaker()
    fail(breaker, FAILURES)
    clock.advance(5)
    breaker.release(breaker.admit())
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.admit()


def test_what_left_before_the_opening_neither_closes_it_nor_prolongs_it() -> None:
    breaker, clock = new_breaker()
    slow_good, slow_bad, slow_busy = breaker.admit(), breaker.admit(), breaker.admit()
    fail(breaker, FAILURES)
    clock.advance(1)
    breaker.succeeded(slow_good)
    breaker.failed(slow_bad, "ReadTimeout")
    breaker.throttled(slow_busy, "rate limited", None)
    assert (breaker.state, breaker.next_try_in_s) == (BreakerState.OPEN, 4.0)


def test_a_request_for_quiet_opens_at_once_and_a_longer_one_prolongs_it() -> None:
    breaker, clock = new_breaker()
    first, late = breaker.admit(), breaker.admit()
    breaker.throttled(first, "rate limited (HTTP 429)", 12.0)
    assert (breaker.next_try_in_s, breaker.reason) == (12.0, "rate limited (HTTP 429)")
    clock.advance(2)
    breaker.throttled(late, "rate limited (HTTP 418)", 120.0)
    assert breaker.next_try_in_s == 120.0
    breaker.throttled(late, "rate limited (HTTP 429)", 1.0)
    assert breaker.next_try_in_s == 120.0


@pytest.mark.parametrize("quiet_s", [None, 5.0])
def test_many_refusals_at_once_double_the_wait_once(quiet_s: float | None) -> None:
    breaker, clock = new_breaker()
    permits = [breaker.admit() for _ in range(10)]
    for permit in permits:
        breaker.throttled(permit, "rate limited (HTTP 429)", quiet_s)
        breaker.release(permit)
    assert breaker.next_try_in_s == 5.0
    clock.advance(5)
    fail(breaker)
    assert breaker.next_try_in_s == 10.0


def test_an_absurd_request_for_quiet_is_cut_to_the_longest_ban() -> None:
    breaker, _ = new_breaker()
    breaker.throttled(breaker.admit(), "rate limited (HTTP 429)", float("inf"))
    assert breaker.next_try_in_s == MAX_QUIET_S


def test_opening_and_closing_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="engine")
    breaker, clock = new_breaker()
    fail(breaker, FAILURES)
    clock.advance(5)
    breaker.succeeded(breaker.admit())
    assert [r.getMessage() for r in caplog.records] == [
        "binance: no call for 5 s: 5 failures in a row, the last: ConnectError",
        "binance: answers again",
    ]


class AnyCalls(RuleBasedStateMachine):
    """Calls that leave, end in any way and in any order, while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.clock = new_breaker()
        self.out: dict[int, bool] = {}
        self.quiet_until_s = 0.0

    @rule(seconds=st.floats(0, 400))
    def turn(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def call(self) -> None:
        state = self.breaker.state
        try:
            permit = self.breaker.admit()
        except ApiUnavailableError:
            return
        assert self.clock.monotonic() >= self.quiet_until_s
        assert state is not BreakerState.OPEN
        self.out[permit] = state is BreakerState.HALF_OPEN

    @precondition(lambda self: self.out)
    @rule(data=st.data(), quiet_s=st.none() | st.floats(0, 1_000))
    def end(self, data: st.DataObject, quiet_s: float | None) -> None:
        permit = data.draw(st.sampled_from(sorted(self.out)))
        how = data.draw(st.sampled_from(["answered", "failed", "throttled", "cancelled"]))
        if how == "answered":
            self.breaker.succeeded(permit)
        elif how == "failed":
            self.breaker.failed(permit, "ConnectError")
        elif how == "throttled":
            self.breaker.throttled(permit, "rate limited", quiet_s)
            self.quiet_until_s = max(self.quiet_until_s, self.clock.monotonic() + (quiet_s or 0))
        self.breaker.release(permit)
        del self.out[permit]

    @invariant()
    def no_two_trials_run_at_once(self) -> None:
        assert sum(self.out.values()) <= 1

    @invariant()
    def a_reason_stands_exactly_while_it_is_not_closed(self) -> None:
        is_closed = self.breaker.state is BreakerState.CLOSED
        assert is_closed == (self.breaker.reason == "") == (self.breaker.next_try_in_s is None)


AnyCalls.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyCalls = AnyCalls.TestCase
