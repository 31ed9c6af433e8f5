"""How an agent's judgement is carried out: timed, fenced, measured, off the loop where it is heavy.

`BaseAgent` adds the life (start, stop, pause, resume) and the founding conveniences on top.
"""

import asyncio
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from engine.adapters.clocks.wall import WallClock
from engine.adapters.compute.inline import InlineCompute
from engine.agents.fence import BREAKER, Fence
from engine.agents.limits import Interval, alone
from engine.agents.measurement import Measurement
from engine.agents.pausing import Gate, Held
from engine.agents.quota import Quota
from engine.agents.worker import LATER, Hands, Worker
from engine.core.containing import contained
from engine.core.event_bus import EventBus
from engine.domain.agents import (
    AgentChanged,
    AgentFailed,
    AgentMeasured,
    AgentStatus,
    AgentTrouble,
    TaskPriority,
)
from engine.domain.errors import TaskStuckError
from engine.domain.events import Event, EventType, Retention
from engine.domain.payload import Payload
from engine.ports.clock import Clock
from engine.ports.compute import Compute
from engine.scheduling.cutting import current_task
from engine.scheduling.resource_pool import ResourcePool
from engine.scheduling.waits import PRESENT, Waits

HEALTHY_RUN_S = 60.0
"""A `run()` that lasted so long before it failed starts a new row of failures."""
MEASURED_EVERY_S = 1.0

log = logging.getLogger(__name__)


