"""The Strategies page: what a person does, what is sent, what follows the engine."""

import json
from dataclasses import replace
from datetime import timedelta

import dash
import plotly.io.json
import pytest
from dash.exceptions import PreventUpdate

from dashboard import deeds
from dashboard.pages import strategies as page
from dashboard.patches import encode_patch
from dashboard.views import proposals
from dashboard.views import strategies as view
from dashboard.views.proposals import Proposal
from engine.domain.commands import SetStrategyEnabled, SetStrategyWeights
from engine.domain.errors import JournalError
from engine.domain.sections import Snapshot, WeightsChange
from tests.dashboard.samples import SampleGateway, sample_values, strategies

START = proposals.begin(view.shares(strategies()))


def did(trigger, value=1):
    return deeds.Deed(trigger=trigger, value=value)


def noted(*deeds_done, taken=0):
    """Return deeds as the browser sends them."""
    return {
        "page": "p1",
        "deeds": [
            {"n": taken + k, "trigger": deed.trigger, "value": deed.value}
            for k, deed in enumerate(deeds_done, 1)
        ],
    }


def answer(gateway, kept, *deeds_done, taken=0):
    return deeds.answer(gateway, kept, noted(*deeds_done, taken=taken))


def part(kind, name, **more):
    return {"type": f"strategies-{kind}", "name": name, **more}


def after(proposal, *done, gateway=None):
    for deed in done:
        proposal = deeds.after(gateway or SampleGateway(), proposal, deed)
    return proposal


def text_of(component):
    return plotly.io.json.to_json_plotly(component)


def all_ids(component):
    return {str(getattr(item, "id", None)) for item in component._traverse()}


def test_a_slider_moves_its_weight_and_the_others():
    found = after(START, did(part("slider", "momentum"), "50"))
    assert found.weights["momentum"] == 50
    assert sum(found.weights.values()) == 100


def test_the_thumb_under_the_finger_is_left_alone_and_a_stopped_one_is_not():
    free = answer(SampleGateway(), START.to_data(), did(part("slider", "momentum"), 50))
    assert free[1][0] is dash.no_update
    assert free[1][1] is not dash.no_update
    locked = replace(START, locks=("breakout", "mc_probability"))
    stopped = answer(SampleGateway(), locked.to_data(), did(part("slider", "momentum"), 90))
    assert stopped[1][0] == 70


def test_every_list_of_the_answer_has_one_entry_a_strategy():
    outputs = answer(SampleGateway(), START.to_data(), did(deeds.EQUAL))
    assert {len(outputs[place]) for place in range(1, 12)} == {5}
    assert len(outputs) == 19


def test_moving_a_weight_leaves_locks_and_ticks_alone_and_a_lock_does_not():
    mine = proposals.toggle_lock(START, "breakout")
    moved = answer(SampleGateway(), mine.to_data(), did(part("slider", "momentum"), 50))
    for place in (2, 4, 8, 9, 10, 11):
        assert moved[place] == [dash.no_update] * 5
    locked = answer(SampleGateway(), mine.to_data(), did(part("lock", "momentum")))
    assert locked[8] == ["true", "false", "false", "true", "false"]


def test_every_answer_says_all_that_a_move_can_change():
    """Answers may overtake each other, so none may count on what an earlier one drew."""
    back = proposals.move(proposals.move(START, "momentum", 50), "momentum", 40)
    closed = answer(SampleGateway(), back.to_data(), did(part("slider", "momentum"), 30))
    assert closed[16] == "true"
    assert closed[15] == "Apply"
    assert closed[12] == []
    assert dash.no_update not in [closed[place] for place in (3, 5, 6, 7, 12, 13, 14, 15, 16, 18)]


def test_a_refused_number_is_put_back():
    refused = answer(SampleGateway(), START.to_data(), did(part("number", "momentum"), "abc"))
    assert refused[3][0] == "30"
    assert refused[13] == "Enter 0 to 100%."


def test_locks_steps_equalise_and_reset():
    found = after(
        START,
        did(part("lock", "momentum")),
        did(deeds.EQUAL),
        did(part("step", "breakout", by="1")),
    )
    assert found.locks == ("momentum",)
    assert found.weights["momentum"] == 30
    assert found.weights["breakout"] in {18, 19}
    assert after(found, did(deeds.RESET)).weights == START.weights


@pytest.mark.parametrize(
    "trigger", [deeds.EQUAL, deeds.DISCARD, deeds.APPLY, part("lock", "momentum")]
)
def test_a_button_that_was_only_drawn_does_nothing(trigger):
    mine = proposals.move(START, "momentum", 50)
    assert after(mine, did(trigger, 0)) == mine


def test_apply_sends_the_proposal_as_fractions_once():
    gateway = SampleGateway()
    mine = proposals.move(START, "momentum", 20)
    sent = after(mine, did(deeds.APPLY), did(deeds.APPLY), gateway=gateway)
    assert len(gateway.sent) == 1
    command, actor, source = gateway.sent[0]
    assert isinstance(command, SetStrategyWeights)
    assert command.weights["momentum"] == pytest.approx(0.2)
    assert sum(command.weights.values()) == pytest.approx(1.0)
    assert (actor, source) == ("local", "dashboard")
    assert sent.is_sent


