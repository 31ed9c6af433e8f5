"""Events in, sections out."""

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.projection import Projection
from engine.core.projection.market import MAX_BARS
from engine.domain.agents import AgentChanged, AgentStatus, TaskDurations
from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.domain.events import Event, EventType
from engine.domain.instrument import Instrument
from engine.domain.market import DropReason, TickDropped
from engine.domain.payload import encode
from engine.domain.resources import PoolFigures
from engine.domain.risk import RiskLimits
from engine.domain.sections import (
    AgentRow,
    AgentsSection,
    InstrumentsSection,
    StrategiesSection,
    StrategyRow,
    TradingSection,
)
from engine.domain.trading import HaltMode, Side
from engine.kernels.accounting import apply_fill
from tests.core import sample as s

STATED = [0.02, 0.04, 0.03, 0.045, None, 0.06]
T = EventType


def folded(*events, **options) -> Projection:
    projection = Projection(**options)
    for event in s.numbered(events):
        projection.apply(event)
    assert projection.skipped == 0
    return projection


def durable(projection: Projection) -> dict[str, bytes]:
    """All sections but the bars, which only the feed's history brings back."""
    names = [name for name in projection.names() if not name.startswith("bars:")]
    return {
        name: encode((projection.value(name), projection.stamp(name, 1))) for name in names
    }  # fmt: skip


# -- the whole -----------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 1))
def test_a_checkpoint_anywhere_and_the_rest_give_what_one_fold_gives(seed, share):
    events = s.stretch(seed)
    cut = int(share * len(events))
    whole, first, second = Projection(), Projection(), Projection()
    for event in events:
        whole.apply(event)
    for event in events[:cut]:
        first.apply(event)
    second.restore({name: encode(kept) for name, kept in first.checkpoint().items()})
    for event in events[cut:]:
        second.apply(event)
    assert durable(second) == durable(whole)
    assert (second.seq, whole.skipped) == (whole.seq, 0)


def test_the_comparison_of_folds_can_fail():
    events = [e for e in s.stretch(1) if e.event_type is not T.FEED_CHANGED]
    whole, without_fills = Projection(), Projection()
    for event in events:
        whole.apply(event)
        if event.event_type is not T.ORDER_FILLED:
            without_fills.apply(event)
    assert durable(whole)["portfolio"] != durable(without_fills)["portfolio"]


def test_a_checkpoint_of_another_version_leaves_an_empty_projection():
    projection = Projection()
    kept = {name: encode(value) for name, value in folded(*s.stretch(3)).checkpoint().items()}
    kept["alerts"] = b'[{"alert": 1}]'
    with pytest.raises(InvalidValueError, match="checkpoint"):
        projection.restore(kept)
    assert durable(projection) == durable(Projection())


def test_a_value_does_not_change_after_it_was_taken():
    projection = folded(*s.stretch(5))
    before = {
        name: (projection.value(name), encode(projection.value(name)))
        for name in projection.names()
    }
    for event in s.numbered(
        [s.close("AAPL", 50, 1.0), s.weights({"momentum": 9.0}), s.alert("z")], 900
    ):
        projection.apply(event)
    assert all(encode(value) == raw for value, raw in before.values())


def test_what_apply_names_is_exactly_what_changed():
    projection = Projection()
    for event in s.stretch(7):
        before = {name: encode(projection.value(name)) for name in projection.names()}
        changed = projection.apply(event)
        for name in projection.names():
            is_same = before.get(name) == encode(projection.value(name))
            assert is_same or name in changed, f"{event.event_type} changed {name} unsaid"


def test_an_event_of_unknown_shape_is_counted_and_shown_in_the_log_all_the_same():
    projection = Projection()
    projection.apply(Event(T.RISK_ALERT, {"what": 1}, seq=1))
    assert projection.skipped == 1
    assert projection.value("log").rows[0].meaning == "Carries what."
    assert projection.value("alerts").rows == ()


