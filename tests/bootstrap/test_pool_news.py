"""When the resource pool's figures are told: not with every request, but always when a breaker has turned."""

import pytest

from engine.bootstrap.pool_news import PoolNews
from engine.bootstrap.turned import build_turned
from engine.core.projection import Projection
from engine.domain.agents import AgentStatus
from engine.domain.events import Event
from engine.domain.resources import ApiFigures, BreakerState, PoolFigures
from engine.settings import Settings
from tests.core import sample
from tests.scheduling.outside import Outside, busy

pytestmark = pytest.mark.asyncio


async def test_a_breaker_is_told_at_every_turn_and_requests_once_a_second() -> None:
    outside = Outside(busy(500), busy(500), busy(500), busy(500), busy(500))
    began, told = outside.clock.now().timestamp(), list[Event]()
    PoolNews(outside.pool, told.append, outside.clock)
    await outside.after(0, *[outside.call("POST") for _ in range(5)])
    states = [row["breaker"] for event in told for row in event.data["apis"]]
    assert states == ["closed", "open"]  # five requests of one moment
    await outside.clock.run(6)
    await outside.after(0, outside.call("POST"))
    (opened,) = told[1].data["apis"]
    assert opened["next_try_at"] == pytest.approx(began + 5.0)
    trial, closed = (ApiFigures.from_data(event.data["apis"][0]) for event in told[-2:])
    assert (trial.breaker, trial.in_flight) == (BreakerState.HALF_OPEN, 1)
    assert (closed.breaker, closed.requests) == (BreakerState.CLOSED, 6)


async def test_what_the_pool_knows_reaches_the_section() -> None:
    outside = Outside()
    told: list[Event] = []
    PoolNews(outside.pool, told.append, outside.clock)
    await outside.pool.cache_set("a", 1)
    for key in ("a", "a", "b"):
        await outside.pool.cache_get(key)
    await outside.pool.run_cpu(lambda: 1)
    await outside.after(20, *[outside.call(rate_limit=6) for _ in range(3)])
    projection = Projection()
    for event in sample.numbered([sample.agent("a", AgentStatus.RUNNING), *told]):
        projection.apply(event)
    section = projection.value("agents")
    assert section.pool == PoolFigures(
        places=30, requests=3, waiting=0, delayed_s=30.0, cache_size=1, cache_places=10_000,
        hits=2, misses=1, offloads=1,
    )  # fmt: skip
    assert section.apis[0].delayed_s == 30.0


async def test_every_health_check_carries_the_pools_figures() -> None:
    turned = build_turned(Settings(speed=60))
    assert PoolFigures.from_data(turned.engine.health()["pool"]).cache_places == 10_000
