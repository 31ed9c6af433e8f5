"""The dashboard's own server in front of an engine that runs elsewhere in this process, on a free loopback port."""

import asyncio
import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from benchmarks.servers import free_port
from dashboard.app import create_app
from engine.core.gateway import Gateway

READY_S = 60.0
STOP_S = 15.0


class Beside:
    """The engine as the server holds it when somebody else starts and stops it."""

    is_owner = True

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def start(self) -> None:
        """Do nothing: it runs."""

    async def stop(self) -> None:
        """Do nothing: who started it stops it."""


@contextmanager
def served(gateway: Gateway) -> Iterator[int]:
    """Give the port of a server with every page and route over this gateway; it has a thread of its own.

    Raises
    ------
    RuntimeError
        It did not come up.
    """
    port = free_port()
    app = create_app(Beside(gateway))
    config = uvicorn.Config(
        app.server, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    end = time.monotonic() + READY_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise RuntimeError("server must come up, did not; look at the errors above")
        time.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(STOP_S)


class Asking:
    """One connection that is kept, as a watcher keeps its own."""

    def __init__(self, port: int, path: str) -> None:
        self._path = path
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STOP_S)

    def took_ms(self) -> float:
        """Ask once and return the milliseconds until the whole answer was there.

        Raises
        ------
        RuntimeError
            The answer was no 200.
        """
        began = time.perf_counter()
        self._connection.request("GET", self._path)
        answer = self._connection.getresponse()
        answer.read()
        took = (time.perf_counter() - began) * 1e3
        if answer.status != 200:
            raise RuntimeError(f"{self._path} must answer 200, answered {answer.status}")
        return took

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
