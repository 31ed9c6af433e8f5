"""What trading itself costs: impact of an order, and selling a position step by step between haste and risk.

Impact from a table of estimates is a fraction of the price; what a schedule costs is money. Quantities are shares,
never signed: buying and selling cost the same.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.kernels.series import FloatArray, as_count, as_series

PERMANENT, TEMPORARY = 0.314, 0.142
"""Coefficients of permanent and temporary impact, estimated from US equity orders (Almgren et al. 2005)."""
_TURNOVER_POWER, _RATE_POWER = 0.25, 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearImpact:
    """How a price gives way to selling, in money per share.

    Parameters
    ----------
    sigma : float
        Deviation of the price per root of a time unit, such as a day.
    fixed : float
        What every share costs however slowly it is sold: half the spread and fees.
    permanent : float
        Fall of the price per share sold, which stays.
    temporary : float
        Fall of the price per share sold in a time unit, which is gone with the next sale.
    """

    sigma: float
    fixed: float
    permanent: float
    temporary: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """A schedule that sells everything, and its cost.

    Parameters
    ----------
    holdings : ndarray of shape (n_trades + 1,)
        Shares held at the start and after each trade; the last is 0.
    kappa : float
        How fast the position fades, per time unit: 0 sells the same at every step.
    expected_cost, variance : float
        Mean of the cost against the price at the start, in money, and its variance, money squared.
    """

    holdings: FloatArray
    kappa: float
    expected_cost: float
    variance: float

    @property
    def half_life(self) -> float | None:
        """Time in which the position falls by a factor e, as the authors call it; None where it falls in a line."""
        return 1.0 / self.kappa if self.kappa > 0.0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactEstimate:
    """Impact of one order, fractions of its price.

    Parameters
    ----------
    permanent : float
        Move of the price that stays when the order is done.
    temporary : float
        What the order itself pays on top.
    """

    permanent: float
    temporary: float

    @property
    def cost(self) -> float:
        """Mean cost per share: half the permanent impact, because it builds up while the order is worked."""
        return self.permanent / 2.0 + self.temporary


def square_root_impact(
    order_size: float, daily_volume: float, daily_sigma: float, factor: float = 1.0
) -> float:
    """Return the move of the price at the end of an order, ``factor sigma sqrt(size / volume)``, a fraction.

    Parameters
    ----------
    order_size, daily_volume : float
        Shares of the order, and shares that change hands on an average day.
    daily_sigma : float
        Volatility of a day's return.
    factor : float
        Constant of the law, about 1.

    Raises
    ------
    InvalidValueError
        A volume that is not positive, or another number below 0.

    Notes
    -----
    It is the peak; the average share of the order costs two thirds of it.

    References
    ----------
    Toth, Lemperiere, Deremble, de Lataillade, Kockelkoren, Bouchaud: Anomalous price impact and the critical nature of
    liquidity in financial markets. Physical Review X 1 (2011).

    Examples
    --------
    >>> round(square_root_impact(10_000, 1_000_000, 0.02), 9)
    0.002
    """
    size, volume = _at_least_0("order_size", order_size), _positive("daily_volume", daily_volume)
    scale = _at_least_0("factor", factor) * _at_least_0("daily_sigma", daily_sigma)
    return scale * math.sqrt(size / volume)


def estimated_impact(
    order_size: float,
    daily_volume: float,
    shares_outstanding: float,
    daily_sigma: float,
    days: float,
) -> ImpactEstimate:
    """Return the impact that was estimated from executed orders, for one worked evenly over `days`.

    Parameters
    ----------
    order_size, daily_volume, shares_outstanding : float
        Shares of the order, of an average day, and in existence.
    daily_sigma : float
        Volatility of a day's return.
    days : float
        Trading days that the order takes, 0.5 for half of one.

    Raises
    ------
    InvalidValueError
        A size or volatility below 0, or another number that is not positive.

    Notes
    -----
    With X the size, V the volume, Theta the shares in existence and T the days: permanent
    ``0.314 sigma (X / V) (Theta / V)^(1/4)``, temporary ``0.142 sigma (X / (V T))^0.6``.

    References
    ----------
    Almgren, Thum, Hauptmann, Li: Direct estimation of equity market impact. Risk 18 (2005).
    """
    size, volume = _at_least_0("order_size", order_size), _positive("daily_volume", daily_volume)
    sigma = _at_least_0("daily_sigma", daily_sigma)
    share = size / volume
    turnover = _positive("shares_outstanding", shares_outstanding) / volume
    rate = share / _positive("days", days)
    return ImpactEstimate(
        permanent=PERMANENT * sigma * share * turnover**_TURNOVER_POWER,
        temporary=TEMPORARY * sigma * rate**_RATE_POWER,
    )


def liquidation_cost(
    holdings: ArrayLike, interval: float, impact: LinearImpact
) -> tuple[float, float]:
    """Return the expected cost and the variance of the cost of a schedule.

    Parameters
    ----------
    holdings : array_like of shape (n_trades + 1,), n_trades >= 1
        Shares held at the start and after each trade; the last is 0.
    interval : float
        Time between two trades, in the unit of the impact's `sigma`.

    Raises
    ------
    NotEnoughDataError
        Fewer than two holdings.
    InvalidValueError
        A position that is left at the end, or an impact that makes a fast sale cheaper than a slow one.
    """
    x = as_series("holdings", holdings, 2)
    if x[-1] != 0.0:
        raise must("holdings", "end with 0", float(x[-1]), "sell what is left")
    tau = _positive("interval", interval)
    sold = -np.diff(x)
    expected = (
        impact.permanent * float(x[0]) ** 2 / 2.0
        + _at_least_0("fixed", impact.fixed) * float(np.abs(sold).sum())
        + _net_temporary(impact, tau) / tau * float(sold @ sold)
    )
    variance = _at_least_0("sigma", impact.sigma) ** 2 * tau * float(x[1:] @ x[1:])
    return expected, variance


def optimal_liquidation(
    shares: float, duration: float, n_trades: int, risk_aversion: float, impact: LinearImpact
) -> Liquidation:
    """Return the schedule with the least ``expected cost + risk_aversion variance``.

    Parameters
    ----------
    shares : float
        Position at the start.
    duration : float
        Time until it must be sold, in the unit of the impact's `sigma`.
    n_trades : int
        Trades, spread evenly over the duration.
    risk_aversion : float
        Money that one unit of variance is worth; 0 sells evenly, and more sells sooner.

    Raises
    ------
    InvalidValueError
        A number below its least, or an impact that makes a fast sale cheaper than a slow one.

    Notes
    -----
    With ``t`` the time of a trade, ``shares sinh(kappa (duration - t)) / sinh(kappa duration)`` is left after it.

    References
    ----------
    Almgren, Chriss: Optimal execution of portfolio transactions. J. Risk 3 (2000), equations 14 to 20.
    """
    position, end = _at_least_0("shares", shares), _positive("duration", duration)
    tau = end / as_count("n_trades", n_trades)
    urgency = _at_least_0("risk_aversion", risk_aversion) * _at_least_0("sigma", impact.sigma) ** 2
    # arcosh(1 + 2 y^2) = 2 arsinh(y), which keeps its digits where y is small
    step = 2.0 * math.asinh(math.sqrt(urgency / _net_temporary(impact, tau)) * tau / 2.0)
    holdings = position * _share_left(n_trades, step)
    expected, variance = liquidation_cost(holdings, tau, impact)
    return Liquidation(
        holdings=holdings, kappa=step / tau, expected_cost=expected, variance=variance
    )


def _share_left(n_trades: int, step: float) -> FloatArray:
    """Return ``sinh(step (n - k)) / sinh(step n)`` of each trade k, from 1 to 0, in a form that cannot overflow."""
    k = np.arange(n_trades + 1)
    if step == 0.0:
        straight: FloatArray = 1.0 - k / n_trades
        return straight
    falling: FloatArray = np.exp(-step * k) * np.expm1(-2.0 * step * (n_trades - k))
    falling /= falling[0]
    return falling


def _net_temporary(impact: LinearImpact, tau: float) -> float:
    """Return the temporary impact less what the permanent one already says of a trade."""
    if not 0.0 <= impact.permanent < math.inf:
        raise must("permanent", "be finite and at least 0", impact.permanent, "estimate it again")
    net = impact.temporary - impact.permanent * tau / 2.0
    if not 0.0 < net < math.inf:
        rule = f"exceed half the permanent impact of a time step, {impact.permanent * tau / 2.0}"
        raise must("temporary", rule, impact.temporary, "take more trades")
    return net


def _at_least_0(name: str, value: float) -> float:
    if not 0.0 <= value < math.inf:
        raise must(name, "be finite and at least 0", value, "check its sign and its unit")
    return float(value)


def _positive(name: str, value: float) -> float:
    if not 0.0 < value < math.inf:
        raise must(name, "be finite and positive", value, "check its sign and its unit")
    return float(value)
