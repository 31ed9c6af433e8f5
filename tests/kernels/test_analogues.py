import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.analogues import (
    HABIT,
    AnalogueSearch,
    apart,
    find_analogues,
    window_features,
)
from engine.kernels.volatility import ewma_sigmas


def walk(n=900, seed=1, sigma=0.01):
    rng = np.random.default_rng(seed)
    breath = np.exp(0.5 * np.sin(np.arange(n - 1) / 40.0))
    return 100.0 * np.exp(np.r_[0.0, np.cumsum(sigma * breath * rng.standard_t(5, n - 1))])


CLOSES = walk()
SEARCH = AnalogueSearch(horizon=10, count=30)
FOUND = find_analogues(CLOSES, SEARCH)


def plain_features(closes, t):
    """Features of bar t from its own past, one by one."""
    logs = np.log(closes[: t + 1])
    r = np.diff(logs)
    sigma, usual = ewma_sigmas(r)[-1], r[-HABIT:].std()
    return [
        math.log(sigma / usual), (logs[-1] - logs[-6]) / (sigma * math.sqrt(5)),
        (logs[-1] - logs[-21]) / (sigma * math.sqrt(20)),
        (logs[-1] - logs[-HABIT - 1 :].max()) / (usual * math.sqrt(HABIT)),
    ]  # fmt: skip


@pytest.mark.parametrize("t", [HABIT, 300, 899])
def test_features_are_the_plain_ones_of_each_bars_own_past(t):
    np.testing.assert_allclose(window_features(CLOSES)[t - HABIT], plain_features(CLOSES, t), rtol=1e-9)  # fmt: skip


@settings(deadline=None)
@given(st.integers(HABIT + 1, 899))
def test_features_do_not_look_ahead(n):
    np.testing.assert_allclose(
        window_features(CLOSES[:n]), window_features(CLOSES)[: n - HABIT], rtol=1e-9
    )


def test_the_nearest_windows_are_found_and_given_in_order():
    features = window_features(CLOSES)
    windows = features[: 900 - HABIT - 10]
    distance = np.sqrt((((windows - features[-1]) / windows.std(axis=0)) ** 2).sum(axis=1))
    assert FOUND.ends[0] == HABIT + distance.argmin()
    np.testing.assert_allclose(FOUND.distances, distance[FOUND.ends - HABIT])
    assert (np.diff(FOUND.distances) >= 0.0).all()
    np.testing.assert_allclose(FOUND.features, windows[FOUND.ends - HABIT])
    np.testing.assert_allclose(FOUND.today, features[-1])
    everything = find_analogues(CLOSES, AnalogueSearch(horizon=10, count=9_999))
    assert everything.ends.size == windows.shape[0]


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(1, 40))
def test_every_match_is_older_than_the_horizon_and_those_to_show_are_apart(horizon, count, spacing):
    found = find_analogues(CLOSES, AnalogueSearch(horizon=horizon, count=9_999))
    shown = found.ends[apart(found.ends, count, spacing)]
    assert shown[0] == found.ends[0]
    assert np.diff(np.sort(shown)).min(initial=spacing) >= spacing
    near = np.abs(found.ends[:, None] - shown).min(axis=1) < spacing
    assert shown.size == count or near.all(), "what was left out is near one that was taken"
    found = find_analogues(CLOSES, AnalogueSearch(horizon=horizon, count=count))
    assert found.ends.max() + horizon <= CLOSES.size - 1
    assert found.ends.min() >= HABIT
    assert found.ends.size <= count
    assert np.unique(found.ends).size == found.ends.size
    assert found.outcomes.shape == (horizon + 1, found.ends.size)


def test_outcomes_are_what_came_next_at_todays_volatility():
    logs = np.log(CLOSES)
    sigmas = ewma_sigmas(np.diff(logs))
    for j, end in enumerate(FOUND.ends):
        raw = logs[end : end + 11] - logs[end]
        ratio = sigmas[-1] / sigmas[end - 1]
        np.testing.assert_allclose(FOUND.outcomes[:, j], raw * ratio, atol=1e-12)
    assert (FOUND.outcomes[0] == 0.0).all()


def test_a_price_in_another_unit_has_the_same_analogues():
    found = find_analogues(CLOSES * 1_000.0, SEARCH)
    assert (found.ends == FOUND.ends).all()
    np.testing.assert_allclose(found.outcomes, FOUND.outcomes, atol=1e-9)


def test_a_day_that_happened_before_is_found_again():
    # the last 300 bars repeat bars 100 to 400: features of the year agree, and so does what is nearest
    r = np.diff(np.log(CLOSES))
    again = 100.0 * np.exp(np.r_[0.0, np.cumsum(np.r_[r[:800], r[100:400]])])
    found = find_analogues(again, SEARCH)
    assert found.ends[0] == 400
    assert found.distances[0] < 0.05


ODD = {
    "a year that stands still": np.r_[walk(400), np.full(300, 7.0), walk(400, 2)],
    "nearly still": np.r_[np.full(600, 7.0), 7.0001, np.full(300, 7.0)],
    "one crash": np.r_[walk(600), 0.01 * walk(300)],
}


@pytest.mark.parametrize("closes", ODD.values(), ids=ODD.keys())
def test_odd_histories_still_give_finite_outcomes(closes):
    found = find_analogues(closes, SEARCH)
    assert np.isfinite(found.outcomes).all()
    assert np.isfinite(found.distances).all()


def test_senseless_arguments_are_refused_by_name():
    with pytest.raises(NotEnoughDataError, match="closes must have at least 280"):
        find_analogues(CLOSES[:279], SEARCH)
    with pytest.raises(NotEnoughDataError, match="closes must have at least 251"):
        window_features(CLOSES[:HABIT])
    with pytest.raises(NotEnoughDataError, match="two values that differ"):
        window_features(np.ones(300))
    with pytest.raises(InvalidValueError, match="closes must be positive"):
        window_features([*CLOSES, 0.0])
    for name in ("horizon", "count"):
        with pytest.raises(InvalidValueError, match=f"{name} must be at least 1"):
            find_analogues(CLOSES, AnalogueSearch(**{"horizon": 5, name: 0}))
