"""Values at risk walked over a past are those that stating them bar by bar gives, and see nothing later."""

import numpy as np
import pytest

from engine.domain.errors import InvalidValueError
from engine.kernels import tail_risk
from engine.kernels.walked_tail import COLUMNS, walked

R = np.random.default_rng(7).standard_t(4, 700) * 0.01


def one_by_one(r: np.ndarray, confidence: float, method: str) -> float:
    if method == "historical":
        return tail_risk.value_at_risk(r, confidence)
    if method == "parametric":
        return tail_risk.parametric_value_at_risk(r, confidence)
    return tail_risk.simulated_tail(r, 3).value_at_risk(confidence)


@pytest.mark.parametrize(("n", "window"), [(250, 500), (690, 60), (700, 500), (40, 700)])
def test_each_bar_gets_what_the_returns_before_it_say(n: int, window: int):
    found = walked(R, n, window, 30, 3)
    first = max(30, R.size - n)
    assert found.shape == (R.size - first, 6)
    for t in range(first, R.size, 37):
        past = R[max(0, t - window) : t]
        expected = [one_by_one(past, confidence, method) for method, confidence in COLUMNS]
        np.testing.assert_allclose(found[t - first], expected, rtol=1e-10)


def test_what_comes_later_changes_nothing():
    later = R.copy()
    later[650:] = np.random.default_rng(8).permutation(later[650:]) * 5
    before, after = walked(R, 250, 500, 30, 3), walked(later, 250, 500, 30, 3)
    np.testing.assert_array_equal(before[:201], after[:201])
    assert (before[201:] != after[201:]).any()


def test_a_short_past_gives_fewer_and_none_below_the_least():
    assert walked(R[:40], 250, 500, 30, 3).shape == (10, 6)
    assert walked(R[:30], 250, 500, 30, 3).shape == (0, 6)
    assert walked(R[:0], 250, 500, 30, 3).shape == (0, 6)


def test_a_total_loss_has_no_log_return():
    with pytest.raises(InvalidValueError, match="above -1"):
        walked([0.01] * 40 + [-1.0] + [0.01] * 5, 10, 30, 20, 0)