def test_an_unknown_section_is_an_error_that_repeats_it():
    with pytest.raises(UnknownNameError, match="moods"):
        Projection().value("moods")


def test_folding_a_tick_is_a_matter_of_microseconds():
    projection = folded(*s.stretch(1))
    ticks = s.numbered([s.inside("AAPL", 60, 100.0 + k) for k in range(2_000)], 500)
    began = time.process_time()
    for tick in ticks:
        projection.apply(tick)
    assert (time.process_time() - began) / len(ticks) < 0.001, "the budget is 30 microseconds"


# -- market --------------------------------------------------------------------------------------------------------


def test_a_spark_holds_thirty_closes_and_the_present_price():
    events = [s.close("A", day, float(day)) for day in range(40)]
    quote = folded(*events, s.inside("A", 40, 99.5)).value("quotes").quotes["A"]
    assert quote.spark == (*(float(day) for day in range(10, 40)), 99.5)
    assert quote.previous_close == 39.0
    assert quote.bar is not None
    assert not quote.bar.is_closed


def test_a_close_is_not_its_own_previous_close():
    quote = folded(s.close("A", 0, 10.0), s.inside("A", 1, 11.0), s.close("A", 1, 12.0))
    now = quote.value("quotes").quotes["A"]
    assert (now.price, now.previous_close, now.spark) == (12.0, 10.0, (10.0, 12.0))


def test_a_price_without_a_bar_is_one_observation():
    events = [
        s.event(T.MARKET_DATA, {"symbol": "BTC", "price": p}, s.START + timedelta(minutes=k))
        for k, p in enumerate((1.0, 2.0, 3.0))
    ]
    projection = folded(*events)
    assert projection.value("quotes").quotes["BTC"].spark == (1.0, 2.0, 3.0)
    assert projection.value("bars:BTC").columns.close == (1.0, 2.0, 3.0)
    assert projection.value("bars:BTC").columns.open == (None, None, None)


def test_history_stands_before_the_first_tick():
    loaded, columns = s.history("A", 50)
    projection = folded(loaded, bars_of={"A": columns}.get)
    quote = projection.value("quotes").quotes["A"]
    assert (quote.price, quote.previous_close, quote.as_of) == (50.0, 49.0, s.START - s.DAY)
    assert projection.value("bars:A").columns.close == columns.close
    projection.apply(s.numbered([s.close("A", 0, 51.0)], 1)[0])
    assert projection.value("bars:A").columns.close[-2:] == (50.0, 51.0)
    assert projection.value("quotes").quotes["A"].spark == (
        *(float(k) for k in range(21, 51)),
        51.0,
    )


def test_history_counts_only_what_it_says_has_closed():
    loaded, columns = s.history("A", 50)
    earlier = Event(
        loaded.event_type,
        {**loaded.data, "last_close_at": (s.START - 11 * s.DAY).isoformat()},
        as_of=loaded.as_of,
    )
    projection = folded(earlier, bars_of={"A": columns}.get)
    assert projection.value("bars:A").columns.close[-1] == 40.0
    assert projection.value("quotes").quotes["A"].price == 40.0


def test_bars_keep_the_newest_and_neither_repeat_nor_go_back():
    days = [*range(2 * MAX_BARS + 10), 2 * MAX_BARS + 9, 5]
    columns = folded(*(s.close("A", day, float(day)) for day in days)).value("bars:A").columns
    assert len(columns.closes_at) == MAX_BARS
    assert list(columns.closes_at) == sorted(set(columns.closes_at))
    assert columns.close[-1] == 2 * MAX_BARS + 9.0
    assert len(columns.volume) == MAX_BARS


def test_a_forming_bar_is_no_closed_bar():
    assert folded(s.inside("A", 0, 1.0)).value("bars:A") is None


