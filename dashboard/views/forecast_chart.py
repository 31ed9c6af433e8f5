"""The large chart of one level: closes, earlier fans beside what came, the fan, where it ends, what looked alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views import bars as b
from dashboard.views.forecast_closes import Closes, closes_view
from dashboard.views.forecast_place import Place
from dashboard.views.forecast_reading import (
    Reading,
    cut,
    horizon_words,
    reading,
    steps_at,
    writer,
)
from dashboard.views.forecast_spread import Distribution, distribution
from dashboard.views.past_fans import PastFan, n_seen, past_fans
from dashboard.views.price_chart import FanView, columns_of, forecast_of, instrument_of
from engine.domain.forecast import FAN_LEVELS, Forecast
from engine.domain.instrument import Instrument
from engine.domain.sections import Snapshot

N_ANALOGUES = 5
_LABEL_NAMES = ("2.5%", "10%", "25%", "50%", "75%", "90%", "97.5%")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastChart:
    """What the large chart draws.

    Parameters
    ----------
    analogues : tuple of price paths
        Level 5: what came next in windows that looked alike, rescaled, on the fan's own steps.
    step_words : tuple of str
        What the median says of each step when it is pointed at.
    """

    closes: Closes
    fan: FanView | None
    fan_labels: tuple[tuple[float, str], ...]
    step_words: tuple[str, ...]
    past: tuple[PastFan, ...]
    analogues: tuple[tuple[float, ...], ...]
    distribution: Distribution | None
    label: str


def forecast_chart(
    snapshot: Snapshot,
    place: Place,
    records: Sequence[Forecast] = (),
    what_if: Forecast | None = None,
) -> ForecastChart:
    """Return the large chart of the newest stored forecast, or of one that answers a what-if (to its own end)."""
    symbol = place.symbol
    columns, item = columns_of(snapshot, symbol), instrument_of(snapshot, symbol)
    seconds = b.bar_seconds(columns)
    shown = what_if or forecast_of(snapshot, symbol, str(place.level))
    horizon = shown_horizon(place, shown, is_whole=what_if is not None)
    read = reading(shown, horizon)
    fan = fan_to(shown, horizon, seconds, item)
    past = past_fans(records, columns, place.horizon)
    after = horizon_words(horizon, seconds)
    n_steps = len(fan.at) - 1 if fan else 0
    rows = [row for each in (fan, *past) if each for row in each.rows]
    return ForecastChart(
        closes=closes_view(snapshot, place, n_seen(place.horizon), n_steps, rows),
        fan=fan,
        fan_labels=_fan_labels(fan),
        step_words=_step_words(fan, item),
        past=past,
        analogues=_analogues(shown, horizon),
        distribution=distribution(read, after, writer(read.spot, item)) if read else None,
        label=_label(symbol, fan, read, past),
    )


def shown_horizon(place: Place, forecast: Forecast | None, *, is_whole: bool = False) -> int:
    """Return how far a forecast is drawn: to the place's horizon, or to its own end."""
    if forecast is None:
        return place.horizon
    return forecast.n_steps if is_whole else min(place.horizon, forecast.n_steps)


def fan_to(
    forecast: Forecast | None, horizon: int, seconds: int, item: Instrument
) -> FanView | None:
    """Return the fan cut at a horizon; None while there is no forecast."""
    if forecast is None or not forecast.fan:
        return None
    rows = cut(forecast, horizon)
    write = writer(forecast.spot, item)
    ends = dict(zip(FAN_LEVELS, (row[-1] for row in rows), strict=True))
    words = (
        f"level {forecast.level.value} over {horizon_words(horizon, seconds)}: median {write(ends[0.5])}, "
        f"80% band {fmt.span(ends[0.1], ends[0.9], write)}"
    )
    return FanView(at=steps_at(forecast, horizon, seconds), rows=rows, labels=(), words=words)


def _fan_labels(fan: FanView | None) -> tuple[tuple[float, str], ...]:
    rows = fan.rows if fan else ()
    return tuple((row[-1], name) for row, name in zip(rows, _LABEL_NAMES, strict=False))


def _step_words(fan: FanView | None, item: Instrument) -> tuple[str, ...]:
    if fan is None:
        return ()
    write = writer(fan.rows[0][0], item)
    _, low, _, median, _, high, _ = fan.rows
    return tuple(
        f"{at}: median {write(m)}, 80% {fmt.span(lo, hi, write)}"
        for at, lo, m, hi in zip(fan.at, low, median, high, strict=True)
    )


def _analogues(forecast: Forecast | None, horizon: int) -> tuple[tuple[float, ...], ...]:
    found = forecast.analogues[:N_ANALOGUES] if forecast else ()
    return tuple(each.path[: horizon + 1] for each in found)


def _label(symbol: str, fan: FanView | None, read: Reading | None, past: Sequence[PastFan]) -> str:
    if fan is None or read is None:
        return f"{symbol}: no forecast yet"
    before = "".join(f"; {each.words}" for each in past if each.words)
    return f"{symbol}, {fan.words}{before}"
