"""What an unfolding feed needs of its bars: their times, the path inside each, and those that came before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.domain.instrument import Instrument
from engine.domain.market import BarColumns, FeedKind

N_POINTS = 240
"""Points inside a bar; a bar a minute at four ticks a second tells all of them."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class UnfoldedBar:
    """One bar of one symbol with every point inside it.

    Parameters
    ----------
    prices : ndarray of shape (N_POINTS,)
        The path; the last point is the close.
    volumes : ndarray of shape (N_POINTS,) or None
        Volume so far, by point.
    extremes : tuple of int
        Points of high and low, which are told at every speed.
    has_range : bool
        False for closes alone: the bar then has no open, high and low.
    """

    prices: Floats
    volumes: Floats | None = None
    extremes: tuple[int, ...] = ()
    has_range: bool = True


class BarSource(Protocol):
    """Where the bars come from, by running number on one calendar for all instruments."""

    kind: FeedKind
    label: str
    is_continuous: bool
    """True where a bar opens as the one before closes; then its first tick comes one step after that."""
    instruments: tuple[Instrument, ...]
    first_bar: int
    """The earliest bar that may be played."""

    @property
    def n_bars(self) -> int | None:
        """How many bars there are; None without end."""
        ...

    def times(self, bar: int) -> tuple[int, int]:
        """Return when a bar opens and closes, in epoch seconds."""
        ...

    def unfold(self, bar: int) -> Sequence[UnfoldedBar | None]:
        """Return the bar of every instrument, None where it has none."""
        ...

    def columns(self, symbol: str, bar: int) -> BarColumns:
        """Return the bars of a symbol before `bar`, oldest first."""
        ...

    def bar_at(self, moment: datetime) -> int:
        """Return the number of bars that have closed at `moment`."""
        ...

    def cursor(self, bar: int) -> dict[str, int]:
        """Return what the source needs besides the number to continue at `bar`."""
        ...

    def resume(self, cursor: dict[str, int]) -> None:
        """Continue from such a cursor."""
        ...

    def fingerprint(self) -> str:
        """Return a short hash of data or model."""
        ...
