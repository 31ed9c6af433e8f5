"""What the Risk page says of the account: level with its points, gauges, facts, limits.

Losses are positive fractions of equity, drawdowns zero or negative; the historical method is the one that limits count.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from dashboard import formatting as fmt
from dashboard.views.account_risk import (
    NOTHING_HELD,
    WAITING,
    is_flat,
    metrics_of,
    signs,
    why_missing,
    why_unknown,
)
from engine.domain.risk import PORTFOLIO, LimitUse, RiskLevel, RiskMetrics
from engine.domain.sections import (
    PortfolioSection,
    Snapshot,
    TradingSection,
)
from engine.domain.trading import HaltMode

_WORDS = {
    RiskLevel.LOW: "LOW",
    RiskLevel.MEDIUM: "MEDIUM",
    RiskLevel.HIGH: "HIGH",
    RiskLevel.CRITICAL: "CRITICAL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelView:
    """The verdict with the points that make its score; `words` stands where there are none."""

    level: RiskLevel | None
    word: str
    score: str
    points: tuple[tuple[str, str, str], ...]
    """(rule, what was measured, signed points)."""
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkView:
    """One method's number: `shape` is circle, diamond or triangle; `share` its place on the gauge's scale."""

    shape: str
    method: str
    value: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeView:
    """One gauge; all three share the scale that the VaR 95 limit sets, so their arcs compare."""

    key: str
    name: str
    value: str
    unit: str
    share: float | None
    """Value over the VaR 95 limit."""
    is_limited: bool
    of_limit: str
    money: str
    marks: tuple[MarkView, ...]
    words: str
    """What stands in place of the marks; empty where there are some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """One key figure; `tip` says what it counts, or why it is not known."""

    key: str
    label: str
    value: str
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitView:
    """One limit as a bar: use is value over limit."""

    key: str
    name: str
    window: str
    value: str
    limit: str
    use: float | None
    left: str


def level_view(snapshot: Snapshot) -> LevelView:
    """Return the account's risk level with its points."""
    metrics = metrics_of(snapshot)
    if metrics is None:
        return LevelView(
            level=None, word=fmt.UNKNOWN, score="", points=(), words=why_unknown(snapshot)
        )
    if is_flat(metrics):
        words = "No position is open, so nothing is at risk."
        return LevelView(level=RiskLevel.LOW, word="LOW", score="0 points", points=(), words=words)
    if metrics.var_95 is None:
        return LevelView(
            level=None, word=fmt.UNKNOWN, score="", points=(), words=_reason(metrics.note)
        )
    return LevelView(
        level=metrics.risk_level,
        word=_WORDS[metrics.risk_level],
        score=fmt.plural(int(metrics.score), "point"),
        points=tuple(
            (p.rule, signs(p.detail), fmt.number(p.points, 0, signed=True)) for p in metrics.points
        ),
        words="",
    )


def _reason(note: str) -> str:
    return f"Not enough data yet: {signs(note)}." if note else WAITING


def gauges_view(snapshot: Snapshot) -> tuple[GaugeView, ...]:
    """Return VaR 95, VaR 99 and ES 95 of the account, each on the scale of its limit; VaR 99 has that of VaR 95."""
    m = metrics_of(snapshot)
    portfolio: PortfolioSection | None = snapshot.value("portfolio")
    trading: TradingSection | None = snapshot.value("trading")
    limits = None if trading is None else trading.limits
    equity = portfolio.equity if portfolio is not None else None
    known = m or RiskMetrics(scope=PORTFOLIO, n_observations=0)
    lines = (
        (
            "var95",
            "VaR 95",
            known.var_95,
            _methods(known.var_95, known.var_95_parametric, known.var_95_monte_carlo),
        ),
        (
            "var99",
            "VaR 99",
            known.var_99,
            _methods(known.var_99, known.var_99_parametric, known.var_99_monte_carlo),
        ),
        ("es95", "ES 95", known.cvar_95, _methods(known.cvar_95, None, None)),
    )
    scales = {"es95": limits.max_cvar_95} if limits is not None else {}
    usual = None if limits is None else limits.max_var_95
    drawn = (
        _gauge(key, name, value, marks, scales.get(key, usual), equity)
        for key, name, value, marks in lines
    )
    return tuple(replace(g, marks=(), words=NOTHING_HELD) if is_flat(m) else g for g in drawn)


_Marks = tuple[tuple[str, str, float | None], ...]


def _methods(historical: float | None, parametric: float | None, simulated: float | None) -> _Marks:
    return (
        ("triangle", "historical", historical),
        ("diamond", "parametric", parametric),
        ("circle", "Monte Carlo", simulated),
    )


def _gauge(
    key: str,
    name: str,
    value: float | None,
    methods: _Marks,
    limit: float | None,
    equity: Decimal | None,
) -> GaugeView:
    is_limited = key != "var99" and limit is not None
    share = None if value is None or not limit else value / limit
    marks = tuple(
        MarkView(
            shape=shape, method=method, value=fmt.percent(x), share=x / limit if limit else 0.0
        )
        for shape, method, x in methods
        if x is not None
    )
    lost = None if value is None or equity is None else Decimal(str(value)) * equity
    return GaugeView(
        key=key,
        name=name,
        value=fmt.number(None if value is None else 100 * value),
        unit="" if value is None else "%",
        share=share,
        is_limited=is_limited,
        of_limit=_of_limit(share, limit, is_limited=is_limited),
        money=fmt.notional(lost),
        marks=marks,
        words="" if marks else fmt.UNKNOWN,
    )


