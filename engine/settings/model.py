"""The settings themselves: fields, defaults, rules between fields, and the hash of what influences a run.

Building a class gives its defaults; only `engine.settings.reading` looks at an environment or a file.
"""

import hashlib
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from engine.domain.payload import encode
from engine.domain.risk import RiskLimits
from engine.settings.parts import (
    LIMITS,
    AgentPart,
    AgentPoolPart,
    ExecutionPart,
    FeedChoice,
    Fraction,
    LimitsPart,
    LogLevel,
    OrchestratorPart,
    Port,
    ResourcePoolPart,
    RlPart,
    RunEnvironment,
    SandboxPart,
    SchedulerPart,
    StrategyPart,
    TradingMode,
)

VARIABLES: dict[str, str] = {
    "trading_mode": "TRADING_MODE",
    "use_testnet": "USE_TESTNET",
    "max_position_size": "MAX_POSITION_SIZE",
    "max_daily_loss": "MAX_DAILY_LOSS",
    "var_confidence": "VAR_CONFIDENCE",
    "risk_per_trade": "RISK_PER_TRADE",
    "mc_paths": "MC_PATHS",
    "mc_steps": "MC_STEPS",
    "mc_levels": "MC_LEVELS",
    "mc_rehearsal": "MC_REHEARSAL",
    "log_level": "LOG_LEVEL",
    "environment": "FINAGENT_ENV",
    "openai_api_key": "OPENAI_API_KEY",
    "polygon_api_key": "POLYGON_API_KEY",
    "alpha_vantage_api_key": "ALPHA_VANTAGE_API_KEY",
    "binance_api_key": "BINANCE_API_KEY",
    "binance_secret_key": "BINANCE_SECRET_KEY",
    "home": "PILOTHOUSE_HOME",
    "host": "PILOTHOUSE_HOST",
    "port": "PILOTHOUSE_PORT",
    "password_file": "PILOTHOUSE_PASSWORD_FILE",
    "allowed_hosts": "PILOTHOUSE_ALLOWED_HOSTS",
    "database_url": "PILOTHOUSE_DATABASE_URL",
    "feed": "PILOTHOUSE_FEED",
    "symbols": "PILOTHOUSE_SYMBOLS",
    "seed": "PILOTHOUSE_SEED",
    "speed": "PILOTHOUSE_SPEED",
    "start": "PILOTHOUSE_START",
    "config_file": "PILOTHOUSE_CONFIG",
}
"""Field of `Settings` to the environment variable that sets it (the log level has a second: FINAGENT_LOG_LEVEL)."""

SECRETS = {name for name in VARIABLES if name.endswith("_key")} | {"database_url"}
_WITHOUT_INFLUENCE = SECRETS | {
    *("home", "host", "port", "password_file", "allowed_hosts", "config_file"),
    *("log_level", "environment", "orchestrator", "agent_pools"),
}


def _split(value: object) -> object:
    """Return the names of a comma-separated list; anything else as it is."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


def _short_mode(value: object) -> object:
    """Return the mode in its short spelling; the founding documents write both "paper" and "paper_trading"."""
    word = value.lower() if isinstance(value, str) else value
    return {"paper_trading": "paper", "live_trading": "live"}.get(str(word), word)


_Lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
_Upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
_Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
_Levels = Annotated[tuple[Annotated[int, Field(ge=1, le=5)], ...], BeforeValidator(_split)]


def default_home() -> Path:
    """Return ``data`` beside the checkout; for an installed package, which has none, ``~/.pilothouse``."""
    beside = Path(__file__).resolve().parents[2]
    return beside / "data" if is_checkout(beside) else Path.home() / ".pilothouse"


def is_checkout(folder: Path) -> bool:
    """Return whether a folder is this project's: other packages may leave a pyproject.toml among the installed ones."""
    try:
        words = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return 'name = "pilothouse"' in words.splitlines()


