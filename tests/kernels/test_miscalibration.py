import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from scipy import integrate, stats

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.miscalibration import _ENDS, Fault, _log_ratios, detect_miscalibration
from engine.kernels.scoring import LEVELS, pit_quantiles


def pits(seed, n, spread=1.0, shift=0.0):
    """PITs of forecasts whose outcomes are `spread` times as wide and `shift` deviations off."""
    return stats.norm.cdf(shift + spread * np.random.default_rng(seed).normal(size=n))


def log_ratios(z, fault):
    """Return the rows of one fault."""
    ends = [0, *_ENDS]
    place = list(Fault).index(fault)
    return _log_ratios(z)[ends[place] : ends[place + 1]]


def delays(n_seeds, n, **fault):
    """Forecasts until the flag, and the faults that were named."""
    found = [detect_miscalibration(pits(seed, n, **fault)) for seed in range(n_seeds)]
    assert all(f.flagged_at for f in found)
    return np.array([f.flagged_at for f in found]), [f.fault for f in found]


def test_true_forecasts_are_hardly_ever_flagged_in_two_thousand_looks():
    alarms = sum(detect_miscalibration(pits(s, 2_000)).flagged_at is not None for s in range(300))
    # the promise is 1 %: 3 of 300 expected at most, 9 is more than three deviations above
    assert alarms <= 9


def test_a_looser_rate_flags_more_and_keeps_its_promise():
    alarms = sum(
        detect_miscalibration(pits(s, 1_000), 0.2).flagged_at is not None for s in range(200)
    )
    assert 3 <= alarms <= 0.2 * 200


@pytest.mark.parametrize("window", [120, 750])
def test_a_fitted_gbm_on_its_own_market_is_not_flagged(window):
    alarms = 0
    for seed in range(120):
        r = np.random.default_rng(seed).normal(0.0003, 0.012, size=1_000 + window)
        past = sliding_window_view(r, window)[:-1]
        u = stats.norm.cdf((r[window:] - past.mean(axis=1)) / past.std(axis=1, ddof=1))
        alarms += detect_miscalibration(u).flagged_at is not None
    # 1.2 expected at most
    assert alarms <= 5


def test_a_doubled_sigma_is_flagged_within_45_forecasts():
    took, faults = delays(300, 200, spread=2.0)
    assert np.quantile(took, 0.99) <= 45
    assert took.max() <= 70
    assert np.mean([f is Fault.TOO_NARROW for f in faults]) > 0.9


def test_a_halved_sigma_is_flagged_within_45_forecasts():
    took, faults = delays(300, 200, spread=0.5)
    assert np.quantile(took, 0.99) <= 45
    assert set(faults) == {Fault.TOO_WIDE}


def test_a_shift_of_half_a_deviation_is_flagged_with_its_direction():
    took, faults = delays(100, 400, shift=0.5)
    assert np.quantile(took, 0.95) <= 150
    assert np.mean([f is Fault.TOO_LOW for f in faults]) > 0.9
    _, faults = delays(100, 400, shift=-0.5)
    assert np.mean([f is Fault.TOO_HIGH for f in faults]) > 0.9


@pytest.mark.parametrize(("spread", "bound"), [(2.0, 65), (0.5, 90)])
def test_a_fault_that_begins_after_500_true_forecasts_is_found(spread, bound):
    took = []
    for seed in range(200):
        u = np.concatenate([pits(seed, 500), pits(1_000 + seed, 300, spread=spread)])
        found = detect_miscalibration(u)
        assert found.flagged_at
        if found.flagged_at > 500:
            took.append(found.flagged_at - 500)
    assert len(took) > 190
    assert np.quantile(took, 0.99) <= bound


def test_it_reads_quantile_forecasts_with_their_clamped_tails():
    q = np.tile(stats.norm.ppf(LEVELS), (400, 1))
    flagged = []
    for seed in range(60):
        z = np.random.default_rng(seed).normal(size=400)
        assert detect_miscalibration(pit_quantiles(q, z)).flagged_at is None
        flagged.append(detect_miscalibration(pit_quantiles(q, 2.0 * z)).flagged_at)
    assert max(flagged) <= 60


