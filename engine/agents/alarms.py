"""Alerts that ring once: raised when a limit is crossed, again only after the value fell well below it."""

from dataclasses import dataclass

CALM_SHARE = 0.9
"""An alarm is armed again when its value falls below this share of the limit."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One number against its limit; crossed when `value` is above `limit` (or on it, where `is_inclusive`)."""

    metric: str
    value: float
    limit: float
    is_inclusive: bool = False

    @property
    def is_crossed(self) -> bool:
        """Whether the limit is broken."""
        return self.value >= self.limit if self.is_inclusive else self.value > self.limit


class Alarms:
    """Remembers which limits are broken."""

    def __init__(self) -> None:
        self._ringing: set[tuple[str, str]] = set()

    def crossed(self, scope: str, reading: Reading) -> bool:
        """Return True when this reading has just crossed its limit."""
        key = (scope, reading.metric)
        if reading.is_crossed:
            is_new = key not in self._ringing
            self._ringing.add(key)
            return is_new
        if reading.value < CALM_SHARE * reading.limit:
            self._ringing.discard(key)
        return False

    def forget(self, scope: str) -> None:
        """Arm every alarm of a scope."""
        self._ringing = {key for key in self._ringing if key[0] != scope}
