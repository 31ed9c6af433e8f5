"""The crew: which agents there are, what each is given, and the order in which they start."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from engine.adapters.compute.thread import ThreadCompute
from engine.agents.base import BaseAgent
from engine.agents.execution import ExecutionAgent
from engine.agents.limits import START_S, STOP_S
from engine.agents.market_data import MarketDataAgent
from engine.agents.monte_carlo import MonteCarloAgent
from engine.agents.own_parts import OwnBus, OwnMemory
from engine.agents.quota import Quota
from engine.agents.risk import RiskAgent
from engine.agents.sentiment import SentimentAgent
from engine.agents.strategy import StrategyAgent
from engine.agents.supervisor import SupervisorAgent
from engine.bootstrap.own_agents import load_kinds
from engine.bootstrap.pacing import checked_interval
from engine.core.containing import contained
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.errors import ConfigurationError, is_number, must
from engine.domain.events import EventType
from engine.ports.broker import Broker
from engine.ports.clock import Clock
from engine.ports.compute import Compute
from engine.ports.feed import Feed
from engine.scheduling.lanes import SHARED, lane_of
from engine.settings import Settings
from engine.settings.parts import AgentPart
from engine.trading.latch import KillSwitch

BUILT_IN = (
    "market_data",
    "monte_carlo",
    "risk",
    "strategy",
    "execution",
    "supervisor",
    "sentiment",
)
TICK_INTERVAL_S = 0.25
"""How often the feed is polled: the replay's ticks come at 4 Hz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every agent is given; `health` is what the supervisor reports, `waits_for` what market time waits for."""

    bus: EventBus
    state: StateManager
    clock: Clock
    compute: Compute
    feed: Feed
    broker: Broker
    kill_switch: KillSwitch
    epoch: int
    health: Callable[[], dict[str, Any]]
    waits_for: Callable[[], str] = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The agents by role; `all` is the order of start, data last, so that nobody misses the first tick."""

    market_data: MarketDataAgent
    monte_carlo: MonteCarloAgent
    risk: RiskAgent
    strategy: StrategyAgent
    execution: ExecutionAgent
    supervisor: SupervisorAgent
    sentiment: SentimentAgent
    own: tuple[BaseAgent, ...] = ()
    """Agents that the configuration names beside the built-in ones."""

    @property
    def all(self) -> tuple[BaseAgent, ...]:
        """Every agent in order of start: those who listen before those who speak."""
        return (
            self.execution,
            self.strategy,
            self.risk,
            self.monte_carlo,
            self.sentiment,
            *self.own,
            self.market_data,
            self.supervisor,
        )

    @property
    def shown(self) -> tuple[BaseAgent, ...]:
        """Every agent in the order of the data's flow, as screens list them."""
        return (
            self.market_data,
            self.monte_carlo,
            self.risk,
            self.strategy,
            self.execution,
            self.supervisor,
            self.sentiment,
            *self.own,
        )


def muster(settings: Settings, around: Surroundings) -> Crew:
    """Return the crew for these settings."""
    symbols = [i.symbol for i in around.feed.instruments]
    shared: dict[str, Any] = {
        "clock": around.clock,
        "compute": around.compute,
        "seed": settings.seed,
        "instruments": around.feed.instruments,
        "symbols": symbols,
    }
    parts = settings.strategies.items()
    chosen = {name: part.model_dump(exclude_unset=True) for name, part in parts}

    def build(kind: Callable[..., Any], name: str, **own: Any) -> Any:  # noqa: ANN401 -- each its own kind
        return kind(
            name=name, event_bus=around.bus, state_manager=around.state, config={**shared, **own}
        )

    execution = build(
        ExecutionAgent, "execution", broker=around.broker, limits=settings.risk_limits,
        kill_switch=around.kill_switch, epoch=around.epoch, needs_price=True, tail=lambda shares: risk.tail_of(shares),  # noqa: PLW0108 -- `risk` is built below
    )  # fmt: skip
    risk: RiskAgent = build(
        RiskAgent, "risk", portfolio=execution.portfolio, limits=settings.risk_limits,
        var_confidence=settings.var_confidence,
    )  # fmt: skip
    monte_carlo: MonteCarloAgent = build(
        MonteCarloAgent, "monte_carlo", n_paths=settings.mc_paths, n_steps=settings.mc_steps,
        levels=settings.mc_levels, rehearsal=settings.mc_rehearsal,
    )  # fmt: skip
    return Crew(
        market_data=build(
            MarketDataAgent, "market_data", feed=around.feed, interval=TICK_INTERVAL_S,
            waits_for=lambda: around.waits_for() or monte_carlo.waits_for(),
        ),
        monte_carlo=monte_carlo,
        risk=risk,
        strategy=build(StrategyAgent, "strategy", strategies=chosen),
        execution=execution,
        supervisor=build(
            SupervisorAgent, "supervisor", mode=settings.trading_mode.value, health=around.health
        ),
        sentiment=build(SentimentAgent, "sentiment"),
        own=tuple(
            _own(kind, name, part, around, shared)
            for name, (kind, part) in load_kinds(settings.agents, BUILT_IN).items()
        ),
    )  # fmt: skip


def _own(
    kind: type[BaseAgent], name: str, part: AgentPart, around: Surroundings, shared: dict[str, Any]
) -> BaseAgent:
    """Return an agent of one's own; what its constructor refuses is a matter of the configuration."""
    config, quota = {**shared, **part.config}, Quota(around.clock)
    agent_id = str(config.get("agent_id", name))
    if not around.compute.is_inline:  # forecasts wait for nobody else's work
        config["compute"] = ThreadCompute(f"pilothouse-own-{agent_id}")
    own_bus = OwnBus(around.bus, agent_id, quota, around.clock)
    memory = cast(StateManager, OwnMemory(around.state))
    try:
        with contained(agent_id):
            agent = kind(
                name=name, event_bus=cast(EventBus, own_bus), state_manager=memory, config=config
            )
            _check_own(agent)
    except Exception as error:
        raise ConfigurationError(
            f"agents.{name} must accept its configuration, did not ({type(error).__name__}: {error}); "
            f"correct agents.{name}.config"
        ) from error
    own_bus.is_deaf = lambda: agent.is_deaf
    for limit, most in (("start_limit_s", START_S), ("stop_limit_s", STOP_S)):
        given = getattr(agent, limit)
        if not (is_number(given) and 0 < given <= most):  # nobody else waits longer for it
            vars(agent)[limit] = most
    agent.quota = quota
    if lane_of(agent.task_type) != SHARED:  # kept free for risk, stops, prices and the supervisor
        vars(agent)["task_type"] = BaseAgent.task_type
    return agent


def _check_own(agent: BaseAgent) -> None:
    """Refuse an agent that cannot be shown or driven.

    Raises
    ------
    Exception
        Whatever is wrong with it.
    """
    if "state_manager" not in vars(agent):
        raise must("__init__", "call super().__init__", "left out", "call it first")
    for field in ("topics", "emits"):
        wrong = [each for each in getattr(agent, field) if not isinstance(each, EventType)]
        if wrong:
            raise must(
                field,
                "hold members of EventType",
                wrong[0],
                "write for example EventType.MARKET_DATA",
            )
    if agent.has_cycle:
        checked_interval("interval", agent.base_interval)
    agent.row()
