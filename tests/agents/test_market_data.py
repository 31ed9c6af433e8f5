"""The market data agent: what it tells, what it remembers first, and what it does at restarts, jumps and bad ticks."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.adapters.feeds.replay import ReplayFeed
from engine.adapters.feeds.synthetic import SyntheticFeed
from engine.agents.market_data import KEPT_BARS, MarketDataAgent
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.commands import (
    HaltTrading,
    JumpReplay,
    PauseReplay,
    ResumeReplay,
    SetReplaySpeed,
    StepReplay,
)
from engine.domain.errors import FeedError, InvalidValueError
from engine.domain.events import Event, EventType
from engine.domain.instrument import Instrument
from engine.domain.market import (
    Bar,
    BarColumns,
    DropReason,
    FeedKind,
    FeedState,
    HistoryLoaded,
    Tick,
    TickDropped,
)

NOW = datetime(2024, 1, 2, tzinfo=UTC)
HEARD = (
    EventType.MARKET_DATA,
    EventType.FEED_CHANGED,
    EventType.HISTORY_LOADED,
    EventType.TICK_DROPPED,
)


class FakeFeed:
    """Gives the ticks it was told to give, once."""

    instruments = (Instrument(symbol="ONE", name="One"),)

    def __init__(self, kind: FeedKind = FeedKind.LIVE, *prices: float) -> None:
        self.kind = kind
        self.queue: list[Tick] = [tick(p, k) for k, p in enumerate(prices)]

    @property
    def state(self) -> FeedState:
        return FeedState(kind=self.kind, label="fake", market_time=NOW)

    def fingerprint(self) -> str:
        return "fake"

    def history(self, symbol: str) -> BarColumns:
        return BarColumns(symbol=symbol)

    def poll(self, now_s: float) -> Sequence[Tick]:
        due, self.queue = self.queue, []
        return due

    def restore(self, state: FeedState) -> None:
        raise NotImplementedError


def tick(price: float, second: int, *, is_closed: bool | None = None) -> Tick:
    as_of = NOW + timedelta(seconds=second)
    bar = None
    if is_closed is not None:
        opens_at, closes_at = NOW + timedelta(seconds=second // 2 * 2), as_of
        bar = Bar(
            symbol="ONE", opens_at=opens_at, closes_at=closes_at, close=price, is_closed=is_closed
        )
    return Tick(symbol="ONE", price=price, as_of=as_of, bar=bar)


class Desk:
    """An agent on a manual clock with everything it says recorded, and the state at that moment."""

    def __init__(self, feed=None, **config) -> None:
        self.clock = ManualClock()
        self.bus = EventBus()
        self.state = StateManager()
        self.events: list[Event] = []
        self.seen_at_delivery: list[tuple[float, float | None, float | None]] = []
        self.agent = MarketDataAgent(
            "market_data",
            self.bus,
            self.state,
            {"clock": self.clock, "interval": 0.25, **({"feed": feed} if feed else {}), **config},
        )
        for topic in HEARD:
            self.bus.subscribe(topic, self.events.append)
        self.bus.subscribe(EventType.MARKET_DATA, self._look)

    def _look(self, event: Event) -> None:
        symbol = event.data["symbol"]
        history = self.state.get(f"history:{symbol}")
        self.seen_at_delivery.append(
            (event.data["price"], self.state.get(f"price:{symbol}"), history[-1])
        )

    def of(self, event_type: EventType) -> list[Event]:
        return [event for event in self.events if event.event_type is event_type]

    async def run(self, seconds: float) -> None:
        await self.clock.run(seconds)

    async def __aenter__(self) -> "Desk":
        await self.agent.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _stop(self) -> None:
        stopping = asyncio.create_task(self.agent.stop())
        await self.clock.run(0.0)
        await stopping


def replay(**more) -> ReplayFeed:
    return ReplayFeed(["AAPL", "JPM"], seed=3, **more)


# -- start ---------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_the_history_stands_in_the_state_before_it_is_told():
    desk, stood = Desk(replay()), []

    def look(event: Event) -> None:
        symbol = event.data["symbol"]
        bars = desk.state.get(f"bars:{symbol}")
        history, price = desk.state.get(f"history:{symbol}"), desk.state.get(f"price:{symbol}")
        stood.append((symbol, len(bars["close"]), bars["close"] == history, history[-1] == price))

    desk.bus.subscribe(EventType.HISTORY_LOADED, look)
    async with desk:
        assert stood == [("AAPL", KEPT_BARS, True, True), ("JPM", KEPT_BARS, True, True)]
        loaded = HistoryLoaded.from_data(desk.of(EventType.HISTORY_LOADED)[0].data)
        assert loaded.n_bars == KEPT_BARS
        assert loaded.last_close_at == datetime(2008, 8, 29, 20, tzinfo=UTC)
        assert desk.events[0].event_type is EventType.FEED_CHANGED


@pytest.mark.asyncio
async def test_warm_up_bars_are_no_market_data():
    async with Desk(replay()) as desk:
        assert desk.of(EventType.MARKET_DATA) == []


@pytest.mark.asyncio
async def test_bars_in_the_state_read_back_as_bar_columns():
    async with Desk(replay()) as desk:
        await desk.run(6)
        columns = BarColumns.from_data(desk.state.get("bars:JPM"))
        assert columns.open[-1] is None
        assert len(columns.close) == len(columns.volume) == KEPT_BARS
        assert columns.closes_at[-1] == datetime(2008, 9, 2, 20, tzinfo=UTC).timestamp()


# -- ticks ---------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_every_handler_finds_the_price_of_its_event_in_the_state():
    async with Desk(replay(bars_per_minute=60)) as desk:
        await desk.run(4)
    assert len(desk.seen_at_delivery) > 20
    assert all(price == stored == last for price, stored, last in desk.seen_at_delivery)


@pytest.mark.asyncio
async def test_a_closed_bar_enters_the_bars_and_a_forming_one_only_the_history():
    async with Desk(replay()) as desk:
        before = desk.state.get("bars:AAPL")["close"]
        await desk.run(2.5)
        assert desk.state.get("bars:AAPL")["close"] == before
        assert desk.state.get("history:AAPL")[:-1] == before[1:]
        await desk.run(2.75)
        bars = desk.state.get("bars:AAPL")["close"]
        closed = [e for e in desk.of(EventType.MARKET_DATA) if e.data["bar"]["is_closed"]]
        assert bars[:-1] == before[1:]
        assert bars[-1] == closed[0].data["price"]


@pytest.mark.asyncio
async def test_the_feed_is_told_once_per_closed_bar_after_its_ticks():
    async with Desk(replay()) as desk:
        await desk.run(11)
        types = [(e.event_type, e.data.get("bars_done")) for e in desk.events]
        told = [n for kind, n in types if kind is EventType.FEED_CHANGED]
        assert told == [0, 1, 2]
        at = types.index((EventType.FEED_CHANGED, 1))
        assert desk.events[at - 1].event_type is EventType.MARKET_DATA
        assert desk.events[at].as_of >= desk.events[at - 1].as_of


@pytest.mark.asyncio
async def test_two_runs_say_the_same_and_another_seed_something_else():
    async def said(seed: int) -> list[object]:
        async with Desk(ReplayFeed(["AAPL"], seed=seed)) as desk:
            await desk.run(7)
        return [(e.event_type, e.as_of, dict(e.data)) for e in desk.events]

    assert await said(1) == await said(1)
    assert await said(1) != await said(2)


def test_a_price_without_a_bar_counts_as_one_observation():
    desk = Desk(FakeFeed(FeedKind.LIVE, 10.0, 11.0, 12.0))
    events = list(desk.agent.cycle())
    assert [e.data["price"] for e in events if e.event_type is EventType.MARKET_DATA] == [
        10,
        11,
        12,
    ]
    assert desk.state.get("history:ONE") == [10.0, 11.0, 12.0]
    assert desk.state.get("price:ONE") == 12.0


def test_history_and_bars_keep_no_more_than_they_should():
    feed = FakeFeed()
    desk = Desk(feed)
    feed.queue = [tick(100.0 + k % 7, k, is_closed=k % 2 == 1) for k in range(2 * KEPT_BARS + 41)]
    list(desk.agent.cycle())
    assert len(desk.state.get("bars:ONE")["close"]) == KEPT_BARS
    assert len(desk.state.get("history:ONE")) == KEPT_BARS


# -- bad ticks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0, -5.0, 1e12, 135.0])
def test_a_bad_tick_is_told_as_dropped_and_stored_nowhere(bad):
    desk = Desk(FakeFeed(FeedKind.LIVE, 100.0, bad, 101.0))
    events = list(desk.agent.cycle())
    prices = [e.data["price"] for e in events if e.event_type is EventType.MARKET_DATA]
    assert prices == desk.state.get("history:ONE") == [100.0, 101.0]
    drops = [
        TickDropped.from_data(e.data) for e in events if e.event_type is EventType.TICK_DROPPED
    ]
    assert drops[0].price == f"{bad:g}"
    assert sum(desk.agent.get_metrics()["ticks_dropped"].values()) == len(drops) >= 1


def test_drops_are_counted_by_reason():
    desk = Desk(FakeFeed(FeedKind.LIVE, 100.0, float("nan"), -1.0, float("nan")))
    drops = [e.data for e in desk.agent.cycle() if e.event_type is EventType.TICK_DROPPED]
    assert [(d["reason"], d["count"]) for d in drops] == [
        (DropReason.NOT_FINITE.value, 1),
        (DropReason.NOT_POSITIVE.value, 1),
        (DropReason.NOT_FINITE.value, 2),
    ]


def test_the_same_jump_passes_flagged_from_a_file_and_waits_from_elsewhere(caplog):
    caplog.set_level(logging.INFO)
    trusted, other = (
        Desk(FakeFeed(kind, 100.0, 48.1)) for kind in (FeedKind.REPLAY, FeedKind.LIVE)
    )
    for desk in (trusted, other):
        list(desk.agent.cycle())
    assert trusted.state.get("price:ONE") == 48.1
    assert trusted.agent.get_metrics()["ticks_flagged"] == 1
    assert other.state.get("price:ONE") == 100.0
    assert "kept" in caplog.text


@pytest.mark.asyncio
async def test_the_whole_autumn_of_2008_passes_the_validator():
    async with Desk(ReplayFeed(bars_per_minute=600, max_gap_s=60), interval=5.0) as desk:
        await desk.run(6)
        assert desk.of(EventType.TICK_DROPPED) == []
        assert desk.agent.feed.state.bars_done == 50


# -- cut off, stopped, restarted -----------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_restart_goes_on_with_the_tick_that_would_have_come():
    async with Desk(replay()) as whole:
        await whole.run(14)
    async with Desk(replay()) as first:
        await first.run(7)
    stopped_at = FeedState.from_data(first.of(EventType.FEED_CHANGED)[-1].data)
    feed = replay()
    feed.restore(stopped_at)
    async with Desk(feed) as second:
        await second.run(6)
        assert second.state.get("bars:AAPL") is not None
    expected = [e.data for e in whole.of(EventType.MARKET_DATA)]
    got = [e.data for e in first.of(EventType.MARKET_DATA) + second.of(EventType.MARKET_DATA)]
    assert len(got) > len(first.of(EventType.MARKET_DATA)) > 0
    assert got == expected[: len(got)]


def test_a_cycle_that_is_cut_off_leaves_the_rest_to_the_next():
    desk = Desk(FakeFeed(FeedKind.LIVE, 1.0, 1.1, 1.2))
    cycle = desk.agent.cycle()
    assert next(cycle).data["price"] == 1.0
    cycle.close()
    rest = [e.data["price"] for e in desk.agent.cycle() if e.event_type is EventType.MARKET_DATA]
    assert rest == [1.1, 1.2]


@pytest.mark.asyncio
async def test_a_paused_agent_lets_market_time_stand_and_goes_on_without_a_burst():
    async with Desk(replay()) as desk:
        await desk.run(2)
        n = len(desk.events)
        await desk.agent.pause()
        await desk.run(600)
        assert len(desk.of(EventType.MARKET_DATA)) == n - 3  # one FEED_CHANGED, two HISTORY_LOADED
        await desk.agent.resume()
        await desk.run(0.25)
        burst = len(desk.of(EventType.MARKET_DATA)) - (n - 3)
        assert 0 < burst <= 2 * (8 + 3)


# -- commands ------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_each_command_is_obeyed_answered_and_told_by_the_next_cycle():
    async with Desk(replay()) as desk:
        await desk.run(1)
        said = {}
        for command in (
            SetReplaySpeed(bars_per_minute=60),
            PauseReplay(),
            StepReplay(),
            ResumeReplay(),
        ):
            n = len(desk.of(EventType.FEED_CHANGED))
            said[type(command).__name__] = desk.agent.steer(command)
            await desk.run(0.25)
            assert len(desk.of(EventType.FEED_CHANGED)) > n
        assert said["SetReplaySpeed"] == ("Replay at ×60", "60 bars a minute from now on.")
        assert said["PauseReplay"] == ("Replay paused", "Market time stands at 2 Sep 2008.")
        assert said["StepReplay"][0] == "Replay steps"
        assert said["ResumeReplay"] == ("Replay runs", "From 2 Sep 2008 on, 60 bars a minute.")
        assert desk.agent.feed.state.bars_done >= 1


@pytest.mark.asyncio
async def test_a_paused_replay_tells_that_it_is_paused_and_no_ticks():
    async with Desk(replay()) as desk:
        await desk.run(1)
        desk.agent.steer(PauseReplay())
        await desk.run(0.5)
        n = len(desk.of(EventType.MARKET_DATA))
        await desk.run(20)
        assert len(desk.of(EventType.MARKET_DATA)) == n
        assert desk.of(EventType.FEED_CHANGED)[-1].data["is_paused"] is True


@pytest.mark.asyncio
async def test_a_jump_back_tells_the_new_run_and_loads_the_history_of_then():
    async with Desk(replay(start=date(2008, 9, 15))) as desk:
        await desk.run(7)
        answer = desk.agent.steer(JumpReplay(to=datetime(2008, 9, 5, 21, tzinfo=UTC)))
        assert answer == (
            "Replay at the close of 5 Sep 2008",
            "A new run (run-2) starts with a fresh paper account.",
        )
        n = len(desk.events)
        await desk.run(0.25)
        kinds = [e.event_type for e in desk.events[n:]]
        assert kinds[:3] == [
            EventType.FEED_CHANGED,
            EventType.HISTORY_LOADED,
            EventType.HISTORY_LOADED,
        ]
        assert desk.events[n].data["run_id"] == "run-2"
        close_at = int(datetime(2008, 9, 5, 20, tzinfo=UTC).timestamp())
        assert desk.state.get("bars:AAPL")["closes_at"][-1] == close_at
        assert desk.state.get("price:AAPL") == desk.state.get("bars:AAPL")["close"][-1]
        await desk.run(1)
        assert desk.of(EventType.MARKET_DATA)[-1].as_of.date() == date(2008, 9, 8)
        assert desk.of(EventType.TICK_DROPPED) == []


@pytest.mark.asyncio
async def test_a_jump_while_ticks_are_being_delivered_drops_those_of_the_old_place():
    async with Desk(replay(start=date(2008, 9, 15), bars_per_minute=60)) as desk:
        await desk.run(2)
        jumped = []

        def jump(event: Event) -> None:
            if not jumped:
                jumped.append(len(desk.of(EventType.MARKET_DATA)))
                desk.agent.steer(JumpReplay(to=datetime(2008, 9, 5, 21, tzinfo=UTC)))

        desk.bus.subscribe(EventType.MARKET_DATA, jump)
        await desk.run(1)
        after = desk.of(EventType.MARKET_DATA)[jumped[0] :]
        assert len(after) > 0
        assert {e.as_of.date() for e in after} <= {date(2008, 9, 8), date(2008, 9, 9)}


@pytest.mark.asyncio
async def test_a_jump_forward_trades_nothing_in_between():
    async with Desk(replay()) as desk:
        await desk.run(1)
        _, message = desk.agent.steer(JumpReplay(to=datetime(2008, 9, 12, 21, tzinfo=UTC)))
        assert "nothing was traded" in message
        await desk.run(0.5)
        days = {e.as_of.date() for e in desk.of(EventType.MARKET_DATA)}
        assert days == {date(2008, 9, 2), date(2008, 9, 15)}


@pytest.mark.parametrize(
    ("command", "error", "why"),
    [
        (JumpReplay(to=datetime(1980, 1, 1, tzinfo=UTC)), FeedError, "to must lie from"),
        (SetReplaySpeed(bars_per_minute=-1), InvalidValueError, "bars_per_minute must"),
        (HaltTrading(), FeedError, "can't obey HaltTrading"),
    ],
)
def test_what_the_feed_can_not_do_is_refused_with_the_reason(command, error, why):
    with pytest.raises(error, match=why):
        Desk(replay()).agent.steer(command)


def test_a_feed_without_controls_says_that_it_has_none():
    with pytest.raises(FeedError, match="LIVE feed runs with the wall clock"):
        Desk(FakeFeed()).agent.steer(PauseReplay())


# -- alone ---------------------------------------------------------------------------------------------------------


async def price_of(symbol: str) -> float:
    return {"ONE": 10.0, "TWO": 20.0}[symbol]


@pytest.mark.asyncio
async def test_sources_are_asked_for_every_symbol():
    async with Desk(sources=[price_of], symbols=["ONE", "TWO"]) as desk:
        await desk.run(0.5)
        assert desk.state.get("price:ONE") == 10.0
        assert desk.state.get("price:TWO") == 20.0
        assert desk.agent.feed.state.kind is FeedKind.POLLED
        assert desk.of(EventType.HISTORY_LOADED) == []


@pytest.mark.asyncio
async def test_polled_observations_survive_a_stop_and_a_start_of_the_agent():
    desk = Desk(sources=[price_of], symbols=["ONE"])
    async with desk:
        await desk.run(1)
    before = desk.state.get("history:ONE")
    assert len(before) > 2
    async with desk:
        await desk.run(0.5)
        assert desk.state.get("history:ONE")[: len(before)] == before


@pytest.mark.asyncio
async def test_an_outage_of_all_sources_is_told_and_so_is_its_end():
    calls = []

    async def flaky(symbol: str) -> float:
        calls.append(symbol)
        if len(calls) == 2:
            raise ConnectionError("no route")
        return 10.0

    async with Desk(sources=[flaky], symbols=["ONE"]) as desk:
        await desk.run(1)
        labels = [e.data["label"] for e in desk.of(EventType.FEED_CHANGED)]
        assert labels == [
            "prices asked for",
            "no source answers: ConnectionError: no route",
            "prices asked for",
        ]


def test_a_year_of_polled_prices_has_as_many_periods_as_polls():
    desk = Desk(sources=[price_of], symbols=["ONE"], interval=60)
    assert desk.agent.feed.instruments[0].periods_per_year == 365 * 24 * 60


def test_sources_need_to_know_what_to_ask_for():
    with pytest.raises(InvalidValueError, match="symbols must"):
        Desk(sources=[price_of])


@pytest.mark.asyncio
async def test_without_feed_and_sources_prices_are_made_up_and_labelled():
    async with Desk(symbols=["BTCUSDT"], interval=5.0) as desk:
        assert isinstance(desk.agent.feed, SyntheticFeed)
        await desk.run(10)
        assert desk.state.get("price:BTCUSDT") > 0
        assert (
            len(desk.of(EventType.MARKET_DATA)) == 40
        )  # slow polls are no sleep: two bars in ten seconds
        assert desk.of(EventType.FEED_CHANGED)[0].data["kind"] == "SYNTHETIC"


def test_names_of_sources_that_are_not_built_in_are_named_in_the_label():
    desk = Desk(sources=["binance", "coingecko"], symbols=["BTCUSDT"])
    state = desk.agent.feed.state
    assert state.kind is FeedKind.SYNTHETIC
    assert "no source of binance, coingecko is built in" in state.label


@pytest.mark.asyncio
async def test_market_time_waits_for_what_is_not_ready_and_says_for_what():
    waits = ["kernels are being compiled"]
    desk = Desk(FakeFeed(FeedKind.LIVE, 10.0, 11.0), waits_for=lambda: waits[0])
    await desk.agent.start()
    try:
        await desk.agent.perform_cycle(None)
        await desk.bus.drain()
        assert [e for e in desk.events if e.event_type is EventType.MARKET_DATA] == []
        assert desk.events[-1].data["waits_for"] == "kernels are being compiled"
        waits[0] = ""
        await desk.agent.perform_cycle(None)
        await desk.bus.drain()
    finally:
        await desk.agent.stop()
    prices = [e.data["price"] for e in desk.events if e.event_type is EventType.MARKET_DATA]
    assert prices == [10.0, 11.0], "nothing is lost"
    told = [e for e in desk.events if e.event_type is EventType.FEED_CHANGED]
    assert not told[-1].data.get("waits_for")
