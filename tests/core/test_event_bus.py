"""The bus: order, fences, mailboxes and what a sink may refuse."""

import asyncio
import gc
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import pytest

from engine.core.event_bus import BREATH, EventBus, placed
from engine.domain.errors import JournalError
from engine.domain.events import Event, EventType, Retention

CUSTOM, TICK, ORDER = EventType.CUSTOM, EventType.MARKET_DATA, EventType.ORDER_INTENDED


def tick(symbol: str, price: float) -> Event:
    return Event(TICK, {"symbol": symbol, "price": price})


class FakeSink:
    """Notes what the bus asks of it; `refuses` makes commits fail; `gate` holds them back."""

    def __init__(self, refuses: bool = False, gate: asyncio.Event | None = None) -> None:
        self.notes: list[tuple[str, int]] = []
        self.refuses, self.gate, self.seq = refuses, gate, 40

    def stamp(self, event: Event) -> Event:
        self.seq += 1
        return replace(event, seq=self.seq)

    async def commit(self, event: Event) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.refuses:
            raise JournalError("disk full")
        self.notes.append(("commit", event.seq))

    def append(self, event: Event) -> None:
        self.notes.append(("append", event.seq))


@pytest.mark.asyncio
async def test_events_of_a_handler_queue_up_behind_the_present_one():
    bus, seen = EventBus(), []

    def first(event):
        if event.data["name"] == "a":
            bus.post(Event(CUSTOM, {"name": "a1"}))
            bus.post(Event(CUSTOM, {"name": "a2"}))

    bus.subscribe(CUSTOM, first)
    bus.subscribe(CUSTOM, lambda event: seen.append((event.seq, event.data["name"])))
    await bus.publish(Event(CUSTOM, {"name": "a"}))
    assert seen == [(1, "a"), (2, "a1"), (3, "a2")]


@pytest.mark.asyncio
async def test_publish_returns_the_event_with_its_place_in_the_log():
    bus = EventBus()
    assert [(await bus.publish(Event(CUSTOM))).seq for _ in range(3)] == [1, 2, 3]
    assert (await EventBus(FakeSink()).publish(Event(CUSTOM))).seq == 41


