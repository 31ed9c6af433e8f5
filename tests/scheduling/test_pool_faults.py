"""The pool against a bad world: what is repeated and when, what is never sent twice, and when nothing leaves at all."""

import logging

import httpx
import pytest

from engine.domain.errors import ApiUnavailableError
from engine.domain.resources import BreakerState
from engine.scheduling.retries import PATIENCE_S
from tests.scheduling.outside import Outside, busy

pytestmark = pytest.mark.asyncio

FAULTS = [
    httpx.ConnectError,
    httpx.ReadError,
    httpx.RemoteProtocolError,
    httpx.ConnectTimeout,
    httpx.ReadTimeout,
    502,
    503,
    504,
    429,
    418,
]
WRITES = ["POST", "PUT", "PATCH", "DELETE"]


def step_of(fault: int | type[httpx.HTTPError]) -> httpx.Response | type[httpx.HTTPError]:
    return busy(fault) if isinstance(fault, int) else fault


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "get"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_read_is_repeated_after_a_passing_fault(
    fault: int | type[httpx.HTTPError], method: str
) -> None:
    outside = Outside(step_of(fault))
    ((status, _),) = await outside.after(10, outside.call(method))
    assert status == 200
    assert len(outside.arrived) == 2
    assert (outside.figures().requests, outside.figures().retries) == (2, 1)
    assert outside.pool.get_stats()["http_error_rate"] == 0.5


