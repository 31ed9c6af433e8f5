"""The limits of the gate: each with each of its actions, and what none of them may ever do."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.domain.instrument import Instrument
from engine.domain.limits import LIMITS, action_of, changed, loosened
from engine.domain.risk import LimitAction, RiskLimits
from engine.domain.signals import Signal, SignalAction, SignalStrength, StepOutcome
from engine.domain.trading import Account, HaltMode, Position
from engine.kernels import tail_risk
from engine.trading.case import GateContext, Tail
from engine.trading.gate import decide
from engine.trading.limit_watch import LimitWatch

NOW = datetime(2008, 9, 26, 20, tzinfo=UTC)
MARKS = {"AAPL": 100.0, "IBM": 50.0}
RNG = np.random.default_rng(7)
MARKET = 0.01 * RNG.standard_normal(500)
RETURNS = {"AAPL": 1.5 * MARKET + 0.005 * RNG.standard_normal(500), "IBM": MARKET}
WIDE = {"max_position_size": 1.0, "max_gross_exposure": 10.0, "max_var_95": 1.0, "max_cvar_95": 1.0}


def tail(shares):
    r = sum((share * RETURNS[symbol] for symbol, share in shares.items()), np.zeros(500))
    return Tail(tail_risk.value_at_risk(r, 0.95), tail_risk.expected_shortfall(r, 0.95))


def gate(limits, action="BUY", quantity=500.0, held=0, **fields):
    """Equity is 100,000 at the marks; a hundred AAPL are ten per cent of it."""
    signal = Signal(
        symbol="AAPL", action=SignalAction(action), confidence=0.8, strength=SignalStrength.MODERATE,
        price=100.0, quantity=quantity, timestamp=NOW,
    )  # fmt: skip
    held_of = {"AAPL": held} if held else {}
    positions = tuple(
        Position(symbol=s, quantity=Decimal(q), entry_price=Decimal(100), opened_at=NOW)
        for s, q in held_of.items()
    )
    account = Account(cash=Decimal(100_000) - held * 100, positions=positions)
    context = GateContext(
        **{"order_id": "o", "instrument": Instrument(symbol="AAPL", name="Apple"), "tail": tail,
           "day_start_equity": Decimal(100_000), "drawdown": 0.0} | fields
    )  # fmt: skip
    return decide(signal, account, MARKS, limits, context)


def step(decision, rule):
    return next(s for s in decision.steps if s.rule == rule)


def limits(action=None, of="max_var_95", **values):
    return RiskLimits(**(WIDE | values), actions={} if action is None else {of: action})


# -- what each limit measures --------------------------------------------------------------------------------------


def test_gross_exposure_counts_the_other_symbols_and_cuts_to_what_is_left():
    decision = gate(limits(max_gross_exposure=0.6), others={"IBM": Decimal(-600)})
    found = step(decision, "Gross exposure")
    assert (found.outcome, found.value, found.limit) == (StepOutcome.CLAMPED, 0.8, 0.6)
    assert decision.order.quantity == 300
    assert "set by the gross exposure" in decision.verdict


def test_an_exposure_without_room_opens_nothing_and_sells_nothing():
    full = {"others": {"IBM": Decimal(-1400)}, "limits": limits(max_gross_exposure=0.6)}
    assert gate(**full).order is None
    kept = gate(**full, held=100)
    assert kept.order is None
    assert kept.target == 100


def test_the_var_budget_is_that_of_the_account_with_the_order_in_it():
    decision = gate(limits(max_var_95=0.01), others={"IBM": Decimal(200)})
    found = step(decision, "VaR budget")
    assert found.value == pytest.approx(tail({"AAPL": 0.5, "IBM": 0.1}).var_95)
    assert found.outcome is StepOutcome.REFUSED
    assert decision.order is None
    assert "VaR 95 would be" in decision.verdict


def test_an_order_that_hedges_passes_a_budget_that_is_spent():
    """A short against the market lowers the account's value at risk, so it may leave."""
    spent = {"others": {"IBM": Decimal(2000)}, "limits": limits(max_var_95=0.005)}
    assert gate(**spent).order is None
    hedge = gate(**spent, action="SELL")
    assert hedge.order is not None
    assert step(hedge, "VaR budget").outcome is StepOutcome.PASSED


def test_an_order_is_cut_to_the_largest_size_inside_the_budget():
    decision = gate(limits(LimitAction.CUT, max_var_95=0.005))
    share = float(decision.order.quantity) / 1000
    assert tail({"AAPL": share}).var_95 <= 0.005 < tail({"AAPL": share + 0.001}).var_95


def test_the_shortfall_has_a_budget_of_its_own():
    es = tail({"AAPL": 0.5}).cvar_95
    assert gate(limits(max_cvar_95=es - 1e-6)).order is None
    assert gate(limits(max_cvar_95=es + 1e-6)).order is not None


def test_a_tail_that_nobody_knows_refuses_nothing_and_says_so():
    decision = gate(limits(max_var_95=0.001), tail=lambda _: None)
    assert step(decision, "VaR budget").outcome is StepOutcome.SKIPPED
    assert decision.order is not None


@pytest.mark.parametrize(
    ("fields", "rule"),
    [({"drawdown": 0.12}, "Drawdown"), ({"day_start_equity": Decimal(110_000)}, "Daily loss")],
)
def test_an_account_that_lost_too_much_opens_nothing_but_closes(fields, rule):
    entry = gate(limits(), **fields)
    assert entry.order is None
    assert step(entry, rule).outcome is StepOutcome.REFUSED
    closing = gate(limits(), "SELL", held=30, **fields)
    assert (closing.order.quantity, closing.target) == (Decimal(30), Decimal(0))
    assert closing.order.reduces


