"""What can be lost: levels, metrics, limits and alerts.

VaR and shortfall are positive fractions of value; drawdown is zero or negative; volatility is annualised.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Self

from engine.domain.payload import Payload

PORTFOLIO = "portfolio"
"""The scope name of the whole account."""


LEVEL_STARTS: tuple[float, ...] = (3, 5, 7)
"""Scores at which MEDIUM, HIGH and CRITICAL begin."""


class RiskLevel(Enum):
    """LOW below 3 points, MEDIUM below 5, HIGH below 7, CRITICAL from 7."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @classmethod
    def from_score(cls, score: float) -> Self:
        """Return the level of a score between 0 and 10."""
        passed = bisect_right(LEVEL_STARTS, score)
        return tuple(cls)[passed]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePoint(Payload):
    """One line of the risk score: what was measured and the points it gave."""

    rule: str
    detail: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution(Payload):
    """What one position adds to the account's parametric VaR 95.

    The `component` of all sum to it; `incremental` is by how much it would fall without the position; `share` is its
    signed value over equity.
    """

    symbol: str
    share: float
    component: float
    incremental: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskMetrics(Payload):
    """Risk of one scope (a symbol or "portfolio"): the payload of RISK_UPDATE.

    None stands for "not enough data", with the reason in `note`. Historical method unless the name says otherwise;
    horizon one bar. `n_observations` is the number of returns behind the numbers; the `_error` of a Monte Carlo VaR is
    the standard error that its number of paths leaves.
    """

    scope: str
    n_observations: int
    var_95: float | None = None
    var_99: float | None = None
    cvar_95: float | None = None
    cvar_99: float | None = None
    var_95_parametric: float | None = None
    var_99_parametric: float | None = None
    var_95_monte_carlo: float | None = None
    var_99_monte_carlo: float | None = None
    var_95_monte_carlo_error: float | None = None
    var_99_monte_carlo_error: float | None = None
    max_drawdown: float | None = None
    drawdown: float | None = None
    sharpe_ratio: float | None = None
    sortino_ratio: float | None = None
    volatility: float | None = None
    beta: float | None = None
    score: float = 0.0
    risk_level: RiskLevel = RiskLevel.LOW
    points: tuple[ScorePoint, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    note: str = ""
    schema: int = 1


class Severity(Enum):
    """How loud an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Payload):
    """Something a person should know: the payload of RISK_ALERT.

    `symbol` is a ticker, "portfolio" or "engine"; `metric` names the breached number;
    `value` and `limit` are fractions.
    """

    alert_id: str
    symbol: str
    metric: str
    severity: Severity
    title: str
    message: str
    value: float | None = None
    limit: float | None = None
    raised_at: datetime | None = None
    schema: int = 1


class LimitAction(Enum):
    """What follows when a limit is broken, or an order would break it; later ones are stricter."""

    WARN = "warn"
    """Say so; the order leaves as it is."""
    CUT = "cut"
    """Make the order as small as the limit allows."""
    STOP_ENTRIES = "stop_entries"
    """Let nothing leave that raises what is limited; what only reduces leaves."""
    SKIP = "skip"
    """Drop the order whole."""
    REDUCE_ONLY = "reduce_only"
    """Trading goes to REDUCING until a person resumes it."""
    HALT = "halt"
    """Trading goes to HALTED until a person resumes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits(Payload):
    """The limits in force, as fractions of equity unless the name says otherwise.

    `actions` says by name of a limit what follows when it is broken, where that is not the default of
    `engine.domain.limits`.
    """

    max_position_size: float = 0.10
    max_daily_loss: float = 0.05
    risk_per_trade: float = 0.02
    max_gross_exposure: float = 1.0
    max_var_95: float = 0.05
    max_cvar_95: float = 0.08
    max_drawdown: float = 0.10
    trade_band: float = 0.005
    max_input_age_s: float = 15.0
    actions: dict[str, LimitAction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUse(Payload):
    """One limit with how much of it is used; `window` is for the screen."""

    name: str
    value: float
    limit: float
    window: str = ""
    detail: str = field(default="")
