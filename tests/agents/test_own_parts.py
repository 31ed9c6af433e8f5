"""What an agent of one's own gets in place of bus and memory: copies to hear and read, its own to say and keep."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.adapters.clocks.manual import ManualClock
from engine.agents.base import BaseAgent
from engine.agents.own_parts import MAX_BYTES, MAX_KEYS, TAKEN, OwnBus, OwnMemory
from engine.agents.quota import BYTES_PER_S, WINDOW_S, Quota
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.errors import InvalidValueError
from engine.domain.events import OPEN_TYPES, Event, EventType
from engine.domain.risk import Alert, Severity

pytestmark = pytest.mark.asyncio
ALERT = Alert(
    alert_id="a", symbol="AAPL", metric="gap", severity=Severity.INFO, title="Gap", message="3 %."
)
SIGNAL = {"symbol": "AAPL", "action": "BUY", "price": 100.0, "confidence": 0.5}


class Desk:
    """A bus, an own one before it, and what was heard on the bus."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2030, 1, 1, tzinfo=UTC))
        self.bus = EventBus()
        self.quota = Quota(self.clock)
        self.own = OwnBus(self.bus, "mine", self.quota, self.clock)
        self.heard: list[Event] = []
        for kind in EventType:
            self.bus.subscribe(kind, self.heard.append)


@pytest.mark.parametrize("kind", [kind for kind in EventType if kind not in OPEN_TYPES])
@pytest.mark.parametrize("is_posted", [False, True])
async def test_facts_of_the_engine_are_not_an_own_agents_to_tell(
    kind: EventType, *, is_posted: bool
):
    desk = Desk()
    fact = Event(kind, {"symbol": "AAPL", "price": 1.0})
    with pytest.raises(
        InvalidValueError,
        match=f"event_type must be one of CUSTOM, .*was '{kind.value}'; .*as CUSTOM",
    ):
        desk.own.post(fact) if is_posted else await desk.own.publish(fact)
    assert desk.heard == []


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (EventType.CUSTOM, {"anything": [1, {"deep": None}]}),
        (EventType.SIGNAL_GENERATED, SIGNAL),
    ],
)
async def test_what_is_its_own_is_said_under_its_name(kind: EventType, data: dict[str, Any]):
    desk = Desk()
    said = await desk.own.publish(Event(kind, data, source="risk"))
    assert (said.source, said.data, said.seq) == ("mine", data, 1)
    desk.own.post(Event(kind, data, source="supervisor"))
    assert [e.source for e in desk.heard] == ["mine", "mine"]


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        (EventType.RISK_ALERT, {"title": "no more"}, "RISK_ALERT carries .*alert_id"),
        (EventType.SIGNAL_GENERATED, {"symbol": "AAPL"}, "SIGNAL_GENERATED carries .*action"),
        (
            EventType.SIGNAL_GENERATED,
            SIGNAL | {"action": "HOPE"},
            "SIGNAL_GENERATED carries .*HOPE",
        ),
        (EventType.SIGNAL_GENERATED, {"signal": 7}, "SIGNAL_GENERATED carries"),
        (EventType.CUSTOM, {"thing": object()}, "JSON-like"),
        (EventType.CUSTOM, {"long": "x" * MAX_BYTES}, "at most 65,536 bytes of JSON, was '65,547'"),
    ],
)
async def test_what_would_make_others_fail_fails_where_it_is_said(
    kind: EventType, data: dict[str, Any], words: str
):
    desk = Desk()
    with pytest.raises(InvalidValueError, match=words):
        await desk.own.publish(Event(kind, data))
    assert desk.heard == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("as_of", "2030-01-01"),
        ("as_of", datetime(2030, 1, 1)),  # noqa: DTZ001 -- the very thing refused
        ("as_of", 5),
        ("cause", 2**70),
        ("cause", "x"),
        ("cause", -1),
    ],
)
async def test_what_the_journal_could_not_write_is_refused_where_it_is_said(field: str, value: Any):
    desk = Desk()
    with pytest.raises(InvalidValueError, match=f"^{field} must be"):
        await desk.own.publish(Event(EventType.CUSTOM, {}, **{field: value}))
    said = await desk.own.publish(
        Event(EventType.CUSTOM, {}, as_of=datetime(2030, 1, 1, tzinfo=UTC), cause=3, seq=99)
    )
    assert (said.as_of, said.cause, said.seq) == (datetime(2030, 1, 1, tzinfo=UTC), 3, 1)


