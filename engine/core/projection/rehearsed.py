"""How history that is rehearsed again goes together with forecasts that were issued before and settled since.

After a restart the forecasts of the past are made again, because the levels that learn must learn again. What was
forecast live is worth more than what is made up for it afterwards, so it stays; the rehearsal fills what is around it.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.domain.forecast import SettledForecast

Kept = tuple[SettledForecast, bool]
"""A settled forecast and whether it was rehearsed."""


class Joined(NamedTuple):
    """Forecasts apart, oldest first, and how many came since the last of them, itself counted."""

    kept: list[Kept]
    seen: int


def joined(before: Sequence[Kept], rehearsed: Sequence[SettledForecast], horizon: int) -> Joined:
    """Return one level and horizon after a rehearsal: live rows of before, and rehearsed ones apart from them.

    Parameters
    ----------
    before : sequence of (SettledForecast, bool)
        Oldest first, apart; those that were rehearsed are replaced.
    rehearsed : sequence of SettledForecast
        Of every bar walked, oldest first.
    horizon : int
        Bars; forecasts fewer bars apart than this overlap.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> def row(day, pit=0.5):
    ...     at = datetime(2008, 9, day, tzinfo=UTC)
    ...     return SettledForecast(level=1, horizon=2, origin=at, pit=pit, crps=0.01)
    >>> both = joined([(row(4, 0.9), False)], [row(day) for day in range(1, 9)], 2)
    >>> [(row.origin.day, row.pit, was_rehearsed) for row, was_rehearsed in both.kept], both.seen
    ([(1, 0.5, True), (4, 0.9, False), (6, 0.5, True), (8, 0.5, True)], 1)
    """
    places = {row.origin: n for n, row in enumerate(rehearsed)}
    live = [row for row, was_rehearsed in before if not was_rehearsed]
    older = [(row, False) for row in live if row.origin not in places]
    ours = {places[row.origin]: row for row in live if row.origin in places}
    kept: list[Kept] = []
    # what stands before the walk began is nobody's neighbour but the walk's first bars'
    ends = [-1 if older else -horizon, *sorted(ours), len(rehearsed) - 1 + horizon]
    for begin, end in pairwise(ends):
        free = range(begin + horizon, end - horizon + 1, horizon)
        kept += [(rehearsed[n], True) for n in free]
        if end in ours:
            kept.append((ours[end], False))
    last = max((places[row.origin] for row, _ in kept), default=-horizon)
    return Joined(older + kept, min(len(rehearsed) - last, horizon) % horizon if kept else 0)
