"""Outlook and record: what somebody thinks, and what is stored of the paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError
from engine.domain.forecast import QUANTILE_LEVELS
from engine.forecasts.size import Drawn, Outlook, Size, under
from engine.kernels.selection import row_quantiles
from tests.forecasts.pasts import L5

PATHS = np.vstack(
    [np.zeros(500), np.random.default_rng(1).normal(0.0, 0.01, (3, 500)).cumsum(axis=0)]
)


def drawn(n_stressed: int) -> Drawn:
    logs = PATHS.copy()
    logs[1:, 500 - n_stressed :] -= 0.2
    return Drawn(
        level=L5,
        logs=logs,
        drift_per_step=0.0,
        drift_error_per_step=0.0,
        sigma_per_step=0.01,
        n_observations=500,
        n_stressed=n_stressed,
    )


def test_the_usual_outlook_changes_nothing():
    assert under(Outlook(), PATHS) is PATHS
    assert Outlook().is_usual


@given(st.floats(-0.9, 0.9), st.floats(0.0, 10.0))
@settings(deadline=None)
def test_an_outlook_shifts_by_the_shock_and_scales_deviations(shock: float, volatility: float):
    moved = under(Outlook(shock=shock, volatility=volatility), PATHS)
    middle = PATHS.mean(axis=1)
    assert (moved[0] == 0.0).all()
    np.testing.assert_allclose(moved[1:].mean(axis=1), middle[1:] + shock, atol=1e-12)
    np.testing.assert_allclose(moved[1:].std(axis=1), volatility * PATHS[1:].std(axis=1), atol=1e-9)


@pytest.mark.parametrize("name", ["shock", "volatility"])
@pytest.mark.parametrize("value", [-1.0, 11.0, float("nan"), float("inf")])
def test_what_no_market_can_do_is_refused(name: str, value: float):
    with pytest.raises(InvalidValueError, match=name):
        Outlook(**{name: value})


@pytest.mark.parametrize("wrong", [{"n_paths": 0}, {"n_steps": 0}])
def test_nothing_to_simulate_is_refused(wrong: dict):
    with pytest.raises(InvalidValueError, match=next(iter(wrong))):
        Size(**({"n_paths": 1, "n_steps": 1, "seed": 1} | wrong))


def test_without_a_stress_the_record_is_that_of_all_paths():
    expected = row_quantiles(PATHS[[1, 3]], QUANTILE_LEVELS).T
    np.testing.assert_array_equal(drawn(0).record((1, 3)), expected)


def test_an_explicit_stress_stands_in_the_outermost_levels_alone():
    made = drawn(5)
    record = made.record((3,))[0]
    central = row_quantiles(PATHS[[3], :495], QUANTILE_LEVELS)[:, 0]
    np.testing.assert_array_equal(record[1:-1], central[1:-1])
    assert record[0] < -0.15 < central[0]
    assert (np.diff(record) >= 0.0).all()