# -- what each action does -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "entry", "turn"),
    [
        (LimitAction.WARN, 500, 600),
        (LimitAction.STOP_ENTRIES, None, 100),
        (LimitAction.SKIP, None, None),
        (LimitAction.REDUCE_ONLY, None, 100),
        (LimitAction.HALT, None, 100),
    ],
)
def test_actions_differ_for_an_entry_and_for_an_order_that_turns_a_position(action, entry, turn):
    """500 AAPL asked against 1 % at risk; then the same while 100 are held short."""
    limited = limits(action, max_var_95=0.002)
    for held, expected in ((0, entry), (-100, turn)):
        order = gate(limited, held=held).order
        assert (None if order is None else int(order.quantity)) == expected, held


def test_a_warning_stands_in_the_steps():
    found = step(gate(limits(LimitAction.WARN, max_var_95=0.002)), "VaR budget")
    assert (found.outcome, found.result) == (StepOutcome.PASSED, "warned")
    assert "only warned" in found.detail


@given(
    held=st.integers(-200, 200),
    quantity=st.integers(1, 900),
    side=st.sampled_from(["BUY", "SELL"]),
    actions=st.fixed_dictionaries(
        {name: st.sampled_from(spec.actions) for name, spec in LIMITS.items()}
    ),
    values=st.fixed_dictionaries({name: st.floats(0.001, 0.3) for name in LIMITS}),
    drawdown=st.floats(0.0, 0.3),
)
def test_no_limit_enlarges_an_order_or_forbids_what_only_reduces(
    held, quantity, side, actions, values, drawdown
):
    limited = RiskLimits(**values, actions=actions)
    target = quantity if side == "BUY" else -quantity
    decision = gate(limited, side, float(quantity), held, drawdown=drawdown)
    low, high = min(held, target), max(held, target)
    if decision.order is not None:
        assert min(low, 0) <= decision.target <= max(high, 0)
        assert abs(decision.target) <= max(abs(held), abs(target))
    if 0 <= target * (1 if held > 0 else -1) < abs(held):  # between nothing and what is held
        assert decision.target == target or decision.order is None
        within_band = abs(target - held) * 100 / 100_000 < limited.trade_band
        assert (decision.order is not None) or within_band or target == held


# -- what a person sets --------------------------------------------------------------------------------------------


def test_changes_keep_what_is_not_named_and_forget_an_action_that_is_the_default():
    before = RiskLimits(actions={"max_var_95": LimitAction.HALT})
    after = changed(before, {"max_drawdown": 0.2}, {"max_var_95": "stop_entries"})
    assert after == replace(RiskLimits(), max_drawdown=0.2)
    assert action_of(after, "max_var_95") is LimitAction.STOP_ENTRIES


@pytest.mark.parametrize(
    ("values", "actions", "error", "words"),
    [
        ({"max_var_95": 0.0}, {}, InvalidValueError, "VaR 95 must be from 0.1% to 100% of equity"),
        ({"max_var_95": float("nan")}, {}, InvalidValueError, "VaR 95"),
        ({"max_vat": 0.1}, {}, UnknownNameError, "limit must be one of"),
        ({}, {"max_drawdown": "cut"}, UnknownNameError, "action of Drawdown must be one of warn"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(values, actions, error, words):
    with pytest.raises(error, match=words):
        changed(RiskLimits(), values, actions)


@pytest.mark.parametrize(
    ("values", "actions", "expected"),
    [
        ({"max_var_95": 0.04}, {}, ()),
        ({"max_var_95": 0.06}, {}, ("VaR 95",)),
        ({"max_var_95": 0.04}, {"max_var_95": "warn"}, ("VaR 95",)),
        ({}, {"max_drawdown": "halt"}, ()),
    ],
)
def test_a_higher_value_or_a_milder_action_loosens(values, actions, expected):
    assert loosened(RiskLimits(), changed(RiskLimits(), values, actions)) == expected


# -- limits that stop trading by themselves ------------------------------------------------------------------------


def test_a_broken_limit_tightens_once_and_is_asked_again_only_after_it_was_kept():
    watch = LimitWatch()
    limited = RiskLimits(actions={"max_drawdown": LimitAction.REDUCE_ONLY})
    look = lambda depth, mode=HaltMode.ACTIVE: watch.look(limited, {"max_drawdown": depth}, mode)  # noqa: E731 -- short
    assert look(0.09) is None
    found = look(0.11)
    assert found.mode is HaltMode.REDUCING
    assert found.reason == "Drawdown 11.00% has reached its limit of 10.00% from the peak"
    assert look(0.12) is None, "a person resumed while it is broken"
    assert look(0.05) is None
    assert look(0.11).mode is HaltMode.REDUCING


def test_the_strictest_of_several_counts_and_nothing_loosens_by_itself():
    limited = RiskLimits(
        actions={"max_drawdown": LimitAction.REDUCE_ONLY, "max_daily_loss": LimitAction.HALT}
    )
    standing = {"max_drawdown": 0.5, "max_daily_loss": 0.5}
    assert LimitWatch().look(limited, standing, HaltMode.ACTIVE).mode is HaltMode.HALTED
    assert LimitWatch().look(limited, standing, HaltMode.HALTED) is None
    assert LimitWatch().look(RiskLimits(), standing, HaltMode.ACTIVE) is None, "the defaults"