def test_the_feed_counts_dropped_and_held_ticks():
    def drop(reason: DropReason) -> Event:
        return s.event(T.TICK_DROPPED, TickDropped(symbol="A", price="nan", reason=reason, count=1))

    drops = [DropReason.NOT_FINITE, DropReason.NOT_FINITE, DropReason.HELD]
    feed = folded(s.feed(3), *map(drop, drops), s.inside("A", 4, 1.0)).value("feed")
    assert (feed.dropped, feed.held) == ({"not finite": 2}, 1)
    assert feed.state.bars_done == 3
    assert feed.last_tick_at == (s.WALL + timedelta(seconds=5)).timestamp()


def test_market_time_runs_with_the_ticks_inside_a_bar_and_the_feeds_own_word_stays_apart():
    projection = folded(s.feed(3), s.inside("A", 4, 1.0, 2.0), s.inside("B", 4, 1.0, 3.0))
    assert projection.value("feed").state.market_time == s.START + 4 * s.DAY - timedelta(hours=2)
    assert projection.feed_told.market_time == s.START + 3 * s.DAY
    assert projection.feed_heard == projection.value("feed").state.market_time
    again = Projection()
    again.restore({name: encode(part) for name, part in projection.checkpoint().items()})
    assert again.value("feed") == projection.value("feed")
    assert (again.feed_told, again.feed_heard) == (projection.feed_told, projection.feed_heard)


def test_market_time_goes_back_with_a_jump():
    section = folded(s.inside("A", 4, 1.0), s.feed(2, run_id="run-2")).value("feed")
    assert section.state.market_time == s.START + 2 * s.DAY


@pytest.mark.parametrize(("speed", "budget"), [(1.0, 90.0), (12.0, 15.0), (60.0, 15.0)])
def test_what_changes_once_per_bar_is_stale_after_a_bar_and_a_half(speed, budget):
    projection = folded(s.feed(0, speed=speed), s.cycle("A", 0, 1.0, {}))
    assert projection.stamp("cycle:A", 7).budget_s == budget
    assert projection.stamp("portfolio", 7).budget_s == budget
    assert projection.stamp("trading", 7).budget_s is None


# -- analysis ------------------------------------------------------------------------------------------------------


def test_the_previous_forecast_is_the_record_of_the_bar_before():
    events = [s.forecast("A", 1, 10.0), s.forecast("A", 1, 10.5, is_record=False)]
    events += [s.forecast("A", 2, 11.0), s.forecast("A", 2, 11.5, is_record=False)]
    section = folded(*events).value("forecast:A")
    assert section.by_level["1"].spot == 11.5
    assert section.previous["1"].spot == 10.0


def test_a_second_record_of_a_cycle_replaces_the_first():
    votes = {"m": 1.0}
    events = [s.cycle("A", 1, 10.0, votes), s.cycle("A", 1, 10.0, votes, "Gate passed.")]
    section = folded(*events, s.cycle("A", 2, 11.0, {"m": 0.0})).value("cycle:A")
    assert section.record.cycle_id == "A-2"
    assert [record.verdict for record in section.recent] == ["Gate passed."]


def test_the_var_trend_holds_the_last_250_values_that_are_known():
    section = folded(*(s.risk("A", d, None if d == 3 else float(d)) for d in range(300)))
    assert section.value("risk:A").trend_var_95 == tuple(float(d) for d in range(50, 300))


def test_a_trend_has_one_reading_per_close_however_often_a_close_is_told():
    told_twice = folded(s.risk("A", 0, 0.01), s.risk("A", 0, 0.02), s.risk("A", 1, 0.03))
    assert told_twice.value("risk:A").trend_var_95 == (0.02, 0.03)
    between = s.risk("A", 2, 0.04)
    told_twice.apply(replace(between, data={**between.data, "is_record": False}))
    assert told_twice.value("risk:A").trend_var_95 == (0.02, 0.04)


# -- strategies ----------------------------------------------------------------------------------------------------


