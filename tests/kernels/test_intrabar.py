"""Paths inside a bar: they touch what the bar says and never leave it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernels.intrabar import tick_points, unfold_bar, unfold_close, volume_profile

N = 240
PRICE = st.floats(0.5, 5000.0)


@st.composite
def bars(draw):
    first, last, other, another = (draw(PRICE) for _ in range(4))
    return first, max(first, last, other), min(first, last, another), last


@given(bar=bars(), seed=st.integers(0, 2**32), n_points=st.integers(4, N))
def test_a_path_begins_at_the_open_touches_high_and_low_ends_at_the_close_and_stays_inside(
    bar, seed, n_points
):
    first, high, low, last = bar
    path, (top, bottom) = unfold_bar(bar, n_points, 0.01, np.random.default_rng(seed))
    assert path.shape == (n_points,)
    assert (path[0], path[top], path[bottom], path[-1]) == (first, high, low, last)
    assert path.max() == high
    assert path.min() == low
    assert 0 < top < n_points - 1
    assert 0 < bottom < n_points - 1


@given(bar=bars(), seed=st.integers(0, 2**32), n_ticks=st.integers(1, 300))
def test_whatever_the_speed_the_told_points_hold_all_four_prices(bar, seed, n_ticks):
    path, extremes = unfold_bar(bar, N, 0.01, np.random.default_rng(seed))
    points = tick_points(N, n_ticks, extremes)
    assert len(points) == min(max(n_ticks, 4), N)
    assert len(set(points.tolist())) == len(points)
    told = path[points]
    assert (told[0], told.max(), told.min(), told[-1]) == bar


def test_a_bar_without_range_stands_still():
    path, _ = unfold_bar((10.0, 10.0, 10.0, 10.0), N, 0.01, np.random.default_rng(0))
    assert set(path.tolist()) == {10.0}


def test_a_contradictory_bar_does_not_crash_and_keeps_its_open_and_close():
    path, _ = unfold_bar((12.0, 11.0, 9.0, 10.0), N, 0.01, np.random.default_rng(0))
    assert (path[0], path[-1]) == (12.0, 10.0)
    assert path.max() == 12.0
    assert path.min() == 9.0


def test_prices_in_between_lie_on_the_tick_grid():
    path, extremes = unfold_bar((10.003, 12.0, 9.5, 11.0), N, 0.05, np.random.default_rng(2))
    inside = np.delete(path, [0, N - 1, *extremes])
    assert np.abs(inside / 0.05 - np.round(inside / 0.05)).max() < 1e-6


def test_both_orders_of_high_and_low_occur_and_the_shorter_way_is_likelier():
    def share_of_high_first(bar) -> float:
        draws = [unfold_bar(bar, N, 0.01, np.random.default_rng(seed))[1] for seed in range(300)]
        return float(np.mean([top < bottom for top, bottom in draws]))

    assert 0.4 < share_of_high_first((10.0, 11.0, 9.0, 10.0)) < 0.6
    falls = share_of_high_first(
        (10.9, 11.0, 9.0, 9.1)
    )  # high lies beside the open, low beside the close
    assert 0.85 < falls < 1.0


def test_a_path_moves_about_as_much_as_its_range_says():
    path, _ = unfold_bar((100.0, 110.0, 90.0, 100.0), N, 0.01, np.random.default_rng(3))
    daily = np.sqrt((np.diff(path) ** 2).sum())
    assert (
        8 < daily < 25
    )  # Parkinson's volatility of a range of 20 is 12; the way to the extremes adds to it


@given(previous=PRICE, close=PRICE, sigma=st.floats(0, 0.2), seed=st.integers(0, 2**32))
def test_closes_are_joined_exactly_and_stay_positive(previous, close, sigma, seed):
    path = unfold_close(previous, close, sigma, N, 0.01, np.random.default_rng(seed))
    assert (path[0], path[-1]) == (previous, close)
    assert path.min() > 0


def test_volume_comes_in_a_u_and_ends_at_all_of_it():
    shares = volume_profile(N)
    steps = np.diff(shares, prepend=0.0)
    assert shares[-1] == 1.0
    assert steps.min() > 0
    assert steps[0] / steps[N // 2] == pytest.approx(2.5, rel=0.01)
