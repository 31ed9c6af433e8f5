"""The way from a close to an order: whose time it was, read off causes and moments."""

from dataclasses import replace
from datetime import datetime, timedelta

from engine.core.projection.order_way import MAX_STEPS, MAX_TOTALS, OrderWayFold
from engine.domain.events import Event, EventType
from engine.domain.order_way import OrderWaySection

AT = datetime.fromisoformat("2026-03-02T10:00:00+00:00")
CLOSED_AT = datetime.fromisoformat("2008-09-26T20:00:00+00:00")
CLOSE = {"symbol": "AAPL", "bar": {"is_closed": True}}
OPEN = {"symbol": "AAPL", "bar": {"is_closed": False}}
SOURCES = {
    EventType.MARKET_DATA: "market_data", EventType.MC_UPDATE: "monte_carlo", EventType.RISK_UPDATE: "risk",
    EventType.SIGNAL_GENERATED: "strategy", EventType.ORDER_INTENDED: "execution", EventType.ORDER_PLACED: "execution",
}  # fmt: skip


def step(kind: EventType, seq: int, cause: int | None, ms: float, **data: object) -> Event:
    return Event(
        event_type=kind, data={"symbol": "AAPL", **data}, source=SOURCES[kind], as_of=CLOSED_AT, seq=seq,
        cause=cause, computed_at=AT + timedelta(milliseconds=ms),
    )  # fmt: skip


def way(first: int = 1, began: float = 0.0, *, stretch: float = 1.0) -> list[Event]:
    kinds = (
        EventType.MARKET_DATA, EventType.MC_UPDATE, EventType.RISK_UPDATE, EventType.SIGNAL_GENERATED,
        EventType.ORDER_INTENDED, EventType.ORDER_PLACED,
    )  # fmt: skip
    at = (0.0, 27.0, 28.0, 30.5, 31.0, 33.0)
    events = [
        step(kind, first + k, first + k - 1 if k else None, began + stretch * ms)
        for k, (kind, ms) in enumerate(zip(kinds, at, strict=True))
    ]
    return [replace(events[0], data=CLOSE), *events[1:]]


def told(fold: OrderWayFold, events: list[Event]) -> OrderWaySection | None:
    for event in events:
        for name in fold.routes()[event.event_type](event):
            assert name == "order_way"
    return fold.value("order_way")  # type: ignore[return-value]


def test_each_leg_is_the_time_until_its_agent_had_spoken():
    found = told(OrderWayFold(), way())
    assert found is not None
    assert [(leg.who, round(leg.ms, 3)) for leg in found.legs] == [
        ("monte_carlo", 27.0), ("risk", 1.0), ("strategy", 2.5), ("execution", 0.5), ("broker", 2.0),
    ]  # fmt: skip
    assert [round(ms, 3) for ms in found.totals_ms] == [33.0]
    assert (found.symbol, found.bar_closed_at) == ("AAPL", CLOSED_AT)


def test_a_close_whose_own_tick_gave_way_counts_from_itself():
    """Under load the next bar's first tick brings the news of the close: the wait until then is part of the way."""
    close, *rest = way(2)
    news = replace(step(EventType.MARKET_DATA, 2, None, 20.0), data=OPEN)
    found = told(OrderWayFold(), [replace(close, seq=1), news, *rest])
    assert found is not None
    assert round(found.legs[0].ms, 3) == 27.0


def test_orders_of_stops_between_closes_are_none_of_it():
    """A tick and an intent: no forecast and no vote is on the way."""
    fold = OrderWayFold()
    for tick in (CLOSE, OPEN):
        began = replace(step(EventType.MARKET_DATA, 1, None, 0.0), data=tick)
        intent = step(EventType.ORDER_INTENDED, 2, 1, 1.0)
        assert told(fold, [began, intent, step(EventType.ORDER_PLACED, 3, 2, 2.0)]) is None
    assert tuple(fold.names()) == ()


def test_a_way_whose_close_is_not_known_is_none():
    assert told(OrderWayFold(), way()[1:]) is None


def test_the_newest_ways_are_kept_and_steps_do_not_pile_up():
    fold = OrderWayFold()
    for k in range(MAX_TOTALS + 5):
        found = told(fold, way(10 * k + 1, 1_000.0 * k, stretch=1.0 if k < MAX_TOTALS else 2.0))
    assert found is not None
    assert len(found.totals_ms) == MAX_TOTALS
    assert [round(ms) for ms in found.totals_ms[-6:]] == [33, 66, 66, 66, 66, 66]
    for seq in range(5_000, 5_000 + 2 * MAX_STEPS):
        told(fold, [step(EventType.RISK_UPDATE, seq, None, 0.0)])
    assert len(fold._steps) == MAX_STEPS


def test_another_run_keeps_what_ways_took_and_begins_none_in_the_old_one():
    fold = OrderWayFold()
    before = told(fold, way())
    told(fold, way(11)[:-1])
    assert tuple(fold.reset(None)) == ()
    assert told(fold, way(11)[-1:]) == before
