"""The price chart of one symbol: bars, averages, markers, the forming bar and the fan, placed and scaled.

The fan grows out of the last closed bar and starts exactly at its close; nothing of it is smoothed or moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from dashboard import formatting as fmt
from dashboard.views import bars as b
from dashboard.views.forecast_reading import writer
from dashboard.views.watchlist import instruments
from engine.domain.forecast import FAN_LEVELS, Forecast
from engine.domain.instrument import Instrument, PriceKind
from engine.domain.markers import Marker, MarkersSection
from engine.domain.market import BarColumns
from engine.domain.sections import (
    BarsSection,
    ForecastSection,
    Quote,
    QuotesSection,
    Snapshot,
)
from engine.domain.signals import SignalAction

N_BARS = 500
"""Bars that the chart holds; older ones stay in the journal."""
N_VISIBLE = 66
ROOM = 0.09
"""Share of the width left free behind the fan for its labels."""
AVERAGES = (10, 30)
LEVEL = "1"
_PAD = 0.04
_MARK_GAP = 0.018
LABELLED = (0.025, 0.1, 0.5, 0.9, 0.975)


Texts: TypeAlias = tuple[tuple[str, ...], ...]
"""What the legend says of each bar: its time, then the figures, shape (n_bars, n_figures + 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Triangles of one kind: place, height and words, shape (n,)."""

    at: tuple[str, ...] = ()
    price: tuple[float, ...] = ()
    text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FanView:
    """The fan: quantile paths of shape (7, n_steps + 1), lowest first, with the texts at its end."""

    at: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    labels: tuple[tuple[float, str], ...]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormingView:
    """The bar that is still open, and the price tag; what each tick moves. `key` is that of its chart."""

    key: str
    is_line: bool
    bar: b.Series
    texts: Texts = ()
    price: float | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChart:
    """Everything the figure draws. Ranges are (from, to) of the axes as long as nobody has moved them."""

    symbol: str
    timeframe: str
    is_line: bool
    bars: b.Series
    texts: Texts
    averages: tuple[tuple[float | None, ...], ...]
    buys: Marks
    sells: Marks
    buy_signals: Marks
    sell_signals: Marks
    fan: FanView | None
    now: str | None
    x_range: tuple[str, str] | None
    y_range: tuple[float, float] | None
    closed_days: tuple[str, ...]
    has_weekends_cut: bool
    label: str

    @property
    def is_intraday(self) -> bool:
        """Whether a day holds several bars."""
        return b.is_intraday(self.timeframe)

    @property
    def key(self) -> str:
        """Zoom is kept as long as this stays the same."""
        return chart_key(self.symbol, self.timeframe)


def chart_key(symbol: str, timeframe: str) -> str:
    """Return what tells a chart from that of another symbol or timeframe."""
    return f"{symbol}:{timeframe}"


def instrument_of(snapshot: Snapshot, symbol: str) -> Instrument:
    """Return the instrument; one that is not listed is taken for a plain stock."""
    found = (item for item in instruments(snapshot) if item.symbol == symbol)
    return next(found, Instrument(symbol=symbol, name=symbol))


def columns_of(snapshot: Snapshot, symbol: str) -> BarColumns:
    """Return the closed bars of a symbol, none while they are unknown."""
    section: BarsSection | None = snapshot.value(f"bars:{symbol}")
    return BarColumns(symbol=symbol) if section is None else section.columns


def quote_of(snapshot: Snapshot, symbol: str) -> Quote | None:
    """Return the last price of a symbol."""
    section: QuotesSection | None = snapshot.value("quotes")
    return None if section is None else section.quotes.get(symbol)


def forecast_of(snapshot: Snapshot, symbol: str, level: str = LEVEL) -> Forecast | None:
    """Return the newest forecast of a symbol at a level."""
    section: ForecastSection | None = snapshot.value(f"forecast:{symbol}")
    return None if section is None else section.by_level.get(level)


def price_chart(snapshot: Snapshot, symbol: str, timeframe: str, level: str = LEVEL) -> PriceChart:
    """Return the chart of a symbol in a timeframe that its feed can give, with the fan of a level."""
    columns = columns_of(snapshot, symbol)
    seconds = b.bar_seconds(columns)
    shown = b.chosen_timeframe(timeframe, seconds)
    series = b.resample(columns, shown).tail(N_BARS)
    item = instrument_of(snapshot, symbol)
    fan = fan_view(forecast_of(snapshot, symbol, level), seconds, item)
    scale = _y_range(series.tail(n_visible(fan)), fan)
    marks = _marks(snapshot, symbol, shown, series, scale)
    return PriceChart(
        symbol=symbol,
        timeframe=shown,
        is_line=item.price_kind is PriceKind.CLOSE_ONLY,
        bars=series,
        texts=legend_texts(series, item, shown),
        averages=tuple(b.moving_average(series.close, n) for n in AVERAGES),
        buys=marks[0],
        sells=marks[1],
        buy_signals=marks[2],
        sell_signals=marks[3],
        fan=fan,
        now=b.moment_place(columns.closes_at[-1], seconds) if columns.closes_at else None,
        x_range=_x_range(series, columns, fan, shown),
        y_range=scale,
        closed_days=_holidays(columns, series) if shown == "1D" else (),
        has_weekends_cut=shown == "1D",
        label=_label(symbol, shown, series, item, fan),
    )


def _holidays(columns: BarColumns, series: b.Series) -> tuple[str, ...]:
    first = series.at[0] if series.at else ""
    return tuple(day for day in b.closed_days(columns) if day > first)


def forming_view(snapshot: Snapshot, symbol: str, timeframe: str) -> FormingView:
    """Return the bar that is still open; empty between the close of one bar and the first tick of the next."""
    quote = quote_of(snapshot, symbol)
    columns = columns_of(snapshot, symbol)
    last = columns.close[-1] if columns.close else None
    price = last if quote is None else quote.price
    item = instrument_of(snapshot, symbol)
    seconds = b.bar_seconds(columns)
    shown = b.chosen_timeframe(timeframe, seconds)
    found = FormingView(
        key=chart_key(symbol, shown),
        is_line=item.price_kind is PriceKind.CLOSE_ONLY,
        bar=b.Series(),
        price=price,
        tag="" if price is None else fmt.price(price, item.tick_size),
    )
    if quote is None or quote.bar is None or quote.bar.is_closed:
        return found
    at = b.place(quote.bar.closes_at.timestamp(), shown)
    before = (
        b.resample(_newest(columns), shown).tail(1) if b.is_longer(shown, seconds) else b.Series()
    )
    bar = b.forming(before, quote.bar, quote.price, at)
    texts = legend_texts(replace(bar, last_at=(_close_of(quote),)), item, shown)
    return replace(found, bar=bar, texts=texts)


def _close_of(quote: Quote) -> int:
    return int((quote.bar.closes_at if quote.bar else quote.as_of).timestamp())


def legend_names(item: Instrument) -> tuple[str, ...]:
    """Return the names of the figures that the legend gives of a bar."""
    is_line = item.price_kind is PriceKind.CLOSE_ONLY
    return ("Close",) if is_line else ("O", "H", "L", "C", "Vol")


def legend_texts(series: b.Series, item: Instrument, timeframe: str) -> Texts:
    """Return the legend of each bar, written out: the browser only shows it."""

    def write(values: Sequence[float | None]) -> list[str]:
        return [fmt.price(value, item.tick_size) for value in values]

    when = [b.time_words(at, timeframe) for at in series.last_at]
    if item.price_kind is PriceKind.CLOSE_ONLY:
        return tuple(zip(when, write(series.close), strict=True))
    prices = [write(values) for values in (series.open, series.high, series.low, series.close)]
    volumes = [fmt.volume(value) for value in series.volume]
    return tuple(zip(when, *prices, volumes, strict=True))


def _newest(columns: BarColumns) -> BarColumns:
    names = ("closes_at", "open", "high", "low", "close", "volume")
    tails = {name: getattr(columns, name)[-N_VISIBLE:] for name in names}
    return BarColumns(symbol=columns.symbol, **tails)


def fan_view(forecast: Forecast | None, seconds: int, item: Instrument) -> FanView | None:
    """Return the fan of a forecast with its end labels; None while there is no forecast."""
    if forecast is None or not forecast.fan:
        return None
    steps = round(forecast.step_seconds) or seconds
    at = b.ahead(forecast.origin.timestamp(), forecast.n_steps, steps)
    ends = {level: row[-1] for level, row in zip(FAN_LEVELS, forecast.fan, strict=True)}
    write = writer(forecast.spot, item)
    labels = tuple((ends[level], write(ends[level])) for level in LABELLED)
    words = (
        f"forecast over {fmt.plural(forecast.n_steps, 'bar')}: median {write(ends[0.5])}, "
        f"80% band {fmt.span(ends[0.1], ends[0.9], write)}"
    )
    return FanView(at=at, rows=forecast.fan, labels=labels, words=words)


def _y_range(seen: b.Series, fan: FanView | None) -> tuple[float, float] | None:
    lows = [low if low is not None else c for low, c in zip(seen.low, seen.close, strict=True)]
    highs = [high if high is not None else c for high, c in zip(seen.high, seen.close, strict=True)]
    if fan:
        lows, highs = [*lows, *fan.rows[0]], [*highs, *fan.rows[-1]]
    if not lows:
        return None
    low, high = min(lows), max(highs)
    pad = _PAD * ((high - low) or abs(high) or 1.0)
    return (low - pad, high + pad)


def _x_range(
    series: b.Series, columns: BarColumns, fan: FanView | None, timeframe: str
) -> tuple[str, str] | None:
    if not series.at:
        return None
    seconds = b.bar_seconds(columns)
    n_steps = len(fan.at) - 1 if fan else 0
    shown = min(n_visible(fan), len(series.at))
    # The fan's steps are bars of the feed: behind bars of a longer timeframe it takes less of the width.
    n_seen = shown * b.bars_in(timeframe, seconds) + n_steps
    end = b.ahead(columns.closes_at[-1], n_steps + round(ROOM * n_seen) + 1, seconds)[-1]
    return (series.at[-shown], end)


def n_visible(fan: FanView | None) -> int:
    """Return how many bars are in view: about twice as many as the fan has steps."""
    return max(N_VISIBLE, 2 * (len(fan.at) - 1)) if fan else N_VISIBLE


def _marks(
    snapshot: Snapshot,
    symbol: str,
    timeframe: str,
    series: b.Series,
    scale: tuple[float, float] | None,
) -> tuple[Marks, Marks, Marks, Marks]:
    section: MarkersSection | None = snapshot.value(f"markers:{symbol}")
    if section is None or scale is None:
        return (Marks(),) * 4
    first = series.at[0] if series.at else ""
    placed = [(b.place(m.at.timestamp(), timeframe), m) for m in section.markers]
    placed = [(at, m) for at, m in placed if at >= first]
    fills = [(at, m) for at, m in placed if m.kind == "fill"]
    signals = _unanswered([(at, m) for at, m in placed if m.kind != "fill"], fills, series.at)
    heights = {at: i for i, at in enumerate(series.at)}
    gap = _MARK_GAP * (scale[1] - scale[0])
    sides = (SignalAction.BUY, SignalAction.SELL)
    found = [
        _side(chosen, side, heights, series, gap) for chosen in (fills, signals) for side in sides
    ]
    return (found[0], found[1], found[2], found[3])


def _unanswered(
    signals: Sequence[tuple[str, Marker]], fills: Sequence[tuple[str, Marker]], at: Sequence[str]
) -> list[tuple[str, Marker]]:
    """Return the signals that no fill of the same side answers at their bar or the next one."""
    following = dict(pairwise(at))
    answered = {(place, m.action) for place, m in fills}
    last = at[-1] if at else ""
    return [
        (place, m)
        for place, m in signals
        if not {(place, m.action), (following.get(place, ""), m.action)} & answered
        and not (place == last and any(p > last and m.action == f.action for p, f in fills))
    ]


def _side(
    marks: Sequence[tuple[str, Marker]],
    side: SignalAction,
    heights: dict[str, int],
    series: b.Series,
    gap: float,
) -> Marks:
    chosen = [(at, m) for at, m in marks if m.action is side]
    is_buy = side is SignalAction.BUY
    edge = series.low if is_buy else series.high
    prices = []
    for at, mark in chosen:
        i = heights.get(at)
        base = mark.price if i is None else (edge[i] if edge[i] is not None else series.close[i])
        prices.append((base or mark.price) + (-gap if is_buy else gap))
    return Marks(
        at=tuple(at for at, _ in chosen),
        price=tuple(prices),
        text=tuple(_mark_text(m) for _, m in chosen),
    )


def _mark_text(mark: Marker) -> str:
    head = "Fill" if mark.kind == "fill" else "Signal"
    return f"{head} {mark.text or mark.action.value} at {fmt.price(mark.price)}"


def _label(
    symbol: str, timeframe: str, series: b.Series, item: Instrument, fan: FanView | None
) -> str:
    if not series.at:
        return f"{symbol}: no closed bar yet"
    seen = series.tail(n_visible(fan))
    kind = "closes" if item.price_kind is PriceKind.CLOSE_ONLY else "candles"
    words = next(frame.words for frame in b.TIMEFRAMES if frame.key == timeframe)
    first, last = (fmt.date(fmt.from_epoch(at)) for at in (seen.last_at[0], seen.last_at[-1]))
    text = f"{symbol}, {words} {kind} from {first} to {last}, last close {fmt.price(series.close[-1], item.tick_size)}"
    return f"{text}; {fan.words}" if fan else text
