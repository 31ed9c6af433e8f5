"""The limits of the gate: what an order may make of position, exposure, value at risk, and of an account that lost.

Each rule measures what the target would lead to, and where that breaks the limit does what the limit's action says.
Nothing of it touches what only reduces a position.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from engine.domain.limits import LIMITS, action_of
from engine.domain.risk import LimitAction
from engine.domain.signals import StepOutcome
from engine.trading import wording as say
from engine.trading.case import Case, reducing_target

BISECTIONS = 24
"""Halvings of an order that is cut to a value at risk: a millionth of it is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A limit that the target would break.

    Parameters
    ----------
    name : str
        Of the limit in RiskLimits.
    detail : str
        What was measured, for the step.
    reason : str
        The sentence of the verdict.
    allowed : Decimal
        The nearest target that the limit allows; what only reduces where there is no such size.
    """

    rule: str
    name: str
    value: float
    detail: str
    reason: str
    allowed: Decimal


def position_cap(case: Case) -> Case:
    """Keep one symbol's position within its share of equity."""
    rule, limit = "Position cap", case.limits.max_position_size
    share = abs(case.share(case.target))
    words = f"limit {say.percent(limit)} of equity per symbol"
    if case.target == 0:
        detail = f"no position is asked for, {words}"
        return case.add(rule, StepOutcome.PASSED, detail, "not binding", 0.0, limit)
    most = Decimal(str(limit)) * case.worth / case.price
    if abs(case.target) <= most:
        detail = f"{say.percent(share)} asked, {words}"
        return case.add(rule, StepOutcome.PASSED, detail, "not binding", share, limit)
    return enforced(
        case,
        Broken(
            rule=rule,
            name="max_position_size",
            value=share,
            detail=f"{say.percent(share)} asked, {words}; raise the limit (MAX_POSITION_SIZE) to allow more",
            reason=f"A position of {say.percent(share)} is above the limit of {say.percent(limit)}.",
            allowed=most.copy_sign(case.target),
        ),
    )


def gross_exposure(case: Case) -> Case:
    """Keep the sum of all positions' values, orders under way included, within its share of equity."""
    rule, limit = "Gross exposure", case.limits.max_gross_exposure
    others = sum(map(abs, case.shares.values()))
    total, own = others + abs(case.share(case.target)), abs(case.share(case.held))
    words = f"limit {say.percent(limit)} of equity"
    if total <= limit or not _raises(case, total, others + own):
        detail = f"{say.percent(total)} with the order, {words}"
        return case.add(rule, StepOutcome.PASSED, detail, "inside", total, limit)
    room = Decimal(str(max(limit - others, 0.0))) * case.worth / case.price
    kept = abs(reducing_target(case.held, case.target))  # no limit sells what is held already
    return enforced(
        case,
        Broken(
            rule=rule,
            name="max_gross_exposure",
            value=total,
            detail=f"{say.percent(total)} with the order, {words}; close a position or raise the limit",
            reason=f"All positions would be {say.percent(total)} of equity, the limit is {say.percent(limit)}.",
            allowed=max(room, kept).copy_sign(case.target),
        ),
    )


def tail_budget(case: Case) -> Case:
    """Keep the account's value at risk and expected shortfall, with the order in it, within their limits."""
    for rule, name in (("VaR budget", "max_var_95"), ("ES budget", "max_cvar_95")):
        case = _tail_rule(case, rule, name)
        if case.stop:
            return case
    return case


def _tail_rule(case: Case, rule: str, name: str) -> Case:
    limit, title = getattr(case.limits, name), LIMITS[name].title
    after, before = _tail(case, name, case.target), _tail(case, name, case.held)
    words = f"limit {say.percent(limit)} in one bar"
    if after is None:
        return case.add(rule, StepOutcome.SKIPPED, f"{title} of the account is not known", "–")
    if after <= limit or not _raises(case, after, before or 0.0):
        detail = f"{title} {say.percent(after)} with the order, {words}"
        return case.add(rule, StepOutcome.PASSED, detail, "inside", after, limit)
    return enforced(
        case,
        Broken(
            rule=rule,
            name=name,
            value=after,
            detail=f"{title} {say.percent(after)} with the order, {words}; reduce a position or raise the limit",
            reason=f"{title} would be {say.percent(after)}, the limit is {say.percent(limit)}.",
            allowed=_largest_inside(case, name, limit),
        ),
    )


