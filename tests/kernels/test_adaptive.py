import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError
from engine.kernels.adaptive import (
    AdaptiveSettings,
    SettledForecast,
    initial_state,
    issue,
    rank_mapped,
    update,
)
from engine.kernels.paths import simulate_gbm
from engine.kernels.scoring import LEVEL_SCORES, LEVELS

BAND = [int(np.flatnonzero(np.isclose(LEVELS, p))[0]) for p in (0.05, 0.95)]
TRUE = LEVEL_SCORES * 0.01
"""Quantiles of the law that the outcomes of these tests have."""


def outcomes(n, seed=1, horizon=1):
    """Sums of `horizon` neighbouring returns: forecasts made at every bar overlap."""
    r = np.random.default_rng(seed).normal(0.0, 0.01 / math.sqrt(horizon), size=n + horizon - 1)
    return np.convolve(r, np.ones(horizon), "valid")


def settled(issued, outcome=0.0):
    return SettledForecast(issued=issued, outcome=float(outcome))


def live(experts, came, horizon=1, settings=None):
    """Issue at every bar and learn from what is settled, as the engine does; return states and misses."""
    state = initial_state("ABC", horizon, len(experts), settings)
    states, pending, misses = [state], [], []
    for bar, outcome in enumerate(came):
        if bar >= horizon:
            due = pending[bar - horizon]
            state = update(state, settled(due, came[bar - horizon]))
        states.append(state)
        pending.append(issue(state, bar, experts))
        low, high = pending[-1].quantiles[BAND]
        misses.append(not low <= outcome <= high)
    return states, np.array(misses)


def test_before_anything_is_settled_experts_are_equal_and_nothing_is_moved():
    state = initial_state("ABC", 1, 2)
    forecast = issue(state, 0, [TRUE, 3 * TRUE])
    assert state.weights == (0.5, 0.5)
    assert (state.scale, state.bias) == (1.0, 0.0)
    assert forecast.quantiles == pytest.approx(2 * TRUE)


def test_two_bells_apart_make_one_between_them_of_the_same_width():
    forecast = issue(initial_state("ABC", 1, 2), 0, [TRUE - 0.02, TRUE + 0.04])
    assert forecast.combined == pytest.approx(TRUE + 0.01)


@pytest.mark.parametrize(("worse", "n"), [(2.0 * TRUE, 100), (TRUE + 0.01, 100), (0.5 * TRUE, 400)])
def test_the_better_expert_wins_the_weight(worse, n):
    for seed in range(5):
        states, _ = live([TRUE, worse], outcomes(n + 1, seed))
        assert states[-1].weights[0] > 0.95
        assert sum(states[-1].weights) == pytest.approx(1.0)


def test_the_weight_changes_sides_when_the_better_expert_does():
    came = outcomes(1_200)
    came[600:] *= 2.0
    states, _ = live([TRUE, 2 * TRUE], came)
    assert states[600].weights[0] > 0.99
    assert states[-1].weights[1] > 0.95


def test_weights_of_overlapping_forecasts_move_by_what_they_are_worth():
    fast, _ = live([TRUE, 1.3 * TRUE], outcomes(2_000, horizon=1))
    slow, _ = live([TRUE, 1.3 * TRUE], outcomes(2_000, horizon=20), horizon=20)
    assert 0.5 < slow[-1].weights[0] < fast[-1].weights[0]


@pytest.mark.parametrize("narrow", [0.6, 1.5])
def test_the_scale_brings_a_wrong_width_to_90_percent_within_500_forecasts(narrow):
    shares, ends = [], []
    for seed in range(8):
        states, misses = live([narrow * TRUE], outcomes(1_500, seed))
        shares.append(1.0 - misses[500:].mean())
        ends.append(states[-1].scale)
    # 8 x 1,000 forecasts: the standard error is below 0.34 %
    assert 0.89 <= np.mean(shares) <= 0.91
    assert np.mean(ends) == pytest.approx(1 / narrow, rel=0.08)
    raw = 1.0 - (np.abs(outcomes(1_500)) > narrow * 0.01645).mean()
    assert abs(raw - 0.9) > 0.02, "control: unscaled, the band is wrong"


