"""Forecasts made again in the past, one origin after the other, and settled with what came: without look-ahead.

Forecasts and outcomes are log returns over the horizon, ``ln(close[origin + horizon] / close[origin])``; origins are
places in the row of closes. A forecaster is called in time order with a copy of the closes up to its origin.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.domain.errors import NotEnoughDataError, must
from engine.kernels import calibration, scoring, var_backtests
from engine.kernels.returns import log_returns
from engine.kernels.series import FloatArray, as_count, as_prices
from engine.kernels.volatility import EWMA_SEED, ewma_sigmas, ewma_volatility

VAR_CONFIDENCE = 0.99
_VAR_LEVEL = int(np.flatnonzero(scoring.LEVELS == 0.01)[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalLaw:
    """A forecast that is normal; scored in closed form, without the noise of draws."""

    mean: float
    sigma: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLaw:
    """A forecast that is a sample: `draws`, ndarray of shape (m,)."""

    draws: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileLaw:
    """A forecast known by its `quantiles` at `QUANTILE_LEVELS`, ndarray of shape (27,)."""

    quantiles: FloatArray


Law = NormalLaw | SampleLaw | QuantileLaw
Forecaster = Callable[[FloatArray, int], Law]
"""Closes up to the origin, oldest first and read-only, and the horizon in bars; to the law of the log return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkPlan:
    """Where forecasts are made.

    Parameters
    ----------
    first : int
        First origin, a place in the row of closes; with a window, at least `window`.
    horizon, step : int
        Bars that a forecast looks ahead, and bars between two origins.
    window : int or None
        Returns that a forecaster is handed, thus window + 1 closes; None hands over everything up to the origin.
    """

    first: int
    horizon: int = 1
    step: int = 1
    window: int | None = None

    def origins(self, n_closes: int) -> range:
        """Return the origins whose horizon ends within `n_closes` closes.

        Raises
        ------
        NotEnoughDataError
            There is none.
        """
        as_count("horizon", self.horizon)
        as_count("step", self.step)
        as_count("first", self.first, 1 if self.window is None else as_count("window", self.window))
        found = range(self.first, n_closes - self.horizon, self.step)
        if not found:
            need = self.first + self.horizon + 1
            raise NotEnoughDataError(
                f"closes must have at least {need} observations, was n = {n_closes}; start earlier"
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledForecasts:
    """Forecasts of one level beside what came; all arrays have one row per forecast, oldest first.

    Parameters
    ----------
    plan : WalkPlan
    origins : ndarray of shape (n,), int
    outcomes, pits, crps : ndarray of shape (n,)
    quantiles : ndarray of shape (n, 27)
    terciles : ndarray of shape (n,), int
        Prior volatility at the origin: 0 calm, 1 usual, 2 wild, -1 not known yet; the same for every level.
    """

    plan: WalkPlan
    origins: NDArray[np.int_]
    outcomes: FloatArray
    quantiles: FloatArray
    pits: FloatArray
    crps: FloatArray
    terciles: NDArray[np.int_]


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkReport:
    """One line of the report: how one level did.

    Parameters
    ----------
    n, n_apart : int
        Forecasts, and those of them that don't overlap.
    coverage, by_tercile
        Shares of all forecasts; their intervals hold where ``n_apart == n``. By tercile: the 90 % band.
    coverage_apart, grade, pit, value_at_risk
        From the forecasts that don't overlap, so that intervals and p-values hold.
    exceptions : int
        Outcomes below the 1 % quantile, among all.
    independence, exception_independence : LikelihoodRatio or None
        Of the misses of the 90 % band and of the exceptions, forecasts apart; None where they say nothing.
    pit_distance : float
        Kolmogorov–Smirnov distance over all forecasts.
    crps : float
        Mean, in log returns.
    relative_crps : float or None
        CRPS over the base's, less 1: -0.07 is 7 % better. None without a base.
    diebold_mariano : DieboldMariano or None
        Against the base; None without one, or for the base itself.
    """

    n: int
    n_apart: int
    coverage: tuple[calibration.BandCoverage, ...]
    coverage_apart: tuple[calibration.BandCoverage, ...]
    by_tercile: tuple[calibration.BandCoverage | None, ...]
    grade: calibration.Grade
    exceptions: int
    value_at_risk: var_backtests.Kupiec
    independence: var_backtests.LikelihoodRatio | None
    exception_independence: var_backtests.LikelihoodRatio | None
    pit: calibration.PitDistance
    pit_distance: float
    crps: float
    relative_crps: float | None
    diebold_mariano: calibration.DieboldMariano | None


def gbm_law(closes: FloatArray, horizon: int) -> NormalLaw:
    """Return level 1 in closed form: mean and deviation (ddof=1) of the log returns handed over."""
    r = log_returns(closes)
    sigma = float(r.std(ddof=1))
    return NormalLaw(mean=float(r.mean()) * horizon, sigma=sigma * math.sqrt(horizon))


def ewma_law(closes: FloatArray, horizon: int) -> NormalLaw:
    """Return a normal law of mean zero with the RiskMetrics volatility of the log returns handed over."""
    return NormalLaw(mean=0.0, sigma=ewma_volatility(log_returns(closes)) * math.sqrt(horizon))


def forecasts(closes: ArrayLike, plan: WalkPlan, forecaster: Forecaster) -> Iterator[Law]:
    """Yield the law of each origin of the plan, in time order.

    Parameters
    ----------
    closes : array_like of shape (n,)
        Positive closes, oldest first.

    Notes
    -----
    What the forecaster is handed is a copy that ends at the origin: there is no array behind it that goes on. It may
    remember earlier calls; the closes that it is handed settle its own earlier forecasts.
    """
    prices = as_prices("closes", closes)
    for origin in plan.origins(prices.size):
        first = 0 if plan.window is None else origin - plan.window
        history = prices[first : origin + 1].copy()
        history.setflags(write=False)
        yield forecaster(history, plan.horizon)


def settle(closes: ArrayLike, plan: WalkPlan, laws: Iterable[Law]) -> SettledForecasts:
    """Return the laws scored with what came.

    Parameters
    ----------
    closes : array_like of shape (n,)
    laws : iterable of Law
        One per origin of the plan, as `forecasts` yields them.
    """
    prices = as_prices("closes", closes)
    origins = np.asarray(plan.origins(prices.size))
    logs = np.log(prices)
    outcomes = logs[origins + plan.horizon] - logs[origins]
    made = list(laws)
    if len(made) != origins.size:
        raise must("laws", f"be {origins.size}", len(made), "make one forecast per origin")
    quantiles = np.stack([_quantiles(law) for law in made])
    pits = scoring.pit_quantiles(quantiles, outcomes)
    crps = scoring.crps_quantiles(quantiles, outcomes)
    for i, law in enumerate(made):
        exact = _exact_scores(law, outcomes[i : i + 1])
        if exact is not None:
            pits[i], crps[i] = exact
    settled = SettledForecasts(
        plan=plan, origins=origins, outcomes=outcomes, quantiles=quantiles, pits=pits, crps=crps,
        terciles=_terciles(logs)[origins],
    )  # fmt: skip
    for array in (origins, outcomes, quantiles, pits, crps, settled.terciles):
        array.setflags(write=False)
    return settled


def walk_forward(closes: ArrayLike, plan: WalkPlan, forecaster: Forecaster) -> SettledForecasts:
    """Return the settled forecasts of one forecaster over the whole plan."""
    return settle(closes, plan, forecasts(closes, plan, forecaster))


def report(settled: SettledForecasts, base: SettledForecasts | None = None) -> WalkReport:
    """Return how the forecasts did, against `base` (level 1 at the same origins) where one is given."""
    apart = slice(None, None, calibration.spacing(settled.plan.horizon, settled.plan.step))
    pits = settled.pits[apart]
    hits = settled.outcomes < settled.quantiles[:, _VAR_LEVEL]
    relative, comparison = (None, None) if base is None else _compared(settled, base)
    return WalkReport(
        n=int(settled.origins.size),
        n_apart=int(pits.size),
        coverage=calibration.coverage(settled.pits),
        coverage_apart=calibration.coverage(pits),
        by_tercile=calibration.coverage_by_tercile(settled.pits, settled.terciles),
        grade=calibration.grade(pits),
        exceptions=int(hits.sum()),
        value_at_risk=var_backtests.kupiec(
            int(pits.size), int(hits[apart].sum()), 1.0 - VAR_CONFIDENCE
        ),
        independence=_independence(np.abs(pits - 0.5) > 0.45 + 1e-9, 0.10),
        exception_independence=_independence(hits[apart], 1.0 - VAR_CONFIDENCE),
        pit=calibration.pit_distance(pits),
        pit_distance=calibration.pit_distance(settled.pits).distance,
        crps=float(settled.crps.mean()),
        relative_crps=relative,
        diebold_mariano=comparison,
    )


def _compared(
    settled: SettledForecasts, base: SettledForecasts
) -> tuple[float, calibration.DieboldMariano | None]:
    if settled.plan.horizon != base.plan.horizon or not np.array_equal(
        settled.origins, base.origins
    ):
        raise must("base", "have the same origins and horizon", base.plan, "walk the same plan")
    overlap = calibration.spacing(settled.plan.horizon, settled.plan.step)
    relative = 0.0 - calibration.skill(settled.crps, base.crps)
    try:
        return relative, calibration.diebold_mariano(settled.crps, base.crps, overlap)
    except NotEnoughDataError:
        return relative, None


def _independence(
    hits: NDArray[np.bool_], probability: float
) -> var_backtests.LikelihoodRatio | None:
    if hits.size < 2:
        return None
    return var_backtests.christoffersen(hits, probability).independence


def _quantiles(law: Law) -> FloatArray:
    match law:
        case NormalLaw():
            return law.mean + law.sigma * scoring.LEVEL_SCORES
        case SampleLaw():
            result: FloatArray = np.quantile(law.draws, scoring.LEVELS)
            return result
        case QuantileLaw():
            return law.quantiles


def _exact_scores(law: Law, outcome: FloatArray) -> tuple[float, float] | None:
    """Return PIT and CRPS where the law is known better than by its quantiles."""
    match law:
        case NormalLaw() if law.sigma > 0.0:
            mean, sigma = [law.mean], [law.sigma]
            pit = scoring.pit_normal(mean, sigma, outcome)
            return float(pit[0]), float(scoring.crps_normal(mean, sigma, outcome)[0])
        case SampleLaw():
            rows = law.draws[None, :]
            pit = scoring.pit_sample(rows, outcome)
            return float(pit[0]), float(scoring.crps_sample(rows, outcome)[0])
        case _:
            return None


def _terciles(log_closes: FloatArray) -> NDArray[np.int_]:
    """Return the tercile of the RiskMetrics volatility known at each close, shape (n_closes,)."""
    result = np.full(log_closes.size, -1)
    if log_closes.size > EWMA_SEED:
        # before the seed is complete the recursion knows returns that are still to come
        known = ewma_sigmas(np.diff(log_closes))[EWMA_SEED - 1 :]
        result[EWMA_SEED:] = calibration.volatility_terciles(known)
    return result
