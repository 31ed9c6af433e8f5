"""Sections as the engine would write them, made by hand for tests of views, figures and pages.

The numbers are invented and never leave the tests; they keep the relations that real ones have (parts sum to the score,
quantiles are ordered, equity is cash plus positions).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from engine.core.projection.var_backtest import judgements
from engine.domain.agents import (
    AgentMeasured,
    AgentStatus,
    TaskDurations,
    TaskPriority,
    WorkTimes,
)
from engine.domain.commands import CommandAnswer
from engine.domain.events import EventType
from engine.domain.forecast import (
    FAN_LEVELS,
    HORIZONS,
    QUANTILE_LEVELS,
    Forecast,
    HorizonQuantiles,
    SimulationLevel,
)
from engine.domain.instrument import Instrument, PriceKind
from engine.domain.log import LogRow, LogSection
from engine.domain.markers import Marker, MarkersSection
from engine.domain.market import Bar, BarColumns, FeedKind, FeedState
from engine.domain.outcomes import VotesByBar
from engine.domain.payload import Payload
from engine.domain.risk import (
    Alert,
    LimitUse,
    RiskLevel,
    RiskLimits,
    RiskMetrics,
    ScorePoint,
    Severity,
)
from engine.domain.sections import (
    AgentRow,
    AgentsSection,
    AlertRow,
    AlertsSection,
    AnswersSection,
    BarsSection,
    CycleSection,
    EngineSection,
    EquityPoint,
    FeedSection,
    ForecastSection,
    InstrumentsSection,
    PortfolioSection,
    Quote,
    QuotesSection,
    RiskSection,
    Section,
    Snapshot,
    Stamp,
    StrategiesSection,
    StrategyRow,
    TradingSection,
    WeightsChange,
)
from engine.domain.signals import (
    CycleRecord,
    GateStep,
    SignalAction,
    StepOutcome,
    Vote,
)
from engine.domain.trading import (
    Account,
    Fill,
    HaltMode,
    Order,
    OrderStatus,
    Position,
    Side,
)
from engine.domain.var_backtest import BacktestSection, VarOutcome

NOW = datetime(2008, 9, 26, 20, 0, tzinfo=UTC)
WALL = 1_700_000_000.0
NAMES = {
    "AAPL": "Apple", "GOOG": "Google", "IBM": "IBM", "MSFT": "Microsoft", "JPM": "JPMorgan Chase",
    "XOM": "Exxon Mobil", "PG": "Procter & Gamble", "JNJ": "Johnson & Johnson", "SPX": "S&P 500",
    "IXIC": "Nasdaq Comp.",
}  # fmt: skip
CLOSE_ONLY = {"JPM", "XOM", "PG", "JNJ"}
INDICES = {"SPX", "IXIC"}


def instruments() -> tuple[Instrument, ...]:
    return tuple(
        Instrument(
            symbol=s, name=n, is_tradable=s not in INDICES,
            price_kind=PriceKind.CLOSE_ONLY if s in CLOSE_ONLY else PriceKind.OHLCV,
        )
        for s, n in NAMES.items()
    )  # fmt: skip


def columns(symbol: str, n: int = 300) -> BarColumns:
    rng = np.random.default_rng(sum(map(ord, symbol)))
    close = 100 * np.exp(np.cumsum(rng.normal(-0.0005, 0.02, n)))
    open_ = np.concatenate([[100.0], close[:-1]]) * (1 + rng.normal(0, 0.004, n))
    high, low = np.maximum(open_, close) * 1.008, np.minimum(open_, close) * 0.992
    days = np.busday_offset("2008-09-26", np.arange(-n + 1, 1), roll="backward")
    closes_at = (days.astype("datetime64[s]").astype(int) + 20 * 3600).tolist()
    if symbol in CLOSE_ONLY:
        none = (None,) * n
        return BarColumns(symbol=symbol, closes_at=tuple(closes_at), open=none, high=none, low=none,
                          close=tuple(close.round(2).tolist()), volume=none)  # fmt: skip
    cols = {
        k: tuple(v.round(2).tolist())
        for k, v in (("open", open_), ("high", high), ("low", low), ("close", close))
    }
    volume = tuple((rng.lognormal(17, 0.3, n)).round().tolist())
    return BarColumns(symbol=symbol, closes_at=tuple(closes_at), volume=volume, **cols)


def minutes(symbol: str, n: int = 300) -> BarColumns:
    """Return the same bars as if each lasted a minute."""
    last = int(NOW.timestamp())
    return replace(columns(symbol, n), closes_at=tuple(range(last - 60 * (n - 1), last + 60, 60)))


def forecast(symbol: str, spot: float, n_steps: int = 20) -> Forecast:
    rng = np.random.default_rng(7)
    paths = spot * np.exp(
        np.cumsum(np.vstack([np.zeros(4000), rng.normal(0, 0.025, (n_steps, 4000))]), axis=0)
    )
    fan = np.quantile(paths, FAN_LEVELS, axis=1)
    quantiles = tuple(
        HorizonQuantiles(horizon=h, prices=tuple(np.quantile(paths[h], QUANTILE_LEVELS).tolist()))
        for h in HORIZONS
    )
    return Forecast(
        symbol=symbol, level=SimulationLevel.LEVEL_1_BASE, origin=NOW, spot=spot, n_paths=4000, n_steps=n_steps,
        n_observations=500, fan=tuple(tuple(row.tolist()) for row in fan), quantiles=quantiles,
        probability_up=float((paths[-1] > spot).mean()), expected_price=float(paths[-1].mean()),
        drift_per_step=-0.0004, drift_error_per_step=0.0011, sigma_per_step=0.025, seed=4711, step_seconds=86_400.0,
    )  # fmt: skip


def record(symbol: str, price: float) -> CycleRecord:
    parts = (("momentum", -0.94, 0.30, 0.9), ("mean_reversion", 0.49, 0.20, 0.8), ("ma_trend", -1.0, 0.20, 1.1),
             ("breakout", -0.47, 0.15, 1.0), ("mc_probability", -0.28, 0.15, 0.7))  # fmt: skip
    votes = tuple(
        Vote(algorithm=n, vote=v, weight=w, regime_factor=f, part=v * w * f) for n, v, w, f in parts
    )
    steps = (
        GateStep(
            rule="Threshold", outcome=StepOutcome.PASSED, detail="|−0.495| over 0.15", result="SELL"
        ),
        GateStep(rule="Position cap", outcome=StepOutcome.CLAMPED, detail="±10%", result="−10.0%"),
        GateStep(
            rule="Trade band", outcome=StepOutcome.SKIPPED, detail="0.50 pts", result="skipped"
        ),
    )
    return CycleRecord(
        cycle_id=f"{symbol}-270", symbol=symbol, bar_closed_at=NOW, price=price, regime="turbulent", votes=votes,
        score=sum(v.part for v in votes), threshold=0.15, action=SignalAction.SELL, confidence=0.62, steps=steps,
        verdict="Short kept, no order. The change of 0.47 pts is below the 0.50-pt trade band.",
    )  # fmt: skip


def risk(scope: str) -> RiskSection:
    metrics = RiskMetrics(
        scope=scope, n_observations=500, var_95=0.0052, var_99=0.0085, cvar_95=0.0074, cvar_99=0.0101,
        var_95_parametric=0.0077, var_99_parametric=0.011, var_95_monte_carlo=0.0079, var_99_monte_carlo=0.012,
        max_drawdown=-0.073, drawdown=-0.054, sharpe_ratio=0.32, sortino_ratio=0.46, volatility=0.09, beta=-0.22,
        score=5, risk_level=RiskLevel.HIGH,
        points=(ScorePoint(rule="Volatility regime", detail="1.9 × its 1,000-day median", points=2),
                ScorePoint(rule="Drawdown", detail="5.4% below the 252-day high", points=1),
                ScorePoint(rule="VaR 99 exceptions", detail="1 in 20 days", points=1),
                ScorePoint(rule="EWMA VaR 95", detail="1.6%", points=1)),
    )  # fmt: skip
    trend = tuple((0.005 + 0.002 * np.sin(np.arange(60) / 6)).tolist())
    return RiskSection(metrics=metrics, trend_var_95=trend)


def backtest(n: int = 250) -> BacktestSection:
    """Return a year of outcomes of today's positions, with losses beyond some of the values at risk."""
    changes = (0.006 * np.random.default_rng(3).standard_t(4, n)).tolist()
    rows = tuple(
        VarOutcome(at=int((NOW - timedelta(days=n - i)).timestamp()), change=change,
                   stated=(0.0085, 0.012, 0.011, 0.0155, 0.0105, 0.0165))
        for i, change in enumerate(changes)
    )  # fmt: skip
    return BacktestSection(
        rows=rows, tests=judgements(rows), n_live=12, live=judgements(rows[-12:])
    )