def test_the_scale_of_a_true_forecast_stays_near_one():
    ends = [live([TRUE], outcomes(1_000, seed))[0][-1].scale for seed in range(10)]
    assert np.mean(ends) == pytest.approx(1.0, abs=0.05)
    assert max(abs(math.log(e)) for e in ends) < 0.25


def test_overlapping_forecasts_reach_90_percent_too():
    shares = [
        1.0 - live([0.7 * TRUE], outcomes(2_500, seed, 5), 5)[1][1_000:].mean() for seed in range(6)
    ]
    assert 0.885 <= np.mean(shares) <= 0.915


def test_a_steady_bias_is_followed_up_to_its_cap():
    came = outcomes(1_500) + 0.005
    states, _ = live([TRUE], came)
    assert states[-1].bias == 0.10
    assert states[5].bias < 0.05, "a few forecasts are not believed"
    states, _ = live([TRUE], outcomes(1_500) - 0.005)
    assert states[-1].bias == -0.10


def test_without_bias_the_term_stays_small():
    ends = [live([TRUE], outcomes(1_000, seed))[0][-1].bias for seed in range(10)]
    assert max(map(abs, ends)) < 0.08
    assert abs(np.mean(ends)) < 0.02


@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_nothing_moves_before_the_first_settlement(horizon):
    states, _ = live([TRUE, 2 * TRUE], outcomes(60, horizon=horizon), horizon)
    assert all(state == states[0] for state in states[: horizon + 1])
    assert states[horizon + 1].n == 1
    assert states[horizon + 1].last_origin == 0


def test_what_comes_after_an_origin_changes_no_state_before_its_settlement():
    came = outcomes(100, horizon=5)
    other = came.copy()
    other[50:] = 9.0
    one, _ = live([TRUE, 2 * TRUE], came, 5)
    two, _ = live([TRUE, 2 * TRUE], other, 5)
    # the outcome of origin 50 is learned from at bar 55, which is state 56
    assert one[:56] == two[:56]
    assert one[56] != two[56]


def test_a_forecast_is_learned_from_once_and_in_order():
    state = initial_state("ABC", 1, 1)
    first, second = (settled(issue(state, k, [TRUE])) for k in (0, 1))
    learned = update(update(state, first), second)
    for again in (first, second):
        with pytest.raises(InvalidValueError, match="origin after 1"):
            update(learned, again)


def test_one_state_learns_only_from_its_own_forecasts():
    state = initial_state("ABC", 1, 1)
    for other in (initial_state("XYZ", 1, 1), initial_state("ABC", 5, 1)):
        with pytest.raises(InvalidValueError, match="be of ABC at horizon 1"):
            update(state, settled(issue(other, 0, [TRUE])))
    with pytest.raises(InvalidValueError, match="have 1 experts"):
        update(state, settled(issue(initial_state("ABC", 1, 2), 0, [TRUE, TRUE])))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=30), st.floats(0.001, 100.0),
    st.floats(0.2, 5.0),
)  # fmt: skip
def test_whatever_comes_the_issued_quantiles_are_finite_and_ordered(came, unit, width):
    experts = [unit * TRUE, unit * width * TRUE + 0.1]
    states, _ = live(experts, unit * np.array(came))
    for state in states:
        q = issue(state, 99, experts).quantiles
        assert np.isfinite(q).all()
        assert (np.diff(q) >= 0.0).all()
        assert 0.5 - 1e-12 <= state.scale <= 2.0 + 1e-12
        assert abs(state.bias) <= 0.10
        assert sum(state.weights) == pytest.approx(1.0)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.001, 1_000.0))
