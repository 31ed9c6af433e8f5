"""What follows when an agent holds up the engine's loop: it is named, and one of one's own is stopped at last.

One long block is told at once. Short ones count by what they add up to: many small bites do not go unnoticed, and one
slow moment of the machine accuses nobody.
"""

import asyncio
import logging
import math
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
"""A block so long is told, and counts towards being stopped."""
TIMES = 3
"""Long blocks within the window that stop an agent of one's own."""
WINDOW_S = 60.0
ENDLESS_S = 10.0
"""A block so long stops an agent of one's own at once; one that lasts longer is broken off."""
SHARE = 0.1
"""Share of the window that an agent's blocks, long and short, may take."""
LEAST_BLOCKS = 10
"""Blocks below which no share is judged: that is a slow moment, not a habit."""
AGAIN_S = 600.0
"""The habit of an agent that goes on is told again after so long."""

log = logging.getLogger(__name__)


class Recent:
    """The blocks of one agent within the last window."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[float, float]] = deque()
        self._quiet_until_s = -math.inf

    def take(self, now_s: float, seconds: float) -> None:
        """Take one more and forget what is too old."""
        self._blocks.append((now_s, seconds))
        while now_s - self._blocks[0][0] > WINDOW_S:
            self._blocks.popleft()

    def habit_told(self) -> None:
        """See no habit for a while: it has been told."""
        self._quiet_until_s = self._blocks[-1][0] + AGAIN_S

    @property
    def total_s(self) -> float:
        """What they add up to."""
        return sum(seconds for _, seconds in self._blocks)

    @property
    def is_habit(self) -> bool:
        """Whether they are many and take too much of the window, and that has not been told lately."""
        is_much = len(self._blocks) >= LEAST_BLOCKS and self.total_s > SHARE * WINDOW_S
        return is_much and self._blocks[-1][0] >= self._quiet_until_s

    @property
    def is_too_much(self) -> bool:
        """Whether they are a habit, too many were long, or one was without an end of its own."""
        longest = max(seconds for _, seconds in self._blocks)
        n_long = sum(seconds >= LONG_S for _, seconds in self._blocks)
        return self.is_habit or n_long >= TIMES or longest >= ENDLESS_S


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
        self._recent: defaultdict[str, Recent] = defaultdict(Recent)
        self._alerts = 0
        self._stopping: set[asyncio.Task[None]] = set()
        self.is_starting = True
        """While the engine comes up its own crew may take its time; one of one's own may not."""
        self.stuck = ""
        """What holds up the loop now, in words; nothing while it goes on."""

    def still_there(self, block: Block) -> bool:
        """Take a block that lasts, in the watching thread; return whether it must be broken off.

        Built-in agents are left alone: the gate needs them, and what they do ends.
        """
        who = self._agents.get(block.agent_id)
        words = f" {who.title or who.name} is at {block.where}." if who else ""
        self.stuck = f"for {block.seconds:.0f} s.{words}"
        log.critical("the engine's loop stands still %s", self.stuck)
        return block.agent_id in self._own and block.seconds >= ENDLESS_S

    def take(self, block: Block) -> None:
        """Log a block; tell of a long one or a habit; stop an agent of one's own for a habit or a third long one."""
        self.stuck = ""
        level = logging.WARNING if block.seconds >= LONG_S else logging.DEBUG
        who = f" in {block.agent_id} ({block.where})" if block.agent_id else ""
        log.log(level, "the engine's loop stood still for %.2f s%s", block.seconds, who)
        agent = self._agents.get(block.agent_id)
        if agent is None or (self.is_starting and block.agent_id not in self._own):
            return
        recent = self._recent[block.agent_id]
        recent.take(self._clock.monotonic(), block.seconds)
        if not (recent.is_habit or block.seconds >= LONG_S):
            return
        must_stop = recent.is_too_much and block.agent_id in self._own
        words = f"{block.seconds:.1f} s at {block.where}"
        if recent.is_habit:
            words = (
                f"{recent.total_s:.0f} s of the last {WINDOW_S:.0f} s, the last at {block.where}"
            )
            recent.habit_told()
        self._tell(agent, words, must_stop=must_stop)
        if must_stop:
            del self._recent[block.agent_id]
            self._stop(agent, f"blocked the engine's loop: {words}")

    def _stop(self, agent: BaseAgent, reason: str) -> None:
        task = asyncio.get_running_loop().create_task(agent.stop(actor="supervisor", reason=reason))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    def _tell(self, agent: BaseAgent, words: str, *, must_stop: bool) -> None:
        self._alerts += 1
        follows = "It is stopped." if must_stop else "Everything else waited meanwhile."
        alert = Alert(
            alert_id=f"loop-{agent.agent_id}-{self._alerts}", symbol="engine", metric="loop_blocked",
            severity=Severity.CRITICAL if must_stop else Severity.WARNING,
            title=f"{agent.title or agent.name} held up the engine",
            message=f"{words}. {follows}", raised_at=self._now(),
        )  # fmt: skip
        self._bus.post(
            Event(EventType.RISK_ALERT, alert.to_data(), source="engine", as_of=alert.raised_at)
        )

    def _now(self) -> datetime:
        return self._clock.now().astimezone(UTC)
