"""Forecast in words and numbers: the fan, what became of the one before, the terminal distribution, the facts.

Everything is read from two stored records, the newest and the one made at the bar before; nothing is simulated here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboard import formatting as fmt
from dashboard.views import bars as b
from dashboard.views.price_chart import (
    FanView,
    columns_of,
    fan_view,
    forecast_of,
    instrument_of,
)
from engine.domain.forecast import (
    FAN_LEVELS,
    QUANTILE_LEVELS,
    Forecast,
    SimulationLevel,
)
from engine.domain.instrument import Instrument
from engine.domain.market import BarColumns
from engine.domain.sections import ForecastSection, Snapshot

LEVELS = tuple(SimulationLevel)
BUILT = frozenset({SimulationLevel.LEVEL_1_BASE})
VAR_LEVEL = 0.05
N_SEEN = 60
ROOM = 0.1
FINE_BELOW = 100
_LABEL_NAMES = (
    (0.025, "2.5%"),
    (0.1, "10%"),
    (0.25, "25%"),
    (0.5, "50%"),
    (0.75, "75%"),
    (0.9, "90%"),
    (0.975, "97.5%"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One piece of a distribution: between two quantiles, with its share and its density per unit of price."""

    low: float
    high: float
    share: float
    density: float
    middle: float
    width: float
    words: str
    is_tail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The terminal distribution as 26 slices between the 27 stored quantiles.

    Parameters
    ----------
    value_at_risk_price : float
        The 5% quantile: the price below which one path in twenty ends.
    """

    horizon: int
    title: str
    slices: tuple[Slice, ...]
    median: float
    value_at_risk_price: float
    value_at_risk: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFan:
    """The record before the newest, up to now: shape (7, n_lived + 1), grey; `words` say where the close fell."""

    at: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastChart:
    """What the large chart draws."""

    symbol: str
    level: int
    at: tuple[str, ...]
    close: tuple[float, ...]
    fan: FanView | None
    fan_labels: tuple[tuple[float, str], ...]
    past: PastFan | None
    now: str | None
    price: float | None
    tag: str
    x_range: tuple[str, str] | None
    y_range: tuple[float, float] | None
    closed_days: tuple[str, ...]
    is_daily: bool
    distribution: Distribution | None
    label: str

    @property
    def key(self) -> str:
        """Zoom is kept as long as this stays the same."""
        return f"forecast:{self.symbol}:{self.level}"


def chosen_level(asked: str) -> int:
    """Return the level asked for where it is built, else the first.

    Examples
    --------
    >>> chosen_level("1"), chosen_level("3"), chosen_level("x")
    (1, 1, 1)
    """
    built = {str(level.value): level.value for level in BUILT}
    return built.get(asked, 1)


def level_name(level: SimulationLevel) -> str:
    """Return "Multi-factor" for LEVEL_4_MULTI_FACTOR."""
    return level.name.split("_", 2)[-1].replace("_", "-").capitalize()


def writer(spot: float, item: Instrument) -> Callable[[fmt.Number], str]:
    """Return how prices of this size are written: by their tick below 100, to one decimal above."""
    if spot < FINE_BELOW:
        return lambda value: fmt.price(value, item.tick_size)
    return lambda value: fmt.number(value, 1)


def ends_of(forecast: Forecast) -> dict[float, float]:
    """Return the fan's quantiles at its last step, by level."""
    return dict(zip(FAN_LEVELS, (row[-1] for row in forecast.fan), strict=True))


def previous_of(snapshot: Snapshot, symbol: str, level: int) -> Forecast | None:
    """Return the record made at the closed bar before the newest."""
    section: ForecastSection | None = snapshot.value(f"forecast:{symbol}")
    return None if section is None else section.previous.get(str(level))


def distribution(forecast: Forecast, item: Instrument) -> Distribution | None:
    """Return the distribution at the longest stored horizon.

    Between two neighbouring quantiles lies exactly the difference of their levels; spread evenly over the gap, that is
    the density drawn. Beyond the outermost two (0.1% each) nothing is known and nothing is drawn.
    """
    record = max(forecast.quantiles, key=lambda q: q.horizon, default=None)
    if record is None or len(record.prices) != len(QUANTILE_LEVELS):
        return None
    pairs = zip(pairwise(QUANTILE_LEVELS), pairwise(record.prices), strict=True)
    write = writer(forecast.spot, item)
    slices = tuple(
        _slice(of, to, low, high, write) for (of, to), (low, high) in pairs if high > low
    )
    prices = dict(zip(QUANTILE_LEVELS, record.prices, strict=True))
    edge, median = prices[VAR_LEVEL], prices[0.5]
    loss = fmt.percent(1 - edge / forecast.spot, 1)
    return Distribution(
        horizon=record.horizon,
        slices=slices,
        title=f"after {fmt.plural(record.horizon, 'bar')}",
        median=median,
        value_at_risk_price=edge,
        value_at_risk=f"VaR 95<br>{loss}",
        label=(
            f"Distribution after {fmt.plural(record.horizon, 'bar')}: 5% end below {write(edge)}, "
            f"half below {write(median)}, 5% above {write(prices[0.95])}"
        ),
    )


