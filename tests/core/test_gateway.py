"""The three verbs: read, send, ask; with an engine in the process and without."""

import threading
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.adapters.journals.memory import MemoryJournal
from engine.adapters.stores.memory import MemoryStore
from engine.core import gateway as module
from engine.core.event_bus import EventBus
from engine.core.event_log import EventLog
from engine.core.gateway import EngineSide, Gateway
from engine.core.projection import Projection
from engine.domain.commands import HaltTrading, JumpReplay, SetStrategyWeights
from engine.domain.errors import InvalidValueError, JournalError, UnknownNameError
from engine.domain.events import EventType
from engine.domain.payload import encode
from engine.domain.sections import (
    EngineSection,
    QuotesSection,
    Stamp,
    StrategiesSection,
    StrategyRow,
)
from engine.domain.trading import HaltMode, Side, TradingHalt
from engine.trading import latch
from tests.core import sample as s

T = EventType


class World:
    """A log under the manual clock, so that everything published can be read at once."""

    def __init__(self) -> None:
        self.store, self.journal, self.bars = MemoryStore(), MemoryJournal(), {}
        self.projection = Projection(bars_of=self.bars.get)
        self.log = EventLog(self.journal, self.projection, self.store, ManualClock())
        self.log.open(0)
        self.bus = EventBus(self.log)
        self.gateway = Gateway(self.store, self.journal, watch=self.log.on_flush)

    async def publish(self, *events) -> None:
        for event in events:
            await self.bus.publish(replace(event, seq=0))


@pytest.fixture
def world() -> World:
    return World()


