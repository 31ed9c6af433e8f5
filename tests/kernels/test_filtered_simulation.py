import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.kernels.filtered_simulation import (
    Course,
    VolatilityState,
    draw_picks,
    shock_pool,
    simulate_filtered,
)
from engine.kernels.garch import GarchFit, forecast_variances
from engine.kernels.threads import WORTH_SHARING


def steady_course(drift, n_steps):
    """The course on which every step has the same drift and the usual variance."""
    return Course(drifts=np.full(n_steps, float(drift)), variance_multipliers=np.ones(n_steps))


POOL = shock_pool(np.random.default_rng(3).standard_t(5, 700))
FIT = GarchFit(mu=0.5, omega=1e-6, alpha=0.05, gamma=0.08, beta=0.88, loglik=0.0, n=700)
STATE = VolatilityState(fit=FIT, next_variance=3e-4, pool=POOL)


def rng(seed=1):
    return np.random.default_rng(seed)


def plain(spot, state, course, n_paths, generator):
    """The definition in plain NumPy, one path after another."""
    picks = draw_picks(generator, state.pool.size, (course.n_steps, n_paths))
    paths = np.empty((course.n_steps + 1, n_paths))
    for p in range(n_paths):
        level, h = math.log(spot), state.next_variance
        paths[0, p] = level
        for t in range(course.n_steps):
            z = state.pool[picks[t, p]]
            level += course.drifts[t] + math.sqrt(course.variance_multipliers[t] * h) * z
            paths[t + 1, p] = level
            weight = state.fit.alpha + state.fit.gamma * (z < 0)
            h = state.fit.omega + weight * h * z * z + state.fit.beta * h
    return paths


