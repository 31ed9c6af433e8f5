"""Markets in words and numbers: the head over the chart, the forecast strip, the activity list, value at risk."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from dashboard import formatting as fmt
from dashboard.components.meters import Gauge, Mark
from dashboard.views import bars as b
from dashboard.views.account_risk import (
    NOTHING_HELD,
    SCOPE,
    age_view,
    is_flat,
    metrics_of,
    signs,
    why_unknown,
)
from dashboard.views.ages import is_behind
from dashboard.views.forecast_place import level_name, not_made
from dashboard.views.forecast_reading import horizon_words as short_horizon
from dashboard.views.forecast_reading import writer
from dashboard.views.price_chart import (
    columns_of,
    forecast_of,
    forming_view,
    instrument_of,
    legend_names,
    legend_texts,
    quote_of,
)
from dashboard.views.report_card import cards_of, grade_of
from dashboard.views.var_backtest import words_of
from dashboard.views.watchlist import change_of, instruments
from engine.domain.forecast import FAN_LEVELS, HORIZONS, Forecast
from engine.domain.instrument import PriceKind
from engine.domain.risk import PORTFOLIO, RiskMetrics
from engine.domain.sections import (
    EquityPoint,
    PortfolioSection,
    RiskSection,
    Snapshot,
    TradingSection,
)
from engine.domain.trading import Fill

N_FILLS = 40
TREND_DAYS = 60
DAY_S = 86_400
_MAX_ASKED = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadView:
    """What stands over the chart."""

    symbol: str
    name: str
    is_adj: bool
    last: str
    change: str
    difference: str
    tone: str
    legend: tuple[tuple[str, str], ...]
    received_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StripView:
    """The forecast below the chart; `graded_at` is the horizon that the grade speaks of."""

    title: str
    detail: str
    probability_up: str = fmt.UNKNOWN
    median: str = fmt.UNKNOWN
    band_80: str = fmt.UNKNOWN
    band_95: str = fmt.UNKNOWN
    is_known: bool = False
    letter: str | None = None
    n_settled: int = 0
    graded_at: str = ""
    received_at: float | None = None
    budget_s: float = 0.0
    is_behind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRow:
    """One fill: weights are shares of equity at the fill."""

    fill_id: str
    day: str
    side: str
    symbol: str
    change: str
    after: str
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VarView:
    """Value at risk of the portfolio over one bar."""

    title: str
    gauges: tuple[Gauge, ...]
    trend: tuple[float, ...]
    trend_last: str
    trend_title: str
    note: str
    proof: str
    received_at: float | None = None
    budget_s: float | None = None
    is_behind: bool = False


def chosen_symbol(snapshot: Snapshot, asked: str) -> str:
    """Return the symbol asked for when it is watched, else the first of the watchlist, or nothing."""
    symbols = [item.symbol for item in instruments(snapshot)]
    return asked if asked in symbols else (symbols[0] if symbols else "")


def not_watched(snapshot: Snapshot, asked: str) -> str:
    """Return that a symbol which an address asks for is not watched; nothing when it is, or none was asked for."""
    watched = [item.symbol for item in instruments(snapshot)]
    if not watched or asked in ("", *watched):
        return ""
    short = asked if len(asked) <= _MAX_ASKED else f"{asked[:_MAX_ASKED]}…"
    return f"{short} is not watched"


def head_view(snapshot: Snapshot, symbol: str, timeframe: str) -> HeadView:
    """Return the head: the last price against the close before, and the bar's legend."""
    item, quote = instrument_of(snapshot, symbol), quote_of(snapshot, symbol)
    move = change_of(quote)
    difference = quote.price - quote.previous_close if quote and quote.previous_close else None
    decimals = fmt.decimals_of(item.tick_size)
    price = quote.price if quote else None
    return HeadView(
        symbol=symbol,
        name=item.name,
        is_adj=item.price_kind is PriceKind.CLOSE_ONLY,
        last=fmt.price(price, item.tick_size),
        change=fmt.change(move),
        difference=fmt.number(difference, decimals, signed=True),
        tone=fmt.tone(move, 4),
        legend=_legend(snapshot, symbol, timeframe),
        received_at=quote.received_at if quote else None,
    )