def test_the_unit_of_the_market_does_not_matter(unit):
    came = outcomes(60)
    one = live([TRUE, 2 * TRUE], came)[0][-1]
    other = live([unit * TRUE, unit * 2 * TRUE], unit * came)[0][-1]
    assert other.weights == pytest.approx(one.weights)
    assert other.scale == pytest.approx(one.scale)
    assert other.bias == pytest.approx(one.bias)


def test_sure_experts_that_were_right_stay_equal():
    states, _ = live([np.zeros(27), np.zeros(27)], np.zeros(10))
    assert states[-1].weights == (0.5, 0.5)
    assert states[-1].bias == 0.0


def test_a_state_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        initial_state("ABC", 1, 1).n = 3


def test_settings_that_cannot_be_learned_with_are_named():
    for kwargs in ({"memory": 1.0}, {"target_miss": 0.0}, {"scale_bound": 0.5},
                   {"learning_rate": math.nan}, {"bias_cap": -0.1}):  # fmt: skip
        with pytest.raises(InvalidValueError, match=next(iter(kwargs))):
            AdaptiveSettings(**kwargs)


def mapped(n_paths=4_000, n_steps=20, horizons=(1, 5, 20)):
    rng = np.random.default_rng(2)
    paths = simulate_gbm(50.0, 0.0002, 0.015, n_paths, n_steps, rng)
    laws = [stats.t(4, 0.001 * h, 0.02 * math.sqrt(h)) for h in horizons]
    rows = np.array([law.ppf(LEVELS) for law in laws])
    return paths, rank_mapped(paths, horizons, rows), rows


def test_mapped_paths_have_the_quantiles_of_the_level_at_every_horizon():
    paths, moved, rows = mapped()
    for place, row in zip((1, 5, 20), rows, strict=True):
        found = np.quantile(moved[place] - paths[0, 0], LEVELS, method="hazen")
        assert found[3:-3] == pytest.approx(row[3:-3], abs=1e-3)
        assert found == pytest.approx(row, rel=0.02, abs=1e-3)


def test_mapped_paths_start_at_spot_keep_their_ranks_and_leave_the_given_ones_alone():
    paths, moved, _ = mapped()
    kept = simulate_gbm(50.0, 0.0002, 0.015, 4_000, 20, np.random.default_rng(2))
    assert (paths == kept).all()
    assert (moved[0] == paths[0]).all()
    for place in (1, 5, 20):
        assert (np.argsort(moved[place]) == np.argsort(paths[place])).all()


def test_between_horizons_the_shift_is_a_straight_line_and_after_the_last_it_stays():
    paths, moved, _ = mapped(n_steps=24)
    shift = moved - paths
    for step in range(5, 21):
        expected = shift[5] + (step - 5) / 15 * (shift[20] - shift[5])
        assert shift[step] == pytest.approx(expected, abs=1e-12)
    assert shift[24] == pytest.approx(shift[20], abs=1e-12)


def test_paths_mapped_onto_their_own_quantiles_hardly_move():
    paths = simulate_gbm(50.0, 0.0, 0.015, 20_000, 5, np.random.default_rng(2))
    own = np.quantile(paths[5] - paths[0], LEVELS)
    moved = rank_mapped(paths, (5,), [own])
    # between its two outermost levels a sample is rough, elsewhere nothing happens
    middle = np.argsort(paths[5])[20:-20]
    assert np.abs(moved[:, middle] - paths[:, middle]).max() < 0.005
    assert np.abs(moved - paths).mean() < 0.0002


def test_paths_that_cannot_be_mapped_are_refused():
    paths = np.zeros((6, 10))
    rows = [TRUE, TRUE]
    for horizons in ((5, 1), (1, 6), (0, 1), (1, 1)):
        with pytest.raises(InvalidValueError, match="horizons must ascend from 1 to 5"):
            rank_mapped(paths, horizons, rows)
    with pytest.raises(InvalidValueError, match="log_paths"):
        rank_mapped(np.zeros(5), (1,), [TRUE])
    with pytest.raises(InvalidValueError, match="quantiles must have shape"):
        rank_mapped(paths, (1,), rows)