def portfolio() -> PortfolioSection:
    positions = (
        Position(
            symbol="AAPL",
            quantity=Decimal(-76),
            entry_price=Decimal("141.20"),
            opened_at=NOW - timedelta(days=9),
        ),
        Position(
            symbol="JPM",
            quantity=Decimal(79),
            entry_price=Decimal("31.05"),
            opened_at=NOW - timedelta(days=2),
        ),
    )
    account = Account(cash=Decimal("110000.00"), fees_paid=Decimal("51.90"), positions=positions)
    fills = tuple(
        Fill(fill_id=f"f{k}", order_id=f"ph-1-{k}", symbol=s, side=side, quantity=Decimal(10), price=Decimal(100),
             fee=Decimal("0.50"), filled_at=NOW - timedelta(days=k))
        for k, (s, side) in enumerate([("JNJ", Side.SELL), ("PG", Side.SELL), ("JPM", Side.BUY), ("GOOG", Side.BUY)])
    )  # fmt: skip
    curve = tuple(
        EquityPoint(at=int(NOW.timestamp()) - 86_400 * (60 - k), equity=Decimal(100_000 + 40 * k))
        for k in range(60)
    )
    order = Order(order_id="ph-1-9", symbol="GOOG", side=Side.BUY, quantity=Decimal(12), price=Decimal("431.04"),
                  status=OrderStatus.OPEN)  # fmt: skip
    return PortfolioSection(
        account=account, equity=Decimal("102641.63"), day_start_equity=Decimal("102105.47"), day_pnl=Decimal("536.16"),
        peak_equity=Decimal("104200.00"), marks={"AAPL": 128.24, "JPM": 33.01}, positions=positions,
        open_orders=(order,), recent_fills=fills, equity_curve=curve,
    )  # fmt: skip


