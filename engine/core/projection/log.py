"""Section ``log``: the newest events that are told of, as the Journal shows them.

Ticks, telemetry and what `is_told` leaves out stay in the journal itself: a search there finds them.
"""

from typing import Any

from engine.core.projection.fold import NOTHING, Fold, Names, Route
from engine.core.projection.meaning import is_told, log_row
from engine.domain.events import Event, EventType, Retention
from engine.domain.log import LogSection
from engine.domain.payload import Payload

MAX_ROWS = 200
_SILENT = (Retention.STREAM, Retention.TELEMETRY)


class LogFold(Fold):
    """``log``."""

    key = "log"

    def __init__(self) -> None:
        self._section = LogSection()

    def routes(self) -> dict[EventType, Route]:
        """Return a route for every type that is shown."""
        return {kind: self._log for kind in EventType if Event(kind).retention not in _SILENT}

    def names(self) -> Names:
        """Return ``log``."""
        return ("log",)

    def value(self, _name: str, /) -> Payload | None:
        """Return the rows, newest first."""
        return self._section

    def kept(self) -> object:
        """Return the section."""
        return self._section

    def restore(self, data: Any) -> None:  # noqa: ANN401
        """Take it over."""
        self._section = LogSection.from_data(data)

    def _log(self, event: Event) -> Names:
        if not is_told(event):
            return NOTHING
        rows = (log_row(event), *self._section.rows[: MAX_ROWS - 1])
        self._section = LogSection(rows=rows, head=event.seq)
        return ("log",)
