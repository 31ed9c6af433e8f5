"""Pilothouse's engine: every public name stands here and is loaded when it is first asked for.

`import engine` itself loads nothing but this file; `engine/__init__.pyi` gives the types.
"""

from importlib import import_module as _import_module

_HOMES = {
    "AgentRegistry": "engine.scheduling.registry",
    "AgentStatus": "engine.domain.agents",
    "BaseAgent": "engine.agents.base",
    "BaseStrategy": "engine.strategies.base",
    "CalculationCache": "engine.strategies.cache",
    "ConcurrentStrategyExecutor": "engine.strategies.executor",
    "Event": "engine.domain.events",
    "EventBus": "engine.core.event_bus",
    "EventType": "engine.domain.events",
    "ExecutionAgent": "engine.agents.execution",
    "ExecutionEngine": "engine.scheduling.execution_engine",
    "MarketDataAgent": "engine.agents.market_data",
    "MeanReversionStrategy": "engine.strategies.mean_reversion",
    "MomentumStrategy": "engine.strategies.momentum",
    "MonteCarloAgent": "engine.agents.monte_carlo",
    "MultiAlgorithmOrchestrator": "engine.strategies.orchestrator",
    "PaperBroker": "engine.adapters.brokers.paper",
    "ResourcePool": "engine.scheduling.resource_pool",
    "RiskAgent": "engine.agents.risk",
    "RiskLevel": "engine.domain.risk",
    "SentimentAgent": "engine.agents.sentiment",
    "Signal": "engine.domain.signals",
    "SignalAction": "engine.domain.signals",
    "SignalStrength": "engine.domain.signals",
    "SimulationLevel": "engine.domain.forecast",
    "StateManager": "engine.core.state_manager",
    "StrategyAgent": "engine.agents.strategy",
    "StrategyContext": "engine.domain.signals",
    "SupervisorAgent": "engine.agents.supervisor",
    "TaskPriority": "engine.domain.agents",
    "TradingSignal": "engine.domain.signals",
    "get_agent_registry": "engine.scheduling.registry",
    "initialize_database": "engine.core.database",
}
_OTHER_NAMES = {"TradingSignal": "Signal"}

__all__ = sorted(_HOMES)  # noqa: PLE0605 -- the table is the one list of public names


def __getattr__(name: str) -> object:
    """Return the public name, loading its module now."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    value: object = getattr(_import_module(home), _OTHER_NAMES.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names and those of the module itself."""
    return sorted({*globals(), *_HOMES})
