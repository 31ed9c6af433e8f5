"""What the engine says about itself: figures of tasks and timers on the bus, and nothing that a section trips over."""

from typing import Any

import pytest

from engine.bootstrap.turned import build_turned
from engine.domain.agents import TaskDurations
from engine.domain.events import EventType
from engine.domain.payload import encode
from engine.scheduling.timers import IntervalTimers
from engine.settings import Settings

pytestmark = pytest.mark.asyncio


async def test_every_health_check_names_durations_and_lateness_of_the_crews_tasks() -> None:
    turned = build_turned(Settings(mc_levels=(1,), mc_rehearsal=0, speed=60))
    heard: list[dict[str, Any]] = []
    turned.engine.bus.subscribe(EventType.HEALTH_CHECKED, lambda e: heard.append(dict(e.data)))
    await turned.host.start()
    await turned.advance(12.0)
    told = heard[-1]
    rows = [TaskDurations.from_data(row) for row in told["durations"]]
    assert {"market_data", "risk"} <= {row.agent_id for row in rows if row.n}
    assert (told["late_tasks"], told["late_ms_max"]) == (0, 0.0)  # a turned clock is never late
    assert encode(told)
    assert {check["running_tasks"] for check in heard} == {0}  # the check itself is not counted
    assert told["loop_lag_ms"] is None  # nothing measures the loop under a turned clock
    section = turned.gateway.read(["agents"]).value("agents")
    assert section.max_concurrent_tasks == told["max_concurrent_tasks"]
    assert list(section.durations) == rows
    await turned.host.stop()


async def test_health_tells_what_the_timers_missed() -> None:
    turned = build_turned(Settings(mc_levels=(1,), mc_rehearsal=0, speed=60))
    assert turned.engine.health()["timers"] == {}
    timers = IntervalTimers(turned.engine.execution_engine)
    assert turned.engine.health()["timers"] == timers.get_stats()
    assert {"missed", "max_instances", "errors"} <= set(turned.engine.health()["timers"])
