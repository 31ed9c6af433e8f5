"""The polled feed: sources are tried in order, an outage is told, whatever they answer becomes a tick."""

import asyncio
import math
from datetime import UTC, datetime, timedelta

import pytest

from engine.adapters.feeds.polled import PolledFeed
from engine.domain.errors import FeedError
from engine.domain.instrument import Instrument
from engine.domain.market import FeedKind, FeedState

NOW = datetime(2024, 1, 2, tzinfo=UTC)
ONE, TWO = (Instrument(symbol=symbol, name=symbol) for symbol in ("ONE", "TWO"))


async def good(symbol: str) -> float:
    return {"ONE": 1.5, "TWO": 2.5}[symbol]


async def down(symbol: str) -> float:
    raise ConnectionError("no route")


def feed(*sources, instruments=(ONE, TWO), **more) -> PolledFeed:
    return PolledFeed(sources, instruments, NOW, **more)


def now() -> datetime:
    return NOW + timedelta(seconds=1)


@pytest.mark.asyncio
async def test_it_gives_what_the_sources_answered_once():
    polled = feed(good)
    await polled.fetch(now)
    ticks = polled.poll(0.0)
    assert [(t.symbol, t.price, t.as_of, t.bar) for t in ticks] == [
        ("ONE", 1.5, now(), None),
        ("TWO", 2.5, now(), None),
    ]
    assert list(polled.poll(0.0)) == []
    assert polled.state.kind is FeedKind.POLLED
    assert polled.state.market_time == now()


@pytest.mark.asyncio
async def test_the_next_source_is_asked_when_one_fails():
    polled = feed(down, good)
    await polled.fetch(now)
    assert [t.price for t in polled.poll(0.0)] == [1.5, 2.5]
    assert polled.state.label == "prices asked for"


@pytest.mark.asyncio
async def test_the_next_source_is_asked_when_one_does_not_know_the_symbol():
    async def ignorant(symbol: str) -> None:
        return None

    polled = feed(ignorant, good)
    await polled.fetch(now)
    assert [t.price for t in polled.poll(0.0)] == [1.5, 2.5]
    alone = feed(ignorant)
    await alone.fetch(now)
    assert alone.state.label == "no source answers: TWO is not known"


@pytest.mark.asyncio
async def test_one_symbol_that_nobody_knows_does_not_keep_the_others_away():
    polled = feed(good, instruments=(Instrument(symbol="WHAT", name="?"), TWO))
    await polled.fetch(now)
    assert [t.symbol for t in polled.poll(0.0)] == ["TWO"]


@pytest.mark.asyncio
async def test_an_outage_is_told_with_its_reason_and_its_end_too():
    calls = []

    async def flaky(symbol: str) -> float:
        calls.append(symbol)
        if len(calls) <= 2:
            raise ConnectionError("no route")
        return 3.0

    polled = feed(flaky)
    await polled.fetch(now)
    assert polled.state.label == "no source answers: ConnectionError: no route"
    assert list(polled.poll(0.0)) == []
    await polled.fetch(now)
    assert polled.state.label == "prices asked for"
    assert len(polled.poll(0.0)) == 2


@pytest.mark.asyncio
async def test_a_source_that_hangs_is_given_up():
    async def hangs(symbol: str) -> float:
        await asyncio.Event().wait()
        return 1.0

    polled = feed(hangs, good, timeout_s=0.01)
    await polled.fetch(now)
    assert [t.price for t in polled.poll(0.0)] == [1.5, 2.5]


@pytest.mark.parametrize(
    ("answer", "price", "volume"),
    [
        ({"price": 5, "volume": 7}, 5.0, 7.0),
        ({"price": "5.5"}, 5.5, None),
        ({"price": 5, "volume": -1}, 5.0, None),
        ({"price": 5, "volume": float("nan")}, 5.0, None),
        ({}, math.nan, None),
        ("soon", math.nan, None),
    ],
)
@pytest.mark.asyncio
async def test_any_answer_becomes_a_tick_for_the_validator_to_judge(answer, price, volume):
    async def source(symbol: str) -> object:
        return answer

    polled = feed(source, instruments=(ONE,))
    await polled.fetch(now)
    (tick,) = polled.poll(0.0)
    assert tick.price == pytest.approx(price, nan_ok=True)
    assert tick.volume == volume


def test_it_knows_no_history_and_no_strangers():
    polled = feed(good)
    assert polled.history("ONE").close == ()
    with pytest.raises(FeedError, match="NOBODY"):
        polled.history("NOBODY")


def test_it_goes_on_from_the_time_of_an_earlier_process_and_refuses_other_kinds():
    polled = feed(good)
    later = NOW + timedelta(days=1)
    polled.restore(FeedState(kind=FeedKind.POLLED, label="", market_time=later))
    assert polled.state.market_time == later
    with pytest.raises(FeedError, match="REPLAY"):
        polled.restore(FeedState(kind=FeedKind.REPLAY, label="", market_time=later))


@pytest.mark.parametrize(("heard_s", "goes_on_s"), [(None, 60), (30, 60), (90, 90)])
def test_it_goes_on_from_what_was_heard_after_the_state_was_kept(
    heard_s: int | None, goes_on_s: int
):
    begin, polled = now(), feed(good)
    heard = None if heard_s is None else begin + timedelta(seconds=heard_s)
    kept = FeedState(kind=FeedKind.POLLED, label="", market_time=begin + timedelta(seconds=60))
    polled.restore(kept, heard)
    assert polled.state.market_time == begin + timedelta(seconds=goes_on_s)


def test_no_source_at_all_is_refused():
    with pytest.raises(FeedError, match="one function at least"):
        feed()