AGENTS = (
    ("market_data", "Market data", "10 symbols", TaskPriority.HIGH, 0.25, "", (), ("MARKET_DATA",)),
    ("monte_carlo", "Monte Carlo", "level 1, 8 symbols × 1,000", TaskPriority.NORMAL, 30, "on bar", ("MARKET_DATA",), ("MC_UPDATE",)),  # noqa: E501 -- one row a line reads as a table
    ("risk", "Risk", "500 days", TaskPriority.CRITICAL, 60, "on MC", ("MC_UPDATE",), ("RISK_UPDATE", "RISK_ALERT")),
    ("strategy", "Strategy engine", "5 strategies", TaskPriority.HIGH, None, "on risk", ("RISK_UPDATE",), ("SIGNAL_GENERATED",)),  # noqa: E501 -- one row a line reads as a table
    ("execution", "Execution", "paper broker, 5 bp", TaskPriority.CRITICAL, None, "on signal", ("SIGNAL_GENERATED",), ("ORDER_FILLED",)),  # noqa: E501 -- one row a line reads as a table
    ("supervisor", "Supervisor", "health of 6 agents", TaskPriority.LOW, 30, "", (), ()),
    ("sentiment", "Sentiment", "no source configured", TaskPriority.LOW, None, "", (), ()),
)  # fmt: skip