def _slice(
    of: float, to: float, low: float, high: float, write: Callable[[fmt.Number], str]
) -> Slice:
    return Slice(
        low=low,
        high=high,
        share=round(to - of, 6),
        density=(to - of) / (high - low),
        middle=(low + high) / 2,
        width=high - low,
        words=f"{fmt.share(to - of)} end {fmt.span(low, high, write)}",
        is_tail=to <= VAR_LEVEL,
    )


def forecast_chart(snapshot: Snapshot, symbol: str, level: int) -> ForecastChart:
    """Return the large chart."""
    columns, item = columns_of(snapshot, symbol), instrument_of(snapshot, symbol)
    seconds = b.bar_seconds(columns)
    newest = forecast_of(snapshot, symbol, str(level))
    fan = fan_view(newest, seconds, item)
    past = _past(previous_of(snapshot, symbol, level), seconds, columns)
    at = tuple(b.moment_place(epoch, seconds) for epoch in columns.closes_at[-N_SEEN:])
    close = columns.close[-N_SEEN:]
    price = close[-1] if close else None
    spread = distribution(newest, item) if newest else None
    return ForecastChart(
        symbol=symbol,
        level=level,
        at=at,
        close=close,
        fan=fan,
        fan_labels=_fan_labels(newest),
        past=past,
        now=at[-1] if at else None,
        price=price,
        tag="" if price is None else fmt.price(price, item.tick_size),
        x_range=_x_range(at, columns.closes_at[-1:], fan, seconds),
        y_range=_y_range(close, fan, past),
        closed_days=tuple(d for d in b.closed_days(columns) if at and d > at[0]),
        is_daily=seconds >= b.DAY_S,
        distribution=spread,
        label=_label(symbol, fan, past),
    )


def _fan_labels(forecast: Forecast | None) -> tuple[tuple[float, str], ...]:
    if forecast is None:
        return ()
    ends = ends_of(forecast)
    return tuple((ends[level], name) for level, name in _LABEL_NAMES)


def _past(forecast: Forecast | None, seconds: int, columns: BarColumns) -> PastFan | None:
    """Return the part of an earlier fan that has been lived through: what lies ahead belongs to the newest."""
    if forecast is None or not forecast.fan or not columns.closes_at:
        return None
    origin = forecast.origin.timestamp()
    n_lived = min(sum(at > origin for at in columns.closes_at), forecast.n_steps)
    steps = round(forecast.step_seconds) or seconds
    lived = [b.moment_place(at, seconds) for at in columns.closes_at if at > origin]
    return PastFan(
        at=(b.ahead(origin, 0, steps)[0], *lived[:n_lived]),
        rows=tuple(row[: n_lived + 1] for row in forecast.fan),
        words=outcome(forecast, columns.close[-1]),
    )


def outcome(forecast: Forecast, realised: float) -> str:
    """Return where the close one bar later fell in the record made before it."""
    record = next((q for q in forecast.quantiles if q.horizon == 1), None)
    if record is None or len(record.prices) != len(QUANTILE_LEVELS):
        return ""
    prices = dict(zip(QUANTILE_LEVELS, record.prices, strict=True))
    for band, low, high in (("50%", 0.25, 0.75), ("80%", 0.1, 0.9), ("95%", 0.025, 0.975)):
        if prices[low] <= realised <= prices[high]:
            return f"the next close fell inside its {band} band"
    return "the next close fell outside its 95% band"


def _x_range(
    at: Sequence[str], last: Sequence[int], fan: FanView | None, seconds: int
) -> tuple[str, str] | None:
    if not at:
        return None
    n_steps = len(fan.at) - 1 if fan else 0
    room = round(ROOM * (len(at) + n_steps)) + 1
    return (at[0], b.ahead(last[0], n_steps + room, seconds)[-1])


def _y_range(
    close: Sequence[float], fan: FanView | None, past: PastFan | None
) -> tuple[float, float] | None:
    values = [*close]
    for drawn in (fan, past):
        values += [*drawn.rows[0], *drawn.rows[-1]] if drawn else []
    if not values:
        return None
    pad = 0.04 * ((max(values) - min(values)) or 1.0)
    return (min(values) - pad, max(values) + pad)


def _label(symbol: str, fan: FanView | None, past: PastFan | None) -> str:
    if fan is None:
        return f"{symbol}: no forecast yet"
    before = f"; of the forecast one bar before, {past.words}" if past and past.words else ""
    return f"{symbol}, {fan.words}{before}"
