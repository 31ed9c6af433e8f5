"""What the engine does for itself when nothing else waits: freed memory goes back to the system now and then.

Forecasts allocate and free megabytes at every bar; what is freed stays with the process unless somebody gives it back.
"""

import logging
from collections.abc import Callable

from engine.core.threads import in_thread
from engine.domain.agents import TaskPriority
from engine.scheduling.execution_engine import ExecutionEngine

EVERY_S = 300.0
OWNER = "engine"
TASK_TYPE = "housekeeping"

log = logging.getLogger(__name__)


class Housekeeping:
    """A task at the lowest priority that queues the next one when it ends.

    Parameters
    ----------
    engine : ExecutionEngine
        Where it waits for its turn.
    work : callable
        What is to be done, in a thread.
    """

    def __init__(self, engine: ExecutionEngine, work: Callable[[], object]) -> None:
        self._engine = engine
        self._work = work

    async def begin(self) -> None:
        """Queue the next one."""
        await self._engine.schedule_task(
            OWNER, TASK_TYPE, self._keep, priority=TaskPriority.IDLE, delay=EVERY_S
        )

    async def _keep(self) -> None:
        try:
            await in_thread(self._work)
        except Exception:
            log.exception("housekeeping failed; it is tried again in %.0f s", EVERY_S)
        await self.begin()
