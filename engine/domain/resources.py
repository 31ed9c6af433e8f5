"""What the engine knows of the outside services that it calls, in the words that screens and REST use.

Limits are calls per minute; durations are seconds.
"""

from dataclasses import dataclass
from enum import Enum

from engine.domain.payload import Payload


class BreakerState(Enum):
    """Whether calls of an API leave: all of them, none, or one on trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiFigures(Payload):
    """How one API has been used so far and whether it may be called now.

    Parameters
    ----------
    api : str
        Its name in the pool.
    requests : int
        Sent, repetitions included.
    errors : int
        Requests without an answer, or answered with 400 or above.
    retries : int
        Requests that repeated an earlier one.
    in_flight : int
        Requests that wait for their answer now.
    per_minute : float or None
        Its rate limit; None while no call has named one.
    tokens : float or None
        Calls that could leave at once; None without a limit.
    waiting : int
        Calls that wait for a token now.
    delayed_s : float
        Seconds that calls have waited for tokens, in all.
    breaker : BreakerState
        State of its circuit breaker.
    reason : str
        Why the breaker is not closed; empty when it is.
    next_try_in_s : float or None
        Seconds until a call may leave on trial; None while closed.
    next_try_at : float or None
        The same as a moment, wall epoch seconds.
    """

    api: str
    requests: int = 0
    errors: int = 0
    retries: int = 0
    in_flight: int = 0
    per_minute: float | None = None
    tokens: float | None = None
    waiting: int = 0
    delayed_s: float = 0.0
    breaker: BreakerState = BreakerState.CLOSED
    reason: str = ""
    next_try_in_s: float | None = None
    next_try_at: float | None = None
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFigures(Payload):
    """What the agents' shared resources have done since the start.

    Parameters
    ----------
    places : int
        Requests in flight at most, over all APIs.
    in_flight, requests, errors, retries, waiting : int
        As of one API, over all of them.
    delayed_s : float
        Seconds that calls have waited for the limit of their API, in all.
    cache_size, cache_places : int
        Entries that still live, and how many there may be.
    hits, misses : int
        Look-ups in the cache that found a value, and those that did not.
    offloads, offloading : int
        Pieces of CPU work that agents handed to the pool, in all and at this moment.
    """

    places: int
    in_flight: int = 0
    requests: int = 0
    errors: int = 0
    retries: int = 0
    waiting: int = 0
    delayed_s: float = 0.0
    cache_size: int = 0
    cache_places: int = 0
    hits: int = 0
    misses: int = 0
    offloads: int = 0
    offloading: int = 0