async def test_what_was_said_cannot_be_changed_afterwards():
    desk, data = Desk(), {"list": [1]}
    await desk.own.publish(Event(EventType.CUSTOM, data))
    data["list"].append(2)
    assert desk.heard[0].data == {"list": [1]}


async def test_an_alert_has_its_author_in_id_and_title_and_they_are_few():
    desk = Desk()
    for _ in range(20):
        desk.own.post(Event(EventType.RISK_ALERT, ALERT.to_data()))
    assert len(desk.heard) == 6
    assert desk.quota.dropped == 14
    assert {(e.data["alert_id"], e.data["title"]) for e in desk.heard} == {("mine: a", "mine: Gap")}
    desk.clock.advance(10.0)
    desk.own.post(desk.heard[0])  # signed already
    assert desk.heard[-1].data["title"] == "mine: Gap"
    assert len(desk.heard) == 7
    long = ALERT.to_data() | {"title": "x" * 301}
    with pytest.raises(InvalidValueError, match="at most 300 characters"):
        desk.own.post(Event(EventType.RISK_ALERT, long))


async def test_who_is_out_of_service_hears_nothing_by_any_handler():
    desk, heard = Desk(), []

    async def hears(event: Event) -> None:
        heard.append(event)

    desk.own.subscribe(EventType.CUSTOM, heard.append)
    desk.own.subscribe(EventType.CUSTOM, hears)
    for is_deaf, n in ((False, 2), (True, 2), (False, 4)):
        desk.own.is_deaf = lambda is_deaf=is_deaf: is_deaf
        await desk.bus.publish(Event(EventType.CUSTOM))
        await desk.bus.drain()
        assert len(heard) == n


async def test_what_holds_itself_is_no_json():
    desk, endless = Desk(), {}
    endless["again"] = endless
    with pytest.raises(InvalidValueError, match="JSON-like"):
        await desk.own.publish(Event(EventType.CUSTOM, endless))


