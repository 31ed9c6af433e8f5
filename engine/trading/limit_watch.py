"""Limits that stop trading by themselves: looked at each second, whether or not a signal comes.

The state machine of trading. A broken limit only tightens, a person alone loosens:

    ACTIVE   -> REDUCING   a limit whose action is "reduce only", or a person
    ACTIVE   -> HALTED     a limit whose action is "halt", or a person
    REDUCING -> HALTED     the same
    any      -> ACTIVE     a person

A limit that was broken when a person resumed trading is asked again once it has been kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.domain.limits import LIMITS, action_of
from engine.domain.risk import LimitAction, RiskLimits
from engine.domain.trading import HaltMode
from engine.trading import wording as say

MODES = {LimitAction.REDUCE_ONLY: HaltMode.REDUCING, LimitAction.HALT: HaltMode.HALTED}
_STRICTNESS = {mode: rank for rank, mode in enumerate(HaltMode)}


@dataclass(frozen=True, slots=True)
class Tightening:
    """A mode that a broken limit asks for, and the sentence of why."""

    mode: HaltMode
    reason: str


class LimitWatch:
    """Remembers which broken limits have stopped trading already."""

    def __init__(self) -> None:
        self._broken: frozenset[str] = frozenset()

    def look(
        self, limits: RiskLimits, standing: Mapping[str, float], mode: HaltMode
    ) -> Tightening | None:
        """Return what a limit that is broken since the last look asks for, None where the mode is as strict already.

        Parameters
        ----------
        standing : mapping of limit to float
            What each limit measures now; one that is not known is left out.
        """
        broken = frozenset(
            name
            for name, value in standing.items()
            if value >= getattr(limits, name) and action_of(limits, name) in MODES
        )
        fresh, self._broken = broken - self._broken, broken
        asked = [(_STRICTNESS[MODES[action_of(limits, name)]], name) for name in sorted(fresh)]
        rank, name = max(asked, default=(0, ""))
        if rank <= _STRICTNESS[mode]:
            return None
        spec, value = LIMITS[name], standing[name]
        limit = say.percent(getattr(limits, name))
        return Tightening(
            MODES[action_of(limits, name)],
            f"{spec.title} {say.percent(value)} has reached its limit of {limit} {spec.window}",
        )
