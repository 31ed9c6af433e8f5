"""Technical indicators with TA-Lib's seeds; Bollinger bands and z-score with ddof=0.

Arrays hold defined values only and align at their end: the last element belongs to the last bar, so there is no NaN.
Too few bars raise NotEnoughDataError.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.kernels.series import FloatArray, as_count, as_series


class Bands(NamedTuple):
    """Three series of equal length."""

    upper: FloatArray
    middle: FloatArray
    lower: FloatArray


class Macd(NamedTuple):
    """Three series of equal length; `histogram` is `macd` minus `signal`."""

    macd: FloatArray
    signal: FloatArray
    histogram: FloatArray


def sma(values: ArrayLike, period: int) -> FloatArray:
    """Return the simple moving average, shape (n - period + 1,).

    Examples
    --------
    >>> sma([1.0, 2.0, 3.0, 4.0], 2).tolist()
    [1.5, 2.5, 3.5]
    """
    result: FloatArray = _windows("values", values, period).mean(axis=1)
    return result


def ema(values: ArrayLike, period: int) -> FloatArray:
    """Return the exponential moving average seeded with the mean of the first `period`, shape (n - period + 1,)."""
    v = as_series("values", values, as_count("period", period))
    return _smoothed(v, period, 2.0 / (period + 1.0))


def rsi(closes: ArrayLike, period: int = 14) -> FloatArray:
    """Return Wilder's relative strength index between 0 and 100, shape (n - period,).

    Notes
    -----
    Seeded with the means of the first `period` changes. Where nothing moved at all it is 50: TA-Lib says 0 there,
    which would read as oversold.

    References
    ----------
    Wilder: New Concepts in Technical Trading Systems (1978).
    """
    c = as_series("closes", closes, as_count("period", period) + 1)
    change = np.diff(c)
    gain = _smoothed(np.maximum(change, 0.0), period, 1.0 / period)
    loss = _smoothed(np.maximum(-change, 0.0), period, 1.0 / period)
    total = gain + loss
    moved = total > 0.0
    result: FloatArray = np.where(moved, 100.0 * gain / np.where(moved, total, 1.0), 50.0)
    return result


def atr(highs: ArrayLike, lows: ArrayLike, closes: ArrayLike, period: int = 14) -> FloatArray:
    """Return Wilder's average true range in price units, shape (n - period,); the first bar has no true range."""
    need = as_count("period", period) + 1
    high, low, close = (
        as_series(name, values, need)
        for name, values in (("highs", highs), ("lows", lows), ("closes", closes))
    )
    _same_length(high, low, close)
    before = close[:-1]
    true_range = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    return _smoothed(true_range, period, 1.0 / period)


def bollinger(closes: ArrayLike, period: int = 20, width: float = 2.0) -> Bands:
    """Return moving average plus and minus `width` standard deviations (ddof=0), shape (n - period + 1,) each."""
    windows = _windows("closes", closes, period)
    middle, reach = windows.mean(axis=1), width * windows.std(axis=1)
    return Bands(middle + reach, middle, middle - reach)


def zscore(values: ArrayLike, period: int = 20) -> FloatArray:
    """Return standard deviations (ddof=0) from the moving average, shape (n - period + 1,).

    Notes
    -----
    The window holds the value itself, so |z| never exceeds sqrt(period - 1); 0 where the window is flat.
    |z| = width exactly on the Bollinger band of that width.
    """
    windows = _windows("values", values, period)
    middle, deviation = windows.mean(axis=1), windows.std(axis=1)
    # a flat window leaves rounding noise instead of zero
    is_flat = deviation <= 1e-12 * np.abs(middle)
    result: FloatArray = np.where(
        is_flat, 0.0, (windows[:, -1] - middle) / np.where(is_flat, 1.0, deviation)
    )
    return result


def macd(closes: ArrayLike, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Return MACD, its signal line and their difference, shape (n - slow - signal + 2,) each.

    Notes
    -----
    Both averages start at bar `slow`, the fast one seeded with the `fast` bars before it.
    """
    if not 0 < fast < slow:
        raise must("fast", f"lie between 1 and slow ({slow}) - 1", fast, "choose a shorter average")
    c = as_series("closes", closes, slow + as_count("signal", signal) - 1)
    line = ema(c[slow - fast :], fast) - ema(c, slow)
    signal_line = ema(line, signal)
    line = line[signal - 1 :]
    return Macd(line, signal_line, line - signal_line)


def donchian(highs: ArrayLike, lows: ArrayLike, period: int = 20) -> Bands:
    """Return highest high, middle and lowest low of `period` bars, shape (n - period + 1,) each."""
    high, low = _windows("highs", highs, period), _windows("lows", lows, period)
    _same_length(high, low)
    upper, lower = high.max(axis=1), low.min(axis=1)
    return Bands(upper, (upper + lower) / 2.0, lower)


def efficiency_ratio(closes: ArrayLike, period: int = 20) -> FloatArray:
    """Return Kaufman's net change per path travelled over `period` changes, 0 to 1, shape (n - period,).

    Notes
    -----
    1 is a straight line, 0 no way gained (or no movement); a random walk has about ``1 / sqrt(period)``.

    References
    ----------
    Kaufman: Trading Systems and Methods (5th edition, 2013), chapter 1.
    """
    c = as_series("closes", closes, as_count("period", period) + 1)
    net = np.abs(c[period:] - c[:-period])
    travelled = sliding_window_view(np.abs(np.diff(c)), period).sum(axis=1)
    moved = travelled > 0.0
    result: FloatArray = np.where(moved, net / np.where(moved, travelled, 1.0), 0.0)
    return np.minimum(result, 1.0)


def _smoothed(values: FloatArray, period: int, share: float) -> FloatArray:
    """Return the recursion ``s += share (v - s)`` from the mean of the first `period` values on."""
    level = float(values[:period].mean())
    levels = [level]
    for value in values[period:].tolist():
        level += share * (value - level)
        levels.append(level)
    return np.asarray(levels)


def _windows(name: str, values: ArrayLike, period: int) -> FloatArray:
    return sliding_window_view(as_series(name, values, as_count("period", period)), period)


def _same_length(*arrays: FloatArray) -> None:
    lengths = {len(a) for a in arrays}
    if len(lengths) > 1:
        raise must("series", "have equal lengths", sorted(lengths), "pass the same bars")
