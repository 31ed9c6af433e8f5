"""How many events the bus delivered, by who said them and of which type, and how many a second that is."""

import time
from collections import Counter, defaultdict

from engine.domain.events import EventType

OTHER = "(other)"
"""Whom all are counted as for whom there is no room; no agent can be called so."""
MAX_PAIRS = 500
"""Pairs of source and type that are counted apart: an agent may sign with ever new names."""
MAX_NAME = 64
"""Characters of a source that is counted apart; an agent's name has no more."""
RATE_WINDOW_S = 1.0
"""Shortest span over which events per second are counted."""


class Tally:
    """Counts events by source and type; rates are events per second over the span between two samples.

    Attributes
    ----------
    said : dict of (source, type) to int
        The bus adds to a pair that is there by itself, because it does so for every event.
    """

    def __init__(self) -> None:
        self.said: dict[tuple[str, EventType], int] = {}
        self._sampled: tuple[float, dict[tuple[str, EventType], int]] = (time.perf_counter(), {})
        self._rates: dict[tuple[str, EventType], float] = {}

    def begin(self, source: str, kind: EventType) -> None:
        """Count an event whose pair is not in `said`; without room for the pair it counts under `OTHER`."""
        has_room = len(self.said) < MAX_PAIRS and type(source) is str and len(source) <= MAX_NAME
        pair = (source if has_room else OTHER, kind)
        self.said[pair] = self.said.get(pair, 0) + 1

    def counts(self) -> dict[EventType, int]:
        """Return how many events of each type there were."""
        counts: Counter[EventType] = Counter()
        for (_, kind), n in self.said.items():
            counts[kind] += n
        return dict(counts)

    def rates(self) -> dict[str, float]:
        """Return events per second by type since the last sample; takes a new one once that is a second old."""
        now = time.perf_counter()
        if now - self._sampled[0] >= RATE_WINDOW_S:
            self._sample(now)
        rates: defaultdict[str, float] = defaultdict(float)
        for (_, kind), rate in self._rates.items():
            rates[kind.value] += rate
        return dict(rates)

    def rates_by_source(self) -> dict[str, dict[str, float]]:
        """Return events per second by source and type, from the sample that `rates` took last."""
        rates: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for (source, kind), rate in self._rates.items():
            rates[source][kind.value] = rate
        return dict(rates)

    def _sample(self, now: float) -> None:
        then, before = self._sampled
        span_s = now - then
        self._rates = {pair: (n - before.get(pair, 0)) / span_s for pair, n in self.said.items()}
        if len(self.said) >= MAX_PAIRS:
            self._make_room(before)
        self._sampled = (now, dict(self.said))

    def _make_room(self, before: dict[tuple[str, EventType], int]) -> None:
        """Count those under `OTHER` that said nothing since the last sample."""
        silent = [
            pair for pair, n in self.said.items() if before.get(pair) == n and pair[0] != OTHER
        ]
        for source, kind in silent:
            n = self.said.pop((source, kind))
            self.said[OTHER, kind] = self.said.get((OTHER, kind), 0) + n
