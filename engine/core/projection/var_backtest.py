"""``backtest:SCOPE``: values at risk held against what the bar after them lost."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.projection.fold import Fold, Names, Route
from engine.domain.events import Event, EventType
from engine.domain.payload import Payload
from engine.domain.risk import PORTFOLIO
from engine.domain.var_backtest import (
    COLUMNS,
    CONFIDENCES,
    N_BARS,
    BacktestSection,
    VarOutcome,
    VarsSettled,
    VarTest,
)
from engine.kernels import var_backtests as kernels

LIVE = (COLUMNS.index(("historical", 0.99)),)
"""Of what came live the one that the gauges' limits go by: the others would cost as much as all that was walked."""


class BacktestFold(Fold):
    """Keeps what came live; what was walked over the past comes anew with every start."""

    key = "backtest"

    def __init__(self) -> None:
        self._live: dict[str, deque[VarOutcome]] = {}
        self._n_live: dict[str, int] = {}
        self._walked: dict[str, tuple[VarOutcome, ...]] = {}
        self._sections: dict[str, BacktestSection] = {}

    def routes(self) -> dict[EventType, Route]:
        """Return the routes of outcomes."""
        return {EventType.VAR_SETTLED: self._settled, EventType.VAR_WALKED: self._walk}

    def names(self) -> Names:
        """Return a name per scope."""
        return tuple(f"backtest:{scope}" for scope in self._live.keys() | self._walked.keys())

    def value(self, name: str, /) -> Payload | None:
        """Return the back-test of a scope."""
        scope = name.partition(":")[2]
        if scope not in self._live and scope not in self._walked:
            return None
        if scope not in self._sections:
            self._sections[scope] = self._section(scope)
        return self._sections[scope]

    def reset(self, _at: datetime | None, /) -> Names:
        """Forget them: the new run has not lived through those bars."""
        names = tuple(self.names())
        self._live, self._n_live, self._walked, self._sections = {}, {}, {}, {}
        return names

    def kept(self) -> object:
        """Return what came live, and how many that were in all."""
        return {scope: list(rows) for scope, rows in self._live.items()}, dict(self._n_live)

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take them over."""
        live, self._n_live = msgspec.convert(
            data, tuple[dict[str, list[VarOutcome]], dict[str, int]], strict=False
        )
        self._live = {scope: deque(rows, maxlen=N_BARS) for scope, rows in live.items()}
        self._sections = {}

    def _settled(self, event: Event) -> Names:
        told = VarsSettled.from_data(event.data)
        kept = self._live.setdefault(told.symbol, deque(maxlen=N_BARS))
        new = [row for row in told.rows if not kept or row.at > kept[-1].at]
        kept.extend(new)
        self._n_live[told.symbol] = self._n_live.get(told.symbol, 0) + len(new)
        return self._changed(told.symbol)

    def _walk(self, event: Event) -> Names:
        told = VarsSettled.from_data(event.data)
        self._walked[told.symbol] = told.rows[-N_BARS:]
        return self._changed(told.symbol)

    def _changed(self, scope: str) -> Names:
        self._sections.pop(scope, None)
        return (f"backtest:{scope}",)

    def _section(self, scope: str) -> BacktestSection:
        live, walked = tuple(self._live.get(scope, ())), self._walked.get(scope, ())
        by_moment = {row.at: row for row in walked}
        if scope != PORTFOLIO:
            by_moment |= {row.at: row for row in live}
        rows = tuple(by_moment[at] for at in sorted(by_moment))[-N_BARS:]
        return BacktestSection(
            rows=rows,
            tests=judgements(rows),
            n_live=self._n_live.get(scope, 0),
            live=judgements(live, LIVE),
        )


def judgements(
    rows: Sequence[VarOutcome], columns: Sequence[int] = range(len(COLUMNS))
) -> tuple[VarTest, ...]:
    """Return what outcomes say of each method (of those in `columns`), methods without a statement left out."""
    if not rows:
        return ()
    changes = np.array([row.change for row in rows])
    stated = np.array([row.stated for row in rows], dtype=float)  # None is not a number here
    is_known = ~np.isnan(stated)
    hits = -changes[:, None] > stated
    return tuple(
        _test(*COLUMNS[i], hits[is_known[:, i], i]) for i in columns if is_known[:, i].any()
    )


_accepts = lru_cache(maxsize=2 * N_BARS)(kernels.kupiec_accepts)
_light = lru_cache(maxsize=2 * N_BARS)(kernels.traffic_light)
_kupiec = lru_cache(maxsize=2 * N_BARS)(kernels.kupiec)
"""The same for every scope with the same counts."""


def _test(method: str, confidence: float, hits: NDArray[np.bool_]) -> VarTest:
    n, k, probability = hits.size, int(hits.sum()), round(1.0 - confidence, 9)
    light, (fewest, most) = _light(n, k, probability), _accepts(n, probability)
    is_rare = confidence == max(CONFIDENCES)  # clusters of the common ones are looked at by nobody
    clustering = kernels.christoffersen(hits, probability) if n > 1 and is_rare else None
    independence = None if clustering is None else clustering.independence
    conditional = None if clustering is None else clustering.conditional
    return VarTest(
        method=method, confidence=confidence, n=n, exceptions=k, expected=n * probability, fewest=fewest, most=most,
        kupiec=_kupiec(n, k, probability).ratio.p_value,
        independence=None if independence is None else independence.p_value,
        conditional=None if conditional is None else conditional.p_value,
        zone=light.zone.value, yellow_from=light.yellow_from, red_from=light.red_from,
    )  # fmt: skip
