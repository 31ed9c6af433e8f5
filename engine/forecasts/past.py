"""What is known of one symbol when a forecast is made, and which fits hold at that bar."""

from dataclasses import dataclass, field

import numpy as np

from engine.domain.errors import must
from engine.kernels.returns import log_returns
from engine.kernels.series import FloatArray

WINDOW = 750
"""Returns behind every estimate: three years of days."""
RENEWAL_BARS = 20
"""Bars for which a fit holds."""
_DAY_S = 86_400.0
_TRADING_SHARE = 7.0 / 5.0
"""Calendar days per trading day."""
_EMPTY: FloatArray = np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Closed bars of one symbol up to the origin of a forecast, oldest first.

    Parameters
    ----------
    closes, volumes : ndarray of shape (n,)
        `volumes` is empty where the source gives none.
    closes_at : ndarray of shape (n,), epoch seconds
        Empty where prices came without bars; their places are counted instead.
    window : int
        Returns behind every estimate.
    n_before : int
        Closes older than the first one given, where bars have no times: places go on counting when a memory is full.
    """

    symbol: str
    closes: FloatArray
    closes_at: FloatArray = field(default_factory=lambda: _EMPTY)
    volumes: FloatArray = field(default_factory=lambda: _EMPTY)
    window: int = WINDOW
    n_before: int = 0

    @property
    def spot(self) -> float:
        """Last close."""
        if not self.closes.size:
            raise must("closes", "have a last one", 0, "wait for the first bar")
        return float(self.closes[-1])

    @property
    def step_seconds(self) -> float:
        """Usual time between two closes, 1 where bars have no times."""
        gaps = np.sort(np.diff(self.closes_at[-22:]))
        return float(gaps[gaps.size // 2]) if gaps.size else 1.0

    @property
    def places(self) -> FloatArray:
        """What numbers each bar: its time, or its count where bars have no times."""
        if self.closes_at.size:
            return self.closes_at
        return np.arange(self.n_before, self.n_before + self.closes.size, dtype=float)

    @property
    def recent(self) -> FloatArray:
        """Closes of the window."""
        return self.closes[-self.window - 1 :]

    def returns(self) -> FloatArray:
        """Return the log returns of the window, shape (m,) with m <= window; empty below two closes."""
        return log_returns(self.recent) if self.recent.size > 1 else _EMPTY

    def until(self, n: int) -> "Past":
        """Return the first `n` bars: nothing after them can be seen from there."""
        return Past(
            symbol=self.symbol,
            closes=self.closes[:n],
            closes_at=self.closes_at[:n],
            volumes=self.volumes[:n],
            window=self.window,
            n_before=self.n_before,
        )

    def upto(self, place: float) -> "Past":
        """Return the bars whose place is not after `place`."""
        return self.until(int(np.searchsorted(self.places, place, side="right")))


def block_of(places: FloatArray, step_seconds: float, bars: int = RENEWAL_BARS) -> FloatArray:
    """Return the number of the block of about `bars` bars that each place lies in.

    Blocks follow the calendar and not the length of the history at hand, so that a program that starts later finds
    the same ones.

    Parameters
    ----------
    places : ndarray of shape (n,)
        Epoch seconds, or counts with `step_seconds` 1.
    """
    share = _TRADING_SHARE if step_seconds >= _DAY_S else 1.0
    blocks: FloatArray = np.floor(places / (bars * step_seconds * share))
    return blocks


def renewed_at(past: Past, bars: int = RENEWAL_BARS, *, is_next: bool = False) -> Past:
    """Return the past that the fits in force at the last bar are made of; all of it where it is shorter.

    It ends with the first bar of the last block but one, so that a whole block of time is there to make them.

    Parameters
    ----------
    is_next : bool
        Ask for the fits that will be in force in the next block.
    """
    places = past.places
    if not places.size:
        return past
    blocks = block_of(places, past.step_seconds, bars)
    earlier = blocks[-1:] if is_next else blocks[blocks < blocks[-1]]
    if not earlier.size:
        return past
    return past.until(int(np.searchsorted(blocks, earlier[-1], side="left")) + 1)


def before_block(past: Past, bars: int) -> Past:
    """Return the past up to the end of the last whole block: at most `bars` old, and the same for every symbol."""
    places = past.places
    if not places.size:
        return past
    blocks = block_of(places, past.step_seconds, bars)
    end = int(np.searchsorted(blocks, blocks[-1], side="left"))
    return past.until(end) if end else past
