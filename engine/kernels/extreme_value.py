"""Losses beyond those seen often: a generalised Pareto law fitted to what exceeds a threshold.

Losses are positive. Body and tail stay apart: the sample speaks up to the threshold, the law beyond it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import NotEnoughDataError, must
from engine.kernels.filtered_simulation import shock_pool
from engine.kernels.series import FloatArray, as_count, as_fraction, as_series

LEAST_EXCEEDANCES = 20
POOL_SIZE = 16_384
"""Shocks in an extended pool: 16 lie beyond the 99.9 % quantile on each side."""
_HEAVIEST = 0.9
"""A shape beyond this says that the mean of the tail is not known from the sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoTail:
    """Law of losses beyond a threshold: ``P(loss > x | loss > u) = (1 + xi (x - u) / beta)^(-1 / xi)``.

    Parameters
    ----------
    threshold : float
        u, a loss.
    xi, beta : float
        Shape (0 is exponential, larger is heavier) and scale.
    n_exceedances, n : int
        Losses above the threshold, and losses in all.
    note : str
        Why the tail is exponential where the fit could not be used; else empty.
    """

    threshold: float
    xi: float
    beta: float
    n_exceedances: int
    n: int
    note: str = ""

    @property
    def tail_share(self) -> float:
        """Share of losses that exceed the threshold: the law speaks for confidences above 1 minus it."""
        return self.n_exceedances / self.n

    def value_at_risk(self, confidence: float) -> float:
        """Return the loss that is exceeded with chance ``1 - confidence``.

        Raises
        ------
        InvalidValueError
            A confidence below the threshold's: there the sample answers, not the law.
        """
        rest = (1.0 - as_fraction("confidence", confidence)) / self.tail_share
        if rest > 1.0 + 1e-9:
            raise must(
                "confidence", f"be at least {1 - self.tail_share:.4f}", confidence, "ask the sample"
            )
        return self.threshold + float(_excess(np.array([min(rest, 1.0)]), self.xi, self.beta)[0])

    def expected_shortfall(self, confidence: float) -> float | None:
        """Return the mean loss beyond the value at risk; None when the shape is 1 or more, where there is none.

        References
        ----------
        McNeil, Frey: Estimation of tail-related risk measures for heteroscedastic financial time series. J. Empirical
        Finance 7 (2000).
        """
        if self.xi >= 1.0:
            return None
        loss = self.value_at_risk(confidence)
        return loss + (self.beta + self.xi * (loss - self.threshold)) / (1.0 - self.xi)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedPool:
    """Shocks whose two tails follow Pareto laws: evenly spaced quantiles, so that no draw is needed to make it.

    Parameters
    ----------
    shocks : ndarray of shape (n_pool,)
        Ascending, mean 0, deviation 1.
    lower, upper : ParetoTail
        Laws of falls and rises, in the units of the residuals given.
    """

    shocks: FloatArray
    lower: ParetoTail
    upper: ParetoTail


def fit_tail(losses: ArrayLike, threshold_level: float = 0.95) -> ParetoTail:
    """Return the generalised Pareto law of the losses above their `threshold_level` quantile.

    Parameters
    ----------
    losses : array_like of shape (n,)
        Positive where money is lost; the threshold is the linearly interpolated quantile.

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 losses exceed the threshold: 400 losses are the least at 0.95.

    References
    ----------
    Pickands: Statistical inference using extreme order statistics. Annals of Statistics 3 (1975).
    """
    x = as_series("losses", losses, LEAST_EXCEEDANCES)
    threshold = float(np.quantile(x, as_fraction("threshold_level", threshold_level)))
    excess = x[x > threshold] - threshold
    if excess.size < LEAST_EXCEEDANCES:
        raise NotEnoughDataError(
            f"losses must have at least {LEAST_EXCEEDANCES} above their {threshold_level} quantile, was "
            f"{excess.size}; wait for more bars"
        )
    scale = float(excess.mean())
    # imported here: scipy.stats takes a second, and few processes fit anything
    from scipy.stats import genpareto

    xi, _, beta = (float(p) for p in genpareto.fit(excess / scale, floc=0))
    if not (math.isfinite(xi) and math.isfinite(beta) and beta > 0.0 and xi < _HEAVIEST):
        note = f"the fitted shape {xi:.2f} has no usable mean; an exponential tail stands in"
        return ParetoTail(
            threshold=threshold, xi=0.0, beta=scale, n_exceedances=excess.size, n=x.size, note=note
        )
    return ParetoTail(
        threshold=threshold, xi=xi, beta=beta * scale, n_exceedances=excess.size, n=x.size
    )


def extended_pool(
    residuals: ArrayLike, threshold_level: float = 0.95, n_pool: int = POOL_SIZE
) -> ExtendedPool:
    """Return a pool that can hold larger shocks than any that was seen.

    Parameters
    ----------
    residuals : array_like of shape (n,), n >= 400 at 0.95
        Standardised residuals.
    threshold_level : float
        Quantile, above one half, where the laws take over on either side.

    Raises
    ------
    NotEnoughDataError
        A side with fewer than 20 residuals beyond its threshold.
    """
    z = as_series("residuals", residuals, LEAST_EXCEEDANCES)
    if not threshold_level > 0.5:
        raise must("threshold_level", "be above one half", threshold_level, "try 0.95")
    lower, upper = fit_tail(-z, threshold_level), fit_tail(z, threshold_level)
    chances = (np.arange(as_count("n_pool", n_pool, 20)) + 0.5) / n_pool
    shocks = np.quantile(z, chances)
    falls, rises = chances < lower.tail_share, 1.0 - chances < upper.tail_share
    shocks[falls] = -lower.threshold - _excess(
        chances[falls] / lower.tail_share, lower.xi, lower.beta
    )
    rest = (1.0 - chances[rises]) / upper.tail_share
    shocks[rises] = upper.threshold + _excess(rest, upper.xi, upper.beta)
    return ExtendedPool(shocks=shock_pool(shocks), lower=lower, upper=upper)


def _excess(rest: FloatArray, xi: float, beta: float) -> FloatArray:
    """Return what is exceeded with the chances `rest`; expm1 keeps small shapes exact."""
    logs = -np.log(rest)
    result: FloatArray = beta * logs if abs(xi) < 1e-12 else beta * np.expm1(xi * logs) / xi
    return result
