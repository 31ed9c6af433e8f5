"""Intervals that follow the market, the agent's own results and the load of the machine.

Inputs are 0 to 1 with 0.5 as neutral; the answer is a number of seconds.
"""

import math

from engine.domain.errors import is_number, must

BOUND = 100.0
"""An interval stays within base / BOUND and base × BOUND."""
STEEPNESS = 2.0
"""Natural logarithm of the change that weight 1 and an extreme input make."""
NEUTRAL = 0.5


class AdaptiveScheduler:
    """Adjusts intervals by weighted influences; a weight of 0 switches one off.

    Parameters
    ----------
    market_weight, performance_weight, system_weight : float
        How strongly each input counts; 0 or more, may be changed at any time.

    Notes
    -----
    ``interval = base × exp(-2 (w_m m + w_p p - w_s s))`` with inputs moved to -1 to 1: a turbulent market and an agent
    whose work pays shorten the interval, load stretches it; opposite influences of equal weight cancel.

    Examples
    --------
    >>> scheduler = AdaptiveScheduler()
    >>> scheduler.adjust_interval("risk", 60.0)
    60.0
    >>> scheduler.adjust_interval("risk", 60.0, market=1.0) < 60.0 < scheduler.adjust_interval("risk", 60.0, system=1.0)
    True
    """

    def __init__(
        self,
        market_weight: float = 0.5,
        performance_weight: float = 0.3,
        system_weight: float = 0.2,
    ) -> None:
        self.market_weight = market_weight
        self.performance_weight = performance_weight
        self.system_weight = system_weight
        self._factors: dict[str, float] = {}
        self._adjustments = 0

    def adjust_interval(
        self,
        agent_id: str,
        base_interval: float,
        *,
        market: float = NEUTRAL,
        performance: float = NEUTRAL,
        system: float = NEUTRAL,
    ) -> float:
        """Return the interval for an agent in seconds.

        Parameters
        ----------
        base_interval : float
            Seconds configured for the agent, above 0.
        market : float
            0 calm to 1 turbulent.
        performance : float
            0 poor to 1 good.
        system : float
            0 idle to 1 loaded.

        Raises
        ------
        InvalidValueError
            The base interval or a weight is unusable.
        """
        if not (is_number(base_interval) and 0 < base_interval < math.inf):
            raise must(
                "base_interval",
                "be a finite number of seconds above 0",
                base_interval,
                "give for example 60",
            )
        pull = (
            _weight("market_weight", self.market_weight) * _from_neutral("market", market)
            + _weight("performance_weight", self.performance_weight) * _from_neutral("performance", performance)
            - _weight("system_weight", self.system_weight) * _from_neutral("system", system)
        )  # fmt: skip
        limit = math.log(BOUND)
        factor = math.exp(min(limit, max(-limit, -STEEPNESS * pull)))
        self.track(agent_id)
        self._adjustments += self._factors[agent_id] != factor
        self._factors[agent_id] = factor
        return base_interval * factor

    def track(self, agent_id: str) -> None:
        """Count this agent among the tracked; harmless when it is."""
        self._factors.setdefault(agent_id, 1.0)

    def forget(self, agent_id: str) -> None:
        """Track this agent no more."""
        self._factors.pop(agent_id, None)

    def get_stats(self) -> dict[str, int]:
        """Return how many agents are tracked and how often the answer for one changed by its inputs or the weights."""
        return {"agents_tracked": len(self._factors), "interval_adjustments": self._adjustments}


def _from_neutral(name: str, value: float) -> float:
    """Return an input as -1 to 1 around neutral; what lies outside 0 to 1 is clamped."""
    if math.isnan(value):
        raise must(name, "be a number from 0 to 1", value, "leave it out where it is unknown")
    return (min(1.0, max(0.0, value)) - NEUTRAL) * 2


def _weight(name: str, value: float) -> float:
    if not (is_number(value) and 0 <= value < math.inf):
        raise must(name, "be finite and not negative", value, "use 0 to switch the influence off")
    return value
