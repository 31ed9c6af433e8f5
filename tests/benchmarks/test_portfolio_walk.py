"""A portfolio's line worked by hand, and how wide each model makes a portfolio of two that move together."""

import math

import numpy as np
import pytest

from benchmarks.portfolio_walk import MODELS, drawn_by, line_of, score
from engine.forecasts.levels import Levels
from engine.forecasts.past import Past
from tests.forecasts.pasts import past_of, size

RHO = 0.9
INDEPENDENT, CORRELATED, LEVEL_4 = MODELS


def test_a_score_worked_by_hand():
    # held in equal parts the four paths return -10, 0, 10 and 20 %; 10 % comes, which is one of them
    drawn = np.log1p([[-0.1, 0.0, 0.1, 0.3], [-0.1, 0.0, 0.1, 0.1]])
    outcome = np.log1p([0.1, 0.1])
    pit, energy = score(drawn, outcome)
    assert pit == (2 + 0.5) / 4
    far = [
        math.sqrt(2) * math.log(1.1 / 0.9),
        math.sqrt(2) * math.log(1.1),
        0.0,
        math.log(1.3 / 1.1),
    ]
    apart = [
        math.sqrt(2) * math.log(1.1 / 0.9),  # the first from the third
        math.hypot(math.log(1.3), math.log(1.1)),  # the second from the fourth
    ]
    assert energy == pytest.approx(sum(far) / 4 - 0.5 * sum(apart) / 2)


def test_a_line_worked_by_hand():
    pits = (0.005, 0.02, 0.05, 0.5, 0.95, 0.96, 0.999, 0.4)
    line = line_of(LEVEL_4, [(pit, 0.01 * i) for i, pit in enumerate(pits)])
    assert (line.model, line.n) == ("level 4", 8)
    assert line.coverage_90 == 4 / 8  # both edges are inside
    assert line.exceptions_99 == 1 / 8
    assert line.energy == pytest.approx(3.5)


@pytest.fixture(scope="module")
def pasts() -> list[Past]:
    """Two symbols of one volatility, correlated by 0.9."""
    z = np.random.default_rng(11).standard_normal((2, 750))
    z[1] = RHO * z[0] + math.sqrt(1.0 - RHO**2) * z[1]
    return [past_of(0.01 * row, name) for row, name in zip(z, ("AAA", "BBB"), strict=True)]


def width(model: str, pasts: list[Past]) -> float:
    """Deviation of the portfolio over the mean deviation of its two parts."""
    drawn = drawn_by(model, pasts, Levels(), size(n_paths=20_000, n_steps=1))
    return float(np.expm1(drawn).mean(axis=0).std() / np.expm1(drawn).std(axis=1).mean())


@pytest.mark.parametrize(
    ("model", "correlation", "error"),
    [(INDEPENDENT, 0.0, 0.02), (CORRELATED, RHO, 0.02), (LEVEL_4, RHO, 0.03)],
)
def test_two_in_equal_parts_are_as_wide_as_their_correlation_says(
    pasts: list[Past], model: str, correlation: float, error: float
):
    """sqrt((1 + rho) / 2): 0.71 for two that are drawn apart, 0.97 for two that fall together."""
    assert width(model, pasts) == pytest.approx(math.sqrt((1.0 + correlation) / 2), abs=error)