@pytest.mark.parametrize("fault", Fault)
def test_every_bet_is_fair(fault):
    n_alternatives = log_ratios(np.zeros(1), fault).shape[0]
    for k in range(n_alternatives):
        mean, _ = integrate.quad(
            lambda z, k=k: math.exp(log_ratios(np.array([z]), fault)[k, 0]) * stats.norm.pdf(z),
            -30, 30, limit=400, points=[0.0],
        )  # fmt: skip
        assert mean == pytest.approx(1.0, abs=1e-6)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=40))
def test_the_evidence_is_that_of_a_plain_sum_over_all_beginnings(u):
    z = stats.norm.ppf(u)
    n = len(u)
    for fault, evidence in detect_miscalibration(u).evidence.items():
        ratios = np.exp(log_ratios(z, fault))
        begun = sum(ratios[:, j - 1 :].prod(axis=1) / (j * (j + 1)) for j in range(1, n + 1))
        assert 10**evidence == pytest.approx(np.mean(begun + 1 / (n + 1)), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40), st.floats(0.3, 3.0))
def test_a_flag_once_raised_stays_where_it_was(seed, n, spread):
    u = pits(seed, n, spread=spread)
    whole = detect_miscalibration(u)
    for k in range(1, n):
        part = detect_miscalibration(u[:k])
        assert part.p_value >= whole.p_value
        expected = whole.flagged_at if whole.flagged_at and whole.flagged_at <= k else None
        assert part.flagged_at == expected


def test_mirrored_outcomes_mirror_the_direction():
    u = pits(3, 60, spread=1.3, shift=0.4)
    one, other = detect_miscalibration(u).evidence, detect_miscalibration(1.0 - u).evidence
    assert one[Fault.TOO_LOW] == pytest.approx(other[Fault.TOO_HIGH])
    assert one[Fault.TOO_NARROW] == pytest.approx(other[Fault.TOO_NARROW])


def test_impossible_outcomes_give_finite_evidence():
    found = detect_miscalibration([0.0, 1.0] * 200)
    assert all(math.isfinite(e) for e in found.evidence.values())
    assert found.fault is Fault.TOO_NARROW


def test_mistakes_are_named():
    with pytest.raises(InvalidValueError, match="false_alarm_rate"):
        detect_miscalibration([0.5], 0.0)
    with pytest.raises(NotEnoughDataError, match="pits"):
        detect_miscalibration([])


def plain_evidence(pits: np.ndarray, fault: Fault) -> float:
    """The definition in logarithms: the mean over alternatives of all bets, begun or still waiting."""
    ratios = log_ratios(stats.norm.ppf(np.clip(pits, 1e-12, 1 - 1e-12)), fault)
    places = np.arange(1, pits.size + 1)
    sums = np.cumsum(ratios, axis=1)
    bets = sums[:, -1:] - (sums - ratios) - np.log(places * (places + 1.0))
    waiting = np.full((bets.shape[0], 1), -np.log(pits.size + 1.0))
    total = np.logaddexp.reduce(np.hstack([bets, waiting]), axis=1)
    return float((np.logaddexp.reduce(total) - np.log(total.size)) / np.log(10.0))


@pytest.mark.parametrize("n_wild", [0, 5, 14, 15, 16, 40])
@pytest.mark.parametrize("n_calm", [0, 50, 400])
def test_evidence_is_that_of_the_definition_also_beyond_the_range_of_numbers(n_wild, n_calm):
    """Evidence that has left the range of numbers and comes back is counted with all the others."""
    rng = np.random.default_rng(n_wild)
    far = np.where(rng.random(n_wild) < 0.5, 1e-12, 1.0 - 1e-12)
    pits = np.r_[far, 0.5 + 0.01 * rng.standard_normal(n_calm), 0.3]
    found = detect_miscalibration(pits).evidence
    for fault in Fault:
        assert found[fault] == pytest.approx(plain_evidence(pits, fault), abs=1e-8, rel=1e-9)