async def test_bytes_count_against_the_quota():
    desk = Desk()
    large = Event(EventType.CUSTOM, {"x": "y" * 50_000})
    for _ in range(100):
        desk.own.post(large)
    assert len(desk.heard) == int(BYTES_PER_S * WINDOW_S // 50_008)
    assert desk.quota.dropped == 100 - len(desk.heard)
    desk.clock.advance(2.0)
    before = len(desk.heard)
    for _ in range(5):
        desk.own.post(large)
    assert len(desk.heard) == before + 1
    desk.own.post(Event(EventType.CUSTOM, {}))
    assert len(desk.heard) == before + 2, "a small one has room"


@pytest.mark.parametrize("is_awaited", [False, True])
async def test_what_it_changes_in_what_it_hears_reaches_nobody_else(*, is_awaited: bool):
    desk = Desk()
    mine: list[object] = []

    def spoil(event: Event) -> None:
        mine.append(event.data["bar"]["close"])
        event.data["bar"]["close"] = 1.0

    async def spoils(event: Event) -> None:
        spoil(event)

    handler = spoils if is_awaited else spoil
    desk.own.subscribe(EventType.MARKET_DATA, handler)
    late: list[object] = []
    desk.bus.subscribe(EventType.MARKET_DATA, lambda e: late.append(e.data["bar"]["close"]))
    tick = Event(EventType.MARKET_DATA, {"symbol": "A", "bar": {"close": 100.0}})
    await desk.bus.publish(tick)
    await desk.bus.drain()
    assert (mine, late, tick.data["bar"]["close"]) == ([100.0], [100.0], 100.0)
    desk.own.unsubscribe(EventType.MARKET_DATA, handler)
    await desk.bus.publish(tick)
    await desk.bus.drain()
    assert mine == [100.0]


async def test_a_handler_of_two_topics_is_let_go_of_with_the_last_and_its_failures_have_its_agents_name():
    desk = Desk()
    n: list[int] = []

    def fails(_: Event) -> None:
        n.append(1)
        raise RuntimeError("no")

    for kind in (EventType.CUSTOM, EventType.RUN_STARTED):
        desk.own.subscribe(kind, fails)
    desk.own.unsubscribe(EventType.CUSTOM, fails)
    for kind in (EventType.CUSTOM, EventType.RUN_STARTED):
        await desk.bus.publish(Event(kind))
    assert n == [1]
    assert desk.bus.figures()["mine"]["failures"] == 1
    desk.own.unsubscribe(EventType.RUN_STARTED, fails)
    await desk.bus.publish(Event(EventType.RUN_STARTED))
    assert n == [1]
    assert "mine" not in desk.bus.figures()
    desk.own.unsubscribe(EventType.RUN_STARTED, fails)  # harmless


async def test_a_stopped_own_agent_hears_nothing():
    desk = Desk()
    heard: list[Event] = []

    class Listens(BaseAgent):
        topics = (EventType.CUSTOM,)

        def handle(self, event: Event) -> tuple[Event, ...]:
            heard.append(event)
            return ()

    agent = Listens("mine", desk.own, StateManager())
    await agent.start()
    await desk.bus.publish(Event(EventType.CUSTOM))
    await agent.stop()
    assert "mine" not in desk.bus.figures(), "it is not even called"
    await desk.bus.publish(Event(EventType.CUSTOM))
    await asyncio.sleep(0)
    assert len(heard) == 1


class Memory:
    """Everybody's memory with a price in it, and an own one before it."""

    def __init__(self) -> None:
        self.state = StateManager()
        self.state.set("bars:AAPL", {"close": [1.0, 2.0]})
        self.own = OwnMemory(self.state)


@pytest.mark.parametrize("prefix", TAKEN)
async def test_what_the_engine_keeps_is_read_and_never_written(prefix: str):
    memory = Memory()
    key = f"{prefix}AAPL"
    memory.state.set(key, [1.0])
    for write in (
        lambda: memory.own.set(key, 5.0),
        lambda: memory.own.update({"mine": 1, key: 5.0}),
        lambda: memory.own.delete(key),
    ):
        with pytest.raises(
            InvalidValueError,
            match=f"key must be text .*was '{key}'; .*choose",
        ):
            write()
    assert memory.state.get(key) == [1.0]
    assert "mine" not in memory.own, "all or none"
    memory.own.get(key).append(9.0)
    assert memory.own.get(key) == [1.0], "a copy"
    assert memory.own.derived(key, len) == 1
    assert memory.own.derived("nothing", len) is None


async def test_it_keeps_what_is_its_own():
    memory = Memory()
    memory.own.set("mine:seen", {"n": 1})
    assert (memory.state.get("mine:seen"), "mine:seen" in memory.own) == ({"n": 1}, True)
    assert memory.own.keys("mine:") == ("mine:seen",)
    box = [1]
    memory.own.set("mine:box", box)
    box.append(2)
    assert memory.state.get("mine:box") == [1], "what is kept has the size that was looked at"
    memory.own.delete("mine:seen")
    assert memory.own.get("mine:seen", "gone") == "gone"


async def test_its_memory_has_an_end():
    memory = Memory()
    with pytest.raises(InvalidValueError, match=r"state\['much'\] must be at most 65,536 bytes"):
        memory.own.set("much", "x" * MAX_BYTES)
    with pytest.raises(InvalidValueError, match="key must be text of at most 128 characters"):
        memory.own.set("k" * 129, 1)
    with pytest.raises(InvalidValueError, match="state must hold at most 500 keys of one agent"):
        memory.own.update({str(n): n for n in range(MAX_KEYS + 1)})
    memory.own.update({str(n): n for n in range(MAX_KEYS)})
    memory.own.set("0", "again")
    with pytest.raises(InvalidValueError, match="500 keys"):
        memory.own.set("one more", 1)
    memory.own.delete("0")
    memory.own.set("one more", 1)
