"""Lanes: which kinds of work have places of their own, so that a full queue never holds up a stop.

The lane follows from the task's declared type, never from its priority: urgency is cheap to claim.
"""

from collections.abc import Mapping
from types import MappingProxyType

SHARED = "shared"
"""Everything without a lane of its own; `max_concurrent_tasks` bounds it."""
LONG = "long"
"""An agent's own `run()`: one long task each, outside every count."""

LANE_OF: Mapping[str, str] = MappingProxyType(
    {
        "risk_check": "risk",
        "risk_cycle": "risk",
        "stop_loss": "stop",
        "halt_trading": "stop",
        "price_cycle": "crew",
        "supervisor_cycle": "crew",
        "agent_run": LONG,
    }
)
"""Lane by task type."""

PLACES: Mapping[str, int] = MappingProxyType({"risk": 2, "stop": 2, "crew": 2})
"""Tasks at once in each lane of its own."""


def lane_of(task_type: str) -> str:
    """Return the lane of a task type.

    Examples
    --------
    >>> lane_of("stop_loss"), lane_of("check_positions")
    ('stop', 'shared')
    """
    return LANE_OF.get(task_type, SHARED)
