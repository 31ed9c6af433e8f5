"""The engine whole, under a turned clock: repeatable to the hash, and the same after a hard stop."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from engine.adapters.journals.log_hash import log_hash
from engine.adapters.journals.memory import MemoryJournal
from engine.adapters.stores.memory import MemoryStore
from engine.bootstrap.turned import TurnedEngine, build_turned
from engine.domain.commands import (
    HaltTrading,
    JumpReplay,
    PauseAgent,
    PauseReplay,
    ResumeReplay,
    ResumeTrading,
    SetStrategyWeights,
    StopAgent,
)
from engine.domain.events import EventType
from engine.domain.market import BarColumns, FeedState
from engine.domain.payload import Payload
from engine.domain.sections import PortfolioSection
from engine.domain.signals import CycleRecord
from engine.domain.trading import HaltMode
from engine.settings import Settings

BAR_S = 1.0
"""Wall seconds of a bar at ×60."""


def settings(**changes: Any) -> Settings:
    quick: dict[str, Any] = {"mc_levels": (1,), "mc_rehearsal": 0, "speed": 60}
    return Settings(**(quick | changes))


async def run(seconds: float, **changes: Any) -> TurnedEngine:
    turned = build_turned(settings(**changes))
    await turned.host.start()
    await turned.advance(seconds)
    return turned


def events(turned: TurnedEngine, kind: EventType) -> Iterator[dict[str, Any]]:
    return (dict(e.data) for e in turned.journal.events() if e.event_type is kind)


def records(turned: TurnedEngine, symbol: str = "AAPL") -> list[CycleRecord]:
    found = (CycleRecord.from_data(d) for d in events(turned, EventType.CYCLE_RECORDED))
    return [r for r in found if r.symbol == symbol]


@pytest.mark.asyncio
async def test_two_runs_of_one_fingerprint_give_the_same_log_hash_for_hash() -> None:
    first, second = await run(6), await run(6)
    assert first.engine.fingerprint == second.engine.fingerprint
    assert first.journal.head() > 200
    assert first.log_hash() == second.log_hash()


@pytest.mark.asyncio
async def test_five_levels_are_repeatable_too_and_one_of_them_is_voted_on() -> None:
    levels = {"mc_levels": Settings().mc_levels, "mc_rehearsal": 8, "symbols": ("AAPL", "IBM")}
    first, second = await run(4, **levels), await run(4, **levels)
    assert first.log_hash() == second.log_hash()
    made = [
        d for d in events(first, EventType.MC_UPDATE) if d["symbol"] == "AAPL" and d["is_record"]
    ]
    assert {d["level"] for d in made} == {1, 2, 3, 4, 5}
    n_bars = len({d["origin"] for d in made})
    cycles = {
        d["cycle_id"] for d in events(first, EventType.CYCLE_RECORDED) if d["symbol"] == "AAPL"
    }
    assert len(cycles) == n_bars >= 3, "one vote a bar, whatever the number of levels"
    settled = [d for d in events(first, EventType.FORECASTS_SETTLED) if d["symbol"] == "AAPL"]
    assert any(d["is_rehearsal"] for d in settled)


@pytest.mark.asyncio
async def test_another_seed_gives_another_fingerprint_and_another_log() -> None:
    first, again, other = await run(4), await run(4), await run(4, seed=2)
    assert str(first.engine.fingerprint) != str(other.engine.fingerprint)
    assert first.log_hash() != other.log_hash()

    def what_happened(turned: TurnedEngine) -> str:
        """The log without the event that names the seed: that one differs whatever the seed is good for."""
        return log_hash(
            e for e in turned.journal.events() if e.event_type is not EventType.RUN_STARTED
        )

    assert what_happened(first) == what_happened(again) != what_happened(other)


@pytest.mark.asyncio
async def test_the_log_does_not_depend_on_how_the_time_was_cut() -> None:
    whole = await run(3)
    cut = build_turned(settings())
    await cut.host.start()
    for _ in range(12):
        await cut.advance(0.25)
    assert cut.log_hash() == whole.log_hash()


@pytest.mark.asyncio
async def test_warm_up_history_never_trades_alerts_or_signals() -> None:
    turned = build_turned(settings())
    await turned.host.start()
    seen = {e.event_type for e in turned.journal.events()}
    assert EventType.HISTORY_LOADED in seen
    assert not seen & {EventType.SIGNAL_GENERATED, EventType.RISK_ALERT, EventType.ORDER_INTENDED}


@pytest.mark.asyncio
async def test_a_bar_goes_all_the_way_from_price_to_fill_with_its_causes() -> None:
    turned = await run(8)
    by_seq = {e.seq: e for e in turned.journal.events()}
    fill = next(e for e in by_seq.values() if e.event_type is EventType.ORDER_FILLED)
    intent = next(
        e
        for e in by_seq.values()
        if e.event_type is EventType.ORDER_INTENDED and e.data["order_id"] == fill.data["order_id"]
    )
    chain, event = [], intent
    while event.cause is not None and event.cause in by_seq:
        event = by_seq[event.cause]
        chain.append(event.event_type)
    assert chain == [
        EventType.SIGNAL_GENERATED,
        EventType.RISK_UPDATE,
        EventType.MC_UPDATE,
        EventType.MARKET_DATA,
    ]
    assert intent.seq < fill.seq


@pytest.mark.asyncio
async def test_equity_is_cash_and_positions_at_their_marks_and_the_ledger_is_the_sum_of_fills() -> (
    None
):
    turned = await run(10)
    portfolio = turned.gateway.read(["portfolio"]).value("portfolio")
    assert isinstance(portfolio, PortfolioSection)
    fills = list(events(turned, EventType.ORDER_FILLED))
    assert fills
    spent = sum(
        float(f["quantity"]) * float(f["price"]) * (1 if f["side"] == "BUY" else -1)
        + float(f["fee"])
        for f in fills
    )
    assert float(portfolio.account.cash) == pytest.approx(100_000 - spent, abs=1e-6)
    held = sum(float(p.quantity) * portfolio.marks[p.symbol] for p in portfolio.positions)
    assert float(portfolio.equity) == pytest.approx(float(portfolio.account.cash) + held, abs=1e-6)


@pytest.mark.asyncio
async def test_new_weights_are_obeyed_by_the_next_vote_and_not_before() -> None:
    turned = await run(2)
    before = records(turned)[-1]
    names = [v.algorithm for v in before.votes]
    await turned.obey(
        SetStrategyWeights(weights={n: 1.0 if n == "breakout" else 0.0 for n in names})
    )
    assert records(turned)[-1] == before
    await turned.advance(BAR_S)
    after = records(turned)[-1]
    assert {v.algorithm: v.weight for v in after.votes if v.weight} == {"breakout": 1.0}
    assert after.score == pytest.approx(sum(v.part for v in after.votes), abs=1e-12)


@pytest.mark.asyncio
async def test_refused_weights_say_why_and_change_nothing() -> None:
    turned = await run(1)
    before = turned.engine.crew.strategy.orchestrator.weights
    await turned.obey(
        SetStrategyWeights(weights={"momentum": -1.0}), SetStrategyWeights(weights={"nobody": 1.0})
    )
    refusals = [d["message"] for d in events(turned, EventType.COMMAND_REFUSED)]
    assert len(refusals) == 2
    assert "momentum" in refusals[0] or "weight" in refusals[0].lower()
    assert "nobody" in refusals[1]
    assert turned.engine.crew.strategy.orchestrator.weights == before


@pytest.mark.asyncio
async def test_a_stopped_agent_says_nothing_until_it_is_started_again() -> None:
    turned = await run(2)
    await turned.obey(StopAgent(agent_id="monte_carlo"))
    n = len(list(events(turned, EventType.MC_UPDATE)))
    assert n
    await turned.advance(3)
    assert len(list(events(turned, EventType.MC_UPDATE))) == n


@pytest.mark.asyncio
async def test_after_the_kill_switch_no_intent_is_made_until_trading_resumes() -> None:
    turned = await run(3)
    await turned.obey(HaltTrading(reason="test"))
    n = len(list(events(turned, EventType.ORDER_INTENDED)))
    await turned.advance(5)
    assert len(list(events(turned, EventType.ORDER_INTENDED))) == n
    assert turned.engine.broker.open_orders() == ()
    await turned.obey(ResumeTrading())
    await turned.advance(8)
    assert len(list(events(turned, EventType.ORDER_INTENDED))) > n


@pytest.mark.asyncio
async def test_a_paused_replay_stands_still_and_goes_on_where_it_stood() -> None:
    turned = await run(1.5)
    await turned.obey(PauseReplay())
    await turned.advance(0.25)
    n = len(list(events(turned, EventType.MARKET_DATA)))
    await turned.advance(4)
    assert len(list(events(turned, EventType.MARKET_DATA))) == n
    await turned.obey(ResumeReplay())
    await turned.advance(1)
    assert len(list(events(turned, EventType.MARKET_DATA))) > n


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (PauseReplay(), {"is_paused": True}),
        (JumpReplay(to=datetime(2008, 9, 12, 21, tzinfo=UTC)), {"bars_done": 9}),
    ],
    ids=["pause", "jump"],
)
@pytest.mark.asyncio
async def test_where_the_feed_stands_is_journalled_before_the_answer_so_that_a_crash_keeps_both(
    command: Payload, expected: dict[str, object]
) -> None:
    turned = await run(1)
    head = turned.journal.head()
    await turned.obey(command)
    after = [e for e in turned.journal.events() if e.seq > head]
    stands = next(e for e in after if e.event_type is EventType.FEED_CHANGED)
    answer = next(e for e in after if e.event_type is EventType.COMMAND_ACCEPTED)
    assert stands.seq < answer.seq
    assert {name: stands.data[name] for name in expected} == expected


@pytest.mark.asyncio
async def test_prices_stand_while_forecasts_of_a_loaded_history_are_fitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turned = await run(1)
    n = len(list(events(turned, EventType.MARKET_DATA)))
    monkeypatch.setattr(
        turned.engine.crew.monte_carlo, "waits_for", lambda: "forecasts are being fitted"
    )
    await turned.advance(4)
    assert len(list(events(turned, EventType.MARKET_DATA))) == n
    stands = turned.gateway.read(["feed"]).value("feed").state
    assert stands.waits_for == "forecasts are being fitted"
    monkeypatch.undo()
    await turned.advance(1)
    assert len(list(events(turned, EventType.MARKET_DATA))) > n


@pytest.mark.asyncio
async def test_a_jump_back_begins_a_new_run_with_a_fresh_account() -> None:
    turned = await run(8)
    assert turned.gateway.read(["portfolio"]).value("portfolio").recent_fills
    await turned.obey(JumpReplay(to=datetime(2008, 9, 2, 22, tzinfo=UTC)))
    await turned.advance(0.25)
    portfolio = turned.gateway.read(["portfolio"]).value("portfolio")
    assert portfolio.positions == ()
    assert portfolio.account.cash == portfolio.account.initial_cash
    assert turned.gateway.read(["feed"]).value("feed").state.run_id != "run-1"


@pytest.mark.asyncio
async def test_after_a_jump_the_account_is_worth_the_prices_on_the_screen_and_a_day_is_one_day() -> (
    None
):
    turned = await run(8)

    def account() -> tuple[PortfolioSection, float]:
        snapshot = turned.gateway.read(["portfolio", "quotes"])
        portfolio, quotes = snapshot.value("portfolio"), snapshot.value("quotes").quotes
        held = {p.symbol: float(p.quantity) for p in portfolio.positions}
        return portfolio, float(portfolio.account.cash) + sum(
            n * quotes[s].price for s, n in held.items()
        )

    before, _ = account()
    assert before.positions
    to = datetime(2008, 10, 10, 21, tzinfo=UTC)
    await turned.obey(JumpReplay(to=to))
    await turned.advance(0.01)
    landed, worth = account()
    assert float(landed.equity) == pytest.approx(worth)
    closes = {
        p.symbol: BarColumns.from_data(turned.engine.state.get(f"bars:{p.symbol}"))
        for p in landed.positions
    }
    one_day = sum(
        float(p.quantity) * np.diff(closes[p.symbol].close[-2:])[0] for p in landed.positions
    )
    assert float(landed.day_pnl) == pytest.approx(one_day)
    gone_by = float(landed.equity - before.equity)
    assert gone_by != pytest.approx(one_day), "the weeks in between were no day"
    assert (landed.day, landed.equity_curve[-1].at) == (
        to.date(),
        closes[landed.positions[0].symbol].closes_at[-1],
    )
    desk = turned.engine.crew.execution.desk
    assert (desk.equity, desk.day_start_equity) == (landed.equity, landed.day_start_equity), (
        "the gate goes by the same"
    )

    await turned.advance(0.5)
    after, worth = account()
    assert float(after.equity) == pytest.approx(worth)
    assert after.day_start_equity == landed.equity


def after_a_hard_stop(turned: TurnedEngine) -> TurnedEngine:
    """A second engine on the same journal, as after a power cut; the store is gone as well."""
    return build_turned(settings(), journal=turned.journal, store=MemoryStore())


@pytest.mark.asyncio
async def test_after_a_hard_stop_and_a_deleted_store_everything_is_as_before() -> None:
    turned = await run(7.5)
    await turned.obey(
        SetStrategyWeights(weights={"momentum": 0.6}),
        StopAgent(agent_id="risk"),
        PauseAgent(agent_id="strategy"),
        HaltTrading(reason="before the power cut"),
    )
    durable = ("portfolio", "strategies", "alerts", "trading")
    before = {name: turned.gateway.read([name]).value(name) for name in durable}
    feed = turned.engine.feed.state
    head = turned.journal.head()
    assert before["portfolio"].positions

    again = after_a_hard_stop(turned)
    await again.host.start()
    after = {name: again.gateway.read([name]).value(name) for name in durable}
    assert after["portfolio"] == before["portfolio"]
    assert after["strategies"].rows == before["strategies"].rows
    assert after["strategies"].history == before["strategies"].history
    assert after["alerts"] == before["alerts"]
    assert after["trading"].mode is HaltMode.HALTED
    assert again.engine.feed.state.bars_done == feed.bars_done
    assert again.journal.head() > head
    rows = again.gateway.read(["agents"]).value("agents").rows
    agents = {row.agent_id: row.status.value for row in rows}
    assert next(row.actor for row in rows if row.agent_id == "strategy") == "tester"
    assert agents["risk"] == "stopped"
    assert agents["strategy"] == "paused"
    assert agents["execution"] == "running"
    assert again.engine.crew.strategy.orchestrator.weights["momentum"] == 0.6
    reconciled = list(events(again, EventType.ORDERS_RECONCILED))[-1]
    assert reconciled["differences"] == 0


@pytest.mark.asyncio
async def test_inside_a_bar_the_market_date_is_the_bars_and_a_restart_resumes_at_the_newest_tick() -> (
    None
):
    turned = await run(4.5)
    newest = [e for e in turned.journal.events() if e.event_type is EventType.MARKET_DATA][-1]
    told = list(events(turned, EventType.FEED_CHANGED))[-1]
    shown = turned.gateway.read(["feed"]).value("feed").state
    assert shown.market_time == newest.as_of
    assert shown.market_time.date() > FeedState.from_data(told).market_time.date()
    again = after_a_hard_stop(turned)
    await again.host.start()
    resumed, was = again.engine.feed.state, FeedState.from_data(told)
    assert (resumed.run_id, resumed.bars_done) == (was.run_id, was.bars_done)
    assert was.market_time < resumed.market_time < newest.as_of
    assert again.gateway.read(["feed"]).value("feed").state == resumed
    head = again.journal.head()
    await again.advance(0.5)
    first = next(e for e in again.journal.events(head) if e.event_type is EventType.MARKET_DATA)
    assert first.as_of == newest.as_of, "its other symbols may not have been told"


@pytest.mark.asyncio
@pytest.mark.parametrize("is_clean", [True, False], ids=["stop", "kill"])
@pytest.mark.parametrize("seconds", [6, 7.75])
async def test_a_run_cut_in_two_fills_the_same_orders_as_one_that_was_not(
    is_clean: bool, seconds: float
) -> None:
    whole = await run(12)
    first = await run(seconds)
    if is_clean:
        await first.host.stop()
    second = after_a_hard_stop(first)
    await second.host.start()
    await second.advance(12.25 - seconds)  # the first poll after a start sets the feed's origin

    def fills(turned: TurnedEngine) -> list[tuple[Any, ...]]:
        return [
            (f["symbol"], f["side"], f["quantity"], f["price"])
            for f in events(turned, EventType.ORDER_FILLED)
        ]

    assert len(fills(whole)) > 10
    assert fills(second) == fills(whole)


def test_the_memory_journal_is_what_these_tests_stand_on() -> None:
    assert build_turned(settings()).journal.__class__ is MemoryJournal


@pytest.mark.asyncio
async def test_what_tasks_share_works_where_the_engine_computes() -> None:
    turned = build_turned(settings())
    parts = turned.engine.parts
    assert turned.engine.execution_engine.resource_pool._compute is parts.compute