def test_a_vote_wins_when_the_next_closed_bar_moves_its_way():
    events = [
        s.close("A", 1, 10.0), s.cycle("A", 1, 10.0, {"up": 1.0, "down": -0.5, "none": 0.0}),
        s.inside("A", 2, 9.0), s.close("A", 2, 11.0),
        s.cycle("A", 2, 11.0, {"up": 0.2, "down": -1.0}), s.close("A", 3, 10.5),
        s.cycle("A", 3, 10.5, {"up": 0.2}), s.close("A", 4, 10.5), s.close("A", 5, 20.0),
    ]  # fmt: skip
    rows = {row.name: (row.wins, row.n) for row in folded(*events).value("strategies").rows}
    assert rows == {"up": (1, 3), "down": (1, 2), "none": (0, 0)}


def test_a_cycle_recorded_twice_is_counted_once():
    events = [s.cycle("A", 1, 10.0, {"up": 1.0}), s.cycle("A", 1, 10.0, {"up": 1.0}, "done")]
    (row,) = folded(*events, s.close("A", 2, 11.0)).value("strategies").rows
    assert (row.wins, row.n, row.votes) == (1, 1, {"A": 1.0})


def test_a_strategy_that_did_not_vote_on_the_newest_bar_shows_no_vote_of_an_older_one():
    failed = s.cycle("A", 2, 11.0, {"up": 1.0, "down": 0.0})
    failed.data["votes"][1]["error"] = "division by zero"
    projection = folded(
        s.cycle("A", 1, 10.0, {"up": 0.5, "down": -0.5, "off": 0.7}),
        s.cycle("B", 1, 10.0, {"up": 0.1, "down": -0.1, "off": 0.2}), failed,
    )  # fmt: skip
    votes = {row.name: row.votes for row in projection.value("strategies").rows}
    assert votes == {"up": {"A": 1.0, "B": 0.1}, "down": {"B": -0.1}, "off": {"B": 0.2}}


def test_a_vote_before_a_jump_has_no_outcome():
    loaded, columns = s.history("A", 5)
    gap = Event(loaded.event_type, {**loaded.data, "last_close_at": "2008-12-01T21:00:00Z"})
    (row,) = folded(
        s.cycle("A", 1, 10.0, {"up": 1.0}), gap, s.close("A", 95, 11.0), bars_of={"A": columns}.get
    ).value("strategies").rows  # fmt: skip
    assert row.n == 0


def test_weights_of_events_outlive_the_seed_and_the_history_is_newest_first():
    rows = (
        StrategyRow(name="b", title="B", weight=0.5),
        StrategyRow(name="a", title="A", weight=0.5),
    )
    projection = folded(
        s.weights({"a": 0.1, "b": 0.9}), s.weights({"a": 0.3, "b": 0.7}, {"a": 0.1})
    )
    projection.seed("strategies", StrategiesSection(rows=rows, threshold=0.2))
    section = projection.value("strategies")
    assert [(row.name, row.title, row.weight) for row in section.rows] == [
        ("b", "B", 0.7),
        ("a", "A", 0.3),
    ]
    assert [change.weights["a"] for change in section.history] == [0.3, 0.1]
    assert section.threshold == 0.2


# -- portfolio -----------------------------------------------------------------------------------------------------


def test_the_account_is_the_fold_of_its_fills_and_open_orders_end_with_them():
    events = [
        s.order(T.ORDER_INTENDED, "o1", "A", Side.BUY, "10"),
        s.order(T.ORDER_PLACED, "o1", "A", Side.BUY, "10"),
        s.fill("o1", "A", Side.BUY, "4", "100"),
    ]
    projection = folded(*events)
    assert [o.status.value for o in projection.value("portfolio").open_orders] == ["OPEN"]
    for event in s.numbered([s.fill("o1", "A", Side.BUY, "6", "101")], 3):
        projection.apply(event)
    section = projection.value("portfolio")
    assert section.open_orders == ()
    assert section.account.cash == Decimal(100_000) - 400 - 606 - Decimal("0.10")
    assert section.positions[0].quantity == 10
    assert [fill.quantity for fill in section.recent_fills] == [6, 4]
    again = Projection().value("portfolio").account
    for fill in reversed(section.recent_fills):
        again = apply_fill(again, fill)
    assert again == section.account


