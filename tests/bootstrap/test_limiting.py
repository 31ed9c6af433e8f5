"""Limits that a person sets: in force with the next order, told with those before, kept through a restart."""

from typing import Any

import pytest

from engine.bootstrap.turned import TurnedEngine, build_turned
from engine.domain.commands import HaltTrading, SetRiskLimits
from engine.domain.events import EventType
from engine.domain.limits import LimitsChanged
from engine.domain.risk import LimitAction
from engine.domain.sections import TradingSection
from engine.domain.signals import StepOutcome
from engine.domain.trading import HaltMode
from tests.bootstrap.test_turned import BAR_S, events, records, run, settings

TIGHT = SetRiskLimits(limits={"max_position_size": 0.03})


def answers(turned: TurnedEngine, kind: EventType) -> list[dict[str, Any]]:
    return list(events(turned, kind))


def trading(turned: TurnedEngine) -> TradingSection:
    section: TradingSection = turned.engine.projection.value("trading")  # type: ignore[assignment]
    return section


def largest_entry(turned: TurnedEngine, since: int) -> float:
    """Largest share of equity that an entry asked for after so many intents."""
    entries = [
        e for e in list(events(turned, EventType.ORDER_INTENDED))[since:] if not e["reduces"]
    ]
    shares = [float(e["quantity"]) * float(e["price"]) / 100_000 for e in entries]
    return max(shares, default=0.0)


@pytest.mark.asyncio
async def test_a_limit_below_what_is_wanted_cuts_the_next_order_and_says_why() -> None:
    turned = await run(2)
    await turned.obey(TIGHT)
    n = len(answers(turned, EventType.ORDER_INTENDED))
    await turned.advance(4 * BAR_S)
    cut = [
        step
        for symbol in ("AAPL", "IBM", "PG", "JNJ", "MSFT", "XOM", "JPM", "GOOG")
        for record in records(turned, symbol)
        for step in record.steps
        if step.rule == "Position cap"
        and step.outcome is StepOutcome.CLAMPED
        and step.limit == 0.03
    ]
    assert cut
    assert "limit 3.00% of equity" in cut[0].detail
    assert 0 < largest_entry(turned, n) < 0.032
    control = await run(2 + 4 * BAR_S)
    assert largest_entry(control, n) > 0.09


@pytest.mark.asyncio
async def test_a_change_is_told_with_who_made_it_and_shown() -> None:
    turned = await run(1)
    await turned.obey(TIGHT, actor="ann")
    (told,) = answers(turned, EventType.LIMITS_CHANGED)
    change = LimitsChanged.from_data(told)
    assert (change.actor, change.previous.max_position_size) == ("ann", 0.10)
    assert trading(turned).limits.max_position_size == 0.03
    (answer,) = answers(turned, EventType.COMMAND_ACCEPTED)
    assert answer["message"] == "Largest position 10.00% → 3.00%."


@pytest.mark.asyncio
async def test_loosening_needs_a_word_and_nonsense_changes_nothing() -> None:
    turned = await run(1)
    looser = {"max_var_95": 0.2}
    await turned.obey(SetRiskLimits(limits=looser), SetRiskLimits(limits={"max_var_95": 7.0}))
    refused = [a["message"] for a in answers(turned, EventType.COMMAND_REFUSED)]
    assert "VaR 95 must be loosened on purpose" in refused[0]
    assert "VaR 95 must be from 0.1% to 100% of equity" in refused[1]
    assert turned.engine.crew.execution.limits.max_var_95 == 0.05
    await turned.obey(SetRiskLimits(limits=looser, loosen=True))
    assert turned.engine.crew.execution.limits.max_var_95 == 0.2
    assert turned.engine.crew.risk.max_var_threshold == 0.2


@pytest.mark.asyncio
async def test_limits_outlive_a_restart_and_the_configuration_rules_the_others() -> None:
    turned = await run(1)
    await turned.obey(TIGHT, SetRiskLimits(actions={"max_drawdown": "halt"}))
    again = build_turned(settings(max_daily_loss=0.01), turned.journal)
    await again.host.start()
    limits = again.engine.crew.execution.limits
    assert (limits.max_position_size, limits.max_daily_loss) == (0.03, 0.01)
    assert limits.actions == {"max_drawdown": LimitAction.HALT}
    assert trading(again).limits == limits


@pytest.mark.asyncio
async def test_a_broken_limit_halts_by_itself_and_a_person_is_told_why() -> None:
    turned = await run(6)
    assert turned.engine.crew.execution.desk.account.positions
    halting = SetRiskLimits(
        limits={"max_gross_exposure": 0.01}, actions={"max_gross_exposure": "halt"}
    )
    await turned.obey(halting)
    await turned.advance(2.0)
    shown = trading(turned)
    assert (shown.mode, shown.actor) == (HaltMode.HALTED, "limit")
    assert "Gross exposure" in shown.reason
    n = len(answers(turned, EventType.ORDER_INTENDED))
    await turned.advance(3 * BAR_S)
    assert len(answers(turned, EventType.ORDER_INTENDED)) == n


@pytest.mark.asyncio
async def test_reduce_only_lets_exits_leave_and_no_entry() -> None:
    turned = await run(6)
    await turned.obey(HaltTrading(mode=HaltMode.REDUCING))
    assert trading(turned).mode is HaltMode.REDUCING
    n = len(answers(turned, EventType.ORDER_INTENDED))
    await turned.advance(12 * BAR_S)
    since = answers(turned, EventType.ORDER_INTENDED)[n:]
    assert since
    assert all(order["reduces"] for order in since)
