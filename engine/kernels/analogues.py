"""Level 5 simulation: when did the market look like this before, and what came next.

A window of the past is described by four numbers that have no unit, so that calm and stormy years can be compared; its
outcome is rescaled to today's volatility. Only outcomes that lie wholly in the past are looked at.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.domain.errors import NotEnoughDataError
from engine.kernels.compiled import compiled
from engine.kernels.series import FloatArray, as_count, as_prices
from engine.kernels.volatility import ewma_sigmas

HABIT = 250
"""Bars behind the usual volatility and the high that a drawdown is measured from."""
FEATURES = ("log volatility ratio", "return over 5 bars", "return over 20 bars", "drawdown")
"""What a window is described by; the returns are in units of their volatility, the drawdown in the year's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalogueSearch:
    """What to look for.

    Parameters
    ----------
    horizon : int
        Bars of the outcome.
    count : int
        Windows wanted; fewer are given where the past holds no more.
    """

    horizon: int
    count: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Analogues:
    """The nearest windows, nearest first.

    Parameters
    ----------
    ends : ndarray of shape (k,), index into the closes given
        Last bar of each window, at least `horizon` bars before the last close; the dates to show are those bars'.
    distances : ndarray of shape (k,)
        Euclidean, over features of unit deviation.
    outcomes : ndarray of shape (horizon + 1, k), log return
        Cumulated from the window's end, rescaled to today's volatility; row 0 is 0.
    features : ndarray of shape (k, 4)
        Of the windows, in the order of `FEATURES`.
    today : ndarray of shape (4,)
        Features of the last bar.
    """

    ends: NDArray[np.intp]
    distances: FloatArray
    outcomes: FloatArray
    features: FloatArray
    today: FloatArray


def window_features(closes: ArrayLike) -> FloatArray:
    """Return the four features after each bar from `HABIT` on; each looks at its own past only.

    Parameters
    ----------
    closes : array_like of shape (n,), n >= 251
        Positive closes, oldest first.

    Returns
    -------
    ndarray of shape (n - 250, 4)
        Row i describes bar ``i + 250``.

    Raises
    ------
    NotEnoughDataError
        Fewer than 251 closes.
        Or closes that never differ.
    """
    prices = as_prices("closes", closes, HABIT + 1)
    logs = np.log(prices)
    r = np.diff(logs)
    # where a price stands still for a year both volatilities are 0: the floors keep quotients finite
    floor = 1e-6 * float(r.std())
    if not floor > 0.0:
        raise NotEnoughDataError(
            f"closes must have two values that differ, was n = {prices.size} without; wait for more bars"
        )
    deviations, high = _habits(logs, r, HABIT)
    usual = np.maximum(deviations, floor)
    sigma = np.maximum(ewma_sigmas(r)[HABIT - 1 :], 1e-3 * usual)
    past = logs[HABIT:]
    return np.column_stack([
        np.log(sigma / usual),
        (past - logs[HABIT - 5 : -5]) / (sigma * math.sqrt(5.0)),
        (past - logs[HABIT - 20 : -20]) / (sigma * math.sqrt(20.0)),
        (past - high) / (usual * math.sqrt(HABIT)),
    ])  # fmt: skip


def find_analogues(closes: ArrayLike, search: AnalogueSearch) -> Analogues:
    """Return the past windows that look most like the last one, with what came after each.

    Parameters
    ----------
    closes : array_like of shape (n,), n >= 251 + horizon + 20
        Positive closes, oldest first; nothing after the last one is known.

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 windows have an outcome in the past.
    """
    horizon = as_count("horizon", search.horizon)
    prices = as_prices("closes", closes, HABIT + 1)
    n_windows = prices.size - HABIT - horizon
    if n_windows < 20:
        raise NotEnoughDataError(
            f"closes must have at least {HABIT + horizon + 20} observations, was n = {prices.size}; wait for more bars"
        )
    features = window_features(prices)
    windows, today = features[:n_windows], features[-1]
    deviation = np.maximum(windows.std(axis=0), 1e-12)
    distances = np.sqrt((((windows - today) / deviation) ** 2).sum(axis=1))
    rows = np.argsort(distances, kind="stable")[: as_count("count", search.count)]
    logs, ends = np.log(prices), rows + HABIT
    sigmas = ewma_sigmas(np.diff(logs))
    then = np.maximum(sigmas[ends - 1], 1e-3 * sigmas.mean())
    outcomes = logs[ends + np.arange(horizon + 1)[:, None]] - logs[ends]
    return Analogues(
        ends=ends,
        distances=distances[rows],
        outcomes=outcomes * (sigmas[-1] / then),
        features=windows[rows],
        today=today,
    )


def apart(places: ArrayLike, count: int, spacing: int) -> list[int]:
    """Return the indices of the first `count` places that lie at least `spacing` from each one taken before.

    Windows one after the other look alike: a short list to show would hold one episode many times.

    Examples
    --------
    >>> apart([336, 335, 341, 281], count=2, spacing=20)
    [0, 3]
    """
    at, taken = np.asarray(places), list[int]()
    for i, place in enumerate(at):
        if len(taken) == count:
            break
        if all(abs(place - at[j]) >= spacing for j in taken):
            taken.append(i)
    return taken


@compiled()
def _habits(logs: FloatArray, r: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    """Return deviation of the last `n` returns and high of the last n + 1 log prices after each bar from `n` on.

    Sums run over returns less the mean of all, so that nothing large cancels.
    """
    count = logs.size - n
    deviations, highs = np.empty(count), np.empty(count)
    middle = r.mean()
    total, square = 0.0, 0.0
    for i in range(n):
        x = r[i] - middle
        total += x
        square += x * x
    best = 0
    for k in range(count):
        if k:
            new, old = r[k + n - 1] - middle, r[k - 1] - middle
            total += new - old
            square += new * new - old * old
        deviations[k] = math.sqrt(max(0.0, square / n - (total / n) ** 2))
        if k == 0 or best < k:
            best = k
            for i in range(k, k + n + 1):
                if logs[i] >= logs[best]:
                    best = i
        elif logs[k + n] >= logs[best]:
            best = k + n
        highs[k] = logs[best]
    return deviations, highs