def _of_limit(share: float | None, limit: float | None, *, is_limited: bool) -> str:
    if not is_limited:
        return "no limit set"
    if share is None:
        return f"limit {fmt.percent(limit)}"
    return f"{fmt.percent(share, 0)} of limit"


def scale_words(snapshot: Snapshot, scale: float) -> str:
    """Return how far the gauges' scale reaches; `scale` is its end in limits."""
    trading: TradingSection | None = snapshot.value("trading")
    if trading is None:
        return ""
    ends = (trading.limits.max_var_95, trading.limits.max_cvar_95)
    var, shortfall = (fmt.percent(scale * end) for end in ends)
    return f"scale 0 to {var}" if var == shortfall else f"scale 0 to {var}, ES to {shortfall}"


def drawdowns(portfolio: PortfolioSection) -> tuple[float, ...]:
    """Return the drawdown at each bar close and now, as fractions, zero or negative.

    The newest counts from the peak that the limit counts from, prices within a bar included. Where the curve does not
    begin with the account, a peak above all of it counts as earlier.
    """
    curve = [point.equity for point in portfolio.equity_curve]
    is_cut = bool(curve) and curve[0] != portfolio.account.initial_cash
    is_earlier = is_cut and portfolio.peak_equity > max(curve)
    peak = portfolio.peak_equity if is_earlier else Decimal(0)
    found = []
    for equity in curve:
        peak = max(peak, equity)
        found.append(_below(equity, peak))
    return (*found, _below(portfolio.equity, max(peak, portfolio.peak_equity)))


def _below(equity: Decimal, peak: Decimal) -> float:
    return min(0.0, float(equity / peak - 1)) if peak > 0 else 0.0


def exposures(portfolio: PortfolioSection) -> tuple[float | None, float | None]:
    """Return gross and net exposure as fractions of equity."""
    if portfolio.equity <= 0:
        return None, None
    worths = [p.quantity * _mark(portfolio, p.symbol, p.entry_price) for p in portfolio.positions]
    gross, net = sum(map(abs, worths), Decimal(0)), sum(worths, Decimal(0))
    return float(gross / portfolio.equity), float(net / portfolio.equity)


def _mark(portfolio: PortfolioSection, symbol: str, entry: Decimal) -> Decimal:
    mark = portfolio.marks.get(symbol)
    return entry if mark is None else Decimal(str(mark))


def account_view(snapshot: Snapshot) -> tuple[FactView, ...]:
    """Return nine facts of the account; the ratios speak of today's positions over past returns."""
    portfolio: PortfolioSection | None = snapshot.value("portfolio")
    m = metrics_of(snapshot)
    past = drawdowns(portfolio) if portfolio is not None else ()
    gross, net = exposures(portfolio) if portfolio is not None else (None, None)
    n = m.n_observations if m is not None else 0
    volatility = m.volatility if m is not None and n else None
    held = f"today's positions over the last {n} returns"
    lines = (
        (
            "drawdown",
            "Drawdown",
            fmt.percent(past[-1] if past else None),
            "below the account's peak",
        ),
        (
            "worst",
            "Worst drawdown",
            fmt.percent(min(past, default=None)),
            f"deepest of the last {len(past)} readings",
        ),
        ("volatility", "Volatility, ann.", fmt.percent(volatility, 1), held),
        ("sharpe", "Sharpe", fmt.number(m.sharpe_ratio if m else None), held),
        ("sortino", "Sortino", fmt.number(m.sortino_ratio if m else None), held),
        (
            "beta",
            "Beta",
            fmt.number(m.beta if m else None),
            f"against the benchmark over the last {n} returns",
        ),
        (
            "gross",
            "Gross exposure",
            fmt.share(gross),
            "sum of all positions without sign, over equity",
        ),
        ("net", "Net exposure", fmt.share(net), "long less short, over equity"),
        (
            "n",
            "Returns behind it",
            fmt.count(n) if m is not None else fmt.UNKNOWN,
            "number of past returns behind the ratios and VaR",
        ),
    )
    why = why_unknown(snapshot) or why_missing(m)
    return tuple(
        FactView(key=key, label=label, value=value, tip=why if value == fmt.UNKNOWN else tip)
        for key, label, value, tip in lines
    )


def limits_view(snapshot: Snapshot) -> tuple[LimitView, ...]:
    """Return each limit with what is used of it."""
    trading: TradingSection | None = snapshot.value("trading")
    return tuple(_limit(use) for use in trading.uses) if trading is not None else ()


def _limit(use: LimitUse) -> LimitView:
    left = use.limit - use.value
    share = use.value / use.limit if use.limit > 0 else None
    return LimitView(
        key=re.sub(r"\W+", "-", use.name.lower()),
        name=use.name,
        window=use.detail or use.window,
        value=fmt.percent(use.value),
        limit=fmt.percent(use.limit),
        use=share,
        left=_left(left),
    )


def _left(left: float) -> str:
    distance = fmt.points(abs(left), 2, signed=False)
    if distance == "0":
        return "at the limit"
    return f"{distance} left" if left > 0 else f"{distance} over"


def trading_words(snapshot: Snapshot) -> tuple[str, str]:
    """Return what the kill switch allows and the tone of it: "up", "warn" or "crit"."""
    trading: TradingSection | None = snapshot.value("trading")
    if trading is None:
        return "not known yet", ""
    words = {
        HaltMode.ACTIVE: ("entries allowed", "up"),
        HaltMode.REDUCING: ("reduce only", "warn"),
        HaltMode.HALTED: ("trading halted", "crit"),
    }
    return words[trading.mode]