class CountingStore(MemoryStore):
    """Notes which sections were read, and lets a write slip in between two readings."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []
        self.between: dict[str, tuple[bytes, Stamp]] = {}

    def read(self, names=None, since=0):
        self.asked.append(tuple(names or ()))
        found = super().read(self.asked[-1], since)
        if self.between:
            late, self.between = self.between, {}
            self.write(late)
        return found


def engine_section(version: int, state: str) -> tuple[bytes, Stamp]:
    return EngineSection(state=state).to_json(), Stamp(version=version)


# -- read ----------------------------------------------------------------------------------------------------------


def test_only_what_changed_is_read_again():
    store = CountingStore()
    store.write({"engine": engine_section(1, "starting"), "quotes": (b"{}", Stamp(version=1))})
    gateway = Gateway(store, MemoryJournal())
    assert gateway.read(["engine", "quotes"]).value("engine").state == "starting"
    gateway.read(["engine", "quotes"])
    store.write({"engine": engine_section(2, "running")})
    snapshot = gateway.read(["engine", "quotes"])
    assert snapshot.value("engine").state == "running"
    assert "quotes" in snapshot
    assert store.asked == [("engine", "quotes"), ("engine",)]


def test_a_section_that_went_is_gone_and_one_that_comes_back_is_there():
    store = MemoryStore()
    gateway = Gateway(store, MemoryJournal())
    for version, raw, is_there in ((1, b"{}", True), (2, b"null", False), (3, b"{}", True)):
        store.write({"quotes": (raw, Stamp(version=version))})
        assert ("quotes" in gateway.read(["quotes"])) is is_there


def test_a_write_between_two_readings_tears_nothing_apart():
    store = CountingStore()
    store.write({"engine": engine_section(1, "starting"), "quotes": (b"{}", Stamp(version=1))})
    store.between = {"engine": engine_section(2, "running"), "quotes": (b"{}", Stamp(version=2))}
    snapshot = Gateway(store, MemoryJournal()).read(["engine", "quotes"])
    versions = {section.stamp.version for section in snapshot.sections.values()}
    assert versions == {snapshot.version} == {2}


def test_a_store_that_was_emptied_is_read_as_empty():
    store = MemoryStore()
    store.write({"quotes": (b"{}", Stamp(version=5))})
    gateway = Gateway(store, MemoryJournal())
    assert "quotes" in gateway.read(["quotes"])
    store.clear()
    assert gateway.read(["quotes"]).sections == {}


@pytest.mark.asyncio
async def test_sections_come_typed_and_what_is_unknown_is_left_out(world):
    await world.publish(s.close("A", 0, 10.0))
    snapshot = world.gateway.read(["quotes", "risk:A"])
    assert isinstance(snapshot.value("quotes"), QuotesSection)
    assert snapshot.value("quotes") == world.projection.value("quotes")
    assert "risk:A" not in snapshot
    assert snapshot.stamp("quotes").as_of == s.START
    assert snapshot.version == world.gateway.version()


@pytest.mark.asyncio
async def test_a_star_means_every_subject_of_a_kind(world):
    await world.publish(s.risk("A", 0, 0.1), s.risk("B", 0, 0.1), s.close("A", 0, 10.0))
    assert set(world.gateway.read(["risk:*"]).sections) == {"risk:A", "risk:B"}
    assert set(world.gateway.read(["risk:*", "quotes"]).sections) == {"risk:A", "risk:B", "quotes"}
    assert {"risk:A", "bars:A", "log"} <= set(world.gateway.read().sections)


@pytest.mark.asyncio
async def test_since_gives_only_what_changed_after_a_version(world):
    await world.publish(s.risk("A", 0, 0.1), s.close("A", 0, 10.0))
    version = world.gateway.version()
    assert world.gateway.read(since=version).sections == {}
    await world.publish(s.risk("B", 0, 0.1))
    assert set(world.gateway.read(since=version).sections) == {"risk:B", "log"}
    assert set(world.gateway.read(["risk:*"], since=version).sections) == {"risk:B"}


@pytest.mark.asyncio
async def test_a_section_that_ended_is_left_out(world):
    await world.publish(s.feed(1), s.cycle("A", 1, 1.0, {"m": 1.0}))
    assert "cycle:A" in world.gateway.read(["cycle:*"])
    await world.publish(s.feed(0, run_id="run-2"))
    assert "cycle:A" not in world.gateway.read(["cycle:*"])


@pytest.mark.asyncio
async def test_one_version_of_a_section_is_decoded_once(world):
    await world.publish(s.risk("A", 0, 0.1))
    first = world.gateway.read(["risk:A"]).value("risk:A")
    assert world.gateway.read(["risk:A"]).value("risk:A") is first
    await world.publish(s.risk("A", 0, 0.2))
    assert world.gateway.read(["risk:A"]).value("risk:A").metrics.var_95 == 0.2


def test_an_unknown_section_is_refused_by_name(world):
    with pytest.raises(UnknownNameError, match="mood"):
        world.gateway.read(["mood:A"])


# -- time travel ---------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_the_past_is_as_it_was_by_place_and_by_market_time(world):
    events = [e for e in s.stretch(9) if e.data.get("run_id") != "run-2"]
    cut = next(e.seq for e in events if e.as_of == s.START + 6 * s.DAY) - 1
    for event in events[:cut]:
        await world.publish(event)
    then = {
        name: encode(world.projection.value(name))
        for name in world.projection.names()
        if not name.startswith("bars:")
    }
    moment = max(e.as_of for e in events[:cut] if e.as_of is not None)
    await world.publish(*events[cut:])
    for as_of in (cut, moment):
        past = world.gateway.read(as_of=as_of)
        assert {n: encode(sec.value) for n, sec in past.sections.items() if n in then} == then
        assert past.value("bars:AAPL").columns.closes_at[-1] <= moment.timestamp()
    now = {n: encode(sec.value) for n, sec in world.gateway.read().sections.items()}
    assert now["portfolio"] != then["portfolio"], "control: something has happened since"


@pytest.mark.asyncio
async def test_the_past_has_titles_and_the_weights_of_then(world):
    rows = (StrategyRow(name="m", title="Momentum", weight=0.4, wins=3, n=5),)
    world.log.show("strategies", StrategiesSection(rows=rows))
    await world.publish(
        s.alert("x"), s.weights({"m": 0.9}, {"m": 0.4}), s.weights({"m": 0.1}, {"m": 0.9})
    )
    for seq, weight in ((1, 0.4), (2, 0.9), (3, 0.1)):
        (row,) = world.gateway.read(["strategies"], as_of=seq).value("strategies").rows
        assert (row.title, row.weight, row.n) == ("Momentum", weight, 0)


@pytest.mark.asyncio
async def test_bars_of_the_past_end_then(world):
    loaded, world.bars["A"] = s.history("A", 30)
    await world.publish(s.feed(0), loaded, *(s.close("A", d, 31.0 + d) for d in range(3)))
    bars = world.gateway.read(["bars:A"], as_of=s.START).value("bars:A").columns
    assert bars.close == (*(float(k) for k in range(1, 31)), 31.0)
    quote = world.gateway.read(["quotes"], as_of=s.START).value("quotes").quotes["A"]
    assert (quote.price, quote.previous_close) == (31.0, 30.0)


# -- send ----------------------------------------------------------------------------------------------------------


def test_a_command_is_queued_under_its_id_and_the_desk_is_told():
    journal, told = MemoryJournal(), []
    gateway = Gateway(MemoryStore(), journal, wake=lambda: told.append(len(journal.take())))
    command = SetStrategyWeights(weights={"m": 0.5})
    name = gateway.send(command, actor="anna", source="rest")
    (envelope,) = journal.take()
    assert (envelope.command_id, envelope.actor, envelope.source) == (name, "anna", "rest")
    assert envelope.command == command
    assert told == [1], "told when it is in the queue"


def test_the_same_id_is_queued_once():
    journal = MemoryJournal()
    gateway = Gateway(MemoryStore(), journal)
    for _ in range(2):
        assert gateway.send(JumpReplay(to=s.START), command_id="mine") == "mine"
    assert len(journal.take()) == 1


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        (SetStrategyWeights(weights={"m": float("nan")}), {}, "weights.m"),
        (JumpReplay(to=s.START), {"command_id": "x" * 65}, "command_id"),
        (JumpReplay(to=s.START), {"command_id": ""}, "command_id"),
        (TradingHalt(mode=HaltMode.HALTED, actor="a"), {}, "TradingHalt"),
    ],
)
def test_what_is_no_sound_command_is_refused_and_not_queued(command, options, words):
    journal = MemoryJournal()
    with pytest.raises((InvalidValueError, UnknownNameError), match=words):
        Gateway(MemoryStore(), journal).send(command, **options)
    assert journal.take() == ()


def test_the_kill_switch_is_set_without_an_engine():
    journal = MemoryJournal()
    switch = latch.KillSwitch(journal)
    Gateway(MemoryStore(), journal).send(HaltTrading(reason="a drill"), actor="anna")
    halt = switch.check()
    assert (halt.mode, halt.actor, halt.reason) == (HaltMode.HALTED, "anna", "a drill")
    assert [envelope.name for envelope in journal.take()] == ["HaltTrading"]
    assert module.LATCH == latch.LATCH


def test_in_the_engines_process_a_halt_is_in_force_before_it_is_written():
    class Locked(MemoryJournal):
        is_locked = False

        def set_latch(self, name: str, value: str) -> None:
            if self.is_locked:
                raise JournalError("locked by another program")
            super().set_latch(name, value)

    journal = Locked()
    switch = latch.KillSwitch(journal)
    gateway = Gateway(MemoryStore(), journal, engine=EngineSide(halt=switch.set, troubles=dict))
    journal.is_locked = True
    with pytest.raises(JournalError, match=r"trading is halted.*locked"):
        gateway.send(HaltTrading(reason="a drill"), actor="anna")
    assert switch.check().mode is HaltMode.HALTED


def test_what_cannot_be_written_is_told_all_the_same():
    journal, store, troubles = MemoryJournal(), MemoryStore(), {}
    store.write({"engine": (encode(EngineSection(state="running")), Stamp(version=7))})
    gateway = Gateway(store, journal, engine=EngineSide(halt=print, troubles=lambda: troubles))
    assert gateway.read(("engine",)).value("engine").state == "running"
    troubles["journal"] = "the disk is full"
    told = gateway.read(("engine",)).sections["engine"]
    assert (told.value.state, told.stamp.version) == ("failed", 8)
    assert (
        told.value.note == "No order leaves while the journal cannot be written: the disk is full"
    )
    troubles.clear()
    assert gateway.read(("engine",)).sections["engine"].stamp.version == 7


# -- ask -----------------------------------------------------------------------------------------------------------


def test_questions_are_answered_by_name():
    gateway = Gateway(MemoryStore(), MemoryJournal(), {"double": lambda n: 2 * n})
    assert gateway.ask("double", n=Decimal(4)) == 8
    with pytest.raises(UnknownNameError, match="'triple'"):
        gateway.ask("triple", n=1)


@pytest.mark.asyncio
async def test_the_journal_answers_in_plain_lines(world):
    await world.publish(s.alert("x"), s.fill("o", "A", Side.BUY, "1", "100"), s.close("A", 0, 1.0))
    rows = world.gateway.ask("events", types=(T.ORDER_FILLED, T.RISK_ALERT))
    assert [(row.seq, row.event_type) for row in rows] == [(2, "ORDER_FILLED"), (1, "RISK_ALERT")]
    assert rows[0].meaning == "BUY 1 A filled at 100.00, fee 0.05."
    assert world.gateway.ask("event", seq=2).data["symbol"] == "A"
    assert world.gateway.ask("event", seq=77) is None


@pytest.mark.asyncio
async def test_a_brief_answer_passes_over_the_steps_of_rehearsals_as_the_log_does(world):
    steps = [s.rehearsed("A", n, 40) for n in range(41)]
    await world.publish(
        s.alert("x"), s.forecast("A", 0, 1.0, is_record=False), *steps, s.alert("y")
    )
    brief = world.gateway.ask("events", limit=3, is_brief=True)
    assert [(row.seq, row.event_type) for row in brief] == [
        (44, "RISK_ALERT"), (43, "FORECASTS_SETTLED"), (1, "RISK_ALERT"),
    ]  # fmt: skip
    assert brief == world.gateway.read(("log",)).value("log").rows
    assert [row.seq for row in world.gateway.ask("events", limit=2, is_brief=True)] == [44, 43]
    assert len(world.gateway.ask("events")) == 44, "nothing is lost"


# -- changes -------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_listeners_learn_the_version_and_may_leave(world):
    told = []
    stop = world.gateway.on_change(told.append)
    await world.publish(s.alert("x"))
    assert told == [world.gateway.version()]
    stop()
    await world.publish(s.alert("y"))
    assert len(told) == 1


@pytest.mark.asyncio
async def test_a_process_without_an_engine_finds_changes_by_looking(world):
    elsewhere = Gateway(world.store, world.journal)
    told, heard = [], threading.Event()

    def hear(version: int) -> None:
        told.append(version)
        heard.set()

    def broken(version: int) -> None:
        raise RuntimeError("gone")

    stops = [elsewhere.on_change(broken), elsewhere.on_change(hear)]
    time.sleep(0.01)
    await world.publish(s.alert("x"))
    assert heard.wait(5)
    assert told[-1] == world.gateway.version()
    assert elsewhere.read(["alerts"]).value("alerts").rows
    for stop in stops:
        stop()
    elsewhere.close()
    names = {thread.name for thread in threading.enumerate()}
    n = len(told)
    await world.publish(s.alert("y"))
    time.sleep(0.12)
    assert len(told) == n
    assert "gateway.poll" not in {t.name for t in threading.enumerate()} or "gateway.poll" in names
