"""Risk numbers of one scope: the same as by their kernels alone."""

import numpy as np
import pytest

from engine.agents.observations import ClosedBars
from engine.agents.risk_figures import Measured, aligned_returns, measure
from engine.kernels.paths import stream_seed
from engine.kernels.tail_risk import monte_carlo_value_at_risk

CLOSES = 100.0 * np.exp(np.cumsum(np.random.default_rng(4).normal(0.0, 0.01, 600)))
TIMES = 60.0 * np.arange(1, 601)


def test_the_simulated_value_at_risk_is_that_of_its_own_stream():
    r = np.diff(CLOSES) / CLOSES[:-1]
    metrics = measure(Measured(scope="A", returns=r, closes=CLOSES, periods_per_year=252.0, seed=3))
    seed = stream_seed(3, "A", 0, 0)
    for confidence, shown in (
        (0.95, metrics.var_95_monte_carlo),
        (0.99, metrics.var_99_monte_carlo),
    ):
        alone = monte_carlo_value_at_risk(r, confidence, np.random.default_rng(seed))
        assert shown == alone.value_at_risk


def test_symbols_of_one_calendar_are_aligned_as_any_others():
    a = ClosedBars("A", CLOSES, TIMES)
    b = ClosedBars("B", CLOSES[::-1], TIMES)
    longer = ClosedBars("B", np.append(CLOSES[::-1], 1.0), np.append(TIMES, TIMES[-1] + 60.0))
    together, apart = aligned_returns((a, b)), aligned_returns((a, longer))
    assert together.shape == (2, 500)
    np.testing.assert_array_equal(together, apart)


def test_bars_without_common_times_have_no_returns():
    a = ClosedBars("A", CLOSES, TIMES)
    b = ClosedBars("B", CLOSES, TIMES + 1.0)
    assert aligned_returns((a, b)).shape == (2, 0)


def test_bars_without_times_count_from_their_end():
    a, b = ClosedBars("A", CLOSES), ClosedBars("B", CLOSES[-3:])
    assert aligned_returns((a, b)) == pytest.approx(
        np.tile(np.diff(CLOSES[-3:]) / CLOSES[-3:-1], (2, 1))
    )
