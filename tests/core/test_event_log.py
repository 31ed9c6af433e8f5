"""The sink: order, durability, what a broken journal or store does, and starting again."""

import asyncio
import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.adapters.clocks.wall import WallClock
from engine.adapters.journals.memory import MemoryJournal
from engine.adapters.stores.memory import MemoryStore
from engine.core.event_bus import EventBus
from engine.core.event_log import EventLog
from engine.core.live_store import LiveStore
from engine.core.projection import Projection
from engine.core.state_manager import StateManager
from engine.core.trouble import Pace
from engine.domain.errors import (
    InvalidValueError,
    JournalError,
    OwnershipLostError,
    StoreError,
)
from engine.domain.events import EventType
from engine.domain.payload import decode, encode
from engine.domain.sections import EngineSection
from engine.domain.trading import Side
from tests.core import sample as s

T = EventType
QUICK = Pace(batch_s=0.01, flush_s=0.01, retry_s=0.01, retry_max_s=0.02)


class FakeJournal(MemoryJournal):
    """The journal in memory, which can be broken and counts its transactions."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []
        self.error: Exception | None = None
        self.gate: threading.Event | None = None
        self.threads: set[str] = set()

    def append(self, events, epoch):
        self.threads.add(threading.current_thread().name)
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        super().append(events, epoch)
        self.batches.append([event.seq for event in events])

    def seqs(self) -> list[int]:
        return [event.seq for event in self.events()]


class FakeStore(MemoryStore):
    """The store in memory, which can be broken."""

    def __init__(self) -> None:
        super().__init__()
        self.is_broken = False
        self.writes: list[set[str]] = []

    def write(self, items):
        if self.is_broken:
            raise StoreError("database disk image is malformed")
        super().write(items)
        self.writes.append(set(items))


def build(journal=None, store=None, pace: Pace | None = QUICK, clock=None, state=None):
    journal = journal or FakeJournal()
    store = store or FakeStore()
    log = EventLog(journal, Projection(), store, clock or WallClock(), state=state, pace=pace)
    log.open(0)
    bus = EventBus(log)
    log.announce = bus.post
    return bus, log, journal, store


async def until(condition, seconds: float = 5.0) -> None:
    """Wait for what other threads do."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


def section(store, name):
    raw, _ = store.read([name])[name]
    return decode(raw)


# -- the way of an event -------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_events_reach_the_journal_in_order_and_off_the_loop():
    bus, log, journal, _ = build()
    for event in s.stretch(1):
        await bus.publish(replace(event, seq=0))
    await log.flush()
    assert journal.seqs() == list(range(1, len(s.stretch(1)) + 1))
    assert threading.current_thread().name not in journal.threads
    await log.close()


@pytest.mark.asyncio
async def test_ticks_are_written_together_and_soon():
    bus, log, journal, _ = build()
    for k in range(30):
        await bus.publish(s.inside("A", 0, 100.0 + k))
    assert journal.batches == []
    await until(lambda: journal.head() == 30)
    assert len(journal.batches) == 1
    await log.close()


@pytest.mark.asyncio
async def test_a_ledger_event_takes_what_waited_along_in_its_transaction():
    bus, log, journal, _ = build(pace=Pace(batch_s=60.0))
    for _ in range(3):
        await bus.publish(s.inside("A", 0, 100.0))
    await bus.publish(s.order(T.ORDER_INTENDED, "o1", "A", Side.BUY, "1"))
    assert journal.batches == [[1, 2, 3, 4]]
    await log.close()


@pytest.mark.asyncio
async def test_telemetry_is_shown_but_has_no_place_in_the_log():
    bus, log, journal, store = build()
    await bus.publish(s.agent("a", s.AgentStatus.RUNNING))
    heard = await bus.publish(s.measured("a", 7))
    after = await bus.publish(s.alert("x"))
    await log.flush()
    assert (heard.seq, after.seq) == (0, 2)
    assert journal.seqs() == [1, 2]
    assert section(store, "agents")["rows"][0]["measured"]["cycles"] == 7
    await log.close()


