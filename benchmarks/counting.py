"""A loopback proxy that counts the bytes which really go to a browser, headers and compression included."""

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self

CHUNK = 65_536


class CountingProxy:
    """Stands between browser and server in a thread of its own; `n_down` is what the browser was sent.

    Parameters
    ----------
    port : int
        The server's loopback port.
    """

    def __init__(self, port: int) -> None:
        self.n_down = 0
        self.port = 0
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_up.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._is_up.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            up, down = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                await asyncio.gather(self._pump(reader, down, 0), self._pump(up, writer, 1))
            finally:
                down.transport.abort()
                writer.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, counted: int
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(CHUNK):
                self.n_down += counted * len(chunk)
                sink.write(chunk)
                await sink.drain()
        sink.close()
