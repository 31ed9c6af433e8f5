"""What a restart must not change: the day's start, the account's drawdown, the marks that value it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from engine.domain.trading import Account, Position
from engine.trading.desk import Desk
from tests.numbers.runs import cut, section, started

CLOSE = datetime(2008, 9, 26, 20, tzinfo=UTC)
LONG = Position(
    symbol="AAPL", quantity=Decimal(10), entry_price=Decimal(100), opened_at=CLOSE
)  # fmt: skip


def test_a_day_that_begins_after_a_restart_starts_at_the_last_marks():
    desk = Desk(Account(), epoch=1)
    desk.restore(Account(positions=(LONG,)), (), Decimal(99_000), {"AAPL": 90.0}, date(2008, 9, 26))
    assert desk.equity == 100_900
    desk.mark("AAPL", 50.0, CLOSE.replace(day=29))
    assert desk.day_start_equity == 100_900
    assert desk.equity == 100_500


def test_a_restart_within_the_day_keeps_its_start():
    desk = Desk(Account(), epoch=1)
    desk.restore(Account(positions=(LONG,)), (), Decimal(99_000), {"AAPL": 90.0}, date(2008, 9, 26))
    desk.mark("AAPL", 50.0, CLOSE)
    assert desk.day_start_equity == 99_000


@pytest.mark.asyncio
@pytest.mark.parametrize("seconds", [6.0, 6.5])  # after a close, and within a bar
async def test_gate_and_screen_agree_on_the_day_after_a_restart(seconds):
    turned = await started(seconds)
    assert section(turned, "portfolio").positions
    again = await cut(turned)
    await again.advance(1.25)
    portfolio = section(again, "portfolio")
    desk = again.engine.crew.execution.desk
    assert desk.day_start_equity == portfolio.day_start_equity
    assert desk.equity == portfolio.equity


@pytest.mark.asyncio
async def test_the_account_keeps_its_deepest_drawdown_and_risk_over_a_restart():
    turned = await started(11.5)
    before, portfolio = section(turned, "risk:portfolio").metrics, section(turned, "portfolio")
    now = float(portfolio.equity / portfolio.peak_equity) - 1.0
    assert before.max_drawdown < now < 0, "the deepest lies behind, or the test would prove nothing"
    again = await cut(turned)
    after = section(again, "risk:portfolio").metrics
    assert after.max_drawdown == pytest.approx(before.max_drawdown, abs=1e-12)
    assert after.var_95 == pytest.approx(before.var_95, rel=0.05)
