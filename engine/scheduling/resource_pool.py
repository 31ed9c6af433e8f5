"""What all agents share to reach the outside: pooled HTTP with a limit per API, and a cache with time to live.

Limits are calls per minute; times are seconds. Nothing connects before the first request.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from engine.adapters.clocks.wall import WallClock
from engine.ports.clock import Clock

if TYPE_CHECKING:
    import httpx  # loaded with the first request: it would be a third of the time of `import engine.agents`

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
MAX_ENTRIES = 10_000
"""Cache entries kept; beyond it the oldest goes first."""


class TokenBucket:
    """Lets `per_minute` calls through a minute: a tenth of them at once, the rest evenly.

    Parameters
    ----------
    per_minute : float
        Sustained rate.
    clock : Clock
        Measures and waits.
    """

    def __init__(self, per_minute: float, clock: Clock) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._burst = max(1.0, per_minute / 10)
        self._tokens = self._burst
        self._filled_at_s = clock.monotonic()

    def reserve(self) -> float:
        """Take a token, on credit if need be, and return the seconds to wait for it."""
        now_s = self._clock.monotonic()
        rate_per_s = self.per_minute / 60
        grown = self._tokens + (now_s - self._filled_at_s) * rate_per_s
        self._tokens = min(self._burst, grown) - 1
        self._filled_at_s = now_s
        return max(0.0, -self._tokens / rate_per_s)

    def give_back(self) -> None:
        """Return a token whose call was given up while it waited."""
        self._tokens += 1


class ResourcePool:
    """One object for all agents of an engine.

    Parameters
    ----------
    http_pool_size : int
        Requests in flight, and connections, at most; may be changed at any time.
    cache_ttl : float
        Seconds that an entry lives unless it says otherwise; may be changed at any time.
    clock : Clock, optional
        Wall clock by default.
    """

    def __init__(
        self, http_pool_size: int = 30, cache_ttl: float = 120.0, clock: Clock | None = None
    ) -> None:
        self.http_pool_size = http_pool_size
        self.cache_ttl = cache_ttl
        self._clock = clock or WallClock()
        self._client: httpx.AsyncClient | None = None
        self._buckets: dict[str, TokenBucket] = {}
        self._slots = asyncio.Condition()
        self._in_flight = 0
        self._requests = 0
        self._errors = 0
        self._cache: dict[str, tuple[float, Any]] = {}
        self._hits = 0
        self._misses = 0

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
            Whose limit counts.
        rate_limit : float, optional
            Calls per minute for this API; none means no limit. Calls beyond it wait their turn.
        **options
            Handed on to httpx: `params`, `headers`, `json`, `timeout`.

        Raises
        ------
        httpx.HTTPError
            No answer came. An answer of 400 or above is returned, and counted as an error.
        """
        import httpx

        if rate_limit is not None:
            await self._turn(api_name, rate_limit)
        async with _Slot(self):
            self._requests += 1
            try:
                answer = await self._http().request(method, url, **options)
            except httpx.HTTPError as error:
                self._errors += 1
                log.warning("%s: %s %s failed: %s", api_name, method, _bare(url), error)
                raise
        if answer.is_error:
            self._errors += 1
            log.warning("%s: %s %s gave %d", api_name, method, _bare(url), answer.status_code)
        return answer.status_code, _data(answer)

    async def cache_get(self, key: str) -> Any:  # noqa: ANN401 -- whatever was put in
        """Return the value, or None when it is unknown or too old."""
        entry = self._cache.get(key)
        if entry is not None and entry[0] > self._clock.monotonic():
            self._hits += 1
            return entry[1]
        self._cache.pop(key, None)
        self._misses += 1
        return None

    async def cache_set(self, key: str, value: Any, ttl: float | None = None) -> None:  # noqa: ANN401 -- anything
        """Keep a value for `ttl` seconds."""
        now_s = self._clock.monotonic()
        self._cache.pop(key, None)
        if len(self._cache) >= MAX_ENTRIES:
            self._cache = {k: entry for k, entry in self._cache.items() if entry[0] > now_s}
        if len(self._cache) >= MAX_ENTRIES:
            self._cache.pop(next(iter(self._cache)))
        self._cache[key] = (now_s + (self.cache_ttl if ttl is None else ttl), value)

    def get_stats(self) -> dict[str, float]:
        """Return the figures; rates are fractions, 0 before the first use."""
        looked = self._hits + self._misses
        now_s = self._clock.monotonic()
        return {
            "http_clients": self._in_flight,
            "http_requests": self._requests,
            "http_error_rate": self._errors / self._requests if self._requests else 0.0,
            "cache_size": sum(until > now_s for until, _ in self._cache.values()),
            "cache_hit_rate": self._hits / looked if looked else 0.0,
        }

    async def close(self) -> None:
        """Close the connections; harmless twice, and a later request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _http(self) -> httpx.AsyncClient:
        import httpx

        if self._client is None:
            # The number of connections is bounded by the slots, whose number may change at any time.
            limits = httpx.Limits(
                max_connections=None, max_keepalive_connections=self.http_pool_size
            )
            self._client = httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits)
        return self._client

    async def _turn(self, api_name: str, per_minute: float) -> None:
        bucket = self._buckets.get(api_name)
        if bucket is None or bucket.per_minute != per_minute:
            bucket = self._buckets[api_name] = TokenBucket(per_minute, self._clock)
        wait_s = bucket.reserve()
        if wait_s <= 0:
            return
        try:
            await self._clock.sleep(wait_s)
        except asyncio.CancelledError:
            bucket.give_back()
            raise

    async def _enter(self) -> None:
        async with self._slots:
            await self._slots.wait_for(lambda: self._in_flight < self.http_pool_size)
            self._in_flight += 1

    async def _leave(self) -> None:
        self._in_flight -= 1
        async with self._slots:
            self._slots.notify()


class _Slot:
    """One of the pool's places for a request in flight."""

    def __init__(self, pool: ResourcePool) -> None:
        self._pool = pool

    async def __aenter__(self) -> None:
        await self._pool._enter()

    async def __aexit__(self, *failure: object) -> None:
        await self._pool._leave()


def _data(answer: httpx.Response) -> Any:  # noqa: ANN401 -- JSON has no narrower type
    if "json" not in answer.headers.get("content-type", ""):
        return answer.text
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _bare(url: str) -> str:
    """Return a URL without its query, which may carry a key."""
    return url.partition("?")[0]
