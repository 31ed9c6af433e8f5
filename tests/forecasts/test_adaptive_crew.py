"""Level 3's experts: the better one wins weight, and only settled forecasts teach."""

import numpy as np
import pytest

from engine.forecasts.adaptive_crew import EXPERTS, AdaptiveCrew, Experts, Known, experts_of
from engine.kernels.adaptive import SettledForecast
from engine.kernels.paths import DriftAndSigma
from engine.kernels.scoring import LEVEL_SCORES
from tests.forecasts.pasts import past_of, restless, size

PAST = past_of(restless(200))
ESTIMATE = DriftAndSigma(
    drift_per_step=0.0, drift_error_per_step=0.001, sigma_per_step=0.01, n_observations=200
)


def said(widths: tuple[float, ...], horizons=(1,)) -> Experts:
    rows = np.stack([width * LEVEL_SCORES for width in widths])
    return Experts(horizons=horizons, quantiles=np.stack([rows] * len(horizons)))


def taught(widths: tuple[float, ...], n: int = 120) -> AdaptiveCrew:
    crew, rng = AdaptiveCrew(), np.random.default_rng(1)
    for origin in range(n):
        (issued,) = crew.issue("AAA", origin, said(widths))
        crew.learn(SettledForecast(issued=issued, outcome=float(rng.normal(0.0, 0.01))))
    return crew


def test_before_anything_is_settled_all_experts_count_alike():
    assert AdaptiveCrew().weights("AAA", 1) == tuple((name, 0.2) for name in EXPERTS)


def test_the_better_planted_expert_wins_weight():
    crew = taught((0.03, 0.03, 0.01, 0.03, 0.03))
    weights = dict(crew.weights("AAA", 1))
    assert weights["FHS"] == max(weights.values()) > 0.9
    assert sum(weights.values()) == pytest.approx(1.0)
    assert crew.weights("AAA", 5)[0][1] == crew.weights("BBB", 1)[0][1] == 0.2


def test_too_narrow_experts_are_stretched_until_the_band_holds():
    crew = taught((0.005,) * 5, n=400)
    assert 1.5 < crew.state("AAA", 1).scale <= 2.0
    crew.forget("AAA")
    assert crew.state("AAA", 1).scale == 1.0


def test_issuing_teaches_nothing():
    crew = AdaptiveCrew()
    for origin in range(5):
        crew.issue("AAA", origin, said((0.01, 0.02, 0.03, 0.04, 0.05), (1, 5)))
    assert crew.state("AAA", 1).n == 0


def test_an_expert_that_the_past_does_not_carry_says_what_the_paths_say():
    logs = np.zeros((6, 400))
    logs[1:] = np.random.default_rng(1).normal(0.0, 0.01, (5, 400)).cumsum(axis=0)
    known = Known(estimate=ESTIMATE, regimes=None, analogues=None)
    found = experts_of(PAST.until(30), logs, known, size(horizons=(1, 5, 20)))
    assert found.horizons == (1, 5), "no farther than the paths reach"
    base, history, filtered, regimes, analogues = found.quantiles[1]
    for silent in (history, regimes, analogues):
        np.testing.assert_array_equal(silent, filtered)
    np.testing.assert_allclose(base, 0.01 * np.sqrt(5.0) * LEVEL_SCORES)
    carried = experts_of(PAST, logs, known, size(horizons=(1, 5))).quantiles[0]
    assert not np.array_equal(carried[1], carried[2])


def test_told_outcomes_move_the_paths_by_a_shrunk_and_capped_error():
    crew = AdaptiveCrew()
    logs = np.zeros((2, 200))
    logs[1] = np.random.default_rng(1).normal(0.0, 0.01, 200)
    issued = crew.issue("AAA", 1, said((0.01,) * 5))
    before = crew.applied("AAA", logs, issued)
    crew.teach("AAA", 100.0, 100.1)
    little = crew.applied("AAA", logs, issued) - before
    np.testing.assert_allclose(little[1], np.log(1.001) / 251.0)
    for _ in range(500):
        crew.teach("AAA", 100.0, 150.0)
    much = crew.applied("AAA", logs, issued) - before
    np.testing.assert_allclose(much[1], 0.1 * logs[1].std())
    assert (much[0] == 0.0).all()
    assert crew.applied("AAA", logs, ()) is logs
