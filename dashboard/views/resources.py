"""What the Agents page says of outside services and shared resources: breakers, limits, cache, CPU work."""

from dataclasses import dataclass

from dashboard import formatting as fmt
from engine.domain.resources import ApiFigures, BreakerState, PoolFigures
from engine.domain.sections import AgentsSection

SOME_FAIL = 0.1
"""Share of failed calls from which on a service is marked though its breaker is closed."""
HALF_OPEN_SOON = "half-open: the next call is on trial"
NOT_YET = "not measured yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRow:
    """One outside service.

    `tone` ("up", "warn", "crit" or "tx3") and `glyph` grade it alike. `next_try_at` is the moment, wall epoch seconds,
    up to which no call leaves; the browser counts down to it.
    """

    api: str
    tone: str
    glyph: str
    state: str
    next_try_at: float | None
    used: str
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """What all agents share: what of each resource was used since the start, in words."""

    words: str
    requests: str
    limits: str
    cache: str
    cpu: str


def api_rows(section: AgentsSection) -> tuple[ApiRow, ...]:
    """Return the outside services in the order of their first use."""
    return tuple(api_row(figures) for figures in section.apis)


def api_row(figures: ApiFigures) -> ApiRow:
    """Return one outside service: whether calls leave, how they end, how long they wait."""
    tone, glyph = _grade(figures)
    is_open = figures.breaker is BreakerState.OPEN
    return ApiRow(
        api=figures.api,
        tone=tone,
        glyph=glyph,
        state=_state(figures),
        next_try_at=figures.next_try_at if is_open else None,
        used=_used(figures),
        limit=_limit(figures),
    )


def _grade(figures: ApiFigures) -> tuple[str, str]:
    if figures.breaker is BreakerState.OPEN:
        return "crit", "octagon-x"
    if figures.breaker is BreakerState.HALF_OPEN:
        return "warn", "circle-dashed"
    if not figures.requests:
        return "tx3", "minus"
    if figures.errors >= figures.requests:
        return "crit", "circle-x"
    if figures.errors >= SOME_FAIL * figures.requests:
        return "warn", "triangle-alert"
    return "up", "circle-check"


def _state(figures: ApiFigures) -> str:
    if figures.breaker is BreakerState.CLOSED:
        return "closed"
    if figures.breaker is BreakerState.OPEN:
        return f"open: {figures.reason or 'no reason was given'}"
    return "half-open: one call is on trial" if figures.in_flight else HALF_OPEN_SOON


def _used(figures: ApiFigures) -> str:
    n, failed = figures.requests, figures.errors
    if not n:
        return "no call yet"
    ended = f"{fmt.count(failed)} of {fmt.plural(n, 'call')} failed"
    extra = (
        (f"{fmt.count(figures.retries)} repeated", figures.retries),
        (f"{fmt.count(figures.in_flight)} under way", figures.in_flight),
    )
    return ", ".join((ended, *(words for words, count in extra if count)))


def _limit(figures: ApiFigures) -> str:
    """Return the rate limit, what of it is left, and who waits for it."""
    if figures.per_minute is None:
        return "no rate limit"
    left = "" if figures.tokens is None else f", {fmt.count(int(figures.tokens))} could leave now"
    waits = f", {fmt.count(figures.waiting)} waiting" if figures.waiting else ""
    waited = f", {fmt.duration(figures.delayed_s)} waited in all" if figures.delayed_s else ""
    return f"{figures.per_minute:g} a minute{left}{waits}{waited}"


def pool_view(pool: PoolFigures | None) -> PoolView:
    """Return what all agents share in words; nothing is claimed before the first health check."""
    if pool is None:
        return PoolView(words=NOT_YET, requests=NOT_YET, limits=NOT_YET, cache=NOT_YET, cpu=NOT_YET)
    looked = pool.hits + pool.misses
    rate = "no look-up yet"
    if looked:
        rate = f"{fmt.percent(pool.hits / looked, 1)} of {fmt.plural(looked, 'look-up')} hit"
    return PoolView(
        words=f"{fmt.plural(pool.requests, 'request')}, cache: {rate}",
        requests=(
            f"{fmt.plural(pool.requests, 'request')}, {fmt.count(pool.errors)} failed, "
            f"{fmt.count(pool.retries)} repeated, {fmt.count(pool.in_flight)} of {fmt.count(pool.places)} places taken"
        ),
        limits=f"{fmt.count(pool.waiting)} waiting, {fmt.duration(pool.delayed_s)} waited in all",
        cache=f"{fmt.count(pool.cache_size)} of {fmt.count(pool.cache_places)} entries, {rate}",
        cpu=f"{fmt.plural(pool.offloads, 'task')} through the pool, {fmt.count(pool.offloading)} at work",
    )
