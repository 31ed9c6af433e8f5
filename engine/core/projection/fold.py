"""One family of sections: how events change it, what is seen of it, and what a checkpoint keeps of it.

A fold is deterministic over events; frozen values leave it, so that they may be encoded in another thread.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from engine.domain.events import Event, EventType
from engine.domain.market import BarColumns
from engine.domain.payload import Payload

Names = Iterable[str]
"""Names of sections that changed."""
NOTHING: tuple[str, ...] = ()
Route = Callable[[Event], Names]
BarsOf = Callable[[str], BarColumns | None]
"""Gives the closed bars of a symbol as the engine knows them now (HISTORY_LOADED says only that they are there)."""


class Fold:
    """Base of every family; what is not overridden keeps nothing and shows nothing."""

    key: str = ""
    """Name under which a checkpoint keeps this family; empty for a family that is rebuilt from the feed."""

    def routes(self) -> Mapping[EventType, Route]:
        """Return what to call with events of which type."""
        raise NotImplementedError

    def names(self) -> Names:
        """Return the sections that exist."""
        raise NotImplementedError

    def value(self, name: str, /) -> Payload | None:
        """Return a section's frozen value, or None while it is unknown."""
        raise NotImplementedError

    def seed(self, value: Payload) -> Names:
        """Take what no event says (titles, limits, instruments) without touching what events said."""
        raise TypeError(
            f"{type(self).__name__} takes no {type(value).__name__}; seed another section"
        )

    def reset(self, _at: datetime | None, /) -> Names:
        """Forget what belongs to a run of the market: another began at this market time."""
        return NOTHING

    def kept(self) -> object:
        """Return what a checkpoint keeps: frozen or copied, encodable."""
        return None

    def restore(self, data: Any) -> None:  # noqa: ANN401 -- decoded JSON, converted by the family itself
        """Take over what `kept` returned, as decoded JSON."""


def received_at(event: Event) -> float:
    """Return the wall time of receipt in epoch seconds, 0 where an event carries none."""
    return 0.0 if event.computed_at is None else event.computed_at.timestamp()
