"""What a person may set, by environment variable or YAML file, read once at start and frozen from then on.

A bad value is refused with the name it was set under; secrets never print.
"""

from engine.settings.model import VARIABLES, AgentSettings, Settings, default_home, is_loopback
from engine.settings.parts import FeedChoice, LogLevel, RunEnvironment, TradingMode
from engine.settings.reading import agent_settings, load_settings

__all__ = [
    "VARIABLES",
    "AgentSettings",
    "FeedChoice",
    "LogLevel",
    "RunEnvironment",
    "Settings",
    "TradingMode",
    "agent_settings",
    "default_home",
    "is_loopback",
    "load_settings",
]
