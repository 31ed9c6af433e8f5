import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels import markov_regime
from engine.kernels.markov_regime import (
    MarkovFit,
    fit_markov,
    regime_probabilities,
    simulate_regimes,
)

TRUE = MarkovFit(
    calm_mean=0.001, calm_sigma=0.006, stressed_mean=-0.002, stressed_sigma=0.025,
    calm_stay=0.98, stressed_stay=0.94, loglik=0.0, n=0,
)  # fmt: skip


def grown(n=3_000, seed=1, fit=TRUE):
    """Returns and the hidden states, by a plain loop."""
    rng = np.random.default_rng(seed)
    r, states = np.empty(n), np.empty(n, dtype=bool)
    stressed = False
    for t in range(n):
        stay = fit.stressed_stay if stressed else fit.calm_stay
        stressed = stressed if rng.random() < stay else not stressed
        mean, sigma = (
            (fit.stressed_mean, fit.stressed_sigma) if stressed else (fit.calm_mean, fit.calm_sigma)
        )
        r[t], states[t] = rng.normal(mean, sigma), stressed
    return r, states


def plain_filter(r, fit, start):
    """Hamilton's filter with a matrix and the normal law of scipy."""
    move = np.array([
        [fit.calm_stay, 1 - fit.stressed_stay], [1 - fit.calm_stay, fit.stressed_stay],
    ])  # fmt: skip
    laws = (stats.norm(fit.calm_mean, fit.calm_sigma), stats.norm(fit.stressed_mean, fit.stressed_sigma))  # fmt: skip
    prior, stressed, loglik = np.array([1 - start, start]), [], 0.0
    for x in r:
        joint = prior * [law.pdf(x) for law in laws]
        loglik += math.log(joint.sum())
        stressed.append(joint[1] / joint.sum())
        prior = move @ (joint / joint.sum())
    return np.array(stressed), prior[1], loglik - len(r) * math.log(100)


R, STATES = grown()
FIT = fit_markov(R)


def test_the_regimes_of_a_grown_process_are_found_again():
    assert FIT.converged
    assert FIT.calm_sigma == pytest.approx(TRUE.calm_sigma, rel=0.05)
    assert FIT.stressed_sigma == pytest.approx(TRUE.stressed_sigma, rel=0.08)
    assert FIT.calm_stay == pytest.approx(TRUE.calm_stay, abs=0.01)
    assert FIT.stressed_stay == pytest.approx(TRUE.stressed_stay, abs=0.03)
    known = regime_probabilities(R, FIT).stressed > 0.5
    assert np.mean(known == STATES) > 0.93


