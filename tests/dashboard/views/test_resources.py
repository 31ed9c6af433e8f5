"""Outside services and shared resources on the Agents page, held by numbers worked out by hand."""

from dataclasses import replace

import pytest

from dashboard.views import resources as view
from engine.domain.resources import ApiFigures, BreakerState, PoolFigures

CALLED = ApiFigures(api="prices", requests=40, errors=1)


@pytest.mark.parametrize(
    ("figures", "tone", "glyph"),
    [
        (CALLED, "up", "circle-check"),  # 1 in 40
        (replace(CALLED, errors=4), "warn", "triangle-alert"),  # 1 in 10
        (replace(CALLED, requests=4, errors=4), "crit", "circle-x"),
        (replace(CALLED, breaker=BreakerState.OPEN), "crit", "octagon-x"),
        (replace(CALLED, breaker=BreakerState.HALF_OPEN), "warn", "circle-dashed"),
        (ApiFigures(api="prices"), "tx3", "minus"),
    ],
)
def test_a_service_is_graded_by_colour_and_shape(figures: ApiFigures, tone: str, glyph: str):
    row = view.api_row(figures)
    assert (row.tone, row.glyph) == (tone, glyph)


def test_every_state_of_a_breaker_is_named():
    opened = replace(CALLED, breaker=BreakerState.OPEN, reason="HTTP 500", next_try_at=1_000.0)
    row = view.api_row(opened)
    assert (row.state, row.next_try_at) == ("open: HTTP 500", 1_000.0)
    waiting = replace(opened, breaker=BreakerState.HALF_OPEN, next_try_in_s=0.0)
    row = view.api_row(waiting)
    assert (row.state, row.next_try_at) == ("half-open: the next call is on trial", None)
    assert view.api_row(replace(waiting, in_flight=1)).state == "half-open: one call is on trial"
    assert view.api_row(CALLED).state == "closed"


def test_a_service_tells_how_calls_end_and_how_long_they_wait():
    row = view.api_row(
        replace(CALLED, retries=2, in_flight=1, per_minute=60.0, tokens=3.7, waiting=5, delayed_s=18.0)
    )  # fmt: skip
    assert row.used == "1 of 40 calls failed, 2 repeated, 1 under way"
    assert row.limit == "60 a minute, 3 could leave now, 5 waiting, 18 s waited in all"
    assert view.api_row(CALLED).limit == "no rate limit"
    assert view.api_row(ApiFigures(api="prices")).used == "no call yet"


def test_what_all_agents_share_is_counted_with_what_it_is_out_of():
    shown = view.pool_view(
        PoolFigures(places=30, in_flight=2, requests=12, errors=3, retries=1, waiting=1, delayed_s=1.5,
                    cache_size=120, cache_places=10_000, hits=3, misses=1, offloads=7, offloading=1)
    )  # fmt: skip
    assert shown.requests == "12 requests, 3 failed, 1 repeated, 2 of 30 places taken"
    assert shown.limits == "1 waiting, 1.5 s waited in all"
    assert shown.cache == "120 of 10,000 entries, 75.0% of 4 look-ups hit"
    assert shown.cpu == "7 tasks through the pool, 1 at work"
    assert shown.words == "12 requests, cache: 75.0% of 4 look-ups hit"


def test_nothing_is_claimed_of_what_was_not_used_or_not_measured():
    assert view.pool_view(None).cache == "not measured yet"
    unused = view.pool_view(PoolFigures(places=30, cache_places=10))
    assert unused.cache == "0 of 10 entries, no look-up yet"
