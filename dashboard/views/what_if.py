"""A what-if of the Forecast page: what the controls ask of the engine, and the words of its answer.

Nothing of it is stored: a record is made once per closed bar, by the engine alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.bars import moment_words
from dashboard.views.forecast_place import Place, place_of
from engine.domain.forecast import Forecast
from engine.domain.market import BarColumns

PATHS = (500, 20_000, 500)
STEPS = (1, 60, 1)
SHOCK = (-20, 20, 1)
VOLATILITY = (0.25, 3.0, 0.05)
USUAL_PATHS = 1_000
"""Where nothing is stored: as many as MC_PATHS is without being set."""
_SEEDS = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What is asked.

    Parameters
    ----------
    shock : float
        Percent that the next bar falls or rises at once.
    volatility : float
        Factor on every deviation; 1 is as usual.
    run : int
        Which random stream; 0 is that of the stored forecast, so that only what was changed changes.
    """

    place: Place
    n_paths: int
    n_steps: int
    shock: float = 0.0
    volatility: float = 1.0
    run: int = 0

    def asked(self, level: int, stored: Forecast | None) -> dict[str, object]:
        """Return the parameters of the question."""
        seed = None if stored is None else (stored.seed + 7919 * self.run) % _SEEDS
        return {
            "symbol": self.place.symbol, "level": level, "n_paths": self.n_paths, "n_steps": self.n_steps,
            "shock": math.log1p(self.shock / 100), "volatility": self.volatility, "seed": seed,
        }  # fmt: skip


def _within(given: object, bounds: tuple[float, float, float], usual: float) -> float:
    try:
        value = float(str(given))
    except ValueError:
        return usual
    low, high, _ = bounds
    return min(high, max(low, value)) if math.isfinite(value) else usual


def what_if_of(symbol: str, wish: Mapping[str, object]) -> WhatIf:
    """Return what a browser asks, within the bounds of the controls.

    Examples
    --------
    >>> asked = what_if_of("AAPL", {"paths": "9000000", "steps": 10, "shock": "x", "level": 2})
    >>> asked.n_paths, asked.n_steps, asked.shock, asked.volatility, asked.place.level
    (20000, 10, 0.0, 1.0, 2)
    """
    place = place_of(symbol, wish)
    run = wish.get("run")
    return WhatIf(
        place=place,
        n_paths=int(_within(wish.get("paths"), PATHS, USUAL_PATHS)),
        n_steps=int(_within(wish.get("steps"), STEPS, place.horizon)),
        shock=_within(wish.get("shock"), SHOCK, 0.0),
        volatility=_within(wish.get("volatility"), VOLATILITY, 1.0),
        run=run if isinstance(run, int) and run > 0 else 0,
    )


def label_words(asked: WhatIf, answer: Forecast, took_s: float, *, has_time: bool = False) -> str:
    """Return what is shown in place of the stored forecast, and from which close it starts."""
    changed = [f"{fmt.count(answer.n_paths)} × {answer.n_steps}"]
    if asked.shock:
        changed.append(f"shock {fmt.percent(asked.shock / 100, 0, signed=True)}")
    if asked.volatility != 1.0:
        changed.append(f"volatility {fmt.multiple(asked.volatility, 2)}")
    changed.append(
        f"from the close of {moment_words(answer.origin, has_time=has_time, year=False)}"
    )
    changed.append(fmt.duration(took_s))
    return " · ".join(changed)


def stored_values(forecast: Forecast | None, horizon: int) -> dict[str, float]:
    """Return where the controls stand while the stored forecast is shown."""
    n_paths = forecast.n_paths if forecast else USUAL_PATHS
    return {
        "paths": min(PATHS[1], max(PATHS[0], n_paths)),
        "steps": horizon,
        "shock": 0,
        "volatility": 1,
    }


def since_words(columns: BarColumns, epoch_s: int) -> str:
    """Return how many bars have closed since the one that a what-if starts from; nothing while none has."""
    n = sum(at > epoch_s for at in columns.closes_at)
    words = "a bar has" if n == 1 else f"{n} bars have"
    return f"{words} closed since: Re-run starts at the newest" if n else ""