@pytest.mark.parametrize("n_paths", [40, WORTH_SHARING // 12 + 5])
def test_the_compiled_loop_is_the_plain_definition(n_paths: int):
    course = Course(drifts=rng().normal(0, 0.01, 12), variance_multipliers=rng(2).uniform(0, 4, 12))
    np.testing.assert_allclose(
        simulate_filtered(50.0, STATE, course, n_paths, rng(7)),
        plain(50.0, STATE, course, n_paths, rng(7)),
        rtol=1e-12,
    )


states = st.builds(
    VolatilityState,
    fit=st.builds(
        GarchFit, mu=st.just(0.0), omega=st.floats(0.0, 1e-4), alpha=st.floats(0.0, 0.2),
        gamma=st.floats(0.0, 0.2), beta=st.floats(0.0, 0.9), loglik=st.just(0.0), n=st.just(0),
    ),
    next_variance=st.floats(1e-10, 1e-2),
    pool=st.just(POOL),
)  # fmt: skip


@settings(deadline=None)
@given(states, st.floats(1e-6, 1e6), st.floats(-0.05, 0.05), st.integers(1, 30))
def test_prices_are_positive_and_finite_and_start_at_spot(state, spot, drift, n_steps):
    paths = simulate_filtered(spot, state, steady_course(drift, n_steps), 20, rng())
    assert paths.shape == (n_steps + 1, 20)
    assert (paths[0] == math.log(spot)).all()
    prices = np.exp(paths)
    assert np.isfinite(prices).all()
    assert prices.min() > 0.0


def test_the_same_generator_state_gives_the_same_paths_and_another_gives_others():
    course = steady_course(0.0, 5)
    draw = [simulate_filtered(10.0, STATE, course, 50, rng(seed)) for seed in (5, 5, 6)]
    assert (draw[0] == draw[1]).all()
    assert not (draw[0][1:] == draw[2][1:]).all()


def test_drift_and_variance_are_those_that_were_asked_for():
    n = 60_000
    steps = np.diff(simulate_filtered(1.0, STATE, steady_course(0.002, 10), n, rng(4)), axis=0)
    # leverage counts falls only, and this pool's falls are a little larger or smaller than half its squares
    falls = float(np.mean(POOL**2 * (POOL < 0)))
    persistence = FIT.alpha + FIT.gamma * falls + FIT.beta
    h = STATE.next_variance
    for t in range(10):
        assert steps[t].mean() == pytest.approx(0.002, abs=4.5 * math.sqrt(h / n))
        kurtosis = float(np.mean((steps[t] - steps[t].mean()) ** 4) / steps[t].var() ** 2)
        assert steps[t].var() == pytest.approx(h, rel=4.5 * math.sqrt((kurtosis - 1) / n))
        h = FIT.omega + persistence * h


def test_without_memory_it_is_the_bootstrap():
    fit = GarchFit(mu=0.0, omega=4e-4, alpha=0.0, beta=0.0, loglik=0.0, n=0)
    state = VolatilityState(fit=fit, next_variance=4e-4, pool=POOL)
    steps = np.diff(simulate_filtered(1.0, state, steady_course(0.01, 3), 400, rng()), axis=0)
    distance = np.abs(steps.ravel()[:, None] - (0.01 + 0.02 * POOL)).min(axis=1)
    assert distance.max() < 1e-12


def test_high_volatility_fades_and_low_volatility_rises():
    long_run = FIT.long_run_variance
    for times in (9.0, 1 / 9.0):
        state = VolatilityState(fit=FIT, next_variance=times * long_run, pool=POOL)
        steps = np.diff(simulate_filtered(1.0, state, steady_course(0, 60), 4_000, rng()), axis=0)
        first, last = steps[0].var(), steps[-10:].var()
        assert (first > 2 * last) if times > 1 else (first < last / 2)
        assert last == pytest.approx(forecast_variances(FIT, first, 60)[-10:].mean(), rel=0.25)


def test_a_multiplier_scales_its_own_step_and_no_other():
    multipliers = np.array([1.0, 1.0, 4.0, 1.0, 0.0])
    plain_paths = simulate_filtered(1.0, STATE, steady_course(0.0, 5), 200, rng())
    course = Course(drifts=np.zeros(5), variance_multipliers=multipliers)
    steps = np.diff(simulate_filtered(1.0, STATE, course, 200, rng()), axis=0)
    np.testing.assert_allclose(
        steps, np.diff(plain_paths, axis=0) * np.sqrt(multipliers)[:, None], atol=1e-14
    )


def test_a_pool_is_centred_and_of_unit_deviation():
    pool = shock_pool(3.0 + 7.0 * rng().standard_t(4, 500))
    assert pool.mean() == pytest.approx(0.0, abs=1e-12)
    assert pool.std() == pytest.approx(1.0)


def test_a_pool_needs_shocks_that_differ():
    with pytest.raises(NotEnoughDataError, match="residuals must have at least 20"):
        shock_pool(np.arange(19.0))
    with pytest.raises(NotEnoughDataError, match="two values that differ"):
        shock_pool(np.ones(30))


def state(**change):
    parts = {"fit": FIT, "next_variance": 1e-4, "pool": POOL}
    return VolatilityState(**{**parts, **change})


BAD = {
    "spot": (0.0, STATE, steady_course(0.0, 2), 5),
    "next_variance": (1.0, state(next_variance=0.0), steady_course(0.0, 2), 5),
    "pool": (1.0, state(pool=np.array([1.0, math.nan])), steady_course(0.0, 2), 5),
    "drifts": (1.0, STATE, steady_course(math.inf, 2), 5),
    "variance_multipliers": (
        1.0, STATE, Course(drifts=np.zeros(2), variance_multipliers=np.array([1.0, -1.0])), 5,
    ),
    "n_paths": (1.0, STATE, steady_course(0.0, 2), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_senseless_argument_is_refused_by_name(name):
    with pytest.raises(InvalidValueError, match=f"^{name} must"):
        simulate_filtered(*BAD[name], rng())


def test_a_course_has_a_multiplier_for_every_drift():
    course = Course(drifts=np.zeros(3), variance_multipliers=np.ones(2))
    with pytest.raises(InvalidValueError, match="variance_multipliers must be 3"):
        simulate_filtered(1.0, STATE, course, 5, rng())
