"""How an event becomes text and a time a number; the same in every journal and in the log hash.

Times are whole microseconds since the epoch, UTC. A naive time counts as UTC.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, overload

import msgspec

from engine.domain.payload import whole_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@overload
def to_microseconds(moment: datetime) -> int: ...


@overload
def to_microseconds(moment: None) -> None: ...


def to_microseconds(moment: datetime | None) -> int | None:
    """Return whole microseconds since the epoch, or None for None."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


@overload
def from_microseconds(value: int) -> datetime: ...


@overload
def from_microseconds(value: None) -> None: ...


def from_microseconds(value: int | None) -> datetime | None:
    """Return the moment, UTC and aware, or None for None."""
    return None if value is None else _EPOCH + timedelta(microseconds=value)


def _plain(value: object) -> object:
    """Return numbers and arrays of numpy as plain ones; what has no plain form is an error of its sender."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise NotImplementedError(type(value).__qualname__)


_ENCODER = msgspec.json.Encoder(order="deterministic", enc_hook=_plain)


def encode_data(data: Mapping[str, Any]) -> bytes:
    """Return the canonical JSON of an event's data.

    Anybody may publish anything as CUSTOM, and one such event must not keep its batch out of the journal:
    data that JSON cannot hold is replaced by a note that says which error it met. Half a
    character is written as U+FFFD.
    """
    try:
        return _encoded(data)
    except (NotImplementedError, TypeError, ValueError, OverflowError, RecursionError) as error:
        return _ENCODER.encode({"not_journalled": type(error).__name__})


def _encoded(data: Mapping[str, Any]) -> bytes:
    try:
        return _ENCODER.encode(data)
    except UnicodeEncodeError:
        return _ENCODER.encode(whole_text(msgspec.to_builtins(data, enc_hook=_plain)))
