"""Level 2's flagged events: what a shock bar, heavy volume or news says about the bars right after.

Each has a prior, documented here, and learns from the symbol's own past: the mean squared shock of the bars that
followed such an event, pulled towards the prior as if it were `PRIOR_N` bars.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import must
from engine.kernels.filtered_simulation import Course
from engine.kernels.series import FloatArray

PRIOR_N = 30.0
SHOCK = 2.5
"""Standardised return at which a bar counts as a shock."""
HEAVY = 2.5
"""Volume over the median of the 20 bars before at which it counts as heavy."""
HABIT = 20
PRIOR_VARIANCE = {"shock bar": 1.0, "heavy volume": 1.1}
"""Prior factor on the variance of the next bar, beyond what GARCH already says."""
NEWS_DRIFT = 0.25
"""Prior drift of news with sentiment and impact 1, in deviations of the first bar; half of it is left a bar later."""
NEWS_VARIANCE = 0.5
"""Prior addition of such news to the variance of the first bar; half of it is left a bar later."""
FADING = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsEffect:
    """What news of sentiment 1 does to the next bar.

    Parameters
    ----------
    variance : float
        Addition to the factor on its variance.
    drift : float
        In its deviations.
    n : int
        News that it was learned from; 0 is the prior alone.
    """

    variance: float = NEWS_VARIANCE
    drift: float = NEWS_DRIFT
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One event in force.

    Parameters
    ----------
    variance : float
        Factor on the variance of the next bar.
    drift : float
        Addition to the drift of the next bar, in its deviations.
    n : int
        Events of the past that it was learned from; 0 is the prior alone.
    """

    name: str
    variance: float
    drift: float = 0.0
    n: int = 0

    @property
    def words(self) -> str:
        """Name, what it does, and whether that was learned."""
        learned = f"learned from {self.n}" if self.n else "prior"
        return f"{self.name}: variance × {self.variance:.2f} ({learned})"


def flags_of(residuals: FloatArray, volumes: FloatArray) -> tuple[Flag, ...]:
    """Return what the last bar raises.

    Parameters
    ----------
    residuals : ndarray of shape (n,)
        Standardised returns.
    volumes : ndarray of shape (m,), m >= n or empty
        Of the same last bars.
    """
    raised = {"shock bar": np.abs(residuals) >= SHOCK}
    is_told = volumes.size >= residuals.size > HABIT
    if is_told and volumes[-1] > HEAVY * np.median(volumes[-1 - HABIT : -1]):
        raised["heavy volume"] = _is_heavy(volumes[-residuals.size :])
    return tuple(
        _learned(name, bars, residuals)
        for name, bars in raised.items()
        if bars.size and bool(bars[-1])
    )


def effect_of(moods: FloatArray, residuals: FloatArray) -> NewsEffect:
    """Return what news did so far, pulled towards the prior as if `PRIOR_N` whole ones had done what it says.

    Parameters
    ----------
    moods : ndarray of shape (n,), -1 to 1
        News known before each bar, 0 where there was none.
    residuals : ndarray of shape (n,)
        Standardised returns of these bars.
    """
    weight = PRIOR_N + float((moods**2).sum())
    drift = (PRIOR_N * NEWS_DRIFT + float((moods * residuals).sum())) / weight
    wider = PRIOR_N * NEWS_VARIANCE + float((np.abs(moods) * (residuals**2 - 1.0)).sum())
    return NewsEffect(
        variance=max(0.0, wider / weight), drift=drift, n=int(np.count_nonzero(moods))
    )


def news_of(
    events: Sequence[Mapping[str, Any]], effect: NewsEffect | None = None
) -> tuple[Flag, ...]:
    """Return what given events say: `sentiment` from -1 to 1, and `impact`, whose size counts (1 where it is missing).

    Raises
    ------
    InvalidValueError
        A sentiment outside -1 to 1.
    """
    found, effect = [], effect or NewsEffect()
    for event in events:
        mood, impact = float(event.get("sentiment", 0.0)), abs(float(event.get("impact", 1.0)))
        if not -1.0 <= mood <= 1.0 or not 0.0 <= impact < float("inf"):
            raise must(
                "events", "have a sentiment from -1 to 1 and a finite impact", event, "correct it"
            )
        strength = min(1.0, impact)
        name = str(event.get("type", "news"))
        found.append(
            Flag(
                name=name,
                variance=1.0 + effect.variance * abs(mood) * strength,
                drift=effect.drift * mood * strength,
                n=effect.n,
            )
        )
    return tuple(found)


def course_under(flags: Sequence[Flag], drift: float, sigma: float, usual: FloatArray) -> Course:
    """Return the course ahead: each flag works on the first bar in full and fades by half with every bar after it.

    Parameters
    ----------
    usual : ndarray of shape (n_steps,)
        Factor on each step's variance without any event, such as the hour's.
    """
    fading = FADING ** np.arange(usual.size)
    drifts, variances = np.full(usual.size, drift), usual.copy()
    for flag in flags:
        drifts += flag.drift * sigma * fading
        variances *= 1.0 + (flag.variance - 1.0) * fading
    return Course(drifts=drifts, variance_multipliers=variances)


def _is_heavy(volumes: FloatArray) -> NDArray[np.bool_]:
    usual = np.median(np.lib.stride_tricks.sliding_window_view(volumes, HABIT), axis=1)
    heavy = np.zeros(volumes.size, dtype=bool)
    heavy[HABIT:] = volumes[HABIT:] > HEAVY * usual[:-1]
    return heavy


def _learned(name: str, bars: NDArray[np.bool_], residuals: FloatArray) -> Flag:
    followed = np.flatnonzero(bars[:-1]) + 1
    n, prior = int(followed.size), PRIOR_VARIANCE[name]
    total = float((residuals[followed] ** 2).sum())
    return Flag(name=name, variance=(PRIOR_N * prior + total) / (PRIOR_N + n), n=n)
