"""The risk score: how unusual and how deep today's danger is, 0 to 10, with the points that make it.

Every line can be checked by hand: a measure, its cuts, its points. The cuts are priors, checked against thirty years of
the S&P 500: about two days in three are LOW and one in twenty is CRITICAL.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.risk import ScorePoint
from engine.kernels.drawdown import from_high
from engine.kernels.returns import simple_returns
from engine.kernels.series import FloatArray, as_prices
from engine.kernels.volatility import EWMA_SEED, ewma_sigmas

MEDIAN_WINDOW = 1000
HIGH_WINDOW = 252
EXCEPTION_WINDOW = 20
_Z95 = NormalDist().inv_cdf(0.95)
_Z99 = NormalDist().inv_cdf(0.99)
VOLATILITY_CUTS = (1.25, 1.75, 2.5)
DRAWDOWN_CUTS = (0.05, 0.12, 0.20)
VALUE_AT_RISK_CUTS = (0.015, 0.03)
CRYPTO_CUTS = (0.045, 0.09)
"""Three times the equity cuts, because crypto moves about three times as much on a calm day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskScore:
    """Score 0 to 10 and the four lines whose points add up to it."""

    score: int
    points: tuple[ScorePoint, ...]


def risk_score(
    closes: ArrayLike, value_at_risk_cuts: tuple[float, float] = VALUE_AT_RISK_CUTS
) -> RiskScore:
    """Return the score after the last close.

    Parameters
    ----------
    closes : array_like of shape (n,), n >= 21
        Adjusted closes, oldest first; 1,021 or more make every window whole.
    value_at_risk_cuts : pair of float
        Cuts of the one-period 95 % value at risk; pass `CRYPTO_CUTS` for crypto.

    Notes
    -----
    Volatility is the EWMA forecast, its value at risk is normal with mean zero, and an exception is a return below
    the 99 % value at risk forecast on the bar before.
    """
    prices = as_prices("closes", closes, EWMA_SEED + 1)
    returns = simple_returns(prices)
    sigmas = ewma_sigmas(returns)
    points = (
        _volatility_point(sigmas),
        _drawdown_point(prices),
        _exception_point(returns, sigmas),
        _value_at_risk_point(sigmas, value_at_risk_cuts),
    )
    return RiskScore(score=sum(p.points for p in points), points=points)


def _volatility_point(sigmas: FloatArray) -> ScorePoint:
    window = sigmas[-MEDIAN_WINDOW:]
    median = float(np.median(window))
    # a market that never moved has no usual volatility to exceed
    ratio = float(sigmas[-1]) / median if median > 0.0 else 1.0
    return ScorePoint(
        rule="Volatility",
        detail=f"{ratio:.2f} × {window.size}-bar median",
        points=_points(ratio, VOLATILITY_CUTS),
    )


def _drawdown_point(prices: FloatArray) -> ScorePoint:
    depth = from_high(prices, HIGH_WINDOW)
    return ScorePoint(
        rule="Drawdown",
        detail=f"{100 * depth:.2f}% from {min(prices.size, HIGH_WINDOW)}-bar high",
        points=_points(-depth, DRAWDOWN_CUTS),
    )


def _exception_point(returns: FloatArray, sigmas: FloatArray) -> ScorePoint:
    # sigmas[t] forecasts returns[t + 1]; the first 20 forecasts only repeat their seed
    judged = (returns[EWMA_SEED:] < -_Z99 * sigmas[EWMA_SEED - 1 : -1])[-EXCEPTION_WINDOW:]
    count = int(judged.sum())
    return ScorePoint(
        rule="Exceptions",
        detail=f"{count} beyond VaR 99 in {judged.size} bars",
        points=(count >= 1) + (count >= 3),
    )


def _value_at_risk_point(sigmas: FloatArray, cuts: tuple[float, float]) -> ScorePoint:
    loss = _Z95 * float(sigmas[-1])
    return ScorePoint(rule="VaR 95", detail=f"{100 * loss:.2f}% EWMA", points=_points(loss, cuts))


def _points(value: float, cuts: tuple[float, ...]) -> int:
    return sum(value > cut for cut in cuts)
