"""Another future must leave the past alone: the same log up to the last bar that two worlds share."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from engine.adapters.feeds.replay import ReplayFeed
from engine.adapters.feeds.shipped import load_shipped
from engine.bootstrap import engine as composition
from engine.domain.events import EventType
from tests.numbers.runs import log_of, run

LAST_SHARED = np.datetime64("2008-09-12")
CUT = datetime(2008, 9, 12, 20, tzinfo=UTC)
AAPL_DAYS = 9
"""Trading days from 2 to 12 September 2008."""


def with_another_future(bars, rng):
    """The same bars up to the cut, and returns in another order after it."""
    after = int(np.searchsorted(bars.days, LAST_SHARED, side="right"))
    order = after + rng.permutation(len(bars.days) - after)

    def mixed(column):
        return None if column is None else np.concatenate([column[:after], column[order]])

    return replace(
        bars, close=mixed(bars.close), open=mixed(bars.open), high=mixed(bars.high), low=mixed(bars.low),
        volume=mixed(bars.volume),
    )  # fmt: skip


def told(turned):
    """Everything that was said, apart from the run's own fingerprint."""
    return [
        (e.event_type, e.as_of, e.source, e.cause, dict(e.data))
        for e in log_of(turned)
        if e.event_type is not EventType.RUN_STARTED
    ]


@pytest.fixture(scope="module")
def worlds(replay):
    """Two logs: the world as it was, and one with another future."""
    rng = np.random.default_rng(7)
    bars = [with_another_future(b, rng) for b in load_shipped()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            composition,
            "build_feed",
            lambda s: ReplayFeed(start=s.start, seed=s.seed, bars_per_minute=s.speed, bars=bars),
        )
        other = run(AAPL_DAYS + 2.5)
    return told(replay), told(other)


def n_alike(ours, theirs):
    return next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)


def test_nothing_before_the_cut_knows_what_comes_after_it(worlds):
    ours, theirs = worlds
    alike = ours[: n_alike(ours, theirs)]
    closes = [
        e for e in alike if e[0] is EventType.MARKET_DATA and e[2] and e[4]["bar"]["is_closed"]
    ]
    assert sum(e[1] == CUT for e in closes) == 10
    # of the cut's last bar everything is alike as well: forecasts, risk, votes, intents
    for kind in (EventType.MC_UPDATE, EventType.CYCLE_RECORDED):
        assert {e[4]["symbol"] for e in alike if e[0] is kind and e[1] == CUT} == {
            e[4]["symbol"] for e in ours if e[0] is kind and e[1] == CUT
        }
    assert any(e[0] is EventType.ORDER_FILLED for e in alike)


def test_the_two_worlds_do_part_after_the_cut(worlds):
    ours, theirs = worlds
    at = ours[n_alike(ours, theirs)][1]
    assert at > CUT
    assert len(ours[n_alike(ours, theirs) :]) > 100
