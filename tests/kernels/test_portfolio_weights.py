import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from engine.domain.errors import InvalidValueError
from engine.kernels.portfolio_weights import inverse_volatility_weights, minimum_variance_weights


def covariance(seed, n_assets, scale=1e-4):
    """A covariance of assets that share a factor, so that some are better left out."""
    rng = np.random.default_rng(seed)
    exposure = rng.uniform(0.2, 2.0, n_assets)
    return scale * (np.outer(exposure, exposure) + np.diag(rng.uniform(0.1, 1.0, n_assets)))


seeds, sizes = st.integers(0, 10_000), st.integers(1, 12)


def test_two_assets_worked_by_hand():
    # unbound it is (s2^2 - c) / (s1^2 + s2^2 - 2 c): 0.03 / 0.03 of the calm asset and nothing of the other
    assert minimum_variance_weights([[0.01, 0.01], [0.01, 0.04]]) == pytest.approx([1.0, 0.0])
    assert minimum_variance_weights([[0.01, 0.004], [0.004, 0.04]]) == pytest.approx(
        [0.036 / 0.042, 0.006 / 0.042]
    )
    # the other one would be sold short
    assert minimum_variance_weights([[0.01, 0.019], [0.019, 0.04]]).tolist() == [1.0, 0.0]


@given(seeds, sizes)
def test_weights_are_a_whole_and_never_short(seed, n_assets):
    s = covariance(seed, n_assets)
    for weights in (minimum_variance_weights(s), inverse_volatility_weights(s)):
        assert weights.shape == (n_assets,)
        assert (weights >= 0.0).all()
        assert weights.sum() == pytest.approx(1.0)


@given(seeds, sizes)
def test_no_shift_from_one_asset_to_another_lowers_the_variance(seed, n_assets):
    s = covariance(seed, n_assets)
    w = minimum_variance_weights(s)
    slope = s @ w
    # the conditions of Karush, Kuhn and Tucker: what is held has one slope, what is not held a higher one
    least = float(w @ s @ w)
    assert slope[w > 0.0] == pytest.approx(least, rel=1e-8)
    assert (slope >= least * (1.0 - 1e-8)).all()


@pytest.mark.parametrize("seed", range(5))
def test_it_equals_a_general_optimiser(seed):
    s = covariance(seed, 8, scale=1.0)
    found = minimize(
        lambda w: w @ s @ w, np.full(8, 1 / 8), jac=lambda w: 2.0 * s @ w, method="SLSQP", tol=1e-14,
        bounds=[(0.0, 1.0)] * 8, constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0},
    )  # fmt: skip
    assert minimum_variance_weights(s) == pytest.approx(found.x, abs=1e-5)


@given(seeds, sizes, st.floats(1e-12, 1e6))
def test_the_unit_of_returns_does_not_matter(seed, n_assets, scale):
    s = covariance(seed, n_assets)
    for weigh in (minimum_variance_weights, inverse_volatility_weights):
        assert weigh(scale * s) == pytest.approx(weigh(s), rel=1e-6, abs=1e-9)


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=10))
def test_unrelated_assets_weigh_by_variance_and_by_volatility(deviations):
    d = np.array(deviations)
    s = np.diag(d**2)
    assert minimum_variance_weights(s) == pytest.approx(d**-2 / (d**-2).sum())
    assert inverse_volatility_weights(s) == pytest.approx(1.0 / d / (1.0 / d).sum())


def test_only_the_diagonal_counts_for_the_inverse_of_volatility():
    copies = [[0.01, 0.01], [0.01, 0.01]]
    assert inverse_volatility_weights(copies).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([0.01, 0.02], r"shape \(n_assets, n_assets\)"),
        ([[0.01, 0.0]], r"shape \(n_assets, n_assets\)"),
        (np.empty((0, 0)), r"shape \(n_assets, n_assets\)"),
        ([[0.01, np.nan], [np.nan, 0.01]], "be finite"),
        ([[0.01, 0.0], [0.0, 0.0]], "positive variances, asset 1 too"),
        ([[0.01, 0.002], [0.001, 0.01]], "be symmetric"),
    ],
)
def test_a_matrix_that_is_no_covariance_is_refused(matrix, message):
    for weigh in (minimum_variance_weights, inverse_volatility_weights):
        with pytest.raises(InvalidValueError, match=message):
            weigh(matrix)


def test_assets_that_are_made_of_others_have_no_one_answer():
    rng = np.random.default_rng(1)
    r = rng.standard_normal((50, 3))
    twins = np.cov(np.column_stack([r, r[:, 0]]), rowvar=False)
    few = np.cov(r[:3], rowvar=False)
    impossible = np.array([[0.01, 0.02], [0.02, 0.01]])
    for matrix in (twins, few, impossible):
        with pytest.raises(InvalidValueError, match="be positive definite"):
            minimum_variance_weights(matrix)
