"""Whose risk it is: value at risk and expected shortfall of a portfolio divided among its positions.

Both are homogeneous in the positions, so by Euler's theorem the positions' components add up to the whole. Losses are
positive fractions of equity; a component below zero belongs to a position that hedges the others.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import NotEnoughDataError, must
from engine.kernels.series import FloatArray, as_fraction
from engine.kernels.tail_risk import parametric_value_at_risk, tail_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """A portfolio's risk and its division.

    Parameters
    ----------
    total : float
        Of the portfolio.
    component : ndarray of shape (n_assets,)
        What each position adds, as it stands beside the others; they sum to `total`.
    marginal : ndarray of shape (n_assets,)
        What one more unit of each would add: component over weight.
    """

    total: float
    component: FloatArray
    marginal: FloatArray


def value_at_risk_contributions(
    weights: ArrayLike, returns: ArrayLike, confidence: float = 0.95
) -> Contributions:
    """Return the division of the parametric value at risk (normal law, ddof=1, the mean kept).

    Parameters
    ----------
    weights : array_like of shape (n_assets,)
        Signed values over equity.
    returns : array_like of shape (n_assets, n), n >= 2
        Simple returns between common closes.

    Raises
    ------
    NotEnoughDataError
        Fewer than two returns, or positions that together never move.
    InvalidValueError
        Shapes that do not fit, or values that are not finite.

    References
    ----------
    Jorion: Value at Risk, 3rd ed. (2007), chapter 7.
    """
    w, r = _checked(weights, returns)
    z = NormalDist().inv_cdf(1.0 - as_fraction("confidence", confidence))
    whole = w @ r
    sigma = float(whole.std(ddof=1))
    if sigma <= 0.0:
        raise NotEnoughDataError(
            "contributions need positions that move, these never did; wait for more bars"
        )
    with_whole = (r - r.mean(axis=1, keepdims=True)) @ (whole - whole.mean()) / (whole.size - 1)
    marginal = -(r.mean(axis=1) + z * with_whole / sigma)
    return Contributions(
        total=parametric_value_at_risk(whole, confidence), component=w * marginal, marginal=marginal
    )


def shortfall_contributions(
    weights: ArrayLike, returns: ArrayLike, confidence: float = 0.95
) -> Contributions:
    """Return the division of the historical expected shortfall: each position's mean loss in the portfolio's tail.

    Parameters and errors as `value_at_risk_contributions`; the boundary counts with the fraction of it that lies inside
    the tail, as in `tail_risk.expected_shortfall`.
    """
    w, r = _checked(weights, returns)
    alpha = 1.0 - as_fraction("confidence", confidence)
    whole = w @ r
    order = np.argsort(whole, kind="stable")[: tail_count(whole.size, confidence)]
    share = np.full(order.size, 1.0 / (alpha * whole.size))
    share[-1] = 1.0 - share[:-1].sum()
    marginal = -(r[:, order] @ share)
    component = w * marginal
    return Contributions(total=float(component.sum()), component=component, marginal=marginal)


def incremental_value_at_risk(
    weights: ArrayLike, returns: ArrayLike, confidence: float = 0.95
) -> FloatArray:
    """Return by how much the parametric value at risk would fall without each position, shape (n_assets,).

    Parameters and errors as `value_at_risk_contributions`. Unlike components these do not sum to the whole: to be
    without a position is no small change.
    """
    w, r = _checked(weights, returns)
    whole = w @ r
    total = parametric_value_at_risk(whole, confidence)
    without = (whole - w[i] * r[i] for i in range(w.size))
    return np.array([total - parametric_value_at_risk(rest, confidence) for rest in without])


def _checked(weights: ArrayLike, returns: ArrayLike) -> tuple[FloatArray, FloatArray]:
    w, r = np.asarray(weights, dtype=np.float64), np.asarray(returns, dtype=np.float64)
    if w.ndim != 1 or r.ndim != 2 or r.shape[0] != w.size or w.size == 0:
        shapes = f"{w.shape} and {r.shape}"
        raise must(
            "weights and returns", "be of shape (n,) and (n, m)", shapes, "give a row a weight"
        )
    if r.shape[1] < 2:
        raise NotEnoughDataError(
            f"contributions need 2 returns, were {r.shape[1]}; wait for more bars"
        )
    if not (np.isfinite(w).all() and np.isfinite(r).all()):
        raise must("weights and returns", "be finite", "NaN or infinite", "drop such bars")
    return w, r
