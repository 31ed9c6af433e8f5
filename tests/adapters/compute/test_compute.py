"""Compute: one conformance class for every adapter, and what only the thread promises."""

import asyncio
import threading

import pytest

from engine.adapters.compute.inline import InlineCompute
from engine.adapters.compute.thread import ComputeClosedError, ThreadCompute


@pytest.fixture(params=[InlineCompute, ThreadCompute])
def compute(request):
    adapter = request.param()
    yield adapter
    adapter.close()


class TestEveryCompute:
    @pytest.mark.asyncio
    async def test_it_returns_what_the_work_returns(self, compute):
        assert await compute.run(lambda: 6 * 7) == 42

    @pytest.mark.asyncio
    async def test_an_error_of_the_work_is_raised_at_the_caller_and_the_next_work_runs(
        self, compute
    ):
        with pytest.raises(ZeroDivisionError):
            await compute.run(lambda: 1 / 0)
        assert await compute.run(lambda: "alive") == "alive"

    @pytest.mark.asyncio
    async def test_it_says_truly_whether_it_runs_inline(self, compute):
        here = threading.current_thread()
        assert (await compute.run(threading.current_thread) is here) is compute.is_inline

    def test_work_aside_is_done_in_order(self, compute):
        done, is_over = [], threading.Event()
        compute.aside(lambda call: done.append(call(abs, -1)))
        compute.aside(lambda call: done.append(call(abs, -2)))
        compute.aside(lambda _: is_over.set())
        assert is_over.wait(60.0)
        assert done == [1, 2]

    def test_closing_twice_is_harmless(self, compute):
        compute.close()
        compute.close()


@pytest.mark.asyncio
async def test_thread_runs_one_piece_at_a_time_in_order_in_a_named_daemon():
    compute, order, present = ThreadCompute("test-compute"), [], []

    def piece(n: int) -> threading.Thread:
        present.append(n)
        assert present == [n]
        order.append(n)
        present.remove(n)
        return threading.current_thread()

    threads = await asyncio.gather(*(compute.run(lambda n=n: piece(n)) for n in range(20)))
    compute.close()
    assert order == list(range(20))
    assert len(set(threads)) == 1
    assert threads[0].daemon
    assert threads[0].name == "test-compute"
    threads[0].join(5)
    assert not threads[0].is_alive()


@pytest.mark.asyncio
async def test_closing_fails_what_waits_lets_the_present_piece_end_and_refuses_more():
    compute, gate, began = ThreadCompute(), threading.Event(), threading.Event()

    def present() -> str:
        began.set()
        gate.wait(5)
        return "done"

    running = asyncio.create_task(compute.run(present))
    waiting = asyncio.create_task(compute.run(lambda: "never"))
    await asyncio.to_thread(began.wait, 5)
    compute.close()
    gate.set()
    assert await running == "done"
    with pytest.raises(ComputeClosedError, match="before this work began"):
        await waiting
    with pytest.raises(ComputeClosedError, match="was closed"):
        await compute.run(lambda: 1)


@pytest.mark.asyncio
async def test_cancelling_the_caller_drops_work_that_has_not_begun():
    compute, gate, began, ran = ThreadCompute(), threading.Event(), threading.Event(), []

    def present() -> None:
        began.set()
        gate.wait(5)

    running = asyncio.create_task(compute.run(present))
    waiting = asyncio.create_task(compute.run(lambda: ran.append("cancelled work")))
    await asyncio.to_thread(began.wait, 5)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gate.set()
    await running
    assert await compute.run(lambda: "next") == "next"
    assert ran == []
    compute.close()


def test_work_aside_that_fails_is_logged_and_the_next_is_done(caplog):
    compute, is_over = ThreadCompute("test-compute"), threading.Event()
    compute.aside(lambda _: 1 / 0)
    compute.aside(lambda _: is_over.set())
    assert is_over.wait(10.0)
    assert "work aside failed" in caplog.text
    compute.close()
    helper = compute._helper
    helper.join(10.0)
    assert not helper.is_alive()
    compute.aside(is_over.clear)  # closed: nothing is done, nothing is raised
    assert is_over.is_set()


@pytest.mark.asyncio
async def test_work_aside_does_not_hold_up_the_other():
    compute, may_end = ThreadCompute("test-compute"), threading.Event()
    has_begun = threading.Event()

    def hold_up(_: object) -> None:
        has_begun.set()
        may_end.wait(10.0)

    compute.aside(hold_up)
    try:
        assert await asyncio.to_thread(has_begun.wait, 5.0)
        assert await asyncio.wait_for(compute.run(lambda: 42), 5.0) == 42
    finally:
        may_end.set()
        compute.close()
