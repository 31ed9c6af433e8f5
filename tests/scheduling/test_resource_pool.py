"""The shared pool: limits per API by a turned clock, one bound on requests in flight, the cache's time to live."""

import asyncio
import sys
import threading
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.adapters.compute.thread import ThreadCompute
from engine.domain.errors import InvalidValueError
from engine.domain.resources import ApiFigures
from engine.scheduling.api_line import Connector
from engine.scheduling.resource_pool import ResourcePool
from engine.scheduling.ttl_cache import MAX_ENTRIES
from tests.scheduling.outside import Outside, busy

pytestmark = pytest.mark.asyncio


async def test_calls_beyond_the_limit_wait_their_turn_and_other_apis_do_not() -> None:
    outside = Outside()
    calls = [outside.call(api="slow", rate_limit=6) for _ in range(4)]
    await outside.clock.run(29)
    assert outside.times == [0.0, 10.0, 20.0]
    figures = outside.figures("slow")
    assert (figures.per_minute, figures.waiting) == (6, 1)
    assert await outside.after(0, outside.call(api="other", rate_limit=6)) == [(200, "fine")]
    await outside.after(1, *calls)
    assert outside.times[-1] == 30.0
    assert outside.figures("slow").delayed_s == 60.0


async def test_a_repetition_takes_a_token_too() -> None:
    outside = Outside(busy(503))
    await outside.after(30, outside.call(rate_limit=6))
    assert outside.times == [0.0, 10.0]


async def test_a_call_without_a_limit_does_not_wait_where_another_named_one() -> None:
    outside = Outside()
    limited = [outside.call(rate_limit=6) for _ in range(3)]
    assert await outside.after(0, outside.call()) == [(200, "fine")]
    await outside.after(20, *limited)


@pytest.mark.parametrize("limit", [0, "x", True, float("inf")])
async def test_a_limit_that_is_none_is_refused_by_name_before_anything_is_sent(limit: Any) -> None:
    outside = Outside()
    (refusal,) = await outside.after(0, outside.call(rate_limit=limit))
    assert isinstance(refusal, InvalidValueError)
    assert str(refusal).startswith(f"rate_limit must be finite and above 0, was {limit!r};")
    assert outside.arrived == []


@pytest.mark.parametrize("ttl", ["x", float("nan"), True])
async def test_a_time_to_live_that_is_none_is_refused_by_name(ttl: Any) -> None:
    with pytest.raises(InvalidValueError, match=f"ttl must be a number of seconds, was {ttl!r};"):
        await Outside().pool.cache_set("key", 1, ttl=ttl)


async def test_no_more_requests_are_in_flight_than_the_pool_has_places() -> None:
    outside = Outside(http_pool_size=2)
    outside.gate.clear()
    calls = [outside.call(api=api) for api in ("a", "b", "a", "b", "c")]
    await outside.clock.run(0)
    assert outside.pool.get_stats()["http_clients"] == 2
    assert [row.in_flight for row in outside.pool.get_stats()["apis"]] == [1, 1, 0]
    outside.gate.set()
    await outside.after(0, *calls)
    assert (outside.peak, outside.pool.get_stats()["http_clients"]) == (2, 0)


async def test_a_larger_pool_lets_the_waiting_go_and_a_smaller_one_keeps_the_next_back() -> None:
    outside = Outside(http_pool_size=1)
    outside.gate.clear()
    calls = [outside.call() for _ in range(6)]
    await outside.clock.run(0)
    assert outside.at_once == 1
    outside.pool.http_pool_size = 4
    await outside.clock.run(0)
    assert outside.at_once == 4
    outside.pool.http_pool_size = 1
    outside.gate.set()
    await outside.after(0, *calls)
    assert outside.peak == 4
    outside.gate.clear()
    calls = [outside.call() for _ in range(3)]
    await outside.clock.run(0)
    assert outside.at_once == 1
    outside.gate.set()
    await outside.after(0, *calls)


async def test_a_call_given_up_while_it_waits_for_a_place_blocks_no_other() -> None:
    outside = Outside(http_pool_size=1)
    outside.gate.clear()
    first, given_up, last = outside.call(), outside.call(), outside.call()
    await outside.clock.run(0)
    given_up.cancel()
    outside.gate.set()
    await outside.after(0, first, last)
    assert (outside.pool.get_stats()["http_clients"], len(outside.arrived)) == (0, 2)


@pytest.mark.parametrize("size", [0, -1, 2.5, True])
async def test_a_pool_without_places_is_refused(size: int) -> None:
    with pytest.raises(InvalidValueError, match="http_pool_size must be a whole number above 0"):
        ResourcePool(http_pool_size=size)


async def test_each_api_has_one_client_made_when_first_needed_and_closed_with_the_pool() -> None:
    outside = Outside()
    assert outside.clients == {}
    for api in ("a", "b", "a"):
        await outside.after(0, outside.call(api=api))
    assert {api: len(made) for api, made in outside.clients.items()} == {"a": 1, "b": 1}
    await outside.pool.close()
    await outside.pool.close()
    assert all(client.is_closed for (client,) in outside.clients.values())
    await outside.after(0, outside.call(api="a"))
    assert [client.is_closed for client in outside.clients["a"]] == [True, False]
    assert outside.figures("a").requests == 3
    await outside.pool.close()


async def test_one_client_that_fails_to_close_keeps_no_other_open() -> None:
    class Stubborn(httpx.MockTransport):
        async def aclose(self) -> None:
            raise OSError("no")

    outside = Outside()
    for api in ("a", "b", "c"):
        await outside.after(0, outside.call(api=api))
    outside.clients["b"][0]._transport = Stubborn(lambda _: httpx.Response(200))
    with pytest.raises(OSError, match="no"):
        await outside.pool.close()
    assert all(client.is_closed for (client,) in outside.clients.values())


