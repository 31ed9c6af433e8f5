"""Whether a number is behind the market: told by market time, so it holds while a replay is paused.

How long ago a number came is counted by the browser; which bar it speaks of is decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.views.price_chart import columns_of
from dashboard.views.watchlist import instruments
from engine.domain.sections import Snapshot

N_NEWEST = 5
"""So many closes are looked at."""
UNKNOWN_BUDGET_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeView:
    """When numbers were received (wall epoch seconds, None for never) and how old they may grow.

    `is_behind` says that they are of an earlier bar than the market is at.
    """

    received_at: float | None
    budget_s: float
    is_behind: bool = False


def age_of(snapshot: Snapshot, name: str) -> AgeView:
    """Return how old a section is."""
    stamp = snapshot.stamp(name)
    return AgeView(
        received_at=(stamp.computed_at or None) if stamp else None,
        budget_s=(stamp.budget_s if stamp else None) or UNKNOWN_BUDGET_S,
        is_behind=is_behind(snapshot, name),
    )


def age_of_all(snapshot: Snapshot, names: Sequence[str]) -> AgeView:
    """Return how old what follows from several sections is: as old as the oldest of those that are known."""
    found = [age_of(snapshot, name) for name in names if name in snapshot]
    received = [age.received_at for age in found if age.received_at is not None]
    return AgeView(
        received_at=min(received, default=None),
        budget_s=max((age.budget_s for age in found), default=UNKNOWN_BUDGET_S),
        is_behind=any(age.is_behind for age in found),
    )


def is_behind(snapshot: Snapshot, name: str, symbol: str = "") -> bool:
    """Return whether more than one bar has closed since the moment that a section speaks of.

    Parameters
    ----------
    name : str
        The section, for example "risk:portfolio".
    symbol : str
        Whose closes are counted; by default those of the first symbol of the watchlist.

    Notes
    -----
    One bar is no fault: what follows from a close is computed a moment after it.
    """
    stamp = snapshot.stamp(name)
    if stamp is None or stamp.as_of is None:
        return False
    first = next((item.symbol for item in instruments(snapshot)), "")
    closes = columns_of(snapshot, symbol or first).closes_at[-N_NEWEST:]
    return sum(at > stamp.as_of.timestamp() for at in closes) > 1
