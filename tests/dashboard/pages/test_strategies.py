"""The Strategies page: what a person does, what is sent, what follows the engine."""

import json
from dataclasses import replace

import dash
import plotly.io.json
import pytest
from dash.exceptions import PreventUpdate

from dashboard.pages import strategies as page
from dashboard.patches import encode_patch
from dashboard.views import proposals
from dashboard.views import strategies as view
from dashboard.views.proposals import Proposal
from engine.domain.commands import SetStrategyEnabled, SetStrategyWeights
from engine.domain.errors import JournalError
from engine.domain.sections import WeightsChange
from tests.dashboard.samples import SampleGateway, sample_values, strategies

START = proposals.begin(view.shares(strategies()))


def did(trigger, value=1):
    return page.Deed(trigger=trigger, value=value)


def part(kind, name, **more):
    return {"type": f"strategies-{kind}", "name": name, **more}


def after(proposal, *deeds, gateway=None):
    for deed in deeds:
        proposal = page.after(gateway or SampleGateway(), proposal, deed)
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
    free = page.answer(SampleGateway(), START.to_data(), did(part("slider", "momentum"), 50))
    assert free[1][0] is dash.no_update
    assert free[1][1] is not dash.no_update
    locked = replace(START, locks=("breakout", "mc_probability"))
    stopped = page.answer(SampleGateway(), locked.to_data(), did(part("slider", "momentum"), 90))
    assert stopped[1][0] == 70


def test_every_list_of_the_answer_has_one_entry_a_strategy():
    outputs = page.answer(SampleGateway(), START.to_data(), did(page.EQUAL))
    assert {len(outputs[place]) for place in range(1, 12)} == {5}
    assert len(outputs) == 19


def test_moving_a_weight_leaves_locks_and_ticks_alone_and_a_lock_does_not():
    mine = proposals.toggle_lock(START, "breakout")
    moved = page.answer(SampleGateway(), mine.to_data(), did(part("slider", "momentum"), 50))
    for place in (2, 4, 8, 9, 10, 11):
        assert moved[place] == [dash.no_update] * 5
    locked = page.answer(SampleGateway(), mine.to_data(), did(part("lock", "momentum")))
    assert locked[8] == ["true", "false", "false", "true", "false"]


def test_every_answer_says_all_that_a_move_can_change():
    """Answers may overtake each other, so none may count on what an earlier one drew."""
    back = proposals.move(proposals.move(START, "momentum", 50), "momentum", 40)
    closed = page.answer(SampleGateway(), back.to_data(), did(part("slider", "momentum"), 30))
    assert closed[16] == "true"
    assert closed[15] == "Apply"
    assert closed[12] == []
    assert dash.no_update not in [closed[place] for place in (3, 5, 6, 7, 12, 13, 14, 15, 16, 18)]


def test_a_refused_number_is_put_back():
    refused = page.answer(SampleGateway(), START.to_data(), did(part("number", "momentum"), "abc"))
    assert refused[3][0] == "30"
    assert refused[13] == "Enter 0 to 100%."


def test_locks_steps_equalise_and_reset():
    found = after(
        START, did(part("lock", "momentum")), did(page.EQUAL), did(part("step", "breakout", by="1"))
    )
    assert found.locks == ("momentum",)
    assert found.weights["momentum"] == 30
    assert found.weights["breakout"] in {18, 19}
    assert after(found, did(page.RESET)).weights == START.weights


@pytest.mark.parametrize(
    "trigger", [page.EQUAL, page.DISCARD, page.APPLY, part("lock", "momentum")]
)
def test_a_button_that_was_only_drawn_does_nothing(trigger):
    mine = proposals.move(START, "momentum", 50)
    assert after(mine, did(trigger, 0)) == mine


def test_apply_sends_the_proposal_as_fractions_once():
    gateway = SampleGateway()
    mine = proposals.move(START, "momentum", 20)
    sent = after(mine, did(page.APPLY), did(page.APPLY), gateway=gateway)
    assert len(gateway.sent) == 1
    command, actor, source = gateway.sent[0]
    assert isinstance(command, SetStrategyWeights)
    assert command.weights["momentum"] == pytest.approx(0.2)
    assert sum(command.weights.values()) == pytest.approx(1.0)
    assert (actor, source) == ("local", "dashboard")
    assert sent.is_sent


def test_apply_without_a_change_sends_nothing():
    gateway = SampleGateway()
    after(START, did(page.APPLY), gateway=gateway)
    assert gateway.sent == []


def test_a_command_that_cannot_be_sent_says_so_and_keeps_the_proposal():
    class Broken(SampleGateway):
        def send(self, command, **_):
            raise JournalError("journal must take writes, was read-only; free the disk")

    mine = proposals.move(START, "momentum", 20)
    found = after(mine, did(page.APPLY), gateway=Broken())
    assert found.problem.startswith("Command not sent.")
    assert not found.is_sent
    assert found.weights == mine.weights


def test_what_is_in_force_is_followed_when_it_changes_elsewhere():
    other = dict.fromkeys(START.weights, 20)
    found = after(START, did(page.FORCE, json.dumps(other)))
    assert found.weights == other
    with pytest.raises(PreventUpdate):
        page.answer(SampleGateway(), START.to_data(), did(page.FORCE, json.dumps(START.current)))


def test_an_overtaken_proposal_is_told_in_the_bar():
    mine = proposals.move(START, "momentum", 50)
    other = json.dumps(dict.fromkeys(START.weights, 20))
    outputs = page.answer(SampleGateway(), mine.to_data(), did(page.FORCE, other))
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
