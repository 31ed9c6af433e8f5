"""A line of the calibration table, every column worked by hand on ten forecasts."""

import math

import numpy as np
import pytest

from benchmarks.calibration import row_of
from benchmarks.walk_forward import SettledForecasts, WalkPlan
from engine.kernels.scoring import LEVEL_SCORES

N = 10
PITS = np.array([0.02, 0.03, 0.11, 0.2, 0.4, 0.5, 0.6, 0.8, 0.93, 0.97])
OUTCOMES = np.array([-4.0, -2.8, -2.0, -1.0, 0.0, 0.0, 0.1, 1.0, 1.5, 2.0])
"""Beside normal quantiles, whose 0.1 % is -3.09 and whose 1 % is -2.33."""
TERCILES = np.array([0, 0, 0, 1, 1, -1, 1, 2, 2, 2])


def settled(crps: np.ndarray, terciles: np.ndarray = TERCILES) -> SettledForecasts:
    return SettledForecasts(
        plan=WalkPlan(first=1), origins=np.arange(1, N + 1), outcomes=OUTCOMES,
        quantiles=np.tile(LEVEL_SCORES, (N, 1)), pits=PITS, crps=crps, terciles=terciles,
    )  # fmt: skip


BASE = settled(np.full(N, 0.5))
ROW = row_of("L2", settled(np.repeat([0.4, 0.5], N // 2)), BASE)


def test_bands_hold_the_outcomes_whose_pits_lie_inside():
    assert (ROW["level"], ROW["n"]) == ("L2", 10)
    held = [ROW[name] for name in ("cov50", "cov80", "cov90", "cov95")]
    assert held == pytest.approx([0.3, 0.6, 0.7, 0.9])


def test_terciles_are_those_of_the_origins_and_what_is_not_known_is_left_out():
    assert ROW["cov90_calm"] == pytest.approx(1 / 3)  # 0.02 and 0.03 lie outside
    assert ROW["cov90_usual"] == 1.0
    assert ROW["cov90_wild"] == pytest.approx(2 / 3)  # 0.97 lies outside
    calm = row_of("L2", settled(np.full(N, 0.4), np.zeros(N, int)), BASE)
    assert (calm["cov90_calm"], calm["cov90_wild"]) == (pytest.approx(0.7), None)


def test_exceptions_are_outcomes_below_the_quantile():
    assert ROW["var99_exceptions"] == 0.2
    assert ROW["var999_exceptions"] == 0.1


def test_the_likelihood_ratio_is_of_misses_that_follow_misses():
    # misses of the 90 % band: 1 1 0 0 0 0 0 0 0 1, so n11 = n10 = n01 = 1 and n00 = 6
    apart = 6 * math.log(6 / 7) + math.log(1 / 7) + 2 * math.log(1 / 2)
    overall = 7 * math.log(7 / 9) + 2 * math.log(2 / 9)
    assert ROW["independence_lr"] == pytest.approx(2 * (apart - overall))
    assert ROW["independence_lr"] == pytest.approx(1.0205, abs=1e-4)


def test_the_distance_from_uniform_is_the_largest_step():
    assert ROW["pit_ks"] == pytest.approx(0.2)  # 0.4 of the forecasts lie at or below 0.2


def test_crps_is_the_mean_and_compared_in_per_cent_of_the_base():
    assert ROW["crps"] == pytest.approx(0.45)
    assert ROW["crps_vs_l1_percent"] == pytest.approx(-10.0)


def test_the_t_is_that_of_a_mean_of_differences():
    # half of them -0.1, half 0: mean -0.05, deviation 0.05 sqrt(10 / 9), n = 10
    assert ROW["dm_t"] == pytest.approx(-0.05 / (0.05 * math.sqrt(10 / 9)) * math.sqrt(10))
    assert ROW["dm_t"] == pytest.approx(-3.0)


def test_the_base_is_not_compared_with_itself():
    row = row_of("L1", BASE, BASE)
    assert (row["crps_vs_l1_percent"], row["dm_t"]) == (0.0, None)
