"""Level 3, the parts that learn: experts weighed by their scores, one conformal scale, a small bias term.

Quantiles are of log returns over the horizon. There is one state per symbol and horizon; it is frozen, and only a
settled forecast (one whose horizon has passed) gives a new one.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from engine.domain.errors import InvalidValueError, must
from engine.kernels.scoring import LEVEL_SCORES, LEVELS, as_quantiles, crps_quantiles
from engine.kernels.series import FloatArray, as_count, as_fraction, check_rows

_LOW, _MEDIAN, _HIGH = (int(np.flatnonzero(np.isclose(LEVELS, p))[0]) for p in (0.05, 0.5, 0.95))
_UNIT = 2.0 * float(LEVEL_SCORES[_HIGH])
_WILD = 3.0
"""Deviations at which a miss of the median counts no further for the bias."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveSettings:
    """How fast level 3 learns.

    Parameters
    ----------
    learning_rate : float
        Eta of ``weight = exp(-eta x sum of relative CRPS)``: at 0.5 and the memory below an expert that is always
        1 % better comes to e times the weight; after 200 forecasts that don't overlap it has 1.9 times.
    memory : float
        What is left of a score's influence after each settled forecast that doesn't overlap the one before.
    scale_rate : float
        Step of the log of the scale per settled forecast: up by 0.9 of it after a miss of the 90 % band, down by 0.1.
        Divided by the root of the horizon, because forecasts that overlap miss together.
    target_miss : float
        Share of outcomes outside the 90 % band at which the scale comes to rest.
    scale_bound : float
        The scale stays between this and its inverse.
    bias_prior : float
        Forecasts apart without bias that are put in front of those seen: shrinks the bias to 0.
    bias_cap : float
        Largest bias, in forecast deviations.
    """

    learning_rate: float = 0.5
    memory: float = 0.995
    scale_rate: float = 0.02
    target_miss: float = 0.10
    scale_bound: float = 2.0
    bias_prior: float = 250.0
    bias_cap: float = 0.10

    def __post_init__(self) -> None:
        """Refuse what cannot be learned with."""
        as_fraction("memory", self.memory)
        as_fraction("target_miss", self.target_miss)
        for name in ("learning_rate", "scale_rate", "bias_prior", "bias_cap"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise must(name, "be finite and not negative", value, "give 0 to switch it off")
        if not 1.0 <= self.scale_bound < math.inf:
            raise must("scale_bound", "be at least 1", self.scale_bound, "give 1 to hold the scale")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveState:
    """What was learned from settled forecasts of one symbol at one horizon.

    Parameters
    ----------
    last_origin : int or None
        Origin of the last forecast that was learned from.
    n : int
        Settled forecasts.
    losses : tuple of float
        Discounted sum of each expert's CRPS.
    weight_of_past : float
        Discounted number of forecasts.
    log_scale : float
    error_sum : float
        Discounted sum of misses of the median, in forecast deviations.
    """

    symbol: str
    horizon: int
    settings: AdaptiveSettings
    losses: tuple[float, ...]
    last_origin: int | None = None
    n: int = 0
    weight_of_past: float = 0.0
    log_scale: float = 0.0
    error_sum: float = 0.0

    @property
    def scale(self) -> float:
        """Factor on every distance from the median."""
        return math.exp(self.log_scale)

    @property
    def bias(self) -> float:
        """Shift of the forecast in its own deviations, shrunk and capped."""
        shrunk = self.error_sum / (self.weight_of_past + self.settings.bias_prior * self.horizon)
        cap = self.settings.bias_cap
        return min(cap, max(-cap, shrunk)) if self.n else 0.0

    @property
    def weights(self) -> tuple[float, ...]:
        """Weight of each expert, adding up to 1; equal before anything is settled."""
        k = len(self.losses)
        total = sum(self.losses)
        if total <= 0.0:
            return (1.0 / k,) * k
        # losses relative to the mean expert's, counted in forecasts that don't overlap
        unit = total / k / (self.weight_of_past / self.horizon)
        best = min(self.losses)
        grown = [math.exp(-self.settings.learning_rate * (x - best) / unit) for x in self.losses]
        return tuple(g / sum(grown) for g in grown)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedForecast:
    """A forecast of level 3 as it was issued, pending until its horizon has passed.

    Parameters
    ----------
    experts : ndarray of shape (n_experts, 27)
    combined : ndarray of shape (27,)
        Weighted mean of the experts, level by level.
    quantiles : ndarray of shape (27,)
        What was issued: combined, moved by the bias and stretched by the scale.
    """

    symbol: str
    horizon: int
    origin: int
    experts: FloatArray
    combined: FloatArray
    quantiles: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledForecast:
    """An issued forecast whose horizon has passed, with the log return that came (`return_ahead`)."""

    issued: IssuedForecast
    outcome: float

    def __post_init__(self) -> None:
        """Refuse an outcome that is none."""
        if not math.isfinite(self.outcome):
            raise must("outcome", "be finite", self.outcome, "settle with the close of its horizon")


def initial_state(
    symbol: str, horizon: int, n_experts: int, settings: AdaptiveSettings | None = None
) -> AdaptiveState:
    """Return the state before anything is known: equal weights, scale 1, no bias."""
    return AdaptiveState(
        symbol=symbol,
        horizon=as_count("horizon", horizon),
        settings=settings or AdaptiveSettings(),
        losses=(0.0,) * as_count("n_experts", n_experts),
    )


def issue(state: AdaptiveState, origin: int, experts: ArrayLike) -> IssuedForecast:
    """Return the forecast of level 3 from those of its experts.

    Parameters
    ----------
    state : AdaptiveState
    origin : int
        Number of the bar at whose close it is made.
    experts : array_like of shape (n_experts, 27), log return

    Notes
    -----
    Quantiles are averaged, not probabilities: the mean of two bells is a bell between them, where a mixture would be
    wider than both (Lichtendahl, Grushka-Cockayne, Winkler: Is it better to average probabilities or quantiles?
    Management Science 59 (2013)).
    """
    rows = as_quantiles("experts", experts, len(state.losses))
    combined = np.asarray(state.weights) @ rows
    median = combined[_MEDIAN]
    quantiles = median + state.bias * _deviation(combined) + state.scale * (combined - median)
    return IssuedForecast(
        symbol=state.symbol, horizon=state.horizon, origin=origin, experts=rows,
        combined=combined, quantiles=quantiles,
    )  # fmt: skip


def update(state: AdaptiveState, settled: SettledForecast) -> AdaptiveState:
    """Return the state that has learned from one more settled forecast.

    Raises
    ------
    InvalidValueError
        A forecast of another symbol, horizon or crew, or one that was learned from already.

    Notes
    -----
    Weights follow the CRPS of each expert; the scale follows whether the *issued* 90 % band held the outcome
    (Gibbs, Candès: Adaptive conformal inference under distribution shift. NeurIPS 2021), so that in the long run a
    share `target_miss` lies outside whatever the experts do, as long as the scale is inside its bounds. The bias
    follows the misses of the combined median.
    """
    issued, outcome = settled.issued, settled.outcome
    _check(state, issued)
    settings = state.settings
    crps = crps_quantiles(issued.experts, np.full(len(state.losses), outcome))
    is_miss = not issued.quantiles[_LOW] <= outcome <= issued.quantiles[_HIGH]
    step = settings.scale_rate / math.sqrt(state.horizon) * (is_miss - settings.target_miss)
    bound = math.log(settings.scale_bound)
    memory = settings.memory ** (1.0 / state.horizon)
    unit = _deviation(issued.combined)
    error = (outcome - float(issued.combined[_MEDIAN])) / unit if unit > 0.0 else 0.0
    return replace(
        state,
        last_origin=issued.origin,
        n=state.n + 1,
        losses=tuple(
            memory * old + new for old, new in zip(state.losses, crps.tolist(), strict=True)
        ),
        weight_of_past=memory * state.weight_of_past + 1.0,
        log_scale=min(bound, max(-bound, state.log_scale + step)),
        error_sum=memory * state.error_sum + min(_WILD, max(-_WILD, error)),
    )


def rank_mapped(
    log_paths: FloatArray, horizons: tuple[int, ...], quantiles: ArrayLike
) -> FloatArray:
    """Return the paths with their values at the horizons moved, rank by rank, onto given quantiles.

    Parameters
    ----------
    log_paths : ndarray of shape (n_steps + 1, n_paths), log price
        Row 0 is the log of spot.
    horizons : tuple of int
        Ascending, between 1 and n_steps.
    quantiles : array_like of shape (len(horizons), 27), log return from step 0

    Returns
    -------
    ndarray of shape (n_steps + 1, n_paths), log price

    Notes
    -----
    At a horizon the path of rank i of n takes the quantile of ``(i + 0.5) / n``, interpolated on the normal scale and
    continued in a straight line beyond the last levels; order among paths is kept. Between two horizons the shift
    grows in a straight line, after the last it stays; row 0 is untouched, so the fan still starts at spot.
    """
    rows = as_quantiles("quantiles", quantiles, len(horizons))
    check_rows("log_paths", log_paths)
    n_steps, n_paths = log_paths.shape[0] - 1, log_paths.shape[1]
    places = (0, *horizons)
    if not horizons or (np.diff(places) <= 0).any() or horizons[-1] > n_steps:
        raise must("horizons", f"ascend from 1 to {n_steps}", horizons, "leave the others out")
    result = log_paths.copy()
    before = np.zeros(n_paths)
    # levels of the ranks, the same for every horizon
    scores = _rank_scores(n_paths)
    for place, begin, row in zip(horizons, places, rows, strict=False):
        order = np.argsort(log_paths[place], kind="stable")
        shift = np.empty(n_paths)
        shift[order] = _continued(scores, row)
        shift += log_paths[0] - log_paths[place]
        share = np.arange(1, place - begin + 1)[:, None] / (place - begin)
        result[begin + 1 : place + 1] += before + share * (shift - before)
        before = shift
    result[horizons[-1] + 1 :] += before
    return result


def _check(state: AdaptiveState, issued: IssuedForecast) -> None:
    if (issued.symbol, issued.horizon) != (state.symbol, state.horizon):
        raise must(
            "settled", f"be of {state.symbol} at horizon {state.horizon}",
            (issued.symbol, issued.horizon), "keep one state for each",
        )  # fmt: skip
    if issued.experts.shape[0] != len(state.losses):
        raise must(
            "settled", f"have {len(state.losses)} experts", issued.experts.shape[0], "begin anew"
        )
    if state.last_origin is not None and issued.origin <= state.last_origin:
        raise InvalidValueError(
            f"settled must have an origin after {state.last_origin}, was {issued.origin}; "
            "learn from each forecast once, in order"
        )


def _deviation(quantiles: FloatArray) -> float:
    """Return the deviation of the normal law with the same 90 % band."""
    return float(quantiles[_HIGH] - quantiles[_LOW]) / _UNIT


@lru_cache(maxsize=8)
def _rank_scores(n: int) -> FloatArray:
    scores: FloatArray = ndtri((np.arange(n) + 0.5) / n)
    scores.flags.writeable = False
    return scores


def _continued(scores: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Return the quantiles at normal scores, in a straight line beyond the last levels."""
    values = np.interp(scores, LEVEL_SCORES, quantiles)
    slopes = np.diff(quantiles)[[0, -1]] / np.diff(LEVEL_SCORES)[[0, -1]]
    below = np.minimum(scores - LEVEL_SCORES[0], 0.0) * slopes[0]
    above = np.maximum(scores - LEVEL_SCORES[-1], 0.0) * slopes[1]
    result: FloatArray = values + below + above
    return result
