"""Forecasts of all five levels and their report cards, made by hand; and an engine's answers to what-ifs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from engine.domain.forecast import (
    FAN_LEVELS,
    HORIZONS,
    QUANTILE_LEVELS,
    Analogue,
    CardSection,
    Forecast,
    HorizonQuantiles,
    LevelCard,
    SimulationLevel,
)
from engine.domain.market import BarColumns
from engine.domain.sections import ForecastSection

SIGMAS = {1: 0.022, 2: 0.024, 3: 0.028, 4: 0.019, 5: 0.026}
DAYS = (
    datetime(2002, 7, 19, tzinfo=UTC),
    datetime(1998, 8, 28, tzinfo=UTC),
    datetime(2001, 9, 7, tzinfo=UTC),
)


def made(
    columns: BarColumns, level: int, *, ago: int = 0, n_steps: int = 50, n_paths: int = 1000,
    shock: float = 0.0, volatility: float = 1.0, seed: int | None = None,
) -> Forecast:  # fmt: skip
    """Return a forecast from the close so many bars ago."""
    own = 4711 + level if seed is None else seed
    rng, spot = np.random.default_rng(own), columns.close[-1 - ago]
    steps = max(n_steps, *HORIZONS)
    moves = rng.standard_t(5, (steps, n_paths)) * SIGMAS[level] * volatility / np.sqrt(5 / 3)
    moves[0] += shock
    paths = spot * np.exp(np.vstack([np.zeros(n_paths), np.cumsum(moves - 0.0003, axis=0)]))
    shown = paths[: n_steps + 1]
    fan = np.quantile(shown, FAN_LEVELS, axis=1)
    fan[:, 0] = spot
    extras: dict[str, Any] = {
        3: {"weights": (("garch_t", 0.46), ("ewma", 0.31), ("base", 0.14), ("rough", 0.09))},
        4: {"stressed": 0.71},
        5: {"stress_weight": 0.01, "analogues": _alike(shown, spot)},
    }.get(level, {})
    return Forecast(
        symbol=columns.symbol, level=SimulationLevel(level),
        origin=datetime.fromtimestamp(columns.closes_at[-1 - ago], UTC), spot=spot, n_paths=n_paths,
        n_steps=n_steps, n_observations=500, fan=tuple(tuple(row.tolist()) for row in fan),
        quantiles=tuple(
            HorizonQuantiles(horizon=h, prices=tuple(np.quantile(paths[h], QUANTILE_LEVELS).tolist()))
            for h in HORIZONS
        ),
        probability_up=float((shown[-1] > spot).mean()), expected_price=float(shown[-1].mean()),
        drift_per_step=-0.0004, drift_error_per_step=0.0011, sigma_per_step=SIGMAS[level], seed=own,
        step_seconds=86_400.0, touch_below=float((shown.min(axis=0) <= 0.9 * spot).mean()),
        touch_above=float((shown.max(axis=0) >= 1.1 * spot).mean()), drawdown_95=-0.31,
        fit="GARCH(1,1)-t on 500 returns to 26 Sep 2008", **extras,
    )  # fmt: skip


def _alike(paths: np.ndarray, spot: float) -> tuple[Analogue, ...]:
    return tuple(
        Analogue(ended_at=day, distance=0.61 + 0.2 * i, path=(spot, *paths[1:, i].tolist()))
        for i, day in enumerate(DAYS)
    )


def five(columns: BarColumns) -> ForecastSection:
    return ForecastSection(by_level={str(level): made(columns, level) for level in SIGMAS})


def past_forecasts(
    columns: BarColumns, level: int, count: int, n_paths: int = 200
) -> tuple[Forecast, ...]:
    return tuple(
        made(columns, level, ago=ago, n_paths=n_paths, seed=ago) for ago in range(count, -1, -1)
    )


def level_card(
    level: int, horizon: int, n: int, inside: Sequence[float], **changes: Any
) -> LevelCard:
    """Return a card whose shares inside are as given (50, 80, 90, 95%)."""
    rng = np.random.default_rng(10 * horizon + level)
    counts = rng.multinomial(n, [0.1] * 10)
    card = LevelCard(
        level=level, horizon=horizon, n=n, n_rehearsed=max(0, n - 18),
        inside=tuple(round(share * n) for share in inside), pit_counts=tuple(counts.tolist()),
        exceptions_99=round(0.012 * n), crps=0.012 * (1 + 0.002 * (level - 1)), base_crps=0.012, dm_t=0.4,
    )  # fmt: skip
    return replace(card, **changes)


SHARES = {
    1: (0.48, 0.78, 0.88, 0.94), 2: (0.43, 0.77, 0.9, 0.96), 3: (0.47, 0.78, 0.9, 0.96),
    4: (0.44, 0.76, 0.87, 0.93), 5: (0.38, 0.73, 0.88, 0.94),
}  # fmt: skip
COUNTS = {1: 250, 5: 50, 10: 25, 20: 12}


def cards(**changes: Any) -> CardSection:
    """Return a card section: at five bars level 2 leads, level 5 is called miscalibrated."""
    found = []
    for level, shares in SHARES.items():
        for horizon, n in COUNTS.items():
            own: dict[str, Any] = {"crps": 0.012, "dm_t": None} if level == 1 else {}
            if (level, horizon) == (2, 5):
                own = {"crps": 0.012 * 0.974, "dm_t": -2.3}
            if (level, horizon) == (5, 1):
                own = {"fault": "bands too narrow: 38% inside the 50% band"}
            found.append(level_card(level, horizon, n, shares, **own))
    return CardSection(cards=tuple(found), **({"n_walked": 250, "n_to_walk": 250} | changes))


def simulate(columns_of: Any) -> Any:
    """Return what answers "simulate" over bars by symbol; it keeps what it was asked."""
    asked: list[dict[str, Any]] = []

    def answer(
        *, symbol: str, level: int, n_paths: int, n_steps: int, shock: float, volatility: float,
        seed: int | None,
    ) -> Forecast:  # fmt: skip
        asked.append({"symbol": symbol, "level": level, "n_paths": n_paths, "n_steps": n_steps,
                      "shock": shock, "volatility": volatility, "seed": seed})  # fmt: skip
        found = made(columns_of(symbol), level, n_steps=n_steps, n_paths=n_paths, shock=shock,
                     volatility=volatility, seed=seed)  # fmt: skip
        return replace(found, is_record=False)

    answer.asked = asked  # type: ignore[attr-defined]
    return answer
