"""A level's paths as the forecast that is published, stored and drawn."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from engine.domain.forecast import (
    HORIZONS,
    TOUCH,
    Analogue,
    Forecast,
    HorizonQuantiles,
)
from engine.forecasts.adaptive_crew import AdaptiveCrew
from engine.forecasts.book import Issued
from engine.forecasts.past import Past
from engine.forecasts.size import Drawn, Matches
from engine.kernels.analogues import apart
from engine.kernels.excursions import excursions
from engine.kernels.fan import fan_prices
from engine.kernels.selection import quantile_of
from engine.kernels.series import FloatArray

SHOWN_MATCHES = 5
_DIGITS = 7
_RARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When and of what a forecast is made.

    Parameters
    ----------
    n_steps : int
        Steps that are shown; the farthest horizon is simulated even beyond.
    compute_ms : float or None
        What the drawing took.
    """

    past: Past
    origin: datetime
    n_steps: int
    seed: int
    is_record: bool
    is_primary: bool = True
    compute_ms: float | None = None


def forecast_of(drawn: Drawn, issued: Issued, occasion: Occasion, crew: AdaptiveCrew) -> Forecast:
    """Return the payload of MC_UPDATE.

    Parameters
    ----------
    issued : Issued
        What `issued_of` keeps of the same paths.
    """
    past, n = occasion.past, occasion.n_steps
    spot, paths = past.spot, drawn.logs.shape[1]
    shown = drawn.logs[: n + 1]
    usual = fan_prices(shown[1:, : paths - drawn.n_stressed], spot)
    ends, strays = shown[-1], excursions(shown)
    return Forecast(
        symbol=past.symbol,
        level=drawn.level,
        origin=occasion.origin,
        spot=spot,
        n_paths=paths,
        n_steps=n,
        n_observations=drawn.n_observations,
        fan=tuple((spot, *row[1:]) for row in _short(usual)),
        quantiles=tuple(
            HorizonQuantiles(horizon=h, prices=row)
            for h, row in zip(HORIZONS, _short(spot * np.exp(issued.quantiles)), strict=False)
        ),
        probability_up=float((ends > 0.0).mean()),
        expected_price=float(spot * np.exp(ends).mean()),
        drift_per_step=drawn.drift_per_step,
        drift_error_per_step=drawn.drift_error_per_step,
        sigma_per_step=drawn.sigma_per_step,
        seed=occasion.seed,
        step_seconds=past.step_seconds if past.closes_at.size > 1 else 0.0,
        is_record=occasion.is_record,
        is_primary=occasion.is_primary,
        compute_ms=occasion.compute_ms,
        note=drawn.note,
        touch_below=float((strays.lowest <= math.log1p(-TOUCH)).mean()),
        touch_above=float((strays.highest >= math.log1p(TOUCH)).mean()),
        drawdown_95=float(np.expm1(quantile_of(strays.deepest, _RARE))),
        fit=drawn.fit,
        stressed=drawn.stressed,
        stress_weight=drawn.n_stressed / paths if drawn.n_stressed else None,
        analogues=() if drawn.matches is None else _analogues(drawn.matches, past, n),
        weights=crew.weights(past.symbol, drawn.issued[0].horizon) if drawn.issued else (),
    )


def issued_of(drawn: Drawn) -> Issued:
    """Return what the book keeps of the paths: the record at the horizons that they reach."""
    quantiles = drawn.record([h for h in HORIZONS if h < drawn.logs.shape[0]])
    return Issued(level=drawn.level.value, quantiles=quantiles, adaptive=drawn.issued)


def _analogues(matches: Matches, past: Past, n_steps: int) -> tuple[Analogue, ...]:
    shown = apart(matches.ends, SHOWN_MATCHES, n_steps)
    ends, distances = matches.ends[shown].tolist(), matches.distances[shown].tolist()
    paths = _short(past.spot * np.exp(matches.outcomes[: n_steps + 1, shown].T))
    return tuple(
        Analogue(
            ended_at=datetime.fromtimestamp(float(past.closes_at[end]), UTC) if past.closes_at.size else None,
            distance=round(float(distance), 4),
            path=(past.spot, *path[1:]),
        )
        for end, distance, path in zip(ends, distances, paths, strict=True)
    )  # fmt: skip


def _short(rows: FloatArray) -> Iterable[tuple[float, ...]]:
    """Return prices to seven digits: far below the sampling error, and a third of the bytes in the journal."""
    digits = _DIGITS - 1 - np.floor(np.log10(rows))
    scale = 10.0 ** np.abs(digits)
    short = np.where(digits >= 0, np.rint(rows * scale) / scale, np.rint(rows / scale) * scale)
    return map(tuple, short.tolist())
