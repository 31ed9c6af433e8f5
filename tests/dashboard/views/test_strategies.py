"""Proposals of weights and the words of the Strategies page, checked by hand."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import formatting as fmt
from dashboard.views import proposals as p
from dashboard.views import strategies as view
from dashboard.views import weight_words as words
from dashboard.views.intervals import wilson
from engine.domain.commands import CommandAnswer
from engine.domain.outcomes import VotesByBar
from engine.domain.sections import (
    AnswersSection,
    Section,
    Snapshot,
    Stamp,
    StrategiesSection,
    StrategyRow,
    WeightsChange,
)
from engine.domain.signals import CycleRecord, SignalAction, Vote
from tests.dashboard.samples import NOW, SampleGateway, one_a_bar, strategies

FIVE = {"a": 30, "b": 20, "c": 20, "d": 15, "e": 15}
names = st.sampled_from(sorted(FIVE))


def section(*rows, history=()):
    return StrategiesSection(rows=rows, history=history)


def row(name, weight=1.0, **changes):
    by_bar = one_a_bar(changes.get("wins", 0), changes.get("n", 0))
    return StrategyRow(name=name, title=name.title(), weight=weight, **{"by_bar": by_bar} | changes)


# -- proposals ---------------------------------------------------------------------------------------------------


@given(names, st.floats(-20, 140), st.sets(names, max_size=5))
def test_weights_always_sum_to_a_hundred_and_locks_hold(name, value, locks):
    start = replace(p.begin(FIVE), locks=tuple(sorted(locks)))
    found = p.move(start, name, value)
    assert sum(found.weights.values()) == 100
    assert min(found.weights.values()) >= 0
    assert all(found.weights[lock] == FIVE[lock] for lock in locks)


def test_a_drag_forth_and_back_ends_where_it_began():
    dragged = p.begin(FIVE)
    for value in (60, 100, 3, 30):
        dragged = p.move(dragged, "a", value)
    assert dragged.weights == FIVE
    assert not dragged.is_open


def test_another_slider_starts_from_what_the_first_one_left():
    first = p.move(p.begin(FIVE), "a", 100)
    assert first.weights == {"a": 100, "b": 0, "c": 0, "d": 0, "e": 0}
    assert p.move(first, "b", 40).weights == {"a": 60, "b": 40, "c": 0, "d": 0, "e": 0}


def test_a_locked_weight_does_not_move():
    locked = p.toggle_lock(p.begin(FIVE), "a")
    assert p.move(locked, "a", 50) == locked
    assert p.toggle_lock(locked, "a").locks == ()


def test_with_all_others_locked_the_last_one_fills_what_is_left():
    locks = replace(p.begin(FIVE), locks=("b", "c", "d", "e"))
    assert p.move(locks, "a", 90).weights == FIVE


def test_equalise_leaves_locked_weights_alone():
    locked = p.toggle_lock(p.begin(FIVE), "a")
    assert p.equalise(locked).weights == {"a": 30, "b": 18, "c": 18, "d": 17, "e": 17}


@pytest.mark.parametrize("text", ["40", "40%", " 40 ", "40.4", "40,4"])
def test_a_typed_weight_is_taken(text):
    assert p.type_in(p.begin(FIVE), "a", text).weights["a"] == 40


@pytest.mark.parametrize("text", ["abc", "", "-1", "101", "nan", None])
def test_what_is_no_weight_is_refused_with_what_to_enter(text):
    found = p.type_in(p.begin(FIVE), "a", text)
    assert found.problem == "Enter 0 to 100%."
    assert found.weights == FIVE
    assert p.type_in(found, "a", "30").problem == ""


def test_a_step_moves_one_point():
    assert p.step(p.begin(FIVE), "a", -1).weights["a"] == 29


def test_a_closed_proposal_follows_what_is_in_force():
    other = {"a": 20, "b": 20, "c": 20, "d": 20, "e": 20}
    found = p.follow(p.begin(FIVE), other)
    assert found.weights == found.current == other
    assert not found.is_overtaken


def test_an_open_proposal_stays_and_says_that_it_was_overtaken():
    mine = p.move(p.begin(FIVE), "a", 50)
    found = p.follow(mine, {"a": 20, "b": 20, "c": 20, "d": 20, "e": 20})
    assert found.weights == mine.weights
    assert found.is_overtaken
    assert found.current["a"] == 20


def test_a_sent_proposal_ends_in_what_came_into_force():
    sent = p.send(p.move(p.begin(FIVE), "a", 50))
    found = p.follow(sent, sent.weights)
    assert found.weights == found.current == sent.weights
    assert not found.is_sent


def test_a_refusal_opens_the_proposal_that_it_answers_and_says_why():
    sent = p.send(p.move(p.begin(FIVE), "a", 50), "weights-p1-2")
    assert p.refuse(sent, "weights-p1-1", "Another one.") == sent
    found = p.refuse(sent, "weights-p1-2", "Weights refused. They must sum to 1.")
    assert (found.is_sent, found.weights) == (False, sent.weights)
    assert found.problem == "Weights refused. They must sum to 1."
    assert p.refuse(found, "weights-p1-2", "Again.") == found


def test_of_all_answers_the_newest_refusal_of_weights_is_told():
    def told(seq, name, is_accepted):
        answer = CommandAnswer(
            command_id=f"c-{seq}", name=name, title=f"{name} {seq}", message="Why."
        )
        return seq, 0.0, is_accepted, answer

    rows = (
        told(5, "SetStrategyWeights", is_accepted=True),
        told(4, "StartAgent", is_accepted=False),
        told(3, "SetStrategyWeights", is_accepted=False),
        told(2, "SetStrategyWeights", is_accepted=False),
    )
    answers = Section("answers", AnswersSection(rows=rows), Stamp(version=1))
    found = words.refused_weights(Snapshot(version=1, sections={"answers": answers}))
    assert found == ("c-3", "SetStrategyWeights 3. Why.")
    assert words.refused_weights(Snapshot(version=1, sections={})) is None


def test_an_edit_after_sending_opens_the_proposal_again():
    sent = p.send(p.move(p.begin(FIVE), "a", 50))
    assert not p.move(sent, "a", 60).is_sent


def test_another_crew_starts_a_new_proposal():
    assert p.follow(p.move(p.begin(FIVE), "a", 50), {"x": 100}) == p.begin({"x": 100})


def test_discard_keeps_the_locks():
    found = p.discard(p.move(p.toggle_lock(p.begin(FIVE), "e"), "a", 50))
    assert (found.weights, found.locks) == (FIVE, ("e",))


def test_a_proposal_travels_as_plain_data():
    mine = p.toggle_lock(p.move(p.begin(FIVE), "a", 50), "c")
    assert p.Proposal.from_data(mine.to_data()) == mine


# -- words -------------------------------------------------------------------------------------------------------


def test_no_outcome_reads_as_unknown_and_not_as_zero():
    found = {r.name: r for r in view.rows_view(strategies(), p.begin(view.shares(strategies())))}
    assert (found["mc_probability"].win_rate, found["mc_probability"].sample) == ("–", "n = 0")
    assert found["momentum"].win_rate == "52.0%"  # 140 of 269


def test_changes_are_written_in_points():
    assert view.change_text(30, 20) == "−10 pts"
    assert view.change_text(20, 35) == "+15 pts"
    assert view.change_text(20, 20) == "0"


def test_wilson_of_no_win_starts_at_zero():
    low, high = wilson(0, 20)
    assert low == 0.0
    assert high == pytest.approx(0.1611, abs=1e-4)  # z2 / (n + z2) = 3.8415 / 23.8415


def test_below_twenty_votes_there_is_no_interval():
    found = {r.name: r for r in view.records_view(strategies()).rows}
    assert found["breakout"].interval == ""  # 8 of 12
    assert found["breakout"].sample == "12 bars, not enough yet"
    assert found["momentum"].low_at is not None  # control


def test_places_lie_on_the_axis_with_even_in_the_middle():
    found = view.records_view(section(row("a", wins=50, n=100)))
    only = found.rows[0]
    assert only.rate_at == pytest.approx(0.5)
    assert found.axis == ("40%", "50%", "60%")
    assert only.low_at == pytest.approx((wilson(49.5, 99)[0] - 0.4) / 0.2)  # 100 bars, less one


def test_votes_that_one_bar_judges_together_leave_a_wider_interval():
    """Ten symbols that always move as one are one vote a bar: 400 votes are worth 39 of 40 bars."""
    one = row("a", wins=240, n=400)
    as_one = replace(one, by_bar=VotesByBar(nn=40 * 100, ww=24 * 100, wn=24 * 100, n_bars=40))
    apart, together = (view.records_view(section(r)).rows[0] for r in (one, as_one))
    assert apart.interval == fmt.span(*wilson(0.6 * 399, 399), fmt.share)
    assert together.interval == fmt.span(*wilson(0.6 * 39, 39), fmt.share)
    assert together.low_at < apart.low_at


def test_twenty_votes_on_two_bars_are_not_enough():
    few = row("a", wins=12, n=20, by_bar=VotesByBar(nn=200, ww=72, wn=120, n_bars=2))
    assert view.records_view(section(few)).rows[0].sample == "2 bars, not enough yet"


def test_the_verdict_names_only_intervals_beside_even():
    good, bad, open_ = row("a", wins=70, n=100), row("b", wins=30, n=100), row("c", wins=52, n=100)
    said = view.records_view(section(good, bad, open_)).verdict
    assert "Right more often than not: A." in said
    assert "Wrong more often than right: B." in said
    assert "C" not in said.replace("An interval", "")


def vote(name, value, weight, factor=1.0, error=None):
    return Vote(
        algorithm=name, vote=value, weight=weight, regime_factor=factor, part=value * weight * factor, error=error
    )  # fmt: skip


def record(*votes, score=0.0):
    return CycleRecord(
        cycle_id="x", symbol="AAPL", bar_closed_at=NOW, price=1.0, regime="quiet", votes=votes, score=score,
        threshold=0.15, action=SignalAction.HOLD, confidence=0.0, steps=(), verdict="",
    )  # fmt: skip


def test_a_proposed_score_is_the_votes_times_shares_times_regime_factors():
    found = view.proposed_score(
        record(vote("a", 0.5, 0.3, 1.2), vote("b", -1.0, 0.7, 0.5)), {"a": 60, "b": 40}
    )
    assert found == pytest.approx(0.5 * 0.6 * 1.2 - 1.0 * 0.4 * 0.5)


def test_the_weights_in_force_give_the_score_that_was_decided():
    cycle = SampleGateway().read().value("cycle:AAPL").record
    weights = {v.algorithm: v.weight for v in cycle.votes}
    assert view.proposed_score(cycle, weights) == pytest.approx(cycle.score)


def test_a_strategy_that_failed_shares_nothing():
    failed = record(vote("a", 0.5, 1.0), vote("b", 0.0, 0.0, error="no bars"))
    assert view.proposed_score(failed, {"a": 50, "b": 50}) == pytest.approx(0.5)


def test_weights_of_nobody_who_voted_make_no_score():
    assert view.proposed_score(record(vote("a", 0.5, 1.0)), {"a": 0, "b": 100}) == 0.0


def test_words_under_the_ballots_name_the_decisions_that_would_change():
    gateway = SampleGateway()
    mine = p.begin(view.shares(strategies()))
    ballots = view.ballots_view(gateway.read(), mine)
    assert view.ballot_words(ballots, mine) == "Set a weight to see the scores it would have made."
    mine = p.move(mine, "mean_reversion", 100)
    ballots = view.ballots_view(gateway.read(), mine)
    assert ballots[0].proposed == pytest.approx(0.49 * 0.8)
    assert (ballots[0].action, ballots[0].proposed_action) == ("SELL", "BUY")
    assert "changes 8 decisions of the last bar: AAPL, GOOG" in view.ballot_words(ballots, mine)


def test_apply_lists_each_change_and_is_ready_once():
    mine = p.move(p.begin(view.shares(strategies())), "momentum", 20)
    found = view.apply_view(strategies(), mine)
    assert found.lines[0] == ("Momentum", 30, 20)
    assert found.label == f"Apply {len(found.lines)} changes"
    assert found.is_ready
    assert not view.apply_view(strategies(), p.send(mine)).is_ready
    assert not view.apply_view(strategies(), p.discard(mine)).is_ready


def test_history_goes_down_to_the_weights_of_the_start():
    change = WeightsChange(
        weights={"a": 0.2, "b": 0.8}, previous={"a": 0.5, "b": 0.5}, actor="local",
        enabled={"a": False, "b": True}, previous_enabled={"a": True, "b": True},
        at=datetime(2008, 9, 26, tzinfo=UTC),
    )  # fmt: skip
    newest, start = view.history_view(section(row("a"), row("b"), history=(change,)))
    assert newest.title == "20 / 80"
    assert newest.detail == "A 50 → 20, B 50 → 80, A off"
    assert newest.when == "26 Sep 2008, by local"
    assert (newest.is_in_force, start.is_in_force) == (True, False)
    assert (start.title, start.detail) == ("50 / 50", "start of the run")


def test_history_is_in_order_of_registration_whatever_the_journal_sorted():
    change = WeightsChange(weights={"a": 0.2, "b": 0.8}, previous={"a": 0.5, "b": 0.5})
    newest, _ = view.history_view(section(row("b"), row("a"), history=(change,)))
    assert newest.title == "80 / 20"


def test_without_a_change_the_start_is_in_force():
    (only,) = view.history_view(section(row("a"), row("b")))
    assert (only.title, only.is_in_force) == ("50 / 50", True)


def test_parameters_are_written_for_people():
    given_ = {"ma_fast": 10, "use_ma_filter": True, "min_gap": 0.002, "rsi_period": 14}
    (only,) = view.parameters_view(section(row("a", parameters=given_)))
    assert only[1] == (
        ("MA fast", "10"), ("Use MA filter", "on"), ("Min gap", "0.002"), ("RSI period", "14"),
    )  # fmt: skip


def test_lock_words_count_who_is_free():
    assert "2 locked" in words.lock_words(replace(p.begin(FIVE), locks=("a", "b")))
    assert "Unlock" in words.lock_words(replace(p.begin(FIVE), locks=("a", "b", "c", "d")))


def test_while_some_are_switched_off_it_says_what_the_votes_of_the_others_count():
    # of 30 and 15 the parts are two thirds and one third; rounded to a sum of 100
    some = section(*(row(name, weight, enabled=name in "ad") for name, weight in FIVE.items()))
    assert words.off_words(some) == "3 switched off, the votes of the others count: A 67%, D 33%."
    assert words.off_words(section(*(row(name, weight) for name, weight in FIVE.items()))) == ""
