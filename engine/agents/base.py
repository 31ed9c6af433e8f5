"""The base of every agent: its life, its subscriptions, its fence and its figures.

A built-in agent only answers: `handle(event)` and `cycle()` return events, and everything else happens here. An agent
may instead bring a `run()` loop or a `_run_cycle(resource_pool)` of its own; both are paused, timed and fenced alike.
"""

import asyncio
import inspect
import logging
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, cast

from engine.agents.checkup import Vitals
from engine.agents.holdings import holdings_of
from engine.agents.limits import START_S, STOP_S, alone, within
from engine.agents.performing import Performing
from engine.core.belonging import cancel_timers, home_of, owned, tasks_of
from engine.core.event_bus import EventBus, Handler
from engine.core.state_manager import StateManager
from engine.domain.agents import AgentStatus
from engine.domain.errors import is_number, must
from engine.domain.events import Event, EventType
from engine.domain.payload import Payload
from engine.domain.sections import AgentRow
from engine.ports.agent import Driver

INTERVAL_KEYS = ("interval", "interval_sec", "interval_seconds", "health_check_interval")
GRACE_S = 0.25
"""How long `stop` lets a loop or a cycle in flight come to its end before it is cancelled."""
CANCEL_S = 1.0
"""How long a cancelled loop may take to clean up before it is left behind."""

_NAME = re.compile(r"(?=.*[^ ])[\w .-]{1,64}")
_AT_WORK = {
    AgentStatus.STARTING,
    AgentStatus.RUNNING,
    AgentStatus.PAUSED,
    AgentStatus.STOPPING,
}
_DEAF = {AgentStatus.PAUSED, AgentStatus.STOPPED, AgentStatus.ERROR, AgentStatus.STOPPING}

log = logging.getLogger(__name__)


