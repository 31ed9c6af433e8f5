"""The token bucket: calls leave at the rate, in order, on a turned clock; its figures say how long they waited."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adapters.clocks.manual import ManualClock
from engine.domain.errors import InvalidValueError
from engine.scheduling.rate_limit import TokenBucket

pytestmark = pytest.mark.asyncio


class Calls:
    """Callers of one bucket; notes when each one passed."""

    def __init__(self, per_minute: float) -> None:
        self.clock = ManualClock()
        self.bucket = TokenBucket(per_minute, self.clock)
        self.passed: list[tuple[float, str]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def begin(self, name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(self._take(name)))
        return self.tasks[-1]

    async def _take(self, name: str) -> None:
        await self.bucket.take()
        self.passed.append((self.clock.monotonic(), name))

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_a_tenth_of_a_minutes_calls_leaves_at_once_and_the_rest_evenly() -> None:
    calls = Calls(per_minute=60)
    for n in range(9):
        calls.begin(str(n))
    await calls.clock.run(10)
    assert [at_s for at_s, _ in calls.passed] == pytest.approx([0] * 6 + [1, 2, 3])
    assert [name for _, name in calls.passed] == [str(n) for n in range(9)]


async def test_a_minute_lets_no_more_through_than_the_limit_and_a_tenth() -> None:
    calls = Calls(per_minute=60)
    for n in range(100):
        calls.begin(str(n))
    await calls.clock.run(60)
    assert len(calls.passed) == 66
    await calls.end()


async def test_the_figures_tell_tokens_and_waiting_calls_and_seconds_of_delay() -> None:
    calls = Calls(per_minute=20)
    assert calls.bucket.tokens == 2
    for name in "abcd":
        calls.begin(name)
    await calls.clock.run(1)
    assert (calls.bucket.waiting, calls.bucket.tokens) == (2, pytest.approx(1 / 3))
    await calls.clock.run(5)
    assert (calls.bucket.waiting, calls.bucket.delayed_s) == (0, pytest.approx(3 + 6))


async def test_a_call_given_up_while_it_waits_takes_no_token() -> None:
    calls = Calls(per_minute=6)
    calls.begin("first")
    given_up = calls.begin("given up")
    calls.begin("last")
    await calls.clock.run(5)
    given_up.cancel()
    await calls.clock.run(5)
    assert calls.passed == [(0.0, "first"), (10.0, "last")]
    assert calls.bucket.waiting == 0


async def test_changing_the_rate_to_and_fro_gives_no_second_burst() -> None:
    calls = Calls(per_minute=60)
    for n in range(20):
        calls.bucket.per_minute = 60 if n % 2 else 120
        calls.begin(str(n))
    await calls.clock.run(0)
    assert len(calls.passed) == 6
    await calls.end()


async def test_a_lower_rate_counts_from_the_next_turn_on() -> None:
    calls = Calls(per_minute=60)
    for n in range(6):
        calls.begin(str(n))
    await calls.clock.run(0)
    calls.bucket.per_minute = 6
    calls.begin("slow")
    await calls.clock.run(9)
    assert len(calls.passed) == 6
    await calls.clock.run(1)
    assert calls.passed[-1] == (10.0, "slow")


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
async def test_a_rate_that_is_none_is_refused_by_name(rate: float) -> None:
    with pytest.raises(InvalidValueError, match="rate_limit must be finite and above 0"):
        TokenBucket(rate, ManualClock())
    bucket = TokenBucket(60, ManualClock())
    with pytest.raises(InvalidValueError, match="rate_limit"):
        bucket.per_minute = rate


STEPS = st.lists(
    st.tuples(st.integers(0, 5), st.floats(0, 90), st.booleans()), min_size=1, max_size=12
)


def is_kept(passed: list[float], per_minute: float) -> bool:
    """Return whether no span holds more calls than the burst and the rate allow."""
    burst, rate_per_s = max(1.0, per_minute / 10), per_minute / 60
    return all(
        n <= burst + rate_per_s * (end_s - begin_s) + 1e-6
        for i, begin_s in enumerate(passed)
        for n, end_s in enumerate(passed[i:], start=1)
    )


@given(per_minute=st.floats(0.5, 6_000), steps=STEPS)
async def test_no_span_lets_more_through_than_the_burst_and_the_rate(
    per_minute: float, steps: list[tuple[int, float, bool]]
) -> None:
    calls = Calls(per_minute)
    for n_calls, seconds, gives_up in steps:
        for _ in range(n_calls):
            calls.begin("any")
        await calls.clock.run(seconds / 2, turns=5)
        if gives_up and calls.tasks:
            calls.tasks[-1].cancel()
        await calls.clock.run(seconds / 2, turns=5)
    await calls.end()
    assert is_kept([at_s for at_s, _ in calls.passed], per_minute)


async def test_the_measure_of_a_span_finds_one_call_too_many() -> None:
    assert is_kept([0.0, 10.0, 20.0], per_minute=6)
    assert not is_kept([0.0, 10.0, 19.9], per_minute=6)
    assert not is_kept([0.0] * 7, per_minute=60)
