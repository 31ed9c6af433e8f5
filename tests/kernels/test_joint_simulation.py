import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.joint_simulation import (
    choose_regimes,
    portfolio_values,
    rows_correlated_as_today,
    shock_rows,
)
from engine.kernels.threads import WORTH_SHARING

N_ASSETS = 3


def rng(seed=1):
    return np.random.default_rng(seed)


def correlated(n=900, seed=3):
    """Shocks with a common factor and common crashes."""
    generator = rng(seed)
    common = generator.standard_t(4, n)[:, None]
    return 0.8 * common + 0.6 * generator.standard_normal((n, N_ASSETS))


ROWS = shock_rows(correlated())
PATHS = np.log([100.0, 5.0, 40_000.0])[:, None, None] + np.cumsum(
    0.02 * rng().standard_normal((N_ASSETS, 5, 20)), axis=1
)
"""Log prices of three assets."""


@settings(deadline=None)
@given(st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
def test_portfolio_values_start_at_one_and_follow_their_weights(weights):
    values = portfolio_values(PATHS, weights)
    assert values.shape == PATHS.shape[1:]
    assert (values[0] == 1.0).all()
    prices = np.exp(PATHS)
    by_hand = 1.0 + np.tensordot(weights, prices / prices[:, :1] - 1.0, axes=1)
    np.testing.assert_allclose(values, by_hand, atol=1e-9)


def test_cash_stays_and_a_whole_position_is_the_asset():
    assert (portfolio_values(PATHS, np.zeros(3)) == 1.0).all()
    np.testing.assert_allclose(portfolio_values(PATHS, [0, 1, 0]), np.exp(PATHS[1] - PATHS[1, 0]))


def test_rows_are_standardised_column_by_column():
    rows = shock_rows(correlated() * [1.0, 5.0, 0.1] + 3.0)
    np.testing.assert_allclose(rows.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(rows.std(axis=0), 1.0)
    np.testing.assert_allclose(rows, ROWS, atol=1e-9)


def chosen_plainly(picks, chances, rows, law):
    """The definition, one path after another."""
    first, calm_stays, stress_stays = law
    result = picks.copy()
    for p in range(picks.shape[1]):
        stress = first
        for t in range(picks.shape[0]):
            is_stressed = chances[t, p] < stress
            regime = rows[1] if is_stressed else rows[0]
            result[t, p] = regime[picks[t, p] % regime.size]
            stress = stress_stays if is_stressed else 1.0 - calm_stays
    return result


@pytest.mark.parametrize("n_paths", [30, WORTH_SHARING // 8 + 3])
def test_regimes_are_chosen_path_by_path(n_paths):
    generator = rng(4)
    picks = generator.integers(0, 2**32 - 1, size=(8, n_paths), dtype=np.uint32)
    chances, rows = generator.random(picks.shape), (np.arange(0, 50), np.arange(50, 63))
    law = (0.3, 0.95, 0.8)
    expected = chosen_plainly(picks, chances, rows, law)
    choose_regimes(picks, chances, rows, law)
    np.testing.assert_array_equal(picks, expected)


def changing(n=1_500, late=0.9):
    """Shocks that hardly correlate, until the last 150 do."""
    generator = rng(5)
    common, own = generator.standard_normal((n, 1)), generator.standard_normal((n, N_ASSETS))
    rho = np.where(np.arange(n) < n - 150, 0.1, late)[:, None]
    return shock_rows(np.sqrt(rho) * common + np.sqrt(1 - rho) * own)


def test_rows_correlate_as_today_and_not_as_on_average():
    rows = changing()
    mixed = rows_correlated_as_today(rows)
    assert np.corrcoef(rows.T)[0, 1] < 0.3
    assert np.corrcoef(mixed.T)[0, 1] > 0.7
    np.testing.assert_allclose(mixed.std(axis=0), 1.0)
    # where nothing changed, next to nothing is mixed
    steady = changing(late=0.1)
    assert np.corrcoef(rows_correlated_as_today(steady, 0.999).T) == pytest.approx(
        np.corrcoef(steady.T), abs=0.06
    )


def test_the_order_of_the_assets_does_not_matter():
    rows, order = changing(), [2, 0, 1]
    np.testing.assert_allclose(
        rows_correlated_as_today(rows[:, order]),
        rows_correlated_as_today(rows)[:, order],
        atol=1e-9,
    )


def test_assets_that_move_as_one_stay_so():
    rows = changing()
    mixed = rows_correlated_as_today(np.column_stack([rows, rows[:, 0]]))
    assert np.isfinite(mixed).all()
    assert np.corrcoef(mixed[:, 0], mixed[:, 3])[0, 1] > 0.98


def test_rows_need_columns_that_move():
    with pytest.raises(InvalidValueError, match="residuals must have shape"):
        shock_rows(np.ones(30))
    with pytest.raises(NotEnoughDataError, match="two values that differ"):
        shock_rows(np.column_stack([rng().normal(size=30), np.ones(30)]))


def test_weights_are_one_per_asset():
    with pytest.raises(InvalidValueError, match="weights must be one per asset"):
        portfolio_values(PATHS, [0.5, 0.5])
