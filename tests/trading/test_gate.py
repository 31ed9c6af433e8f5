"""The gate's rules one by one, and what must hold for every signal."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.instrument import Instrument
from engine.domain.risk import RiskLevel, RiskLimits
from engine.domain.signals import Signal, SignalAction, SignalStrength, StepOutcome
from engine.domain.trading import Account, HaltMode, Position, Side, TradingHalt
from engine.trading.case import GateContext
from engine.trading.gate import decide

NOW = datetime(2008, 9, 26, 20, tzinfo=UTC)
LIMITS = RiskLimits()
AAPL = Instrument(symbol="AAPL", name="Apple")
MARKS = {"AAPL": 100.0}


STOP = {"BUY": 96.0, "SELL": 104.0, "HOLD": None}
TARGET = {"BUY": 108.0, "SELL": 92.0, "HOLD": None}


def signal(action="BUY", quantity=50.0, **fields) -> Signal:
    given = {"stop_loss": STOP[action], "take_profit": TARGET[action]} | fields
    return Signal(
        symbol="AAPL", action=SignalAction(action), confidence=0.8, strength=SignalStrength.MODERATE,
        price=100.0, quantity=quantity, timestamp=NOW, **given,
    )  # fmt: skip


def account(held=0) -> Account:
    """Equity is 100,000 at a price of 100, whatever is held."""
    if not held:
        return Account()
    position = Position(
        symbol="AAPL", quantity=Decimal(held), entry_price=Decimal(100), opened_at=NOW
    )
    return Account(cash=Decimal(100_000) - held * 100, positions=(position,))


def context(**fields) -> GateContext:
    return GateContext(
        **{"order_id": "ph-1-1", "instrument": AAPL, "day_start_equity": Decimal(100_000)} | fields
    )


def step(decision, rule):
    return next(s for s in decision.steps if s.rule == rule)


def gate(asked=None, held=0, limits=LIMITS, mark=100.0, **fields):
    return decide(asked or signal(), account(held), {"AAPL": mark}, limits, context(**fields))


def test_an_allowed_buy_becomes_an_order_for_the_whole_size():
    decision = gate()
    assert (decision.order.side, decision.order.quantity) == (Side.BUY, Decimal(50))
    assert decision.order.order_id == "ph-1-1"
    assert decision.verdict == "Buy 50 AAPL at about 100.00: long 5.00% of equity."
    assert {s.outcome for s in decision.steps} <= {StepOutcome.PASSED, StepOutcome.SKIPPED}


def test_the_cap_says_nothing_of_a_position_that_was_refused_before():
    """The why-card would contradict itself: 98 % sized, then "0.00% asked"."""
    (cap,) = (s for s in gate(risk_level=RiskLevel.CRITICAL).steps if s.rule == "Position cap")
    assert cap.detail == "no position is asked for, limit 10.00% of equity per symbol"
    (cap,) = (s for s in gate().steps if s.rule == "Position cap")
    assert cap.detail.startswith("5.00% asked")


def test_an_order_carries_stop_and_target_without_the_noise_of_floats():
    order = gate(signal(stop_loss=0.1 + 0.2)).order
    assert (order.stop_loss, order.take_profit) == (Decimal("0.3"), Decimal("108.0"))


def test_size_comes_from_risk_per_trade_and_stop_distance_when_the_signal_has_none():
    # 2 % of 100,000 is 2,000; a stop 400 away would make 5, a stop 40 away 50 units
    decision = gate(signal(quantity=None, stop_loss=60.0))
    assert decision.order.quantity == 50
    assert gate(signal(quantity=None, stop_loss=80.0)).order.quantity == 100


def test_a_signal_without_quantity_and_stop_is_refused_with_the_remedy():
    decision = gate(signal(quantity=None, stop_loss=None))
    assert decision.order is None
    assert "give the signal a quantity or a stop" in decision.verdict


@pytest.mark.parametrize(
    ("action", "mark", "reached", "remedy"),
    [
        ("SELL", 105.0, "stop 104.00", "below 104.00 and above 92.00"),
        ("SELL", 104.0, "stop 104.00", "below 104.00 and above 92.00"),
        ("SELL", 92.0, "target 92.00", "below 104.00 and above 92.00"),
        ("BUY", 95.5, "stop 96.00", "above 96.00 and below 108.00"),
        ("BUY", 108.0, "target 108.00", "above 96.00 and below 108.00"),
    ],
)
@pytest.mark.parametrize("quantity", [None, 50.0])
def test_an_entry_whose_stop_or_target_the_mark_has_reached_is_refused_with_the_numbers(
    action, mark, reached, remedy, quantity
):
    decision = gate(signal(action, quantity), mark=mark)
    assert decision.order is None
    assert decision.verdict == (
        f"No order. The mark {mark:.2f} has reached the {reached}; entries need a mark {remedy}."
    )
    check = step(decision, "Stop and target")
    assert check.outcome is StepOutcome.REFUSED
    assert check.result == f"{reached.split()[0]} reached"
    assert f"stop {STOP[action]:.2f}, target {TARGET[action]:.2f}; entries need" in check.detail
    assert (check.value, check.limit) == (mark, float(reached.split()[1]))


@pytest.mark.parametrize("quantity", [None, 50.0])
@pytest.mark.parametrize("mark", [105.0, 91.0])
def test_a_position_against_the_signal_closes_though_stop_or_target_is_reached(mark, quantity):
    decision = gate(signal("SELL", quantity), held=30, mark=mark)
    assert (decision.order.quantity, decision.order.reduces, decision.target) == (30, True, 0)
    assert decision.verdict.startswith(f"Sell 30 AAPL at about {mark:.2f}: long closed. The mark")


def test_a_position_with_the_signal_stays_as_it_is_when_the_stop_is_reached():
    decision = gate(signal("BUY", None), held=30, mark=95.0)
    assert decision.order is None
    assert step(decision, "Sizing").outcome is StepOutcome.SKIPPED


@pytest.mark.parametrize(("action", "mark"), [("BUY", 96.01), ("SELL", 103.99)])
def test_between_stop_and_target_an_entry_passes_and_its_size_is_the_distance_to_the_stop(
    action, mark
):
    limits = replace(LIMITS, max_position_size=1e9, max_gross_exposure=1e9)
    decision = gate(signal(action, None), mark=mark, limits=limits)
    assert step(decision, "Stop and target").outcome is StepOutcome.PASSED
    assert decision.order.quantity == int(Decimal("0.02") * 100_000 / Decimal("0.01"))


def test_stop_and_target_are_not_asked_of_a_signal_without_them():
    decision = gate(signal(stop_loss=None, take_profit=float("nan")))
    assert step(decision, "Stop and target").outcome is StepOutcome.SKIPPED
    assert (decision.order.stop_loss, decision.order.take_profit) == (None, None)


def test_size_beyond_the_cap_is_clamped_and_says_so():
    decision = gate(signal(quantity=500.0))
    assert decision.order.quantity == 100
    cap = step(decision, "Position cap")
    assert (cap.outcome, cap.value, cap.limit) == (StepOutcome.CLAMPED, 0.5, 0.1)
    assert "MAX_POSITION_SIZE" in cap.detail
    assert "set by the position cap" in decision.verdict


def test_an_opposite_signal_turns_the_position_in_one_order():
    decision = gate(signal("SELL"), held=30)
    assert (decision.order.side, decision.order.quantity) == (Side.SELL, Decimal(80))
    assert decision.target == -50
    assert not decision.order.reduces


def test_waiting_orders_count_as_held():
    assert gate(waiting=Decimal(50)).order is None
    assert gate(waiting=Decimal(20)).order.quantity == 30


@pytest.mark.parametrize(
    ("fields", "rule", "word"),
    [
        ({"risk_level": RiskLevel.CRITICAL}, "Risk level", "CRITICAL"),
        ({"input_age_s": 15.1}, "Stale input", "15.1 s old"),
        ({"day_start_equity": Decimal(106_000)}, "Daily loss", "5.66%"),
        ({"halt": TradingHalt(mode=HaltMode.REDUCING, actor="ann")}, "Kill switch", "Entries"),
        (
            {"leaving": "an exit of AAPL is under way"},
            "Exit",
            "the next closed bar may enter again",
        ),
    ],
)
def test_an_entry_rule_refuses_entries_and_lets_exits_through(fields, rule, word):
    refused = gate(**fields)
    assert refused.order is None
    assert word in refused.verdict
    assert step(refused, rule).outcome in {StepOutcome.REFUSED, StepOutcome.CLAMPED}
    exit_only = gate(signal("SELL"), held=30, **fields)
    assert exit_only.order.quantity == 30
    assert exit_only.order.reduces
    assert exit_only.target == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"risk_level": RiskLevel.HIGH},
        {"input_age_s": 15.0},
        {"day_start_equity": Decimal(105_000)},
    ],
)
def test_just_inside_each_limit_an_entry_passes(fields):
    assert gate(**fields).order.quantity == 50


def test_a_halt_sends_nothing_not_even_an_exit():
    halt = TradingHalt(mode=HaltMode.HALTED, actor="ann", reason="rehearsal")
    decision = gate(signal("SELL"), held=30, halt=halt)
    assert decision.order is None
    assert decision.verdict == "Long kept, no order. Trading is halted by ann until it is resumed."


def test_failed_reconciliation_sends_nothing():
    decision = gate(not_ready="the broker holds 5 AAPL, the journal 0")
    assert decision.order is None
    assert "the broker holds 5 AAPL" in decision.verdict.lower().replace("aapl", "AAPL")


def test_an_index_is_skipped_with_that_reason():
    decision = gate(instrument=replace(AAPL, is_tradable=False))
    assert decision.verdict == "No order. AAPL is an index and cannot be traded."


def test_a_change_below_the_trade_band_is_skipped_but_a_closing_is_not():
    small = gate(signal(quantity=34.0), held=30)
    assert small.order is None
    assert (
        small.verdict
        == "Long kept, no order. The change of 0.40 pts is below the 0.50 pts trade band."
    )
    assert gate(signal("SELL"), held=3, risk_level=RiskLevel.CRITICAL).order.quantity == 3


def test_a_size_between_lots_is_rounded_towards_nothing():
    decision = gate(signal(quantity=57.9))
    assert decision.order.quantity == 57
    assert step(decision, "Lot size").outcome is StepOutcome.CLAMPED
    assert (
        gate(signal(quantity=57.9), instrument=replace(AAPL, lot_size=Decimal(100))).order is None
    )


def test_a_score_inside_the_dead_zone_gives_no_order():
    decision = gate(score=-0.1, threshold=0.15)
    assert decision.order is None
    assert "\N{MINUS SIGN}0.100 is inside ±0.150" in decision.verdict


def test_hold_asks_for_nothing():
    decision = gate(signal("HOLD"))
    assert (decision.order, decision.steps) == (None, ())


SIGNALS = st.builds(
    signal,
    action=st.sampled_from(["BUY", "SELL"]),
    quantity=st.none() | st.floats(0.001, 5000, allow_nan=False),
    stop_loss=st.none() | st.floats(1, 199),
    take_profit=st.none() | st.floats(1, 199),
)
HELD = st.integers(-150, 150)
CONTEXTS = st.builds(
    context,
    halt=st.sampled_from([HaltMode.ACTIVE, HaltMode.REDUCING]).map(
        lambda mode: TradingHalt(mode=mode, actor="")
    ),
    input_age_s=st.none() | st.floats(0, 60),
    risk_level=st.none() | st.sampled_from(RiskLevel),
    day_start_equity=st.none() | st.integers(90_000, 120_000).map(Decimal),
    waiting=st.integers(-20, 20).map(Decimal),
)


@given(asked=SIGNALS, held=HELD, circumstances=CONTEXTS)
def test_an_order_never_leads_beyond_the_cap_and_its_parts_add_up(asked, held, circumstances):
    decision = decide(asked, account(held), MARKS, LIMITS, circumstances)
    if decision.order is None:
        return
    before = held + circumstances.waiting
    assert before + decision.order.quantity * decision.order.side.sign == decision.target
    assert decision.order.quantity > 0
    assert abs(decision.target) * 100 <= Decimal("0.1") * 100_000 + Decimal("1e-9")


@given(asked=SIGNALS, held=HELD, circumstances=CONTEXTS)
def test_under_refused_entries_an_order_only_reduces(asked, held, circumstances):
    strict = replace(circumstances, risk_level=RiskLevel.CRITICAL)
    decision = decide(asked, account(held), MARKS, LIMITS, strict)
    before = held + strict.waiting
    if decision.order is not None:
        assert decision.order.reduces
        assert abs(decision.target) < abs(before)
        assert decision.target * before >= 0


@given(asked=SIGNALS, held=HELD, circumstances=CONTEXTS, mark=st.floats(50, 150))
def test_an_order_that_opens_or_raises_has_its_stop_and_target_ahead(
    asked, held, circumstances, mark
):
    order = decide(asked, account(held), {"AAPL": mark}, LIMITS, circumstances).order
    if order is None or order.reduces:
        return
    sign, price = order.side.sign, Decimal(str(mark))
    assert order.stop_loss is None or (price - order.stop_loss) * sign > 0
    assert order.take_profit is None or (order.take_profit - price) * sign > 0


@given(held=HELD.filter(bool), circumstances=CONTEXTS)
def test_a_reversal_always_gets_at_least_its_closing_half(held, circumstances):
    empty = replace(circumstances, waiting=Decimal(0))
    asked = signal("SELL" if held > 0 else "BUY")
    decision = decide(asked, account(held), MARKS, LIMITS, empty)
    assert decision.order.quantity >= abs(held)


@given(asked=SIGNALS, held=HELD, circumstances=CONTEXTS)
def test_the_same_question_gets_the_same_answer(asked, held, circumstances):
    one, two = (decide(asked, account(held), MARKS, LIMITS, circumstances) for _ in range(2))
    assert one == two
