"""What many settled forecasts say together: coverage, shape of the PIT, skill against a base, and the grade.

Everything starts from PITs (where in its forecast each outcome fell) and losses (its CRPS). Intervals and p-values
hold for forecasts that don't overlap: thin them by `spacing` first, or use the errors that allow for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, kolmogorov, ndtri, stdtr

from engine.domain.errors import InvalidValueError, NotEnoughDataError, must
from engine.kernels.series import FloatArray, as_count, as_fraction, as_series

BANDS = (0.50, 0.80, 0.90, 0.95)
"""Central bands that are counted."""
GRADED_BANDS = (0.50, 0.80, 0.95)
"""Bands that make the grade: those that the fan draws."""
LEAST = 20
"""Settled forecasts below which there is no grade."""
TERCILE_WINDOW = 750
"""Readings among which a volatility is called calm, usual or wild."""
LEAST_READINGS = 60
"""Readings below which a volatility is not called anything."""
_ROWS = 4096
_EDGE = 1e-9
"""Slack of a band's edge, so that an outcome on the quantile counts as inside whatever the rounding."""


class IntervalMethod(Enum):
    """How the interval of a share is made."""

    WILSON = "Wilson"
    EXACT = "Clopper–Pearson"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`count` of `n` with the interval that so many leave open, [lower, upper]."""

    n: int
    count: int
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BandCoverage:
    """Share of outcomes inside the central band `nominal`; `is_met` where the interval holds `nominal`."""

    nominal: float
    share: Share
    is_met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PitDistance:
    """Kolmogorov–Smirnov distance of the PITs from uniform, and the chance of a larger one."""

    n: int
    distance: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DieboldMariano:
    """Whether losses differ from the base's on average.

    Parameters
    ----------
    mean_difference : float
        Mean of loss - base loss; negative is better than the base.
    t, p_value : float
        With `lags` autocovariances in the error; two-sided, Student t with n - 1 degrees of freedom.
    """

    n: int
    lags: int
    mean_difference: float
    t: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """Grade of coverage: A when all three bands are met, B two, C one, D none; None with the reason in `note`."""

    letter: str | None
    n: int
    note: str


def spacing(horizon: int, step: int = 1) -> int:
    """Return each how-manieth forecast doesn't overlap the one before, ``ceil(horizon / step)``.

    Parameters
    ----------
    horizon, step : int
        Bars that a forecast looks ahead, and bars between two forecasts.

    Examples
    --------
    >>> spacing(5), spacing(5, 2), spacing(1, 5)
    (5, 3, 1)
    """
    return -(-as_count("horizon", horizon) // as_count("step", step))


def share_of(
    count: int,
    n: int,
    confidence: float = 0.95,
    method: IntervalMethod = IntervalMethod.WILSON,
) -> Share:
    """Return `count` of `n` with its binomial interval.

    References
    ----------
    Wilson: Probable inference. JASA 22 (1927). Clopper, Pearson: The use of confidence limits. Biometrika 26 (1934).

    Examples
    --------
    >>> share = share_of(235, 250)
    >>> round(share.value, 3), round(share.lower, 3), round(share.upper, 3)
    (0.94, 0.903, 0.963)
    """
    as_count("n", n)
    if not 0 <= count <= n:
        raise must("count", f"lie between 0 and n = {n}", count, "count again")
    tail = 0.5 * (1.0 - as_fraction("confidence", confidence))
    value = count / n
    if method is IntervalMethod.WILSON:
        z = float(ndtri(1.0 - tail))
        weight = z * z / n
        half = z * math.sqrt(value * (1.0 - value) / n + weight / (4.0 * n))
        centre, size = value + weight / 2.0, 1.0 + weight
        lower, upper = (centre - half) / size, (centre + half) / size
    else:
        lower = float(betaincinv(count, n - count + 1.0, tail)) if count else 0.0
        upper = float(betaincinv(count + 1.0, n - count, 1.0 - tail)) if count < n else 1.0
    # none and all touch their end exactly, whatever the rounding
    lower, upper = (0.0 if count == 0 else lower), (1.0 if count == n else upper)
    return Share(n=n, count=count, value=value, lower=lower, upper=upper)


def coverage(
    pits: ArrayLike,
    bands: Sequence[float] = BANDS,
    method: IntervalMethod = IntervalMethod.WILSON,
) -> tuple[BandCoverage, ...]:
    """Return how many outcomes fell inside each central band.

    Parameters
    ----------
    pits : array_like of shape (n,), n >= 1
    bands : sequence of float
        Shares that the bands are to hold; 0.9 is the PITs from 0.05 to 0.95, both edges included.
    """
    u = as_pits(pits)
    return tuple(_band(u, nominal, method) for nominal in bands)


def coverage_by_tercile(
    pits: ArrayLike, terciles: ArrayLike, band: float = 0.90
) -> tuple[BandCoverage | None, BandCoverage | None, BandCoverage | None]:
    """Return the coverage of one band after calm, usual and wild markets; None for a tercile without forecasts.

    Parameters
    ----------
    pits, terciles : array_like of shape (n,)
        Terciles 0, 1, 2 at the origins of the forecasts, as `volatility_terciles` gives them; -1 is left out.
    """
    u, place = as_pits(pits), np.asarray(terciles)
    if place.shape != u.shape:
        raise must("terciles", f"have shape {u.shape}", place.shape, "give one per forecast")
    calm, usual, wild = (
        _band(part, band, IntervalMethod.WILSON) if part.size else None
        for part in (u[place == k] for k in range(3))
    )
    return calm, usual, wild


def volatility_terciles(sigmas: ArrayLike, window: int = TERCILE_WINDOW) -> NDArray[np.int_]:
    """Return whether each volatility is low, middling or high among the readings up to then.

    Parameters
    ----------
    sigmas : array_like of shape (n,)
        Volatility as known at each bar's close, oldest first: prior volatility (such as `ewma_sigmas`) where levels
        are compared, so that all are cut alike, or the forecast's own.
    window : int
        Readings, this one included, among which it is ranked.

    Returns
    -------
    ndarray of shape (n,), int
        0 calm, 1 usual, 2 wild, -1 where fewer than `LEAST_READINGS` readings exist.

    Notes
    -----
    Nothing later is looked at, neither for the volatility nor for the cuts; therefore the three parts are not of one
    size. Ties count half.
    """
    s = as_series("sigmas", sigmas)
    window = as_count("window", window, LEAST_READINGS)
    result = np.full(s.size, -1)
    for t in range(LEAST_READINGS - 1, min(window - 1, s.size)):
        result[t] = _tercile(s[: t + 1][None, :])[0]
    if s.size >= window:
        views = sliding_window_view(s, window)
        for begin in range(0, views.shape[0], _ROWS):
            part = _tercile(views[begin : begin + _ROWS])
            result[window - 1 + begin : window - 1 + begin + part.size] = part
    return result


def pit_distance(pits: ArrayLike) -> PitDistance:
    """Return the Kolmogorov–Smirnov distance of the PITs from uniform.

    Notes
    -----
    The p-value is Kolmogorov's limit with the correction of Vrbik, within 0.002 of the exact one from n = 20 on.

    References
    ----------
    Vrbik: Small-sample corrections to Kolmogorov–Smirnov test statistic. Pioneer J. Theor. Appl. Stat. 15 (2018).
    """
    u = np.sort(as_pits(pits))
    n = u.size
    steps = np.arange(n + 1) / n
    distance = float(max((steps[1:] - u).max(), (u - steps[:-1]).max()))
    scaled = math.sqrt(n) * distance
    corrected = scaled + 1.0 / (6.0 * math.sqrt(n)) + (scaled - 1.0) / (4.0 * n)
    p_value = float(kolmogorov(max(0.0, corrected)))
    return PitDistance(n=int(n), distance=distance, p_value=p_value)


def diebold_mariano(losses: ArrayLike, base_losses: ArrayLike, horizon: int = 1) -> DieboldMariano:
    """Return whether the losses differ from the base's on average.

    Parameters
    ----------
    losses, base_losses : array_like of shape (n,)
        Of the same forecasts, in time order.
    horizon : int
        Forecasts that one outcome reaches over (`spacing`): forecasts that overlap so have ``horizon - 1``
        autocovariances.

    Raises
    ------
    NotEnoughDataError
        Fewer than two forecasts per overlap, or no difference that varies.

    Notes
    -----
    The variance is Newey and West's (Bartlett weights, lag = horizon - 1), which is never negative; then the
    small-sample correction of Harvey, Leybourne and Newbold. At horizon 1 that is the ordinary t of a mean.

    References
    ----------
    Diebold, Mariano: Comparing predictive accuracy. JBES 13 (1995). Harvey, Leybourne, Newbold: Testing the equality
    of prediction mean squared errors. Int. J. Forecasting 13 (1997).
    """
    h = as_count("horizon", horizon)
    loss, base = _paired(losses, base_losses, 2 * h + 1)
    d = loss - base
    n = d.size
    mean = float(d.mean())
    e = d - mean
    variance = float(e @ e)
    for lag in range(1, h):
        variance += 2.0 * (1.0 - lag / h) * float(e[lag:] @ e[:-lag])
    if variance <= (1e-14 * float(np.abs(loss).max())) ** 2 * n:
        raise NotEnoughDataError(
            f"losses must differ from the base's, was n = {n} without; compare another level"
        )
    correction = (n + 1.0 - 2.0 * h + h * (h - 1.0) / n) / n
    t = mean * n / math.sqrt(variance) * math.sqrt(correction)
    return DieboldMariano(
        n=int(n), lags=h - 1, mean_difference=mean, t=t,
        p_value=2.0 * float(stdtr(n - 1.0, -abs(t))),
    )  # fmt: skip


def skill(losses: ArrayLike, base_losses: ArrayLike) -> float:
    """Return how much smaller the mean loss is than the base's, as a fraction: 0.07 is 7 % better, 0 for the base.

    Raises
    ------
    NotEnoughDataError
        No forecast, or a base that lost nothing.
    """
    loss, base = _paired(losses, base_losses, 1)
    if base.mean() <= 0.0:
        raise NotEnoughDataError("base_losses must have a positive mean, was 0; nothing to compare")
    return 1.0 - float(loss.mean() / base.mean())


def grade(pits: ArrayLike) -> Grade:
    """Return the grade of coverage at the 50, 80 and 95 % bands, from `LEAST` settled forecasts on.

    Parameters
    ----------
    pits : array_like of shape (n,), n >= 0
        Of forecasts that don't overlap.

    Notes
    -----
    A band is met when the 95 % Wilson interval of its share holds its target. The grade speaks of coverage alone;
    skill stands beside it. A true forecast misses a band in about one of twenty looks, so a B is no alarm.
    """
    u = np.asarray(pits, dtype=np.float64)
    if u.size < LEAST:
        return Grade(letter=None, n=int(u.size), note=f"n = {u.size}, not enough yet")
    met = sum(band.is_met for band in coverage(u, GRADED_BANDS))
    return Grade(
        letter="DCBA"[met], n=int(u.size), note=f"{met} of 3 bands hold their target, n = {u.size}"
    )


def as_pits(pits: ArrayLike, need: int = 1) -> FloatArray:
    """Return `pits` as a series of shape (n,) between 0 and 1."""
    u = as_series("pits", pits, need)
    if u.size and not (u.min() >= 0.0 and u.max() <= 1.0):
        raise InvalidValueError(
            f"pits must lie between 0 and 1, was {u.min()} to {u.max()}; score the forecasts first"
        )
    return u


def _paired(losses: ArrayLike, base_losses: ArrayLike, need: int) -> tuple[FloatArray, FloatArray]:
    loss, base = as_series("losses", losses, need), as_series("base_losses", base_losses, need)
    if loss.size != base.size:
        raise must("base_losses", f"have {loss.size} values", base.size, "take common forecasts")
    return loss, base


def _band(pits: FloatArray, nominal: float, method: IntervalMethod) -> BandCoverage:
    half = 0.5 * as_fraction("bands", nominal)
    count = int((np.abs(pits - 0.5) <= half + _EDGE).sum())
    share = share_of(count, int(pits.size), method=method)
    return BandCoverage(nominal=nominal, share=share, is_met=share.lower <= nominal <= share.upper)


def _tercile(windows: FloatArray) -> NDArray[np.int_]:
    last = windows[:, -1:]
    rank = (windows < last).sum(axis=1) + 0.5 * (windows == last).sum(axis=1)
    result: NDArray[np.int_] = np.minimum(2, (3.0 * rank / windows.shape[1]).astype(int))
    return result
