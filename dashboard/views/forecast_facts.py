"""What stands beside the forecast's chart: the five levels, figures, quantiles at each horizon, and the facts."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.ages import is_behind
from dashboard.views.forecast import (
    BUILT,
    LEVELS,
    ends_of,
    level_name,
    outcome,
    previous_of,
    writer,
)
from dashboard.views.price_chart import columns_of, forecast_of, instrument_of
from engine.domain.forecast import QUANTILE_LEVELS, Forecast, SimulationLevel
from engine.domain.instrument import Instrument
from engine.domain.sections import Snapshot

LATER = "comes with a later release"
SHOWN_QUANTILES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileRow:
    """One quantile at each stored horizon."""

    level: str
    prices: tuple[str, ...]
    is_median: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastFacts:
    """What stands beside the chart: the head, the three figures, the table and the facts."""

    symbol: str
    name: str
    spot: str
    title: str
    issued: str
    figures: tuple[tuple[str, str], ...]
    horizons: tuple[str, ...]
    quantiles: tuple[QuantileRow, ...]
    facts: tuple[tuple[str, str], ...]
    note: str
    previous: str
    received_at: float | None
    budget_s: float | None
    is_known: bool
    is_behind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    """One level of simulation; one that is not built yet says so."""

    level: int
    name: str
    probability_up: str
    band_80: str
    is_chosen: bool
    refusal: str


def level_rows(snapshot: Snapshot, symbol: str, chosen: int) -> tuple[LevelRow, ...]:
    """Return the five levels: what the built one says, and why the others say nothing."""
    item = instrument_of(snapshot, symbol)
    return tuple(_level_row(snapshot, item, level, chosen) for level in LEVELS)


def _level_row(
    snapshot: Snapshot, item: Instrument, level: SimulationLevel, chosen: int
) -> LevelRow:
    forecast = forecast_of(snapshot, item.symbol, str(level.value))
    up, band = fmt.UNKNOWN, fmt.UNKNOWN
    if forecast is not None:
        ends = ends_of(forecast)
        up = fmt.share(forecast.probability_up)
        band = fmt.span(ends[0.1], ends[0.9], writer(forecast.spot, item))
    return LevelRow(
        level=level.value,
        name=level_name(level),
        probability_up=up,
        band_80=band,
        is_chosen=level.value == chosen,
        refusal="" if level in BUILT else LATER,
    )


def facts_view(snapshot: Snapshot, symbol: str, level: int) -> ForecastFacts:
    """Return the head, the figures, the table and the facts."""
    item = instrument_of(snapshot, symbol)
    forecast = forecast_of(snapshot, symbol, str(level))
    stamp = snapshot.stamp(f"forecast:{symbol}")
    title = f"Level {level} {level_name(SimulationLevel(level))}"
    if forecast is None:
        return ForecastFacts(
            symbol=symbol, name=item.name, spot=fmt.UNKNOWN, title=title, issued="", figures=(), horizons=(),
            quantiles=(), facts=(), note="No forecast yet. The first one comes with the next closed bar.",
            previous="", received_at=None, budget_s=None, is_known=False,
        )  # fmt: skip
    write = writer(forecast.spot, item)
    past = previous_of(snapshot, symbol, level)
    realised = columns_of(snapshot, symbol).close[-1:]
    fell = outcome(past, realised[0]) if past and realised else ""
    return ForecastFacts(
        symbol=symbol,
        name=item.name,
        spot=fmt.price(forecast.spot, item.tick_size),
        title=title,
        issued=f"issued {fmt.date(forecast.origin)} · {fmt.count(forecast.n_paths)} × {forecast.n_steps}",
        figures=_figures(forecast, write),
        horizons=tuple(fmt.plural(q.horizon, "bar") for q in forecast.quantiles),
        quantiles=_quantile_rows(forecast, write),
        facts=_facts(forecast),
        note=forecast.note,
        previous=f"Forecast of {fmt.date(past.origin)}: {fell}." if past and fell else "",
        received_at=stamp.computed_at if stamp else None,
        budget_s=stamp.budget_s if stamp else None,
        is_known=True,
        is_behind=is_behind(snapshot, f"forecast:{symbol}", symbol),
    )


def _figures(forecast: Forecast, write: Callable[[fmt.Number], str]) -> tuple[tuple[str, str], ...]:
    ends = ends_of(forecast)
    after = fmt.plural(forecast.n_steps, "bar")
    return (
        (f"P(up), {after}", fmt.share(forecast.probability_up)),
        ("Median", write(ends[0.5])),
        ("Expected", write(forecast.expected_price)),
    )


def _quantile_rows(
    forecast: Forecast, write: Callable[[fmt.Number], str]
) -> tuple[QuantileRow, ...]:
    places = {level: i for i, level in enumerate(QUANTILE_LEVELS)}
    return tuple(
        QuantileRow(
            level=fmt.percent(level, 1),
            prices=tuple(write(q.prices[places[level]]) for q in forecast.quantiles),
            is_median=level == 0.5,  # noqa: PLR2004 -- the middle
        )
        for level in SHOWN_QUANTILES
    )


def _facts(forecast: Forecast) -> tuple[tuple[str, str], ...]:
    drift = f"{fmt.percent(forecast.drift_per_step, 3, signed=True)} ± {fmt.percent(forecast.drift_error_per_step, 3)}"
    return (
        ("Paths × steps", f"{fmt.count(forecast.n_paths)} × {forecast.n_steps}"),
        ("Drift per bar", drift),
        ("Volatility per bar", fmt.percent(forecast.sigma_per_step)),
        ("Observations", fmt.sample(forecast.n_observations)),
        ("Seed", str(forecast.seed)),
    )
