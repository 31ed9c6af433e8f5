"""Reward per risk, annualised, risk-free rate 0: Sharpe, Sortino, Calmar, growth; beta, alpha and correlation.

A ratio whose denominator is zero does not exist: that is an error with the reason, never NaN or infinity.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import NotEnoughDataError, must
from engine.kernels.drawdown import max_drawdown
from engine.kernels.series import FloatArray, as_series
from engine.kernels.volatility import checked_periods


def sharpe_ratio(returns: ArrayLike, periods_per_year: float) -> float:
    """Return mean / standard deviation (ddof=1), annualised.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 2
        Simple returns.

    Raises
    ------
    NotEnoughDataError
        Fewer than two returns, or all alike.
    """
    r = as_series("returns", returns, 2)
    scale = float(np.abs(r).max())
    deviation = float(r.std(ddof=1))
    # all alike leaves rounding noise instead of zero
    if deviation <= 1e-14 * scale or scale == 0.0:
        raise _no_variation("Sharpe ratio", r.size, "two returns that differ")
    return float(r.mean()) / deviation * math.sqrt(checked_periods(periods_per_year))


def sortino_ratio(returns: ArrayLike, periods_per_year: float) -> float:
    """Return mean / downside deviation, annualised; the downside is averaged over all n returns.

    Raises
    ------
    NotEnoughDataError
        Fewer than two returns, or none of them a loss.
    """
    r = as_series("returns", returns, 2)
    downside = math.sqrt(float(np.mean(np.minimum(r, 0.0) ** 2)))
    if downside == 0.0:
        raise _no_variation("Sortino ratio", r.size, "at least one loss")
    return float(r.mean()) / downside * math.sqrt(checked_periods(periods_per_year))


def cagr(returns: ArrayLike, periods_per_year: float) -> float:
    """Return the compound annual growth rate, ``prod(1 + r) ** (periods / n) - 1``.

    Examples
    --------
    >>> round(cagr([0.1, 0.1], 1), 9)
    0.1
    """
    r = as_series("returns", returns, 1)
    wealth = float(np.prod(1.0 + r))
    if wealth < 0.0:
        raise must("wealth", "not fall below zero", wealth, "check for returns below -1")
    return float(wealth ** (checked_periods(periods_per_year) / r.size)) - 1.0


def calmar_ratio(returns: ArrayLike, periods_per_year: float) -> float:
    """Return the growth rate per maximum drawdown.

    Raises
    ------
    NotEnoughDataError
        The returns never fell below their peak.
    """
    r = as_series("returns", returns, 2)
    depth = max_drawdown(r)
    if depth == 0.0:
        raise _no_variation("Calmar ratio", r.size, "a drawdown")
    return cagr(r, periods_per_year) / -depth


def beta(returns: ArrayLike, benchmark_returns: ArrayLike) -> float:
    """Return cov(returns, benchmark) / var(benchmark) on common timestamps.

    Parameters
    ----------
    returns, benchmark_returns : array_like of shape (n,), n >= 2
        Of the same periods, in the same order.

    Examples
    --------
    >>> round(beta([0.015, -0.03, 0.045], [0.01, -0.02, 0.03]), 9)
    1.5
    """
    r, b = _pair(returns, benchmark_returns)
    centred = b - b.mean()
    variance = float(centred @ centred)
    if _is_flat(variance, b):
        raise _no_variation("beta", b.size, "a benchmark that moves")
    return float((r - r.mean()) @ centred) / variance


def annual_alpha(
    returns: ArrayLike, benchmark_returns: ArrayLike, periods_per_year: float
) -> float:
    """Return what a year brings beyond beta times the benchmark: ``(1 + mean(r - beta b)) ** periods - 1``.

    Parameters
    ----------
    returns, benchmark_returns : array_like of shape (n,), n >= 2
        Simple returns of the same periods, in the same order.

    Raises
    ------
    NotEnoughDataError
        Fewer than two returns, or a benchmark that does not move.
    InvalidValueError
        Returns of different periods, or a mean loss of more than everything.

    References
    ----------
    Jensen: The performance of mutual funds in the period 1945-1964. J. Finance 23 (1968).

    Examples
    --------
    >>> round(annual_alpha([0.025, -0.02, 0.055], [0.01, -0.02, 0.03], 1), 9)
    0.01
    """
    slope = beta(returns, benchmark_returns)
    r, b = _pair(returns, benchmark_returns)
    growth = 1.0 + float(np.mean(r - slope * b))
    if growth < 0.0:
        raise must("growth", "not fall below zero", growth, "check for returns below -1")
    return float(growth ** checked_periods(periods_per_year)) - 1.0


def correlation(returns: ArrayLike, benchmark_returns: ArrayLike) -> float:
    """Return Pearson's correlation of two series, -1 to 1, on common timestamps.

    Parameters
    ----------
    returns, benchmark_returns : array_like of shape (n,), n >= 2
        Of the same periods, in the same order.

    Raises
    ------
    NotEnoughDataError
        Fewer than two returns, or a series that does not move.
    InvalidValueError
        Returns of different periods.

    Examples
    --------
    >>> round(correlation([0.01, -0.02, 0.03], [0.02, -0.04, 0.06]), 9)
    1.0
    """
    r, b = _pair(returns, benchmark_returns)
    apart, other = r - r.mean(), b - b.mean()
    variances = float(apart @ apart), float(other @ other)
    if _is_flat(variances[0], r) or _is_flat(variances[1], b):
        raise _no_variation("correlation", r.size, "two series that move")
    found = float(apart @ other) / (math.sqrt(variances[0]) * math.sqrt(variances[1]))
    return min(1.0, max(-1.0, found))


def _pair(returns: ArrayLike, benchmark_returns: ArrayLike) -> tuple[FloatArray, FloatArray]:
    r = as_series("returns", returns, 2)
    b = as_series("benchmark_returns", benchmark_returns, 2)
    if r.size != b.size:
        raise must("benchmark_returns", f"have {r.size} values", b.size, "take common timestamps")
    return r, b


def _is_flat(square_sum: float, values: FloatArray) -> bool:
    """Return whether a sum of squares around the mean is rounding noise."""
    return square_sum <= (1e-14 * float(np.abs(values).max())) ** 2 * values.size


def _no_variation(name: str, n: int, need: str) -> NotEnoughDataError:
    return NotEnoughDataError(f"{name} must have {need}, was n = {n} without; wait for more bars")
