"""The time of day: which hours move more than others, learned from the symbol's own standardised returns.

It is counted in absolute values and lent to the hours beside: on hourly bitcoin that improves the forecast of the next
hour, while squares, a few of which decide the mean, make it worse (docs/calibration.md).
"""

from dataclasses import dataclass

import numpy as np

from engine.forecasts.past import Past
from engine.kernels.series import FloatArray

HOURS = 24
HOUR_S = 3_600.0
LONGEST_BAR_S = 4 * HOUR_S
"""Beyond it a bar holds too many hours to speak of one."""
LEAST_DAYS = 7
PRIOR_N = 30.0
"""Bars of prior: an hour that was never seen is like any other."""
NEIGHBOUR = 0.5
"""Weight of the hours before and after, beside 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What is known of the hours of the bars ahead.

    Parameters
    ----------
    variances : ndarray of shape (n_steps,)
        Factor on the variance of each step; 1 throughout where the bars are too long, too few or without times.
    first : int or None
        Hour (UTC) in which the next bar begins; None where hours say nothing.
    n : int
        Bars of that hour behind its factor.
    """

    variances: FloatArray
    first: int | None = None
    n: int = 0

    @property
    def words(self) -> str:
        """Hour, factor of the next bar and what it was learned from."""
        if self.first is None:
            return ""
        return (
            f"{self.first:02d}:00 UTC: variance × {self.variances[0]:.2f} (learned from {self.n})"
        )


def hours_ahead(past: Past, residuals: FloatArray, n_steps: int) -> Hours:
    """Return what the hours of the next `n_steps` bars are like.

    Parameters
    ----------
    residuals : ndarray of shape (n,)
        Standardised returns of the last bars of `past`.
    """
    step, n = past.step_seconds, residuals.size
    is_daytime = (
        bool(past.closes_at.size)
        and step <= LONGEST_BAR_S
        and step * n >= LEAST_DAYS * HOURS * HOUR_S
    )
    if not is_daytime:
        return Hours(variances=np.ones(n_steps))
    began = _hours(past.closes_at[-n:] - step)
    size, counts = np.zeros(HOURS), np.bincount(began, minlength=HOURS)
    np.add.at(size, began, np.abs(residuals))
    size, count = _lent(size), _lent(counts.astype(float))
    usual = size.sum() / count.sum()
    if not usual > 0.0:
        return Hours(variances=np.ones(n_steps))
    factors = ((PRIOR_N * usual + size) / (PRIOR_N + count) / usual) ** 2
    factors /= factors[began].mean()  # the model's variance holds what the hours add on the whole
    ahead = _hours(past.closes_at[-1] + step * np.arange(n_steps))
    return Hours(variances=factors[ahead], first=int(ahead[0]), n=int(counts[ahead[0]]))


def _hours(moments: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return (np.floor(moments / HOUR_S) % HOURS).astype(np.intp)


def _lent(of_hour: FloatArray) -> FloatArray:
    """Return each hour's sum together with its neighbours' part, around the clock."""
    return of_hour + NEIGHBOUR * (np.roll(of_hour, 1) + np.roll(of_hour, -1))
