"""What is repeated, how long is waited before it, and how an answer's request for quiet is read."""

from datetime import UTC, datetime

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.scheduling.retries import backoff_s, is_read, retry_after_s

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)


def asked(**headers: str) -> float | None:
    return retry_after_s(httpx.Response(429, headers=headers), NOW)


def test_reads_may_be_repeated_and_nothing_else() -> None:
    methods = ["GET", "get", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "post"]
    assert [m for m in methods if is_read(m)] == ["GET", "get", "HEAD", "OPTIONS"]


def test_the_wait_doubles_and_chance_takes_at_most_half_of_it() -> None:
    rng = np.random.default_rng(7)
    draws = np.array([[backoff_s(attempt, rng) for attempt in (1, 2, 3)] for _ in range(500)])
    full = np.array([0.5, 1.0, 2.0])
    assert (draws >= full / 2).all()
    assert (draws <= full).all()
    assert (draws.std(axis=0) > 0.05).all()


def test_the_same_seed_waits_the_same() -> None:
    first, second = np.random.default_rng(7), np.random.default_rng(7)
    assert [backoff_s(n, first) for n in range(1, 4)] == [backoff_s(n, second) for n in range(1, 4)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12", 12.0),
        (" 0 ", 0.0),
        ("Mon, 01 Jan 2024 12:00:30 GMT", 30.0),
        ("Mon, 01 Jan 2024 12:00:30 -0000", 30.0),
        ("Mon, 01 Jan 2024 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_quiet_is_asked_in_seconds_or_until_a_date(text: str, seconds: float | None) -> None:
    assert asked(**{"retry-after": text}) == seconds


def test_an_answer_without_the_header_asks_for_no_quiet() -> None:
    assert asked() is None


def test_a_date_counts_from_the_answers_own_date_because_clocks_differ() -> None:
    headers = {
        "retry-after": "Mon, 01 Jan 2024 15:00:30 GMT",
        "date": "Mon, 01 Jan 2024 15:00:00 GMT",
    }
    assert asked(**headers) == 30.0


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_no_header_whatever_it_says_raises(text: str) -> None:
    seconds = asked(**{"retry-after": text, "date": text})
    assert seconds is None or seconds >= 0