def is_loopback(host: str) -> bool:
    """Return whether nobody but this machine reaches a server there.

    Examples
    --------
    >>> [is_loopback(host) for host in ("localhost", "127.0.0.2", "::1", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _broken(field: str, rule: str, value: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError(
        "broken_rule", "{rule}", {"field": field, "rule": rule, "value": value, "remedy": remedy}
    )


class AgentSettings(BaseSettings):
    """What an agent built alone reads; `Settings` has the same and more.

    Building the class itself gives the defaults: only `agent_settings` and `load_settings` look at an environment.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    trading_mode: Annotated[TradingMode, BeforeValidator(_short_mode)] = TradingMode.PAPER
    max_position_size: Fraction = LIMITS.max_position_size
    max_daily_loss: Fraction = LIMITS.max_daily_loss
    risk_per_trade: Fraction = LIMITS.risk_per_trade
    var_confidence: float = Field(default=0.95, gt=0.5, lt=1)
    mc_paths: int = Field(default=1000, ge=1, le=1_000_000)
    mc_steps: int = Field(default=50, ge=1, le=10_000)
    mc_levels: _Levels = (2, 1, 3, 4, 5)
    mc_rehearsal: int = Field(default=250, ge=0, le=1_000)

    @field_validator("mc_levels")
    @classmethod
    def _some_once(cls, levels: tuple[int, ...]) -> tuple[int, ...]:
        if not levels or len(set(levels)) < len(levels):
            raise _broken(
                "mc_levels", "name levels from 1 to 5, each once, the first being what votes go by", str(levels),
                "name at least one, for example 2,1",
            )  # fmt: skip
        return levels

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 -- pydantic-settings' signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the same
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the same
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the given values alone, so that nothing is read that was not asked for."""
        return (init_settings,)


class Settings(AgentSettings):
    """Everything that may be set; see `VARIABLES` for the names outside.

    `speed` is in bars a minute; `start` is the market date on which a replay begins;
    `symbols` is the watchlist, empty for all that the feed knows.
    """

    use_testnet: bool = True
    environment: Annotated[RunEnvironment, _Lower] = RunEnvironment.PRODUCTION
    log_level: Annotated[LogLevel, _Upper] = LogLevel.INFO
    openai_api_key: SecretStr | None = None
    polygon_api_key: SecretStr | None = None
    alpha_vantage_api_key: SecretStr | None = None
    binance_api_key: SecretStr | None = None
    binance_secret_key: SecretStr | None = None

    home: Path = Field(default_factory=default_home)
    host: str = "127.0.0.1"
    port: Port = 8050
    password_file: Path | None = None
    allowed_hosts: _Names = ()
    database_url: SecretStr | None = None
    config_file: Path | None = None

    feed: Annotated[FeedChoice, _Lower] = FeedChoice.REPLAY
    symbols: _Names = ()
    seed: int = Field(default=1, ge=0, lt=2**63)
    speed: float = Field(default=12, ge=0.1, le=600)
    start: date = date(2008, 9, 2)

    orchestrator: OrchestratorPart = OrchestratorPart()
    agent_pools: dict[str, AgentPoolPart] = Field(default_factory=dict)
    rl_engine: RlPart = RlPart()
    sandbox: SandboxPart = SandboxPart()
    strategies: dict[str, StrategyPart] = Field(default_factory=dict)
    agents: dict[Annotated[str, Field(pattern=r"^[\w .-]{1,64}$")], AgentPart] = Field(
        default_factory=dict
    )
    execution_engine: ExecutionPart = ExecutionPart()
    resource_pool: ResourcePoolPart = ResourcePoolPart()
    scheduler: SchedulerPart = SchedulerPart()
    limits: LimitsPart = LimitsPart()

    @field_validator("home", "password_file", "config_file")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("symbols")
    @classmethod
    def _each_once(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((s for n, s in enumerate(symbols) if s in symbols[:n]), None)
        if twice is not None:
            raise _broken("symbols", "name each symbol once", twice, "remove one of the two")
        return symbols

    @field_validator("database_url")
    @classmethod
    def _names_a_database(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and "://" not in url.get_secret_value():
            raise _broken(
                "database_url", "be a database URL such as postgresql://user@host/name", "something else",
                "correct it, or unset the variable for SQLite in PILOTHOUSE_HOME",
            )  # fmt: skip
        return url

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not is_loopback(self.host) and self.password_file is None:
            raise _broken(
                "host",
                "be a loopback address while no password is set",
                self.host,
                "set PILOTHOUSE_PASSWORD_FILE too, or use 127.0.0.1",
            )
        if self.password_file is not None and not self.password_file.is_file():
            raise _broken(
                "password_file", "name a file", str(self.password_file), "create it with mode 0600"
            )
        if self.trading_mode is TradingMode.LIVE and not (
            self.binance_api_key and self.binance_secret_key
        ):
            raise _broken(
                "trading_mode",
                "be 'paper' while the venue's keys are missing",
                "live",
                "set BINANCE_API_KEY and BINANCE_SECRET_KEY, or use paper",
            )
        return self

    @property
    def journal_location(self) -> str | Path:
        """Where the journal is: a database URL (which may hold a password) or a file in `home`."""
        return (
            self.database_url.get_secret_value() if self.database_url else self.home / "journal.db"
        )

    @property
    def store_folder(self) -> Path:
        """Where the shared store is."""
        return self.home / "store"

    @property
    def risk_limits(self) -> RiskLimits:
        """The limits in force at the start."""
        return RiskLimits(
            max_position_size=self.max_position_size,
            max_daily_loss=self.max_daily_loss,
            risk_per_trade=self.risk_per_trade,
            **self.limits.model_dump(),
        )

    def config_hash(self) -> str:
        """Return a hash over all that influences a run: no secret, path, address or log level."""
        meaning = self.model_dump(mode="json", exclude=_WITHOUT_INFLUENCE)
        return hashlib.sha256(encode(meaning)).hexdigest()[:16]
