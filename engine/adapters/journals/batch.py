"""What every journal asks of a batch of events before it takes them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from engine.domain.errors import JournalError, OwnershipLostError, must
from engine.domain.events import Event, EventType, Retention

_ANSWERS = frozenset({EventType.COMMAND_ACCEPTED, EventType.COMMAND_REFUSED})


def check_sequence(events: Sequence[Event]) -> None:
    """Refuse a batch whose numbers do not rise.

    Raises
    ------
    InvalidValueError
        A number is below 1 or not above the one before it.
    """
    numbers = [0, *(event.seq for event in events)]
    for before, after in pairwise(numbers):
        if after <= before:
            raise must(
                "seq", f"rise above {before}", after, "stamp events before they are appended"
            )


def check_checkpoint(seq: int, head: int) -> None:
    """Refuse a checkpoint of events that are not in the journal yet.

    Raises
    ------
    InvalidValueError
        `seq` lies above the head.
    """
    if seq > head:
        raise must("checkpoint.seq", f"be at most the head {head}", seq, "append the events first")


def refusal(epoch: int, held: int, head: int, first: int) -> OwnershipLostError | JournalError:
    """Return why a batch that begins at `first` was not taken."""
    if held > epoch:
        return ownership_lost(epoch, held)
    return JournalError(
        f"seq must rise above the journal's head {head}, was {first}; read the head again before appending"
    )


def ownership_lost(epoch: int, held: int) -> OwnershipLostError:
    """Return the error of an owner whose time is over."""
    return OwnershipLostError(
        f"epoch must be the present {held}, was {epoch}; another process owns the engine now, this one must end"
    )


def kept(events: Iterable[Event]) -> list[Event]:
    """Return the events that a journal keeps: all but telemetry."""
    return [event for event in events if event.retention is not Retention.TELEMETRY]


def answered(events: Iterable[Event]) -> list[str]:
    """Return the ids of the commands that these events answer."""
    return [
        str(event.data["command_id"])
        for event in events
        if event.event_type in _ANSWERS and event.data.get("command_id")
    ]
