"""What all agents share to reach the outside: HTTP with a limit and a circuit breaker per API, a cache, CPU work.

Limits are calls per minute; times are seconds. Nothing connects before the first request.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import numpy as np

from engine.adapters.clocks.wall import WallClock
from engine.adapters.compute.inline import InlineCompute
from engine.domain.errors import must
from engine.domain.resources import ApiFigures
from engine.ports.clock import Clock
from engine.ports.compute import Compute
from engine.scheduling.ttl_cache import TtlCache

if TYPE_CHECKING:
    import httpx  # loaded with the first request: it would be a third of the time of `import engine.agents`

    from engine.scheduling.api_line import ApiLine, Shared

T = TypeVar("T")


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
        connect: Callable[[str], httpx.AsyncClient] | None = None,
    ) -> None:
        self._shared: Shared | None = None
        self.http_pool_size = http_pool_size
        self.cache_ttl = cache_ttl
        self._clock: Clock = clock or WallClock()
        self._compute: Compute = compute or InlineCompute()
        self._rng = rng or np.random.default_rng()
        self._connect = connect
        self._lines: dict[str, ApiLine] = {}
        self._cache = TtlCache(self._clock)

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
        from engine.scheduling.api_line import Call

        call = Call(method=method, url=url, rate_limit=rate_limit, options=options)
        answer = await self._line(api_name).request(call)
        return answer.status_code, _data(answer)

    async def run_cpu(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, done beside the event loop where the pool was given a thread for it."""
        return await self._compute.run(work)

    async def cache_get(self, key: str) -> Any:  # noqa: ANN401 -- whatever was put in
        """Return the value, or None when it is unknown or too old."""
        return self._cache.get(key)

    async def cache_set(self, key: str, value: Any, ttl: float | None = None) -> None:  # noqa: ANN401 -- anything
        """Keep a value for `ttl` seconds."""
        self._cache.put(key, value, self.cache_ttl if ttl is None else ttl)

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

    async def close(self) -> None:
        """Close the connections; harmless twice, and a later request opens new ones."""
        async with AsyncExitStack() as every:  # one that fails to close keeps no other open
            for line in self._lines.values():
                every.push_async_callback(line.close)

    def _line(self, api_name: str) -> ApiLine:
        line = self._lines.get(api_name)
        if line is None:
            from engine.scheduling.api_line import ApiLine

            line = self._lines[api_name] = ApiLine(api_name, self._shared_by_lines())
        return line

    def _shared_by_lines(self) -> Shared:
        if self._shared is None:
            import anyio

            from engine.scheduling.api_line import Connector, Shared

            self._shared = Shared(
                clock=self._clock,
                rng=self._rng,
                places=anyio.CapacityLimiter(self.http_pool_size),
                connect=self._connect or Connector(self.http_pool_size),
            )
        return self._shared


def _data(answer: httpx.Response) -> Any:  # noqa: ANN401 -- JSON has no narrower type
    if "json" not in answer.headers.get("content-type", ""):
        return answer.text
    try:
        return answer.json()
    except ValueError:
        return answer.text