@pytest.mark.asyncio
async def test_a_ledger_event_is_committed_before_anybody_hears_of_it():
    gate = asyncio.Event()
    sink = FakeSink(gate=gate)
    bus, heard = EventBus(sink), []
    for kind in (ORDER, CUSTOM):
        bus.subscribe(kind, lambda _: heard.append(list(sink.notes)))
    ledger = asyncio.create_task(bus.publish(Event(ORDER)))
    later = asyncio.create_task(bus.publish(Event(CUSTOM)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert heard == [], "neither it nor what came after it passes before the commit"
    gate.set()
    assert [(await ledger).seq, (await later).seq] == [41, 42]
    assert heard == [[("commit", 41)], [("commit", 41), ("append", 42)]]


@pytest.mark.asyncio
async def test_a_ledger_event_that_cannot_be_committed_raises_and_reaches_nobody():
    bus, heard = EventBus(FakeSink(refuses=True)), []
    bus.subscribe(ORDER, heard.append)
    bus.subscribe(CUSTOM, heard.append)
    with pytest.raises(JournalError, match="disk full"):
        await bus.publish(Event(ORDER))
    assert heard == []
    await bus.publish(Event(CUSTOM))
    assert len(heard) == 1, "what needs no commit goes on"


@pytest.mark.asyncio
async def test_a_publisher_that_gives_up_waiting_stops_nobody_else():
    gate = asyncio.Event()
    bus, heard = EventBus(FakeSink(gate=gate)), []
    bus.subscribe(ORDER, heard.append)
    waiting = asyncio.create_task(bus.publish(Event(ORDER, {"n": 1})))
    await asyncio.sleep(0)
    waiting.cancel()
    gate.set()
    await bus.publish(Event(ORDER, {"n": 2}))
    assert [event.data["n"] for event in heard] == [1, 2]


@pytest.mark.asyncio
async def test_a_raising_handler_is_counted_and_said_at_the_first_second_and_fourth_time():
    bus, said, others = EventBus(), [], []

    def broken(event):
        raise ZeroDivisionError("no")

    bus.subscribe(CUSTOM, broken)
    bus.subscribe(CUSTOM, others.append)
    bus.subscribe(EventType.AGENT_FAILED, said.append)
    for _ in range(5):
        await bus.publish(Event(CUSTOM))
    assert len(others) == 5
    assert [event.data["consecutive"] for event in said] == [1, 2, 4]
    assert said[0].data["error"] == "ZeroDivisionError: no"
    assert said[0].cause == 1
    (figures,) = [f for name, f in bus.figures().items() if name.endswith("broken")]
    assert (figures["failures"], figures["consecutive"]) == (5, 5)


@pytest.mark.asyncio
async def test_a_handler_of_failures_that_fails_makes_no_loop():
    bus = EventBus()

    def broken(event):
        raise RuntimeError("again")

    bus.subscribe(EventType.AGENT_FAILED, broken)
    await asyncio.wait_for(bus.publish(Event(EventType.AGENT_FAILED, {})), 5)
    assert bus.counts[EventType.AGENT_FAILED] == 1


class Slow:
    """An asynchronous handler that waits until it is let go."""

    def __init__(self) -> None:
        self.gate, self.seen = asyncio.Event(), []

    async def take(self, event: Event) -> None:
        await self.gate.wait()
        self.seen.append(event)


@pytest.mark.asyncio
async def test_a_full_mailbox_keeps_the_newest_price_and_every_order():
    bus, slow = EventBus(mailbox_size=4), Slow()
    bus.subscribe(TICK, slow.take)
    bus.subscribe(ORDER, slow.take)
    for n in range(200):
        await bus.publish(tick("A", float(n)))
        await bus.publish(tick("B", float(n)))
        await bus.publish(Event(ORDER, {"n": n}))
    slow.gate.set()
    await bus.drain()
    orders = [event.data["n"] for event in slow.seen if event.event_type is ORDER]
    assert orders == list(range(200))
    for symbol in "AB":
        prices = [e.data["price"] for e in slow.seen if e.data.get("symbol") == symbol]
        assert prices[-1] == 199.0
        assert len(prices) < 10
    assert [event.seq for event in slow.seen] == sorted(event.seq for event in slow.seen)
    n_ticks = sum(event.event_type is TICK for event in slow.seen)
    assert bus.conflated == 400 - n_ticks


@pytest.mark.asyncio
async def test_a_hanging_handler_does_not_make_its_mailbox_grow_with_every_tick():
    bus, slow = EventBus(mailbox_size=8), Slow()
    bus.subscribe(TICK, slow.take)
    for n in range(5_000):
        await bus.publish(tick("A", float(n)))
    (box,) = bus._mailboxes.values()
    assert len(box._waiting) < 40
    slow.gate.set()
    await bus.drain()
    assert slow.seen[-1].data["price"] == 4_999.0


@pytest.mark.asyncio
async def test_a_mailbox_with_room_conflates_nothing():
    bus, slow = EventBus(), Slow()
    bus.subscribe(TICK, slow.take)
    for n in range(50):
        await bus.publish(tick("A", float(n)))
    slow.gate.set()
    await bus.drain()
    assert [event.data["price"] for event in slow.seen] == [float(n) for n in range(50)]
    assert bus.conflated == 0


@pytest.mark.asyncio
async def test_one_handler_of_several_types_gets_them_in_order():
    bus, seen = EventBus(), []

    async def take(event):
        seen.append(event.seq)

    kinds = [CUSTOM, ORDER, TICK, EventType.RISK_ALERT]
    for kind in kinds:
        bus.subscribe(kind, take)
    for n in range(40):
        await bus.publish(Event(kinds[n % 4], {"symbol": "A"}))
    await bus.drain()
    assert seen == list(range(1, 41))


@pytest.mark.asyncio
async def test_drain_waits_for_what_handlers_publish_in_turn():
    bus, seen = EventBus(), []

    async def relay(event):
        await asyncio.sleep(0)
        if event.data["n"]:
            await bus.publish(Event(CUSTOM, {"n": event.data["n"] - 1}))
        seen.append(event.data["n"])

    bus.subscribe(CUSTOM, relay)
    await bus.publish(Event(CUSTOM, {"n": 6}))
    await asyncio.wait_for(bus.drain(), 5)
    assert sorted(seen) == list(range(7))


@pytest.mark.asyncio
async def test_an_endless_chain_of_events_leaves_the_loop_to_others():
    bus, is_over = EventBus(), asyncio.Event()
    bus.subscribe(CUSTOM, lambda _: None if is_over.is_set() else bus.post(Event(CUSTOM)))
    asyncio.get_running_loop().call_soon(is_over.set)
    await bus.publish(Event(CUSTOM))
    await asyncio.wait_for(bus.drain(), 5)
    assert bus.counts[CUSTOM] >= BREATH


@pytest.mark.asyncio
async def test_the_same_pair_twice_is_one_subscription_and_unsubscribing_twice_is_harmless():
    bus, seen = EventBus(), []
    for _ in range(2):
        bus.subscribe(CUSTOM, seen.append)
    await bus.publish(Event(CUSTOM))
    for _ in range(2):
        bus.unsubscribe(CUSTOM, seen.append)
    await bus.publish(Event(CUSTOM))
    assert len(seen) == 1


@pytest.mark.asyncio
async def test_unsubscribing_ends_what_still_waits():
    bus, slow = EventBus(), Slow()
    bus.subscribe(CUSTOM, slow.take)
    for _ in range(3):
        await bus.publish(Event(CUSTOM))
    await asyncio.sleep(0)
    bus.unsubscribe(CUSTOM, slow.take)
    slow.gate.set()
    await bus.drain()
    assert slow.seen == []


@pytest.mark.asyncio
async def test_a_closed_bus_takes_nothing_more():
    bus, seen = EventBus(), []
    bus.subscribe(CUSTOM, seen.append)
    await bus.publish(Event(CUSTOM))
    await bus.close()
    await bus.close()
    with pytest.raises(RuntimeError, match="closed"):
        await bus.publish(Event(CUSTOM))
    assert len(seen) == 1


def test_a_bus_serves_one_loop_after_another_and_leaves_no_task():
    bus, seen = EventBus(), []

    async def take(event):
        seen.append(event.seq)

    bus.subscribe(CUSTOM, take)

    async def once() -> int:
        await bus.publish(Event(CUSTOM))
        await bus.drain()
        return len(asyncio.all_tasks()) - 1

    assert asyncio.run(once()) == 0
    assert asyncio.run(once()) == 0
    gc.collect()
    assert seen == [1, 2]


def test_every_type_has_a_retention_and_limits_are_ledger():
    assert {EventType.TRADING_HALTED, EventType.WEIGHTS_CHANGED, ORDER} <= {
        kind for kind in EventType if Event(kind).retention is Retention.LEDGER
    }


def test_a_placed_event_differs_in_place_and_time_alone():
    event = Event(EventType.CUSTOM, {"a": 1}, "me", datetime(2030, 1, 1, tzinfo=UTC), 0, 7, None)
    now = datetime(2030, 1, 2, tzinfo=UTC)
    made = placed(event, 5, now)
    assert made == replace(event, seq=5, computed_at=now)
    assert (event.seq, event.computed_at) == (0, None)
    with pytest.raises(FrozenInstanceError):
        made.seq = 6
