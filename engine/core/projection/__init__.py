"""From events to sections; `Projection` is the door, one module a family stands behind it."""

from engine.core.projection.meaning import log_row
from engine.core.projection.projection import Projection

__all__ = ["Projection", "log_row"]
