"""Two kinds of market that take turns: a hidden Markov chain of a calm and a stressed state with means and variances.

The library statsmodels fits it; a compiled loop gives the probabilities that were known at each bar. They are filtered
ones, never smoothed: smoothing looks past the bar.
"""

import math
import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.kernels.compiled import compiled
from engine.kernels.garch import varied_returns
from engine.kernels.paths import checked_spot
from engine.kernels.series import FloatArray, as_count, as_series

LEAST = 100
"""Returns below which two regimes are not worth telling apart."""
CALM, STRESSED = 0, 1
_STAY = 0.95
"""Chance of staying that stands in where a fit failed: an expected twenty steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkovFit:
    """Two regimes, told apart by their variance; per step, fractions.

    Parameters
    ----------
    calm_mean, calm_sigma, stressed_mean, stressed_sigma : float
        Mean and standard deviation of a return in the regime; the stressed one has the larger deviation.
    calm_stay, stressed_stay : float
        Chance that the next step is of the same regime.
    loglik : float
        Log likelihood of the returns in percent, the unit that published values have.
    converged : bool
        False when the optimiser failed; the regimes are then split at the median size of a return, and `note` says why.
    """

    calm_mean: float
    calm_sigma: float
    stressed_mean: float
    stressed_sigma: float
    calm_stay: float
    stressed_stay: float
    loglik: float
    n: int
    converged: bool = True
    note: str = ""

    @property
    def calm_duration(self) -> float:
        """Expected number of steps that a calm spell lasts."""
        return 1.0 / (1.0 - self.calm_stay)

    @property
    def stressed_duration(self) -> float:
        """Expected number of steps that a stressed spell lasts."""
        return 1.0 / (1.0 - self.stressed_stay)

    @property
    def usual_stress(self) -> float:
        """Share of all steps that are stressed in the long run."""
        leave, come = 1.0 - self.stressed_stay, 1.0 - self.calm_stay
        return come / (come + leave)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeProbabilities:
    """What was known of the regime, bar by bar.

    Parameters
    ----------
    stressed : ndarray of shape (n,)
        Chance that bar t was stressed, from the returns up to and with t.
    next_stressed : float
        Chance that the bar after the last one will be.
    loglik : float
        Log likelihood of the returns in percent.
    """

    stressed: FloatArray
    next_stressed: float
    loglik: float

    @property
    def label(self) -> str:
        """Regime of the last bar: "calm" or "stressed", whichever is likelier."""
        return "stressed" if self.stressed[-1] > 0.5 else "calm"


def fit_markov(returns: ArrayLike, warm_start: MarkovFit | None = None) -> MarkovFit:
    """Return the maximum-likelihood regimes of `returns`, or a plain split with the reason.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 100
        Returns per step, fractions, oldest first.
    warm_start : MarkovFit, optional
        An earlier fit to begin at; one that did not converge is not used.

    Raises
    ------
    NotEnoughDataError
        Fewer than 100 returns, or none that differs.
    InvalidValueError
        A return that is not finite.

    References
    ----------
    Hamilton: A new approach to the economic analysis of nonstationary time series and the business cycle. Econometrica
    57 (1989).
    """
    r = varied_returns(returns, LEAST)
    scale = float(r.std())
    split = _split(r)
    begin = warm_start if warm_start is not None and warm_start.converged else split
    try:
        p, converged = _by_library(r / scale, _as_parameters(begin, scale))
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        return replace(split, note=f"the library failed ({error}); a split at the median stands in")
    fit = _as_fit(p, scale, int(r.size))
    if not converged or not _is_sound(fit):
        return replace(
            split, note="the optimiser found no two regimes; a split at the median stands in"
        )
    return replace(fit, loglik=regime_probabilities(r, fit).loglik)


def regime_probabilities(
    returns: ArrayLike, fit: MarkovFit, first_stressed: float | None = None
) -> RegimeProbabilities:
    """Return how likely stress was after each return, and is for the next one.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 1
        They need not be those of the fit.
    first_stressed : float, optional
        Chance for the first bar, such as an earlier `next_stressed`; without it the long-run share.
    """
    r = as_series("returns", returns, 1)
    start = fit.usual_stress if first_stressed is None else first_stressed
    if not 0.0 <= start <= 1.0:
        raise must("first_stressed", "lie between 0 and 1", start, "leave it out")
    parameters = _checked(fit)
    stressed = np.empty(r.size)
    following, loglik = _filter(r, parameters, start, stressed)
    return RegimeProbabilities(
        stressed=stressed,
        next_stressed=float(following),
        loglik=float(loglik) - r.size * math.log(100.0),
    )


def simulate_regimes(
    spot: float,
    fit: MarkovFit,
    next_stressed: float,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> FloatArray:
    """Return log prices of paths that switch between the regimes.

    Parameters
    ----------
    next_stressed : float
        Chance that the first step is stressed.
    shape : tuple of int
        (n_steps, n_paths).

    Returns
    -------
    ndarray of shape (n_steps + 1, n_paths), log price
        Row 0 is ``ln(spot)``; returns count as log returns.
    """
    n_steps, n_paths = as_count("n_steps", shape[0]), as_count("n_paths", shape[1])
    if not 0.0 <= next_stressed <= 1.0:
        raise must("next_stressed", "lie between 0 and 1", next_stressed, "filter the returns")
    parameters = _checked(fit)
    chances, normals = rng.random((n_steps, n_paths)), rng.standard_normal((n_steps, n_paths))
    paths = np.empty((n_steps + 1, n_paths))
    paths[0] = math.log(checked_spot(spot))
    _switch(paths, chances, normals, parameters, next_stressed)
    return paths


@compiled()
def _filter(
    r: FloatArray, fit: FloatArray, start: float, stressed: FloatArray
) -> tuple[float, float]:
    """Fill `stressed` of shape (n,); return the chance of stress for the next bar and the log likelihood."""
    m0, s0, m1, s1, stay0, stay1 = fit
    prior, loglik = start, 0.0
    for t in range(r.size):
        # densities over the larger exponent, so that an extreme return leaves the sum positive
        z0, z1 = (r[t] - m0) / s0, (r[t] - m1) / s1
        top = max(-0.5 * z0 * z0, -0.5 * z1 * z1)
        calm = (1.0 - prior) * math.exp(-0.5 * z0 * z0 - top) / s0
        stress = prior * math.exp(-0.5 * z1 * z1 - top) / s1
        total = calm + stress
        if total > 0.0:
            loglik += math.log(total) + top - 0.5 * math.log(2.0 * math.pi)
            stressed[t] = stress / total
        else:
            stressed[t] = prior
        prior = stressed[t] * stay1 + (1.0 - stressed[t]) * (1.0 - stay0)
    return prior, loglik


@compiled()
def _switch(
    paths: FloatArray, chances: FloatArray, normals: FloatArray, fit: FloatArray, start: float
) -> None:
    """Fill rows 1 to n_steps of `paths`."""
    m0, s0, m1, s1, stay0, stay1 = fit
    n_steps, n_paths = chances.shape
    stress = np.full(n_paths, start)
    for t in range(n_steps):
        for p in range(n_paths):
            if chances[t, p] < stress[p]:
                paths[t + 1, p] = paths[t, p] + m1 + s1 * normals[t, p]
                stress[p] = stay1
            else:
                paths[t + 1, p] = paths[t, p] + m0 + s0 * normals[t, p]
                stress[p] = 1.0 - stay0


def _as_array(fit: MarkovFit) -> FloatArray:
    return np.array([
        fit.calm_mean, fit.calm_sigma, fit.stressed_mean, fit.stressed_sigma, fit.calm_stay, fit.stressed_stay,
    ])  # fmt: skip


def _checked(fit: MarkovFit) -> FloatArray:
    if not _is_sound(fit):
        raise must("fit", "have two regimes of positive deviation", fit, "fit it again")
    return _as_array(fit)


def _split(r: FloatArray) -> MarkovFit:
    """Return regimes of the smaller and the larger half of the returns' sizes."""
    mean, least = float(r.mean()), 1e-3 * float(r.std())
    squares = np.sort((r - mean) ** 2)
    calm = max(math.sqrt(squares[: r.size // 2].mean()), least)
    stressed = max(math.sqrt(squares[r.size // 2 :].mean()), 1.5 * calm)
    fit = MarkovFit(
        calm_mean=mean, calm_sigma=calm, stressed_mean=mean, stressed_sigma=stressed,
        calm_stay=_STAY, stressed_stay=_STAY, loglik=0.0, n=int(r.size), converged=False,
    )  # fmt: skip
    return replace(fit, loglik=regime_probabilities(r, fit).loglik)


def _is_sound(fit: MarkovFit) -> bool:
    return (
        bool(np.isfinite(_as_array(fit)).all())
        and 0.0 < fit.calm_sigma < fit.stressed_sigma
        and 0.0 < fit.calm_stay < 1.0
        and 0.0 < fit.stressed_stay < 1.0
    )


def _by_library(scaled: FloatArray, begin: FloatArray) -> tuple[FloatArray, bool]:
    """Return the library's six parameters for returns of unit deviation, and whether it converged."""
    # imported here: it takes a second, and few processes fit anything
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    model = MarkovRegression(scaled, k_regimes=2, switching_variance=True)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # what it warns of is in the flag and in what `_is_sound` looks at
        result = model.fit(start_params=begin, disp=False, em_iter=10, cov_type="none")
    return np.asarray(result.params, dtype=np.float64), bool(result.mle_retvals["converged"])


def _as_parameters(fit: MarkovFit, scale: float) -> FloatArray:
    """Return the library's order: p[0->0], p[1->0], two means, two variances."""
    return np.array([
        fit.calm_stay, 1.0 - fit.stressed_stay, fit.calm_mean / scale, fit.stressed_mean / scale,
        (fit.calm_sigma / scale) ** 2, (fit.stressed_sigma / scale) ** 2,
    ])  # fmt: skip


def _as_fit(p: FloatArray, scale: float, n: int) -> MarkovFit:
    """Return the fit with the regime of the smaller variance called calm."""
    calm, stressed = (CALM, STRESSED) if p[4] <= p[5] else (STRESSED, CALM)
    stay = (float(p[0]), 1.0 - float(p[1]))
    return MarkovFit(
        calm_mean=float(p[2 + calm]) * scale, calm_sigma=math.sqrt(max(p[4 + calm], 0.0)) * scale,
        stressed_mean=float(p[2 + stressed]) * scale, stressed_sigma=math.sqrt(max(p[4 + stressed], 0.0)) * scale,
        calm_stay=stay[calm], stressed_stay=stay[stressed], loglik=0.0, n=n,
    )  # fmt: skip
