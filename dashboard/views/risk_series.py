"""The series of the Risk page: drawdown since the first bar, correlations in clustered order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashboard import formatting as fmt
from dashboard.views.ages import AgeView, age_of_all
from dashboard.views.risk import drawdowns
from dashboard.views.watchlist import instruments
from engine.domain.market import BarColumns
from engine.domain.sections import (
    BarsSection,
    PortfolioSection,
    Snapshot,
    TradingSection,
)

WINDOW = 60
"""Returns behind a correlation."""
ORDER_WINDOW = 250
"""Returns behind the order of the map: longer, so that rows seldom change places."""
LEAST_RETURNS = 20
NEEDS = f"It needs {LEAST_RETURNS} returns that all symbols share."
_DAY_S = 86_400
_LONG_DAYS, _YEAR_DAYS = 5, 300
_HALF_DAY = timedelta(hours=12)
N_TICKS, N_TIMES = 6, 4
"""Ticks of an axis: days, and days with their time."""

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTicks:
    """How a date axis is written: `step_s` seconds apart from `first` on, or as the chart sees fit."""

    format: str
    n: int
    first: datetime | None = None
    step_s: int | None = None
    x_range: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawdownView:
    """Drawdown in percent over market time; `limit` is negative, `low` the bottom of the axis."""

    at: tuple[datetime, ...]
    percent: tuple[float, ...]
    limit: float | None
    limit_words: str
    low: float
    ticks: DateTicks
    now: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationView:
    """Correlations of shape (n, n) in clustered order; the diagonal and what cannot be said are None."""

    symbols: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    n: int
    remark: str
    summary: str


def drawdown_view(snapshot: Snapshot) -> DrawdownView:
    """Return the account's drawdown at each close and now."""
    portfolio: PortfolioSection | None = snapshot.value("portfolio")
    trading: TradingSection | None = snapshot.value("trading")
    limit = -100 * trading.limits.max_drawdown if trading is not None else None
    moments, values = _drawdown_series(snapshot, portfolio)
    percent = tuple(100 * value for value in values)
    deepest = min((*percent, limit or 0.0), default=0.0)
    now = fmt.percent(drawdowns(portfolio)[-1] if portfolio is not None else None)
    words = f"limit {fmt.percent(limit / 100, 0)}" if limit is not None else "no limit set"
    worst = fmt.percent(min(values)) if values else fmt.UNKNOWN
    return DrawdownView(
        at=moments,
        percent=percent,
        limit=limit,
        limit_words=words,
        low=1.12 * deepest or -1.0,
        ticks=_date_ticks(moments),
        now=now,
        summary=f"Drawdown of the account, now {now}, deepest {worst}, {words}.",
    )


def _drawdown_series(
    snapshot: Snapshot, portfolio: PortfolioSection | None
) -> tuple[tuple[datetime, ...], tuple[float, ...]]:
    """Return moments and drawdowns; before the first close there is no line, only what holds now."""
    if portfolio is None:
        return (), ()
    values = drawdowns(portfolio)
    moments = [fmt.from_epoch(point.at) for point in portfolio.equity_curve]
    stamp = snapshot.stamp("portfolio")
    last = stamp.as_of if stamp is not None else None
    if not moments or last is None or last <= moments[-1]:
        return tuple(moments), values[: len(moments)]
    return (*moments, last), values


def _date_ticks(moments: Sequence[datetime]) -> DateTicks:
    """Return ticks that always name a day; in the first days each stands at a close."""
    if not moments:
        return DateTicks(format="%-d %b", n=N_TICKS)
    span_s = (moments[-1] - moments[0]).total_seconds()
    if span_s >= _YEAR_DAYS * _DAY_S:
        return DateTicks(format="%b %y", n=N_TICKS)
    if span_s >= _LONG_DAYS * _DAY_S:
        return DateTicks(format="%-d %b", n=N_TICKS)
    if 0 < span_s < _DAY_S:
        return DateTicks(format="%-d %b %H:%M", n=N_TIMES)
    alone = (moments[0] - _HALF_DAY, moments[0] + _HALF_DAY) if span_s == 0 else None
    return DateTicks(format="%-d %b", n=N_TICKS, first=moments[0], step_s=_DAY_S, x_range=alone)


def correlation_age(snapshot: Snapshot) -> AgeView:
    """Return how old the map is: as old as the oldest of its symbols' bars."""
    return age_of_all(snapshot, [f"bars:{i.symbol}" for i in instruments(snapshot)])