def test_deeds_that_come_twice_are_taken_once_by_who_has_taken_them():
    gateway = SampleGateway()
    typed, lock = did(part("number", "momentum"), "50"), did(part("lock", "momentum"))
    first = answer(gateway, START.to_data(), typed)
    again = answer(gateway, START.to_data(), typed, lock)  # the first answer was dropped
    told = answer(gateway, first[0], typed, lock)
    assert again[0] == told[0]
    found = Proposal.from_data(again[0])
    assert (found.weights["momentum"], found.locks, found.taken) == (50, ("momentum",), 2)


def test_apply_that_comes_twice_carries_one_command_id():
    gateway, ids = SampleGateway(), []
    real = gateway.send
    gateway.send = lambda command, **how: (ids.append(how["command_id"]), real(command, **how))[1]
    typed, apply = did(part("number", "momentum"), "50"), did(deeds.APPLY)
    for _ in range(2):
        answer(gateway, START.to_data(), typed, apply)
    later = answer(gateway, START.to_data(), typed, apply, taken=2)
    assert Proposal.from_data(later[0]).is_sent
    assert ids == ["weights-p1-2", "weights-p1-2", "weights-p1-4"]


def test_apply_without_a_change_sends_nothing():
    gateway = SampleGateway()
    after(START, did(deeds.APPLY), gateway=gateway)
    assert gateway.sent == []


def test_a_command_that_cannot_be_sent_says_so_and_keeps_the_proposal():
    class Broken(SampleGateway):
        def send(self, command, **_):
            raise JournalError("journal must take writes, was read-only; free the disk")

    mine = proposals.move(START, "momentum", 20)
    found = after(mine, did(deeds.APPLY), gateway=Broken())
    assert found.problem.startswith("Command not sent.")
    assert not found.is_sent
    assert found.weights == mine.weights


def test_a_refused_command_leaves_the_proposal_open_with_the_reason():
    sent = answer(
        SampleGateway(), START.to_data(), did(part("number", "momentum"), "50"), did(deeds.APPLY)
    )
    proposal = Proposal.from_data(sent[0])
    assert (proposal.is_sent, proposal.command_id) == (True, "weights-p1-2")
    told = json.dumps(["weights-p1-2", "Weights refused. They must sum to 1."])
    outputs = answer(SampleGateway(), sent[0], did(deeds.REFUSED, told), taken=2)
    found = Proposal.from_data(outputs[0])
    assert (found.is_sent, found.weights) == (False, proposal.weights)
    assert "They must sum to 1." in outputs[13]
    assert outputs[16] == "false", "Apply can be pressed again"


def test_what_is_in_force_is_followed_when_it_changes_elsewhere():
    other = dict.fromkeys(START.weights, 20)
    found = after(START, did(deeds.FORCE, json.dumps(other)))
    assert found.weights == other
    same = answer(SampleGateway(), START.to_data(), did(deeds.FORCE, json.dumps(START.current)))
    assert Proposal.from_data(same[0]) == replace(START, taken=1)
    with pytest.raises(PreventUpdate):
        answer(SampleGateway(), same[0], did(deeds.FORCE, json.dumps(START.current)))


def test_an_overtaken_proposal_is_told_in_the_bar():
    mine = proposals.move(START, "momentum", 50)
    other = json.dumps(dict.fromkeys(START.weights, 20))
    outputs = answer(SampleGateway(), mine.to_data(), did(deeds.FORCE, other))
    assert "Weights changed elsewhere" in outputs[13]
    assert outputs[11] == ["20"] * 5  # the ticks moved
    assert Proposal.from_data(outputs[0]).weights == mine.weights


def test_a_switch_asks_for_the_opposite_of_what_is_in_force():
    gateway = SampleGateway()
    assert page.send_act(gateway, part("on", "momentum")) == ""
    assert gateway.sent[0][0] == SetStrategyEnabled(strategy="momentum", enabled=False)


def changed(**history):
    section = strategies()
    change = WeightsChange(weights={"momentum": 0.3}, **history)
    return SampleGateway(sample_values() | {"strategies": replace(section, history=(change,))})


def test_undo_brings_back_weights_and_switches_from_before():
    gateway = changed(
        previous={"momentum": 0.25},
        enabled={"momentum": False},
        previous_enabled={"momentum": True},
    )
    page.send_act(gateway, page.UNDO)
    assert [command for command, _, _ in gateway.sent] == [
        SetStrategyWeights(weights={"momentum": 0.25}),
        SetStrategyEnabled(strategy="momentum", enabled=True),
    ]


def test_undo_without_history_sends_nothing():
    section = replace(strategies(), history=())
    gateway = SampleGateway(sample_values() | {"strategies": section})
    page.send_act(gateway, page.UNDO)
    assert gateway.sent == []


