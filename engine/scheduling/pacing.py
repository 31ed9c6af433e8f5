"""The adaptive pace: what is known of market, agents and machine becomes each agent's interval, smoothed and bounded.

Inputs are 0 to 1 with 0.5 as neutral; intervals are seconds.
"""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from engine.domain.agents import AgentMeasured, AgentPaced, AgentStatus, PaceInputs
from engine.ports.agent import PacedAgent
from engine.scheduling.adaptive_scheduler import NEUTRAL, AdaptiveScheduler

SPAN = 4.0
"""An interval stays within base / SPAN and base × SPAN."""
SMOOTHING = 0.5
"""Share of the way, in logarithms, that an interval goes to its target with each look."""
DEAD_ZONE = 0.05
"""Changes below five per cent are not made: they would only fill the journal."""
DIGITS = 3
LAG_MS = 100.0
"""A delay of the loop that counts as fully loaded."""
ERRORS_AT_WORST = 0.2
"""Share of failed runs that counts as worst."""
BUSY_AT_WORST = 0.5
"""Share of its interval that a cycle may take before the agent counts as overloaded."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the machine bears: the loop's delay, the processor's share in use, and waiting tasks per place."""

    lag_ms: float
    cpu: float
    queue: float

    def as_input(self) -> float:
        """Return the worst of the three as 0 to 1."""
        return min(1.0, max(0.0, self.lag_ms / LAG_MS, self.cpu, self.queue))


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """An agent's interval, and how long the cycle at work has lasted (None when none is)."""

    interval_s: float
    in_flight_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the cycle at work has outlasted the interval."""
        return self.in_flight_s is not None and self.in_flight_s > self.interval_s


class PaceKeeper:
    """Adjusts the intervals of the agents that allow it.

    Parameters
    ----------
    scheduler : AdaptiveScheduler
        Turns inputs into intervals by its weights.
    agents : callable
        Returns the agents to look at, in a stable order.
    market : callable
        Returns the market input, None while it is not known.
    load : callable or None
        Returns what the machine bears; None under a manual clock, where nothing of this machine may count.
    repaced : callable
        Told of each agent whose interval changed, so that its timer is armed afresh.
    """

    def __init__(
        self,
        scheduler: AdaptiveScheduler,
        agents: Callable[[], Iterable[PacedAgent]],
        market: Callable[[], float | None],
        load: Callable[[], Load] | None,
        repaced: Callable[[PacedAgent], None],
    ) -> None:
        self._scheduler = scheduler
        self._agents = agents
        self._market = market
        self._load = load
        self._repaced = repaced
        self._before: dict[str, AgentMeasured] = {}

    def look(self) -> tuple[AgentPaced, ...]:
        """Adjust every interval one step and return what changed."""
        market = self._market()
        system = None if self._load is None else self._load().as_input()
        return tuple(
            paced
            for agent in self._agents()
            if (paced := self._tried(agent, market, system)) is not None
        )

    def _tried(
        self, agent: PacedAgent, market: float | None, system: float | None
    ) -> AgentPaced | None:
        """Adjust one; who cannot tell its figures keeps its pace, and keeps nobody from theirs."""
        try:
            return self._adjusted(agent, market, system)
        except Exception:
            log.exception("agent %s could not be paced", agent.agent_id)
            return None

    def _adjusted(
        self, agent: PacedAgent, market: float | None, system: float | None
    ) -> AgentPaced | None:
        measured = agent.measured()
        before = self._before.get(agent.agent_id, AgentMeasured(agent_id=agent.agent_id))
        self._before[agent.agent_id] = measured
        if not agent.is_paced or agent.status is not AgentStatus.RUNNING:
            return None
        worked = performance(before, measured, self._time_of(agent))
        inputs = PaceInputs(market=market, performance=worked, system=system)
        target = self._scheduler.adjust_interval(
            agent.agent_id, agent.base_interval, **or_neutral(inputs)
        )
        if worked == 0.0:
            target = max(target, agent.interval)  # no market quickens who hangs or only fails
        wanted = smoothed(agent.interval, bounded(target, agent.base_interval))
        if abs(math.log(wanted / agent.interval)) < DEAD_ZONE:
            return None
        previous_s = agent.interval
        agent.interval = float(f"{wanted:.{DIGITS}g}")
        self._repaced(agent)
        return AgentPaced(
            agent_id=agent.agent_id, name=agent.name, interval_s=agent.interval, previous_s=previous_s,
            base_interval_s=agent.base_interval, priority=agent.priority, inputs=inputs,
        )  # fmt: skip

    def _time_of(self, agent: PacedAgent) -> Time | None:
        if self._load is None:
            return None
        return Time(interval_s=agent.interval, in_flight_s=agent.in_flight_s)


def bounded(interval_s: float, base_s: float) -> float:
    """Return the interval within base / 4 and base × 4.

    Examples
    --------
    >>> bounded(1.0, 60.0), bounded(1000.0, 60.0), bounded(50.0, 60.0)
    (15.0, 240.0, 50.0)
    """
    return min(base_s * SPAN, max(base_s / SPAN, interval_s))


def smoothed(interval_s: float, target_s: float) -> float:
    """Return the interval half of the way to its target, in logarithms.

    Examples
    --------
    >>> round(smoothed(60.0, 15.0), 6)
    30.0
    """
    return float(interval_s * (target_s / interval_s) ** SMOOTHING)


def performance(before: AgentMeasured, now: AgentMeasured, time: Time | None) -> float | None:
    """Return how well an agent has worked since `before`, 0 to 1; None when it did nothing.

    Half is neutral; work that says something adds up to a quarter, failures take up to a half, cycles that fill the
    interval up to a quarter. A cycle at work that has outlasted the interval is the worst, whatever else was done.
    Without `time` (a manual clock) durations are no input.

    Examples
    --------
    >>> then = AgentMeasured(agent_id="a")
    >>> performance(then, AgentMeasured(agent_id="a", cycles=10, emitted=10), None)
    0.75
    >>> performance(then, AgentMeasured(agent_id="a", cycles=10, errors=10), None)
    0.0
    >>> performance(then, then, None) is None
    True
    >>> performance(then, then, Time(interval_s=5.0, in_flight_s=6.0))
    0.0
    """
    if time is not None and time.is_over:
        return 0.0
    errors = max(0, now.errors - before.errors)
    # A handler that fails is no run: without its errors an agent that only fails would have done nothing.
    runs = max(errors, (now.cycles - before.cycles) + (now.handled - before.handled))
    if runs <= 0:
        return None
    useful = min(1.0, max(0, now.emitted - before.emitted) / runs)
    failed = min(1.0, errors / runs / ERRORS_AT_WORST)
    busy = 0.0
    if time is not None and now.p95_ms is not None:
        busy = min(1.0, now.p95_ms / 1000 / time.interval_s / BUSY_AT_WORST)
    return min(1.0, max(0.0, NEUTRAL + 0.25 * useful - 0.5 * failed - 0.25 * busy))


def or_neutral(inputs: PaceInputs) -> Mapping[str, float]:
    """Return the inputs by name, neutral where they are not known."""
    given = {"market": inputs.market, "performance": inputs.performance, "system": inputs.system}
    return {name: NEUTRAL if value is None else value for name, value in given.items()}
