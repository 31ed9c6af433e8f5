"""The gateway as the dashboard holds it: there before the engine is, and the same object when ownership moves.

Until a gateway is put behind it nothing is known and nothing can be sent.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from engine.core.gateway import Gateway
from engine.domain.errors import PilothouseError
from engine.domain.payload import Payload
from engine.domain.sections import Snapshot

Listener = Callable[[int], None]


class NotReadyError(PilothouseError):
    """The engine is not up yet."""


class Door:
    """Passes everything on to the gateway behind it."""

    def __init__(self) -> None:
        self._gateway: Gateway | None = None
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._unwatch: Callable[[], None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a gateway behind it."""
        return self._gateway is not None

    def put(self, gateway: Gateway | None) -> None:
        """Put another gateway (or none) behind the door; listeners stay."""
        with self._lock:
            if self._unwatch is not None:
                self._unwatch()
                self._unwatch = None
            if self._gateway is not None:
                self._gateway.close()
            self._gateway = gateway
            if gateway is not None:
                self._unwatch = gateway.on_change(self._tell)
        if gateway is not None:
            self._tell(gateway.version())

    def read(
        self,
        sections: Iterable[str] | None = None,
        as_of: datetime | int | None = None,
        since: int | None = None,
    ) -> Snapshot:
        """Return sections; none while the engine is not up. See `Gateway.read`."""
        gateway = self._gateway
        return Snapshot(version=0) if gateway is None else gateway.read(sections, as_of, since)

    def version(self) -> int:
        """Return the newest version, 0 while the engine is not up."""
        return 0 if self._gateway is None else self._gateway.version()

    def send(
        self,
        command: Payload,
        *,
        actor: str = "local",
        source: str = "",
        command_id: str | None = None,
    ) -> str:
        """Send a command; see `Gateway.send`.

        Raises
        ------
        NotReadyError
            The engine is not up.
        """
        return self._behind().send(command, actor=actor, source=source, command_id=command_id)

    def ask(self, question: str, **params: Any) -> Any:  # noqa: ANN401 -- each question has its own answer
        """Ask; see `Gateway.ask`.

        Raises
        ------
        NotReadyError
            The engine is not up.
        """
        return self._behind().ask(question, **params)

    def on_change(self, callback: Listener) -> Callable[[], None]:
        """Call `callback` with each new version, from another thread; return how to stop it."""
        with self._lock:
            self._listeners.append(callback)

        def stop() -> None:
            with self._lock:
                if callback in self._listeners:
                    self._listeners.remove(callback)

        return stop

    def _behind(self) -> Gateway:
        if self._gateway is None:
            raise NotReadyError(
                "engine must be up for this, was starting or stopped; try again in a moment"
            )
        return self._gateway

    def _tell(self, version: int) -> None:
        for listener in tuple(self._listeners):
            listener(version)