def test_every_id_that_a_live_part_writes_to_stands_in_the_layout():
    gateway = SampleGateway()
    known = {name.replace("'", '"').replace(" ", "") for name in all_ids(page.layout(gateway, {}))}
    known.add(page.ROOT)
    for live in page.LIVE:
        patch = live.render(gateway.read(), "")
        wanted = {*patch.text, *patch.cls, *patch.attrs, *patch.props}
        flat = {json.dumps(json.loads(w)).replace(" ", "") if w[0] == "{" else w for w in wanted}
        missing = {w for w in flat if w not in known and _swapped(w) not in known}
        assert not missing, live.name


def _swapped(name):
    """Return a pattern id with its type first, as Python writes it here."""
    if not name.startswith("{"):
        return name
    found = json.loads(name)
    return json.dumps({"type": found["type"], "name": found["name"]}).replace(" ", "")


@pytest.mark.parametrize("live", page.LIVE, ids=lambda live: live.name)
def test_live_parts_are_encodable_and_idempotent(live):
    snapshot = SampleGateway().read()
    assert encode_patch(live.render(snapshot, "")) == encode_patch(live.render(snapshot, ""))
    encode_patch(live.render(SampleGateway({}).read(), ""))


def test_before_the_engine_speaks_the_page_waits_and_then_draws_itself():
    empty = page.layout(SampleGateway({}), {})
    assert "No strategy yet" in text_of(empty)
    wait = {live.name: live for live in page.LIVE}["strategies.wait"]
    assert wait.render(SampleGateway({}).read(), "").props == {}
    assert page.ROOT in wait.render(SampleGateway().read(), "").props


def test_the_sample_holds_every_kind_of_id():
    drawn = text_of(page.sample_layout())
    for kind in ("slider", "number", "lock", "step", "on", "change", "slide"):
        assert f'"type":"strategies-{kind}"' in drawn


def test_scores_of_a_proposal_stand_beside_those_decided():
    drawn, words = page._drawn_votes(
        SampleGateway(), proposals.move(START, "mean_reversion", 100).to_data()
    )
    assert "ph-ballot-changed" in drawn
    assert json.loads(drawn)[0][2][0] == ["", "AAPL"]
    assert "decisions of the last bar" in words
    drawn, _ = page._drawn_votes(SampleGateway(), START.to_data())
    assert "ph-ballot-changed" not in drawn  # control


# -- a proposal that its tab kept ----------------------------------------------------------------------------------


def kept_as_data(proposal):
    return did(deeds.KEPT, json.dumps(proposal.to_data()))


def test_a_kept_proposal_is_taken_up_with_its_locks_and_what_was_done_after():
    lock = did(part("lock", "momentum"))
    former = after(START, did(part("number", "momentum"), "45"), lock)
    found = after(START, kept_as_data(replace(former, taken=77)))
    assert (found.weights, found.locks) == (former.weights, ("momentum",))
    assert found.is_open
    data, *_ = answer(
        SampleGateway(), START.to_data(), kept_as_data(replace(former, taken=77)), lock
    )
    assert (data["taken"], list(data["locks"])) == (2, []), "numbers of the page of now count"


def test_a_kept_proposal_says_that_weights_changed_while_its_page_was_away():
    former = after(START, did(part("number", "momentum"), "45"))
    now = proposals.begin(proposals.equal(START.weights, []))
    found = after(now, kept_as_data(former))
    assert (found.weights, found.current, found.is_overtaken) == (former.weights, now.current, True)
    assert view.apply_view(strategies(), found).tone == "warn"


def test_a_kept_proposal_that_came_into_force_meanwhile_is_closed():
    former = proposals.send(after(START, did(part("number", "momentum"), "45")))
    assert not after(proposals.begin(former.weights), kept_as_data(former)).is_open


@pytest.mark.parametrize(
    "kept",
    [
        {},
        [],
        None,
        {"weights": {"momentum": 100}, "current": {"momentum": 50}},
        START.to_data() | {"weights": {}},
        START.to_data() | {"weights": "x"},
    ],
)
def test_what_cannot_be_a_kept_proposal_is_dropped(kept):
    assert after(START, did(deeds.KEPT, json.dumps(kept))) == START


def test_an_open_proposal_says_that_it_is_not_applied_and_where_it_is_kept():
    found = view.apply_view(strategies(), after(START, did(part("number", "momentum"), "45")))
    assert found.words.startswith("Not applied, kept in this tab")


def test_votes_records_and_win_rates_have_an_age_and_are_behind_after_two_bars():
    gateway = SampleGateway()
    drawn = page.layout(gateway, {})
    assert {*page.AGES} <= all_ids(drawn)
    patch = page._live_rows(gateway.read(None), "")
    received = gateway.read(None).stamp("strategies").computed_at
    assert {name: patch.age[name][0] for name in page.AGES} == dict.fromkeys(page.AGES, received)
    assert {patch.age[name][2] for name in page.AGES} == {0.0}
    seen = gateway.read(None)
    section = seen.sections["strategies"]
    old = replace(
        section, stamp=replace(section.stamp, as_of=section.stamp.as_of - timedelta(days=5))
    )
    later = Snapshot(2, {**seen.sections, "strategies": old})
    assert {page._live_rows(later, "").age[name][2] for name in page.AGES} == {1.0}
