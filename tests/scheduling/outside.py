"""An outside world that answers by a script while its gate is open: a pool on a turned clock, what reached it when."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import numpy as np

from engine.adapters.clocks.manual import ManualClock
from engine.domain.resources import ApiFigures
from engine.scheduling.resource_pool import ResourcePool

Script = list[httpx.Response | type[httpx.HTTPError]]


class Outside:
    """Answers request after request by the script, and with 200 when it is at its end.

    Parameters
    ----------
    *script
        Answers, or the kinds of error that stand for none.
    """

    def __init__(self, *script: httpx.Response | type[httpx.HTTPError], **settings: Any) -> None:
        self.clock = ManualClock()
        self.script: Script = list(script)
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_once = self.peak = 0
        self.arrived: list[tuple[float, str, str]] = []
        self.clients: dict[str, list[httpx.AsyncClient]] = {}
        self.pool = ResourcePool(
            clock=self.clock, rng=np.random.default_rng(1), connect=self._connect, **settings
        )

    @property
    def times(self) -> list[float]:
        """When each request arrived."""
        return [at_s for at_s, *_ in self.arrived]

    def call(
        self, method: str = "GET", api: str = "any", **options: Any
    ) -> asyncio.Task[tuple[int, Any]]:
        """Begin a call of one API."""
        url = options.pop("url", f"http://{api}/")
        coroutine: Coroutine[Any, Any, tuple[int, Any]] = self.pool.http_request(
            method, url, api, **options
        )
        return asyncio.create_task(coroutine)

    async def after(self, seconds: float, *tasks: asyncio.Task[Any]) -> list[Any]:
        """Turn the clock and return the outcomes of tasks that must then have ended."""
        await self.clock.run(seconds)
        assert all(task.done() for task in tasks)
        return await asyncio.gather(*tasks, return_exceptions=True)

    def figures(self, api: str = "any") -> ApiFigures:
        """Return what the pool says of one API."""
        (figures,) = [row for row in self.pool.get_stats()["apis"] if row.api == api]
        return figures

    def _connect(self, api: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.clients.setdefault(api, []).append(client)
        return client

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.arrived.append((self.clock.monotonic(), request.url.host, request.method))
        self.at_once += 1
        self.peak = max(self.peak, self.at_once)
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        step = self.script.pop(0) if self.script else httpx.Response(200, json="fine")
        if isinstance(step, httpx.Response):
            return step
        raise step("as the script says")


def busy(status: int = 429, **headers: str) -> httpx.Response:
    """Return an answer that refuses; `retry_after` becomes its header."""
    return httpx.Response(status, headers={k.replace("_", "-"): v for k, v in headers.items()})
