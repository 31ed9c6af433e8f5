"""The five levels, each a function of the past up to the origin, a size and a random stream.

A level that the past does not carry gives way to the next lower one, and the result says so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.domain.errors import NotEnoughDataError
from engine.domain.forecast import SimulationLevel
from engine.forecasts.adaptive_crew import AdaptiveCrew, Known, experts_of
from engine.forecasts.events import Flag, course_under, effect_of, flags_of, news_of
from engine.forecasts.fits import NO_MARKET, Fits, Others
from engine.forecasts.fitting import MarketFit, SymbolFit, regimes_of
from engine.forecasts.hours import hours_ahead
from engine.forecasts.moods import Moods
from engine.forecasts.past import Past
from engine.forecasts.size import Drawn, Matches, Outlook, Size, under
from engine.kernels.analogues import Analogues, AnalogueSearch, find_analogues
from engine.kernels.filtered_simulation import (
    Course,
    Picks,
    VolatilityState,
    checked_course,
    draw_picks,
    run_filtered,
    simulate_filtered,
)
from engine.kernels.garch import filter_variance, garch_parameters
from engine.kernels.joint_simulation import choose_regimes
from engine.kernels.paths import DriftAndSigma, estimate_drift_and_sigma
from engine.kernels.series import FloatArray
from engine.kernels.stress_mixture import Stress, stressed_paths
from engine.kernels.walk import gbm_paths

L1, L2, L3, L4, L5 = SimulationLevel
OF_THE_MARKET = (L3, L4)
"""Levels that look at all symbols together."""
STRESS_WEIGHT = 0.01
"""Share of level 5's paths that are an explicit stress; it stands on the screen."""
STRESS_JUMP = Stress(jump_mean=-6.0, jump_sigma=2.0)
"""The stress: one jump at a step of chance, in deviations of the window's returns."""
MOST_KEPT = 2**24
"""Bytes of picks that are kept for the next symbol of the same market: 80,000 paths of 50 steps."""
SMOOTHING = 0.5
"""Share of an analogue path's deviation that comes from fresh shocks: 200 windows give more than 200 ends."""
EVENTS_UNHEARD = "events count at level 2 alone"


ANY = 2**32 - 1
"""Numbers that are drawn where the rows to choose from are known later: so many that their remainder is even."""


