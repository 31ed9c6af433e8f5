"""Volatility that remembers: GARCH(1,1), fitted by the library `arch` and filtered by a compiled loop.

Everything is per step and in fractions; the library sees returns scaled to unit deviation, because its optimiser wants
values near one. Nothing looks past the last return given.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import NotEnoughDataError, must
from engine.kernels.compiled import compiled
from engine.kernels.series import FloatArray, as_series
from engine.kernels.volatility import EWMA_LAMBDA, EWMA_SEED

LEAST = 250
"""Returns below which five parameters are not worth estimating; `ewma_fit` needs 20."""
_BACKCAST = 75
"""Returns that the first variance is taken from."""
_LARGEST = 1e6
_AT_BOUND = 1e-6
"""A weight this small is the bound 0 that the optimiser stopped beside."""


class Innovations(StrEnum):
    """Law of the shocks that the likelihood assumes."""

    NORMAL = "normal"
    STUDENT_T = "student t"
    SKEWED_T = "skewed t"


_N_SHAPES = {Innovations.NORMAL: 0, Innovations.STUDENT_T: 1, Innovations.SKEWED_T: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class GarchFit:
    """Parameters of ``h[t+1] = omega + (alpha + gamma [e[t] < 0]) e[t]^2 + beta h[t]``, e = return - mu.

    Parameters
    ----------
    mu, omega : float
        Mean return per step and the constant of the variance, a fraction squared.
    alpha, gamma, beta : float
        Weight of the last shock, its addition after a fall (0 without leverage) and the weight of the last variance.
    nu, skew : float or None
        Degrees of freedom and asymmetry of the shocks; None where the law has none.
    loglik : float
        Log likelihood of the returns in percent, the unit that published values have.
    converged : bool
        False when the optimiser failed; the parameters are then RiskMetrics' and `note` says why.
    """

    mu: float
    omega: float
    alpha: float
    beta: float
    loglik: float
    n: int
    gamma: float = 0.0
    nu: float | None = None
    skew: float | None = None
    converged: bool = True
    note: str = ""

    @property
    def persistence(self) -> float:
        """Share of a shock to the variance that is left a step later."""
        return self.alpha + self.gamma / 2.0 + self.beta

    @property
    def long_run_variance(self) -> float | None:
        """Variance that forecasts return to; None when shocks never fade."""
        fading = 1.0 - self.persistence
        return self.omega / fading if fading > 1e-9 and self.omega > 0.0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredVariance:
    """What a fit says about the returns it is laid over.

    Parameters
    ----------
    variances : ndarray of shape (n,)
        Element t is the variance of return t given the returns before it.
    residuals : ndarray of shape (n,)
        ``(r - mu) / sqrt(variances)``.
    next_variance : float
        Variance of the first return after the last one given.
    """

    variances: FloatArray
    residuals: FloatArray
    next_variance: float


def fit_garch(
    returns: ArrayLike,
    innovations: Innovations = Innovations.STUDENT_T,
    *,
    leverage: bool = False,
    warm_start: GarchFit | None = None,
) -> GarchFit:
    """Return the maximum-likelihood GARCH(1,1) of `returns`, or RiskMetrics' parameters with the reason.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 250
        Returns per step, fractions, oldest first.
    innovations : Innovations
        Law of the shocks.
    leverage : bool
        Let falls raise the variance more than rises do (GJR).
    warm_start : GarchFit, optional
        An earlier fit to begin at: several times faster. One that did not converge is not used.

    Raises
    ------
    NotEnoughDataError
        Fewer than 250 returns, or none that differs.
    InvalidValueError
        A return that is not finite.

    References
    ----------
    Bollerslev: A conditionally heteroskedastic time series model. Review of Economics and Statistics 69 (1987).
    Glosten, Jagannathan, Runkle: On the relation between the expected value and the volatility of the nominal excess
    return on stocks. J. Finance 48 (1993). Hansen: Autoregressive conditional density estimation. Int. Economic Review
    35 (1994).
    """
    r = varied_returns(returns, LEAST)
    scale = float(r.std())
    begin = _begin(warm_start, scale, innovations, leverage)
    try:
        parameters, loglik, flag = _by_library(r / scale, innovations, leverage, begin)
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        return ewma_fit(r, f"the library failed ({error}); EWMA 0.94 stands in")
    if flag != 0 or not np.isfinite([*parameters, loglik]).all():
        return ewma_fit(r, f"the optimiser stopped early (flag {flag}); EWMA 0.94 stands in")
    return _as_fit(parameters, scale, leverage, loglik, int(r.size))


def ewma_fit(returns: ArrayLike, note: str = "EWMA 0.94, not estimated") -> GarchFit:
    """Return RiskMetrics' parameters in GARCH's form: mean 0, omega 0, alpha 0.06, beta 0.94.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 20

    Notes
    -----
    It is what stands in when a fit fails or history is short; `converged` is False.
    """
    r = varied_returns(returns, EWMA_SEED)
    fit = GarchFit(
        mu=0.0, omega=0.0, alpha=1.0 - EWMA_LAMBDA, beta=EWMA_LAMBDA,
        loglik=0.0, n=int(r.size), converged=False, note=note,
    )  # fmt: skip
    h = filter_variance(r, fit).variances
    density = np.log(2.0 * math.pi * 1e4 * h) + r * r / h
    return replace(fit, loglik=-0.5 * float(density.sum()))


def filter_variance(
    returns: ArrayLike, fit: GarchFit, first_variance: float | None = None
) -> FilteredVariance:
    """Return the variances, the next one and the standardised residuals of `returns` under `fit`.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 1
        They need not be those of the fit.
    first_variance : float, optional
        Variance of the first return, such as an earlier `next_variance`; without it the weighted mean of the first 75
        squared shocks is carried one step on, as the library does.

    Raises
    ------
    InvalidValueError
        A first variance that is not positive, returns that leave none, or parameters that are not finite.
    """
    r = as_series("returns", returns, 1)
    parameters = garch_parameters(fit)
    start = _start(r - fit.mu, fit) if first_variance is None else first_variance
    if not (math.isfinite(start) and start > 0.0):
        raise must("first_variance", "be finite and positive", start, "pass returns that move")
    variances = np.empty(r.size)
    following = _recursion(r, parameters, start, variances)
    return FilteredVariance(
        variances=variances,
        residuals=(r - fit.mu) / np.sqrt(variances),
        next_variance=float(following),
    )


def forecast_variances(fit: GarchFit, next_variance: float, n_steps: int) -> FloatArray:
    """Return the expected variance of each of the next `n_steps` returns, the first being `next_variance`.

    Returns
    -------
    ndarray of shape (n_steps,)
    """
    result = np.empty(n_steps)
    h = next_variance
    for t in range(n_steps):
        result[t] = h
        h = fit.omega + fit.persistence * h
    return result


def garch_parameters(fit: GarchFit) -> FloatArray:
    """Return (mu, omega, alpha, gamma, beta), the form that compiled loops take.

    Raises
    ------
    InvalidValueError
        One that is not finite, or a negative weight.
    """
    weights = (fit.omega, fit.alpha, fit.alpha + fit.gamma, fit.beta)
    values = np.array([fit.mu, fit.omega, fit.alpha, fit.gamma, fit.beta])
    if not np.isfinite(values).all() or min(weights) < 0.0:
        raise must("fit", "have finite parameters and weights from 0", fit, "fit it again")
    return values


@compiled()
def _recursion(r: FloatArray, parameters: FloatArray, start: float, variances: FloatArray) -> float:
    """Fill `variances` of shape (n,) and return the variance that follows."""
    mu, omega, alpha, gamma, beta = parameters
    h = start
    for t in range(r.size):
        variances[t] = h
        e = r[t] - mu
        weight = alpha + gamma if e < 0.0 else alpha
        # an EWMA (omega 0) over returns of exactly zero would end where nothing can be divided by
        h = max(omega + weight * e * e + beta * h, 1e-24)
    return h


def _start(shocks: FloatArray, fit: GarchFit) -> float:
    part = shocks[:_BACKCAST]
    weights = EWMA_LAMBDA ** np.arange(part.size)
    backcast = float(weights @ (part * part) / weights.sum())
    return fit.omega + fit.persistence * (backcast or float(np.mean(shocks * shocks)))


def varied_returns(returns: ArrayLike, need: int) -> FloatArray:
    """Return `returns` as a series of at least `need` that has a deviation; see `as_series` for the errors."""
    r = as_series("returns", returns, need)
    largest = float(np.abs(r).max())
    if largest > _LARGEST:
        raise must("returns", "be fractions within a million", largest, "divide prices")
    if not r.std() > 1e-12 * largest:
        raise NotEnoughDataError(
            f"returns must have two values that differ, was n = {r.size} without; wait for more bars"
        )
    return r


def _by_library(
    scaled: FloatArray, innovations: Innovations, leverage: bool, begin: FloatArray | None
) -> tuple[FloatArray, float, int]:
    """Return the library's parameters, log likelihood and convergence flag for returns of unit deviation."""
    # imported here: with scipy.stats and statsmodels it takes two seconds, and few processes fit anything
    from arch.univariate import GARCH, ConstantMean, Distribution, Normal, SkewStudent, StudentsT

    laws: dict[Innovations, Callable[[], Distribution]] = {
        Innovations.NORMAL: Normal,
        Innovations.STUDENT_T: StudentsT,
        Innovations.SKEWED_T: SkewStudent,
    }
    model = ConstantMean(
        scaled,
        rescale=False,
        volatility=GARCH(1, int(leverage), 1),
        distribution=laws[innovations](),
    )
    result = model.fit(disp="off", show_warning=False, starting_values=begin)
    return np.asarray(result.params), float(result.loglikelihood), int(result.convergence_flag)