@pytest.mark.parametrize("end", [T.ORDER_REJECTED, T.ORDER_CANCELLED])
def test_a_refused_or_cancelled_order_waits_no_more(end):
    events = [s.order(kind, "o1", "A", Side.BUY, "1") for kind in (T.ORDER_INTENDED, end)]
    assert folded(*events).value("portfolio").open_orders == ()


def test_the_day_counts_from_the_last_price_of_the_day_before():
    events = [
        s.fill("o", "A", Side.BUY, "10", "100", 0),
        s.close("A", 0, 100.0),
        s.close("A", 1, 110.0),
    ]
    day_one = folded(*events).value("portfolio")
    day_two = folded(*events, s.inside("A", 2, 104.0)).value("portfolio")
    assert day_one.day_pnl == 100
    assert day_two.day_pnl == -60
    assert day_two.day_start_equity == day_one.equity
    assert day_two.peak_equity == day_one.equity


def test_symbols_that_close_together_make_one_point_of_the_curve():
    events = [s.fill("o", "A", Side.BUY, "10", "100"), s.fill("p", "B", Side.BUY, "10", "100")]
    events += [s.close(symbol, day, 100.0 + day) for day in range(1, 4) for symbol in "AB"]
    section = folded(*events).value("portfolio")
    assert [point.at for point in section.equity_curve] == [
        int((s.START + day * s.DAY).timestamp()) for day in range(1, 4)
    ]
    assert section.equity_curve[-1].equity == section.equity == Decimal("100059.90")


def test_a_new_run_begins_with_a_fresh_account_and_keeps_alerts_and_agents():
    lived = [s.agent("A", AgentStatus.RUNNING), s.alert("a1"), *s.stretch(2)]
    lived = [e for e in lived if e.event_type is not T.FEED_CHANGED]
    projection = folded(s.feed(0), *lived)
    assert projection.value("portfolio").recent_fills
    changed = projection.apply(replace(s.feed(0, run_id="run-2"), seq=900))
    section = projection.value("portfolio")
    assert (section.account.cash, section.recent_fills, section.equity_curve) == (100_000, (), ())
    assert {"portfolio", "cycle:AAPL", "forecast:IBM", "markers:AAPL"} <= changed
    assert projection.value("cycle:AAPL") is None
    assert all(row.n == 0 for row in projection.value("strategies").rows)
    assert projection.value("alerts").rows
    assert projection.value("agents").rows


def test_a_fill_is_marked_by_side_and_size_and_its_price_apart():
    section = folded(s.feed(0), s.fill("o", "A", Side.BUY, "474", "21.10")).value("markers:A")
    (marker,) = section.markers
    assert (marker.kind, marker.text, marker.price) == ("fill", "BUY 474", 21.1)


def test_a_restart_is_no_new_run():
    events = [s.feed(0), s.fill("o", "A", Side.BUY, "1", "100"), s.run_started("f2"), s.feed(1)]
    assert len(folded(*events).value("portfolio").recent_fills) == 1


def test_uses_of_limits_follow_positions_and_the_day():
    projection = folded(
        s.risk("portfolio", 0, 0.02), s.fill("o", "A", Side.BUY, "100", "100", 0),
        s.close("A", 0, 100.0), s.close("A", 1, 90.0),
    )  # fmt: skip
    projection.seed("trading", TradingSection(limits=RiskLimits(max_daily_loss=0.04)))
    uses = {use.name: use for use in projection.value("trading").uses}
    equity = projection.value("portfolio").equity
    assert uses["Largest position"].value == pytest.approx(9_000 / float(equity))
    assert uses["Largest position"].detail == "A"
    assert uses["Daily loss"].value == pytest.approx(1_000 / (float(equity) + 1_000))
    assert uses["Daily loss"].limit == 0.04
    assert uses["Drawdown"].value == pytest.approx(uses["Daily loss"].value, rel=1e-4)
    assert uses["VaR 95"].value == 0.02