def correlation_view(snapshot: Snapshot) -> CorrelationView:
    """Return the correlations of the last 60 returns that all symbols have in common."""
    symbols, returns = _common_returns(snapshot)
    recent = returns[:, -WINDOW:]
    if len(symbols) < 2 or recent.shape[1] < LEAST_RETURNS:  # noqa: PLR2004 -- a pair
        return CorrelationView(
            symbols=(), values=(), texts=(), n=recent.shape[1], remark="", summary=NEEDS
        )
    order = clustered(correlations(returns[:, -ORDER_WINDOW:]))
    matrix = correlations(recent)[np.ix_(order, order)]
    np.fill_diagonal(matrix, np.nan)
    names = tuple(symbols[i] for i in order)
    values = tuple(tuple(_or_none(x) for x in row) for row in matrix)
    texts = tuple(tuple(_cell(x) for x in row) for row in values)
    n_order = min(ORDER_WINDOW, returns.shape[1])
    return CorrelationView(
        symbols=names,
        values=values,
        texts=texts,
        n=recent.shape[1],
        remark=f"{recent.shape[1]} bars, order clustered over {n_order}",
        summary=_correlation_summary(names, values),
    )


def _common_returns(snapshot: Snapshot) -> tuple[tuple[str, ...], Floats]:
    """Return the symbols with bars, in the order of the watchlist, and their simple returns, shape (n, n_bars)."""
    watched = [i.symbol for i in instruments(snapshot)]
    sections: dict[str, BarsSection | None] = {s: snapshot.value(f"bars:{s}") for s in watched}
    closes = {s: _closes(b.columns) for s, b in sections.items() if b is not None}
    symbols = tuple(s for s, series in closes.items() if series)
    if not symbols:
        return (), np.empty((0, 0))
    shared = sorted(set.intersection(*(set(closes[s]) for s in symbols)))[-ORDER_WINDOW - 1 :]
    prices = np.array([[closes[s][at] for at in shared] for s in symbols], dtype=np.float64)
    return symbols, prices[:, 1:] / prices[:, :-1] - 1.0


def _closes(columns: BarColumns) -> Mapping[int, float]:
    """Return positive closes by closing time, enough of them for both windows."""
    pairs = list(zip(columns.closes_at, columns.close, strict=True))[-2 * ORDER_WINDOW :]
    return {at: close for at, close in pairs if close > 0}


def correlations(returns: Floats) -> Floats:
    """Return Pearson's correlations of rows, shape (n, n); a row that never moved has none (not a number).

    Parameters
    ----------
    returns : array of shape (n, n_bars)
    """
    centred = returns - returns.mean(axis=1, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=1))
    products = np.outer(norms, norms)
    raw = np.divide(
        centred @ centred.T, products, out=np.full_like(products, np.nan), where=products > 0
    )
    found: Floats = np.clip(raw, -1.0, 1.0)
    return found


def clustered(matrix: Floats) -> list[int]:
    """Return an order in which alike rows are neighbours: average linkage, nearer ends of two groups meet.

    The same correlations always give the same order; ties fall to the earlier row.
    """
    known = np.nan_to_num(matrix, nan=0.0)
    groups = [[i] for i in range(len(known))]
    while len(groups) > 1:
        pairs = [(i, j) for i in range(len(groups)) for j in range(i + 1, len(groups))]
        i, j = max(pairs, key=lambda p: float(known[np.ix_(groups[p[0]], groups[p[1]])].mean()))
        second = groups.pop(j)
        groups[i] = _joined(known, groups[i], second)
    order = groups[0] if groups else []
    return order[::-1] if order and order[-1] < order[0] else order


def _joined(matrix: Floats, first: list[int], second: list[int]) -> list[int]:
    ways = [(a, b) for a in (first, first[::-1]) for b in (second, second[::-1])]
    left, right = max(ways, key=lambda way: float(matrix[way[0][-1], way[1][0]]))
    return [*left, *right]


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _cell(value: float | None) -> str:
    """Return a correlation without its leading zero; the diagonal stays empty.

    Examples
    --------
    >>> _cell(0.534), _cell(-0.07), _cell(None), _cell(1.0)
    ('.53', '−.07', '', '1.00')
    """
    if value is None:
        return ""
    text = fmt.number(value)
    return text.replace("0.", ".", 1) if text.lstrip(fmt.MINUS).startswith("0.") else text


def _correlation_summary(names: Sequence[str], values: Sequence[Sequence[float | None]]) -> str:
    pairs = [
        (value, names[i], names[j])
        for i, row in enumerate(values)
        for j, value in enumerate(row)
        if j > i and value is not None
    ]
    if not pairs:
        return "No two symbols moved."
    high, low = max(pairs), min(pairs)
    return (
        f"Correlations of {len(names)} symbols, highest {high[1]} and {high[2]} {fmt.number(high[0])}, "
        f"lowest {low[1]} and {low[2]} {fmt.number(low[0])}."
    )
