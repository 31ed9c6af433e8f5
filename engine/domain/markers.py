"""Signs on a chart: where the engine voted to trade and where it traded.

A section of its own payload, beside the others in `engine.domain.sections`; times are market time.
"""

from dataclasses import dataclass
from datetime import datetime

from engine.domain.payload import Payload
from engine.domain.signals import SignalAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker(Payload):
    """A sign on the chart: `kind` is "signal" or "fill"."""

    kind: str
    action: SignalAction
    at: datetime
    price: float
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkersSection(Payload):
    """``markers:SYMBOL``: the last 400 signals and fills."""

    markers: tuple[Marker, ...] = ()
