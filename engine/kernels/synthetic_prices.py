"""Made-up prices with the manners of real ones: fat tails, volatility in clusters, common movement, jumps.

Time runs in ticks. Log prices and variances have one column per asset; variances are of the log return of one tick.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GarchJump:
    """A GARCH(1, 1) with Student innovations, one common factor and jumps.

    Parameters
    ----------
    variance : ndarray of shape (n_assets,)
        Long-run variance of a tick's log return, jumps included.
    loading : ndarray of shape (n_assets,)
        Correlation of each asset with the common factor; two assets correlate by the product of theirs.
    drift : float
        Expected simple return of a tick.
    alpha, beta : float
        Weight of the last squared shock and of the last variance; their sum is below 1.
    degrees : float
        Degrees of freedom of the innovations, above 4.
    own_jumps, common_jumps : float
        Expected jumps per tick, of one asset and of all at once.
    jump_size : float
        Standard deviation of a jump, in standard deviations of a tick.
    """

    variance: Floats
    loading: Floats
    drift: float = 0.0
    alpha: float = 0.0085
    beta: float = 0.9912
    degrees: float = 6.0
    own_jumps: float = 0.0
    common_jumps: float = 0.0
    jump_size: float = 0.0


def simulate_ticks(
    model: GarchJump,
    log_price: Floats,
    variance_ratio: Floats,
    n_steps: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Return log prices after each of the next ticks, and the variances that led to them.

    Parameters
    ----------
    model : GarchJump
        What to simulate.
    log_price : ndarray of shape (n_assets,)
        Where the assets stand.
    variance_ratio : ndarray of shape (n_assets,)
        Conditional variance of the next tick over its long-run value.
    n_steps : int
        Ticks to simulate; some ten thousand at most at once, or the products below leave the range of floats.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    log_prices : ndarray of shape (n_steps, n_assets)
        Log prices.
    variance_ratios : ndarray of shape (n_steps + 1, n_assets)
        Conditional variances over the long-run value; the last row is for the tick after the last.

    Notes
    -----
    The recursion ``h[t+1] = omega + (alpha z[t]^2 + beta) h[t]`` is linear in ``h`` once ``z`` is drawn, so cumulative
    products solve it. Jumps take their share of the long-run variance and do not feed back into it.

    References
    ----------
    Bollerslev (1987), "A conditionally heteroskedastic time series model for speculative prices and rates of return".
    """
    n_assets = len(log_price)
    shocks = _student_shocks(model, n_steps, n_assets, rng)
    ratios = _variance_ratios(model, variance_ratio, shocks)
    jump_rate = model.own_jumps + model.common_jumps
    diffusive = model.variance / (1 + jump_rate * model.jump_size**2)
    sigma = np.sqrt(diffusive * ratios[:-1])
    jumps = _jumps(model, n_steps, n_assets, rng) * np.sqrt(diffusive)
    steps = np.log1p(model.drift) - sigma**2 / 2 + sigma * shocks + jumps
    return log_price + np.cumsum(steps, axis=0), ratios


def _student_shocks(
    model: GarchJump, n_steps: int, n_assets: int, rng: np.random.Generator
) -> Floats:
    """Return multivariate Student innovations of unit variance: bad moments are bad for all at once."""
    factor = rng.standard_normal((n_steps, 1))
    own = rng.standard_normal((n_steps, n_assets))
    mixing = np.sqrt((model.degrees - 2) / rng.chisquare(model.degrees, (n_steps, 1)))
    shocks: Floats = (model.loading * factor + np.sqrt(1 - model.loading**2) * own) * mixing
    return shocks


def _variance_ratios(model: GarchJump, first: Floats, shocks: Floats) -> Floats:
    growth = np.cumprod(model.alpha * shocks**2 + model.beta, axis=0)
    omega = 1 - model.alpha - model.beta
    later = growth * (first + omega * np.cumsum(1 / growth, axis=0))
    return np.vstack([first, later])


def _jumps(model: GarchJump, n_steps: int, n_assets: int, rng: np.random.Generator) -> Floats:
    """Return the jumps, in standard deviations of a tick; most are zero, so only the others are drawn."""
    jumps = np.zeros((n_steps, n_assets))
    for _ in range(rng.poisson(model.own_jumps * n_steps * n_assets)):
        jumps[rng.integers(n_steps), rng.integers(n_assets)] += rng.normal(0.0, model.jump_size)
    for _ in range(rng.poisson(model.common_jumps * n_steps)):
        jumps[rng.integers(n_steps)] += rng.normal(0.0, model.jump_size)
    return jumps
