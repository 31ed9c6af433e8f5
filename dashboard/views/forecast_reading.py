"""What is read off one forecast: its quantiles at a horizon, shares below a price, cuts of its fan.

Between two stored quantiles a share is spread evenly; beyond the outermost two (0.1% each) nothing is claimed.
"""

from bisect import bisect_right
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views import bars as b
from engine.domain.forecast import FAN_LEVELS, QUANTILE_LEVELS, Forecast
from engine.domain.instrument import Instrument

FINE_BELOW = 100
BANDS: dict[int, tuple[float, float]] = {50: (0.25, 0.75), 80: (0.1, 0.9), 95: (0.025, 0.975)}
"""Percent inside to the quantiles at the edges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One forecast after so many bars: prices at quantile levels, both ascending."""

    horizon: int
    spot: float
    levels: tuple[float, ...]
    prices: tuple[float, ...]

    def at(self, level: float) -> float:
        """Return the price at a level that is kept."""
        return self.prices[self.levels.index(level)]

    def band(self, percent: int) -> tuple[float, float]:
        """Return the edges of a central band."""
        low, high = BANDS[percent]
        return self.at(low), self.at(high)

    def share_below(self, price: float) -> float:
        """Return the share that ends below a price; no less and no more than the outermost levels."""
        if price <= self.prices[0]:
            return self.levels[0]
        if price >= self.prices[-1]:
            return self.levels[-1]
        i = bisect_right(self.prices, price)
        low, high = self.prices[i - 1], self.prices[i]
        part = (price - low) / (high - low) if high > low else 0.0
        return self.levels[i - 1] + part * (self.levels[i] - self.levels[i - 1])

    def share_words(self, price: float) -> str:
        """Return the share below a price, with "under" where only a bound is known."""
        share = self.share_below(price)
        text = fmt.share(share)
        return f"< {text}" if share <= self.levels[0] else text


def reading(forecast: Forecast | None, horizon: int) -> Reading | None:
    """Return a forecast after `horizon` bars: from its stored quantiles, else from its fan; None if it ends before."""
    if forecast is None:
        return None
    stored = next((q for q in forecast.quantiles if q.horizon == horizon), None)
    if stored is not None and len(stored.prices) == len(QUANTILE_LEVELS):
        levels, prices = QUANTILE_LEVELS, stored.prices
    elif forecast.fan and horizon < len(forecast.fan[0]):
        levels, prices = FAN_LEVELS, tuple(row[horizon] for row in forecast.fan)
    else:
        return None
    return Reading(horizon=horizon, spot=forecast.spot, levels=levels, prices=prices)


def probability_up(forecast: Forecast, horizon: int) -> float | None:
    """Return the share that ends above spot: counted at the last step, read off the quantiles before it."""
    if horizon == forecast.n_steps:
        return forecast.probability_up
    found = reading(forecast, horizon)
    return None if found is None else 1.0 - found.share_below(forecast.spot)


def cut(forecast: Forecast, horizon: int) -> tuple[tuple[float, ...], ...]:
    """Return the fan's rows up to a horizon."""
    return tuple(row[: horizon + 1] for row in forecast.fan)


def steps_at(forecast: Forecast, n_steps: int, seconds: int) -> tuple[str, ...]:
    """Return the places of the fan's steps on the axis."""
    steps = round(forecast.step_seconds) or seconds
    return b.ahead(forecast.origin.timestamp(), n_steps, steps)


def writer(spot: float, item: Instrument) -> fmt.Write:
    """Return how prices of this size are written: by their tick below 100, to one decimal above."""
    if spot < FINE_BELOW:
        return lambda value: fmt.price(value, item.tick_size)
    return lambda value: fmt.number(value, 1)


def horizon_words(n: int, seconds: float) -> str:
    """Return "20 d" where a bar is a day, else "20 bars".

    Examples
    --------
    >>> horizon_words(20, 86_400), horizon_words(1, 60)
    ('20 d', '1 bar')
    """
    return f"{n} d" if seconds >= b.DAY_S else fmt.plural(n, "bar")
