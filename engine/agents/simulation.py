"""What the founding `simulate` returns, and how prices that somebody passes are simulated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.domain.forecast import FAN_LEVELS, SimulationLevel
from engine.forecasts.adaptive_crew import AdaptiveCrew
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.size import Drawn, Size
from engine.kernels.fan import fan_prices
from engine.kernels.series import FloatArray, as_prices


@dataclass(frozen=True, slots=True)
class Simulation:
    """Simulated prices.

    Parameters
    ----------
    paths : ndarray of shape (n_paths, n_steps + 1)
        Prices; the first column is spot.
    percentiles : dict of str to tuple of n_steps + 1 prices
        Percent ("2.5" to "97.5") to the quantile at every step.
    level : SimulationLevel
        The level that drew them; a lower one than asked where the history is short, and `note` says why.
    """

    paths: FloatArray
    percentiles: dict[str, tuple[float, ...]]
    level: SimulationLevel = SimulationLevel.LEVEL_1_BASE
    note: str = ""


def simulated(drawn: Drawn, spot: float) -> Simulation:
    """Return a level's paths as prices."""
    rows = zip(FAN_LEVELS, fan_prices(drawn.logs[1:], spot).tolist(), strict=True)
    return Simulation(
        paths=spot * np.exp(drawn.logs.T),
        percentiles={f"{100 * q:g}": tuple(row) for q, row in rows},
        level=drawn.level,
        note=drawn.note,
    )


def given_past(symbol: str, prices: ArrayLike) -> Past:
    """Return prices that somebody passes as a past whose window is all of them.

    Raises
    ------
    NotEnoughDataError
        Fewer than three prices.
    """
    closes = as_prices("prices", prices, 3)
    return Past(symbol=symbol, closes=closes, window=closes.size - 1)


class Given:
    """Simulates prices that somebody passes, by levels that have seen no others; the last ones keep their fits."""

    def __init__(self, crew: AdaptiveCrew) -> None:
        self._crew = crew
        self._last: tuple[int, Levels] | None = None

    def simulate(self, level: SimulationLevel, ask: Ask) -> Simulation:
        """Return a level's paths as prices."""
        known = hash((ask.past.symbol, ask.past.closes.tobytes()))
        if self._last is None or self._last[0] != known:
            self._last = (known, Levels(crew=self._crew))
        return simulated(self._last[1].draw(level, ask), ask.past.spot)


def simulated_together(
    pasts: Sequence[Past], level: SimulationLevel, size_of: Callable[[str], Size]
) -> dict[str, Simulation]:
    """Return prices of several symbols, each of its size and stream."""
    levels = Levels()
    asks = [Ask(past=past, size=size_of(past.symbol), others=lambda: pasts) for past in pasts]
    return {ask.past.symbol: simulated(levels.draw(level, ask), ask.past.spot) for ask in asks}


def as_level(level: SimulationLevel | int) -> SimulationLevel:
    """Return a level given by itself or by its number.

    Raises
    ------
    InvalidValueError
        There is no such level.
    """
    try:
        return SimulationLevel(level)
    except ValueError:
        raise must("level", "be one of the five, 1 to 5", level, "correct it") from None


def as_levels(given: object) -> tuple[SimulationLevel, ...]:
    """Return configured levels, each once.

    Raises
    ------
    InvalidValueError
        There is no such level.
    """
    try:
        levels = tuple(dict.fromkeys(SimulationLevel(level) for level in given))  # type: ignore[attr-defined] # checked
    except (ValueError, TypeError):
        raise must("levels", "be levels 1 to 5", given, "correct the configuration") from None
    return levels


def count_of(config: Mapping[str, Any], name: str, default: int, least: int = 1) -> int:
    """Return a whole number of an agent's configuration.

    Raises
    ------
    InvalidValueError
        It is none, or too small; the message names it.
    """
    value = config.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise must(name, f"be a whole number, at least {least}", value, "correct the configuration")
    return value
