"""The risk gate: from what a strategy wants to what may be ordered, with every reason on the way.

A signal names a target (BUY: plus size, SELL: minus size); the order is target less what is held. Entry rules may pull
the target back towards what is held or towards zero, never beyond, so an order that only reduces always passes them.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

from engine.domain.risk import RiskLevel, RiskLimits
from engine.domain.signals import Signal, SignalAction, StepOutcome
from engine.domain.trading import Account, HaltMode, Order, OrderStatus, Side
from engine.kernels.accounting import equity
from engine.trading import bounds
from engine.trading import wording as say
from engine.trading.case import ZERO, Case, Decision, GateContext, reducing_target
from engine.trading.protection import Protection

_PRICE_DIGITS = 6


def decide(
    signal: Signal,
    account: Account,
    marks: Mapping[str, float],
    limits: RiskLimits,
    context: GateContext,
) -> Decision:
    """Return what to do about one signal.

    Parameters
    ----------
    marks : mapping of str to float
        Last prices; the signal's own price counts where its symbol has none.

    Notes
    -----
    Rules in order: kill switch, tradable, sizing, stop and target, exit, stale input, risk level, threshold, the limits
    of `engine.trading.bounds`, trade band, lot size. Pure: the same arguments give the same decision.

    A strategy sets stop and target from a close, the gate sees the mark of now. An entry whose stop or target the mark
    has reached is refused: its position would close itself at once.

    A symbol is not entered while an exit of it is under way, nor by a signal of the close at which it left or of one
    before: both would fill at one price and pay two fees to end where they began. The next closed bar may enter again.
    """
    if signal.action is SignalAction.HOLD:
        return Decision(verdict="Hold. No order.", steps=(), target=_held(signal, account, context))
    case = Case(
        signal=signal,
        context=context,
        limits=limits,
        worth=equity(account, marks),
        price=Decimal(str(marks.get(signal.symbol, signal.price))),
        held=_held(signal, account, context),
        shares=_shares(context.others, marks, account),
    )
    for rule in _RULES:
        case = rule(case)
        if case.stop:
            return Decision(verdict=case.stop, steps=case.steps, target=case.held)
    return _ordered(case)


def _held(signal: Signal, account: Account, context: GateContext) -> Decimal:
    position = account.position(signal.symbol)
    return context.waiting + (ZERO if position is None else position.quantity)


def _shares(
    others: Mapping[str, Decimal], marks: Mapping[str, float], account: Account
) -> dict[str, float]:
    """Return the signed values of other symbols over equity; a symbol without a price has none yet."""
    worth = equity(account, marks)
    if worth <= 0:
        return {}
    return {
        symbol: float(quantity * Decimal(str(marks[symbol])) / worth)
        for symbol, quantity in others.items()
        if symbol in marks
    }


def _readiness(case: Case) -> Case:
    if case.context.not_ready:
        reason = case.context.not_ready
        case = case.add("Engine", StepOutcome.REFUSED, reason, "not trading")
        return replace(case, stop=say.no_order(case.held, f"{say.sentence(reason)}"))
    return case


def _kill_switch(case: Case) -> Case:
    halt = case.context.halt
    by = f" by {halt.actor}" if halt.actor else ""
    if halt.mode is HaltMode.HALTED:
        detail = f"trading halted{by}{f': {halt.reason}' if halt.reason else ''}; resume trading to allow orders"
        case = case.add("Kill switch", StepOutcome.REFUSED, detail, "halted")
        return replace(
            case, stop=say.no_order(case.held, f"Trading is halted{by} until it is resumed.")
        )
    if halt.mode is HaltMode.REDUCING:
        return case.add("Kill switch", StepOutcome.CLAMPED, f"reduce only{by}", "reduce only")
    return case.add("Kill switch", StepOutcome.PASSED, "not set", "off")


def _tradable(case: Case) -> Case:
    if case.context.instrument.is_tradable:
        return case
    symbol = case.signal.symbol
    detail = f"{symbol} is watched and forecast only"
    case = case.add("Tradable", StepOutcome.SKIPPED, detail, "no order")
    return replace(case, stop=f"No order. {symbol} is an index and cannot be traded.")


def _price(case: Case) -> Case:
    if case.price.is_finite() and case.price > 0 and case.worth > 0:
        return case
    if case.price.is_finite() and case.price > 0:
        detail = (
            f"equity is {say.money(case.worth)}; orders need equity above zero, start a new account"
        )
    else:
        detail = f"no price of {case.signal.symbol} is known; wait for the first tick"
    case = case.add("Price", StepOutcome.REFUSED, detail, "no order")
    return replace(case, stop=say.no_order(case.held, say.sentence(detail)))


def _sizing(case: Case) -> Case:
    signal, limits = case.signal, case.limits
    distance = _protection(case).distance(case.price)
    if signal.quantity is not None:
        size = Decimal(str(signal.quantity))
        detail = f"the signal asks for {say.units(size)} units"
    elif distance is None:
        detail = "no quantity and no stop distance to size by; give the signal a quantity or a stop"
        size = Decimal("NaN")
    elif distance <= 0:
        return _without_size(case)
    else:
        size = Decimal(str(limits.risk_per_trade)) * case.worth / distance
        detail = f"{say.percent(limits.risk_per_trade)} of equity at risk, stop {say.price(distance)} away"
    if not size.is_finite() or size <= 0:
        if size.is_finite():
            detail = f"quantity must be above zero, was {size}; correct the signal"
        case = case.add("Sizing", StepOutcome.REFUSED, detail, "no size")
        return replace(case, stop=say.no_order(case.held, say.sentence(detail)))
    target = size * signal.action.direction
    case = replace(case, target=target)
    share = case.share(target)
    return case.add(
        "Sizing",
        StepOutcome.PASSED,
        detail,
        say.signed_percent(share),
        share,
        limits.risk_per_trade,
    )


def _without_size(case: Case) -> Case:
    """Return the case whose stop is reached: no size follows from it, but a position against it may close."""
    against = reducing_target(case.held, case.signal.action.direction * Decimal("Infinity"))
    detail = "the mark is at the stop or beyond: no distance to size by"
    return replace(case, target=against).add("Sizing", StepOutcome.SKIPPED, detail, "no size")


def _stop_and_target(case: Case) -> Case:
    rule, protection = "Stop and target", _protection(case)
    if not protection.prices:
        return case.add(rule, StepOutcome.SKIPPED, "the signal gives neither", "–")
    mark, reached = f"mark {say.price(case.price)}", protection.reached(case.price)
    if reached is None:
        return case.add(rule, StepOutcome.PASSED, f"{mark}, {protection.prices}", "not reached")
    name, limit = reached
    remedy = f"entries need a mark {protection.between}"
    case = case.add(
        rule, StepOutcome.REFUSED, f"{mark}, {protection.prices}; {remedy}", f"{name} reached",
        float(case.price), float(limit),
    )  # fmt: skip
    return case.no_entry(f"The {mark} has reached the {name} {say.price(limit)}; {remedy}.")


def _halt_reducing(case: Case) -> Case:
    if case.context.halt.mode is not HaltMode.REDUCING:
        return case
    return case.no_entry("Entries are off until trading is resumed.")


def _exit(case: Case) -> Case:
    if not case.context.leaving:
        return case
    detail = f"{case.context.leaving}; the next closed bar may enter again"
    case = case.add("Exit", StepOutcome.REFUSED, detail, "no entries")
    return case.no_entry(say.sentence(detail))


def _stale_input(case: Case) -> Case:
    age, limit = case.context.input_age_s, case.limits.max_input_age_s
    if age is None or age <= limit:
        return case.add("Stale input", StepOutcome.PASSED, f"price within {limit:g} s", "fresh")
    detail = f"last price {age:.1f} s old, limit {limit:g} s; wait for the feed"
    case = case.add("Stale input", StepOutcome.REFUSED, detail, "stale", age, limit)
    return case.no_entry(f"The last price is {age:.1f} s old, the limit is {limit:g} s.")


def _risk_level(case: Case) -> Case:
    level = case.context.risk_level
    if level is None:
        return case.add("Risk level", StepOutcome.SKIPPED, "not known yet", "–")
    if level is not RiskLevel.CRITICAL:
        return case.add("Risk level", StepOutcome.PASSED, "entries up to HIGH", level.value.upper())
    detail = "score 7 or more of 10; entries resume below 7"
    case = case.add("Risk level", StepOutcome.REFUSED, detail, "CRITICAL")
    return case.no_entry(
        f"Risk of {case.signal.symbol} is CRITICAL; entries resume below a score of 7."
    )


def _threshold(case: Case) -> Case:
    score, threshold = case.context.score, case.context.threshold
    if score is None or threshold is None:
        return case
    detail = f"score {say.score(score)}, dead zone ±{threshold:.3f}"
    if abs(score) >= threshold:
        return case.add(
            "Threshold", StepOutcome.PASSED, detail, case.signal.action.value, score, threshold
        )
    case = case.add("Threshold", StepOutcome.SKIPPED, detail, "HOLD", score, threshold)
    return replace(
        case,
        stop=say.no_order(case.held, f"The score {say.score(score)} is inside ±{threshold:.3f}."),
    )


def _trade_band(case: Case) -> Case:
    change, band = abs(case.target - case.held), case.limits.trade_band
    share = case.share(change)
    if change == 0:
        reason = case.why or f"The target of {say.signed_percent(case.share(case.held))} is held."
        case = case.add("Trade band", StepOutcome.SKIPPED, "nothing to change", "no order")
        return replace(case, stop=say.no_order(case.held, reason))
    closes = case.target == 0
    if share >= band or closes:
        detail = f"change {say.points(share)}, band {say.points(band)}"
        return case.add("Trade band", StepOutcome.PASSED, detail, "outside", share, band)
    detail = f"change {say.points(share)}, below the band of {say.points(band)} of equity"
    case = case.add("Trade band", StepOutcome.SKIPPED, detail, "no order", share, band)
    reason = f"The change of {say.points(share)} is below the {say.points(band)} trade band."
    return replace(case, stop=say.no_order(case.held, reason))


def _lot_size(case: Case) -> Case:
    lot = case.context.instrument.lot_size
    rounded = (case.target / lot).to_integral_value(rounding=ROUND_DOWN) * lot
    detail = f"{say.units(abs(case.target))} to whole lots of {say.units(lot)}"
    if rounded == case.held or (rounded - case.held) * (case.target - case.held) < 0:
        case = case.add("Lot size", StepOutcome.SKIPPED, detail, "no order")
        return replace(
            case, stop=say.no_order(case.held, f"The change is below one lot of {say.units(lot)}.")
        )
    outcome = StepOutcome.PASSED if rounded == case.target else StepOutcome.CLAMPED
    result = f"{say.units(abs(rounded))} units"
    return replace(case.add("Lot size", outcome, detail, result), target=rounded)


_RULES = (
    _kill_switch,
    _readiness,
    _tradable,
    _price,
    _sizing,
    _halt_reducing,
    _stop_and_target,
    _exit,
    _stale_input,
    _risk_level,
    _threshold,
    *bounds.RULES,
    _trade_band,
    _lot_size,
)


def _ordered(case: Case) -> Decision:
    change = case.target - case.held
    signal, protection = case.signal, _protection(case)
    reduces = reducing_target(case.held, case.target) == case.target
    order = Order(
        order_id=case.context.order_id,
        symbol=signal.symbol,
        side=Side.BUY if change > 0 else Side.SELL,
        quantity=abs(change),
        price=case.price,
        status=OrderStatus.INTENDED,
        strategy=signal.strategy,
        reason=signal.reason,
        cycle_id=case.context.cycle_id,
        stop_loss=None if reduces else protection.stop,
        take_profit=None if reduces else protection.target,
        reduces=reduces,
    )
    clamps = tuple(s.rule for s in case.steps if s.outcome is StepOutcome.CLAMPED)
    verdict = say.order(order, case.held, case.share(case.target), clamps)
    if case.why:
        verdict = f"{verdict} {case.why}"
    return Decision(verdict=verdict, steps=case.steps, target=case.target, order=order)


def _protection(case: Case) -> Protection:
    signal = case.signal
    return Protection(
        direction=signal.action.direction,
        stop=_money(signal.stop_loss),
        target=_money(signal.take_profit),
    )


def _money(value: float | None) -> Decimal | None:
    """Return a price as Decimal without the float's noise digits; what is no number is no price."""
    if value is None or not math.isfinite(value):
        return None
    return Decimal(str(round(value, _PRICE_DIGITS)))
