"""Flagged events: a prior first, then what the symbol's own past taught."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError
from engine.forecasts.events import (
    FADING,
    NEWS_DRIFT,
    NEWS_VARIANCE,
    PRIOR_N,
    PRIOR_VARIANCE,
    course_under,
    flags_of,
    news_of,
)

NO_VOLUME = np.empty(0)


def calm(n: int, seed: int = 1) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).standard_normal(n), -2.4, 2.4)


def test_without_history_an_event_has_its_prior():
    (flag,) = flags_of(np.array([0.1, -0.2, 3.0]), NO_VOLUME)
    assert (flag.name, flag.variance, flag.n) == ("shock bar", PRIOR_VARIANCE["shock bar"], 0)
    assert flag.words == "shock bar: variance × 1.00 (prior)"


def test_a_quiet_bar_raises_nothing():
    assert flags_of(calm(100), np.ones(100)) == ()


@pytest.mark.parametrize("truth", [0.5, 4.0])
def test_a_learned_multiplier_comes_to_the_planted_truth(truth: float):
    rng = np.random.default_rng(2)
    n_events, residuals = 400, calm(8_001)
    residuals[::20] = 3.0
    residuals[1::20] = np.sqrt(truth) * np.clip(rng.standard_normal(n_events), -3, 3)
    # a follower that is a shock itself would be a second event
    residuals[1::20] = np.clip(residuals[1::20], -2.49, 2.49) if truth < 1 else residuals[1::20]
    (flag,) = flags_of(residuals, NO_VOLUME)
    assert flag.n >= n_events
    followed = np.flatnonzero(np.abs(residuals[:-1]) >= 2.5) + 1
    seen = float((residuals[followed] ** 2).mean())
    assert flag.variance == pytest.approx((PRIOR_N + flag.n * seen) / (PRIOR_N + flag.n))
    assert abs(flag.variance - truth) < 0.5 * abs(1.0 - truth)
    few = flags_of(residuals[:41], NO_VOLUME)[0]
    assert abs(few.variance - 1.0) < abs(flag.variance - 1.0)
    assert "learned from" in flag.words


def test_heavy_volume_is_measured_against_the_twenty_bars_before():
    residuals, volumes = calm(60), np.full(60, 100.0)
    volumes[-1] = 251.0
    (flag,) = flags_of(residuals, volumes)
    assert (flag.name, flag.variance, flag.n) == ("heavy volume", 1.1, 0)
    volumes[-2] = 100_000.0  # one bar moves no median
    assert flags_of(residuals, volumes)[0].n == 1
    volumes[-1] = 249.0
    assert flags_of(residuals, volumes) == ()
    assert flags_of(residuals, volumes[:10]) == ()


def test_volume_needs_a_habit():
    assert flags_of(calm(20), np.r_[np.ones(19), 1e6]) == ()


@given(st.floats(-1.0, 1.0), st.floats(-2.0, 2.0))
@settings(deadline=None)
def test_news_moves_the_drift_its_way_and_widens_by_its_size(mood: float, impact: float):
    (flag,) = news_of([{"type": "earnings", "sentiment": mood, "impact": impact}])
    strength = min(1.0, abs(impact))
    assert flag.drift == pytest.approx(NEWS_DRIFT * mood * strength)
    assert flag.variance == pytest.approx(1.0 + NEWS_VARIANCE * abs(mood) * strength)
    assert flag.n == 0


def test_news_has_defaults_and_rules():
    (flag,) = news_of([{"sentiment": -1.0}])
    assert (flag.name, flag.drift) == ("news", -NEWS_DRIFT)
    assert news_of([{}])[0].drift == 0.0
    for wrong in ({"sentiment": 1.5}, {"sentiment": float("nan")}, {"impact": float("inf")}):
        with pytest.raises(InvalidValueError, match="events must have a sentiment"):
            news_of([wrong])


def test_what_an_event_does_fades_by_half_with_every_bar():
    flags = news_of([{"sentiment": 1.0}, {"sentiment": 1.0}])
    course = course_under(flags, 0.001, 0.02, np.ones(4))
    fading = FADING ** np.arange(4)
    np.testing.assert_allclose(course.drifts, 0.001 + 2 * NEWS_DRIFT * 0.02 * fading)
    np.testing.assert_allclose(course.variance_multipliers, (1.0 + NEWS_VARIANCE * fading) ** 2)
    by_hour = np.array([1.5, 0.5, 1.0, 2.0])
    np.testing.assert_array_equal(
        course_under((), 0.001, 0.02, by_hour).variance_multipliers, by_hour
    )
    both = course_under(flags, 0.001, 0.02, by_hour).variance_multipliers
    np.testing.assert_allclose(both, by_hour * course.variance_multipliers)