def test_the_use_of_var_is_left_out_while_nobody_knows_it():
    assert "VaR 95" not in {use.name for use in Projection().value("trading").uses}


# -- crew ----------------------------------------------------------------------------------------------------------


def test_states_of_agents_outlive_the_seed_of_their_titles():
    projection = folded(s.agent("risk", AgentStatus.PAUSED), s.agent_failed("risk", 3))
    rows = (AgentRow(agent_id="risk", title="Risk"), AgentRow(agent_id="mc", title="Monte Carlo"))
    projection.seed("agents", AgentsSection(rows=rows))
    first, second = projection.value("agents").rows
    assert (first.title, first.status, first.consecutive_errors) == ("Risk", AgentStatus.PAUSED, 3)
    assert (second.title, second.status) == ("Monte Carlo", AgentStatus.CREATED)
    projection.apply(s.agent("risk", AgentStatus.RUNNING))
    assert projection.value("agents").rows[0].consecutive_errors == 0


def test_a_state_keeps_who_set_it_and_when_until_the_next_state():
    stop = AgentChanged(agent_id="risk", name="Risk", status=AgentStatus.STOPPED, actor="local")
    again = s.event(T.ENGINE_STOPPED, replace(stop, actor="engine"))
    projection = folded(s.agent("risk", AgentStatus.RUNNING), s.event(T.AGENT_CHANGED, stop), again)
    row = projection.value("agents").rows[0]
    assert (row.actor, row.since) == ("local", s.WALL.timestamp() + 2)  # the second of three
    seeded = AgentRow(agent_id="risk", title="Risk", runs_itself=True)
    projection.seed("agents", AgentsSection(rows=(seeded,)))
    kept = projection.value("agents").rows[0]
    assert (kept.actor, kept.since, kept.runs_itself) == ("local", row.since, True)


def test_figures_of_agents_and_engine_are_shown():
    done = TaskDurations(agent_id="a", task_type="agent_cycle", n=7, p95_ms=4.0, late_ms_p99=0.3)
    health = {"queue_by_priority": {"HIGH": 2}, "running_tasks": 3, "other": "ignored"}
    projection = folded(
        s.event(T.HEALTH_CHECKED, {"durations": [done.to_data()]}),
        s.agent("a", AgentStatus.RUNNING), s.measured("a", 7), s.measured("nobody", 1),
        s.event(T.HEALTH_CHECKED, health),
    )  # fmt: skip
    section = projection.value("agents")
    assert section.rows[0].measured.cycles == 7
    assert len(section.rows) == 1
    assert (section.queue_by_priority, section.running_tasks) == ({"HIGH": 2}, 3)
    assert section.durations == (done,)
    assert section.measured_at == s.WALL.timestamp() + 5  # the last of five


def test_who_says_how_much_is_kept_with_the_rates_and_empty_where_nobody_counted():
    by_source = {"risk": {"RISK_UPDATE": 1.5}, "mine": {"CUSTOM": 0.5}}
    figures = {"running_tasks": 1, "events_per_second": {"CUSTOM": 0.5}}
    older = folded(s.event(T.HEALTH_CHECKED, figures))
    assert older.value("agents").events_by_source == {}
    older.apply(s.event(T.HEALTH_CHECKED, {**figures, "events_by_source": by_source}))
    assert older.value("agents").events_by_source == by_source
    data = older.value("agents").to_data()
    assert AgentsSection.from_data(data).events_by_source == by_source
    del data["events_by_source"]  # as it was kept before
    assert AgentsSection.from_data(data).events_by_source == {}


