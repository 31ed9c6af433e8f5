"""What the live hub keeps of a topic, and of a browser tab."""

import asyncio
from dataclasses import dataclass, field

from dashboard.page import LivePart


@dataclass(slots=True, eq=False)
class Channel:
    """One topic: its newest encoded state and who wants it."""

    topic: str
    part: LivePart
    argument: str
    names: tuple[str, ...]
    clients: set["Client"] = field(default_factory=set)
    fragment: str = ""
    version: int = 0
    seen: object = None
    drawn_at: float = float("-inf")
    kept_until: float = float("-inf")
    drawing: asyncio.Task[None] | None = None
    last_error: str = ""


@dataclass(slots=True, eq=False)
class Client:
    """One browser tab: the topics it shows and those it has not got in their newest state."""

    topics: tuple[str, ...] = ()
    pending: set[str] = field(default_factory=set)
    joined: dict[str, int] = field(default_factory=dict)
    """Version of each topic when it was subscribed to."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
