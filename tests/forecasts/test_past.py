"""What is known at an origin, and the blocks that fits hold for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import InvalidValueError
from engine.forecasts.past import RENEWAL_BARS, Past, before_block, block_of, renewed_at
from tests.forecasts.pasts import past_of, restless, weekdays

WHOLE = past_of(restless(400))


def shortened(past: Past, n: int) -> Past:
    """The same bars as a program knows them that started `n` bars later."""
    return replace(past, closes=past.closes[n:], closes_at=past.closes_at[n:])


@given(st.integers(90, 400), st.integers(0, 300))
@settings(deadline=None)
def test_blocks_follow_the_calendar_and_not_the_length_of_the_history(n: int, late: int):
    past = WHOLE.until(n)
    short = shortened(past, min(late, n - 85))
    assert renewed_at(short).closes_at[-1] == renewed_at(past).closes_at[-1]
    assert before_block(short, 5).closes_at[-1] == before_block(past, 5).closes_at[-1]


@given(st.integers(90, 400))
@settings(deadline=None)
def test_what_fits_are_made_of_ends_a_whole_block_before(n: int):
    past = WHOLE.until(n)
    age = n - renewed_at(past).closes.size
    assert RENEWAL_BARS - 2 <= age <= 2 * RENEWAL_BARS + 2
    assert 1 <= n - before_block(past, 5).closes.size <= 7


def test_all_bars_of_a_block_share_what_their_fits_are_made_of():
    blocks = block_of(WHOLE.places, WHOLE.step_seconds)
    ends = {n: renewed_at(WHOLE.until(n)).closes.size for n in range(100, 400)}
    for n in range(101, 400):
        assert (ends[n] == ends[n - 1]) == (blocks[n - 1] == blocks[n - 2])


def test_a_block_of_hours_is_twenty_hours():
    hours = np.arange(100) * 3600.0
    assert np.bincount(block_of(hours, 3600.0).astype(int)).tolist() == [20] * 5


def test_a_history_shorter_than_a_block_is_used_whole():
    past = past_of(restless(6))
    short = shortened(past, 4)
    assert renewed_at(short) is short
    assert before_block(short, 20) is short
    nothing = Past(symbol="AAA", closes=np.empty(0))
    assert renewed_at(nothing) is nothing
    assert before_block(nothing, 5) is nothing


def test_a_cut_past_holds_nothing_later():
    past = replace(WHOLE, volumes=np.arange(401.0))
    cut = past.upto(past.closes_at[99] + 3600.0)
    assert (cut.closes.size, cut.closes_at.size, cut.volumes.size) == (100, 100, 100)
    assert cut.spot == WHOLE.closes[99]
    assert (cut.symbol, cut.window) == (past.symbol, past.window)


def test_bars_without_times_are_counted_even_when_the_memory_is_full():
    past = Past(symbol="AAA", closes=WHOLE.closes[10:], n_before=10)
    assert past.places[[0, -1]].tolist() == [10.0, 400.0]
    assert past.step_seconds == 1.0
    assert past.upto(19.0).closes.size == 10
    assert past.upto(19.0).places[-1] == 19.0


def test_the_window_bounds_the_returns():
    past = replace(WHOLE, window=60)
    assert past.returns().size == 60
    assert past.recent[-1] == past.spot
    assert past.until(1).returns().size == 0
    assert WHOLE.step_seconds == 86_400.0
    assert weekdays(6)[5] - weekdays(6)[4] == 3 * 86_400.0


def test_a_past_without_closes_has_no_spot():
    with pytest.raises(InvalidValueError, match="closes must have a last one"):
        _ = Past(symbol="AAA", closes=np.empty(0)).spot
