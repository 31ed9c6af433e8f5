"""The hash that two equal runs share: what happened and why, without when it was computed or where."""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from engine.adapters.journals.encoding import encode_data, to_microseconds
from engine.domain.events import Event, EventType, Retention

_OF_THE_PROCESS = frozenset({"pid", "host", "port", "owner", "started_at", "epoch"})


def log_hash(events: Iterable[Event]) -> str:
    """Return the SHA-256 over sequence, type, market time, cause and data of `events`, in order.

    Telemetry is left out, and so is what RUN_STARTED says of its process (pid, host, port, owner, start, epoch).
    The same events give the same hash before they were journalled and after they were read back.
    """
    digest = hashlib.sha256()
    for event in events:
        if event.retention is Retention.TELEMETRY:
            continue
        head = [event.seq, event.event_type.value, to_microseconds(event.as_of), event.cause]
        digest.update(msgspec.json.encode(head))
        digest.update(encode_data(_hashed(event)))
        digest.update(b"\n")
    return digest.hexdigest()


def _hashed(event: Event) -> dict[str, Any]:
    hidden = _OF_THE_PROCESS if event.event_type is EventType.RUN_STARTED else frozenset()
    return {key: value for key, value in event.data.items() if key not in hidden}
