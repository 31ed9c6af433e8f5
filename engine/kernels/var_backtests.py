"""Was value at risk true: how often the loss exceeded it, and whether the exceptions came in clusters.

An exception is a loss strictly above the value at risk that was stated before. `probability` is the share of
exceptions that the confidence promises, 0.01 for 99 %. Likelihood ratios are tested against chi-squared.
"""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, chdtrc, xlogy

from engine.domain.errors import InvalidValueError, must
from engine.kernels.series import FloatArray, as_count, as_fraction, as_series

BoolArray = NDArray[np.bool_]

BASEL_DAYS, BASEL_PROBABILITY = 250, 0.01
"""The only back-test for which the Basel plus factor is defined."""
PLUS_FACTORS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 0.5, 0.65, 0.75, 0.85, 1.0)
"""Plus factor by number of exceptions, the last for ten and more (BCBS 1996, table 2; multiplier 3)."""
YELLOW, RED = 0.95, 0.9999
"""Cumulative probabilities at which the yellow and the red zone begin (BCBS 1996, section III)."""


class Zone(Enum):
    """Traffic light of a back-test."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodRatio:
    """A likelihood ratio, its degrees of freedom and the chance of a larger one under what is tested."""

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kupiec:
    """Unconditional coverage: `exceptions` of `n`, against `expected`."""

    n: int
    exceptions: int
    expected: float
    ratio: LikelihoodRatio


@dataclass(frozen=True, slots=True, kw_only=True)
class Christoffersen:
    """Independence and conditional coverage of a row of exceptions.

    Parameters
    ----------
    n00, n01, n10, n11 : int
        Pairs of neighbouring bars; n01 counts an exception after a bar without one.
    unconditional : LikelihoodRatio
        Kupiec's, over all bars.
    independence, conditional : LikelihoodRatio or None
        None where nothing can be said: no exception is followed by a bar, or every one by an exception.
    """

    n00: int
    n01: int
    n10: int
    n11: int
    unconditional: LikelihoodRatio
    independence: LikelihoodRatio | None
    conditional: LikelihoodRatio | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficLight:
    """Zone of a back-test.

    Parameters
    ----------
    cumulative_probability : float
        Chance of so many exceptions or fewer when the value at risk is true.
    yellow_from, red_from : int
        Fewest exceptions of those zones.
    plus_factor : float or None
        Addition to Basel's multiplier of 3; None unless it is 99 % over 250 bars.
    """

    zone: Zone
    n: int
    exceptions: int
    cumulative_probability: float
    yellow_from: int
    red_from: int
    plus_factor: float | None


def exceptions(returns: ArrayLike, values_at_risk: ArrayLike) -> BoolArray:
    """Return where the loss exceeded the value at risk.

    Parameters
    ----------
    returns, values_at_risk : array_like of shape (n,)
        Element t of both is of the same bar; the value at risk (positive loss) was stated before it.

    Returns
    -------
    ndarray of shape (n,), bool

    Examples
    --------
    >>> exceptions([-0.03, -0.02, 0.01], [0.02, 0.02, 0.02]).tolist()
    [True, False, False]
    """
    r = as_series("returns", returns)
    limit = as_series("values_at_risk", values_at_risk)
    if limit.size != r.size:
        raise must("values_at_risk", f"have {r.size} values", limit.size, "state one per bar")
    result: BoolArray = -r > limit
    return result


def kupiec(n: int, exceptions: int, probability: float) -> Kupiec:
    """Return the likelihood ratio test of the share of exceptions.

    Parameters
    ----------
    n, exceptions : int
        0 <= exceptions <= n; both ends have their finite ratio, ``-2 n ln(1 - p)`` and ``-2 n ln p``.

    References
    ----------
    Kupiec: Techniques for verifying the accuracy of risk measurement models. Journal of Derivatives 3 (1995).

    Examples
    --------
    >>> round(kupiec(250, 3, 0.01).ratio.statistic, 4), round(kupiec(250, 0, 0.05).ratio.statistic, 1)
    (0.0949, 25.6)
    """
    _check(n, exceptions)
    ratio = float(_kupiec_ratios(n, np.asarray([exceptions]), probability)[0])
    return Kupiec(n=n, exceptions=exceptions, expected=n * probability, ratio=_tested(ratio, 1))


def kupiec_accepts(n: int, probability: float, significance: float = 0.05) -> tuple[int, int]:
    """Return the fewest and the most exceptions that Kupiec's test does not reject.

    Examples
    --------
    >>> kupiec_accepts(255, 0.01)
    (1, 6)
    """
    counts = np.arange(as_count("n", n) + 1)
    p_values = chdtrc(1.0, _kupiec_ratios(n, counts, probability))
    accepted = np.flatnonzero(p_values > as_fraction("significance", significance))
    if not accepted.size:
        raise InvalidValueError(
            f"significance must leave a count, was {significance} at n = {n}; wait for more bars"
        )
    return int(accepted[0]), int(accepted[-1])


def christoffersen(hits: ArrayLike, probability: float) -> Christoffersen:
    """Return the tests of independence and of conditional coverage.

    Parameters
    ----------
    hits : array_like of shape (n,), bool, n >= 2
        Exceptions in time order, of forecasts that do not overlap.

    Notes
    -----
    ``n11 = 0`` is the ordinary case of rare exceptions: the terms with 0 ln 0 are 0. Conditional coverage is the sum
    of Kupiec's ratio over all n bars and that of independence over the n - 1 pairs.

    References
    ----------
    Christoffersen: Evaluating interval forecasts. International Economic Review 39 (1998).
    """
    h = _as_hits(hits, 2)
    was, now = h[:-1], h[1:]
    n11, n10 = int((was & now).sum()), int((was & ~now).sum())
    n01, n00 = int((~was & now).sum()), int((~was & ~now).sum())
    unconditional = kupiec(int(h.size), int(h.sum()), probability).ratio
    if n10 + n11 == 0 or n00 + n01 == 0:
        independence = conditional = None
    else:
        after_hit, after_none = n11 / (n10 + n11), n01 / (n00 + n01)
        overall = (n01 + n11) / (h.size - 1)
        apart = _log_likelihood(n01, n00, after_none) + _log_likelihood(n11, n10, after_hit)
        ratio = max(0.0, 2.0 * (apart - _log_likelihood(n01 + n11, n00 + n10, overall)))
        independence = _tested(ratio, 1)
        conditional = _tested(unconditional.statistic + ratio, 2)
    return Christoffersen(
        n00=n00, n01=n01, n10=n10, n11=n11,
        unconditional=unconditional, independence=independence, conditional=conditional,
    )  # fmt: skip


def cumulative_probability(n: int, exceptions: int, probability: float) -> float:
    """Return the chance of `exceptions` or fewer among `n` when each has its `probability`."""
    _check(n, exceptions)
    return float(bdtr(exceptions, n, as_fraction("probability", probability)))


def traffic_light(n: int, exceptions: int, probability: float = BASEL_PROBABILITY) -> TrafficLight:
    """Return the zone of `exceptions` among `n` bars.

    Notes
    -----
    A zone begins at the first count whose cumulative probability reaches 95 % (yellow) and 99.99 % (red). For 99 %
    over 250 bars that is Basel's table: green to 4, yellow 5 to 9, red from 10, and only there is a plus factor. No
    exception is green at any n.

    References
    ----------
    Basel Committee: Supervisory framework for the use of "backtesting" (January 1996).
    """
    p = as_fraction("probability", probability)
    chance = cumulative_probability(n, exceptions, p)
    cumulative = bdtr(np.arange(n + 1), n, p)
    # over a handful of bars even no exception reaches 95 %, but it is no sign of too many
    yellow, red = (max(1, int(np.searchsorted(cumulative, bound))) for bound in (YELLOW, RED))
    zone = Zone.GREEN if exceptions < yellow else Zone.YELLOW if exceptions < red else Zone.RED
    is_basel = n == BASEL_DAYS and math.isclose(p, BASEL_PROBABILITY, rel_tol=1e-9)
    return TrafficLight(
        zone=zone, n=n, exceptions=exceptions, cumulative_probability=chance,
        yellow_from=yellow, red_from=red,
        plus_factor=PLUS_FACTORS[min(exceptions, len(PLUS_FACTORS) - 1)] if is_basel else None,
    )  # fmt: skip


def _as_hits(hits: ArrayLike, need: int) -> BoolArray:
    values = as_series("hits", hits, need)
    if not np.isin(values, (0.0, 1.0)).all():
        raise must("hits", "be true or false", "another value", "compare losses with limits first")
    result: BoolArray = values != 0.0
    return result


def _check(n: int, exceptions: int) -> None:
    as_count("n", n)
    if not 0 <= exceptions <= n:
        raise must("exceptions", f"lie between 0 and n = {n}", exceptions, "count them again")


def _log_likelihood(hits: int, misses: int, probability: float) -> float:
    return float(xlogy(hits, probability) + xlogy(misses, 1.0 - probability))


def _kupiec_ratios(n: int, counts: NDArray[np.int_], probability: float) -> FloatArray:
    p = as_fraction("probability", probability)
    free = xlogy(counts, counts / n) + xlogy(n - counts, (n - counts) / n)
    bound = counts * math.log(p) + (n - counts) * math.log1p(-p)
    result: FloatArray = np.maximum(0.0, 2.0 * (free - bound))
    return result


def _tested(statistic: float, degrees: int) -> LikelihoodRatio:
    p_value = float(chdtrc(float(degrees), statistic))
    return LikelihoodRatio(statistic=statistic, degrees=degrees, p_value=p_value)
