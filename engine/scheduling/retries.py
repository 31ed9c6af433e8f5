"""When a call is made again: reads only, a few times, after a growing wait with jitter that respects what the API says.

An order, or anything else that changes the world outside, is never sent twice.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import numpy as np
from tenacity import AsyncRetrying, RetryCallState

from engine.domain.errors import ApiUnavailableError
from engine.ports.clock import Clock

READS = frozenset({"GET", "HEAD", "OPTIONS"})
ATTEMPTS = 3
"""Requests for one read, the first included."""
BACKOFF_S = 0.5
"""Wait before the first repetition; it doubles with each."""
PATIENCE_S = 60.0
"""A read does not wait longer than this between two requests: its caller gets the last outcome instead."""
THROTTLED = frozenset({418, 429})
WORTH_IT = THROTTLED | {502, 503, 504}
UNREACHED = (
    httpx.NetworkError,
    httpx.TimeoutException,
    httpx.ProxyError,
    httpx.RemoteProtocolError,
)
"""Failures of the way or of the API; other errors of httpx are the caller's."""


def is_read(method: str) -> bool:
    """Return whether sending a request twice changes nothing."""
    return method.upper() in READS


def retrying(
    clock: Clock,
    rng: np.random.Generator,
    quiet_s: Callable[[], float],
    on_retry: Callable[[], None],
) -> AsyncRetrying:
    """Return the caller of one read: it gives the first good outcome, else the last one.

    Parameters
    ----------
    clock : Clock
        Waits.
    rng : numpy.random.Generator
        Draws the jitter.
    quiet_s : callable
        Gives the seconds in which no call may leave.
    on_retry : callable
        Called before each repetition.
    """
    return AsyncRetrying(
        sleep=clock.sleep,
        retry=_is_worth_it,
        wait=lambda state: quiet_s() + backoff_s(state.attempt_number, rng),
        stop=lambda state: state.attempt_number >= ATTEMPTS or state.upcoming_sleep > PATIENCE_S,
        before_sleep=lambda _: on_retry(),
        retry_error_callback=_last_outcome,
    )


def backoff_s(attempt: int, rng: np.random.Generator) -> float:
    """Return the seconds to wait after so many requests: half of a doubling wait, and up to as much again by chance."""
    return BACKOFF_S * 2.0 ** (attempt - 1) * float(rng.uniform(0.5, 1.0))


def retry_after_s(answer: httpx.Response, now: datetime) -> float | None:
    """Return the seconds of quiet that an answer asks for; None when it asks for none that can be read.

    Parameters
    ----------
    answer : httpx.Response
        Its `Retry-After` is a number of seconds or an HTTP date. A date counts from the answer's own `Date`, because
        the two machines' clocks may differ.
    now : datetime
        Counts when the answer has no date.
    """
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdecimal():
        return float(asked)
    until = _date(asked)
    if until is None:
        return None
    return max(0.0, (until - (_date(answer.headers.get("date", "")) or now)).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _is_worth_it(state: RetryCallState) -> bool:
    outcome = state.outcome
    if outcome is None:
        return False
    error = outcome.exception()
    if error is None:
        return outcome.result().status_code in WORTH_IT
    # Refused at once is an answer for the caller; refused on the way to a repetition is one more thing to wait for.
    return isinstance(error, UNREACHED) or (
        isinstance(error, ApiUnavailableError) and state.attempt_number > 1
    )


def _last_outcome(state: RetryCallState) -> object:
    return None if state.outcome is None else state.outcome.result()