@pytest.mark.asyncio
async def test_under_the_manual_clock_everything_is_written_when_publish_returns():
    bus, log, journal, store = build(pace=None, clock=ManualClock())
    versions: list[int] = []
    log.on_flush(versions.append)
    before = log.version
    await bus.publish(s.close("A", 0, 100.0))
    await bus.publish(s.order(T.ORDER_INTENDED, "o1", "A", Side.BUY, "1"))
    assert journal.seqs() == [1, 2]
    assert journal.threads == {threading.current_thread().name}
    assert section(store, "quotes")["quotes"]["A"]["price"] == 100.0
    assert section(store, "portfolio")["open_orders"][0]["order_id"] == "o1"
    assert versions == [before + 1, before + 2]
    await log.close()


# -- sections ------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_only_what_changed_is_written_and_everybody_is_told_the_version():
    bus, log, _, store = build()
    await bus.publish(s.alert("x"))
    await log.flush()
    told: list[tuple[int, bool]] = []
    stop = log.on_flush(lambda version: told.append((version, version == store.version())))
    await bus.publish(s.inside("A", 0, 100.0))
    await log.flush()
    assert store.writes[-1] <= {"feed", "quotes", "portfolio", "trading"}
    assert told == [(log.version, True)]
    stop()
    await bus.publish(s.alert("y"))
    await log.flush()
    assert len(told) == 1
    await log.close()


@pytest.mark.asyncio
async def test_a_burst_is_written_once_per_pace_not_once_per_event():
    bus, log, _, store = build(pace=Pace(flush_s=60.0))
    await bus.publish(s.inside("A", 0, 1.0))
    await log.flush()
    n = len(store.writes)
    for k in range(500):
        await bus.publish(s.inside("A", 0, 100.0 + k))
    await log.flush()
    assert len(store.writes) == n + 1
    assert section(store, "quotes")["quotes"]["A"]["price"] == 599.0
    await log.close()


@pytest.mark.asyncio
async def test_a_failing_listener_is_nobody_elses_trouble():
    bus, log, _, _ = build()
    told: list[int] = []

    def broken(version):
        raise RuntimeError("gone")

    log.on_flush(broken)
    log.on_flush(told.append)
    await bus.publish(s.alert("x"))
    await log.flush()
    assert told
    await log.close()


@pytest.mark.asyncio
async def test_a_section_that_ended_with_its_run_is_marked_as_gone():
    bus, log, _, store = build()
    for event in (s.feed(1), s.cycle("A", 1, 1.0, {"m": 1.0}), s.feed(0, run_id="run-2")):
        await bus.publish(event)
    await log.flush()
    assert section(store, "cycle:A") is None
    await log.close()


@pytest.mark.asyncio
async def test_the_agents_memory_goes_along_into_the_store():
    store = FakeStore()
    state = StateManager(store=store)
    bus, log, _, _ = build(store=store, state=state)
    state.set("price:A", 42.0)
    await bus.publish(s.alert("x"))
    await log.close()
    assert store.get("price:A") == b"42.0"


@pytest.mark.asyncio
async def test_shown_values_need_no_event():
    _, log, _, store = build()
    log.show("engine", EngineSection(state="stopping"))
    await log.flush()
    assert section(store, "engine")["state"] == "stopping"
    await log.close()


