"""What all agents share to reach the outside: HTTP with a limit and a circuit breaker per API, a cache, CPU work.

Limits are calls per minute; times are seconds. Nothing connects before the first request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar

import numpy as np

from engine.adapters.clocks.wall import WallClock
from engine.adapters.compute.inline import InlineCompute
from engine.domain.errors import is_number, must
from engine.domain.resources import ApiFigures, PoolFigures
from engine.ports.clock import Clock
from engine.ports.compute import Compute
from engine.scheduling.ttl_cache import TtlCache
from engine.scheduling.waits import waiting

if TYPE_CHECKING:
    import httpx  # loaded with the first request: it would be a third of the time of `import engine.agents`

    from engine.scheduling.api_line import ApiLine, Shared

T = TypeVar("T")
Connect: TypeAlias = "Callable[[str], httpx.AsyncClient]"


class PoolStats(TypedDict):
    """The pool's figures; rates are fractions, 0 before the first use, and `http_clients` are requests in flight."""

    http_clients: int
    http_requests: int
    http_error_rate: float
    cache_size: int
    cache_hit_rate: float
    apis: tuple[ApiFigures, ...]


class ResourcePool:
    """One object for all agents of an engine.

    Parameters
    ----------
    http_pool_size : int
        Requests in flight at most, over all APIs; may be changed at any time.
    cache_ttl : float
        Seconds that an entry lives unless it says otherwise; may be changed at any time.
    clock : Clock, optional
        Wall clock by default.
    compute : Compute, optional
        Where `run_cpu` works; inline by default. Whoever made it closes it.
    rng : numpy.random.Generator, optional
        Draws the jitter of repetitions; not seeded by default.
    connect : callable, optional
        Makes the client of an API from its name; a pooled one by default.
    """

    def __init__(
        self,
        http_pool_size: int = 30,
        cache_ttl: float = 120.0,
        clock: Clock | None = None,
        *,
        compute: Compute | None = None,
        rng: np.random.Generator | None = None,
        connect: Connect | None = None,
    ) -> None:
        self._shared: Shared | None = None
        self.http_pool_size = http_pool_size
        self.cache_ttl = cache_ttl
        self._clock: Clock = clock or WallClock()
        self._compute: Compute = compute or InlineCompute()
        self._rng = rng or np.random.default_rng()
        self._connect = connect
        self._loading = asyncio.Lock()
        self._lines: dict[str, ApiLine] = {}
        self._cache = TtlCache(self._clock)
        self._offloads = self._offloading = 0
        self.on_change: Callable[[], None] = _nobody
        """Called when a trial call has left and when any request has ended; set it before the first."""

    @property
    def http_pool_size(self) -> int:
        """Requests in flight at most, over all APIs; a larger number lets those that wait go at once."""
        return self._http_pool_size

    @http_pool_size.setter
    def http_pool_size(self, value: int) -> None:
        if type(value) is not int or value < 1:
            raise must("http_pool_size", "be a whole number above 0", value, "use for example 30")
        self._http_pool_size = value
        if self._shared is not None:
            self._shared.places.total_tokens = value

    async def http_request(
        self,
        method: str,
        url: str,
        api_name: str,
        rate_limit: float | None = None,
        **options: Any,  # noqa: ANN401 -- handed on to httpx: params, headers, json, timeout
    ) -> tuple[int, Any]:
        """Return (status, data): parsed JSON where the answer says so, else its text.

        Parameters
        ----------
        method, url : str
            As in HTTP.
        api_name : str
            Whose connections, limit and circuit breaker count.
        rate_limit : float, optional
            Calls per minute for this API; none means no limit. Calls beyond it wait their turn.
        **options
            Handed on to httpx: `params`, `headers`, `json`, `timeout`.

        Raises
        ------
        ApiUnavailableError
            The API fails, or asked for quiet: nothing was sent. The error says why and when to try again.
        httpx.HTTPError
            No answer came. An answer of 400 or above is returned, and counted as an error.

        Notes
        -----
        GET, HEAD and OPTIONS are repeated after a lost connection, a timeout, and 418, 429, 502, 503 and 504. Anything
        else is sent once, whatever happens to it.
        """
        with waiting():
            line = await self._line(api_name)
            answer = await line.request(method, url, rate_limit, options)
        return answer.status_code, _data(answer)

    async def run_cpu(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, done beside the event loop where the pool was given a thread for it."""
        self._offloads += 1
        self._offloading += 1
        try:
            return await self._compute.run(work)
        finally:
            self._offloading -= 1

    async def cache_get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 -- whatever was put in
        """Return the value, or `default` when it is unknown or too old: what tells a miss from a None that was kept."""
        return self._cache.get(key, default)

    async def cache_set(self, key: str, value: Any, ttl: float | None = None) -> None:  # noqa: ANN401 -- anything
        """Keep a value for `ttl` seconds; zero or less forgets the key.

        Raises
        ------
        InvalidValueError
            The time is no number.
        """
        ttl_s = self.cache_ttl if ttl is None else ttl
        if not is_number(ttl_s):
            raise must("ttl", "be a number of seconds", ttl_s, "give for example 60")
        self._cache.put(key, value, ttl_s)

    def get_stats(self) -> PoolStats:
        """Return the figures of the pool, and of each API in the order of first use."""
        lines = self._lines.values()
        requests = sum(line.requests for line in lines)
        errors = sum(line.errors for line in lines)
        return {
            "http_clients": sum(line.in_flight for line in lines),
            "http_requests": requests,
            "http_error_rate": errors / requests if requests else 0.0,
            "cache_size": self._cache.size,
            "cache_hit_rate": self._cache.hit_rate,
            "apis": tuple(line.figures() for line in lines),
        }

    def figures(self) -> PoolFigures:
        """Return the pool's figures over all APIs, for people: counts with what they are counted out of."""
        rows = [line.figures() for line in self._lines.values()]
        return PoolFigures(
            places=self.http_pool_size, in_flight=sum(row.in_flight for row in rows),
            requests=sum(row.requests for row in rows), errors=sum(row.errors for row in rows),
            retries=sum(row.retries for row in rows), waiting=sum(row.waiting for row in rows),
            delayed_s=sum(row.delayed_s for row in rows), cache_size=self._cache.size,
            cache_places=self._cache.places, hits=self._cache.hits, misses=self._cache.misses,
            offloads=self._offloads, offloading=self._offloading,
        )  # fmt: skip

    async def close(self) -> None:
        """Close the connections; harmless twice, and a later request opens new ones."""
        async with AsyncExitStack() as every:  # one that fails to close keeps no other open
            for line in self._lines.values():
                every.push_async_callback(line.close)

    async def _line(self, api_name: str) -> ApiLine:
        async with self._loading:
            if self._connect is None:
                # A third of a second for httpx and the certificates: never on the loop, where everybody would wait.
                self._connect = await asyncio.to_thread(_connector, self.http_pool_size)
        line = self._lines.get(api_name)
        if line is None:
            from engine.scheduling.api_line import ApiLine

            shared = self._shared = self._shared or self._shared_by_lines(self._connect)
            line = self._lines[api_name] = ApiLine(api_name, shared)
        return line

    def _shared_by_lines(self, connect: Connect) -> Shared:
        import anyio

        from engine.scheduling.api_line import Shared

        return Shared(
            clock=self._clock,
            rng=self._rng,
            places=anyio.CapacityLimiter(self.http_pool_size),
            connect=connect,
            changed=self.on_change,
        )


def _nobody() -> None:
    """Stand where somebody may listen."""


def _connector(keep_alive: int) -> Connect:
    """Return what makes pooled clients; everything that their first request needs is loaded then."""
    import anyio

    from engine.scheduling.api_line import Connector

    connect = Connector(keep_alive)
    anyio.run(
        connect("").aclose
    )  # httpx and anyio load their lower halves with the first client in a loop
    return connect


def _data(answer: httpx.Response) -> Any:  # noqa: ANN401 -- JSON has no narrower type
    if "json" not in answer.headers.get("content-type", ""):
        return answer.text
    try:
        return answer.json()
    except ValueError:
        return answer.text