def _legend(snapshot: Snapshot, symbol: str, timeframe: str) -> tuple[tuple[str, str], ...]:
    """Return O, H, L, C, Vol of the newest bar: the open one, else the last closed."""
    item = instrument_of(snapshot, symbol)
    texts = forming_view(snapshot, symbol, timeframe).texts
    if not texts:
        columns = columns_of(snapshot, symbol)
        shown = b.chosen_timeframe(timeframe, b.bar_seconds(columns))
        texts = legend_texts(b.resample(columns, shown).tail(1), item, shown)
    names = legend_names(item)
    found = texts[-1][1:] if texts else (fmt.UNKNOWN,) * len(names)
    return tuple(zip(names, found, strict=True))


def strip_view(snapshot: Snapshot, symbol: str, level: int = 1) -> StripView:
    """Return the forecast of a level in one line."""
    forecast = forecast_of(snapshot, symbol, str(level))
    if forecast is None:
        return StripView(
            title=f"No forecast of level {level} yet",
            detail=not_made(snapshot, level) or "The first one comes with the next closed bar.",
        )
    ends = dict(zip(FAN_LEVELS, (row[-1] for row in forecast.fan), strict=True))
    item = instrument_of(snapshot, symbol)
    write = writer(forecast.spot, item)
    stamp = snapshot.stamp(f"forecast:{symbol}")
    card = cards_of(snapshot, symbol).get((level, HORIZONS[0]))
    return StripView(
        title=level_title(forecast),
        detail=f"{horizon_words(forecast)} · {fmt.plural(forecast.n_paths, 'path')}",
        probability_up=fmt.share(forecast.probability_up),
        median=fmt.price(ends[0.5], item.tick_size),
        band_80=fmt.span(ends[0.1], ends[0.9], write),
        band_95=fmt.span(ends[0.025], ends[0.975], write),
        letter=grade_of(card) if card else None,
        n_settled=card.n if card else 0,
        graded_at=short_horizon(HORIZONS[0], forecast.step_seconds),
        is_known=True,
        received_at=stamp.computed_at if stamp else None,
        budget_s=(stamp.budget_s if stamp else None) or 0.0,
        is_behind=is_behind(snapshot, f"forecast:{symbol}", symbol),
    )


def level_title(forecast: Forecast) -> str:
    """Return "Level 1 Base (GBM)"."""
    return f"Level {forecast.level.value} {level_name(forecast.level)}"


def horizon_words(forecast: Forecast) -> str:
    """Return the horizon: days where a step is one, else bars."""
    noun = "day" if forecast.step_seconds >= DAY_S else "bar"
    return fmt.plural(forecast.n_steps, noun)


def activity_view(snapshot: Snapshot, symbol: str = "") -> tuple[FillRow, ...]:
    """Return the newest fills: how each changed the weight, and the weight after it.

    The position after a fill is worked back from what is held now; weights count on equity at the last bar before it.
    The time of day is given when the bars of `symbol` are shorter than a day.
    """
    section: PortfolioSection | None = snapshot.value("portfolio")
    if section is None:
        return ()
    held: dict[str, Decimal] = defaultdict(Decimal)
    held |= {p.symbol: p.quantity for p in section.positions}
    ticks = {item.symbol: item.tick_size for item in instruments(snapshot)}
    has_time = b.has_times(columns_of(snapshot, symbol))
    rows = []
    for fill in section.recent_fills[:N_FILLS]:
        row = _fill_row(fill, held[fill.symbol], _equity_at(section, fill.filled_at), ticks)
        day = b.moment_words(fill.filled_at, has_time=has_time, year=False)
        rows.append(replace(row, day=day))
        held[fill.symbol] -= fill.side.sign * fill.quantity
    return tuple(rows)


def _equity_at(section: PortfolioSection, moment: datetime) -> Decimal:
    """Return equity at the last bar closed before a moment; what the account began with before the first."""
    before: EquityPoint | None = None
    for point in section.equity_curve:
        if point.at > moment.timestamp():
            break
        before = point
    return before.equity if before else section.account.initial_cash