# -- broken surroundings -------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_while_the_journal_is_locked_no_intent_passes_and_no_fact_is_lost():
    bus, log, journal, store = build()
    heard: list[str] = []
    for kind in T:
        bus.subscribe(kind, lambda event: heard.append(event.event_type.value))
    journal.error = JournalError("database is locked")
    await bus.publish(s.inside("A", 0, 100.0))
    with pytest.raises(JournalError, match="locked"):
        await bus.publish(s.order(T.ORDER_INTENDED, "o1", "A", Side.BUY, "1"))
    await bus.publish(s.fill("o0", "A", Side.BUY, "2", "100"))
    await bus.publish(s.answer("c1", is_accepted=False))
    assert "ORDER_INTENDED" not in heard
    assert {"ORDER_FILLED", "COMMAND_REFUSED", "RISK_ALERT"} <= set(heard)
    assert list(log.troubles) == ["journal"]
    await log._sections.flush()
    assert section(store, "portfolio")["open_orders"] == []
    journal.error = None
    await until(lambda: log.waiting == 0 and not log.troubles)
    kinds = [event.event_type for event in journal.events()]
    assert kinds.count(T.ORDER_FILLED) == 1
    assert T.ORDER_INTENDED not in kinds
    assert journal.seqs() == sorted(journal.seqs())
    await bus.publish(s.order(T.ORDER_INTENDED, "o2", "A", Side.BUY, "1"))
    assert [e.data["title"] for e in journal.events() if e.event_type is T.RISK_ALERT] == [
        "Journal cannot be written.",
        "Journal can be written again.",
    ]
    await log.close()


@pytest.mark.asyncio
async def test_the_loop_and_market_data_go_on_while_the_journal_hangs():
    bus, log, journal, _ = build()
    heard: list[float] = []
    bus.subscribe(T.MARKET_DATA, lambda event: heard.append(event.data["price"]))
    journal.gate = threading.Event()
    await bus.publish(s.inside("A", 0, 1.0))
    await asyncio.sleep(0.03)
    async with asyncio.timeout(1):
        await bus.publish(s.inside("A", 0, 2.0))
    assert heard == [1.0, 2.0]
    journal.gate.set()
    await until(lambda: journal.head() == 2)
    await log.close()


@pytest.mark.asyncio
async def test_after_ownership_is_lost_nothing_is_written_and_ledger_events_fail():
    bus, log, journal, _ = build()
    troubles: list[type] = []
    log.on_trouble(lambda trouble: troubles.append(type(trouble.error)))
    journal.acquire("another", "host", 1, WallClock().now())
    for event in (s.order(T.ORDER_INTENDED, "o", "A", Side.BUY, "1"), s.answer("c")):
        with pytest.raises(OwnershipLostError):
            await bus.publish(event)
    await bus.publish(s.inside("A", 0, 1.0))
    assert troubles == [OwnershipLostError]
    assert (journal.head(), log.waiting) == (0, 0)
    await log.close()


@pytest.mark.asyncio
async def test_a_broken_store_is_opened_anew_and_written_whole():
    stores: list[FakeStore] = []

    def open_store() -> FakeStore:
        stores.append(FakeStore())
        return stores[-1]

    live = LiveStore(open_store)
    state = StateManager(store=live)
    bus, log, _, _ = build(store=live, state=state)
    state.set("price:A", 1.0)
    for event in s.stretch(3):
        await bus.publish(replace(event, seq=0))
    await log.flush()
    version = log.version
    stores[0].is_broken = True
    await bus.publish(s.inside("AAPL", 30, 55.0))
    await until(lambda: len(stores) == 2 and len(stores[1].read()) == len(log.projection.names()))
    await log.flush()
    assert section(live, "quotes")["quotes"]["AAPL"]["price"] == 55.0
    assert section(live, "alerts")["rows"]
    assert live.version() > version, "who asks for changes since then gets them all"
    await log.close()
    assert stores[1].get("price:A") == b"1.0"


@pytest.mark.asyncio
async def test_a_store_that_stays_broken_is_said_once_and_healed_later():
    bus, log, _, store = build()
    await log.flush()
    store.is_broken = True
    for k in range(5):
        await bus.publish(s.inside("A", 0, float(k)))
        await asyncio.sleep(0.015)
    assert list(log.troubles) == ["store"]
    store.is_broken = False
    await until(lambda: not log.troubles)
    await log.flush()
    assert section(store, "quotes")["quotes"]["A"]["price"] == 4.0
    titles = [row.alert.title for row in log.projection.value("alerts").rows]
    assert titles == ["Live cache rebuilt.", "Live cache cannot be written."]
    await log.close()


# -- starting again ------------------------------------------------------------------------------------------------


def _shown(log: EventLog) -> dict[str, bytes]:
    names = [name for name in log.projection.names() if not name.startswith("bars:")]
    return {name: encode(log.projection.value(name)) for name in names}


