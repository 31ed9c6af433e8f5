"""The sections of the configuration file and the words that settings may take.

Every section is frozen and refuses a key that it does not know. Fractions are fractions, never percent.
"""

from datetime import date
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from engine.domain.risk import RiskLimits

LIMITS = RiskLimits()
"""The defaults of all limits stand in the domain, once."""

Fraction = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Port = Annotated[int, Field(ge=1, le=65535)]


class TradingMode(Enum):
    """Whether orders may reach a venue."""

    PAPER = "paper"
    LIVE = "live"


class RunEnvironment(Enum):
    """Which overlay of the configuration file is in force."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


class FeedChoice(Enum):
    """Which feed brings prices."""

    REPLAY = "replay"
    SYNTHETIC = "synthetic"


class LogLevel(Enum):
    """How much the log says."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class _Part(BaseModel):
    """A section of the configuration file: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


class ResourceLimits(_Part):
    """What one replica may use, in Kubernetes' units."""

    cpu: str = "2"
    memory: str = "4Gi"


class OrchestratorPart(_Part):
    """``orchestrator``: workflows. Where the app listens is PILOTHOUSE_HOST and PILOTHOUSE_PORT alone."""

    host: str = "0.0.0.0"  # noqa: S104 -- the founding template's value; nothing binds to it
    port: Port = 9000
    max_concurrent_tasks: int = Field(default=100, ge=1)
    enable_rl: bool = True
    enable_sandbox: bool = True
    replicas: int = Field(default=1, ge=1)
    resources: ResourceLimits = ResourceLimits()


class AgentPoolPart(_Part):
    """``agent_pools.<name>``: without a URL the pool runs in this process."""

    url: str | None = Field(default=None, repr=False)
    enabled: bool = True


class RlPart(_Part):
    """``rl_engine``: reinforcement learning."""

    algorithm: str = "TD3"
    learning_rate: float = Field(default=0.0003, gt=0)
    buffer_size: int = Field(default=1_000_000, ge=1)
    batch_size: int = Field(default=256, ge=1)


class SandboxPart(_Part):
    """``sandbox``: defaults of back-tests; a scenario's own parameters win."""

    initial_capital: float = Field(default=1_000_000, gt=0)
    commission_rate: float = Field(default=0.001, ge=0, lt=1)
    data_start_date: date = date(2020, 1, 1)


class StrategyPart(_Part):
    """``strategies.<name>``: its vote and its own parameters, which the strategy itself checks."""

    enabled: bool = True
    weight: float = Field(default=1.0, ge=0)
    params: dict[str, bool | int | float | str] = Field(default_factory=dict)


class AgentPart(_Part):
    """``agents.<name>``: an agent of one's own.

    `use` is ``package.module:Class`` or the name of an entry point of the group ``pilothouse.agents``; `config` is what
    the agent is given, its `interval` in seconds among it.
    """

    use: str = Field(min_length=1, max_length=200)
    enabled: bool = True
    config: dict[str, bool | int | float | str | list[bool | int | float | str]] = Field(
        default_factory=dict
    )


class ExecutionPart(_Part):
    """``execution_engine``: the shared queue."""

    max_concurrent_tasks: int = Field(default=20, ge=1)
    task_timeout_multiplier: float = Field(default=1.5, gt=0)


class ResourcePoolPart(_Part):
    """``resource_pool``: what custom tasks share; `cache_ttl` in seconds."""

    http_pool_size: int = Field(default=30, ge=1)
    cache_ttl: float = Field(default=120, gt=0)


class SchedulerPart(_Part):
    """``scheduler``: how much each condition counts when intervals adapt."""

    market_weight: Share = 0.5
    performance_weight: Share = 0.3
    system_weight: Share = 0.2


class LimitsPart(_Part):
    """``limits``: the limits that have no environment variable; fractions of equity unless the name says otherwise."""

    max_gross_exposure: float = Field(default=LIMITS.max_gross_exposure, gt=0, le=10)
    max_var_95: Fraction = LIMITS.max_var_95
    max_cvar_95: Fraction = LIMITS.max_cvar_95
    max_drawdown: Fraction = LIMITS.max_drawdown
    trade_band: Share = LIMITS.trade_band
    max_input_age_s: float = Field(default=LIMITS.max_input_age_s, gt=0)
