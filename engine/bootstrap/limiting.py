"""A person's limits: put in force everywhere at once, told with those before, and kept through a restart."""

import json
from typing import Any

from engine.bootstrap.crew import Crew
from engine.core.event_bus import EventBus
from engine.domain.commands import CommandEnvelope, SetRiskLimits
from engine.domain.errors import must
from engine.domain.events import Event, EventType
from engine.domain.limits import LimitsChanged, changed, differences, loosened
from engine.domain.risk import RiskLimits
from engine.ports.journal import Journal

_LATCH = "limits"


class Limiting:
    """Obeys a person's wishes about limits, and repeats them after a restart.

    Parameters
    ----------
    crew : Crew
        Whose gate and alerts go by the limits.
    bus, journal
        Where it is told and kept.
    """

    def __init__(self, crew: Crew, bus: EventBus, journal: Journal) -> None:
        self._crew = crew
        self._bus = bus
        self._journal = journal

    @property
    def in_force(self) -> RiskLimits:
        """The limits that the gate goes by."""
        return self._crew.execution.limits

    def repeat(self) -> None:
        """Take up what a person had set before a restart; call before the agents start."""
        kept = self._journal.latch(_LATCH)
        if kept:
            wish = SetRiskLimits.from_data(json.loads(kept))
            self._apply(changed(self.in_force, wish.limits, wish.actions))

    async def set_limits(
        self, command: SetRiskLimits, envelope: CommandEnvelope
    ) -> tuple[str, str]:
        """Put limits in force and return the words of the answer.

        Raises
        ------
        InvalidValueError, UnknownNameError
            A name, a value or an action makes no sense, or a limit is loosened without saying so.
        """
        before = self.in_force
        after = changed(before, command.limits, command.actions)
        looser = loosened(before, after)
        if looser and not command.loosen:
            titles = ", ".join(looser)
            raise must(
                titles, "be loosened on purpose", "not confirmed", "hold the button to confirm"
            )
        if after == before:
            return "Limits unchanged", "They were in force already."
        self._keep(command)
        self._apply(after)
        told = LimitsChanged(limits=after, previous=before, actor=envelope.actor)
        await self._bus.publish(Event(EventType.LIMITS_CHANGED, told.to_data(), source="engine"))
        return "Limits in force", ", ".join(differences(before, after)) + "."

    def _keep(self, command: SetRiskLimits) -> None:
        """Add a wish to what is kept; only what a person set is, so that the configuration still rules the rest."""
        kept: dict[str, Any] = json.loads(self._journal.latch(_LATCH) or "{}")
        merged = {
            part: kept.get(part, {}) | dict(getattr(command, part))
            for part in ("limits", "actions")
        }
        self._journal.set_latch(_LATCH, json.dumps(merged))

    def _apply(self, limits: RiskLimits) -> None:
        self._crew.execution.limits = limits
        self._crew.risk.max_var_threshold = limits.max_var_95
        self._crew.risk.max_drawdown_threshold = limits.max_drawdown
