"""What follows when an agent holds up the engine's loop: it is named, and one of one's own is stopped at last."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import UTC, datetime

from engine.agents.base import BaseAgent
from engine.core.event_bus import EventBus
from engine.domain.events import Event, EventType
from engine.domain.risk import Alert, Severity
from engine.ports.clock import Clock
from engine.scheduling.loop_watch import Block

LONG_S = 1.0
"""A block so long counts towards being stopped."""
TIMES = 3
WINDOW_S = 60.0

log = logging.getLogger(__name__)


class Blocking:
    """Takes the blocks of the loop.

    Parameters
    ----------
    agents : mapping of str to BaseAgent
        Everybody by id.
    own : frozenset of str
        Ids of agents that the configuration brought; only these are stopped.
    bus, clock
        Where it is told, and what counts the window.
    """

    def __init__(
        self, agents: Mapping[str, BaseAgent], own: frozenset[str], bus: EventBus, clock: Clock
    ) -> None:
        self._agents = agents
        self._own = own
        self._bus = bus
        self._clock = clock
        self._long: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=TIMES))
        self._alerts = 0
        self._stopping: set[asyncio.Task[None]] = set()

    def take(self, block: Block) -> None:
        """Log a block; tell of a long one, and stop an agent of one's own at its third within a minute."""
        level = logging.WARNING if block.seconds >= LONG_S else logging.DEBUG
        who = f" in {block.agent_id} ({block.where})" if block.agent_id else ""
        log.log(level, "the engine's loop stood still for %.2f s%s", block.seconds, who)
        agent = self._agents.get(block.agent_id)
        if agent is None or block.seconds < LONG_S:
            return
        now_s = self._clock.monotonic()
        times = self._long[block.agent_id]
        times.append(now_s)
        is_last = len(times) == TIMES and now_s - times[0] <= WINDOW_S
        must_stop = is_last and block.agent_id in self._own
        self._tell(agent, block, must_stop=must_stop)
        if must_stop:
            times.clear()
            last = f"last {block.seconds:.1f} s at {block.where}"
            reason = f"blocked the engine's loop {TIMES} times within a minute, {last}"
            task = asyncio.get_running_loop().create_task(
                agent.stop(actor="supervisor", reason=reason)
            )
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)

    def _tell(self, agent: BaseAgent, block: Block, *, must_stop: bool) -> None:
        self._alerts += 1
        follows = "It is stopped." if must_stop else "Everything else waited meanwhile."
        alert = Alert(
            alert_id=f"loop-{agent.agent_id}-{self._alerts}", symbol="engine", metric="loop_blocked",
            severity=Severity.CRITICAL if must_stop else Severity.WARNING,
            title=f"{agent.title or agent.name} held up the engine",
            message=f"{block.seconds:.1f} s at {block.where}. {follows}", raised_at=self._now(),
        )  # fmt: skip
        self._bus.post(
            Event(EventType.RISK_ALERT, alert.to_data(), source="engine", as_of=alert.raised_at)
        )

    def _now(self) -> datetime:
        return self._clock.now().astimezone(UTC)
