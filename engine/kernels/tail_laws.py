"""Laws of returns with closed tails: Student's t, the Cornish–Fisher expansion and Merton's jumps.

Losses are positive. A law that does not hold for the sample says so instead of giving a number.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.kernels.garch import varied_returns
from engine.kernels.moments import excess_kurtosis, skewness
from engine.kernels.series import as_fraction, as_series

LEAST = 20
"""Returns below which three parameters are not worth estimating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentT:
    """Student's t moved by `location` and stretched by `scale`; `nu` degrees of freedom, from `n` returns."""

    nu: float
    location: float
    scale: float
    n: int

    def value_at_risk(self, confidence: float) -> float:
        """Return the loss that is exceeded with chance ``1 - confidence``."""
        alpha = 1.0 - as_fraction("confidence", confidence)
        return -(self.location + self.scale * _t_quantile(alpha, self.nu)) + 0.0

    def expected_shortfall(self, confidence: float) -> float | None:
        """Return the mean loss beyond the value at risk; None when nu is 1 or less, where there is none."""
        if self.nu <= 1.0:
            return None
        alpha = 1.0 - as_fraction("confidence", confidence)
        q = _t_quantile(alpha, self.nu)
        beyond = _t_density(q, self.nu) / alpha * (self.nu + q * q) / (self.nu - 1.0)
        return -self.location + self.scale * beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class CornishFisher:
    """Value at risk by the expansion, or None and the reason."""

    value_at_risk: float | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpDiffusion:
    """Merton's law: a diffusion, and jumps whose log size is normal; time is in years.

    Parameters
    ----------
    growth : float
        Rate at which the expected price grows, jumps included.
    sigma : float
        Volatility between jumps.
    jumps_per_year, jump_mean, jump_sigma : float
        How often, and mean and deviation of the log size.
    """

    growth: float
    sigma: float
    jumps_per_year: float
    jump_mean: float
    jump_sigma: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpMoments:
    """What Merton's law says of the log return over some years."""

    mean: float
    variance: float
    skewness: float
    excess_kurtosis: float
    expected_growth: float
    probability_no_jump: float


def fit_student_t(returns: ArrayLike) -> StudentT:
    """Return the maximum-likelihood Student's t of `returns`.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 20

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 returns, or none that differs.
    """
    r = varied_returns(returns, LEAST)
    middle, spread = float(np.median(r)), float(r.std())
    # imported here: scipy.stats takes a second, and few processes fit anything
    from scipy.stats import t

    nu, location, scale = t.fit((r - middle) / spread)
    return StudentT(
        nu=float(nu),
        location=middle + spread * float(location),
        scale=spread * float(scale),
        n=int(r.size),
    )


def unit_t_quantile(level: float, nu: float) -> float:
    """Return the quantile of Student's t of variance 1.

    Parameters
    ----------
    nu : float
        Degrees of freedom, above 2: the variance is infinite below.
    """
    if not nu > 2.0:
        raise must("nu", "be above 2", nu, "use a law without a variance of 1")
    return _t_quantile(as_fraction("level", level), nu) * math.sqrt((nu - 2.0) / nu)


def cornish_fisher_value_at_risk(returns: ArrayLike, confidence: float = 0.95) -> CornishFisher:
    """Return the value at risk of a normal law corrected for skewness and kurtosis, where the correction holds.

    Parameters
    ----------
    returns : array_like of shape (n,), n >= 20

    References
    ----------
    Cornish, Fisher: Moments and cumulants in the specification of distributions (1938). Maillard: A user's guide to the
    Cornish Fisher expansion (2012), for the domain.
    """
    r = varied_returns(as_series("returns", returns, LEAST), LEAST)
    s, k = skewness(r), excess_kurtosis(r)
    z = NormalDist().inv_cdf(1.0 - as_fraction("confidence", confidence))
    if not is_monotone(s, k):
        return CornishFisher(
            value_at_risk=None,
            note=f"skewness {s:.2f} and excess kurtosis {k:.2f} lie outside the domain where quantiles stay in order",
        )
    return CornishFisher(value_at_risk=-float(r.mean() + expansion(z, s, k) * r.std(ddof=1)) + 0.0)


def expansion(z: float, skew: float, kurtosis: float) -> float:
    """Return the fourth-order Cornish–Fisher quantile for the normal quantile `z`; kurtosis is the excess."""
    return (
        z
        + (z**2 - 1.0) * skew / 6.0
        + (z**3 - 3.0 * z) * kurtosis / 24.0
        - (2.0 * z**3 - 5.0 * z) * skew**2 / 36.0
    )


def is_monotone(skew: float, kurtosis: float) -> bool:
    """Tell whether the expansion rises everywhere, so that a higher quantile is never a lower value."""
    # its derivative is the quadratic a z^2 + b z + c
    a = kurtosis / 8.0 - skew**2 / 6.0
    b = skew / 3.0
    c = 1.0 - kurtosis / 8.0 + 5.0 * skew**2 / 36.0
    return a >= 0.0 and c >= 0.0 and b * b <= 4.0 * a * c


def jump_moments(law: JumpDiffusion, years: float) -> JumpMoments:
    """Return moments of the log return over `years`.

    References
    ----------
    Merton: Option pricing when underlying stock returns are discontinuous. J. Financial Economics 3 (1976).
    """
    m, d = law.jump_mean, law.jump_sigma
    rate = law.jumps_per_year * years
    compensation = math.expm1(m + d * d / 2.0)
    variance = law.sigma**2 * years + rate * (m * m + d * d)
    if not (math.isfinite(variance) and variance > 0.0):
        raise must("law", "have a finite positive variance", law, "give it a volatility")
    return JumpMoments(
        mean=(law.growth - law.sigma**2 / 2.0) * years + rate * (m - compensation),
        variance=variance,
        skewness=rate * (m**3 + 3.0 * m * d * d) / variance**1.5,
        excess_kurtosis=rate * (m**4 + 6.0 * m * m * d * d + 3.0 * d**4) / variance**2,
        expected_growth=math.exp(law.growth * years),
        probability_no_jump=math.exp(-rate),
    )


def _t_quantile(level: float, nu: float) -> float:
    # imported here: few processes ask for it
    from scipy.special import stdtrit

    return float(stdtrit(nu, level))


def _t_density(x: float, nu: float) -> float:
    logs = math.lgamma((nu + 1.0) / 2.0) - math.lgamma(nu / 2.0) - math.log(nu * math.pi) / 2.0
    return math.exp(logs - (nu + 1.0) / 2.0 * math.log1p(x * x / nu))
