"""What may come: the levels of simulation and the forecast record."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from engine.domain.payload import Payload

QUANTILE_LEVELS: tuple[float, ...] = (
    0.001, 0.005, 0.01, 0.025,
    *(round(0.05 * k, 2) for k in range(1, 20)),
    0.975, 0.99, 0.995, 0.999,
)  # fmt: skip
"""The 27 levels of a stored forecast record."""

FAN_LEVELS: tuple[float, ...] = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""The seven levels that the fan draws: 95, 80 and 50 % bands and the median."""

HORIZONS: tuple[int, ...] = (1, 5, 20)
"""Horizons of the stored record, in bars."""


class SimulationLevel(Enum):
    """The five levels; what each must show stands in docs/architecture.md."""

    LEVEL_1_BASE = 1
    LEVEL_2_CONDITIONAL = 2
    LEVEL_3_ADAPTIVE = 3
    LEVEL_4_MULTI_FACTOR = 4
    LEVEL_5_SEMANTIC = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonQuantiles(Payload):
    """Price quantiles at one horizon, at `QUANTILE_LEVELS`."""

    horizon: int
    prices: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(Payload):
    """One forecast of one symbol: the payload of MC_UPDATE.

    Parameters
    ----------
    spot : float
        Last closed price; every fan row starts here.
    fan : tuple of tuples, len(FAN_LEVELS) rows of n_steps + 1 prices
        Quantile paths, lowest first, for drawing.
    probability_up : float
        Share of paths that end above spot at the last step.
    drift_per_step, drift_error_per_step, sigma_per_step : float
        Mean log return, its standard error, and volatility per bar, as estimated from `n_observations` returns.
    seed : int
        Derived from (run seed, symbol, level, bar); the same seed gives the same fan.
    is_record : bool
        True once per closed bar; a redraw for display is False.
    """

    symbol: str
    level: SimulationLevel
    origin: datetime
    spot: float
    n_paths: int
    n_steps: int
    n_observations: int
    fan: tuple[tuple[float, ...], ...]
    quantiles: tuple[HorizonQuantiles, ...]
    probability_up: float
    expected_price: float
    drift_per_step: float
    drift_error_per_step: float
    sigma_per_step: float
    seed: int
    step_seconds: float
    is_record: bool = True
    note: str = ""
    schema: int = 1
