"""What was decided on an earlier bar does not pass for a decision of now."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dashboard.blocks import strategies as blocks
from dashboard.pages import strategies as page
from dashboard.views import lateness, proposals, strategies, watchlist
from dashboard.views.why import why_view
from engine.domain.sections import BarsSection, CycleSection
from tests.dashboard.samples import SampleGateway, sample_values


def behind_by(n):
    """Return the sample with AAPL's vote on the bar `n` before its newest."""
    values = sample_values()
    bars, section = values["bars:AAPL"], values["cycle:AAPL"]
    assert isinstance(bars, BarsSection)
    assert isinstance(section, CycleSection)
    at = datetime.fromtimestamp(bars.columns.closes_at[-1 - n], UTC)
    record = replace(section.record, bar_closed_at=at)
    return SampleGateway(values | {"cycle:AAPL": replace(section, record=record)}).read(), record


@pytest.mark.parametrize(("n", "shown"), [(0, 0), (1, 0), (2, 2), (40, 40)])
def test_one_bar_may_have_closed_since_a_vote_and_no_more(n: int, shown: int):
    assert lateness.bars_behind(*behind_by(n)) == shown


def test_the_watchlist_shows_no_signal_of_an_earlier_bar():
    late = {row.symbol: row for row in watchlist.watch_rows(behind_by(40)[0])}
    assert late["AAPL"].signal == ""
    assert late["AAPL"].signal_tip == "No vote on the newest bar: the last, SELL, was 40 bars ago"
    assert late["GOOG"].signal == "SELL"  # control


def test_the_why_card_says_how_long_ago_and_steps_back():
    late, now = why_view(behind_by(40)[0], "AAPL"), why_view(behind_by(0)[0], "AAPL")
    assert late.remark.endswith(" 2008, 40 bars ago")
    assert (late.is_behind, now.is_behind) == (True, False)
    assert "ago" not in now.remark


def test_ballots_of_an_earlier_bar_are_grey_and_the_words_say_so():
    snapshot, _ = behind_by(40)
    proposal = proposals.begin(strategies.shares(snapshot.value("strategies")))
    ballots = strategies.ballots_view(snapshot, proposal)
    rows = json.loads(blocks.ballot_rows(ballots, is_open=False))
    assert [row[2][0][1] for row in rows if row[0] == "ph-behind"] == ["AAPL"]
    words = strategies.ballot_words(ballots, proposal)
    assert words.startswith("No vote on the newest bar of 1 symbol")
    assert "40 bars ago" in words


def test_a_bar_without_a_vote_draws_the_ballots_anew():
    snapshot, _ = behind_by(0)
    first = page._live_rows(snapshot, "").props[page.BAR_TICK]
    values = sample_values()
    bars = values["bars:AAPL"]
    assert isinstance(bars, BarsSection)
    later = replace(
        bars.columns, closes_at=(*bars.columns.closes_at[:-1], bars.columns.closes_at[-1] + 86_400)
    )
    moved = SampleGateway(values | {"bars:AAPL": BarsSection(columns=later)}).read()
    assert page._live_rows(moved, "").props[page.BAR_TICK] != first


def test_an_index_has_a_score_and_no_decision():
    snapshot = SampleGateway().read()
    proposal = proposals.begin(strategies.shares(snapshot.value("strategies")))
    found = {b.symbol: b for b in strategies.ballots_view(snapshot, proposal)}
    assert (found["SPX"].action, found["AAPL"].action) == ("", "SELL")
    assert found["SPX"].score is not None