FIRST_REQUEST = """
import asyncio, sys, threading
from engine.scheduling.resource_pool import ResourcePool

class Noting:
    "Notes in which thread modules are looked for."
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"anyio", "h11", "httpcore", "httpx", "tenacity"}:
            heavy.add(threading.current_thread() is threading.main_thread())

async def main():
    try:
        await ResourcePool().http_request("POST", "http://127.0.0.1:1/", "nobody")
    except Exception as error:
        print(type(error).__name__)

heavy = set()
sys.meta_path.insert(0, Noting())
asyncio.run(main())
print(heavy)
"""


async def test_what_the_first_request_needs_is_loaded_beside_the_loop() -> None:
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FIRST_REQUEST, stdout=PIPE, cwd=Path(__file__).parents[2]
    )
    said, _ = await ran.communicate()
    assert said.decode().split() == ["ConnectError", "{False}"]


async def test_the_usual_clients_share_one_tls_context() -> None:
    connect = Connector(keep_alive=5)
    first, second = connect("a"), connect("b")
    assert first is not second
    contexts = {id(c._transport._pool._ssl_context) for c in (first, second)}  # type: ignore[attr-defined]
    assert len(contexts) == 1
    await first.aclose()
    await second.aclose()


async def test_an_answer_of_400_or_above_is_returned_and_counted_and_no_answer_is_raised() -> None:
    outside = Outside(httpx.Response(503, text="busy"), httpx.ConnectError)
    first, second = outside.call("POST"), outside.call("POST")
    answered, unanswered = await outside.after(0, first, second)
    assert answered == (503, "busy")
    assert isinstance(unanswered, httpx.ConnectError)
    stats = outside.pool.get_stats()
    assert (stats["http_requests"], stats["http_error_rate"], stats["http_clients"]) == (2, 1.0, 0)


async def test_json_that_is_none_is_given_as_text() -> None:
    broken = httpx.Response(200, text="<html>", headers={"content-type": "application/json"})
    outside = Outside(broken)
    assert await outside.after(0, outside.call()) == [(200, "<html>")]


async def test_the_figures_have_the_documented_keys_and_a_row_per_api() -> None:
    outside = Outside(busy(404))
    assert outside.pool.get_stats() == {
        "http_clients": 0, "http_requests": 0, "http_error_rate": 0.0,
        "cache_size": 0, "cache_hit_rate": 0.0, "apis": (),
    }  # fmt: skip
    for api in ("binance", "news"):
        await outside.after(0, outside.call(api=api))
    rows = outside.pool.get_stats()["apis"]
    assert rows == (
        ApiFigures(api="binance", requests=1, errors=1),
        ApiFigures(api="news", requests=1),
    )
    assert all(ApiFigures.from_json(row.to_json()) == row for row in rows)


async def test_a_cached_value_lives_as_long_as_its_time_and_no_longer() -> None:
    outside = Outside(cache_ttl=120.0)
    pool, clock = outside.pool, outside.clock
    await pool.cache_set("short", 1, ttl=5)
    await pool.cache_set("usual", 2)
    clock.advance(4.9)
    assert (await pool.cache_get("short"), await pool.cache_get("usual")) == (1, 2)
    clock.advance(0.1)
    assert (await pool.cache_get("short"), await pool.cache_get("usual")) == (None, 2)
    assert pool.get_stats()["cache_size"] == 1
    assert pool.get_stats()["cache_hit_rate"] == pytest.approx(0.75)


async def test_a_none_that_was_kept_can_be_told_from_a_miss() -> None:
    pool, missed = Outside().pool, object()
    await pool.cache_set("known to be nothing", None, ttl=5)
    assert await pool.cache_get("known to be nothing", missed) is None
    assert await pool.cache_get("never asked", missed) is missed
    assert pool.get_stats()["cache_hit_rate"] == 0.5


async def test_a_new_default_counts_for_what_is_put_next() -> None:
    outside = Outside()
    await outside.pool.cache_set("before", 1)
    outside.pool.cache_ttl = 5
    await outside.pool.cache_set("after", 2)
    outside.clock.advance(5)
    assert await outside.pool.cache_get("before") == 1
    assert await outside.pool.cache_get("after") is None


async def test_the_cache_does_not_grow_for_ever() -> None:
    pool = ResourcePool(clock=ManualClock())
    for n in range(MAX_ENTRIES + 10):
        await pool.cache_set(str(n), n)
    assert pool.get_stats()["cache_size"] == MAX_ENTRIES
    assert await pool.cache_get("0") is None
    assert await pool.cache_get(str(MAX_ENTRIES + 9)) == MAX_ENTRIES + 9


async def test_cpu_work_is_done_inline_by_default_and_beside_the_loop_where_a_thread_is_given() -> (
    None
):
    here = threading.get_ident()
    assert await ResourcePool().run_cpu(threading.get_ident) == here
    compute = ThreadCompute()
    pool = ResourcePool(compute=compute)
    assert await pool.run_cpu(threading.get_ident) != here
    await pool.close()
    assert await pool.run_cpu(lambda: 6 * 7) == 42  # whoever made the thread ends it
    compute.close()


async def test_cpu_work_that_raises_raises_at_its_caller() -> None:
    def fail() -> None:
        raise ArithmeticError("at work")

    with pytest.raises(ArithmeticError, match="at work"):
        await ResourcePool().run_cpu(fail)
