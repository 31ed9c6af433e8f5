"""What the dashboard needs of the engine: a gateway to read and send through, and a life to start and end.

`engine.bootstrap.build_host` gives the real one; tests give one with sections made by hand.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

from engine.domain.errors import PilothouseError
from engine.domain.payload import Payload
from engine.domain.sections import Snapshot

_log = logging.getLogger("dashboard")


class GatewayPort(Protocol):
    """The three verbs and the bell that says when something changed."""

    def read(
        self,
        sections: Iterable[str],
        as_of: datetime | None = None,
        since: int | None = None,
    ) -> Snapshot:
        """Return the sections asked for that exist."""
        ...

    def send(
        self, command: Payload, *, actor: str, source: str, command_id: str | None = None
    ) -> str:
        """Send a command; return the id that its answer will carry."""
        ...

    def ask(self, question: str, **params: Any) -> Any:  # noqa: ANN401 -- each question has its own answer
        """Answer a pure question over the sections."""
        ...

    def on_change(self, callback: Callable[..., None]) -> Callable[[], None]:
        """Call back after sections changed, from any thread; return what ends it."""
        ...


class Host(Protocol):
    """The engine as the server holds it."""

    @property
    def gateway(self) -> GatewayPort:
        """Where screens read and send; there before `start`, with nothing known yet."""
        ...

    @property
    def is_owner(self) -> bool:
        """Whether this process runs the engine; any other only reads and sends."""
        ...

    async def start(self) -> None:
        """Start the engine, or stand by when another process owns it."""
        ...

    async def stop(self) -> None:
        """Stop what `start` started."""
        ...


def send(gateway: GatewayPort, command: Payload, command_id: str | None = None) -> str:
    """Send a person's command; return words when it could not be sent.

    The engine's own answer comes as a toast.
    """
    try:
        gateway.send(command, actor="local", source="dashboard", command_id=command_id)
    except PilothouseError as error:
        _log.warning("a command was not sent: %s", error)
        return f"Command not sent. {error}"
    return ""
