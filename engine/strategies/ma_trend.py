"""Moving-average trend: long while the fast average stands above the slow one, short below."""

from typing import ClassVar

from engine.domain.errors import must
from engine.domain.signals import StrategyContext
from engine.kernels.series import as_prices
from engine.strategies.base import Judgement, VotingStrategy, graded, recent
from engine.strategies.parameters import Parameter


class MovingAverageTrendStrategy(VotingStrategy):
    """Votes with the gap between two averages, whole at `full_gap`, none within `min_gap`."""

    title: ClassVar[str] = "MA trend"
    schema: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            name="ma_fast", kind=int, default=10, minimum=1, maximum=250,
            title="Fast average, bars", description="Bars of the fast moving average.",
        ),
        Parameter(
            name="ma_slow", kind=int, default=30, minimum=2, maximum=500,
            title="Slow average, bars", description="Bars of the slow moving average.",
        ),
        Parameter(
            name="min_gap", kind=float, default=0.002, minimum=0.0, maximum=0.5,
            title="Smallest gap", description="Gap between the averages below which it has no view, as a fraction.",
        ),
        Parameter(
            name="full_gap", kind=float, default=0.05, minimum=0.001, maximum=1.0,
            title="Full vote at a gap of", description="Gap that gives the whole vote, as a fraction.",
        ),
    )  # fmt: skip

    def check_together(self) -> None:
        """Raise InvalidValueError where the fast average is not the shorter one."""
        if self.number("ma_fast") >= self.number("ma_slow"):
            raise must("ma_fast", "be smaller than ma_slow", self.count("ma_fast"), "shorten it")

    @property
    def description(self) -> str:
        """The two averages."""
        return f"{self.count('ma_fast')} over {self.count('ma_slow')} bars"

    def judge(self, context: StrategyContext) -> Judgement:
        """Return the graded gap, or no view with what was missing."""
        fast, slow = self.count("ma_fast"), self.count("ma_slow")
        prices = as_prices("prices", recent(context, "prices", slow), 0)
        if prices.size < slow:
            return Judgement(reason=f"needs {slow} bars, has {prices.size}")
        gap = float(prices[-fast:].mean() / prices.mean() - 1.0)
        reason = f"MA {fast} {100 * gap:+.1f}% over MA {slow}"
        if abs(gap) <= self.number("min_gap"):
            return Judgement(0.0, f"{reason}, within the smallest gap", {"average_gap": gap})
        return Judgement(graded(gap, self.number("full_gap")), reason, {"average_gap": gap})