def _begin(
    fit: GarchFit | None, scale: float, innovations: Innovations, leverage: bool
) -> FloatArray | None:
    """Return an earlier fit in the library's order, inside its bounds; None where there is none to begin at."""
    if fit is None or not fit.converged:
        return None
    weights = np.clip([fit.alpha, fit.gamma, fit.beta], 1e-4, 0.99)
    if not leverage:
        weights = weights[[0, 2]]
    weights *= min(1.0, 0.995 / float(weights.sum()))
    omega = max(fit.omega / scale**2, 1e-5)
    shapes = [min(max(fit.nu or 8.0, 2.1), 300.0), fit.skew or 0.0][: _N_SHAPES[innovations]]
    return np.array([fit.mu / scale, omega, *weights, *shapes])


def _as_fit(
    parameters: FloatArray,
    scale: float,
    leverage: bool,
    loglik: float,
    n: int,
) -> GarchFit:
    mu, omega, alpha, *rest = (float(p) for p in parameters)
    gamma = rest.pop(0) if leverage else 0.0
    alpha = alpha if alpha > _AT_BOUND else 0.0
    gamma = max(gamma, -alpha) if abs(gamma) > _AT_BOUND else 0.0
    beta, *shapes = rest
    nu, skew = (*shapes, None, None)[:2]
    return GarchFit(
        mu=mu * scale, omega=max(omega, 0.0) * scale**2, alpha=alpha, gamma=gamma, beta=beta,
        nu=nu, skew=skew, loglik=loglik - n * math.log(100.0 * scale), n=n,
    )  # fmt: skip
