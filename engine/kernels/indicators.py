"""Technical indicators with TA-Lib's seeds; Bollinger bands and z-score with ddof=0.

Arrays hold defined values only and align at their end: the last element belongs to the last bar, so there is no NaN.
Too few bars raise NotEnoughDataError.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.kernels.series import FloatArray, as_count, as_prices, as_series


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


class Stochastic(NamedTuple):
    """Two series of equal length, 0 to 100; `d` is the moving average of `k`."""

    k: FloatArray
    d: FloatArray


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
    high, low, close = _bars(highs, lows, closes, as_count("period", period) + 1)
    before = close[:-1]
    true_range = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    return _smoothed(true_range, period, 1.0 / period)


def adx(highs: ArrayLike, lows: ArrayLike, period: int = 14) -> FloatArray:
    """Return Wilder's average directional index, 0 to 100, shape (n - 2 period + 1,): how strong a trend is.

    Notes
    -----
    TA-Lib's seeds: the averages of the movements start with the first `period` bars, of which the first has none, and
    the index with the mean of the first `period` values after that. The true range, and so the closes, divides the
    movements up and down alike and drops out. Where nothing moved at all it is 0.

    References
    ----------
    Wilder: New Concepts in Technical Trading Systems (1978).
    """
    need = 2 * as_count("period", period)
    high, low = as_series("highs", highs, need), as_series("lows", lows, need)
    _same_length(high, low)
    up, down = np.diff(high), -np.diff(low)
    rise = _wilder(np.where((up > down) & (up > 0.0), up, 0.0), period)
    fall = _wilder(np.where((down > up) & (down > 0.0), down, 0.0), period)
    total = rise + fall
    moved = total > 0.0
    strength = np.where(moved, 100.0 * np.abs(rise - fall) / np.where(moved, total, 1.0), 0.0)
    return _smoothed(strength, period, 1.0 / period)


def rate_of_change(values: ArrayLike, period: int = 10) -> FloatArray:
    """Return the change over `period` bars, a fraction of the value before, shape (n - period,).

    Raises
    ------
    InvalidValueError
        A value that is not positive.

    Notes
    -----
    TA-Lib's ROC is 100 times this.

    Examples
    --------
    >>> rate_of_change([100.0, 104.0, 110.0], 2).round(9).tolist()
    [0.1]
    """
    v = as_prices("values", values, as_count("period", period) + 1)
    result: FloatArray = v[period:] / v[:-period] - 1.0
    return result


def stochastic(
    highs: ArrayLike,
    lows: ArrayLike,
    closes: ArrayLike,
    period: int = 14,
    slowing: int = 3,
    signal: int = 3,
) -> Stochastic:
    """Return Lane's slow stochastic, shape (n - period - slowing - signal + 3,) each.

    Parameters
    ----------
    highs, lows, closes : array_like of shape (n,)
    period, slowing, signal : int
        Bars of the channel, of the average that makes `k`, and of the average of `k` that makes `d`.

    Notes
    -----
    Where the close stands in the channel of `period` bars: 0 at its lowest low, 100 at its highest high. A channel
    without height is 50: TA-Lib says 0 there, which would read as oversold.
    """
    need = (
        as_count("period", period) + as_count("slowing", slowing) + as_count("signal", signal) - 2
    )
    high, low, close = _bars(highs, lows, closes, need)
    channel = donchian(high, low, period)
    height = channel.upper - channel.lower
    has_height = height > 0.0
    above = 100.0 * (close[period - 1 :] - channel.lower)
    place = np.where(has_height, above / np.where(has_height, height, 1.0), 50.0)
    k = sma(place, slowing)
    return Stochastic(k[signal - 1 :], sma(k, signal))


def on_balance_volume(closes: ArrayLike, volumes: ArrayLike) -> FloatArray:
    """Return volume added up with the sign of each change of the close, shape (n,).

    Notes
    -----
    It starts with the first bar's own volume, as TA-Lib does; only its changes mean something.

    References
    ----------
    Granville: New Key to Stock Market Profits (1963).

    Examples
    --------
    >>> on_balance_volume([10.0, 11.0, 11.0, 9.0], [5.0, 3.0, 2.0, 4.0]).tolist()
    [5.0, 8.0, 8.0, 4.0]
    """
    close, volume = as_series("closes", closes), as_series("volumes", volumes)
    _same_length(close, volume)
    if volume.min() < 0.0:
        raise must("volumes", "not be negative", float(volume.min()), "drop or repair that bar")
    direction = np.sign(np.diff(close))
    return np.cumsum(np.concatenate([volume[:1], direction * volume[1:]]))


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


def _wilder(moves: FloatArray, period: int) -> FloatArray:
    """Return Wilder's averages of moves, shape (n - 1,), after the seed; the first bar's move counts as zero."""
    return _smoothed(np.concatenate([[0.0], moves]), period, 1.0 / period)[1:]


def _bars(
    highs: ArrayLike, lows: ArrayLike, closes: ArrayLike, need: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    high, low, close = (
        as_series(name, values, need)
        for name, values in (("highs", highs), ("lows", lows), ("closes", closes))
    )
    _same_length(high, low, close)
    return high, low, close


def _windows(name: str, values: ArrayLike, period: int) -> FloatArray:
    return sliding_window_view(as_series(name, values, as_count("period", period)), period)


def _same_length(*arrays: FloatArray) -> None:
    lengths = {len(a) for a in arrays}
    if len(lengths) > 1:
        raise must("series", "have equal lengths", sorted(lengths), "pass the same bars")
