"""Issued forecasts until their horizon has passed, and what became of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from engine.domain.forecast import HORIZONS, SettledForecast
from engine.forecasts.adaptive_crew import AdaptiveCrew
from engine.forecasts.past import Past
from engine.kernels import adaptive
from engine.kernels.adaptive import IssuedForecast
from engine.kernels.returns import return_ahead
from engine.kernels.scoring import crps_quantiles, pit_quantiles
from engine.kernels.series import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What a level said.

    Parameters
    ----------
    quantiles : ndarray of shape (len(HORIZONS), 27), log return
    adaptive : sequence of IssuedForecast
        Of level 3, to be learned from.
    """

    level: int
    quantiles: FloatArray
    adaptive: Sequence[IssuedForecast] = ()


@dataclass(slots=True, kw_only=True)
class _Pending:
    """An issued forecast; `n_settled` of its horizons are done."""

    made: Issued
    place: float
    origin: datetime
    spot: float
    n_settled: int = 0


class _Due(NamedTuple):
    """A forecast whose horizon has passed, by its place in `HORIZONS`, and the log return that came."""

    row: _Pending
    place: int
    outcome: float


class ForecastBook:
    """Keeps issued forecasts per symbol and settles them with the closes that come.

    Parameters
    ----------
    crew : AdaptiveCrew
        Learns from level 3's.
    """

    def __init__(self, crew: AdaptiveCrew) -> None:
        self.crew = crew
        self._pending: defaultdict[str, list[_Pending]] = defaultdict(list)
        self._n_issued: defaultdict[str, int] = defaultdict(int)

    def forget(self, symbol: str) -> None:
        """Begin anew with a symbol: what was issued of it belongs to another run."""
        self._pending.pop(symbol, None)
        self.crew.forget(symbol)

    def take_over(self, symbol: str, other: "ForecastBook") -> None:
        """Go on with a symbol where another book, and its crew, have come."""
        self.forget(symbol)
        self._pending[symbol] = other._pending[symbol]
        self._n_issued[symbol] = other._n_issued[symbol]
        self.crew.take_over(symbol, other.crew)

    def number(self, past: Past) -> int:
        """Return the number of the bar that the next forecasts of a symbol are made at; it grows with every bar."""
        rows = self._pending[past.symbol]
        if rows and rows[-1].place == past.places[-1]:
            return self._n_issued[past.symbol]
        return self._n_issued[past.symbol] + 1

    def issue(self, past: Past, origin: datetime, made: Issued) -> None:
        """Keep a forecast until its last horizon has passed; the first one of a level and bar is the one that counts.

        A second comes where a level stands in for a higher one, or where a rehearsal has walked over a bar already.
        """
        number, place = self.number(past), float(past.places[-1])
        rows = self._pending[past.symbol]
        if any(row.place == place and row.made.level == made.level for row in rows):
            return
        rows.append(_Pending(made=made, place=place, origin=origin, spot=past.spot))
        self._n_issued[past.symbol] = number

    def settle(self, past: Past) -> tuple[SettledForecast, ...]:
        """Return the forecasts whose horizon has passed with the last close, level 3 having learned from its own."""
        rows, places = self._pending[past.symbol], past.places
        due: list[_Due] = []
        begun = np.searchsorted(places, [row.place for row in rows], side="right").tolist()
        for row, at in zip(rows, begun, strict=True):
            lived = past.closes[at:]
            while row.n_settled < len(HORIZONS) and HORIZONS[row.n_settled] <= lived.size:
                horizon = HORIZONS[row.n_settled]
                outcome = return_ahead(row.spot, lived, horizon)
                due.append(_Due(row, row.n_settled, outcome))
                self._learn(row.made.adaptive, horizon, outcome)
                row.n_settled += 1
        if not due:
            return ()
        self._pending[past.symbol] = [row for row in rows if row.n_settled < len(HORIZONS)]
        return _scored(due)

    def _learn(self, issued: Iterable[IssuedForecast], horizon: int, outcome: float) -> None:
        for each in issued:
            if each.horizon == horizon:
                self.crew.learn(adaptive.SettledForecast(issued=each, outcome=outcome))


def _scored(due: Sequence[_Due]) -> tuple[SettledForecast, ...]:
    """Return what became of forecasts, all scored in one pass."""
    quantiles = np.sort([each.row.made.quantiles[each.place] for each in due], axis=1)
    outcomes = np.array([each.outcome for each in due])
    pits, scores = pit_quantiles(quantiles, outcomes), crps_quantiles(quantiles, outcomes)
    return tuple(
        SettledForecast(
            level=each.row.made.level,
            horizon=HORIZONS[each.place],
            origin=each.row.origin,
            pit=round(pit, 6),
            crps=float(f"{score:.7g}"),
        )
        for each, pit, score in zip(due, pits.tolist(), scores.tolist(), strict=True)
    )
