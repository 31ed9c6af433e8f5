"""What a person sets of the limits: the fields as they are in force, and the command that follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard import formatting as fmt
from engine.domain.commands import SetRiskLimits
from engine.domain.errors import must
from engine.domain.limits import LIMITS, action_of, changed, loosened
from engine.domain.risk import LimitAction, RiskLimits
from engine.domain.sections import Snapshot, TradingSection

ACTION_WORDS = {
    LimitAction.WARN: "Warn",
    LimitAction.CUT: "Cut order",
    LimitAction.STOP_ENTRIES: "Stop entries",
    LimitAction.SKIP: "Skip order",
    LimitAction.REDUCE_ONLY: "Reduce only",
    LimitAction.HALT: "Halt trading",
}
_PLACES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitField:
    """One limit: its value in percent, its action, and what the action may be as (value, words)."""

    name: str
    title: str
    percent: str
    action: str
    actions: tuple[tuple[str, str], ...]
    now: str


def fields_view(snapshot: Snapshot) -> tuple[LimitField, ...]:
    """Return every limit that can be set, with what is in force."""
    limits = limits_of(snapshot)
    return tuple(_field(limits, name) for name in LIMITS)


def limits_of(snapshot: Snapshot) -> RiskLimits:
    """Return the limits in force; the defaults before the engine told any."""
    trading: TradingSection | None = snapshot.value("trading")
    return RiskLimits() if trading is None else trading.limits


def _field(limits: RiskLimits, name: str) -> LimitField:
    spec, value, action = LIMITS[name], getattr(limits, name), action_of(limits, name)
    return LimitField(
        name=name,
        title=spec.title,
        percent=f"{100 * value:.{_PLACES}f}",
        action=action.value,
        actions=tuple((each.value, ACTION_WORDS[each]) for each in spec.actions),
        now=f"now {fmt.percent(value)}, {ACTION_WORDS[action].lower()}",
    )


def limits_command(
    limits: RiskLimits, typed: Mapping[str, tuple[Any, Any]], *, loosen: bool
) -> SetRiskLimits:
    """Return what was changed as a command.

    Parameters
    ----------
    typed : mapping of name to (percent, action)
        What stands in the fields.

    Raises
    ------
    InvalidValueError, UnknownNameError
        Nothing was changed, a field holds no number or what its limit may not be, or a limit is loosened by the button
        that only tightens.
    """
    values = {}
    for name, (percent, _) in typed.items():
        if str(percent).strip() != _field(limits, name).percent:
            values[name] = _fraction(LIMITS[name].title, percent)
    actions = {
        name: str(action) for name, (_, action) in typed.items()
        if action != action_of(limits, name).value
    }  # fmt: skip
    if not values and not actions:
        raise must("limits", "differ from what is in force", "the same", "change a field first")
    looser = loosened(limits, changed(limits, values, actions))
    if looser and not loosen:
        raise must(", ".join(looser), "be loosened by a hold", "a click", "hold the red button")
    return SetRiskLimits(limits=values, actions=actions, loosen=loosen)


def _fraction(title: str, percent: object) -> float:
    text = str(percent).strip().removesuffix("%").strip().replace(",", ".")
    try:
        return round(float(text) / 100, 6)
    except ValueError as error:
        raise must(title, "be a number of percent", str(percent), "write for example 5") from error