def test_the_pools_own_news_make_the_engines_figures_no_younger():
    pool = PoolFigures(places=20, in_flight=1)
    projection = folded(
        s.event(T.HEALTH_CHECKED, {"running_tasks": 3}),
        s.event(T.HEALTH_CHECKED, {"apis": [], "pool": pool.to_data()}),
    )
    section = projection.value("agents")
    assert (section.running_tasks, section.pool.in_flight) == (3, 1)
    assert section.measured_at == s.WALL.timestamp() + 1  # the first of two


def test_figures_that_no_health_check_took_have_no_age():
    assert folded(s.agent("a", AgentStatus.RUNNING)).value("agents").measured_at is None


def test_alerts_are_newest_first_and_seen_one_by_one_or_all():
    def seen(name):
        return s.event(T.ALERT_ACKNOWLEDGED, {"alert_id": name, "actor": "anna"})

    events = [s.alert("a"), s.alert("b"), s.alert("c")]
    one = folded(*events, seen("b")).value("alerts").rows
    assert [(row.alert.alert_id, row.is_acknowledged) for row in one] == [
        ("c", False), ("b", True), ("a", False),
    ]  # fmt: skip
    assert all(row.is_acknowledged for row in folded(*events, seen(None)).value("alerts").rows)


def test_answers_are_newest_first_with_their_place_and_outcome():
    rows = folded(s.answer("c1"), s.answer("c2", is_accepted=False)).value("answers").rows
    assert [(seq, is_ok, said.command_id) for seq, _, is_ok, said in rows] == [
        (2, False, "c2"), (1, True, "c1"),
    ]  # fmt: skip


def test_the_latch_is_shown_with_who_set_it_and_since_when():
    section = folded(s.halt(HaltMode.HALTED)).value("trading")
    assert (section.mode, section.actor, section.reason) == (HaltMode.HALTED, "anna", "a drill")
    assert section.since == (s.WALL + timedelta(seconds=1)).timestamp()


def test_instruments_are_seeded_and_nothing_else_takes_them():
    projection = Projection()
    section = InstrumentsSection(instruments=(Instrument(symbol="A", name="Alpha"),))
    assert projection.seed("instruments", section) == {"instruments"}
    assert projection.value("instruments") == section
    with pytest.raises(TypeError, match="InstrumentsSection"):
        projection.seed("portfolio", section)


# -- log -----------------------------------------------------------------------------------------------------------


def test_the_log_shows_everything_but_ticks_telemetry_and_redraws():
    silent = [s.close("A", 0, 1.0), s.measured("a", 1), s.forecast("A", 0, 1.0, is_record=False)]
    projection = folded(s.agent("a", AgentStatus.RUNNING), *silent, s.alert("x"))
    section = projection.value("log")
    assert [row.event_type for row in section.rows] == ["RISK_ALERT", "AGENT_CHANGED"]
    assert section.head == 5


def test_of_all_levels_of_a_bar_the_one_that_is_voted_on_is_told():
    section = folded(s.forecast("A", 0, 1.0), s.forecast("A", 0, 1.0, is_primary=False)).value(
        "log"
    )
    assert [row.seq for row in section.rows] == [1]


def test_a_rehearsal_is_one_line_per_symbol_and_does_not_push_out_what_happened():
    steps = [s.rehearsed(name, n) for n in range(0, 255, 2) for name in ("A", "B")]
    section = folded(s.alert("x"), *steps).value("log")
    assert [row.meaning for row in section.rows[:2]] == [
        "History of B rehearsed: 254 bars.",
        "History of A rehearsed: 254 bars.",
    ]
    assert [row.event_type for row in section.rows[2:]] == ["RISK_ALERT"]
    assert section.head == 1 + len(steps)


def test_a_symbol_without_history_is_not_told_of_as_rehearsed():
    assert folded(s.alert("x"), s.rehearsed("A", 0, 0)).value("log").head == 1


