"""What may come: the levels of simulation and the forecast record."""

from dataclasses import dataclass, field
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

HORIZONS: tuple[int, ...] = (1, 5, 10, 20)
"""Horizons of the stored record, in bars."""


TOUCH = 0.10
"""Distance from spot whose touch is told, a fraction."""

CARD_SIZE = 250
"""Settled forecasts per level and horizon that make its report card."""


class SimulationLevel(Enum):
    """The five levels; how each did stands in docs/calibration.md."""

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
class Analogue(Payload):
    """A window of the past that looked like the day of the forecast (level 5).

    Parameters
    ----------
    ended_at : datetime or None
        Close of its last bar; None where bars have no times.
    distance : float
        Euclidean, over features of unit deviation.
    path : tuple of n_steps + 1 prices
        What came next, rescaled to the volatility of the forecast's day; the first is spot.
    """

    ended_at: datetime | None
    distance: float
    path: tuple[float, ...]


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
    is_primary : bool
        True for the level that risk and strategies go by.
    touch_below, touch_above : float or None
        Share of paths that touch `TOUCH` below or above spot on their way.
    drawdown_95 : float or None
        Depth of a path's deepest fall from its own high that one path in twenty exceeds, a fraction <= 0.
    fit : str
        What was fitted, and to when.
    stressed : float or None
        Level 4: chance that the next bar is of the stressed regime.
    stress_weight : float or None
        Level 5: share of paths that are an explicit stress; the fan is drawn without them, and of the stored quantiles
        they move the outermost alone.
    analogues : tuple of Analogue
        Level 5: the nearest windows, nearest first.
    weights : tuple of (str, float)
        Level 3: how much each expert counts at the shortest horizon.
    compute_ms : float or None
        What drawing it took, by the engine's own clock: 0 under the manual one, so that runs repeat. Two forecasts
        are equal whatever it took.
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
    is_primary: bool = True
    note: str = ""
    touch_below: float | None = None
    touch_above: float | None = None
    drawdown_95: float | None = None
    fit: str = ""
    stressed: float | None = None
    stress_weight: float | None = None
    analogues: tuple[Analogue, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    compute_ms: float | None = field(default=None, compare=False)
    schema: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledForecast(Payload):
    """A stored forecast whose horizon has passed.

    Parameters
    ----------
    level, horizon : int
    origin : datetime
        Close at which it was made.
    pit : float
        Where the outcome fell in the forecast, 0 to 1.
    crps : float
        Continuous ranked probability score of the log return over the horizon.
    """

    level: int
    horizon: int
    origin: datetime
    pit: float
    crps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastsSettled(Payload):
    """All forecasts of one symbol that a close has settled: the payload of FORECASTS_SETTLED.

    Parameters
    ----------
    is_rehearsal : bool
        True for forecasts that were made again over history after it was loaded, none of them with a look ahead.
    is_first : bool
        True for the first piece of a rehearsal: it replaces what was known of the symbol before.
    n_walked, n_to_walk : int
        How far the rehearsal is.
    """

    symbol: str
    rows: tuple[SettledForecast, ...]
    is_rehearsal: bool = False
    is_first: bool = False
    n_walked: int = 0
    n_to_walk: int = 0
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCard(Payload):
    """How the forecasts of one level at one horizon did; only forecasts that don't overlap are counted.

    Parameters
    ----------
    n, n_rehearsed : int
        Settled forecasts, at most `CARD_SIZE`, and those of them that were rehearsed.
    inside : tuple of 4 int
        Outcomes inside the central 50, 80, 90 and 95 % bands.
    pit_counts : tuple of 10 int
        Outcomes by tenth of the forecast they fell in.
    exceptions_99 : int
        Outcomes below the 1 % quantile.
    crps : float
        Mean over the forecasts; where level 1 is drawn as well, over those that both made.
    base_crps : float or None
        Level 1's over the same; None where it made none.
    dm_t : float or None
        Diebold–Mariano t against level 1, negative when better; None where it says nothing.
    fault : str
        What the miscalibration detector says; empty while it is silent.
    """

    level: int
    horizon: int
    n: int
    n_rehearsed: int
    inside: tuple[int, int, int, int]
    pit_counts: tuple[int, ...]
    exceptions_99: int
    crps: float
    base_crps: float | None
    dm_t: float | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSection(Payload):
    """``card:SYMBOL``: how settled forecasts did, and how far the rehearsal over history is."""

    cards: tuple[LevelCard, ...] = ()
    n_walked: int = 0
    n_to_walk: int = 0
