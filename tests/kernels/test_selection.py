"""Quantiles by buckets against a full sort, on rows that are kind to buckets and on rows that are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.domain.errors import InvalidValueError
from engine.domain.forecast import FAN_LEVELS, QUANTILE_LEVELS
from engine.kernels.selection import _select_rows, quantile_of, ranks_of, row_quantiles

LEVELS = (0.0, *QUANTILE_LEVELS, 1.0)


def plain(rows, levels):
    """The reference: NumPy's own quantiles of the float32 values."""
    return np.quantile(np.asarray(rows, np.float32).astype(np.float64), levels, axis=1)


def hard_rows(n):
    """Rows of every sort that buckets of equal width dislike."""
    rng = np.random.default_rng(n)
    z = rng.standard_normal(n)
    outlier = z.copy()
    outlier[n // 2] = 1e30
    return np.stack(
        [
            z, rng.standard_t(2.1, n), np.exp(3.0 * z), np.sign(z), np.zeros(n), np.full(n, -0.0125),
            np.sort(z), -np.sort(z), rng.integers(0, 3, n), outlier, z * 1e-38, z * 1e20, 1.0 + z * 1e-7,
            np.where(z > 0.5, z * 1e6, z * 1e-6), np.linspace(-1.0, 1.0, n),
        ]
    ).astype(np.float32)  # fmt: skip


def test_quantiles_of_five_numbers_worked_by_hand():
    # order 1 2 3 4 5: 0.25 is the second, 0.1 four tenths of the way from the first to the second
    rows = np.array([[5.0, 3.0, 1.0, 4.0, 2.0]])
    found = row_quantiles(rows, [0.0, 0.1, 0.25, 0.5, 1.0])
    assert found.ravel() == pytest.approx([1.0, 1.4, 2.0, 3.0, 5.0])


@pytest.mark.parametrize("n", [1, 2, 3, 7, 48, 49, 63, 100, 1_000, 4_097, 40_000])
def test_rows_of_every_kind_have_numpys_quantiles(n):
    rows = hard_rows(n)
    assert row_quantiles(rows, LEVELS) == pytest.approx(plain(rows, LEVELS), rel=1e-12, abs=0.0)


@settings(max_examples=150, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 300)),
           elements=st.floats(-1e6, 1e6, width=32)),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9).map(sorted),
)  # fmt: skip
def test_any_row_at_any_levels_has_numpys_quantiles(rows, levels):
    found, scale = row_quantiles(rows, levels), np.abs(rows).max()
    assert np.abs(found - plain(rows, levels)).max() <= 1e-12 * scale
    assert (np.diff(found, axis=0) >= -1e-12 * scale).all()


@pytest.mark.parametrize("n", [1, 3, 50, 1_000])
def test_order_statistics_are_those_of_a_sort_to_the_bit(n):
    rows = hard_rows(n)
    every = np.arange(n)
    chosen = np.empty((rows.shape[0], n), np.float32)
    _select_rows(rows.astype(np.float64), chosen, every)
    assert (chosen == np.sort(rows, axis=1)).all()


def test_doubles_and_other_layouts_are_taken_too():
    rows = np.random.default_rng(1).standard_normal((500, 4))
    found = row_quantiles(rows.T, FAN_LEVELS)
    assert found == pytest.approx(np.quantile(rows, FAN_LEVELS, axis=0), rel=1e-6)


def test_ranks_are_each_named_once():
    ranks = ranks_of(np.array([0.0, 0.1, 0.11, 1.0]), 11)
    assert ranks.ranks.tolist() == [0, 1, 2, 10]
    assert ranks.share == pytest.approx([0.0, 0.0, 0.1, 0.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("n", [3, 1_000])
@pytest.mark.parametrize("at", [0, -1])
def test_a_value_that_is_not_finite_is_refused_with_its_row(bad, n, at):
    rows = np.ones((3, n))
    rows[1, at] = bad
    with pytest.raises(
        InvalidValueError, match=r"^rows must be finite, was NaN or infinite in row 1; "
    ):
        row_quantiles(rows, [0.5])


@pytest.mark.parametrize(
    ("name", "shape", "levels"),
    [
        ("rows", (3,), [0.5]),
        ("rows", (0, 3), [0.5]),
        ("rows", (3, 0), [0.5]),
        ("levels", (1, 3), [0.5, 0.4]),
        ("levels", (1, 3), []),
        ("levels", (1, 3), [1.1]),
        ("levels", (1, 3), [np.nan]),
    ],
)
def test_senseless_arguments_are_refused_by_name(name, shape, levels):
    with pytest.raises(InvalidValueError, match=f"^{name} must"):
        row_quantiles(np.zeros(shape), levels)


@settings(max_examples=300)
@given(
    arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e3, 1e3)),
    st.floats(0.0, 1.0),
)
def test_one_quantile_is_numpys_to_the_bit(values, level):
    assert quantile_of(values, level) == np.quantile(values, level)
