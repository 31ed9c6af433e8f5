"""The one place that runs agents' cycles and their tasks: by priority, bounded, timed, cancelled when they hang.

It works inside one asyncio loop. With a stepped engine nothing runs by itself: a host turns the clock and calls
`run_due`, so that a run is a pure function of its inputs.
"""

import itertools
import math
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from engine.adapters.clocks.wall import WallClock
from engine.core.belonging import OWNER
from engine.domain.agents import AgentStatus, TaskPriority
from engine.domain.errors import is_number, must
from engine.ports.agent import ScheduledAgent, Timers
from engine.ports.clock import Clock
from engine.scheduling.adaptive_scheduler import AdaptiveScheduler
from engine.scheduling.alarm import Alarm
from engine.scheduling.lanes import LONG, PLACES, SHARED, lane_of
from engine.scheduling.resource_pool import ResourcePool
from engine.scheduling.task_figures import TaskFigures
from engine.scheduling.tasks import Task, TaskQueue, priority_of, takes_argument
from engine.scheduling.workshop import Workshop

MAX_WAITING = 500
"""Tasks of one agent that may wait at once; its cycle is not among them."""
DEFAULT_TIMEOUT_S = 60.0
"""Time allowed to a task that names none, before the multiplier."""


class ExecutionEngine:
    """Runs what is scheduled.

    Parameters
    ----------
    clock : Clock, optional
        Delays count in its monotonic seconds; the wall clock by default.
    resource_pool : ResourcePool, optional
        Given to every cycle; closed by `stop`.
    is_stepped : bool
        True under a manual clock: tasks wait for `run_due` and timeouts are not watched.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        resource_pool: ResourcePool | None = None,
        *,
        is_stepped: bool = False,
    ) -> None:
        self.clock: Clock = WallClock() if clock is None else clock
        self.resource_pool = ResourcePool(clock=clock) if resource_pool is None else resource_pool
        self.scheduler = AdaptiveScheduler()
        self.timers: Timers | None = None
        self.foreign: frozenset[str] = frozenset()
        """Agents of one's own: what their code queues is theirs, and in no lane that is kept for others."""
        self.on_task_failed: Callable[[str, str, Exception], None] | None = None
        self.is_stepped = is_stepped
        self._max_concurrent_tasks = 20
        self._task_timeout_multiplier = 1.5
        self._is_running = False
        self._queue = TaskQueue()
        self._orders = itertools.count()
        self._agent_orders: dict[str, int] = {}
        self._pending_cycles: dict[str, Task] = {}
        self._alarm = Alarm(self._pump)
        self._figures = TaskFigures()
        self._workshop = Workshop(self.clock, self._figures, self._after, self._report)

    # -- settings --------------------------------------------------------------------------------------------------

    @property
    def max_concurrent_tasks(self) -> int:
        """Tasks at once in the shared lane; may be changed at any time."""
        return self._max_concurrent_tasks

    @max_concurrent_tasks.setter
    def max_concurrent_tasks(self, value: int) -> None:
        if type(value) is not int or value < 1:
            raise must(
                "max_concurrent_tasks", "be a whole number above 0", value, "use for example 20"
            )
        self._max_concurrent_tasks = value
        self._pump()

    @property
    def task_timeout_multiplier(self) -> float:
        """What a task's timeout is multiplied with; may be changed at any time."""
        return self._task_timeout_multiplier

    @task_timeout_multiplier.setter
    def task_timeout_multiplier(self, value: float) -> None:
        if not (is_number(value) and 0 < value < math.inf):
            raise must(
                "task_timeout_multiplier", "be finite and above 0", value, "use for example 1.5"
            )
        self._task_timeout_multiplier = value

    # -- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to run what is queued; harmless twice."""
        self._is_running = True
        self._pump()

    async def stop(self) -> None:
        """Drop what waits, cancel what runs, close the pool; no task of the engine is left. Harmless twice."""
        self._is_running = False
        self._alarm.cancel()
        self._figures.counts["dropped"] += self._queue.clear()
        self._pending_cycles.clear()
        await self._workshop.end()
        await self.resource_pool.close()

    # -- scheduling ------------------------------------------------------------------------------------------------

    async def schedule_agent_cycle(
        self, agent: ScheduledAgent, priority: TaskPriority | None = None, delay: float = 0.0
    ) -> None:
        """Queue the agent's next cycle; one that waits already is replaced, one that runs is never doubled.

        Parameters
        ----------
        priority : TaskPriority, optional
            The agent's own by default.
        delay : float
            Seconds from now.

        Raises
        ------
        InvalidValueError
            The delay is negative or not finite.
        """
        if agent.runs_itself:
            self._launch(agent)
            return
        self._order_of(agent)
        if self.timers is not None and agent.driver is self and agent.has_cycle:
            self.timers.watch(agent)
        self._queue_cycle(
            agent, priority_of(agent.priority if priority is None else priority), delay
        )
        self._pump()

    async def schedule_task(
        self,
        agent_id: str,
        task_type: str,
        coroutine: Callable[..., Awaitable[Any]],
        priority: TaskPriority = TaskPriority.NORMAL,
        delay: float = 0.0,
        timeout: float | None = None,
    ) -> str:
        """Queue a task and return its id.

        Parameters
        ----------
        agent_id : str
            For whom.
        task_type : str
            Kind of work; chooses the lane.
        coroutine : coroutine function
            Called without arguments if it takes none, else with the resource pool.
        delay, timeout : float
            Seconds; the timeout is multiplied by `task_timeout_multiplier`, 60 s when not given.

        Raises
        ------
        InvalidValueError
            An argument breaks its rule; the message names it.
        """
        if not callable(coroutine):
            raise must(
                "coroutine",
                "be a coroutine function",
                coroutine,
                "pass the function without calling it",
            )
        owner = OWNER.get()
        if owner in self.foreign and (agent_id != owner or lane_of(task_type) != SHARED):
            rule = f"be {owner!r} and a task_type of no lane of its own, for a task that {owner} queues"
            raise must(
                "agent_id",
                rule,
                f"{agent_id}, {task_type}",
                "queue it in your own name, as another type",
            )
        limit_s = DEFAULT_TIMEOUT_S if timeout is None else timeout
        if not (is_number(limit_s) and 0 < limit_s < math.inf):
            raise must(
                "timeout", "be a finite number of seconds above 0", timeout, "use for example 60"
            )
        if self._queue.n_of(agent_id) >= MAX_WAITING:
            raise must(
                "agent_id",
                f"have fewer than {MAX_WAITING} tasks waiting",
                agent_id,
                "let some of them end first",
            )
        arguments = (self.resource_pool,) if takes_argument(coroutine) else ()
        order = next(self._orders)
        task = Task(
            task_id=f"{task_type}-{order}", order=order, agent_id=agent_id, task_type=task_type,
            priority=priority_of(priority), due_s=self._due_s(delay), work=partial(coroutine, *arguments),
            timeout_s=limit_s,
        )  # fmt: skip
        self._queue.push(task)
        self._pump()
        return task.task_id

    def forget(self, agent_id: str) -> None:
        """Drop the cycle that waits for an agent, and its timer; one that runs may end."""
        self._drop_pending(agent_id, "dropped")
        if self.timers is not None:
            self.timers.forget(agent_id)

    def is_at_work(self, agent_id: str) -> bool:
        """Return whether a cycle of this agent is running."""
        return self._workshop.is_at_work(agent_id)

    def is_behind(self, agent_id: str) -> bool:
        """Return whether a cycle of this agent is running, or is due and waits for a place."""
        pending = self._pending_cycles.get(agent_id)
        is_due = pending is not None and pending.due_s <= self.clock.monotonic()
        return is_due or self.is_at_work(agent_id)

    def has_cycle_of(self, agent_id: str) -> bool:
        """Return whether a cycle of this agent waits or is running."""
        return agent_id in self._pending_cycles or self.is_at_work(agent_id)

    def get_stats(self) -> dict[str, Any]:
        """Return the figures; times in milliseconds, None before the first task.

        `durations` holds a `TaskDurations` for each agent and task type, of the 128 that began last. Late is what began
        more than 100 ms after it was due.
        """
        return {
            "running": self._is_running,
            "queued_tasks": len(self._queue),
            "agents_tracked": len(self._agent_orders),
            "max_concurrent_tasks": self._max_concurrent_tasks,
            "queue_by_priority": self._queue.by_priority(),
            "timers": {} if self.timers is None else self.timers.get_stats(),
            **self._workshop.stats(),
            **self._figures.stats(),
        }

    # -- stepping --------------------------------------------------------------------------------------------------

    def next_due_s(self) -> float | None:
        """Return when the next task of a stepped engine is due, in the clock's monotonic seconds."""
        return self._queue.next_due_s()

    async def run_due(self, now_s: float) -> bool:
        """Run the one task of a stepped engine that is due first; False when none is due by `now_s`."""
        task = self._queue.take_by_time(now_s)
        if task is None:
            return False
        if self._may_run(task):
            await self._workshop.perform(task)
        return True

    # -- inside ----------------------------------------------------------------------------------------------------

    def _due_s(self, delay: float) -> float:
        if not (is_number(delay) and 0 <= delay < math.inf):
            raise must(
                "delay", "be a finite number of seconds, 0 or more", delay, "use 0 for at once"
            )
        return self.clock.monotonic() + delay

    def _order_of(self, agent: ScheduledAgent) -> int:
        """Return the place of an agent in start order."""
        if agent.agent_id not in self._agent_orders:
            self._agent_orders[agent.agent_id] = next(self._orders)
        return self._agent_orders[agent.agent_id]

    def _queue_cycle(self, agent: ScheduledAgent, priority: TaskPriority, delay: float) -> None:
        if not agent.has_cycle:
            return
        due_s = self._due_s(delay)
        self._drop_pending(agent.agent_id, "replaced")
        task = Task(
            task_id=f"{agent.agent_id}-{next(self._orders)}", order=self._order_of(agent), agent_id=agent.agent_id,
            task_type=agent.task_type, priority=priority, due_s=due_s, agent=agent,
            work=partial(agent.perform_cycle, self.resource_pool), timeout_s=max(DEFAULT_TIMEOUT_S, agent.interval),
        )  # fmt: skip
        self._pending_cycles[agent.agent_id] = task
        self._queue.push(task)

    def _drop_pending(self, agent_id: str, reason: str) -> None:
        task = self._pending_cycles.pop(agent_id, None)
        if task is not None:
            self._queue.drop(task)
            self._figures.counts[reason] += 1

    def _launch(self, agent: ScheduledAgent) -> None:
        """Run an agent's own `run()` as one long task, unless it runs already."""
        order = self._order_of(agent)
        if not self._is_running or self.is_at_work(agent.agent_id):
            return
        task = Task(
            task_id=f"{agent.agent_id}-run", order=order, agent_id=agent.agent_id, task_type="agent_run",
            priority=agent.priority, due_s=0.0, work=agent.perform_run, agent=agent,
        )  # fmt: skip
        self._workshop.begin(task, None)

    def _pump(self) -> None:
        """Start whatever is due and has a place; then sleep until the next is due."""
        if not self._is_running or self.is_stepped:
            return
        now_s = self.clock.monotonic()
        self._queue.ripen(now_s)
        lanes = self._queue.lanes()
        busy = self._workshop.by_lane() if lanes else Counter()
        for lane in lanes:
            places = PLACES.get(lane, self._max_concurrent_tasks)
            while busy[lane] < places and (task := self._queue.take(lane)) is not None:
                if self._may_run(task):
                    self._workshop.begin(task, self._limit_of(task))
                    busy[lane] += 1
        self._alarm.set(self._queue.next_due_s(), now_s)

    def _may_run(self, task: Task) -> bool:
        """Return whether a task taken from the queue runs now; a cycle waits for the agent's last to end."""
        agent = task.agent
        if agent is None:
            return True
        if agent.status is not AgentStatus.RUNNING:
            self._pending_cycles.pop(task.agent_id, None)
            self._figures.counts["dropped"] += 1
            return False
        if self.is_at_work(task.agent_id):
            return False  # still pending: its agent's cycle pushes it again when it ends
        self._pending_cycles.pop(task.agent_id, None)
        return True

    def _limit_of(self, task: Task) -> float | None:
        """Return how long a task may take, in the loop's seconds."""
        return None if task.timeout_s is None else task.timeout_s * self._task_timeout_multiplier

    def _after(self, task: Task) -> None:
        """Queue an agent's next cycle after one has ended, unless one waits or timers ask for it."""
        agent = task.agent
        if agent is not None and self._is_running and task.lane != LONG:
            waiting = self._pending_cycles.get(task.agent_id)
            if waiting is not None and waiting not in self._queue:
                self._queue.push(waiting)  # it became due while this one ran
            elif waiting is None and agent.driver is self and agent.status is AgentStatus.RUNNING:
                self._continue(agent)
        self._pump()

    def _continue(self, agent: ScheduledAgent) -> None:
        """Queue the next cycle where no timers do; whoever paces the agent has set its interval."""
        self.scheduler.track(agent.agent_id)
        if self.timers is None:
            self._queue_cycle(agent, agent.priority, agent.seconds_to_next())

    def _report(self, task: Task, error: Exception) -> None:
        """Let a failure outside an agent's own fence be seen."""
        if task.agent is not None:
            task.agent.note_failure("cycle", error)
        elif self.on_task_failed is not None:
            self.on_task_failed(task.agent_id, task.task_type, error)
