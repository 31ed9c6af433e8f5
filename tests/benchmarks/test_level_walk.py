"""A level walked forward: the future may be anything, the laws stay the same."""

import numpy as np
import pytest

from benchmarks.level_walk import LevelWalk
from benchmarks.walk_forward import Law, QuantileLaw, SampleLaw, WalkPlan, forecasts
from engine.domain.forecast import SimulationLevel
from engine.forecasts.past import Past
from tests.forecasts.pasts import L1, L2, L3, L5, past_of, restless

N = 330
RETURNS = restless(360)


def walked(level: SimulationLevel, returns: np.ndarray) -> tuple[list[Law], LevelWalk]:
    whole = past_of(returns)
    walk = LevelWalk(level, whole.until, n_paths=80)
    closes = whole.closes[: N + 2]
    return list(forecasts(closes, WalkPlan(first=N - 20), walk)), walk


def numbers(law: Law) -> np.ndarray:
    match law:
        case SampleLaw():
            return law.draws
        case QuantileLaw():
            return law.quantiles
        case _:
            return np.array([law.mean, law.sigma])


@pytest.mark.parametrize("level", [L1, L2, L3, L5])
def test_a_shuffled_future_gives_the_same_laws(level: SimulationLevel):
    shuffled = RETURNS.copy()
    shuffled[N:] = 5.0 * np.random.default_rng(1).permutation(shuffled[N:])
    one, other = walked(level, RETURNS)[0], walked(level, shuffled)[0]
    assert len(one) == len(other) == 21
    for before, after in zip(one, other, strict=True):
        np.testing.assert_array_equal(numbers(before), numbers(after))


def test_level_3_learns_from_its_own_settled_forecasts_on_the_way():
    laws, walk = walked(L3, RETURNS)
    assert all(isinstance(law, QuantileLaw) for law in laws)
    assert walk.levels.crew.state("AAA", 1).n == 20
    assert walk.notes == {}


def test_a_stand_in_is_noted():
    short = past_of(RETURNS[:100])
    walk = LevelWalk(L5, short.until, n_paths=40)
    assert list(forecasts(short.closes, WalkPlan(first=97), walk))
    (note,) = walk.notes.values()
    assert note.startswith("level 3 stands in for level 5")


def test_others_are_asked_for_as_they_were_known():
    pasts = [past_of(restless(150, seed), name) for seed, name in ((1, "AAA"), (2, "BBB"))]
    asked: list[int] = []

    def others(n: int) -> list[Past]:
        asked.append(n)
        return [past.until(n) for past in pasts]

    walk = LevelWalk(SimulationLevel.LEVEL_4_MULTI_FACTOR, pasts[0].until, others, n_paths=40)
    list(forecasts(pasts[0].closes, WalkPlan(first=145), walk))
    assert asked
    assert set(asked) <= set(range(146, 151))
