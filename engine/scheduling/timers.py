"""Interval triggers by APScheduler. They do no work: each only queues its agent's next cycle in the execution engine.

The job store is memory, the zone UTC, `max_instances` 1 and late runs are coalesced. What APScheduler missed, skipped
or failed is counted. Its triggers count in wall time: when the wall clock jumps they are armed afresh.
"""

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from engine.adapters.clocks.wall import WallClock
from engine.domain.agents import AgentStatus
from engine.ports.agent import ScheduledAgent
from engine.ports.clock import Clock
from engine.scheduling.execution_engine import ExecutionEngine

MISFIRE_S = 30
"""How late a trigger may come and still queue its cycle; later ones are counted as missed."""
LOOK_EVERY_S = 1.0
"""How often the two clocks are compared."""
JUMP_S = 1.0
"""Wall time that moved so much against the monotonic time has jumped."""
SHORTEST_S = 1e-3
"""A timer counts no shorter interval."""
TOLERANCE = 0.1
"""A cycle due within this share of the interval is queued at once rather than for its exact moment."""

_COUNTED = {
    EVENT_JOB_MISSED: "missed",
    EVENT_JOB_MAX_INSTANCES: "max_instances",
    EVENT_JOB_ERROR: "errors",
}

log = logging.getLogger(__name__)


def is_news(record: logging.LogRecord) -> bool:
    """Return whether what APScheduler logs is a failure, and no trigger that its own end cut off."""
    failure = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return not isinstance(failure, asyncio.CancelledError)


logging.getLogger("apscheduler.executors.default").addFilter(is_news)


class PaceTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler 3 has no types
    """Fires every interval of an agent, whatever the interval is at the time: APScheduler's trigger for a moving pace.

    Parameters
    ----------
    agent : ScheduledAgent
    since : datetime, optional
        What the next time is counted from; from when it is armed by default.
    """

    def __init__(self, agent: ScheduledAgent, since: datetime | None = None) -> None:
        self._agent = agent
        self.since = since

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """Return one interval after the last time, at once where that has gone by unheard; never a time twice."""
        since = self.since = previous or self.since or now
        interval = timedelta(seconds=max(self._agent.interval, SHORTEST_S))
        due = since + interval
        if due > now:
            return due
        return now if previous is None else since + ((now - since) // interval + 1) * interval

    def __str__(self) -> str:
        return f"every {self._agent.interval:g} s"


class IntervalTimers:
    """Asks the engine for a cycle of each watched agent every interval.

    Parameters
    ----------
    engine : ExecutionEngine
        Gets the cycles; its `timers` is set to this object.
    clock : Clock, optional
        Shows jumps of the wall time; the wall clock by default.

    Notes
    -----
    `start` and `stop` belong to the loop of the engine; agents may be watched before `start`.
    """

    def __init__(self, engine: ExecutionEngine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock: Clock = WallClock() if clock is None else clock
        self._counts: Counter[str] = Counter()
        self._watched: dict[str, ScheduledAgent] = {}
        self._scheduler: AsyncIOScheduler | None = None
        self._look: asyncio.TimerHandle | None = None
        self._offset_s = 0.0
        engine.timers = self

    def start(self) -> None:
        """Start APScheduler on the running loop; harmless twice."""
        if self._scheduler is not None:
            return
        scheduler = AsyncIOScheduler(
            event_loop=asyncio.get_running_loop(),
            jobstores={"default": MemoryJobStore()},
            timezone=UTC,
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": MISFIRE_S,
            },
        )
        scheduler.add_listener(
            self._count, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR
        )
        scheduler.start()
        self._scheduler = scheduler
        for agent in self._watched.values():
            self._add(agent)
        self._offset_s = self._wall_offset_s()
        self._look = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look_at_clocks)

    def stop(self) -> None:
        """Stop APScheduler; harmless twice."""
        if self._look is not None:
            self._look.cancel()
            self._look = None
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=False)

    def watch(self, agent: ScheduledAgent) -> None:
        """Queue a cycle of this agent every interval from now on; harmless when it is watched."""
        if self._watched.get(agent.agent_id) is agent:
            return
        self.forget(agent.agent_id)
        self._watched[agent.agent_id] = agent
        self._add(agent)

    def repace(self, agent: ScheduledAgent) -> None:
        """Count the agent's interval as it is now, from when it fired last; harmless when it is not watched.

        Counted from now on, an agent whose pace changes more often than it is due would never have its turn.
        """
        if self._watched.get(agent.agent_id) is agent and self._scheduler is not None:
            job = self._scheduler.get_job(agent.agent_id)
            self._add(agent, None if job is None else job.trigger.since)

    def forget(self, agent_id: str) -> None:
        """Queue no more; harmless when it is not watched."""
        if self._watched.pop(agent_id, None) is not None and self._scheduler is not None:
            try:
                self._scheduler.remove_job(agent_id)
            except JobLookupError:
                log.debug("timer of %s had gone already", agent_id)

    def get_stats(self) -> dict[str, int]:
        """Return how many agents are watched and what went wrong with their triggers.

        "skipped" are cycles that were due while the last had not ended, "max_instances" the same of a trigger itself.
        """
        names = ("fired", "missed", "skipped", "max_instances", "errors", "clock_jumps")
        return {"watched": len(self._watched)} | {name: self._counts[name] for name in names}

    def _add(self, agent: ScheduledAgent, since: datetime | None = None) -> None:
        if self._scheduler is not None:
            self._scheduler.add_job(
                self._fire,
                PaceTrigger(agent, since),
                args=(agent,),
                id=agent.agent_id,
                replace_existing=True,
            )

    async def _fire(self, agent: ScheduledAgent) -> None:
        """Queue one cycle; none when the last has not ended, later when the agent is backing off."""
        self._counts["fired"] += 1
        if agent.status is not AgentStatus.RUNNING:
            return
        if self._engine.is_behind(agent.agent_id):
            self._counts["skipped"] += 1
            agent.note_skipped()
            return
        wait_s = agent.seconds_to_next()
        is_early = wait_s > TOLERANCE * agent.interval
        await self._engine.schedule_agent_cycle(agent, delay=wait_s if is_early else 0.0)

    def _count(self, event: JobEvent) -> None:
        if isinstance(getattr(event, "exception", None), asyncio.CancelledError):
            return
        self._counts[_COUNTED[event.code]] += 1
        log.warning("timer of %s: %s", event.job_id, _COUNTED[event.code])

    def _wall_offset_s(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _look_at_clocks(self) -> None:
        """Re-arm every trigger when the wall time has jumped, else they would wait for the old time to come back."""
        offset_s = self._wall_offset_s()
        if abs(offset_s - self._offset_s) > JUMP_S:
            self._counts["clock_jumps"] += 1
            log.warning("wall time jumped by %+.1f s; timers re-armed", offset_s - self._offset_s)
            for agent in self._watched.values():
                self._add(agent)
        self._offset_s = offset_s
        self._look = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look_at_clocks)
