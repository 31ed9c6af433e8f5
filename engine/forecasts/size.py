"""What is asked of a level, and what it gives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import must
from engine.domain.forecast import HORIZONS, QUANTILE_LEVELS, SimulationLevel
from engine.kernels.adaptive import IssuedForecast
from engine.kernels.selection import row_quantiles
from engine.kernels.series import FloatArray, as_count

MOST_VOLATILE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What somebody thinks of the time ahead, on top of what the level says.

    Parameters
    ----------
    shock : float
        Log return that falls on the first step.
    volatility : float
        Factor on every deviation from the expected path; 1 is as usual.
    """

    shock: float = 0.0
    volatility: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no market can do."""
        if not abs(self.shock) < 1.0:
            raise must("shock", "lie between -1 and 1", self.shock, "give a log return")
        if not 0.0 <= self.volatility <= MOST_VOLATILE:
            raise must("volatility", "lie between 0 and 10", self.volatility, "1 is as usual")

    @property
    def is_usual(self) -> bool:
        """Whether it changes nothing."""
        return self.shock == 0.0 and self.volatility == 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is simulated, from which random stream.

    Parameters
    ----------
    horizons : tuple of int, ascending
        Bars after which level 3 weighs its experts.
    """

    n_paths: int
    n_steps: int
    seed: int
    horizons: tuple[int, ...] = HORIZONS

    def __post_init__(self) -> None:
        """Refuse nothing to simulate."""
        as_count("n_paths", self.n_paths)
        as_count("n_steps", self.n_steps)

    @property
    def rng(self) -> np.random.Generator:
        """A generator at the start of the stream."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Windows of the past that looked like today, nearest first.

    Parameters
    ----------
    ends : ndarray of shape (k,)
        Where they end, index into the closes.
    distances : ndarray of shape (k,)
    outcomes : ndarray of shape (n_steps + 1, k)
        Log returns that came next, at today's volatility.
    """

    ends: NDArray[np.intp]
    distances: FloatArray
    outcomes: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What a level simulated.

    Parameters
    ----------
    level : SimulationLevel
        The level that drew it: a lower one than asked where history is short.
    logs : ndarray of shape (n_steps + 1, n_paths)
        Log price relative to spot; row 0 is 0.
    drift_per_step, drift_error_per_step, sigma_per_step : float
        Mean log return, its standard error, and volatility of the next step.
    n_observations : int
        Returns behind it.
    fit : str
        What the parameters are and when they were estimated; empty where nothing was fitted.
    stressed : float or None
        Chance that the next step is of the stressed regime.
    n_stressed : int
        The last so many paths are an explicit stress; no central band is made of them.
    note : str
        Why it is not what was asked, or how a fit failed.
    """

    level: SimulationLevel
    logs: FloatArray
    drift_per_step: float
    drift_error_per_step: float
    sigma_per_step: float
    n_observations: int
    fit: str = ""
    stressed: float | None = None
    n_stressed: int = 0
    matches: Matches | None = None
    note: str = ""
    issued: tuple[IssuedForecast, ...] = ()
    """Level 3: what was issued at each horizon, to be learned from when it is settled."""

    def record(self, horizons: Sequence[int]) -> FloatArray:
        """Return the 27 quantiles at each horizon, log returns of shape (len(horizons), 27).

        An explicit stress stands in the outermost levels alone, 0.1 and 99.9 %: weighed into the others, a scenario
        that somebody thought of would be their 1 %.
        """
        rows = self.logs[list(horizons)]
        central = rows[:, : rows.shape[1] - self.n_stressed]
        found = row_quantiles(central, QUANTILE_LEVELS).T
        if self.n_stressed:
            ends = row_quantiles(rows, (QUANTILE_LEVELS[0], QUANTILE_LEVELS[-1])).T
            found[:, 0] = np.minimum(found[:, 0], ends[:, 0])
            found[:, -1] = np.maximum(found[:, -1], ends[:, 1])
        return found


def under(outlook: Outlook, logs: FloatArray) -> FloatArray:
    """Return the paths as somebody's outlook has them: deviations from the mean path scaled, a shock on the first step.

    Parameters
    ----------
    logs : ndarray of shape (n_steps + 1, n_paths), relative log price
    """
    if outlook.is_usual:
        return logs
    middle = logs.mean(axis=1, keepdims=True)
    moved: FloatArray = middle + outlook.volatility * (logs - middle)
    moved[1:] += outlook.shock
    moved[0] = 0.0
    return moved
