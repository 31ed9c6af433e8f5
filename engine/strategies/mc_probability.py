"""Monte Carlo probability: go with the side that most simulated paths end on."""

from typing import ClassVar

from engine.domain.signals import StrategyContext
from engine.strategies.base import Judgement, VotingStrategy, graded
from engine.strategies.parameters import Parameter

EVEN = 0.5


class MonteCarloProbabilityStrategy(VotingStrategy):
    """Votes with the forecast's probability of a higher close, whole at `full_edge` off even, none within `min_edge`.

    Notes
    -----
    With 1,000 paths a share near one half has a standard error of 1.6 points, so the default dead zone of 2 points
    keeps out what is mostly sampling.
    """

    title: ClassVar[str] = "MC probability"
    weighs_evidence: ClassVar[bool] = False
    schema: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            name="min_edge", kind=float, default=0.02, minimum=0.0, maximum=0.49,
            title="Smallest edge", description="Distance from one half below which it has no view.",
        ),
        Parameter(
            name="full_edge", kind=float, default=0.10, minimum=0.01, maximum=0.5,
            title="Full vote at an edge of", description="Distance from one half that gives the whole vote.",
        ),
    )  # fmt: skip

    @property
    def description(self) -> str:
        """Smallest edge."""
        return f"forecast {100 * self.number('min_edge'):g} pts off even"

    def get_required_data(self) -> list[str]:
        """Return the forecast, and prices for the signal's own."""
        return ["prices", "mc_probability_up"]

    def judge(self, context: StrategyContext) -> Judgement:
        """Return the graded edge, or no view while there is no forecast."""
        probability = context.mc_probability_up
        if probability is None or context.array("prices").size == 0:
            return Judgement(reason="no forecast yet")
        if not 0.0 <= probability <= 1.0:
            return Judgement(reason=f"forecast is no probability: {probability}")
        edge = probability - EVEN
        reason = f"P(up) {100 * probability:.1f}%"
        indicators = {"probability_up": probability, **_dangers(context)}
        if abs(edge) <= self.number("min_edge"):
            return Judgement(0.0, f"{reason}, too near to even", indicators)
        return Judgement(graded(edge, self.number("full_edge")), reason, indicators)


def _dangers(context: StrategyContext) -> dict[str, float]:
    """Return what else the forecast says of the way there; it stands beside the vote and does not move it."""
    known = {
        "touch_below": context.mc_touch_below,
        "touch_above": context.mc_touch_above,
        "drawdown_95": context.mc_drawdown_95,
    }
    return {name: value for name, value in known.items() if value is not None}
