"""The one door through which numbers enter the kernels.

A series is one-dimensional, finite and long enough, or an error says what is wrong; so no kernel ever returns NaN
in silence.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.domain.errors import InvalidValueError, NotEnoughDataError, must

FloatArray = NDArray[np.float64]
"""Array of doubles; the shape stands in the docstring of whoever takes or gives it."""
Float32Array = NDArray[np.float32]
"""The same in single precision, where speed is worth digits."""


def as_series(name: str, values: ArrayLike, need: int = 1) -> FloatArray:
    """Return `values` as finite floats.

    Parameters
    ----------
    name : str
        Word for the error message.
    values : array_like of shape (n,)
    need : int
        Fewest observations that give an answer.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    NotEnoughDataError
        Fewer than `need` observations.
    InvalidValueError
        More than one dimension, or a value that is not finite.
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise must(name, "have one dimension", series.shape, "pass one value per bar")
    if series.size < need:
        raise NotEnoughDataError(
            f"{name} must have at least {need} observations, was n = {series.size}; wait for more bars"
        )
    if not np.isfinite(series).all():
        bad = int(np.flatnonzero(~np.isfinite(series))[0])
        raise InvalidValueError(
            f"{name} must be finite, was {series[bad]} at index {bad}; drop or repair that observation"
        )
    return series


def as_prices(name: str, values: ArrayLike, need: int = 1) -> FloatArray:
    """Return `values` as finite, positive prices of shape (n,); errors as in `as_series`."""
    prices = as_series(name, values, need)
    if prices.size and prices.min() <= 0.0:
        bad = int(np.argmin(prices))
        raise InvalidValueError(
            f"{name} must be positive, was {prices[bad]} at index {bad}; drop or repair that observation"
        )
    return prices


def check_rows(name: str, rows: NDArray[np.floating]) -> None:
    """Refuse what is not of shape (n_rows, n_paths), neither of them 0."""
    if rows.ndim != 2 or 0 in rows.shape:
        raise must(name, "have shape (n_rows, n_paths)", rows.shape, "simulate first")


def as_fraction(name: str, value: float) -> float:
    """Return `value` where it lies strictly between 0 and 1, as a confidence must."""
    if not 0.0 < value < 1.0:
        raise must(name, "lie strictly between 0 and 1", value, "give a fraction, such as 0.95")
    return float(value)


def as_count(name: str, value: int, least: int = 1) -> int:
    """Return `value` where it is at least `least`, as a window or a number of paths must be."""
    if value < least:
        raise must(name, f"be at least {least}", value, "give a larger number")
    return int(value)
