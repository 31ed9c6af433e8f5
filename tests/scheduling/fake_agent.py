"""An agent as the execution engine sees one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from engine.domain.agents import AgentStatus, TaskPriority


class FakeAgent:
    """An agent as the engine sees it; its cycle is what the test gives."""

    def __init__(
        self, agent_id: str = "one", cycle: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.agent_id = agent_id
        self.status = AgentStatus.RUNNING
        self.interval = 60.0
        self.priority = TaskPriority.NORMAL
        self.task_type = "agent_cycle"
        self.runs_itself = False
        self.has_cycle = True
        self.driver: Any = None
        self.cycles = self.skipped = 0
        self.failures: list[BaseException] = []
        self._cycle = cycle

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def perform_cycle(self, resource_pool: object) -> None:
        self.cycles += 1
        if self._cycle is not None:
            await self._cycle()

    async def perform_run(self) -> None:
        await asyncio.Event().wait()

    def seconds_to_next(self) -> float:
        return self.interval

    def note_skipped(self) -> None:
        self.skipped += 1

    def note_failure(self, where: str, error: BaseException) -> None:
        self.failures.append(error)
