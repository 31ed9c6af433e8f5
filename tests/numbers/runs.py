"""Short runs of the engine under a turned clock, and their log in a form that is easy to recompute from."""

import asyncio
from typing import Any

from engine.adapters.stores.memory import MemoryStore
from engine.bootstrap.turned import TurnedEngine, build_turned
from engine.domain.events import Event, EventType
from engine.settings import Settings


async def started(seconds: float, **changes: Any) -> TurnedEngine:
    """Return an engine of its own after so many wall seconds; a bar takes one."""
    turned = build_turned(Settings(mc_levels=(1,), mc_rehearsal=0, speed=60, **changes))
    await turned.host.start()
    await turned.advance(seconds)
    return turned


async def cut(turned: TurnedEngine) -> TurnedEngine:
    """Return a second engine on the journal of the first, as after a power cut with the store lost."""
    again = build_turned(
        Settings(mc_levels=(1,), mc_rehearsal=0, speed=60),
        journal=turned.journal,
        store=MemoryStore(),
    )
    await again.host.start()
    return again


def run(seconds: float, **changes: Any) -> TurnedEngine:
    """Return an engine that has run for so many wall seconds."""
    return asyncio.run(started(seconds, **changes))


def log_of(turned: TurnedEngine, *kinds: EventType) -> list[Event]:
    """Return the journalled events of these kinds, oldest first; all without any."""
    return [e for e in turned.journal.events() if not kinds or e.event_type in kinds]


def section(turned: TurnedEngine, name: str) -> Any:
    """Return the value of a section."""
    return turned.gateway.read([name]).value(name)
