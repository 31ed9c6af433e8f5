"""Excursions of paths, beside their plain definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.domain.errors import InvalidValueError
from engine.kernels.excursions import excursions
from engine.kernels.threads import WORTH_SHARING

paths = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.floats(-3.0, 3.0)
)


@given(paths)
@settings(deadline=None)
def test_one_pass_finds_what_the_definitions_say(logs: np.ndarray):
    found = excursions(logs)
    np.testing.assert_array_equal(found.lowest, logs.min(axis=0))
    np.testing.assert_array_equal(found.highest, logs.max(axis=0))
    falls = logs - np.maximum.accumulate(logs, axis=0)
    np.testing.assert_array_equal(found.deepest, falls.min(axis=0))


def test_paths_shared_among_threads_are_the_same():
    logs = np.random.default_rng(2).standard_normal((40, WORTH_SHARING // 40 + 7)).cumsum(axis=0)
    found = excursions(logs)
    np.testing.assert_array_equal(found.lowest, logs.min(axis=0))
    np.testing.assert_array_equal(found.highest, logs.max(axis=0))
    np.testing.assert_array_equal(
        found.deepest, (logs - np.maximum.accumulate(logs, axis=0)).min(axis=0)
    )


def test_rows_of_another_layout_are_the_same():
    logs = np.random.default_rng(1).standard_normal((6, 40)).cumsum(axis=0)
    for other in (np.asfortranarray(logs), logs[:, ::2], logs.astype(np.float32)):
        np.testing.assert_array_equal(excursions(other).lowest, other.min(axis=0))


@pytest.mark.parametrize("shape", [(5,), (0, 3), (3, 0)])
def test_nothing_simulated_is_refused(shape: tuple[int, ...]):
    with pytest.raises(InvalidValueError, match="logs must have shape"):
        excursions(np.zeros(shape))
