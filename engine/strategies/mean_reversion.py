"""Mean reversion: sell what stands too high over its average, buy what stands too low."""

from typing import ClassVar

from engine.domain.errors import must
from engine.domain.signals import StrategyContext
from engine.kernels.indicators import bollinger, rsi, zscore
from engine.kernels.series import as_prices
from engine.strategies.base import Judgement, VotingStrategy, graded, recent
from engine.strategies.parameters import Parameter

RSI_OVERSOLD = 40.0
"""Half way between a neutral 50 and Wilder's 30: the RSI confirms here, the z-score decides."""

_WARM_UP = 10
"""Wilder's average forgets its seed: after ten periods less than one part in a thousand of it is left."""


class MeanReversionStrategy(VotingStrategy):
    """Votes against the distance from the average.

    Notes
    -----
    BUY needs a close below the lower Bollinger band, drawn `entry_z` deviations (ddof=0) from the average, and an
    RSI of at most 40; SELL is the mirror image. The band and the z-score are one rule: outside the band is
    |z| > `entry_z`. The vote is proportional to z, whole at `full_z`.
    """

    title: ClassVar[str] = "Mean reversion"
    schema: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            name="lookback_period", kind=int, default=20, minimum=5, maximum=100, aliases=("bb_period",),
            title="Look-back, bars", description="Bars of the average and its deviation.",
        ),
        Parameter(
            name="entry_z", kind=float, default=1.2, minimum=0.5, maximum=4.0,
            aliases=("z_threshold", "zscore_threshold", "bb_std"),
            title="Entry z-score", description="Deviations from the average at which it begins to vote.",
        ),
        Parameter(
            name="rsi_period", kind=int, default=14, minimum=2, maximum=50,
            title="RSI period, bars", description="Bars of the RSI that must confirm.",
        ),
        Parameter(
            name="full_z", kind=float, default=2.5, minimum=1.0, maximum=6.0,
            title="Full vote at z", description="Deviations that give the whole vote.",
        ),
    )  # fmt: skip

    def check_together(self) -> None:
        """Raise InvalidValueError where the whole vote would come before the first one."""
        if self.number("entry_z") > self.number("full_z"):
            raise must("entry_z", "not exceed full_z", self.number("entry_z"), "lower it")

    @property
    def description(self) -> str:
        """Entry and confirmation."""
        return f"z over {self.number('entry_z'):g}, RSI {self.count('rsi_period')}"

    def get_required_data(self) -> list[str]:
        """Return prices; the RSI and the bands are computed from them."""
        return ["prices"]

    def judge(self, context: StrategyContext) -> Judgement:
        """Return the graded distance, or no view with what was missing."""
        lookback, period = self.count("lookback_period"), self.count("rsi_period")
        need = max(lookback, period + 1)
        prices = as_prices("prices", recent(context, "prices", need + _WARM_UP * period), 0)
        if prices.size < need:
            return Judgement(reason=f"needs {need} bars, has {prices.size}")
        window = prices[-lookback:]
        z = float(zscore(window, lookback)[-1])
        strength_index = float(rsi(prices, period)[-1])
        bands = bollinger(window, lookback, self.number("entry_z"))
        close, upper, lower = float(prices[-1]), float(bands.upper[-1]), float(bands.lower[-1])
        indicators = {
            "z_score": z, "rsi": strength_index, "upper_band": upper, "lower_band": lower,
        }  # fmt: skip
        reason = f"z-score {z:+.2f}, RSI {strength_index:.1f}"
        # a flat window has bands of rounding noise around its price, so z decides there
        if z == 0.0 or lower <= close <= upper:
            return Judgement(0.0, f"{reason}, inside the band", indicators)
        is_confirmed = (
            strength_index <= RSI_OVERSOLD if z < 0.0 else strength_index >= 100.0 - RSI_OVERSOLD
        )
        if not is_confirmed:
            return Judgement(0.0, f"{reason}, RSI does not confirm", indicators)
        return Judgement(-graded(z, self.number("full_z")), reason, indicators)