def _nobody() -> tuple[Past, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked: of which past, how much, under which outlook and events, beside which other symbols.

    Parameters
    ----------
    origin : int
        Number of the last bar, counted in any one way, so that level 3 knows when its forecasts are due.
    """

    past: Past
    size: Size
    outlook: Outlook = field(default_factory=Outlook)
    events: Sequence[Mapping[str, Any]] = ()
    others: Others = _nobody
    origin: int = 0


class Levels:
    """Draws any level.

    Parameters
    ----------
    fits : Fits
    crew : AdaptiveCrew
        What level 3 has learned from settled forecasts.
    """

    def __init__(self, fits: Fits | None = None, crew: AdaptiveCrew | None = None) -> None:
        self.fits = fits or Fits()
        self.crew = crew or AdaptiveCrew()
        self.moods = Moods()
        self._stands: dict[str, tuple[object, _Standing]] = {}
        self._found: dict[str, tuple[tuple[float, int, int], Analogues]] = {}
        self._picks: tuple[tuple[MarketFit, float, Size], Picks] | None = None

    def draw(self, level: SimulationLevel, ask: Ask) -> Drawn:
        """Return the paths of the highest level up to `level` that the past carries.

        Raises
        ------
        NotEnoughDataError
            Not even level 1 can be drawn.
        InvalidValueError
            An event outside its rule, whatever the level.
        """
        news_of(ask.events)
        draw = {
            L1: _base,
            L2: self._conditional,
            L3: self._adaptive,
            L4: self._multi_factor,
            L5: self._semantic,
        }
        reason = ""
        for lower in sorted(SimulationLevel, key=lambda each: each.value, reverse=True):
            if lower.value > level.value:
                continue
            try:
                drawn = draw[lower](ask)
            except NotEnoughDataError as error:
                reason = reason or str(error)
                continue
            note = (
                f"level {lower.value} stands in for level {level.value}: {reason}"
                if reason
                else drawn.note
            )
            unheard = EVENTS_UNHEARD if ask.events and lower is not L2 else ""
            note = "; ".join(filter(None, (note, unheard)))
            return replace(drawn, note=note, logs=under(ask.outlook, drawn.logs))
        raise NotEnoughDataError(reason)

    def _standing(self, past: Past) -> "_Standing":
        """Return where the symbol stands; all levels of one bar ask for the same."""
        key = (
            (past.places[-1], past.closes.size, past.window, past.closes[-1])
            if past.closes_at.size
            else None
        )
        known = self._stands.get(past.symbol)
        if known is None or key is None or known[0] != key:
            known = (key, _standing(past, self.fits.of_symbol(past)))
            self._stands[past.symbol] = known
        return known[1]

    def _conditional(self, ask: Ask) -> Drawn:
        """Level 2: yesterday's shocks at today's volatility, with flagged events."""
        at = self._standing(ask.past)
        flags = (*flags_of(at.residuals, ask.past.volumes), *self._news(ask, at))
        hours = hours_ahead(ask.past, at.residuals, ask.size.n_steps)
        course = course_under(flags, at.drift, at.sigma, hours.variances)
        logs = _filtered(at, at.fit.pool, course, ask.size)
        said = (at.fit.garch.note, hours.words, *(flag.words for flag in flags))
        return _drawn(L2, logs, at, note="; ".join(filter(None, said)))

    def _news(self, ask: Ask, at: "_Standing") -> tuple[Flag, ...]:
        """Return the events asked for and the news that came with the last bar, with what news did before."""
        effect = effect_of(self.moods.before(ask.past, at.residuals.size), at.residuals)
        mood = self.moods.at(ask.past)
        heard = ({"type": "news", "sentiment": mood},) if mood else ()
        return news_of((*ask.events, *heard), effect)

    def _adaptive(self, ask: Ask) -> Drawn:
        """Level 3: the paths of level 2 without its flags, moved rank by rank onto what its experts say together."""
        at = self._standing(ask.past)
        course = _usual_course(ask, at)
        logs = _filtered(at, at.fit.pool, course, ask.size)
        market = self.fits.of_market(ask.past, ask.others)
        regimes = None if market is None else regimes_of(at.returns, market.regimes, market.unit)
        known = Known(estimate=at.estimate, regimes=regimes, analogues=self._analogues_or_none(ask))
        experts = experts_of(ask.past, logs, known, ask.size)
        issued = self.crew.issue(ask.past.symbol, ask.origin, experts)
        moved = self.crew.applied(ask.past.symbol, logs, issued)
        return _drawn(L3, moved, at, issued=issued)

    def _multi_factor(self, ask: Ask) -> Drawn:
        """Level 4: shocks of the same bars for every symbol, from the pool of the regime that the market is in."""
        at = self._standing(ask.past)
        market = self.fits.of_market(ask.past, ask.others)
        column = None if market is None else market.column(ask.past.symbol)
        if market is None or column is None:
            raise NotEnoughDataError(NO_MARKET)
        stressed = self.fits.chance_of_stress(ask.past, ask.others, market)
        picks = self._picked(market, stressed, ask.size)
        course = _usual_course(ask, at)
        logs = np.zeros((ask.size.n_steps + 1, ask.size.n_paths))
        run_filtered(
            logs, picks, column, garch_parameters(at.fit.garch), at.variance, checked_course(course)
        )
        return _drawn(L4, logs, at, stressed=stressed)

    def _picked(self, market: MarketFit, stressed: float, size: Size) -> Picks:
        """Return the bars of the past that every symbol drawn with this seed takes its shocks from."""
        known = self._picks
        if known is not None and known[0][0] is market and known[0][1:] == (stressed, size):
            return known[1]
        picks = picks_of(market, stressed, size)
        self._picks = ((market, stressed, size), picks) if picks.nbytes <= MOST_KEPT else None
        return picks

    def _semantic(self, ask: Ask) -> Drawn:
        """Level 5: half the paths follow what came after days like this, half have wider tails; a few are a stress."""
        at = self._standing(ask.past)
        found = self._analogues(ask)
        rng, n = ask.size.rng, ask.size.n_paths
        course = _usual_course(ask, at)
        fresh = _filtered(
            at, at.fit.wide_pool, course, replace(ask.size, seed=int(rng.integers(2**53)))
        )
        logs = fresh.copy()
        n_alike, n_stress = n // 2, round(STRESS_WEIGHT * n)
        picked = found.outcomes[:, rng.integers(0, found.ends.size, size=n_alike)]
        middle = found.outcomes.mean(axis=1, keepdims=True)
        noise = fresh[:, :n_alike] - fresh.mean(axis=1, keepdims=True)
        logs[:, :n_alike] = (
            middle + math.sqrt(1.0 - SMOOTHING**2) * (picked - middle) + SMOOTHING * noise
        )
        logs[0] = 0.0
        if n_stress:
            unit = at.estimate.sigma_per_step
            jump = Stress(
                jump_mean=STRESS_JUMP.jump_mean * unit, jump_sigma=STRESS_JUMP.jump_sigma * unit
            )
            logs[:, -n_stress:] = stressed_paths(logs[:, -n_stress:], jump, rng)
        return _drawn(
            L5, logs, at, n_stressed=n_stress,
            matches=Matches(ends=found.ends, distances=found.distances, outcomes=found.outcomes),
        )  # fmt: skip

    def _analogues(self, ask: Ask) -> Analogues:
        """Return what the search finds; levels 3 and 5 ask for the same at every bar."""
        past, horizon = ask.past, ask.size.n_steps
        key = (float(past.places[-1]), hash(past.closes.tobytes()), horizon)
        known = self._found.get(past.symbol)
        if known is None or known[0] != key or not past.closes_at.size:
            known = (key, find_analogues(past.closes, AnalogueSearch(horizon=horizon)))
            self._found[past.symbol] = known
        return known[1]

    def _analogues_or_none(self, ask: Ask) -> Analogues | None:
        try:
            return self._analogues(ask)
        except NotEnoughDataError:
            return None


def picks_of(market: MarketFit, next_stressed: float, size: Size) -> Picks:
    """Return which bar of the past falls on each step of each path, shape (n_steps, n_paths).

    The stream depends on the size's seed alone: symbols that are drawn with one seed fall together.
    """
    rng, shape = size.rng, (size.n_steps, size.n_paths)
    n = market.stressed.size
    calm, stressed = np.flatnonzero(~market.stressed), np.flatnonzero(market.stressed)
    if not calm.size or not stressed.size:
        return draw_picks(rng, n, shape)
    picks = draw_picks(rng, ANY, shape)
    stays = (market.regimes.calm_stay, market.regimes.stressed_stay)
    choose_regimes(picks, rng.random(shape), (calm, stressed), (next_stressed, *stays))
    return picks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """Where a symbol's volatility stands at the origin."""

    fit: SymbolFit
    returns: FloatArray
    residuals: FloatArray
    variance: float
    estimate: DriftAndSigma

    @property
    def drift(self) -> float:
        return self.estimate.drift_per_step

    @property
    def sigma(self) -> float:
        return math.sqrt(self.variance)


def _standing(past: Past, fit: SymbolFit) -> _Standing:
    returns = past.returns()
    filtered = filter_variance(returns, fit.garch)
    return _Standing(
        fit=fit,
        returns=returns,
        residuals=filtered.residuals,
        variance=filtered.next_variance,
        estimate=_estimate(past),
    )


def _estimate(past: Past) -> DriftAndSigma:
    return estimate_drift_and_sigma(past.recent)


def _base(ask: Ask) -> Drawn:
    """Level 1: geometric Brownian motion with the drift and volatility of the window."""
    estimate, size = _estimate(ask.past), ask.size
    return Drawn(
        level=L1,
        logs=gbm_paths(estimate, size.n_paths, size.n_steps, size.seed),
        drift_per_step=estimate.drift_per_step,
        drift_error_per_step=estimate.drift_error_per_step,
        sigma_per_step=estimate.sigma_per_step,
        n_observations=estimate.n_observations,
    )


def _usual_course(ask: Ask, at: _Standing) -> Course:
    """Return the course ahead without any event: drift, and what the hours are like."""
    hours = hours_ahead(ask.past, at.residuals, ask.size.n_steps)
    return course_under((), at.drift, at.sigma, hours.variances)


def _filtered(at: _Standing, pool: FloatArray, course: Course, size: Size) -> FloatArray:
    state = VolatilityState(fit=at.fit.garch, next_variance=at.variance, pool=pool)
    return simulate_filtered(1.0, state, course, size.n_paths, size.rng)


def _drawn(level: SimulationLevel, logs: FloatArray, at: _Standing, **more: Any) -> Drawn:  # noqa: ANN401
    return Drawn(
        level=level,
        logs=logs,
        drift_per_step=at.drift,
        drift_error_per_step=at.estimate.drift_error_per_step,
        sigma_per_step=at.sigma,
        n_observations=at.estimate.n_observations,
        fit=at.fit.made_of,
        **more,
    )