def _tail(case: Case, name: str, target: Decimal) -> float | None:
    """Return the limited number of the account with this much of the symbol in it."""
    if case.context.tail is None:
        return None
    shares = {**case.shares, case.signal.symbol: case.share(target)}
    found = case.context.tail({symbol: share for symbol, share in shares.items() if share})
    if found is None:
        return None
    return found.var_95 if name == "max_var_95" else found.cvar_95


def _largest_inside(case: Case, name: str, limit: float) -> Decimal:
    """Return the target nearest to the one asked for that keeps the limit, by bisection."""
    inside = reducing_target(case.held, case.target)
    if (_tail(case, name, inside) or 0.0) > limit:
        return inside
    beyond = case.target
    for _ in range(BISECTIONS):
        middle = (inside + beyond) / 2
        if (_tail(case, name, middle) or 0.0) <= limit:
            inside = middle
        else:
            beyond = middle
    return inside


def daily_loss(case: Case) -> Case:
    """Look at what was lost since the market's day began."""
    start, limit = case.context.day_start_equity, case.limits.max_daily_loss
    if start is None or start <= 0:
        return case.add("Daily loss", StepOutcome.SKIPPED, "the day has no start yet", "–")
    loss = float((start - case.worth) / start)
    words = f"limit {say.percent(limit)} today"
    if loss < limit:
        detail = f"{say.percent(max(loss, 0.0))} lost, {words}"
        return case.add("Daily loss", StepOutcome.PASSED, detail, "inside", loss, limit)
    return enforced(
        case,
        Broken(
            rule="Daily loss",
            name="max_daily_loss",
            value=loss,
            detail=f"{say.percent(loss)} lost, {words}; entries resume with the next day",
            reason=f"Today's loss of {say.percent(loss)} has reached the limit of {say.percent(limit)}.",
            allowed=reducing_target(case.held, case.target),
        ),
    )


def drawdown(case: Case) -> Case:
    """Look at how far the account is below its peak."""
    depth, limit = case.context.drawdown, case.limits.max_drawdown
    words = f"limit {say.percent(limit)}"
    if depth is None:
        return case.add("Drawdown", StepOutcome.SKIPPED, "the account has no peak yet", "–")
    if depth < limit:
        detail = f"{say.percent(depth)} below the peak, {words}"
        return case.add("Drawdown", StepOutcome.PASSED, detail, "inside", depth, limit)
    return enforced(
        case,
        Broken(
            rule="Drawdown",
            name="max_drawdown",
            value=depth,
            detail=f"{say.percent(depth)} below the peak, {words}; raise the limit to enter again",
            reason=f"The account is {say.percent(depth)} below its peak, the limit is {say.percent(limit)}.",
            allowed=reducing_target(case.held, case.target),
        ),
    )


RULES = (position_cap, gross_exposure, tail_budget, daily_loss, drawdown)


def enforced(case: Case, broken: Broken) -> Case:
    """Return the case after the action of a limit that its target would break."""
    limit = getattr(case.limits, broken.name)
    action = action_of(case.limits, broken.name)
    is_reducing = reducing_target(case.held, case.target) == case.target
    if is_reducing or action is LimitAction.WARN:
        detail = f"{broken.detail}; only warned" if not is_reducing else broken.detail
        result = "reduces" if is_reducing else "warned"
        return case.add(broken.rule, StepOutcome.PASSED, detail, result, broken.value, limit)
    if action is LimitAction.CUT:
        result = say.percent(abs(case.share(broken.allowed)))
        case = case.add(
            broken.rule, StepOutcome.CLAMPED, broken.detail, result, broken.value, limit
        )
        return replace(case, target=broken.allowed)
    result = "no order" if action is LimitAction.SKIP else "no entries"
    case = case.add(broken.rule, StepOutcome.REFUSED, broken.detail, result, broken.value, limit)
    if action is LimitAction.SKIP:
        return replace(case, stop=say.no_order(case.held, broken.reason))
    return case.no_entry(broken.reason)


def _raises(case: Case, after: float, before: float) -> bool:
    """Say whether the target is more than what only reduces, and makes the limited number larger."""
    return reducing_target(case.held, case.target) != case.target and after > before
