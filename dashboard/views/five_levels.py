"""All five levels on one axis: the edges of one band of each, the chosen one filled, and where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views import bars as b
from dashboard.views.forecast_chart import shown_horizon
from dashboard.views.forecast_closes import Closes, Range, closes_view
from dashboard.views.forecast_place import LEVELS, Place
from dashboard.views.forecast_reading import (
    BANDS,
    Reading,
    horizon_words,
    probability_up,
    reading,
    steps_at,
    writer,
)
from dashboard.views.past_fans import n_seen
from dashboard.views.price_chart import columns_of, forecast_of, instrument_of
from engine.domain.forecast import FAN_LEVELS, Forecast
from engine.domain.sections import Snapshot

LABEL_GAP = 0.036
"""Least distance of two labels, as a share of the price axis: 13 px at the usual height."""
Forecasts = Mapping[int, Forecast]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelLines:
    """One level: edges and median on their steps, and the bands at the end, widest first."""

    level: int
    is_chosen: bool
    low: tuple[float, ...]
    high: tuple[float, ...]
    median: tuple[float, ...]
    bands: tuple[tuple[float, float], ...]
    middle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FiveChart:
    """What the chart of all five draws; labels are (place, text, level) and moved apart."""

    closes: Closes
    steps: tuple[str, ...]
    levels: tuple[LevelLines, ...]
    labels: tuple[tuple[float, str, int], ...]
    median_label: str
    title: str
    label: str


def known_levels(snapshot: Snapshot, symbol: str) -> dict[int, Forecast]:
    """Return the newest forecast of each level that has one."""
    found = {each.value: forecast_of(snapshot, symbol, str(each.value)) for each in LEVELS}
    return {level: forecast for level, forecast in found.items() if forecast is not None}


def five_chart(snapshot: Snapshot, place: Place, what_if: Forecasts | None = None) -> FiveChart:
    """Return the chart of all five, stored or as they answer a what-if."""
    columns, item = columns_of(snapshot, place.symbol), instrument_of(snapshot, place.symbol)
    seconds = b.bar_seconds(columns)
    forecasts = what_if or known_levels(snapshot, place.symbol)
    chosen = forecasts.get(place.level) or next(iter(forecasts.values()), None)
    horizon = shown_horizon(place, chosen, is_whole=what_if is not None)
    lines = _lines(forecasts, place, horizon)
    steps = steps_at(chosen, horizon, seconds) if chosen and lines else ()
    rows = [row for line in lines for row in (line.low, line.high, *line.bands)]
    n = n_seen(place.horizon) // 2 + 8
    closes = closes_view(snapshot, place, n, max(0, len(steps) - 1), rows)
    write = writer(chosen.spot, item) if chosen else fmt.price
    after = horizon_words(horizon, seconds)
    return FiveChart(
        closes=closes,
        steps=steps,
        levels=lines,
        labels=_labels(lines, closes.y_range, write),
        median_label=next((f"L{x.level} median {write(x.median[-1])}" for x in lines if x.is_chosen), ""),
        title=f"after {after}: 50, 80, 95%",
        label=_label(place, lines, after, write),
    )  # fmt: skip


def _lines(forecasts: Forecasts, place: Place, horizon: int) -> tuple[LevelLines, ...]:
    low, high = BANDS[place.edges]
    found = []
    for level in place.shown:
        forecast = forecasts.get(level)
        read = reading(forecast, horizon)
        if read is None or forecast is None or not forecast.fan or len(forecast.fan[0]) <= horizon:
            continue
        rows = dict(zip(FAN_LEVELS, (row[: horizon + 1] for row in forecast.fan), strict=True))
        found.append(
            LevelLines(
                level=level,
                is_chosen=level == place.level,
                low=rows[low],
                high=rows[high],
                median=rows[0.5],
                bands=tuple(read.band(percent) for percent in (95, 80, 50)),
                middle=read.at(0.5),
            )
        )
    return tuple(found)


def _labels(
    lines: Sequence[LevelLines], scale: Range, write: fmt.Write
) -> tuple[tuple[float, str, int], ...]:
    """Return a label for both edges of every level; none lies on another."""
    gap = LABEL_GAP * (scale[1] - scale[0]) if scale else 0.0
    found: list[tuple[float, str, int]] = []
    for ends in ([line.low[-1] for line in lines], [line.high[-1] for line in lines]):
        for place, price, line in zip(apart(ends, gap), ends, lines, strict=True):
            found.append((place, f"L{line.level} {write(price)}", line.level))
    return tuple(found)


def apart(places: Sequence[float], gap: float) -> tuple[float, ...]:
    """Return the places moved so that no two are closer than `gap`, in their order and around their middle.

    Examples
    --------
    >>> apart([1.0, 1.5, 9.0], 1.0)
    (0.75, 1.75, 9.0)
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    groups: list[list[int]] = []
    centres: list[float] = []
    for i in order:
        groups.append([i])
        centres.append(places[i])
        while len(groups) > 1 and _touch(groups, centres, gap):
            last = groups.pop()
            centres.pop()
            groups[-1] += last
            centres[-1] = sum(places[k] for k in groups[-1]) / len(groups[-1])
    moved = [0.0] * len(places)
    for group, centre in zip(groups, centres, strict=True):
        for k, i in enumerate(group):
            moved[i] = centre + (k - (len(group) - 1) / 2) * gap
    return tuple(moved)


