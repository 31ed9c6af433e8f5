import numpy as np
import pytest

from engine.kernels.regime import Regime, regime_of


def noisy(seed=1, n=300, sigma=0.01):
    return 100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, sigma, n)))


def test_a_saw_ranges_and_a_line_trends():
    saw = 100.0 + (-1.0) ** np.arange(300)
    assert regime_of(saw) == Regime.RANGING
    line = np.concatenate([saw, 100.0 + 0.5 * np.arange(1, 31)])
    assert regime_of(line) == Regime.TRENDING


def test_a_shock_is_turbulent_whatever_its_direction():
    for jump in (0.8, 1.25):
        prices = noisy()
        assert regime_of([*prices, prices[-1] * jump]) == Regime.TURBULENT


@pytest.mark.parametrize("n", [0, 1, 20])
def test_too_few_bars_are_unknown(n):
    assert regime_of(np.full(n, 5.0)) == Regime.UNKNOWN


def test_a_flat_market_ranges():
    assert regime_of(np.full(50, 5.0)) == Regime.RANGING


def test_a_random_walk_rarely_looks_like_a_trend():
    words = [regime_of(noisy(seed, n=80)) for seed in range(300)]
    share = words.count(Regime.TRENDING) / 300
    # 15 % by design, 4 standard errors of 300 walks either side
    assert 0.07 < share < 0.24