@settings(deadline=None)
@given(st.lists(st.floats(-0.08, 0.08), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_the_compiled_filter_is_hamiltons(r, start):
    got = regime_probabilities(r, TRUE, start)
    stressed, following, loglik = plain_filter(r, TRUE, start)
    np.testing.assert_allclose(got.stressed, stressed, rtol=1e-9, atol=1e-12)
    assert got.next_stressed == pytest.approx(following)
    assert got.loglik == pytest.approx(loglik)


def test_one_bar_worked_by_hand():
    even = MarkovFit(
        calm_mean=0.0, calm_sigma=1.0, stressed_mean=0.0, stressed_sigma=2.0,
        calm_stay=0.9, stressed_stay=0.8, loglik=0.0, n=0,
    )  # fmt: skip
    # at 0 the calm density is twice the stressed one: 1/3; next 1/3 x 0.8 + 2/3 x 0.1 = 1/3
    got = regime_probabilities([0.0], even, 0.5)
    assert got.stressed == pytest.approx([1 / 3])
    assert got.next_stressed == pytest.approx(1 / 3)
    assert got.label == "calm"
    assert regime_probabilities([0.0, 5.0], even, 0.5).label == "stressed"
    assert even.usual_stress == pytest.approx(1 / 3)
    assert (even.calm_duration, even.stressed_duration) == pytest.approx((10.0, 5.0))


def test_what_comes_after_changes_no_probability_before():
    other = R.copy()
    np.random.default_rng(2).shuffle(other[500:])
    one, two = regime_probabilities(R, TRUE), regime_probabilities(other, TRUE)
    assert (one.stressed[:500] == two.stressed[:500]).all()
    assert not (one.stressed[500:] == two.stressed[500:]).all()


def test_a_filter_may_be_cut_anywhere_and_carried_on():
    whole = regime_probabilities(R, TRUE)
    head = regime_probabilities(R[:800], TRUE)
    tail = regime_probabilities(R[800:], TRUE, head.next_stressed)
    assert (np.r_[head.stressed, tail.stressed] == whole.stressed).all()


@settings(deadline=None)
@given(st.floats(-1e6, 1e6))
def test_a_return_beyond_all_bounds_leaves_probabilities(x):
    got = regime_probabilities([x, 0.0], TRUE)
    assert np.isfinite([*got.stressed, got.next_stressed, got.loglik]).all()
    assert ((got.stressed >= 0.0) & (got.stressed <= 1.0)).all()


@pytest.mark.parametrize("scale", [1e-4, 30.0])
def test_a_fit_scales_with_the_returns(scale):
    fit = fit_markov(scale * R)
    assert fit.stressed_sigma == pytest.approx(scale * FIT.stressed_sigma, rel=1e-3)
    assert fit.calm_stay == pytest.approx(FIT.calm_stay, abs=1e-4)
    assert fit.loglik == pytest.approx(FIT.loglik - R.size * math.log(scale), abs=0.01)


def test_a_warm_start_finds_the_same_optimum():
    for earlier in (FIT, fit_markov(R[:1_000])):
        assert fit_markov(R, earlier).loglik == pytest.approx(FIT.loglik, abs=0.01)


def test_a_fit_that_fails_falls_back_on_a_split_and_says_why(monkeypatch):
    def breaks(*_):
        raise np.linalg.LinAlgError("singular")

    monkeypatch.setattr(markov_regime, "_by_library", breaks)
    fit = fit_markov(R)
    assert not fit.converged
    assert fit.note == "the library failed (singular); a split at the median stands in"
    assert 0.0 < fit.calm_sigma < fit.stressed_sigma
    assert np.isfinite(regime_probabilities(R, fit).stressed).all()


ODD = {
    "one law only": np.random.default_rng(1).normal(size=400),
    "mostly zeros": np.r_[np.zeros(390), np.full(10, 0.01)],
    "one crash": np.r_[np.full(200, 1e-4), -0.5],
    "a saw": np.tile([0.01, -0.01], 100),
    "tiny": R[:400] * 1e-9,
}


@pytest.mark.parametrize("r", ODD.values(), ids=ODD.keys())
def test_odd_histories_still_give_two_regimes_and_probabilities(r):
    fit = fit_markov(r)
    assert fit.converged or fit.note
    assert 0.0 < fit.calm_sigma < fit.stressed_sigma
    got = regime_probabilities(r, fit)
    assert np.isfinite([*got.stressed, got.loglik]).all()


def test_simulated_paths_have_the_chains_moments():
    n = 40_000
    paths = simulate_regimes(100.0, TRUE, 1.0, (40, n), np.random.default_rng(5))
    assert (paths[0] == math.log(100.0)).all()
    steps = np.diff(paths, axis=0)
    chance = 1.0
    for t in range(40):
        mean = chance * TRUE.stressed_mean + (1 - chance) * TRUE.calm_mean
        square = chance * (TRUE.stressed_sigma**2 + TRUE.stressed_mean**2)
        square += (1 - chance) * (TRUE.calm_sigma**2 + TRUE.calm_mean**2)
        sigma = math.sqrt(square - mean**2)
        assert steps[t].mean() == pytest.approx(mean, abs=4.5 * sigma / math.sqrt(n))
        assert steps[t].std() == pytest.approx(sigma, rel=0.05)
        chance = chance * TRUE.stressed_stay + (1 - chance) * (1 - TRUE.calm_stay)
    # squares of neighbouring steps go together: the spells are spells
    assert np.corrcoef(steps[-1] ** 2, steps[-2] ** 2)[0, 1] > 0.1


def test_the_same_generator_state_gives_the_same_paths_and_another_gives_others():
    draw = [
        simulate_regimes(1.0, TRUE, 0.3, (5, 50), np.random.default_rng(seed)) for seed in (5, 5, 6)
    ]
    assert (draw[0] == draw[1]).all()
    assert not (draw[0][1:] == draw[2][1:]).any()


def test_senseless_arguments_are_refused_by_name():
    with pytest.raises(NotEnoughDataError, match="returns must have at least 100"):
        fit_markov(R[:99])
    with pytest.raises(NotEnoughDataError, match="two values that differ"):
        fit_markov(np.zeros(200))
    with pytest.raises(InvalidValueError, match="first_stressed must lie"):
        regime_probabilities(R, TRUE, 1.5)
    with pytest.raises(InvalidValueError, match="next_stressed must lie"):
        simulate_regimes(1.0, TRUE, -0.1, (2, 2), np.random.default_rng(1))
    upside_down = MarkovFit(
        calm_mean=0.0, calm_sigma=0.0, stressed_mean=0.0, stressed_sigma=1.0,
        calm_stay=0.9, stressed_stay=0.9, loglik=0.0, n=0,
    )  # fmt: skip
    with pytest.raises(InvalidValueError, match="fit must have two regimes"):
        regime_probabilities(R, upside_down)
    with pytest.raises(InvalidValueError, match="fit must have two regimes"):
        simulate_regimes(1.0, upside_down, 0.5, (2, 2), np.random.default_rng(1))
