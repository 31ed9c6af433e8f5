"""What agents read of the shared memory: cut at a moment, shared between readers, complete or absent."""

from datetime import UTC, datetime

import numpy as np
import pytest

from engine.agents.observations import KEPT, Observations
from engine.core.state_manager import StateManager


def bars(n: int, **more: list[float | None]) -> dict[str, object]:
    times = [60 * (i + 1) for i in range(n)]
    closes = [100.0 + i for i in range(n)]
    return {"symbol": "A", "closes_at": times, "close": closes, "volume": closes, **more}


def at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def seen(data: dict[str, object]) -> Observations:
    state = StateManager()
    state.set("bars:A", data)
    return Observations(state)


def test_bars_end_with_the_one_that_closes_at_the_moment_asked_for():
    observations = seen(bars(5))
    assert observations.bars("A", at(180)).closes.tolist() == [100.0, 101.0, 102.0]
    assert observations.bars("A", at(179)).closes.tolist() == [100.0, 101.0]
    assert observations.bars("A").last_close_at == at(300)


def test_no_more_bars_are_handed_out_than_are_kept():
    assert seen(bars(KEPT + 7)).bars("A").closes[0] == 107.0


def test_a_column_with_a_gap_among_the_bars_asked_for_is_left_out():
    observations = seen(bars(4, high=[1.0, 2.0, 3.0, None], low=[1.0, 1.0, 1.0, 1.0]))
    assert observations.bars("A").highs.size == 0
    assert observations.bars("A", at(180)).highs.tolist() == [1.0, 2.0, 3.0]
    assert observations.bars("A").lows.size == 4


def test_readers_share_arrays_that_nobody_can_write_to():
    state = StateManager()
    state.set("bars:A", bars(3))
    first, second = Observations(state).bars("A"), Observations(state).bars("A")
    assert np.shares_memory(first.closes, second.closes)
    with pytest.raises(ValueError, match="read-only"):
        first.closes[0] = 1.0


def test_new_bars_replace_those_that_were_read_before():
    state = StateManager()
    state.set("bars:A", bars(3))
    observations = Observations(state)
    assert observations.bars("A").closes.size == 3
    state.set("bars:A", bars(4))
    assert observations.bars("A").closes.size == 4
    state.delete("bars:A")
    state.set("history:A", [7.0])
    assert observations.bars("A").closes.tolist() == [7.0]