class BaseAgent(Performing):
    """One member of the crew.

    Parameters
    ----------
    name : str
        Shown on screens; the `agent_id` unless the configuration gives another.
    event_bus : EventBus
        Where it hears and speaks.
    state_manager : StateManager
        The shared memory.
    config : mapping, optional
        Founding keys and dependencies: `clock`, `compute`, `resource_pool`, `agent_id`, and the interval in seconds
        as `interval`, `interval_sec`, `interval_seconds` or `health_check_interval`.

    Raises
    ------
    InvalidValueError
        A value breaks its rule; the message names the field.
    """

    title: ClassVar[str] = ""
    detail: ClassVar[str] = ""
    start_limit_s: ClassVar[float | None] = START_S
    stop_limit_s: ClassVar[float | None] = STOP_S
    trigger: ClassVar[str] = ""

    def __init__(
        self,
        name: str,
        event_bus: EventBus,
        state_manager: StateManager,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        given = dict(config or {})
        agent_id = given.get("agent_id", name)
        for field, value in (("name", name), ("agent_id", agent_id)):
            if not isinstance(value, str) or not _NAME.fullmatch(value):
                raise must(
                    field,
                    "be 1 to 64 letters, digits, spaces, '.', '-' or '_'",
                    value,
                    "choose another",
                )
        super().__init__(agent_id, event_bus, _interval(given, self.default_interval), given)
        self._name = name
        self.state_manager = state_manager
        self.driver: Driver | None = None
        self._hearing: dict[tuple[EventType, Callable[[Event], object]], Handler] = {}

    @property
    def name(self) -> str:
        """Shown on screens."""
        return self._name

    async def on_start(self) -> None:
        """Set up; raising, or taking longer than `start_limit_s`, keeps the agent from starting."""

    async def on_stop(self) -> None:
        """Clean up, within `stop_limit_s`."""

    def missing(self) -> str:
        """Return what keeps this agent from being started (its status is then NOT_SET_UP), or nothing."""
        return ""

    # -- life ----------------------------------------------------------------------------------------------------

    @property
    def is_deaf(self) -> bool:
        """Whether its handlers hear nothing at present: it is paused, stopped or has failed."""
        return self._status in _DEAF

    @property
    def reason(self) -> str:
        """Why the status is what it is, in a few words; often empty."""
        return self._reason

    @property
    def late_s(self) -> float:
        """How long ago its next cycle should have begun; 0 while one is at work or none is due."""
        if self._next_at_s is None or self.in_flight_s is not None:
            return 0.0
        return max(0.0, self._clock.monotonic() - self._next_at_s)

    async def start(self, *, actor: str = "engine") -> None:
        """Start it; harmless when it has been started.

        Raises
        ------
        InvalidValueError
            A cycle of its last life is still at work, because it ignores being cancelled; the status is ERROR then.
        Exception
            What `on_start` raised; the status is ERROR then and the reason is announced.
        """
        if self._status in _AT_WORK:
            return
        if self._cycle_task not in {None, asyncio.current_task()}:
            self._reason = "its last cycle ignores being cancelled and is still at work"
            await self._become(AgentStatus.ERROR, actor)
            raise must(self._name, "have ended its last cycle", "still in it", "restart the engine")
        self._reason = self.missing()
        if self._reason:
            await self._become(AgentStatus.NOT_SET_UP, actor)
            return
        self._status = AgentStatus.STARTING
        self._fence.reset()
        self._gate.open()
        try:
            await within(self.start_limit_s, self.on_start(), "on_start", self.agent_id)
        except Exception as error:
            self._reason = f"start failed: {error}"
            await self._become(AgentStatus.ERROR, actor)
            raise
        except BaseException:  # given up while starting
            self._status = AgentStatus.STOPPED
            raise
        if self.status is not AgentStatus.STARTING:
            return  # stopped while it was starting
        self._running = True
        self._status = AgentStatus.RUNNING
        for topic in self.topics:
            self.event_bus.subscribe(topic, self._on_event)
        await self._become(AgentStatus.RUNNING, actor, EventType.ENGINE_STARTED)
        await self._begin_work()

    async def stop(self, *, actor: str = "engine", reason: str = "") -> None:
        """Stop it: end its loop or cycle (cancelled after a short grace), then call `on_stop`; harmless twice."""
        if self._status not in _AT_WORK - {AgentStatus.STOPPING} | {AgentStatus.ERROR}:
            return
        was_paused = self._status is AgentStatus.PAUSED
        self._status = AgentStatus.STOPPING
        self._reason = reason
        self._leave_service()
        await self._end_work(0.0 if was_paused else GRACE_S)
        cancel_timers(self.agent_id, home_of(type(self)))
        self._gate.open()
        try:
            await within(self.stop_limit_s, self.on_stop(), "on_stop", self.agent_id)
            if self._own_pool is not None:
                await self._own_pool.close()
        except Exception as error:
            log.exception("agent %s failed while stopping", self.agent_id)
            self._reason = f"stop failed: {error}"
        await self._become(AgentStatus.STOPPED, actor, EventType.ENGINE_STOPPED)

    async def pause(self, *, actor: str = "engine") -> None:
        """Hold it: no further cycle, no step of its loop, no answer to events; a cycle in flight may end."""
        if self._status is not AgentStatus.RUNNING:
            return
        self._gate.shut()
        self._worker.forget()
        self._next_at_s = None
        if self.driver is not None:
            self.driver.forget(self.agent_id)
        await self._become(AgentStatus.PAUSED, actor)

    async def resume(self, *, actor: str = "engine") -> None:
        """Let a paused agent go on; its next cycle is due at once."""
        if self._status is not AgentStatus.PAUSED:
            return
        await self._become(AgentStatus.RUNNING, actor)
        self._gate.open()
        if self._nap is not None:
            self._nap.cancel()
        if self.driver is not None and self.has_cycle:
            await self.driver.schedule_agent_cycle(self)

    # -- speaking, hearing, remembering ----------------------------------------------------------------------------

    async def emit_event(
        self,
        event_type: EventType,
        data: Payload | Mapping[str, Any],
        as_of: datetime | None = None,
    ) -> Event:
        """Publish an event and return it as the log has it; one beyond the agent's quota is not published (`seq` 0)."""
        self._measurement.emitted += 1
        return await self.event_bus.publish(self.event(event_type, data, as_of))

    def subscribe_to(
        self, event_type: EventType, handler: Callable[[Event], Awaitable[object] | object]
    ) -> None:
        """Let `handler` hear a topic on this agent's behalf, once however often that is said."""
        hears = self._hearing.get((event_type, handler))
        if hears is None:
            hears = self._hearing[event_type, handler] = self._listening(handler)
        self.event_bus.subscribe(event_type, hears)

    def _listening(self, handler: Callable[[Event], Awaitable[object] | object]) -> Handler:
        """Return what hears for the agent: nothing while it is paused or stopped."""

        async def hears(event: Event) -> None:
            if not self.is_deaf:
                await alone(cast(Awaitable[object], handler(event)), self.agent_id)

        def hears_inline(event: Event) -> None:
            if not self.is_deaf:
                with owned(self.agent_id):
                    handler(event)

        return hears if inspect.iscoroutinefunction(handler) else hears_inline

    def update_state(self, key: str, value: Any) -> None:  # noqa: ANN401 -- JSON-like, the caller knows which
        """Keep a value in the shared memory."""
        self.state_manager.set(key, value)

    def get_state(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 -- JSON-like
        """Return a value of the shared memory."""
        return self.state_manager.get(key, default)

    def get_metrics(self) -> dict[str, Any]:
        """Return what this agent has done, at any time of its life."""
        return {
            "agent_id": self.agent_id,
            "name": self.name,
            "status": self._status.value,
            "reason": self._reason,
            "interval": self.interval,
            "consecutive_errors": self._fence.consecutive,
            "last_error": self._fence.last_error,
            **self.measured().to_data(),
        }

    def vitals(self, *, with_durations: bool) -> Vitals:
        """Return its vital signs for the supervisor."""
        return Vitals(
            interval_s=self.interval if self.has_cycle else None,
            in_flight_s=self.in_flight_s,
            waited_s=self._waits.seconds,
            p95_ms=self.measured().p95_ms if with_durations else None,
            kept=holdings_of(self),
            dropped=0 if self.quota is None else self.quota.dropped,
        )

    def row(self) -> AgentRow:
        """Return this agent as the ``agents`` section shows it."""
        return AgentRow(
            agent_id=self.agent_id, title=self.title or self.name, detail=self.detail, status=self._status,
            reason=self._reason, priority=self.priority, interval_s=self.interval if self.has_cycle else None,
            base_interval_s=self.base_interval if self.has_cycle else None, is_paced=self.is_paced,
            trigger=self.trigger, runs_itself=self.runs_itself, topics_in=tuple(t.value for t in self.topics),
            topics_out=tuple(t.value for t in self.emits), last_error=self._fence.last_error,
            consecutive_errors=self._fence.consecutive,
        )  # fmt: skip

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _become(self, status: AgentStatus, actor: str, also: EventType | None = None) -> None:
        """Take a status and tell everybody."""
        self._status = status
        await self.event_bus.unmetered.publish(
            self.event(EventType.AGENT_CHANGED, self._changed(actor))
        )
        if also is not None:
            changed = replace(self._changed(actor), status=status)
            await self.event_bus.unmetered.publish(self.event(also, changed))

    async def _begin_work(self) -> None:
        if self.status is not AgentStatus.RUNNING:
            return  # somebody stopped it on hearing of its start
        self._next_at_s = None
        if self.driver is not None:
            if self.has_cycle or self.runs_itself:
                await self.driver.schedule_agent_cycle(self)
        elif self.runs_itself:
            self._loop_task = asyncio.create_task(self.perform_run(), name=f"{self.agent_id}.run")
        elif self.has_cycle:
            self._loop_task = asyncio.create_task(self.run(), name=f"{self.agent_id}.cycles")

    def _leave_service(self) -> None:
        """Take no more events or cycles; what runs may still end."""
        self._running = False
        self._next_at_s = None
        self._worker.forget()
        for topic in self.topics:
            self.event_bus.unsubscribe(topic, self._on_event)
        if self.driver is not None:
            self.driver.forget(self.agent_id)

    async def _end_work(self, grace_s: float) -> None:
        """End what is in flight, except the task that asks for it: an agent may stop itself."""
        here = asyncio.current_task()
        if self._nap is not None:
            self._nap.cancel()
        self._worker.cancel()
        tasks = {
            task
            for task in (self._loop_task, self._cycle_task, self._worker.task)
            if task is not None and task is not here and not task.done()
        } | tasks_of(self.agent_id, home_of(type(self))) - {here}
        if here is not None and here in {self._loop_task, self._cycle_task}:
            tasks -= {self._loop_task, self._cycle_task}
        if tasks and grace_s:
            _, tasks = await asyncio.wait(tasks, timeout=grace_s)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_S)
        self._loop_task = None


def _interval(config: Mapping[str, Any], default: float) -> float:
    for key in INTERVAL_KEYS:
        if config.get(key) is None:
            continue
        value = config[key]
        if not (is_number(value) and 0 < value < math.inf):
            raise must(key, "be a finite number of seconds above 0", value, "give for example 5")
        return float(value)
    return default