def agents() -> AgentsSection:
    rows = []
    for k, (agent_id, title, detail, priority, interval, trigger, t_in, t_out) in enumerate(AGENTS):
        unset = agent_id == "sentiment"
        times = WorkTimes(
            last_ms=12.0 / (k + 1), p50_ms=11.0 / (k + 1), p95_ms=14.0 / (k + 1), recent_ms=(12.0, 11.0, 13.0) * 8,
        )  # fmt: skip
        measured = AgentMeasured(
            agent_id=agent_id, cycles=270, handled=1000 * k, last_run_at=WALL - 0.4, next_run_at=WALL + 1.0,
            cycle_times=times, event_times=times,
        )  # fmt: skip
        rows.append(AgentRow(
            agent_id=agent_id, title=title, detail=detail, priority=priority, interval_s=interval, trigger=trigger,
            base_interval_s=interval, is_paced=agent_id in {"monte_carlo", "risk"},
            status=AgentStatus.NOT_SET_UP if unset else AgentStatus.RUNNING, topics_in=t_in, topics_out=t_out,
            reason="no source configured" if unset else "", measured=None if unset else measured,
        ))  # fmt: skip
    return AgentsSection(
        rows=tuple(rows), events_per_second={"MARKET_DATA": 40.0, "MC_UPDATE": 1.6, "RISK_UPDATE": 1.8, "SIGNAL_GENERATED": 0.4},  # noqa: E501 -- one row a line reads as a table
        queue_by_priority={"CRITICAL": 0, "HIGH": 1, "NORMAL": 0, "LOW": 1, "IDLE": 0}, running_tasks=0,
        durations=(
            TaskDurations(agent_id="market_data", task_type="agent_cycle", n=270, p50_ms=11.0, p95_ms=12.0,
                          max_ms=130.0, late_ms_p99=4.2),
            TaskDurations(agent_id="risk", task_type="risk_cycle", n=20, p50_ms=0.6, p95_ms=0.8, max_ms=1.4,
                          late_ms_p99=0.3),
        ),
    )  # fmt: skip


def one_a_bar(wins: int, n: int) -> VotesByBar:
    """Return the sums of votes that were judged by a bar each."""
    return VotesByBar(nn=n, ww=wins, wn=wins, n_bars=n)


def strategies() -> StrategiesSection:
    rows = tuple(
        StrategyRow(
            name=n,
            title=t,
            description=d,
            weight=w,
            wins=wins,
            n=count,
            by_bar=one_a_bar(wins, count),
            votes={"AAPL": 0.2 * wins % 1 - 0.5},
        )
        for n, t, d, w, wins, count in (
            ("momentum", "Momentum", "look-back 14, min move 2%", 0.30, 140, 269),
            ("mean_reversion", "Mean reversion", "z over 1.2, RSI 14", 0.20, 130, 266),
            ("ma_trend", "MA trend", "10 over 30 days", 0.20, 142, 269),
            ("breakout", "Breakout", "20-day channel", 0.15, 8, 12),
            ("mc_probability", "MC probability", "level 1, 20 days", 0.15, 0, 0),
        )
    )
    history = (
        WeightsChange(
            weights={r.name: r.weight for r in rows}, previous={"momentum": 0.25}, at=NOW
        ),
    )
    return StrategiesSection(rows=rows, history=history)


