"""What the supervisor looks for in an agent that has not failed: one that hangs, works too slowly, or keeps ever more.

Pure: vital signs in, findings out. Entries are counted in an agent's own containers, so a leak has an attribute's name.
"""

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field

HANG_S = 30.0
"""A cycle in flight so long hangs, or three of its intervals if those are longer."""
GROWING_CHECKS = 10
"""Checks in a row with growth before anything is called a leak."""
LEAST_GROWTH = 10_000
"""Entries gained over those checks below which nobody is troubled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """One agent at one moment.

    Parameters
    ----------
    interval_s : float or None
        None for one without cycles.
    in_flight_s : float or None
        How long the cycle at work has lasted; None when none is.
    p95_ms : float or None
        None where durations do not count (a turned clock).
    entries : mapping of str to int
        Size of each of its own containers by attribute.
    """

    interval_s: float | None = None
    in_flight_s: float | None = None
    p95_ms: float | None = None
    entries: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One trouble: `kind` is "hangs", "slow" or "leaks"; the words give the numbers."""

    kind: str
    title: str
    message: str


def entries_of(owner: object) -> dict[str, int]:
    """Return the sizes of an object's containers; those of containers in a mapping count with it.

    Examples
    --------
    >>> class Owner:
    ...     def __init__(self):
    ...         self.rows, self.by_name, self.text = [1, 2], {"a": [1, 2, 3]}, "no container"
    >>> entries_of(Owner())
    {'rows': 2, 'by_name': 4}
    """
    found = {}
    for name, value in vars(owner).items():
        if isinstance(value, str | bytes) or not isinstance(value, Sized):
            continue
        inner = value.values() if isinstance(value, Mapping) else ()
        sizes = (len(v) for v in inner if isinstance(v, Sized) and not isinstance(v, str | bytes))
        found[name] = len(value) + sum(sizes)
    return found


class Checkup:
    """Remembers an agent's last checks and says what is wrong with it now."""

    def __init__(self) -> None:
        self._totals: list[int] = []
        self._first: dict[str, int] = {}

    def findings(self, name: str, vitals: Vitals) -> tuple[Finding, ...]:
        """Return what is wrong, nothing in health."""
        found = (_hangs(name, vitals), _slow(name, vitals), self._leaks(name, vitals))
        return tuple(finding for finding in found if finding is not None)

    def _leaks(self, name: str, vitals: Vitals) -> Finding | None:
        total = sum(vitals.entries.values())
        if self._totals and total <= self._totals[-1]:
            self._totals.clear()
        if not self._totals:
            self._first = dict(vitals.entries)
        self._totals.append(total)
        gained = total - self._totals[0]
        if len(self._totals) <= GROWING_CHECKS or gained < LEAST_GROWTH:
            return None
        grown = {key: n - self._first.get(key, 0) for key, n in vitals.entries.items()}
        worst = max(grown, key=lambda key: grown[key])
        n_checks = len(self._totals) - 1
        message = (
            f"{gained:,} entries more over {n_checks} checks, {grown[worst]:,} of them in {worst}."
        )
        return Finding(kind="leaks", title=f"{name} keeps ever more", message=message)


def _hangs(name: str, vitals: Vitals) -> Finding | None:
    if vitals.in_flight_s is None:
        return None
    allowed_s = max(HANG_S, 3 * (vitals.interval_s or 0.0))
    if vitals.in_flight_s <= allowed_s:
        return None
    message = f"Its cycle has lasted {vitals.in_flight_s:.0f} s, {allowed_s:.0f} s are allowed."
    return Finding(kind="hangs", title=f"{name} hangs", message=message)


def _slow(name: str, vitals: Vitals) -> Finding | None:
    if vitals.p95_ms is None or vitals.interval_s is None:
        return None
    if vitals.p95_ms <= 1000 * vitals.interval_s:
        return None
    message = f"1 run in 20 takes {vitals.p95_ms / 1000:.1f} s or longer, its interval is {vitals.interval_s:g} s."
    return Finding(kind="slow", title=f"{name} is too slow", message=message)
