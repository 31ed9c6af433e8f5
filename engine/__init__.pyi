"""Types of the public names; `tests/test_public_names.py` holds this file equal to the table in `__init__.py`."""

from engine.adapters.brokers.paper import PaperBroker as PaperBroker
from engine.agents.base import BaseAgent as BaseAgent
from engine.agents.execution import ExecutionAgent as ExecutionAgent
from engine.agents.market_data import MarketDataAgent as MarketDataAgent
from engine.agents.monte_carlo import MonteCarloAgent as MonteCarloAgent
from engine.agents.risk import RiskAgent as RiskAgent
from engine.agents.sentiment import SentimentAgent as SentimentAgent
from engine.agents.strategy import StrategyAgent as StrategyAgent
from engine.agents.supervisor import SupervisorAgent as SupervisorAgent
from engine.core.database import initialize_database as initialize_database
from engine.core.event_bus import EventBus as EventBus
from engine.core.state_manager import StateManager as StateManager
from engine.domain.agents import AgentStatus as AgentStatus
from engine.domain.agents import TaskPriority as TaskPriority
from engine.domain.events import Event as Event
from engine.domain.events import EventType as EventType
from engine.domain.forecast import SimulationLevel as SimulationLevel
from engine.domain.risk import RiskLevel as RiskLevel
from engine.domain.signals import Signal as Signal
from engine.domain.signals import SignalAction as SignalAction
from engine.domain.signals import SignalStrength as SignalStrength
from engine.domain.signals import StrategyContext as StrategyContext
from engine.scheduling.execution_engine import ExecutionEngine as ExecutionEngine
from engine.scheduling.registry import AgentRegistry as AgentRegistry
from engine.scheduling.registry import get_agent_registry as get_agent_registry
from engine.scheduling.resource_pool import ResourcePool as ResourcePool
from engine.strategies.base import BaseStrategy as BaseStrategy
from engine.strategies.cache import CalculationCache as CalculationCache
from engine.strategies.executor import ConcurrentStrategyExecutor as ConcurrentStrategyExecutor
from engine.strategies.mean_reversion import MeanReversionStrategy as MeanReversionStrategy
from engine.strategies.momentum import MomentumStrategy as MomentumStrategy
from engine.strategies.orchestrator import MultiAlgorithmOrchestrator as MultiAlgorithmOrchestrator

TradingSignal = Signal

__all__: list[str]