@pytest.mark.parametrize("method", [*WRITES, "post"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_same_fault_never_sends_a_write_twice(
    fault: int | type[httpx.HTTPError], method: str
) -> None:
    outside = Outside(step_of(fault))
    (outcome,) = await outside.after(600, outside.call(method))
    assert outcome[0] == fault if isinstance(fault, int) else type(outcome) is fault
    assert len(outside.arrived) == 1
    assert outside.figures().retries == 0


@pytest.mark.parametrize("status", [400, 401, 404, 500, 501])
async def test_an_answer_that_a_repetition_cannot_better_is_given_at_once(status: int) -> None:
    outside = Outside(busy(status))
    assert await outside.after(0, outside.call()) == [(status, "")]
    assert len(outside.arrived) == 1


@pytest.mark.parametrize("mistake", [httpx.UnsupportedProtocol, httpx.LocalProtocolError])
async def test_a_callers_mistake_is_not_repeated_and_does_not_open_the_breaker(
    mistake: type[httpx.HTTPError],
) -> None:
    outside = Outside(*[mistake] * 6)
    for _ in range(6):
        (outcome,) = await outside.after(0, outside.call())
        assert type(outcome) is mistake
    assert outside.figures().breaker is BreakerState.CLOSED
    assert len(outside.arrived) == 6


async def test_a_read_gives_up_after_three_requests_with_the_last_outcome_and_growing_waits() -> (
    None
):
    outside = Outside(busy(503), httpx.ReadTimeout, httpx.ConnectError)
    (outcome,) = await outside.after(10, outside.call())
    assert type(outcome) is httpx.ConnectError
    first, second = outside.times[1], outside.times[2] - outside.times[1]
    assert 0.25 <= first <= 0.5 <= second <= 1.0
    assert len(outside.arrived) == 3


async def test_a_read_given_up_while_it_waits_sends_nothing_more() -> None:
    outside = Outside(busy(503))
    call = outside.call()
    await outside.clock.run(0)
    call.cancel()
    await outside.after(60, call)
    assert call.cancelled()
    assert len(outside.arrived) == 1


async def test_after_429_and_418_no_call_of_the_api_leaves_until_retry_after() -> None:
    """Fault F4."""
    outside = Outside(busy(429, retry_after="12"), busy(418, retry_after="40"))
    read = outside.call()
    await outside.clock.run(0)
    for second in range(1, 12):
        for method in ("GET", "POST"):
            (refusal,) = await outside.after(0, outside.call(method))
            assert isinstance(refusal, ApiUnavailableError)
            assert refusal.next_try_in_s == 12 - (second - 1)
        await outside.clock.run(1)
    assert outside.times == [0.0]
    figures = outside.figures()
    assert (figures.breaker, figures.reason) == (BreakerState.OPEN, "rate limited (HTTP 429)")
    assert figures.next_try_in_s == 1.0
    await outside.clock.run(2)
    assert len(outside.times) == 2
    assert 12 <= outside.times[1] <= 13
    assert outside.figures().reason == "rate limited (HTTP 418)"
    banned_until_s = outside.times[1] + 40
    await outside.clock.run(banned_until_s - outside.clock.monotonic() - 0.01)
    (refusal,) = await outside.after(0, outside.call("POST"))
    assert isinstance(refusal, ApiUnavailableError)
    assert len(outside.times) == 2
    assert await outside.after(2, read) == [(200, "fine")]
    assert outside.times[2] >= banned_until_s
    assert outside.figures().breaker is BreakerState.CLOSED


async def test_another_api_is_free_while_one_asked_for_quiet() -> None:
    outside = Outside(busy(429, retry_after="12"))
    await outside.after(0, outside.call("POST", api="asked"))
    assert await outside.after(0, outside.call("POST", api="other")) == [(200, "fine")]


async def test_a_date_in_retry_after_is_honoured_by_the_answers_own_clock() -> None:
    quiet = busy(
        503,
        retry_after="Mon, 01 Jan 2024 08:00:20 GMT",
        date="Mon, 01 Jan 2024 08:00:00 GMT",
    )
    outside = Outside(quiet)
    read = outside.call()
    await outside.clock.run(19.9)
    assert outside.times == [0.0]
    assert outside.figures().reason == "asked for quiet (HTTP 503)"
    assert await outside.after(1, read) == [(200, "fine")]


async def test_a_quiet_longer_than_a_reads_patience_gives_the_answer_at_once() -> None:
    outside = Outside(busy(429, retry_after=str(int(PATIENCE_S) + 1)))
    assert await outside.after(0, outside.call()) == [(429, "")]
    assert outside.figures().breaker is BreakerState.OPEN


async def test_calls_that_wait_for_a_token_do_not_leave_into_the_quiet() -> None:
    outside = Outside(busy(429, retry_after="30"))
    calls = [outside.call("POST", rate_limit=6) for _ in range(3)]
    first, *others = await outside.after(29, *calls)
    assert first == (429, "")
    assert all(isinstance(other, ApiUnavailableError) for other in others)
    assert outside.times == [0.0]


async def test_five_failures_in_a_row_open_the_breaker_and_an_answer_closes_it_later() -> None:
    outside = Outside(*[httpx.ConnectError] * 5)
    for _ in range(5):
        await outside.after(0, outside.call("POST"))
    (refusal,) = await outside.after(0, outside.call("POST"))
    assert isinstance(refusal, ApiUnavailableError)
    assert "5 failures in a row, the last: ConnectError; try again in 5 s" in str(refusal)
    assert len(outside.arrived) == 5
    assert outside.pool.get_stats()["http_requests"] == 5
    await outside.clock.run(5)
    assert outside.figures().breaker is BreakerState.HALF_OPEN
    assert await outside.after(0, outside.call("POST")) == [(200, "fine")]
    assert outside.figures().breaker is BreakerState.CLOSED


async def test_refusals_of_the_caller_do_not_open_the_breaker() -> None:
    outside = Outside(*[busy(404)] * 10)
    for _ in range(10):
        await outside.after(0, outside.call("POST"))
    assert outside.figures().breaker is BreakerState.CLOSED


async def test_many_reads_that_wait_out_a_quiet_do_not_leave_together() -> None:
    outside = Outside(*[busy(429, retry_after="10")] * 8)
    outside.gate.clear()
    reads = [outside.call() for _ in range(8)]
    await outside.clock.run(0)
    outside.gate.set()
    await outside.clock.run(9.9)
    assert outside.times == [0.0] * 8
    assert await outside.after(10, *reads) == [(200, "fine")] * 8
    assert min(outside.times[8:]) >= 10
    assert len(set(outside.times[8:])) == 8


async def open_breaker(outside: Outside) -> None:
    for _ in range(5):
        await outside.after(0, outside.call("POST"))
    await outside.clock.run(5)
    assert outside.figures().breaker is BreakerState.HALF_OPEN


async def test_a_trial_in_flight_keeps_the_others_back() -> None:
    outside = Outside(*[httpx.ReadTimeout] * 5)
    await open_breaker(outside)
    outside.gate.clear()
    trial, second = outside.call("POST"), outside.call("POST")
    (refusal,) = await outside.after(1, second)
    assert isinstance(refusal, ApiUnavailableError)
    assert len(outside.arrived) == 6
    outside.gate.set()
    assert await outside.after(0, trial) == [(200, "fine")]


async def test_a_cancelled_trial_lets_the_next_call_try() -> None:
    outside = Outside(*[httpx.ReadTimeout] * 5)
    await open_breaker(outside)
    outside.gate.clear()
    trial = outside.call("POST")
    await outside.clock.run(0)
    trial.cancel()
    await outside.after(0, trial)
    outside.gate.set()
    assert await outside.after(0, outside.call("POST")) == [(200, "fine")]
    assert (outside.figures().in_flight, outside.figures().breaker) == (0, BreakerState.CLOSED)


async def test_no_secret_of_a_url_or_header_reaches_any_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.INFO, logger="httpx")  # a server started in this process quietens it

    class Quoting(httpx.LocalProtocolError):
        def __init__(self, _: str) -> None:
            super().__init__("Illegal header value b'Bearer s3cret'")

    outside = Outside(busy(500), httpx.ReadTimeout, Quoting)
    url = "http://me:s3cret@any/quote?apikey=s3cret#s3cret"
    for _ in range(3):
        await outside.after(10, outside.call("POST", url=url))
    lines = [r.getMessage() for r in caplog.records]
    assert any(line.startswith("any: POST http://any/quote gave 500") for line in lines)
    assert any(r.name == "httpx" for r in caplog.records)
    assert not any("s3cret" in line for line in lines)
