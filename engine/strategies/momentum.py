"""Momentum: buy what rose, sell what fell, where volume and moving averages agree."""

import math
from typing import ClassVar

from engine.domain.errors import must
from engine.domain.signals import StrategyContext
from engine.kernels.series import as_prices
from engine.strategies.base import Judgement, VotingStrategy, graded, recent
from engine.strategies.parameters import Parameter

VOLUME_WINDOW = 20


class MomentumStrategy(VotingStrategy):
    """Votes with the change over the look-back.

    Notes
    -----
    BUY needs a change of at least `momentum_threshold`, a last volume of at least `volume_threshold` times the mean
    of the 20 bars before it, and the fast average above the slow one; SELL is the mirror image (volume confirms both
    ways). Missing volumes confirm nothing; `volume_threshold` 0 asks for no confirmation. The vote is proportional
    to the change, whole at `full_move`.
    """

    title: ClassVar[str] = "Momentum"
    schema: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            name="lookback_period", kind=int, default=14, minimum=1, maximum=250, aliases=("momentum_period",),
            title="Look-back, bars", description="Bars over which the change is measured.",
        ),
        Parameter(
            name="momentum_threshold", kind=float, default=0.02, minimum=0.0, maximum=1.0,
            aliases=("threshold", "signal_threshold"),
            title="Minimum move", description="Smallest change that counts, as a fraction.",
        ),
        Parameter(
            name="volume_threshold", kind=float, default=1.5, minimum=0.0, maximum=100.0,
            title="Volume over its mean", description="Last volume over the mean of 20 bars; 0 asks for none.",
        ),
        Parameter(
            name="use_ma_filter", kind=bool, default=True,
            title="Averages must agree", description="The fast average must stand on the move's side of the slow one.",
        ),
        Parameter(
            name="ma_fast", kind=int, default=10, minimum=1, maximum=250,
            title="Fast average, bars", description="Bars of the fast moving average.",
        ),
        Parameter(
            name="ma_slow", kind=int, default=30, minimum=2, maximum=500,
            title="Slow average, bars", description="Bars of the slow moving average.",
        ),
        Parameter(
            name="full_move", kind=float, default=0.20, minimum=0.001, maximum=5.0,
            title="Full vote at a move of", description="Change that gives the whole vote, as a fraction.",
        ),
    )  # fmt: skip

    def check_together(self) -> None:
        """Raise InvalidValueError where the fast average is not the shorter one."""
        if self.number("ma_fast") >= self.number("ma_slow"):
            raise must("ma_fast", "be smaller than ma_slow", self.count("ma_fast"), "shorten it")

    @property
    def description(self) -> str:
        """Look-back and smallest move."""
        return (
            f"look-back {self.count('lookback_period')}, "
            f"min move {100 * self.number('momentum_threshold'):g}%"
        )

    def get_required_data(self) -> list[str]:
        """Return prices and volumes."""
        return ["prices", "volumes"]

    def judge(self, context: StrategyContext) -> Judgement:
        """Return the graded change, or no view with what was missing."""
        lookback, slow = self.count("lookback_period"), self.count("ma_slow")
        uses_averages = bool(self.parameters["use_ma_filter"])
        need = max(lookback + 1, slow if uses_averages else 1)
        prices = as_prices("prices", recent(context, "prices", need), 0)
        if prices.size < need:
            return Judgement(reason=f"needs {need} bars, has {prices.size}")
        move = float(prices[-1] / prices[-lookback - 1] - 1.0)
        volume = self._volume_ratio(context)
        indicators = {"move": move} | ({} if math.isnan(volume) else {"volume_ratio": volume})
        reason = f"{100 * move:+.1f}% in {lookback} bars"
        direction = math.copysign(1.0, move)
        objection = self._objection(move, volume)
        if objection is None and uses_averages:
            gap = float(prices[-self.count("ma_fast") :].mean() / prices[-slow:].mean() - 1.0)
            indicators["average_gap"] = gap
            objection = None if direction * gap > 0.0 else "averages disagree"
        if objection is not None:
            return Judgement(0.0, f"{reason}, {objection}", indicators)
        return Judgement(graded(move, self.number("full_move")), reason, indicators)

    def _objection(self, move: float, volume: float) -> str | None:
        if move == 0.0 or abs(move) < self.number("momentum_threshold"):
            return f"below the minimum of {100 * self.number('momentum_threshold'):g}%"
        wanted = self.number("volume_threshold")
        if wanted == 0.0 or volume >= wanted:
            return None
        if math.isnan(volume):
            return "no volume to confirm it"
        return f"volume {volume:.1f} × mean, {wanted:g} × wanted"

    @staticmethod
    def _volume_ratio(context: StrategyContext) -> float:
        """Return the last volume over the mean of up to 20 before it; NaN where that is unknown."""
        volumes = recent(context, "volumes", VOLUME_WINDOW + 1)
        if volumes.size <= 1:
            return math.nan
        mean = float(volumes[:-1].mean())
        return float(volumes[-1]) / mean if mean > 0.0 else math.nan
