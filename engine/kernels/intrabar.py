"""How a bar unfolds into ticks: paths inside a bar that respect what the bar says, and which of their points are shown.

A path has ``n_points`` equally spaced points; a faster replay shows fewer of them, never other ones, so that a change
of speed in the middle of a bar contradicts nothing that was shown before.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_RANGE_TO_SIGMA = 1 / (2 * np.sqrt(np.log(2)))
"""Parkinson (1980): volatility of a Brownian motion from its expected range."""


def unfold_bar(
    prices: tuple[float, float, float, float],
    n_points: int,
    tick_size: float,
    rng: np.random.Generator,
) -> tuple[Floats, tuple[int, int]]:
    """Return a path from open to close that touches high and low and never leaves them.

    Brownian bridges join open, the two extremes and close, folded back at high and low. The extremes come at arcsine
    times (near the ends, as those of a Brownian motion do); the shorter of the two ways round is likelier.

    Parameters
    ----------
    prices : tuple of float
        Open, high, low, close. Where they contradict each other (bad data) the widest range counts.
    n_points : int
        Points of the path, at least 4.
    tick_size : float
        Step that prices between the four given are rounded to.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    path : ndarray of shape (n_points,)
        Prices; the first is open and the last close, exactly.
    extremes : tuple of int
        Points where high and low stand, in that order.

    Examples
    --------
    >>> path, (top, bottom) = unfold_bar((10.0, 12.0, 9.5, 11.0), 240, 0.01, np.random.default_rng(1))
    >>> float(path[0]), float(path[top]), float(path[bottom]), float(path[-1])
    (10.0, 12.0, 9.5, 11.0)
    """
    first, high, low, last = prices
    top, bottom = _extreme_points(prices, n_points, rng)
    points = np.array(sorted((0, top, bottom, n_points - 1)))
    values = np.array([first, *((high, low) if top < bottom else (low, high)), last])
    lowest, highest = min(prices), max(prices)
    sigma = (highest - lowest) * _RANGE_TO_SIGMA / np.sqrt(n_points)
    path = _fold(_bridge(points, values, sigma, n_points, rng), lowest, highest)
    path = np.clip(_round(path, tick_size), lowest, highest)
    path[points] = values
    return path, (top, bottom)


def unfold_close(
    previous: float,
    close: float,
    sigma: float,
    n_points: int,
    tick_size: float,
    rng: np.random.Generator,
) -> Floats:
    """Return a path from the previous close to the close, where a bar has nothing else.

    Parameters
    ----------
    previous, close : float
        The two closes, positive.
    sigma : float
        Volatility of a bar's log return, which the path between them has as well.
    n_points : int
        Points of the path.
    tick_size : float
        Step that prices between the two are rounded to.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_points,)
        Prices; the first is `previous` and the last `close`, exactly.
    """
    ends = np.array([0, n_points - 1])
    logs = _bridge(ends, np.log([previous, close]), sigma / np.sqrt(n_points), n_points, rng)
    path = np.maximum(_round(np.exp(logs), tick_size), tick_size)
    path[0], path[-1] = previous, close
    return path


def tick_points(n_points: int, n_ticks: int, shown: Sequence[int] = ()) -> npt.NDArray[np.intp]:
    """Return which points of a path are told as ticks: both ends, the points in `shown`, the rest evenly spread.

    Examples
    --------
    >>> tick_points(240, 4, shown=(30, 200)).tolist()
    [0, 30, 200, 239]
    """
    kept = {0, n_points - 1, *shown}
    n_ticks = min(max(n_ticks, len(kept)), n_points)
    grid = {round(float(point)) for point in np.linspace(0, n_points - 1, n_ticks)}
    for point in sorted(kept - grid):
        _, nearest = min((abs(other - point), other) for other in grid - kept)
        grid.remove(nearest)
        grid.add(point)
    return np.array(sorted(grid), dtype=np.intp)


def volume_profile(n_points: int) -> Floats:
    """Return the cumulative share of a session's volume by point: heavy at both ends, 1 at the last.

    Notes
    -----
    The U-shape of intraday volume (Admati and Pfleiderer, 1988): the ends trade 2.5 times as much as the middle.
    """
    weights = 1 + 1.5 * np.linspace(-1, 1, n_points) ** 2
    shares: Floats = np.cumsum(weights) / weights.sum()
    shares[-1] = 1.0
    return shares


def _extreme_points(
    prices: tuple[float, float, float, float], n_points: int, rng: np.random.Generator
) -> tuple[int, int]:
    first, high, low, last = prices
    u_one, u_two, u_order = rng.random(3)
    inner = n_points - 2
    one, two = sorted(
        1 + min(int(np.sin(np.pi * u / 2) ** 2 * inner), inner - 1) for u in (u_one, u_two)
    )
    if one == two:
        one, two = (one, two + 1) if two < inner else (one - 1, two)
    way_by_high = (high - first) + (last - low)
    way_by_low = (first - low) + (high - last)
    both = way_by_high + way_by_low
    is_high_first = u_order < (0.5 if both <= 0 else way_by_low / both)
    return (one, two) if is_high_first else (two, one)


def _bridge(
    points: npt.NDArray[np.int64],
    values: Floats,
    sigma: float,
    n_points: int,
    rng: np.random.Generator,
) -> Floats:
    steps = np.arange(n_points)
    walk = np.cumsum(rng.normal(0.0, sigma, n_points))
    line: Floats = np.interp(steps, points, values)
    return line + walk - np.interp(steps, points, walk[points])


def _fold(path: Floats, low: float, high: float) -> Floats:
    width = high - low
    if width <= 0:
        return np.full_like(path, low)
    folded: Floats = low + width - np.abs(np.mod(path - low, 2 * width) - width)
    return folded


def _round(path: Floats, tick_size: float) -> Floats:
    rounded: Floats = np.round(np.round(path / tick_size) * tick_size, 8)
    return rounded