def _fill_row(fill: Fill, after: Decimal, equity: Decimal, ticks: Mapping[str, Decimal]) -> FillRow:
    change = fill.side.sign * fill.quantity * fill.price / equity if equity else None
    weight = after * fill.price / equity if equity else None
    price = fmt.price(fill.price, ticks.get(fill.symbol, Decimal("0.01")))
    return FillRow(
        fill_id=fill.fill_id,
        day="",
        side=fill.side.value,
        symbol=fill.symbol,
        change=fmt.percent(change, 1, signed=True),
        after="flat" if not after else fmt.percent(weight, 1, signed=True),
        tip=f"{fmt.quantity(fill.quantity)} at {price}, cost {fmt.money(fill.fee)}",
    )


def var_view(snapshot: Snapshot, symbol: str = "") -> VarView:
    """Return the three gauges, each on the scale of its limit; VaR 99 has none and shares that of VaR 95.

    It looks one bar ahead, and a bar is as long as those of `symbol`.
    """
    columns = columns_of(snapshot, symbol)
    section: RiskSection | None = snapshot.value(SCOPE)
    told, age = metrics_of(snapshot), age_view(snapshot, symbol)
    metrics = told or RiskMetrics(scope=PORTFOLIO, n_observations=0)
    portfolio: PortfolioSection | None = snapshot.value("portfolio")
    trading: TradingSection | None = snapshot.value("trading")
    trend = section.trend_var_95[-TREND_DAYS:] if section else ()
    scale = _Scale(
        equity=portfolio.equity if portfolio else None,
        limit=trading.limits.max_var_95 if trading else None,
    )
    shortfall = replace(scale, limit=trading.limits.max_cvar_95 if trading else None)
    m = metrics
    return VarView(
        title="1-day VaR" if columns.closes_at and not b.has_times(columns) else "One-bar VaR",
        gauges=(
            _gauge("markets-var95", "VaR 95", m.var_95, scale, (m.var_95_parametric, m.var_95_monte_carlo)),
            _gauge("markets-var99", "VaR 99", m.var_99, scale, (m.var_99_parametric, m.var_99_monte_carlo)),
            _gauge("markets-es95", "ES 95", m.cvar_95, shortfall, (None, None)),
        ),
        trend=trend,
        trend_last=fmt.percent(trend[-1]) if trend else fmt.UNKNOWN,
        trend_title=f"VaR 95, {fmt.plural(len(trend), 'bar')}" if trend else "VaR 95",
        note=why_unknown(snapshot) or _note(metrics),
        proof=words_of(snapshot, symbol),
        received_at=age.received_at,
        budget_s=age.budget_s,
        is_behind=age.is_behind,
    )  # fmt: skip


def _note(metrics: RiskMetrics) -> str:
    if is_flat(metrics):
        return NOTHING_HELD
    return signs(metrics.note) or f"n = {fmt.count(metrics.n_observations)} returns"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """What turns a share into money and into a place on the arc: equity, and the limit at its mark."""

    equity: Decimal | None
    limit: float | None


UNLIMITED = "VaR 99"
"""The one of the three without a limit: it shares the scale of VaR 95 without its mark."""


def _gauge(
    name_id: str,
    name: str,
    value: float | None,
    scale: _Scale,
    others: tuple[float | None, float | None],
) -> Gauge:
    limit = scale.limit
    use = value / limit if value is not None and limit else None
    own = f"{fmt.weight(use)} of {fmt.percent(limit)}" if use is not None else "limit unknown"
    methods = zip(("diamond", "circle"), ("parametric", "Monte Carlo"), others, strict=True)
    marks = tuple(
        Mark(shape=shape, use=found / limit, label=f"{word} {fmt.percent(found)}")
        for shape, word, found in methods
        if found and limit
    )
    money = None if value is None or scale.equity is None else Decimal(str(value)) * scale.equity
    return Gauge(
        id=name_id,
        name=name,
        value=fmt.percent(value).removesuffix("%"),
        unit="" if value is None else "%",
        use=use,
        of_limit="no limit set" if name == UNLIMITED else own,
        money=fmt.notional(money),
        marks=marks,
        size=108,
    )
