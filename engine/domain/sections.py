"""What may be seen: the versioned sections that the projection writes and screens read.

Named ``kind`` or ``kind:SUBJECT``, a frozen payload and a stamp (moment, receipt, version); the journal rebuilds them.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from engine.domain.agents import (
    AgentMeasured,
    AgentStatus,
    PaceInputs,
    SchedulerWeights,
    TaskDurations,
    TaskPriority,
)
from engine.domain.commands import CommandAnswer
from engine.domain.errors import UnknownNameError
from engine.domain.forecast import CardSection, Forecast
from engine.domain.instrument import Instrument
from engine.domain.log import LogSection
from engine.domain.markers import MarkersSection
from engine.domain.market import Bar, BarColumns, FeedState
from engine.domain.order_way import OrderWaySection
from engine.domain.outcomes import VotesByBar
from engine.domain.payload import Payload
from engine.domain.resources import ApiFigures, PoolFigures
from engine.domain.risk import Alert, LimitUse, RiskLimits, RiskMetrics
from engine.domain.signals import CycleRecord
from engine.domain.trading import Account, Fill, HaltMode, Order, Position
from engine.domain.var_backtest import BacktestSection

T = TypeVar("T", bound=Payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp(Payload):
    """When a section's value is true and when it became known.

    Parameters
    ----------
    version : int
        Grows with every write of any section.
    as_of : datetime or None
        Market time that it speaks of.
    computed_at : float
        Wall time of receipt, epoch seconds; the age on screen counts from here.
    budget_s : float or None
        Fresh up to this age, ageing up to twice, stale beyond; None never grows stale.
    """

    version: int
    as_of: datetime | None = None
    computed_at: float = 0.0
    budget_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSection(Payload):
    """``engine``: who runs, since when, in what mode.

    `state` is "starting", "running", "stopping", "stopped" or "failed"; its dashboard answers on `port` of `host`;
    `levels` are those that are forecast, the first being what votes and risk go by.
    """

    state: str
    owner: str = ""
    pid: int = 0
    host: str = ""
    port: int = 0
    epoch: int = 0
    started_at: float = 0.0
    trading_mode: str = "paper"
    environment: str = "production"
    version: str = ""
    fingerprint: str = ""
    seed: int = 0
    config_hash: str = ""
    data_hash: str = ""
    code_hash: str = ""
    note: str = ""
    levels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentsSection(Payload):
    """``instruments``: what is watched, in watchlist order."""

    instruments: tuple[Instrument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSection(Payload):
    """``feed``: where the feed stands and what its validator did."""

    state: FeedState | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    held: int = 0
    last_tick_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote(Payload):
    """Last price of one symbol.

    Parameters
    ----------
    previous_close : float or None
        Close of the bar before the one that `price` belongs to.
    spark : tuple of float
        The last 30 closes and the current price.
    bar : Bar or None
        The forming or just closed bar.
    received_at : float
        Wall epoch seconds.
    """

    symbol: str
    price: float
    as_of: datetime
    received_at: float
    previous_close: float | None = None
    spark: tuple[float, ...] = ()
    bar: Bar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotesSection(Payload):
    """``quotes``: last prices by symbol."""

    quotes: dict[str, Quote] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsSection(Payload):
    """``bars:SYMBOL``: the last closed bars, at most 1,500."""

    columns: BarColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSection(Payload):
    """``forecast:SYMBOL``: the newest forecast by level number, and the record made at the previous closed bar."""

    by_level: dict[str, Forecast] = field(default_factory=dict)
    previous: dict[str, Forecast] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSection(Payload):
    """``risk:SCOPE``: newest metrics of a symbol or of "portfolio", with the last 250 VaR 95 values as trend."""

    metrics: RiskMetrics
    trend_var_95: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleSection(Payload):
    """``cycle:SYMBOL``: the newest why-card and the last 50 actions before it."""

    record: CycleRecord
    recent: tuple[CycleRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityPoint(Payload):
    """Equity at one moment; epoch seconds and money."""

    at: int
    equity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioSection(Payload):
    """``portfolio``: the account with its value at the last prices.

    `day_pnl` counts from the equity at the last price before `day`, the UTC date of the newest price.
    `equity_curve` has one point per closed bar, the last 1,500.
    """

    account: Account
    equity: Decimal
    day_start_equity: Decimal
    day_pnl: Decimal
    peak_equity: Decimal
    marks: dict[str, float] = field(default_factory=dict)
    positions: tuple[Position, ...] = ()
    open_orders: tuple[Order, ...] = ()
    recent_fills: tuple[Fill, ...] = ()
    equity_curve: tuple[EquityPoint, ...] = ()
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRow(Payload):
    """One strategy: its weight in force, and `wins` of `n` votes whose next closed bar moved the way of the vote."""

    name: str
    title: str
    description: str = ""
    weight: float = 1.0
    enabled: bool = True
    wins: int = 0
    n: int = 0
    by_bar: VotesByBar = field(default_factory=VotesByBar)
    votes: dict[str, float] = field(default_factory=dict)
    parameters: dict[str, float | int | bool | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsChange(Payload):
    """One applied change of weights, newest first in the history: the payload of WEIGHTS_CHANGED."""

    weights: dict[str, float]
    enabled: dict[str, bool] = field(default_factory=dict)
    previous: dict[str, float] = field(default_factory=dict)
    previous_enabled: dict[str, bool] = field(default_factory=dict)
    actor: str = "local"
    at: datetime | None = None
    reason: str = ""
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategiesSection(Payload):
    """``strategies``: rows in order of registration and the history of changes."""

    rows: tuple[StrategyRow, ...] = ()
    history: tuple[WeightsChange, ...] = ()
    threshold: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRow(Payload):
    """One agent: state, pace and what it has done.

    `actor` set the state and `since` says when (wall epoch seconds); `runs_itself` marks a loop of its own, whose turns
    nobody counts.
    """

    agent_id: str
    title: str
    detail: str = ""
    status: AgentStatus = AgentStatus.CREATED
    reason: str = ""
    actor: str = ""
    since: float | None = None
    priority: TaskPriority = TaskPriority.NORMAL
    runs_itself: bool = False
    interval_s: float | None = None
    base_interval_s: float | None = None
    is_paced: bool = False
    pace_inputs: PaceInputs | None = None
    trigger: str = ""
    topics_in: tuple[str, ...] = ()
    topics_out: tuple[str, ...] = ()
    measured: AgentMeasured | None = None
    last_error: str = ""
    consecutive_errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsSection(Payload):
    """``agents``: rows in start order, events per second by topic, the engine's figures, the weights.

    `events_by_source` has the events per second of each source by topic. `durations` has a row for each agent and task
    type that the execution engine ran; `measured_at` is when the last health check took the figures (wall epoch
    seconds).
    """

    rows: tuple[AgentRow, ...] = ()
    measured_at: float | None = None
    events_per_second: dict[str, float] = field(default_factory=dict)
    events_by_source: dict[str, dict[str, float]] = field(default_factory=dict)
    queue_by_priority: dict[str, int] = field(default_factory=dict)
    running_tasks: int = 0
    max_concurrent_tasks: int = 20
    late_tasks: int = 0
    late_ms_p99: float | None = None
    failed_tasks: int = 0
    timed_out_tasks: int = 0
    orphaned_tasks: int = 0
    timers: dict[str, int] = field(default_factory=dict)
    loop_lag_ms: float | None = None
    durations: tuple[TaskDurations, ...] = ()
    apis: tuple[ApiFigures, ...] = ()
    pool: PoolFigures | None = None
    weights: SchedulerWeights = field(default_factory=SchedulerWeights)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow(Payload):
    """One alert in the bell's history."""

    alert: Alert
    at: float
    seq: int
    is_acknowledged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsSection(Payload):
    """``alerts``: the last 200, newest first."""

    rows: tuple[AlertRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingSection(Payload):
    """``trading``: the latch, the limits and how much of each is used."""

    mode: HaltMode = HaltMode.ACTIVE
    actor: str = ""
    reason: str = ""
    since: float | None = None
    limits: RiskLimits = field(default_factory=RiskLimits)
    uses: tuple[LimitUse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersSection(Payload):
    """``answers``: the last 50 answers to commands, newest first; (seq, wall epoch seconds, was accepted, answer)."""

    rows: tuple[tuple[int, float, bool, CommandAnswer], ...] = ()


_KINDS: dict[str, type[Payload]] = {
    "engine": EngineSection,
    "instruments": InstrumentsSection,
    "feed": FeedSection,
    "quotes": QuotesSection,
    "bars": BarsSection,
    "forecast": ForecastSection,
    "card": CardSection,
    "risk": RiskSection,
    "backtest": BacktestSection,
    "cycle": CycleSection,
    "markers": MarkersSection,
    "portfolio": PortfolioSection,
    "strategies": StrategiesSection,
    "agents": AgentsSection,
    "alerts": AlertsSection,
    "trading": TradingSection,
    "answers": AnswersSection,
    "log": LogSection,
    "order_way": OrderWaySection,
}

BUDGET_S: dict[str, float | None] = dict.fromkeys(_KINDS) | {"quotes": 15.0, "feed": 15.0}
"""How old a section may grow; what changes once per bar gets its budget from the feed (see the projection)."""


def section_type(name: str) -> type[Payload]:
    """Return the payload class of the section called `name`.

    Raises
    ------
    UnknownNameError
        No section has this name.
    """
    kind = _KINDS.get(name.partition(":")[0])
    if kind is None:
        raise UnknownNameError(
            f"section must be one of {', '.join(sorted(_KINDS))} (with :SUBJECT), was {name!r}; correct the name"
        )
    return kind


@dataclass(frozen=True, slots=True)
class Section(Generic[T]):
    """A section's value with its stamp."""

    name: str
    value: T
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What `gateway.read` answers: the newest version seen and the sections asked for that exist."""

    version: int
    sections: dict[str, Section[Any]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.sections

    def value(self, name: str) -> Any | None:  # noqa: ANN401 -- the section's own type, see section_type
        """Return the value of a section, or None while it is unknown."""
        section = self.sections.get(name)
        return None if section is None else section.value

    def stamp(self, name: str) -> Stamp | None:
        """Return the stamp of a section, or None while it is unknown."""
        section = self.sections.get(name)
        return None if section is None else section.stamp
