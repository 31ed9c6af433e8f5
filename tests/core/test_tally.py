"""How many events there were: by type and by who said them, and how many a second."""

import pytest

from engine.core import tally
from engine.core.event_bus import EventBus
from engine.core.tally import MAX_NAME, MAX_PAIRS, OTHER, Tally
from engine.domain.events import Event, EventType

CUSTOM, TICK = EventType.CUSTOM, EventType.MARKET_DATA


class Watch:
    """Stands in for the clock of performance: seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def perf_counter(self) -> float:
        return self.now_s


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    stopped = Watch()
    monkeypatch.setattr(tally, "time", stopped)
    return stopped


async def publish(bus: EventBus, n: int, kind: EventType, source: str) -> None:
    for _ in range(n):
        await bus.publish(Event(kind, source=source))


@pytest.mark.asyncio
async def test_rates_are_those_of_whoever_says_a_topic_and_of_the_topic_in_all(watch: Watch):
    bus = EventBus()
    await publish(bus, 4, CUSTOM, "risk")
    await publish(bus, 2, CUSTOM, "mine")
    await publish(bus, 6, TICK, "market_data")
    watch.now_s += 2.0
    assert bus.rates() == {"CUSTOM": 3.0, "MARKET_DATA": 3.0}
    assert bus.said() == {
        "risk": {"CUSTOM": 2.0}, "mine": {"CUSTOM": 1.0}, "market_data": {"MARKET_DATA": 3.0},
    }  # fmt: skip
    assert bus.counts == {CUSTOM: 6, TICK: 6}


@pytest.mark.asyncio
async def test_both_rates_come_from_one_sample_however_late_the_second_is_asked_for(watch: Watch):
    bus = EventBus()
    assert (bus.rates(), bus.said()) == ({}, {})
    await publish(bus, 3, CUSTOM, "mine")
    watch.now_s += 1.0
    assert bus.rates() == {"CUSTOM": 3.0}
    await publish(bus, 8, CUSTOM, "mine")
    watch.now_s += 0.5
    assert bus.rates() == {"CUSTOM": 3.0}  # not a second old
    watch.now_s += 0.5
    assert bus.said() == {"mine": {"CUSTOM": 3.0}}
    assert bus.rates() == {"CUSTOM": 8.0}
    watch.now_s += 1.0
    assert (bus.rates(), bus.said()) == ({"CUSTOM": 0.0}, {"mine": {"CUSTOM": 0.0}})


@pytest.mark.asyncio
async def test_ever_new_names_take_no_more_room_and_nothing_goes_uncounted(watch: Watch):
    bus = EventBus()
    await publish(bus, 10, CUSTOM, "risk")
    n = MAX_PAIRS + 200
    for k in range(n):
        await publish(bus, 1, CUSTOM, f"invented {k}")
    watch.now_s += 1.0
    assert bus.rates() == {"CUSTOM": n + 10.0}
    said = bus.said()
    assert len(said) == MAX_PAIRS + 1
    assert (said["risk"], said[OTHER]) == ({"CUSTOM": 10.0}, {"CUSTOM": 201.0})
    assert bus.counts == {CUSTOM: n + 10}


@pytest.mark.asyncio
async def test_names_that_fell_silent_make_room_for_others(watch: Watch):
    bus = EventBus()
    for k in range(MAX_PAIRS):
        await publish(bus, 1, CUSTOM, f"invented {k}")
    for _ in range(2):
        watch.now_s += 1.0
        bus.rates()
    await publish(bus, 5, CUSTOM, "risk")
    watch.now_s += 1.0
    assert bus.rates() == {"CUSTOM": 5.0}
    assert bus.said() == {OTHER: {"CUSTOM": 0.0}, "risk": {"CUSTOM": 5.0}}
    assert bus.counts == {CUSTOM: MAX_PAIRS + 5}


@pytest.mark.parametrize("source", ["x" * (MAX_NAME + 1), ["no", "name"], None])
def test_what_is_no_name_counts_among_the_others(source: object):
    counted = Tally()
    counted.begin(source, CUSTOM)
    assert counted.said == {(OTHER, CUSTOM): 1}


@pytest.mark.asyncio
async def test_a_source_that_is_no_name_keeps_nobody_from_hearing():
    bus, heard = EventBus(), []
    bus.subscribe(CUSTOM, heard.append)
    await bus.publish(Event(CUSTOM, source=["no", "name"]))  # type: ignore[arg-type]
    assert len(heard) == 1
    assert bus.counts == {CUSTOM: 1}