@pytest.mark.parametrize(
    ("event", "meaning", "subject", "tone"),
    [
        (s.close("AAPL", 0, 1234.5), "AAPL closed at 1,234.50.", "AAPL", ""),
        (s.inside("AAPL", 0, 99.999), "AAPL traded at 100.00.", "AAPL", ""),
        (s.feed(3), "REPLAY daily bars plays 12 bars a minute, bar 3.", "run-1", ""),
        (s.history("A", 1)[0], "1 closed bar of A loaded.", "A", ""),
        (s.settled("A", 0.5, 0.95, 0.11), "3 forecasts of A settled, 2 inside the 80% band.", "A", ""),
        (s.settled("A", 0.5), "1 forecast of A settled, 1 inside the 80% band.", "A", ""),
        (s.risk("A", 0, 0.0312), "Risk of A: VaR 95 3.12%, level LOW.", "A", ""),
        (s.risk("A", 0, None), "Risk of A: not enough data yet.", "A", ""),
        (s.fill("o", "A", Side.SELL, "1200", "18.51"), "SELL 1,200 A filled at 18.51, fee 0.05.", "A", "down"),
        (s.order(T.ORDER_INTENDED, "o", "A", Side.BUY, "2.50"), "BUY 2.5 A at 100.00 intended.", "A", "up"),
        (
            s.weights({"momentum": 0.2, "reversion": 0.5}, {"momentum": 0.3, "reversion": 0.5}),
            "local set momentum 30% \u2192 20%.", "weights", "accent",
        ),
        (s.agent("risk", AgentStatus.PAUSED), "risk is paused.", "risk", ""),
        (s.agent_failed("risk", 5), "risk failed (5\u00d7) in cycle: boom", "risk", "crit"),
        (s.answer("c"), "PauseReplay obeyed: Replay paused.", "PauseReplay", ""),
        (s.halt(HaltMode.HALTED), "Trading halted by anna: a drill, 0 open orders cancelled.", "trading", "crit"),
        (s.halt(HaltMode.ACTIVE), "Trading resumed by anna: a drill.", "trading", ""),
        (s.cycle("A", 0, 10.0, {"m": -0.5}), "SELL A: score \u22120.500, threshold 0.100, 1 vote.", "A", "down"),
        (
            s.event(T.COMMAND_ACCEPTED, {"name": "PauseAgent", "title": "Risk paused", "message": "No RISK_UPDATE"}),
            "PauseAgent obeyed: Risk paused. No RISK_UPDATE.", "PauseAgent", "",
        ),
        (
            s.event(T.RISK_ALERT, {"title": "VaR 95 high", "message": "6% of 5%.", "severity": "info"}),
            "VaR 95 high. 6% of 5%.", "", "",
        ),
        (
            s.event(T.VAR_SETTLED, {"symbol": "AAPL", "rows": [{"change": -0.05, "stated": STATED}]}),
            "AAPL lost 5.00%, more than its parametric VaR 99 of 4.50%.", "AAPL", "warn",
        ),
        (
            s.event(T.VAR_SETTLED, {"symbol": "AAPL", "rows": [{"change": 0.01, "stated": STATED}]}),
            "AAPL gained 1.00%, within every value at risk.", "AAPL", "",
        ),
        (s.alert("x"), "VaR 95 is above its limit. 6.00% of 5.00%.", "AAPL", "warn"),
    ],
)  # fmt: skip
def test_each_event_has_one_plain_line(event, meaning, subject, tone):
    from engine.core.projection import log_row

    row = log_row(event)
    assert (row.meaning, row.subject, row.tone) == (meaning, subject, tone)


def test_no_type_of_event_is_without_a_line():
    from engine.core.projection.meaning import _LINES

    spoken = {T.CUSTOM, T.AGENT_MEASURED, T.HEALTH_CHECKED, T.PORTFOLIO_VALUED, T.VAR_WALKED}
    assert set(EventType) - set(_LINES) == spoken
