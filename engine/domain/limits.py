"""The limits by name: how a person calls each, within what it may be set, and what follows when it is broken.

Values are fractions of equity. Which orders each one stops is `engine.trading.bounds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.domain.errors import UnknownNameError, is_number, must
from engine.domain.payload import Payload
from engine.domain.risk import LimitAction, RiskLimits

_OF_ORDERS = tuple(LimitAction)
_OF_THE_ACCOUNT = (
    LimitAction.WARN,
    LimitAction.STOP_ENTRIES,
    LimitAction.REDUCE_ONLY,
    LimitAction.HALT,
)
"""An order cannot be cut until the account has lost less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSpec:
    """One limit that a person may set: `least` to `most` as fractions, `action` where nothing else was chosen."""

    name: str
    title: str
    window: str
    action: LimitAction
    actions: tuple[LimitAction, ...] = _OF_ORDERS
    least: float = 0.001
    most: float = 1.0


LIMITS: Mapping[str, LimitSpec] = {
    spec.name: spec
    for spec in (
        LimitSpec(
            name="max_position_size", title="Largest position", window="now", action=LimitAction.CUT
        ),
        LimitSpec(
            name="max_gross_exposure", title="Gross exposure", window="now", action=LimitAction.CUT,
            most=10.0,
        ),
        LimitSpec(
            name="max_daily_loss", title="Daily loss", window="today",
            action=LimitAction.STOP_ENTRIES, actions=_OF_THE_ACCOUNT,
        ),
        LimitSpec(
            name="max_drawdown", title="Drawdown", window="from the peak",
            action=LimitAction.STOP_ENTRIES, actions=_OF_THE_ACCOUNT,
        ),
        LimitSpec(
            name="max_var_95", title="VaR 95", window="one bar", action=LimitAction.STOP_ENTRIES
        ),
        LimitSpec(
            name="max_cvar_95", title="ES 95", window="one bar", action=LimitAction.STOP_ENTRIES
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsChanged(Payload):
    """The payload of LIMITS_CHANGED: who put which limits in force, and those before."""

    limits: RiskLimits
    previous: RiskLimits
    actor: str
    schema: int = 1


def action_of(limits: RiskLimits, name: str) -> LimitAction:
    """Return what follows when a limit is broken."""
    return limits.actions.get(name, LIMITS[name].action)


def changed(
    limits: RiskLimits, values: Mapping[str, float], actions: Mapping[str, str]
) -> RiskLimits:
    """Return the limits with a person's changes.

    Raises
    ------
    UnknownNameError
        No limit or no action has this name.
    InvalidValueError
        A value lies outside what the limit may be, or the action does not fit it.
    """
    for name, value in values.items():
        spec = _spec(name)
        if not is_number(value) or not spec.least <= value <= spec.most:
            rule = f"be from {spec.least:.1%} to {spec.most:.0%} of equity"
            raise must(spec.title, rule, value, "correct it")
    chosen = {name: _action(name, word) for name, word in actions.items()}
    merged = {**limits.actions, **chosen}
    kept = {name: action for name, action in merged.items() if action is not LIMITS[name].action}
    return replace(limits, **values, actions=kept)


def loosened(before: RiskLimits, after: RiskLimits) -> tuple[str, ...]:
    """Return the titles of limits that allow more than before: a higher value or a milder action."""
    ranks = {action: rank for rank, action in enumerate(LimitAction)}
    return tuple(
        spec.title
        for name, spec in LIMITS.items()
        if getattr(after, name) > getattr(before, name)
        or ranks[action_of(after, name)] < ranks[action_of(before, name)]
    )


def differences(before: RiskLimits, after: RiskLimits) -> list[str]:
    """Return each changed limit in words."""
    found = []
    for name, spec in LIMITS.items():
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            found.append(f"{spec.title} {old:.2%} → {new:.2%}")
        if action_of(before, name) is not action_of(after, name):
            words = action_of(after, name).value.replace("_", " ")
            found.append(f"{spec.title} when broken: {words}")
    return found


def _spec(name: str) -> LimitSpec:
    spec = LIMITS.get(name)
    if spec is None:
        raise UnknownNameError(
            f"limit must be one of {', '.join(LIMITS)}, was {name!r}; correct the name"
        )
    return spec


def _action(name: str, word: str) -> LimitAction:
    spec = _spec(name)
    known = {action.value: action for action in spec.actions}
    if word not in known:
        raise UnknownNameError(
            f"action of {spec.title} must be one of {', '.join(known)}, was {word!r}; correct it"
        )
    return known[word]
