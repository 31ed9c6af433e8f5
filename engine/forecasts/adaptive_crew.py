"""Level 3's experts and what was learned from their settled forecasts, per symbol and horizon."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.forecasts.past import Past
from engine.forecasts.size import Size
from engine.kernels import adaptive as a
from engine.kernels.analogues import Analogues
from engine.kernels.markov_regime import MarkovFit, regime_probabilities, simulate_regimes
from engine.kernels.paths import DriftAndSigma
from engine.kernels.scoring import LEVEL_SCORES, LEVELS
from engine.kernels.selection import row_quantiles
from engine.kernels.series import FloatArray

EXPERTS = ("GBM", "history", "FHS", "regimes", "analogues")
"""Geometric Brownian motion, the window's own returns over the horizon, filtered historical simulation, two regimes,
and what came after days like today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """What each expert says at each horizon.

    Parameters
    ----------
    horizons : tuple of int
    quantiles : ndarray of shape (len(horizons), len(EXPERTS), 27), log return
    """

    horizons: tuple[int, ...]
    quantiles: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What experts go by beside the paths; None is said by an expert whom the past does not carry."""

    estimate: DriftAndSigma
    regimes: MarkovFit | None
    analogues: Analogues | None


def experts_of(past: Past, logs: FloatArray, known: Known, size: Size) -> Experts:
    """Return the experts' quantiles at the horizons that the paths reach.

    Parameters
    ----------
    logs : ndarray of shape (n_steps + 1, n_paths)
        Paths of filtered historical simulation; an expert that the past does not carry says the same as they do.
    """
    horizons = tuple(h for h in size.horizons if h < logs.shape[0])
    filtered = _rows(logs, horizons)
    said = [
        _normal(known.estimate, horizons),
        _history(past, horizons, filtered),
        filtered,
        filtered if known.regimes is None else _switching(past, known.regimes, horizons, size),
        filtered if known.analogues is None else _rows(known.analogues.outcomes, horizons),
    ]
    return Experts(horizons=horizons, quantiles=np.stack(said, axis=1))


class AdaptiveCrew:
    """Keeps one learned state per symbol and horizon; only a settled forecast changes it."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, int], a.AdaptiveState] = {}
        self.taught: dict[str, tuple[float, int]] = {}
        """Sum of given relative errors and their number, per symbol (`record_outcome`)."""

    def forget(self, symbol: str) -> None:
        """Begin anew with a symbol."""
        for key in [key for key in self._states if key[0] == symbol]:
            del self._states[key]

    def take_over(self, symbol: str, other: "AdaptiveCrew") -> None:
        """Take what another crew has learned of a symbol."""
        self._states.update({key: of for key, of in other._states.items() if key[0] == symbol})

    def state(self, symbol: str, horizon: int) -> a.AdaptiveState:
        """Return what was learned of a symbol at a horizon."""
        known = self._states.get((symbol, horizon))
        return known or a.initial_state(symbol, horizon, len(EXPERTS))

    def issue(self, symbol: str, origin: int, experts: Experts) -> tuple[a.IssuedForecast, ...]:
        """Return level 3's forecast at each horizon, to be settled later."""
        return tuple(
            a.issue(self.state(symbol, h), origin, said)
            for h, said in zip(experts.horizons, experts.quantiles, strict=True)
        )

    def learn(self, settled: a.SettledForecast) -> None:
        """Take one settled forecast."""
        key = (settled.issued.symbol, settled.issued.horizon)
        self._states[key] = a.update(self.state(*key), settled)

    def teach(self, symbol: str, predicted: float, actual: float) -> None:
        """Take one outcome that was told from outside, as the relative error of a predicted price."""
        total, n = self.taught.get(symbol, (0.0, 0))
        self.taught[symbol] = (total + math.log(actual / predicted), n + 1)

    def applied(
        self, symbol: str, logs: FloatArray, issued: Sequence[a.IssuedForecast]
    ) -> FloatArray:
        """Return the paths on level 3's quantiles."""
        if not issued:
            return logs
        horizons = tuple(each.horizon for each in issued)
        moved = a.rank_mapped(logs, horizons, np.stack([each.quantiles for each in issued]))
        return moved + self._shift(symbol, logs) if symbol in self.taught else moved

    def weights(self, symbol: str, horizon: int) -> tuple[tuple[str, float], ...]:
        """Return how much each expert counts."""
        return tuple(zip(EXPERTS, self.state(symbol, horizon).weights, strict=True))

    def _shift(self, symbol: str, logs: FloatArray) -> FloatArray:
        """Return how told outcomes move the paths: their mean error, shrunk and capped, step by step."""
        total, n = self.taught[symbol]
        settings = a.AdaptiveSettings()
        deviations: FloatArray = logs.std(axis=1, keepdims=True)
        cap = settings.bias_cap * deviations
        shift: FloatArray = np.clip(total / (n + settings.bias_prior), -cap, cap)
        return shift


def _rows(logs: FloatArray, horizons: tuple[int, ...]) -> FloatArray:
    return row_quantiles(logs[list(horizons)], LEVELS.tolist()).T


def _normal(estimate: DriftAndSigma, horizons: tuple[int, ...]) -> FloatArray:
    h = np.asarray(horizons, dtype=float)[:, None]
    rows: FloatArray = (
        estimate.drift_per_step * h + estimate.sigma_per_step * np.sqrt(h) * LEVEL_SCORES
    )
    return rows


def _history(past: Past, horizons: tuple[int, ...], otherwise: FloatArray) -> FloatArray:
    """Return quantiles of the window's own returns over each horizon, overlapping ones included."""
    logs = np.log(past.recent)
    rows = otherwise.copy()
    for i, h in enumerate(horizons):
        moved = logs[h:] - logs[:-h]
        if moved.size >= 2 * LEVELS.size:
            rows[i] = row_quantiles(moved[None, :], LEVELS.tolist())[:, 0]
    return rows


def _switching(past: Past, regimes: MarkovFit, horizons: tuple[int, ...], size: Size) -> FloatArray:
    chance = regime_probabilities(past.returns(), regimes).next_stressed
    rng = np.random.default_rng((size.seed, 1))
    shape = (max(horizons, default=1), min(size.n_paths, 1_000))
    return _rows(simulate_regimes(1.0, regimes, chance, shape, rng), horizons)
