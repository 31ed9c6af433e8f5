"""What can be lost: risk of every symbol after each forecast, of the account's positions, and alerts at the limits.

Losses are positive fractions of value; historical method unless the name says otherwise; horizon one bar.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from engine.agents import risk_figures as figures
from engine.agents.account_depth import AccountDepth
from engine.agents.alarms import Alarms
from engine.agents.base import BaseAgent
from engine.agents.observations import ClosedBars, Observations, instruments_of, observe, symbols_of
from engine.agents.risk_readings import Watched, readings
from engine.agents.var_record import VarRecord
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import TaskPriority
from engine.domain.errors import must
from engine.domain.events import Event, EventType
from engine.domain.risk import PORTFOLIO, Alert, RiskLimits, RiskMetrics, Severity
from engine.domain.signals import as_utc
from engine.domain.trading import Account
from engine.domain.var_backtest import VarsSettled
from engine.kernels import drawdown, ratios, tail_risk
from engine.kernels.accounting import equity
from engine.kernels.series import FloatArray
from engine.kernels.volatility import annualised_volatility
from engine.settings import agent_settings
from engine.trading.case import Tail

PERIODS_PER_YEAR = 252.0
Method = Literal["historical", "parametric", "monte_carlo"]
Portfolio = Callable[[], tuple[Account, Mapping[str, float]]]
"""Returns the account and the last prices."""


class RiskAgent(BaseAgent):
    """Measures risk and watches its limits.

    Parameters
    ----------
    config : mapping
        `symbols`, `var_confidence` (default from VAR_CONFIDENCE), `max_var_threshold`, `max_drawdown_threshold`,
        `limits` (RiskLimits; the two thresholds win), `portfolio` (see `Portfolio`), `benchmark` (symbol; default the
        first index), `periods_per_year` (for symbols without an instrument), `seed`.
    """

    topics: ClassVar[tuple[EventType, ...]] = (
        EventType.MC_UPDATE,
        EventType.HISTORY_LOADED,
        EventType.MARKET_DATA,
        EventType.FEED_CHANGED,
        EventType.ORDER_FILLED,
    )
    emits: ClassVar[tuple[EventType, ...]] = (
        EventType.RISK_UPDATE, EventType.RISK_ALERT, EventType.VAR_SETTLED, EventType.VAR_WALKED,
    )  # fmt: skip
    default_interval: ClassVar[float] = 60.0
    default_priority: ClassVar[TaskPriority] = TaskPriority.HIGH
    task_type: ClassVar[str] = "risk_cycle"
    title: ClassVar[str] = "Risk"
    detail: ClassVar[str] = "measures what each symbol can lose"
    trigger: ClassVar[str] = "on MC"

    def __init__(
        self,
        name: str,
        event_bus: EventBus,
        state_manager: StateManager,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, event_bus, state_manager, config)
        limits = self.config.get("limits") or RiskLimits()
        self.var_confidence = float(
            self.config.get("var_confidence", agent_settings().var_confidence)
        )
        if not 0.5 < self.var_confidence < 1.0:  # noqa: PLR2004 -- below one half it is no loss
            raise must("var_confidence", "lie between 0.5 and 1", self.var_confidence, "give 0.95")
        self.max_var_threshold = _limit(self.config, "max_var_threshold", limits.max_var_95)
        self.max_drawdown_threshold = _limit(
            self.config, "max_drawdown_threshold", limits.max_drawdown
        )
        self.symbols = symbols_of(self.config)
        self._instruments = instruments_of(self.config)
        index = next((s for s, i in self._instruments.items() if not i.is_tradable), None)
        self.benchmark: str | None = self.config.get("benchmark", index)
        self._portfolio: Portfolio | None = self.config.get("portfolio")
        self._seed = int(self.config.get("seed", 0))
        self._observations = Observations(state_manager)
        self._alarms = Alarms()
        self._record = VarRecord(self._seed)
        self._walked_of: tuple[object, ...] = ()
        self._places: dict[str, tuple[int, int]] = {}
        self._depth = AccountDepth()
        self._told: RiskMetrics | None = None
        self._asked: tuple[object, ...] | None = None
        self._run_id: str | None = None

    # -- founding interface ----------------------------------------------------------------------------------------

    def calculate_var(
        self,
        returns: ArrayLike,
        confidence: float | None = None,
        method: Method = "historical",
    ) -> float:
        """Return the value at risk of simple returns; `confidence` defaults to the agent's own.

        Raises
        ------
        InvalidValueError
            The method or the confidence is unknown.
        NotEnoughDataError
            Fewer than two returns.
        """
        level = self.var_confidence if confidence is None else confidence
        if method == "historical":
            return tail_risk.value_at_risk(returns, level)
        if method == "parametric":
            return tail_risk.parametric_value_at_risk(returns, level)
        if method == "monte_carlo":
            rng = np.random.default_rng(self._seed)
            return tail_risk.monte_carlo_value_at_risk(returns, level, rng).value_at_risk
        raise must("method", "be historical, parametric or monte_carlo", method, "correct it")

    def calculate_cvar(self, returns: ArrayLike, confidence: float | None = None) -> float:
        """Return the expected shortfall of simple returns; never below the value at risk."""
        level = self.var_confidence if confidence is None else confidence
        return tail_risk.expected_shortfall(returns, level)

    def calculate_metrics(
        self, returns: ArrayLike, benchmark_returns: ArrayLike | None = None
    ) -> dict[str, float | str | None]:
        """Return the founding documents' metrics; None where the data does not give one, with the reason in "note".

        Without a benchmark the returns are their own, so beta is 1.
        """
        r: FloatArray = np.asarray(returns, dtype=float)
        benchmark = r if benchmark_returns is None else np.asarray(benchmark_returns, dtype=float)
        periods, notes = self._periods(""), list[str]()
        wanted: dict[str, Callable[[], float]] = {
            "var_95": lambda: tail_risk.value_at_risk(r, 0.95),
            "var_99": lambda: tail_risk.value_at_risk(r, 0.99),
            "cvar_95": lambda: tail_risk.expected_shortfall(r, 0.95),
            "cvar_99": lambda: tail_risk.expected_shortfall(r, 0.99),
            "max_drawdown": lambda: drawdown.max_drawdown(r),
            "sharpe_ratio": lambda: ratios.sharpe_ratio(r, periods),
            "sortino_ratio": lambda: ratios.sortino_ratio(r, periods),
            "volatility": lambda: annualised_volatility(r, periods),
            "beta": lambda: ratios.beta(r, benchmark),
        }
        found: dict[str, float | str | None] = {
            name: figures.or_none(compute, notes) for name, compute in wanted.items()
        }
        return found | {"note": "; ".join(dict.fromkeys(notes))}

    def restore(self, peak_equity: float, deepest: float = 0.0) -> None:
        """Continue from the account's journalled peak and deepest drawdown; call before `start`."""
        self._depth = AccountDepth(peak=peak_equity, deepest=deepest)

    def tail_of(self, shares: Mapping[str, float]) -> Tail | None:
        """Return what an account with these shares of equity may lose in one bar; see `account_tail`."""
        return figures.account_tail(shares, self._closed(shares))

    # -- judgement -------------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> Iterable[Event]:
        """Return the risk that follows from a forecast or a loaded history, and alerts where limits are crossed."""
        if event.event_type is EventType.FEED_CHANGED:
            self._on_feed(event)
            return ()
        symbol = str(event.data["symbol"])
        is_other = not event.data.get("is_primary", True)
        if is_other or (self.symbols and symbol not in self.symbols):
            return ()
        if event.event_type is EventType.MARKET_DATA:
            self._observations.take(observe(event))
            return ()
        if event.event_type is EventType.ORDER_FILLED:
            return self._account_risk(event.as_of, event.as_of, is_close=False, is_loud=True)
        if event.event_type is EventType.HISTORY_LOADED:
            self._observations.forget(symbol)
            self._alarms.forget(symbol)
            self._record.forget(symbol)
            walked = self._walked(
                self._record.walk(symbol, self._observations.bars(symbol)), event.as_of
            )
            return (
                *walked,
                *self._measure(symbol, None, event.as_of, is_record=False, is_loud=False),
            )
        is_record = bool(event.data.get("is_record", True))
        until = event.data.get("origin") if is_record else None
        return self._measure(
            symbol, _moment(until), event.as_of, is_record=is_record, is_loud=is_record
        )

    def cycle(self) -> Iterable[Event]:
        """Return the risk of symbols with closes that no forecast announced, and of the account."""
        found: list[Event] = []
        for symbol in self.symbols:
            place = self._observations.place(symbol)
            if place != (0, 0) and self._places.get(symbol) != place:
                is_loud = self._observations.count(symbol) > 0
                as_of = self._observations.bars(symbol).last_close_at
                found.extend(self._measure(symbol, None, as_of, is_record=False, is_loud=is_loud))
        return [*found, *self._account_walked()]

    def _on_feed(self, event: Event) -> None:
        run_id = event.data.get("run_id")
        if self._run_id is not None and run_id != self._run_id:
            self._depth, self._told, self._asked = AccountDepth(), None, None
            self._alarms.forget(PORTFOLIO)
        self._run_id = run_id

    def _measure(
        self,
        symbol: str,
        until: datetime | None,
        as_of: datetime | None,
        *,
        is_record: bool,
        is_loud: bool,
    ) -> tuple[Event, ...]:
        self._places[symbol] = self._observations.place(symbol)
        bars = self._observations.bars(symbol, until)
        events = self._judged(symbol, bars, until) if is_record else []
        returns = figures.recent_returns(bars)
        what = figures.Measured(
            scope=symbol,
            returns=returns,
            closes=bars.closes,
            periods_per_year=self._periods(symbol),
            seed=self._seed,
        )
        metrics = replace(figures.measure(what), beta=self._beta(symbol, until))
        self._record.state(symbol, bars, metrics)
        events.extend(self._told_of(metrics, as_of, is_record=is_record))
        events.extend(self._alerts(metrics, returns, as_of, is_loud=is_loud))
        if self._concerns_account(symbol):
            events.extend(self._account_risk(until, as_of, is_close=is_record, is_loud=is_loud))
        return tuple(events)

    def _told_of(
        self, metrics: RiskMetrics, as_of: datetime | None, *, is_record: bool
    ) -> tuple[Event, ...]:
        data = metrics.to_data()
        self.update_state(f"risk:{metrics.scope}", data)
        data |= {"symbol": metrics.scope, "is_record": is_record}
        return (self.event(EventType.RISK_UPDATE, data, as_of=as_of),)

    def _beta(self, symbol: str, until: datetime | None) -> float | None:
        benchmark = self.benchmark
        if benchmark is None or benchmark == symbol:
            return None
        pair = (self._observations.bars(symbol, until), self._observations.bars(benchmark, until))
        rows = figures.aligned_returns(pair)
        if rows.shape[1] < figures.LEAST_RETURNS:
            return None
        return figures.or_none(lambda: ratios.beta(rows[0], rows[1]), [])

    def _periods(self, symbol: str) -> float:
        instrument = self._instruments.get(symbol)
        if instrument is not None:
            return instrument.periods_per_year
        return float(self.config.get("periods_per_year", PERIODS_PER_YEAR))

    # -- the account -----------------------------------------------------------------------------------------------

    def _concerns_account(self, symbol: str) -> bool:
        """Say whether a new close of `symbol` changes the account's risk: it is held, or nothing was told yet."""
        if self._portfolio is None or self._told is None:
            return True
        return self._portfolio()[0].position(symbol) is not None

    def _account_risk(
        self,
        until: datetime | None,
        as_of: datetime | None,
        *,
        is_close: bool,
        is_loud: bool,
    ) -> tuple[Event, ...]:
        """Return the risk of the account as it stands now, where that differs from what was told."""
        if self._portfolio is None:
            return ()
        account, marks = self._portfolio()
        # Symbols that close together ask one after the other, and only the first has news.
        held = tuple(
            (marks.get(p.symbol), self._observations.place(p.symbol)) for p in account.positions
        )
        asked = (account, held, until, as_of, is_close)
        if asked == self._asked:
            return ()
        self._asked = asked
        depths = self._depth.take(float(equity(account, marks)), as_of, is_close=is_close)
        shares = figures.held_shares(account, marks)
        periods = self._periods(next(iter(shares), ""))
        metrics, returns = figures.measure_account(
            shares, self._closed(shares, until), depths, periods, self._seed
        )
        if is_close and until is not None:
            self._record.state_account(int(until.timestamp()), shares, metrics)
        if metrics == self._told:
            return ()
        self._told = metrics
        events = self._told_of(metrics, as_of, is_record=is_close)
        return (*events, *self._alerts(metrics, returns, as_of, is_loud=is_loud))

    def _closed(self, symbols: Iterable[str], until: datetime | None = None) -> list[ClosedBars]:
        return [self._observations.bars(symbol, until) for symbol in symbols]

    # -- values at risk held against losses ------------------------------------------------------------------------

    def _judged(self, symbol: str, bars: ClosedBars, until: datetime | None) -> list[Event]:
        """Return what a new close makes of what was stated before it, of its symbol and of the account."""
        found = (
            self._record.judge(symbol, bars),
            self._record.judge_account(lambda held: self._observations.bars(held, until)),
        )
        as_of = bars.last_close_at
        return [
            self.event(EventType.VAR_SETTLED, told, as_of=as_of)
            for told in found
            if told is not None
        ]

    def _walked(self, told: VarsSettled | None, as_of: datetime | None) -> tuple[Event, ...]:
        return () if told is None else (self.event(EventType.VAR_WALKED, told, as_of=as_of),)

    def _account_walked(self) -> tuple[Event, ...]:
        """Return the past of today's positions, when they are other ones than last time."""
        if self._portfolio is None:
            return ()
        account, marks = self._portfolio()
        held = tuple(
            (p.symbol, p.quantity, self._observations.place(p.symbol)) for p in account.positions
        )
        if held == self._walked_of:
            return ()
        self._walked_of = held
        shares = figures.held_shares(account, marks)
        bars = self._closed(shares)
        nothing = VarsSettled(
            symbol=PORTFOLIO, rows=()
        )  # or the past of former positions would stand
        told = self._record.walk_account(shares, bars) or nothing
        return self._walked(told, bars[0].last_close_at if bars else None)

    # -- alerts ----------------------------------------------------------------------------------------------------

    def _alerts(
        self,
        metrics: RiskMetrics,
        returns: FloatArray,
        as_of: datetime | None,
        *,
        is_loud: bool,
    ) -> list[Event]:
        """Return an alert per limit that is crossed now; a silent reading only notes that it is."""
        found = []
        watched = Watched(self.var_confidence, self.max_var_threshold, self.max_drawdown_threshold)
        for reading, title, message in readings(metrics, returns, watched):
            if not self._alarms.crossed(metrics.scope, reading) or not is_loud:
                continue
            when = "" if as_of is None else f":{int(as_of.timestamp())}"
            alert = Alert(
                alert_id=f"{metrics.scope}:{reading.metric}{when}",
                symbol=metrics.scope,
                metric=reading.metric,
                severity=Severity.CRITICAL if metrics.scope == PORTFOLIO else Severity.WARNING,
                title=title,
                message=message,
                value=reading.value,
                limit=reading.limit,
                raised_at=as_of,
            )
            found.append(self.event(EventType.RISK_ALERT, alert, as_of=as_of))
        return found


def _limit(config: Mapping[str, Any], name: str, default: float) -> float:
    value = float(config.get(name, default))
    if not 0.0 < value <= 1.0:
        raise must(name, "be a fraction above 0 and up to 1", value, "correct the configuration")
    return value


def _moment(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    return as_utc(datetime.fromisoformat(value) if isinstance(value, str) else value)
