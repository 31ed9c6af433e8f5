"""The Agents page: drawn, live, obeyed."""

import json
from dataclasses import replace
from urllib.parse import unquote

import pytest
from dash.exceptions import PreventUpdate

from dashboard import frame
from dashboard.pages import agents as page
from dashboard.patches import encode_patch
from dashboard.wish import is_topic
from engine.domain.agents import AgentStatus
from engine.domain.commands import (
    PauseAgent,
    ResumeAgent,
    SetAgentPace,
    SetSchedulerWeights,
)
from engine.domain.sections import AgentsSection
from tests.dashboard.components.trees import by_id, text_of, walk
from tests.dashboard.pages.callbacks import Recorder
from tests.dashboard.samples import SampleGateway

EMPTY = SampleGateway({})


@pytest.fixture
def gateway() -> SampleGateway:
    return SampleGateway()


def ids(tree) -> set[str]:
    found = [n["props"]["id"] for n in walk(tree) if n["props"].get("id")]
    return {
        json.dumps(i, sort_keys=True, separators=(",", ":")) if isinstance(i, dict) else i
        for i in found
    }


def topics(tree) -> list[str]:
    return " ".join(n["props"].get("data-topics", "") for n in walk(tree)).split()


def with_status(gateway: SampleGateway, agent_id: str, status: AgentStatus) -> SampleGateway:
    section = gateway.values["agents"]
    rows = tuple(replace(r, status=status) if r.agent_id == agent_id else r for r in section.rows)
    gateway.values["agents"] = replace(section, rows=rows)
    return gateway


def intents(tree) -> list[dict]:
    return [
        json.loads(n["props"]["data-ph-intent"])
        for n in walk(tree)
        if n["props"].get("data-ph-intent")
    ]


def test_the_address_chooses_the_agent(gateway: SampleGateway):
    drawn = page.layout(gateway, {"agent": "risk"})
    assert "agents.detail:risk" in topics(drawn)
    pressed = [
        n["props"]["id"]["agent"] for n in walk(drawn) if n["props"].get("aria-pressed") == "true"
    ]
    assert pressed == ["risk", "risk"]  # its node and its row


def test_every_live_patch_finds_its_elements(gateway: SampleGateway):
    drawn = page.layout(gateway, {"agent": "risk"})
    known = ids(drawn)
    parts = {part.name: part for part in page.LIVE}
    for topic in topics(drawn):
        assert is_topic(topic), topic
        name, _, argument = topic.partition(":")
        patch = parts[name].render(gateway.read(parts[name].sections), argument)
        wanted = {*patch.text, *patch.cls, *patch.attrs, *patch.props}
        assert wanted <= known, (topic, wanted - known)
        assert encode_patch(patch)


def test_the_log_is_drawn_at_most_once_a_second():
    assert next(p for p in page.LIVE if p.name == "agents.log").min_interval_s >= 1.0


def test_before_the_engine_runs_the_page_says_so_and_fills_itself(gateway: SampleGateway):
    drawn = page.layout(EMPTY, {})
    assert "No agent yet" in text_of(drawn)
    (topic,) = topics(drawn)
    argument = topic.partition(":")[2]
    patch = page.render_crew(gateway.read(("agents", "log")), argument)
    assert (
        patch.props[page.ROOT]["data-topics"]
        == f"agents.crew:{page.view.crew_key(gateway.values['agents'])}"
    )
    known = page.render_crew(
        gateway.read(("agents", "log")), page.view.crew_key(gateway.values["agents"])
    )
    assert known.to_data() == {}
    assert page.render_crew(EMPTY.read(("agents",)), argument).to_data() == {}


def test_the_sample_holds_every_id_that_callbacks_name():
    known = ids(page.sample_layout())
    assert {
        page.DETAIL,
        page.LOG,
        page.side.LOG_BODY,
        page.side.LOG_KIND,
        page.side.LOG_HOLD,
    } <= known
    assert any('"agents-node"' in i for i in known)


def test_a_button_sends_the_command_that_it_names(gateway: SampleGateway):
    risk = by_id(page.layout(gateway, {}), "agent-tools-risk")
    pause, stop, once = intents(risk)
    assert frame.send_command(gateway, {"command_id": "c1", **pause}) == ""
    assert gateway.sent == [(PauseAgent(agent_id="risk"), "local", "dashboard")]
    assert [stop["name"], once["name"]] == ["StopAgent", "RunAgentOnce"]


def test_a_paused_agent_offers_resume(gateway: SampleGateway):
    drawn = page.layout(with_status(gateway, "risk", AgentStatus.PAUSED), {})
    resume, _ = intents(by_id(drawn, "agent-tools-risk"))
    frame.send_command(gateway, {"command_id": "c1", **resume})
    assert gateway.sent[0][0] == ResumeAgent(agent_id="risk")
    assert "Paused. No RISK_UPDATE for Strategy engine until it goes on." in text_of(
        by_id(drawn, "agent-note-risk")
    )


def test_a_locked_button_carries_no_command_but_its_reason(gateway: SampleGateway):
    tools = by_id(page.layout(gateway, {}), "agent-tools-supervisor")
    locked = [n["props"] for n in walk(tools) if n["props"].get("aria-disabled") == "true"]
    assert [("data-ph-intent" in p, "engine runs" in p["data-tip"]) for p in locked] == [
        (False, True)
    ] * 2
    assert [i["name"] for i in intents(tools)] == ["RunAgentOnce"]


