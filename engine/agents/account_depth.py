"""How deep the account stands below its peak.

Symbols that close together tell their prices one after the other, so equity in the middle of a close is half old and
half new: a peak counts only once that moment is over, as in the account's equity curve.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class AccountDepth:
    """Peak and deepest drawdown of the account.

    Parameters
    ----------
    peak : float or None
        Highest equity of moments that are over; None before the first.
    deepest : float
        Deepest drawdown so far, a fraction <= 0.
    """

    peak: float | None = None
    deepest: float = 0.0
    _at: datetime | None = None
    _worth: float | None = None

    def take(self, worth: float, at: datetime | None, *, is_close: bool) -> tuple[float, float]:
        """Return the drawdown of an equity and the deepest so far, fractions <= 0.

        Only at a close does an equity make a peak; between closes it is held against the peak there is.
        """
        if self._worth is not None and at != self._at:
            self.deepest = min(self.deepest, self._depth(self._worth))
            self.peak = max(self.peak or self._worth, self._worth)
            self._worth = None
        if is_close:
            self._at, self._worth = at, worth
        if self.peak is None and self._worth is None:
            self.peak = worth
        depth = self._depth(worth)
        return depth, min(self.deepest, depth)

    def _depth(self, worth: float) -> float:
        peak = max(self.peak or worth, worth)
        return worth / peak - 1.0 if peak > 0.0 else 0.0
