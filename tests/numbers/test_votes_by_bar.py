"""What votes are worth when one bar judges several: beside errors clustered by bar of a trusted library."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.outcomes import VotesByBar

bars = st.lists(st.lists(st.booleans(), min_size=1, max_size=8), min_size=2, max_size=30)


def counted(outcomes: list[list[bool]]) -> VotesByBar:
    sums = VotesByBar()
    for at, votes in enumerate(outcomes):
        for won in votes:
            sums = sums.counted(at, won=won)
    return sums


@given(bars)
def test_the_sums_are_those_of_the_definition(outcomes: list[list[bool]]):
    found = counted(outcomes)
    n, w = np.array([len(v) for v in outcomes]), np.array([sum(v) for v in outcomes])
    assert (found.nn, found.ww, found.wn) == ((n * n).sum(), (w * w).sum(), (w * n).sum())
    assert (found.n_bars, found.n, found.w) == (len(outcomes), n[-1], w[-1])


@given(bars)
@settings(deadline=None)
def test_the_variance_is_that_of_errors_clustered_by_bar(outcomes: list[list[bool]]):
    flat = np.array([won for votes in outcomes for won in votes], dtype=float)
    groups = np.repeat(np.arange(len(outcomes)), [len(votes) for votes in outcomes])
    wins, n = int(flat.sum()), flat.size
    worth = counted(outcomes).worth(wins, n)
    if not 0 < wins < n:
        assert worth == min(n, len(outcomes))
        return
    fit = sm.OLS(flat, np.ones((n, 1))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    variance = float(fit.cov_params()[0, 0])
    rate = wins / n
    expected = min(float(n), rate * (1 - rate) / variance) if variance > 1e-15 else float(n)
    assert worth == pytest.approx(expected, rel=1e-9)


def test_symbols_that_move_as_one_are_one_vote_and_others_are_all_of_theirs():
    rng = np.random.default_rng(1)
    as_one = [[bool(won)] * 10 for won in rng.random(400) < 0.5]
    apart = [list(map(bool, row)) for row in rng.random((400, 10)) < 0.5]
    for outcomes, low, high in ((as_one, 395, 405), (apart, 3_600, 4_000)):
        wins = sum(map(sum, outcomes))
        assert low <= counted(outcomes).worth(wins, 4_000) <= high


def test_of_one_bar_nothing_is_known():
    assert counted([[True, False, True]]).worth(2, 3) == 1.0
    assert VotesByBar().worth(0, 0) == 0.0
