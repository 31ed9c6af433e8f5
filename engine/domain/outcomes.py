"""What votes came to, counted by the bar that judged them: symbols that fall together are no independent votes."""

from dataclasses import dataclass, replace
from typing import Self

from engine.domain.payload import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class VotesByBar(Payload):
    """Sums over bars of the number of votes n and of those that won w; a bar is all symbols that closed at one moment.

    Parameters
    ----------
    nn, ww, wn : int
        Sums of n², w² and w n.
    n_bars : int
        Bars with a vote.
    at : int
        Moment of the newest bar, epoch seconds.
    n, w : int
        Votes on the newest bar, and those that won.
    """

    nn: int = 0
    ww: int = 0
    wn: int = 0
    n_bars: int = 0
    at: int = 0
    n: int = 0
    w: int = 0

    def counted(self, at: int, *, won: bool) -> Self:
        """Return the sums with one more vote that the bar at this moment judged."""
        is_same = self.n_bars > 0 and at == self.at
        n, w = (self.n, self.w) if is_same else (0, 0)
        return replace(
            self,
            nn=self.nn + 2 * n + 1,
            ww=self.ww + won * (2 * w + 1),
            wn=self.wn + w + won * (n + 1),
            n_bars=self.n_bars + (not is_same),
            at=at,
            n=n + 1,
            w=w + won,
        )

    def worth(self, wins: int, n: int) -> float:
        """Return how many independent votes the `n` are worth for the error of their win rate, at most n.

        Notes
        -----
        The variance of the rate allows for votes that one bar judges together: sum over bars of (w - p n)², with the
        correction of m / (m - 1) for m bars, over the square of all votes. Of a single bar nothing is known: 1.

        References
        ----------
        Cochran: Sampling Techniques, 3rd ed. (1977), ch. 3.12; Liang, Zeger, Biometrika 73 (1986).
        """
        if self.n_bars < 2 or not 0 < wins < n:  # noqa: PLR2004 -- the least that have a variance
            return float(min(n, self.n_bars))
        rate = wins / n
        spread = self.ww - 2.0 * rate * self.wn + rate * rate * self.nn
        variance = spread * self.n_bars / (self.n_bars - 1) / (n * n)
        return min(float(n), rate * (1.0 - rate) / variance) if variance > 0.0 else float(n)