class Performing(ABC):
    """The working half of `BaseAgent`; its parameters are described there."""

    topics: ClassVar[tuple[EventType, ...]] = ()
    """What `handle` gets."""
    emits: ClassVar[tuple[EventType, ...]] = ()
    """What it may publish; for the graph."""
    heavy: ClassVar[bool] = False
    """True when `handle` and `cycle` leave the loop through the compute port."""
    default_interval: ClassVar[float] = 60.0
    default_priority: ClassVar[TaskPriority] = TaskPriority.NORMAL
    is_paced: ClassVar[bool] = True
    """False when its pace is not its own to change: the feed's, or the supervisor's."""
    interval = Interval()
    task_type: ClassVar[str] = "agent_cycle"
    """Kind of work of its cycles; `engine.scheduling.lanes` declares which kinds have a lane of their own."""

    def __init__(
        self, agent_id: str, event_bus: EventBus, interval: float, config: Mapping[str, Any]
    ) -> None:
        self.agent_id = agent_id
        self.event_bus = event_bus
        self.base_interval = self.interval = interval
        self._priority: TaskPriority | None = None
        self.config: dict[str, Any] = dict(config)
        self._clock: Clock = self.config.get("clock") or WallClock()
        self._compute: Compute = self.config.get("compute") or InlineCompute()
        self._status = AgentStatus.CREATED
        self._reason = ""
        self._running = False
        self._fence = Fence()
        self._measurement = Measurement()
        self._measured_at_s = -math.inf
        self._is_told_at_work = False
        self.troubles: tuple[AgentTrouble, ...] = ()
        """What the supervisor's last check found."""
        self._cycle_began_s: float | None = None
        self._waits = Waits(self._clock)
        self._next_at_s: float | None = None
        self.quota: Quota | None = None
        """What its bus lets it say at most; None for no limit, as the built-in agents have none."""
        self._gate = Gate()
        self._one_at_a_time = asyncio.Lock()
        self._loop_task: asyncio.Task[Any] | None = None
        self._cycle_task: asyncio.Task[Any] | None = None
        hands = Hands(
            is_running=lambda: self.status is AgentStatus.RUNNING, answers_to=self._answers_to, later=self._later,
            answered=self._answer, failed=self._failed_on, passed=self._fence.passed, timed=self._timed, say=self._say,
        )  # fmt: skip
        self._worker = Worker(hands, self._compute, self._one_at_a_time)
        self._nap: asyncio.Future[None] | None = None
        self._own_pool: ResourcePool | None = None

    # -- judgement: what a subclass writes -----------------------------------------------------------------------

    def handle(self, event: Event) -> Iterable[Event]:  # noqa: ARG002 -- the default hears and says nothing
        """Return the events that follow from `event`; pure and synchronous."""
        return ()

    def cycle(self) -> Iterable[Event]:
        """Return, or yield one by one, the events of one cycle; each is delivered before the next is asked for."""
        return ()

    def later(self) -> Iterable[Event] | None:
        """Return the events of one piece of work that can wait until no event does; None when there is none.

        It is asked for after events have been answered, until it returns None; `heavy` agents do it off the loop.
        """
        return None

    async def run(self) -> None:
        """Drive the cycles while no engine does; a subclass may loop here on `self._running` instead."""
        pool = self._pool()
        while self._running:
            if self.status is AgentStatus.RUNNING:
                await self.perform_cycle(pool)
            self._nap = asyncio.ensure_future(self._clock.sleep(self.seconds_to_next()))
            try:
                await asyncio.wait((self._nap,))
            finally:
                self._nap.cancel()

    async def _run_cycle(self, resource_pool: Any) -> Any:  # noqa: ANN401, ARG002 -- the founding signature
        """Run one cycle; a subclass may do its own work here and return what it likes."""
        if self._leaves_the_loop:
            async with self._one_at_a_time:
                for event in await self._compute.run(lambda: tuple(self.cycle())):
                    await self._say(event)
            return None
        for event in self.cycle():
            await self._say(event)
        return None

    async def _say(self, event: Event) -> None:
        self._measurement.emitted += 1
        await self.event_bus.publish(self._signed(event))

    @abstractmethod
    async def stop(self, *, actor: str = "engine", reason: str = "") -> None:
        """Stop it."""

    @abstractmethod
    def _leave_service(self) -> None:
        """Take no more events or cycles."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Shown on screens."""

    @property
    def status(self) -> AgentStatus:
        """What the agent is doing."""
        return self._status

    def event(
        self,
        event_type: EventType,
        payload: Payload | Mapping[str, Any],
        as_of: datetime | None = None,
    ) -> Event:
        """Return an event of this agent; without `as_of` the base gives it that of the event it answers."""
        data = payload.to_data() if isinstance(payload, Payload) else dict(payload)
        return Event(event_type, data, source=self.agent_id, as_of=as_of)

    @property
    def priority(self) -> TaskPriority:
        """Priority of its cycles."""
        return self.default_priority if self._priority is None else self._priority

    @priority.setter
    def priority(self, value: TaskPriority) -> None:
        self._priority = value

    @property
    def runs_itself(self) -> bool:
        """Whether a subclass brought a `run()` of its own."""
        return type(self).run is not Performing.run

    @property
    def has_cycle(self) -> bool:
        """Whether there is a cycle to drive."""
        kind = type(self)
        is_cyclic = (
            kind.cycle is not Performing.cycle or kind._run_cycle is not Performing._run_cycle
        )
        return is_cyclic and not self.runs_itself

    def seconds_to_next(self) -> float:
        """Return the wait until the next cycle is due, counted from the start of the last; longer after failures."""
        if self._next_at_s is None:
            return self.interval
        return max(0.0, self._next_at_s - self._clock.monotonic())

    async def perform_cycle(self, resource_pool: object) -> object:
        """Run one cycle, timed and fenced; nothing when it is not RUNNING or a cycle is in flight."""
        if self._status is not AgentStatus.RUNNING:
            return None
        if self._cycle_task is not None:
            self._next_at_s = self._clock.monotonic() + self.interval
            self.note_skipped()
            return None
        result = None
        began_s, began = self._clock.monotonic(), time.perf_counter()
        self._cycle_task, self._cycle_began_s = asyncio.current_task(), began_s
        self._waits = Waits(self._clock)
        present = PRESENT.set(self._waits)
        try:
            result = await alone(self._run_cycle(resource_pool), self.agent_id)
        except Exception as error:
            log.exception("a cycle of agent %s failed", self.agent_id)
            self.note_failure("cycle", error)
        else:
            self._fence.passed("cycle")
        finally:
            PRESENT.reset(present)
            self._cycle_task = self._cycle_began_s = None
            self._next_at_s = max(began_s + self.interval, self._fence.quiet_until_s)
            self._measurement.cycles += 1
            self._timed(began, is_cycle=True)
        return result

    def note_skipped(self) -> None:
        """Count a cycle that was due while the last had not ended."""
        self._measurement.skipped += 1

    async def perform_run(self) -> None:
        """Run its own `run()`, held back while paused, again after a failure, until it ends or is stopped."""
        self._loop_task = asyncio.current_task()
        while self._running:
            began_s = self._clock.monotonic()
            try:
                await alone(Held(self.run(), self._gate), self.agent_id)
                break
            except Exception as error:
                log.exception("run() of agent %s failed", self.agent_id)
                if self._clock.monotonic() - began_s > HEALTHY_RUN_S:
                    self._fence.passed("run")
                self.note_failure("run", error)
            if self._running:
                await self._clock.sleep(self._fence.quiet_until_s - self._clock.monotonic())
        if self._running:
            await self.stop(reason="its run() came to an end")

    def note_failure(self, where: str, error: BaseException, cause: Event | None = None) -> None:
        """Make a failure visible; the fifth in a row, or work that is stuck, takes the agent out of service."""
        row = self._fence.failed(where, error, self._clock.monotonic())
        if self._next_at_s is not None:
            self._next_at_s = max(self._next_at_s, self._fence.quiet_until_s)
        self._measurement.errors += 1
        told = self._fence.last_error
        failed = AgentFailed(agent_id=self.agent_id, where=where, error=told, consecutive=row)
        self._tell(self.event(EventType.AGENT_FAILED, failed), cause)
        is_over = row >= BREAKER or isinstance(error, TaskStuckError)
        if is_over and self._status in {AgentStatus.RUNNING, AgentStatus.PAUSED}:
            self._reason = f"failed ({row}×): {self._fence.last_error}"
            self._leave_service()
            self._status = AgentStatus.ERROR
            loop_task = self._loop_task
            if loop_task is not None and loop_task not in {current_task(), self._cycle_task}:
                loop_task.cancel()
            self._tell(self.event(EventType.AGENT_CHANGED, self._changed("engine")), cause)

    @property
    def in_flight_s(self) -> float | None:
        """How long the cycle at work has lasted, or what is answered off the loop; None when nothing is at work."""
        began_s = self._cycle_began_s
        return self._worker.in_flight_s if began_s is None else self._clock.monotonic() - began_s

    def publish_measured(self) -> None:
        """Post AGENT_MEASURED now; the base does so by itself at most once a second."""
        self._measured_at_s = self._clock.monotonic()
        self._is_told_at_work = self._cycle_began_s is not None
        self.event_bus.unmetered.post(self.event(EventType.AGENT_MEASURED, self.measured()))

    def _on_event(self, event: Event) -> None:
        if self._status is not AgentStatus.RUNNING:
            return
        is_quiet = self._clock.monotonic() < self._fence.quiet_until_s
        if is_quiet and event.retention is Retention.STREAM:
            return  # backing off: ticks may go by, anything else is still tried
        if self._leaves_the_loop:
            self._measurement.conflated += self._worker.take(event)
            return
        began = time.perf_counter()
        try:
            self._answer(event, self._answers_to(event))
        except Exception as error:  # noqa: BLE001 -- the fence: a failure becomes an event
            self._failed_on(event, error)
        self._timed(began)
        self._do_later()

    def _do_later(self) -> None:
        """Do all that could wait, as the worker beside the loop does it: it answers no event."""
        try:
            while self.status is AgentStatus.RUNNING and (events := self._later()) is not None:
                self._fence.passed(LATER)
                for each in events:
                    self._measurement.emitted += 1
                    self._post(each, None)
        except Exception as error:  # noqa: BLE001 -- as above
            self._failed_on(None, error)

    @property
    def _leaves_the_loop(self) -> bool:
        return self.heavy and not self._compute.is_inline

    def _later(self) -> tuple[Event, ...] | None:
        with contained(self.agent_id):
            events = self.later()
            return None if events is None else tuple(events)

    def _answers_to(self, event: Event) -> tuple[Event, ...]:
        with contained(self.agent_id):
            return tuple(self.handle(event))

    def _answer(self, event: Event, answers: tuple[Event, ...]) -> None:
        self._measurement.handled += 1
        self._fence.passed(f"handle {event.event_type.value}")
        for answer in answers:
            self._measurement.emitted += 1
            self._post(answer, event)

    def _failed_on(self, event: Event | None, error: Exception) -> None:
        where = LATER if event is None else f"handle {event.event_type.value}"
        log.error("agent %s failed on %s", self.agent_id, where, exc_info=error)
        self.note_failure(where, error, event)

    def _tell(self, event: Event, cause: Event | None) -> None:
        self.event_bus.unmetered.post(self._signed(event, cause))

    def _post(self, event: Event, cause: Event | None) -> None:
        self.event_bus.post(self._signed(event, cause))

    def _signed(self, event: Event, cause: Event | None = None) -> Event:
        """Return the event with its source and, where it answers another, that one's `seq` and market time."""
        if cause is None:
            return event if event.source else replace(event, source=self.agent_id)
        return replace(
            event,
            source=event.source or self.agent_id,
            cause=event.cause or cause.seq or None,
            as_of=event.as_of or cause.as_of,
        )

    def _changed(self, actor: str) -> AgentChanged:
        return AgentChanged(
            agent_id=self.agent_id, name=self.name, status=self._status, reason=self._reason, actor=actor
        )  # fmt: skip

    def _timed(self, began: float, *, is_cycle: bool = False) -> None:
        self._measurement.took((time.perf_counter() - began) * 1000, is_cycle=is_cycle)
        self._measurement.last_run_at = self._clock.now().timestamp()
        is_due = self._clock.monotonic() - self._measured_at_s >= MEASURED_EVERY_S
        if not is_due and not (self._is_told_at_work and self._cycle_began_s is None):
            return
        try:
            self.publish_measured()
        except Exception as error:  # noqa: BLE001 -- the fence: `measured` may be an agent's own
            self.note_failure("measured", error)

    def measured(self) -> AgentMeasured:
        """Return what it has done so far."""
        in_flight_s, now = self.in_flight_s, self._clock.now().timestamp()
        is_due = self._next_at_s is not None and self._status is AgentStatus.RUNNING
        due_at = now + self.seconds_to_next() if is_due else None
        told = self._measurement.payload(self.agent_id)
        return replace(
            told, queue=self._worker.n_pending, next_run_at=due_at,
            emitted=told.emitted if self.quota is None else self.quota.admitted,
            running_since=None if in_flight_s is None else now - in_flight_s, troubles=self.troubles,
            dropped=0 if self.quota is None else self.quota.dropped,
        )  # fmt: skip

    def _pool(self) -> object:
        """Return the pool given in the configuration, else one of its own that ends with the agent."""
        given = self.config.get("resource_pool")
        if given is None:
            self._own_pool = given = self._own_pool or ResourcePool()
        return given
