"""What the supervisor looks for in an agent that has not failed: it hangs, is late or too slow, hoards, says too much.

Pure: vital signs in, findings out. What an agent keeps is looked at by attribute, so a leak has a name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.agents.holdings import Holding
from engine.agents.quota import BYTES_PER_S, EVENTS_PER_S, WINDOW_S
from engine.domain.agents import AgentTrouble

HANG_S = 30.0
"""A cycle in flight so long hangs, or three of its intervals if those are longer."""
LATE_S = 10.0
"""A cycle that should have begun so long ago is late, or three of its intervals if those are longer."""
GROWING_CHECKS = 10
"""Checks with growth, and none with less, before anything is called a leak."""
SHRUNK = 0.9
"""What falls below this share of its most has shrunk; sizes are estimates, so a little less means nothing."""
LEAST_ENTRIES = 10_000
LEAST_BYTES = 10_000_000
"""Entries and bytes gained over those checks below which nobody is troubled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """One agent at one moment.

    Parameters
    ----------
    interval_s : float or None
        None for one without cycles.
    in_flight_s : float or None
        How long the cycle at work has lasted; None when none is.
    waited_s : float
        How much of that it waited in the resource pool, which is no hanging: the pool's own limits end it.
    late_s : float
        How long ago the next cycle should have begun; 0 while one is at work or none is due.
    p95_ms : float or None
        None where durations do not count (a turned clock).
    kept : mapping of str to Holding
        What each of its own attributes keeps.
    dropped : int
        Events beyond its quota so far.
    """

    interval_s: float | None = None
    in_flight_s: float | None = None
    waited_s: float = 0.0
    late_s: float = 0.0
    p95_ms: float | None = None
    kept: Mapping[str, Holding] = field(default_factory=dict)
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What was gained over how many checks, and how much of it by the attribute that gained most."""

    gained: int
    n_checks: int
    of_worst: int
    worst: str


class Growth:
    """One size, check after check: what it gained since it began to grow.

    Parameters
    ----------
    least : int
        Gain below which nobody is troubled.

    Notes
    -----
    Growth ends when the size shrinks, or stands still for as many checks as make a leak. One check without growth ends
    nothing: the agent's interval may be longer than theirs.
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._first: Mapping[str, int] | None = None
        self._most = self._n_checks = self._n_grown = self._n_still = 0

    def leak(self, sizes: Mapping[str, int]) -> Leak | None:
        """Take the sizes by attribute and return the leak that they show."""
        total = sum(sizes.values())
        has_ended = total < SHRUNK * self._most or self._n_still >= GROWING_CHECKS
        if self._first is None or has_ended:
            self._first, self._most = dict(sizes), total
            self._n_checks = self._n_grown = self._n_still = 0
            return None
        self._n_checks += 1
        self._n_still += 1
        if total > self._most:
            self._n_grown, self._n_still, self._most = self._n_grown + 1, 0, total
        gained = total - sum(self._first.values())
        if self._n_grown < GROWING_CHECKS or gained < self._least:
            return None
        grown = {name: n - self._first.get(name, 0) for name, n in sizes.items()}
        worst = max(grown, key=lambda name: grown[name])
        return Leak(gained=gained, n_checks=self._n_checks, of_worst=grown[worst], worst=worst)


class Checkup:
    """Remembers an agent's last checks and says what is wrong with it now."""

    def __init__(self) -> None:
        self._dropped = 0
        self._entries, self._bytes = Growth(LEAST_ENTRIES), Growth(LEAST_BYTES)

    def findings(self, name: str, vitals: Vitals) -> tuple[AgentTrouble, ...]:
        """Return what is wrong, nothing in health."""
        found = (
            _hangs(name, vitals), _late(name, vitals), _slow(name, vitals), self._leaks(name, vitals),
            self._floods(name, vitals),
        )  # fmt: skip
        return tuple(finding for finding in found if finding is not None)

    def _leaks(self, name: str, vitals: Vitals) -> AgentTrouble | None:
        entries = self._entries.leak({key: kept.entries for key, kept in vitals.kept.items()})
        n_bytes = self._bytes.leak({key: kept.n_bytes for key, kept in vitals.kept.items()})
        if entries is not None:
            more, of_worst, leak = f"{entries.gained:,} entries", f"{entries.of_worst:,}", entries
        elif n_bytes is not None:
            more, of_worst, leak = _mb(n_bytes.gained), _mb(n_bytes.of_worst), n_bytes
        else:
            return None
        message = f"{more} more over {leak.n_checks} checks, {of_worst} of them in {leak.worst}."
        return AgentTrouble(kind="leaks", title=f"{name} keeps ever more", message=message)

    def _floods(self, name: str, vitals: Vitals) -> AgentTrouble | None:
        n_new, self._dropped = vitals.dropped - self._dropped, vitals.dropped
        if n_new <= 0:
            return None
        message = (
            f"{n_new:,} events were dropped since the last check: more than {EVENTS_PER_S:g} or "
            f"{BYTES_PER_S / 1000:g} kB a second over {WINDOW_S:g} s."
        )
        return AgentTrouble(kind="floods", title=f"{name} says too much", message=message)


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB"


def _hangs(name: str, vitals: Vitals) -> AgentTrouble | None:
    if vitals.in_flight_s is None:
        return None
    allowed_s = max(HANG_S, 3 * (vitals.interval_s or 0.0))
    if vitals.in_flight_s - vitals.waited_s <= allowed_s:
        return None
    message = f"Its work has lasted {vitals.in_flight_s:.0f} s, {allowed_s:.0f} s are allowed."
    return AgentTrouble(kind="hangs", title=f"{name} hangs", message=message)


def _late(name: str, vitals: Vitals) -> AgentTrouble | None:
    if vitals.interval_s is None or vitals.late_s <= max(LATE_S, 3 * vitals.interval_s):
        return None
    message = (
        f"Its next cycle should have begun {vitals.late_s:.0f} s ago; it waits for a place to work."
    )
    return AgentTrouble(kind="late", title=f"{name} is late", message=message)


def _slow(name: str, vitals: Vitals) -> AgentTrouble | None:
    if vitals.p95_ms is None or vitals.interval_s is None:
        return None
    if vitals.p95_ms <= 1000 * vitals.interval_s:
        return None
    message = f"1 run in 20 takes {vitals.p95_ms / 1000:.1f} s or longer, its interval is {vitals.interval_s:g} s."
    return AgentTrouble(kind="slow", title=f"{name} is too slow", message=message)
