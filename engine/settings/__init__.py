"""What a person may set, by environment variable or YAML file, read once at start and frozen from then on.

A bad value is refused with the name it was set under; secrets never print.
"""

from engine.settings.model import LOOPBACK, VARIABLES, AgentSettings, Settings, default_home
from engine.settings.parts import FeedChoice, LogLevel, RunEnvironment, TradingMode
from engine.settings.reading import agent_settings, load_settings

__all__ = [
    "LOOPBACK",
    "VARIABLES",
    "AgentSettings",
    "FeedChoice",
    "LogLevel",
    "RunEnvironment",
    "Settings",
    "TradingMode",
    "agent_settings",
    "default_home",
    "load_settings",
]
