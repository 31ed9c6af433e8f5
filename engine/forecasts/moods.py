"""News as a forecast sees it: how far the sentiment of a symbol moved between two closed bars.

A sentiment that stands is no news; its change is. What news did to the bars after it is learned in `events`.
"""

import math
from collections import deque

import numpy as np

from engine.forecasts.past import Past
from engine.kernels.series import FloatArray

LEAST_CHANGE = 0.1
"""Change of a sentiment (-1 to 1) below which nothing happened."""
KEPT = 750
"""News kept per symbol."""


class Moods:
    """The changes of sentiment, by the bar after which they were known."""

    def __init__(self) -> None:
        self._score: dict[str, float] = {}
        self._news: dict[str, deque[tuple[float, float]]] = {}

    def hear(self, past: Past, score: object) -> None:
        """Take the sentiment that is known at the last bar of `past`; what is no number from -1 to 1 is nothing."""
        if not isinstance(score, int | float) or isinstance(score, bool) or not abs(score) <= 1.0:
            return
        before = self._score.get(past.symbol)
        self._score[past.symbol] = float(score)
        change = 0.0 if before is None else float(score) - before
        if abs(change) >= LEAST_CHANGE and past.places.size:
            news = self._news.setdefault(past.symbol, deque(maxlen=KEPT))
            place = float(past.places[-1])
            if news and news[-1][0] == place:
                change += news.pop()[1]  # a bar has one: all that was heard while it was the last
            news.append((place, max(-1.0, min(1.0, change))))

    def forget(self, symbol: str) -> None:
        """Begin anew with a symbol: its news belong to another run."""
        self._score.pop(symbol, None)
        self._news.pop(symbol, None)

    def at(self, past: Past) -> float:
        """Return the news at the last bar, 0 where there is none."""
        place = float(past.places[-1]) if past.places.size else math.nan
        return next((mood for at, mood in self._news.get(past.symbol, ()) if at == place), 0.0)

    def before(self, past: Past, n: int) -> FloatArray:
        """Return the news known before each of the last `n` bars, shape (n,), 0 where there was none."""
        moods, news = np.zeros(n), self._news.get(past.symbol)
        if news:
            places, (at, mood) = past.places, np.array(news).T
            found = np.searchsorted(places, at)
            is_there = (found < places.size - 1) & (
                places[np.minimum(found, places.size - 1)] == at
            )
            row = found[is_there] + 1 - (places.size - n)  # the bar after
            inside = row >= 0
            moods[row[inside]] = mood[is_there][inside]
        return moods