def sample_values() -> dict[str, Payload]:
    bars = {s: columns(s) for s in NAMES}
    feed = FeedState(
        kind=FeedKind.REPLAY, label="daily bars", market_time=NOW, bars_done=18, bars_total=1140, bars_per_minute=12.0,
        starts_at=datetime(2008, 9, 2, 13, 30, tzinfo=UTC), ends_at=datetime(2013, 3, 1, 21, 0, tzinfo=UTC),
    )  # fmt: skip
    quotes = {}
    for s, c in bars.items():
        bar = Bar(symbol=s, opens_at=NOW, closes_at=NOW, close=c.close[-1] * 1.01, open=c.close[-1],
                  high=c.close[-1] * 1.02, low=c.close[-1] * 0.99, volume=4.02e7, is_closed=False)  # fmt: skip
        quotes[s] = Quote(symbol=s, price=bar.close, as_of=NOW, received_at=WALL, previous_close=c.close[-1],
                          spark=(*c.close[-30:], bar.close), bar=bar)  # fmt: skip
    alert = Alert(alert_id="a1", symbol="portfolio", metric="cvar_95", severity=Severity.WARNING,
                  title="ES 95 at 85% of its limit", message="1.06% of 1.25%. Entries stay allowed.",
                  value=0.0106, limit=0.0125, raised_at=NOW)  # fmt: skip
    uses = (
        LimitUse(name="Drawdown", value=0.054, limit=0.10, window="since 10 Mar"),
        LimitUse(name="Daily loss", value=0.0, limit=0.05, window="today"),
        LimitUse(name="VaR 95", value=0.0079, limit=0.05, window="1 day"),
        LimitUse(name="Largest position", value=0.10, limit=0.10, detail="PG, JNJ"),
    )
    log = tuple(
        LogRow(seq=9572 - k, at=WALL - k, event_type=t, source=src, meaning=m, as_of=NOW, cause=9571 - k, subject="JNJ", tone=tone)  # noqa: E501 -- one row a line reads as a table
        for k, (t, src, m, tone) in enumerate([
            ("ORDER_FILLED", "execution", "SELL JNJ $10,264, cost $5.13", "down"),
            ("SIGNAL_GENERATED", "strategy", "SELL JNJ, score −0.495", ""),
            ("RISK_ALERT", "risk", "ES 95 at 85% of limit", "warn"),
            ("MC_UPDATE", "monte_carlo", "JNJ, level 1, 1,000 paths", "accent"),
        ])
    )  # fmt: skip
    values: dict[str, Payload] = {
        "engine": EngineSection(state="running", owner="web-1", pid=4711, host="desk", epoch=3, started_at=WALL - 600,
                                version="0.1.0", fingerprint="7f3a-91c2-0b5e", seed=7),
        "instruments": InstrumentsSection(instruments=instruments()),
        "feed": FeedSection(state=feed, dropped={"not finite": 1}, last_tick_at=WALL),
        "quotes": QuotesSection(quotes=quotes),
        "portfolio": portfolio(),
        "strategies": strategies(),
        "agents": agents(),
        "alerts": AlertsSection(rows=(AlertRow(alert=alert, at=WALL - 60, seq=9000),)),
        "trading": TradingSection(mode=HaltMode.ACTIVE, limits=RiskLimits(), uses=uses),
        "answers": AnswersSection(rows=((9100, WALL - 5, True, CommandAnswer(
            command_id="c1", name="SetStrategyWeights", title="Weights applied", message="Momentum 30 → 20")),)),
        "log": LogSection(rows=log, head=9572),
        "risk:portfolio": risk("portfolio"),
        "backtest:portfolio": backtest(),
    }  # fmt: skip
    for s, c in bars.items():
        values |= {
            f"bars:{s}": BarsSection(columns=c),
            f"forecast:{s}": ForecastSection(by_level={"1": forecast(s, c.close[-1])}),
            f"risk:{s}": risk(s),
            f"cycle:{s}": CycleSection(record=record(s, c.close[-1])),
            f"markers:{s}": MarkersSection(markers=(
                Marker(kind="fill", action=SignalAction.SELL, at=NOW - timedelta(days=7), price=c.close[-6], text="SELL 10"),  # noqa: E501 -- one row a line reads as a table
                Marker(kind="signal", action=SignalAction.BUY, at=NOW - timedelta(days=3), price=c.close[-3], text="BUY 0.62"),  # noqa: E501 -- one row a line reads as a table
            )),
        }  # fmt: skip
    return values


class SampleGateway:
    """A gateway over fixed sections that remembers what it was sent."""

    def __init__(self, values: dict[str, Payload] | None = None) -> None:
        self.values = sample_values() if values is None else values
        self.sent: list[tuple[Payload, str, str]] = []
        self.answers: dict[str, Any] = {"past_forecasts": lambda **_: (), "events": self._events}
        self.listeners: list[Any] = []

    def version(self) -> int:
        return 1

    def _events(self, *, types: Sequence[EventType], limit: int, **_: Any) -> tuple[LogRow, ...]:
        """Return what its log section holds of these types: its journal holds no more."""
        section = self.values.get("log")
        rows = section.rows if isinstance(section, LogSection) else ()
        return tuple(row for row in rows if EventType(row.event_type) in types)[:limit]

    def read(
        self, sections: Iterable[str] | None = None, as_of: Any = None, since: int | None = None
    ) -> Snapshot:
        wanted = list(self.values) if sections is None else list(sections)
        names = {
            n
            for n in self.values
            for w in wanted
            if n == w or (w.endswith(":*") and n.startswith(w[:-1]))
        }
        if since is not None and since >= 1:
            names = set()
        stamp = Stamp(version=1, as_of=NOW, computed_at=WALL, budget_s=15.0)
        return Snapshot(1, {n: Section(n, self.values[n], stamp) for n in sorted(names)})

    def send(
        self,
        command: Payload,
        *,
        actor: str = "local",
        source: str = "",
        command_id: str | None = None,
    ) -> str:
        self.sent.append((command, actor, source))
        return command_id or f"c-{len(self.sent)}"

    def ask(self, question: str, **params: Any) -> Any:
        return self.answers[question](**params)

    def on_change(self, callback: Any) -> Any:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)