@pytest.mark.asyncio
@pytest.mark.parametrize("is_stopped_cleanly", [True, False])
@pytest.mark.parametrize("checkpoint_every", [7, 10_000])
async def test_a_restart_stands_where_the_journal_ends(is_stopped_cleanly, checkpoint_every):
    pace = replace(QUICK, checkpoint_every=checkpoint_every, keep_stream=2 * checkpoint_every)
    bus, log, journal, _ = build(pace=pace)
    for event in s.stretch(4):
        await bus.publish(replace(event, seq=0))
    await log.flush()
    before, seq = _shown(log), log.seq
    if is_stopped_cleanly:
        await log.close()
    again = EventLog(journal, Projection(), FakeStore(), WallClock(), pace=pace)
    n_folded = again.open(1)
    assert (_shown(again), again.seq) == (before, seq)
    if is_stopped_cleanly:
        assert n_folded == 0
    await log.close()
    await again.close()


@pytest.mark.asyncio
async def test_checkpoints_come_by_count_and_trim_ticks():
    pace = replace(QUICK, checkpoint_every=10, keep_stream=20)
    bus, log, journal, _ = build(pace=pace)
    for k in range(100):
        await bus.publish(s.inside("A", 0, float(k)))
    await until(lambda: journal.last_checkpoint() is not None)
    await until(lambda: len(journal.seqs()) < 100)
    assert journal.last_checkpoint().seq <= journal.head()
    await log.close()
    assert len(journal.seqs()) == 20


def test_ticks_that_a_restart_needs_may_not_be_trimmed():
    with pytest.raises(InvalidValueError, match="keep_stream"):
        build(pace=Pace(checkpoint_every=100, keep_stream=199))


@pytest.mark.asyncio
async def test_an_unreadable_checkpoint_is_ignored_and_the_journal_folded_from_its_start(caplog):
    bus, log, journal, _ = build()
    await bus.publish(s.fill("o", "A", Side.BUY, "2", "100"))
    await log.close()
    kept = journal.last_checkpoint()
    journal.save_checkpoint(replace(kept, sections={**kept.sections, "alerts": b"7"}))
    again = EventLog(journal, Projection(), FakeStore(), WallClock(), pace=QUICK)
    assert again.open(1) == 1
    assert again.projection.value("portfolio").positions[0].quantity == Decimal(2)
    assert "checkpoint" in caplog.text
    await again.close()


@pytest.mark.asyncio
async def test_versions_go_on_when_the_store_was_deleted():
    bus, log, journal, _ = build()
    await bus.publish(s.alert("x"))
    await log.close()
    later = WallClock()
    again = EventLog(journal, Projection(), FakeStore(), later, pace=QUICK)
    again.open(1)
    assert again.version >= log.version
    await again.close()


class Picky(FakeJournal):
    """A journal whose encoder knows nothing of one event."""

    def append(self, events, epoch):
        if any("poison" in event.data for event in events):
            raise AttributeError("'str' object has no attribute 'tzinfo'")
        super().append(events, epoch)


@pytest.mark.asyncio
@pytest.mark.parametrize("pace", [QUICK, None], ids=["off the loop", "inline"])
async def test_an_event_that_cannot_be_written_is_set_aside_and_keeps_no_other(pace, caplog):
    journal = Picky()
    bus, log, _, _ = build(journal, pace=pace)
    await bus.publish(s.event(T.CUSTOM, {"n": 1}))
    await bus.publish(s.event(T.CUSTOM, {"poison": 2}))
    await bus.publish(s.event(T.CUSTOM, {"n": 3}))
    await bus.publish(s.event(T.TRADING_HALTED, {"mode": "HALTED", "actor": "ann"}))
    await log.flush()
    await bus.publish(s.event(T.CUSTOM, {"n": 5}))
    await log.flush()
    assert journal.seqs() == [1, 3, 4, 5]
    assert "event 2 CUSTOM" in caplog.text
    assert "is set aside" in caplog.text
    await log.close()
