import math

import numpy as np
import pytest

from engine.domain.errors import InvalidValueError
from engine.kernels.returns import return_ahead

LIVED = np.array([90.0, 110.0, 120.0])


def test_the_return_ahead_ends_with_the_close_of_the_horizon():
    found = [return_ahead(100.0, LIVED, horizon) for horizon in (1, 2, 3)]
    assert found == pytest.approx([math.log(0.9), math.log(1.1), math.log(1.2)])


@pytest.mark.parametrize(("n_known", "horizon"), [(0, 1), (2, 3), (3, 4)])
def test_a_close_that_is_not_known_yet_is_refused(n_known: int, horizon: int):
    with pytest.raises(
        InvalidValueError,
        match=f"closes must reach {horizon} bars beyond the origin, was {n_known}",
    ):
        return_ahead(100.0, LIVED[:n_known], horizon)
