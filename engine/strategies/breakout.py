"""Breakout: go with a close beyond the channel of the bars before it."""

from typing import ClassVar

from engine.domain.signals import StrategyContext
from engine.kernels.indicators import donchian
from engine.kernels.series import as_prices
from engine.strategies.base import Judgement, VotingStrategy, recent
from engine.strategies.parameters import Parameter

LEAN = 0.5
"""Inside the channel the place in it counts half: near an edge is not through it."""


class BreakoutStrategy(VotingStrategy):
    """Votes whole beyond the channel, and leans by half towards the nearer edge inside it.

    Notes
    -----
    The channel is that of closes, so instruments with adjusted closes alone have the same rule; the last bar is not
    part of the channel that it is held against. Leaning is an opinion for the vote; a signal needs a breakout.
    """

    title: ClassVar[str] = "Breakout"
    signal_floor: ClassVar[float] = 1.0
    schema: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            name="channel_period", kind=int, default=20, minimum=2, maximum=250, aliases=("lookback_period",),
            title="Channel, bars", description="Closes before the last one that span the channel.",
        ),
    )  # fmt: skip

    @property
    def description(self) -> str:
        """The channel."""
        return f"{self.count('channel_period')}-bar channel"

    def judge(self, context: StrategyContext) -> Judgement:
        """Return the breakout or the lean, or no view with what was missing."""
        period = self.count("channel_period")
        prices = as_prices("prices", recent(context, "prices", period + 1), 0)
        if prices.size <= period:
            return Judgement(reason=f"needs {period + 1} bars, has {prices.size}")
        channel = donchian(prices[:-1], prices[:-1], period)
        close, high, low = float(prices[-1]), float(channel.upper[-1]), float(channel.lower[-1])
        indicators = {"channel_high": high, "channel_low": low}
        if close > high:
            return Judgement(1.0, f"close over the {period}-bar high of {high:.2f}", indicators)
        if close < low:
            return Judgement(-1.0, f"close under the {period}-bar low of {low:.2f}", indicators)
        if high == low:
            return Judgement(0.0, "the channel is flat", indicators)
        place = (close - low) / (high - low)
        reason = f"{100 * place:.0f}% up the channel {low:.2f} to {high:.2f}"
        return Judgement(LEAN * (2.0 * place - 1.0), reason, indicators)
