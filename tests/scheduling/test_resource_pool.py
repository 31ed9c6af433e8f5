"""The shared pool: limits per API by a turned clock, one bound on requests in flight, the cache's time to live."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.scheduling.resource_pool import MAX_ENTRIES, ResourcePool, TokenBucket

pytestmark = pytest.mark.asyncio


def pool_on(answer: Callable[..., object], **settings: object) -> tuple[ResourcePool, ManualClock]:
    """Return a pool whose requests are answered here, without a network."""
    clock = ManualClock()
    pool = ResourcePool(clock=clock, **settings)  # type: ignore[arg-type]
    pool._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))  # type: ignore[arg-type]
    return pool, clock


def fine(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"path": request.url.path})


async def test_calls_beyond_the_limit_wait_their_turn_and_other_apis_do_not() -> None:
    arrived: list[float] = []

    def note(request: httpx.Request) -> httpx.Response:
        arrived.append(clock.monotonic())
        return fine(request)

    pool, clock = pool_on(note)
    calls = [
        asyncio.create_task(pool.http_request("GET", "http://x/a", "slow", rate_limit=6))
        for _ in range(4)
    ]
    await clock.run(29)
    assert arrived == [0.0, 10.0, 20.0]
    assert (await pool.http_request("GET", "http://x/b", "other", rate_limit=6))[0] == 200
    await clock.run(1)
    await asyncio.gather(*calls)
    assert arrived[-1] == 30.0
    await pool.close()


async def test_a_call_given_up_while_it_waits_gives_its_turn_back() -> None:
    pool, clock = pool_on(fine)
    first = asyncio.create_task(pool.http_request("GET", "http://x", "slow", rate_limit=6))
    given_up = asyncio.create_task(pool.http_request("GET", "http://x", "slow", rate_limit=6))
    await clock.run(1)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    last = asyncio.create_task(pool.http_request("GET", "http://x", "slow", rate_limit=6))
    await clock.run(10)
    assert first.done()
    assert last.done()
    await pool.close()


async def test_a_minute_lets_no_more_through_than_the_limit_and_a_tenth() -> None:
    clock = ManualClock()
    bucket = TokenBucket(60, clock)
    waits = [bucket.reserve() for _ in range(100)]
    assert sum(wait <= 60 for wait in waits) == 66
    assert waits == sorted(waits)


async def test_no_more_requests_are_in_flight_than_the_pool_has_places() -> None:
    at_once, peak, gate = 0, 0, asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal at_once, peak
        at_once += 1
        peak = max(peak, at_once)
        await gate.wait()
        at_once -= 1
        return fine(request)

    pool, _ = pool_on(slow, http_pool_size=2)
    calls = [asyncio.create_task(pool.http_request("GET", "http://x", "any")) for _ in range(5)]
    for _ in range(30):
        await asyncio.sleep(0)
    assert pool.get_stats()["http_clients"] == 2
    gate.set()
    await asyncio.gather(*calls)
    assert (peak, pool.get_stats()["http_clients"]) == (2, 0)
    await pool.close()


async def test_an_answer_of_400_or_above_is_returned_and_counted_and_no_answer_is_raised() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/gone":
            raise httpx.ConnectError("refused")
        return httpx.Response(503, text="busy")

    pool, _ = pool_on(answer)
    assert await pool.http_request("GET", "http://x/busy", "any") == (503, "busy")
    with pytest.raises(httpx.ConnectError):
        await pool.http_request("GET", "http://x/gone", "any")
    stats = pool.get_stats()
    assert (stats["http_requests"], stats["http_error_rate"]) == (2, 1.0)
    assert stats["http_clients"] == 0
    await pool.close()


async def test_json_that_is_none_is_given_as_text() -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="<html>", headers={"content-type": "application/json"})

    pool, _ = pool_on(broken)
    assert await pool.http_request("GET", "http://x", "any") == (200, "<html>")
    await pool.close()


async def test_a_key_in_the_query_does_not_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    pool, _ = pool_on(lambda _: httpx.Response(500))
    await pool.http_request("GET", "http://x/quote?apikey=s3cret", "any")
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("engine")]
    assert ours
    assert not any("s3cret" in line for line in ours)
    await pool.close()


async def test_a_cached_value_lives_as_long_as_its_time_and_no_longer() -> None:
    pool, clock = pool_on(fine, cache_ttl=120.0)
    await pool.cache_set("short", 1, ttl=5)
    await pool.cache_set("usual", 2)
    clock.advance(4.9)
    assert (await pool.cache_get("short"), await pool.cache_get("usual")) == (1, 2)
    clock.advance(0.1)
    assert (await pool.cache_get("short"), await pool.cache_get("usual")) == (None, 2)
    assert pool.get_stats()["cache_size"] == 1
    assert pool.get_stats()["cache_hit_rate"] == pytest.approx(0.75)
    await pool.close()


async def test_the_cache_does_not_grow_for_ever() -> None:
    pool, _ = pool_on(fine)
    for n in range(MAX_ENTRIES + 10):
        await pool.cache_set(str(n), n)
    assert pool.get_stats()["cache_size"] == MAX_ENTRIES
    assert await pool.cache_get("0") is None
    assert await pool.cache_get(str(MAX_ENTRIES + 9)) == MAX_ENTRIES + 9
    await pool.close()


async def test_a_closed_pool_opens_again_with_the_next_request() -> None:
    pool = ResourcePool()
    await pool.close()
    first = pool._http()
    await pool.close()
    await pool.close()
    assert first.is_closed
    assert pool._http() is not first
    await pool.close()
