"""How much each strategy's vote counts in each kind of market.

Documented priors, not fits: chosen by what a rule needs in order to work, kept near 1 so that weights stay the
stronger lever, and shown on the why-card. They change nothing where the regime is unknown.
"""

from collections.abc import Mapping

from engine.kernels.regime import Regime

RegimeFactors = Mapping[str, Mapping[str, float]]
"""Algorithm name to regime word to factor; what is not in it counts 1."""

REGIME_FACTORS: RegimeFactors = {
    # continuation pays in trends; after a shock it comes late
    "momentum": {Regime.TRENDING: 1.1, Regime.RANGING: 0.8, Regime.TURBULENT: 0.9},
    # reversion pays between borders; in a trend or a rout the average runs away
    "mean_reversion": {Regime.TRENDING: 0.8, Regime.RANGING: 1.2, Regime.TURBULENT: 0.8},
    # slow averages ignore single shocks, and cross to and fro in a range
    "ma_trend": {Regime.TRENDING: 1.2, Regime.RANGING: 0.8, Regime.TURBULENT: 1.1},
    # a range breaks falsely, which is what makes it a range
    "breakout": {Regime.TRENDING: 1.1, Regime.RANGING: 0.8, Regime.TURBULENT: 1.0},
    # a volatility estimated over calm bars is least right just after they end
    "mc_probability": {Regime.TRENDING: 1.0, Regime.RANGING: 1.0, Regime.TURBULENT: 0.7},
}


def factor_of(factors: RegimeFactors, algorithm: str, regime: str | None) -> float:
    """Return the factor of one algorithm in one regime, 1 where none is laid down."""
    return float(factors.get(algorithm, {}).get(regime or Regime.UNKNOWN, 1.0))
