"""Where tasks are at work: each is counted, timed, cut at its limit, and heard of when it has left its place.

One that will not end gives its place up all the same and is an orphan from then on. Limits are seconds of the loop's
time; None is no limit.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from engine.core.containing import contained
from engine.domain.errors import TaskStuckError
from engine.ports.clock import Clock
from engine.scheduling import cutting
from engine.scheduling.lanes import LONG
from engine.scheduling.task_figures import TaskFigures
from engine.scheduling.tasks import Task

MAX_ORPHANS = 16
"""Orphans at once; beyond them a task that will not end keeps its place, because each still uses the loop."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Job:
    """A task at work: what runs it (None in the caller's own task), since when, and whether its time is up."""

    work: asyncio.Task[None] | None = None
    began: float = 0.0
    is_late: bool = False


class Workshop:
    """Tasks at work.

    Parameters
    ----------
    clock : Clock
        Tells how late a task begins.
    figures : TaskFigures
        Counts and times.
    left : callable
        Told of each task that has left its place, however it ended.
    failed : callable
        Told of a task's failure that no agent's own fence has caught.
    """

    def __init__(
        self,
        clock: Clock,
        figures: TaskFigures,
        left: Callable[[Task], None],
        failed: Callable[[Task, Exception], None],
    ) -> None:
        self._clock = clock
        self._figures = figures
        self._left = left
        self._failed = failed
        self._at_work: dict[Task, _Job] = {}
        self._orphans: dict[Task, _Job] = {}

    def begin(self, task: Task, limit_s: float | None) -> None:
        """Set a task to work on the running loop."""
        work = asyncio.get_running_loop().create_task(
            self.perform(task, limit_s), name=f"engine.{task.task_id}"
        )
        self._at_work[task] = _Job(work)
        work.add_done_callback(lambda _: self._note_unbegun(task))

    async def perform(self, task: Task, limit_s: float | None = None) -> None:
        """Do a task's work here and now."""
        job = self._at_work.setdefault(task, _Job())
        self._figures.began(task, self._clock.monotonic())
        job.began, outcome = time.perf_counter(), "cancelled"
        try:
            outcome = await self._run_within(task, limit_s)
        finally:
            if self._orphans.pop(task, None) is None:
                self._leave(task, outcome)
            else:
                log.warning("task %s has ended after all", task.task_id)

    async def end(self) -> None:
        """Cancel what is at work, except the task that asks for it, until all has ended that can be ended."""
        here = asyncio.current_task()
        jobs = (*self._at_work.values(), *self._orphans.values())
        running = {job.work for job in jobs if job.work is not None and job.work is not here}
        if stuck := await cutting.end(running):
            names = [task.get_name() for task in stuck]
            log.error("%d tasks ignore their cancellation: %s", len(stuck), names)

    def is_at_work(self, agent_id: str) -> bool:
        """Return whether a cycle of this agent, or its own `run()`, is at work."""
        return any(task.agent is not None and task.agent_id == agent_id for task in self._at_work)

    def by_lane(self) -> Counter[str]:
        """Return how many are at work in each lane."""
        return Counter(task.lane for task in self._at_work)

    def stats(self) -> dict[str, Any]:
        """Return how many are at work, and the orphans' names, as the engine's statistics carry it."""
        n_long = self.by_lane()[LONG]
        return {
            "running_tasks": len(self._at_work) - n_long,
            "long_runs": n_long,
            "orphaned_tasks": len(self._orphans),
            "orphans": tuple(task.task_id for task in self._orphans),
        }

    async def _run_within(self, task: Task, limit_s: float | None) -> str:
        """Run a task and return how it ended."""
        limit = cutting.TimeLimit(limit_s, partial(self._is_over, task))
        try:
            async with limit:
                with contained(task.agent_id):
                    await task.work()
        except Exception as error:
            log.exception("task %s failed", task.task_id)
            if task in self._orphans:
                return "timed_out"  # has been told
            late = TimeoutError(f"took longer than {limit_s} s and was cancelled")
            self._failed(task, late if limit.has_expired else error)
            return "timed_out" if limit.has_expired else "failed"
        return "completed"

    def _is_over(self, task: Task, n_cuts: int) -> None:
        """Count a task whose time is up, and let it go once it has been cut in vain."""
        job = self._at_work.get(task)
        if job is None:
            return
        if not job.is_late:
            job.is_late = True
            self._figures.timed_out(task)
        if n_cuts < cutting.CUTS or len(self._orphans) >= MAX_ORPHANS:
            return
        log.error("task %s ignores its cancellation and is left behind", task.task_id)
        self._orphans[task] = job
        words = f"{task.task_type} ignored {n_cuts} cancellations and was left behind"
        self._failed(task, TaskStuckError(words))
        self._leave(task, "timed_out")

    def _leave(self, task: Task, outcome: str) -> None:
        job = self._at_work.pop(task)
        took_ms = (time.perf_counter() - job.began) * 1000
        self._figures.ended(task, "timed_out" if job.is_late else outcome, took_ms)
        self._left(task)

    def _note_unbegun(self, task: Task) -> None:
        """Forget a task that was cancelled before it took its first step."""
        if task in self._at_work:
            del self._at_work[task]
            self._figures.counts["cancelled"] += 1