def _touch(groups: Sequence[Sequence[int]], centres: Sequence[float], gap: float) -> bool:
    room = gap * (len(groups[-1]) + len(groups[-2])) / 2
    return centres[-1] - centres[-2] < room - 1e-12


def _label(place: Place, lines: Sequence[LevelLines], after: str, write: fmt.Write) -> str:
    if not lines:
        return f"{place.symbol}: no forecast yet"
    said = "; ".join(
        f"level {line.level} {fmt.span(line.low[-1], line.high[-1], write)}" for line in lines
    )
    return f"{place.symbol}, {place.edges}% bands after {after}: {said}"


# -- where they differ ---------------------------------------------------------------------------------------


def differences(
    snapshot: Snapshot, place: Place, what_if: Forecasts | None = None
) -> tuple[tuple[str, str, str], ...]:
    """Return name, span over the levels shown, and what follows, for medians, widths and P(up)."""
    item = instrument_of(snapshot, place.symbol)
    forecasts = what_if or known_levels(snapshot, place.symbol)
    shown = {level: f for level, f in forecasts.items() if level in place.shown}
    read = {level: found for level, f in shown.items() if (found := _read(place, f, what_if))}
    if len(read) < 2:  # noqa: PLR2004 -- nothing to compare
        return (("Levels", "1 shown", "show another to compare"),) if place.hidden else ()
    spot = next(iter(read.values())).spot
    write = writer(spot, item)
    medians = [each.at(0.5) for each in read.values()]
    widths = {level: _width(each, place.edges) for level, each in read.items()}
    widest, narrowest = max(widths, key=widths.__getitem__), min(widths, key=widths.__getitem__)
    ups = [
        p
        for level in read
        if (p := probability_up(forecasts[level], read[level].horizon)) is not None
    ]
    times = widths[widest] / widths[narrowest] if widths[narrowest] else 0.0
    spread = (max(medians) - min(medians)) / spot
    return (
        ("Medians", fmt.span(min(medians), max(medians), write), f"{fmt.percent(spread, 1)} of the price apart"),
        (f"{place.edges}% width", fmt.span(min(widths.values()), max(widths.values()), write),
         f"L{widest} is {fmt.number(times, 1)} × as wide as L{narrowest}"),
        ("P(up)", fmt.span(min(ups), max(ups), fmt.share), _side(ups)),
    )  # fmt: skip


def _read(place: Place, forecast: Forecast, what_if: Forecasts | None) -> Reading | None:
    return reading(forecast, shown_horizon(place, forecast, is_whole=what_if is not None))


def _width(read: Reading, percent: int) -> float:
    low, high = read.band(percent)
    return high - low


def _side(ups: Sequence[float]) -> str:
    if max(ups) < 0.5:  # noqa: PLR2004 -- even
        return "all below 50%"
    return "all above 50%" if min(ups) > 0.5 else "on both sides of 50%"  # noqa: PLR2004 -- even