def test_a_click_shows_the_agent_keeps_the_address_and_marks_it(gateway: SampleGateway):
    nodes = [{"type": "agents-node", "agent": a} for a in ("risk", "execution")]
    names = [{"type": "agents-name", "agent": a} for a in ("risk", "execution")]
    shown, live, here, node_marks, name_marks = Recorder(page, gateway).call(
        "choose", [0, 1], [0, 0], nodes, names, touched=nodes[1]
    )
    assert text_of(shown).startswith("Execution")
    assert live == "agents.detail:execution agents.chosen:execution"
    assert here == "/agents?agent=execution"
    assert node_marks == name_marks == ["false", "true"]


def test_buttons_that_only_appeared_choose_nothing(gateway: SampleGateway):
    node = {"type": "agents-node", "agent": "risk"}
    with pytest.raises(PreventUpdate):
        Recorder(page, gateway).call("choose", [0], [0], [node], [node], touched=node)


def test_the_log_filters_by_kind_and_can_be_held(gateway: SampleGateway):
    recorder = Recorder(page, gateway)
    rows, live, mark = recorder.call("filter_log", "orders", 0, "false", touched=page.side.LOG_KIND)
    assert [cells[1][1] for _, _, cells in json.loads(rows)] == ["ORDER_FILLED"]
    assert (live, mark) == ("agents.log:orders", "false")
    _, live, mark = recorder.call("filter_log", "orders", 1, "false", touched=page.side.LOG_HOLD)
    assert (live, mark) == ("", "true")
    _, live, mark = recorder.call("filter_log", "orders", 2, "true", touched=page.side.LOG_HOLD)
    assert (live, mark) == ("agents.log:orders", "false")


def test_what_changes_each_second_is_text_and_never_a_component(gateway: SampleGateway):
    """A component set from outside makes Dash look at every other one; a few a minute are fine."""
    snapshot = gateway.read(("agents", "log"))
    for name, argument in (
        ("graph", ""),
        ("figures", ""),
        ("detail", "risk"),
        ("queue", ""),
        ("log", "all"),
    ):
        part = next(p for p in page.LIVE if p.name == f"agents.{name}")
        assert not part.render(snapshot, argument).props, name


def test_bars_of_durations_stand_in_one_mask():
    style = unquote(page.side.bars_style((0.5, 1.0))["--ph-bars"])
    assert "viewBox='0 0 18 100'" in style
    assert "x='0' y='50.0' width='8' height='50.0'" in style
    assert "x='10' y='0.0' width='8' height='100.0'" in style


def test_a_crew_without_anybody_draws_no_row():
    assert page.render_states(EMPTY.read(("agents",)), "").to_data() == {}
    assert page.view.crew_key(AgentsSection()) == "00000000"


# -- pace ------------------------------------------------------------------------------------------------------


def test_the_chosen_agents_pace_is_a_form_with_what_is_set(gateway: SampleGateway):
    drawn = page.layout(gateway, {"agent": "risk"})
    row = next(r for r in gateway.values["agents"].rows if r.agent_id == "risk")
    assert by_id(drawn, "agents-pace-interval")["props"]["value"] == f"{row.base_interval_s:g}"
    assert by_id(drawn, "agents-pace-priority")["props"]["value"] == row.priority.name
    assert by_id(drawn, "agents-pace")["props"]["data-agent"] == "risk"


def test_an_agent_without_a_cycle_has_no_pace_to_set(gateway: SampleGateway):
    drawn = page.layout(gateway, {"agent": "execution"})
    assert "agents-pace" not in ids(drawn)


def test_a_pace_is_sent_and_one_that_is_no_number_is_refused_in_words(gateway: SampleGateway):
    acts = Recorder(page, gateway)
    assert acts.call("set_pace", 1, "12.5", "LOW", "risk") == ""
    assert gateway.sent[-1][0] == SetAgentPace(agent_id="risk", interval_s=12.5, priority="LOW")
    said = acts.call("set_pace", 2, "soon", "LOW", "risk")
    assert said == "interval must be a number of seconds, was 'soon'; enter for example 30"
    assert len(gateway.sent) == 1
    with pytest.raises(PreventUpdate):
        acts.call("set_pace", 0, "1", "LOW", "risk")


def test_moving_a_slider_shows_where_it_leads_and_only_apply_sends(gateway: SampleGateway):
    asked = []

    def intervals(rows, weights):
        asked.append(weights)
        return {row.agent_id: 7.0 for row in rows}

    gateway.answers["intervals"] = intervals
    acts = Recorder(page, gateway)
    *numbers, rows = acts.call("weigh", "80", "30", "20")
    assert numbers == ["80%", "30%", "20%"]
    assert (asked[0].market, asked[0].performance, asked[0].system) == (0.8, 0.3, 0.2)
    assert all("Leads to 7 s" in text_of(row) for row in rows)
    assert gateway.sent == []
    assert acts.call("apply_weights", 1, "80", "30", "20") == ""
    assert gateway.sent[0][0] == SetSchedulerWeights(market=0.8, performance=0.3, system=0.2)


def test_only_agents_whose_interval_moves_are_listed_with_the_weights(gateway: SampleGateway):
    drawn = page.layout(gateway, {})
    listed = text_of(by_id(drawn, "agents-weights-rows"))
    assert "Risk" in listed
    assert "Market data" not in listed
    assert "market 50%, performance 30%, system load 20%" in text_of(
        by_id(drawn, "agents-weights-words")
    )
