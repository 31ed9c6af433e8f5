"""The line to one outside API: its connections, its limit, its circuit breaker and its counts.

Loaded with the first request: httpx would be a third of the time of `import engine.agents`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import numpy as np

from engine.domain.resources import ApiFigures, BreakerState
from engine.ports.clock import Clock
from engine.scheduling.breaker import Breaker
from engine.scheduling.rate_limit import TokenBucket
from engine.scheduling.retries import THROTTLED, UNREACHED, is_read, retry_after_s, retrying

TIMEOUT_S = 10.0
SERVER_ERROR = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as its caller wants it; `options` go to httpx."""

    method: str
    url: str
    rate_limit: float | None
    options: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all lines of a pool share.

    Parameters
    ----------
    clock : Clock
        Measures and waits.
    rng : numpy.random.Generator
        Draws the jitter of repetitions.
    places : anyio.CapacityLimiter
        Bounds the requests in flight.
    connect : callable
        Makes the client of the API whose name it is given.
    changed : callable
        Called when a trial call has left and when any request has ended.
    """

    clock: Clock
    rng: np.random.Generator
    places: anyio.CapacityLimiter
    connect: Callable[[str], httpx.AsyncClient]
    changed: Callable[[], None]


class ApiLine:
    """Sends the calls of one API.

    Parameters
    ----------
    api : str
        Its name.
    shared : Shared
        What the pool's lines have in common.
    """

    def __init__(self, api: str, shared: Shared) -> None:
        self.api = api
        self._shared = shared
        self._breaker = Breaker(api, shared.clock)
        self._bucket: TokenBucket | None = None
        self._client: httpx.AsyncClient | None = None
        self.requests = 0
        self.errors = 0
        self.in_flight = 0
        self._retries = 0

    async def request(
        self, method: str, url: str, rate_limit: float | None, options: dict[str, Any]
    ) -> httpx.Response:
        """Return the answer; a read is repeated when that may help, anything else is sent once.

        Raises
        ------
        ApiUnavailableError
            The breaker is open: nothing was sent.
        httpx.HTTPError
            No answer came.
        """
        call = Call(method=method, url=url, rate_limit=rate_limit, options=options)
        if not is_read(method):
            return await self._send(call)
        shared = self._shared
        reading = retrying(shared.clock, shared.rng, self._quiet_s, self._count_retry)
        return await reading(self._send, call)

    def figures(self) -> ApiFigures:
        """Return how the API has been used and whether it may be called now."""
        bucket, next_try_in_s = self._bucket, self._breaker.next_try_in_s
        now = self._shared.clock.now().timestamp()
        return ApiFigures(
            api=self.api,
            requests=self.requests,
            errors=self.errors,
            retries=self._retries,
            in_flight=self.in_flight,
            per_minute=bucket.per_minute if bucket else None,
            tokens=bucket.tokens if bucket else None,
            waiting=bucket.waiting if bucket else 0,
            delayed_s=bucket.delayed_s if bucket else 0.0,
            breaker=self._breaker.state,
            reason=self._breaker.reason,
            next_try_in_s=next_try_in_s,
            next_try_at=None if next_try_in_s is None else now + next_try_in_s,
        )

    async def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _send(self, call: Call) -> httpx.Response:
        self._breaker.check()  # before the wait for a token, and once more after it
        if call.rate_limit is not None:
            await self._bucket_of(call.rate_limit).take()
        async with self._shared.places:
            permit = self._breaker.admit()
            self.requests += 1
            self.in_flight += 1
            try:
                if self._breaker.state is not BreakerState.CLOSED:
                    self._shared.changed()  # the trial call is under way
                answer = await self._http().request(call.method, call.url, **call.options)
                self._judge(call, permit, answer)
            except httpx.HTTPError as error:
                self._judge_silence(call, permit, error)
                raise
            finally:
                self.in_flight -= 1
                self._breaker.release(permit)
                self._shared.changed()
        return answer

    def _judge(self, call: Call, permit: int, answer: httpx.Response) -> None:
        status = answer.status_code
        if not answer.is_error:
            self._breaker.succeeded(permit)
            return
        self.errors += 1
        log.warning("%s: %s %s gave %d", self.api, call.method, bare(call.url), status)
        quiet_s = retry_after_s(answer, self._shared.clock.now())
        if status in THROTTLED or quiet_s:
            word = "rate limited" if status in THROTTLED else "asked for quiet"
            self._breaker.throttled(permit, f"{word} (HTTP {status})", quiet_s)
        elif status >= SERVER_ERROR:
            self._breaker.failed(permit, f"HTTP {status}")
        else:
            self._breaker.succeeded(permit)  # it refuses this call, but it is there

    def _judge_silence(self, call: Call, permit: int, error: httpx.HTTPError) -> None:
        self.errors += 1
        name = type(error).__name__
        # Only the network's words are safe: an error of the protocol may quote a header.
        words = f"{name}: {error}" if isinstance(error, httpx.NetworkError) else name
        log.warning("%s: %s %s failed: %s", self.api, call.method, bare(call.url), words)
        if isinstance(error, UNREACHED):
            self._breaker.failed(permit, name)

    def _quiet_s(self) -> float:
        return self._breaker.next_try_in_s or 0.0

    def _count_retry(self) -> None:
        self._retries += 1

    def _bucket_of(self, per_minute: float) -> TokenBucket:
        if self._bucket is None:
            self._bucket = TokenBucket(per_minute, self._shared.clock)
        elif self._bucket.per_minute != per_minute:
            self._bucket.per_minute = per_minute
        return self._bucket

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = self._shared.connect(self.api)
        return self._client


class Connector:
    """Makes pooled clients that share one TLS context, because reading the certificates takes 50 ms.

    Parameters
    ----------
    keep_alive : int
        Idle connections kept per API.
    """

    def __init__(self, keep_alive: int) -> None:
        self._context = httpx.create_ssl_context()
        # How many are in use is bounded by the pool's places, whose number may change at any time.
        self._limits = httpx.Limits(max_connections=None, max_keepalive_connections=keep_alive)

    def __call__(self, _api: str) -> httpx.AsyncClient:
        """Return a new client; the API's name makes no difference to it."""
        return httpx.AsyncClient(verify=self._context, timeout=TIMEOUT_S, limits=self._limits)


def bare(url: str) -> str:
    """Return a URL without what may hold a secret: its query, its fragment, its user and password.

    Examples
    --------
    >>> bare("https://me:s3cret@example.com/quote?apikey=s3cret#top")
    'https://example.com/quote'
    """
    head = url.partition("?")[0].partition("#")[0]
    scheme, colon, rest = head.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{colon}{host.rpartition('@')[2]}{slash}{path}"


def _without_secrets(record: logging.LogRecord) -> bool:
    """Make httpx's own line name the bare URL too."""
    if isinstance(record.args, tuple):
        record.args = tuple(bare(str(a)) if isinstance(a, httpx.URL) else a for a in record.args)
    return True


logging.getLogger("httpx").addFilter(_without_secrets)
