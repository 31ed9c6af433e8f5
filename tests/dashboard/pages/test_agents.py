"""The Agents page: drawn, live, obeyed."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from dash.exceptions import PreventUpdate

from dashboard import frame
from dashboard.pages import agents as page
from dashboard.patches import encode_patch
from dashboard.wish import is_topic
from engine.domain.agents import AgentStatus, TaskPriority
from engine.domain.commands import (
    PauseAgent,
    ResumeAgent,
    SetAgentPace,
    SetSchedulerWeights,
)
from engine.domain.events import EventType
from engine.domain.log import LogRow
from engine.domain.resources import ApiFigures, BreakerState
from engine.domain.sections import AgentRow, AgentsSection
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
    set_by_me = {"status": status, "actor": "local", "since": 1_000_045_927.0}
    rows = tuple(replace(r, **set_by_me) if r.agent_id == agent_id else r for r in section.rows)
    gateway.values["agents"] = replace(section, rows=rows)
    return gateway


def test_figures_say_how_long_ago_they_were_measured(gateway: SampleGateway):
    section = replace(gateway.values["agents"], measured_at=1_000_045_927.0)
    gateway.values["agents"] = section
    drawn = by_id(page.layout(gateway, {}), "agents-measured-age")["props"]
    assert drawn["data-received"] == "1000045927.000"
    assert "data-wall" in drawn  # a pause of the feed does not stop it
    for render, names in (
        (page.render_counts, ("agents-measured", "agents-list-measured")),
        (page.render_queue, ("agents-queue-measured",)),
        (page.render_detail, ("agents-detail-measured",)),
    ):
        patch = render(gateway.read(), "risk")
        assert patch.age == {f"{name}-age": (1_000_045_927.0, 45.0) for name in names}
        assert {patch.text[f"{name}-words"] for name in names} == {"measured"}
    gateway.values["agents"] = replace(section, measured_at=None)
    waiting = page.render_counts(gateway.read(), "")
    assert (waiting.age, waiting.text["agents-measured-words"]) == ({}, "not measured yet")


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


def test_the_browser_is_asked_to_remember_table_or_cards(gateway: SampleGateway):
    switch = by_id(page.layout(gateway, {}), page.rows.SHAPE)["props"]
    assert [o["value"] for o in switch["options"]] == ["table", "cards"]
    assert (switch["value"], switch["persistence"], switch["persistence_type"]) == (
        "table",
        True,
        "local",
    )


def test_the_list_counts_states_as_the_graph_does(gateway: SampleGateway):
    drawn = page.layout(gateway, {})
    words = text_of(by_id(drawn, page.rows.COUNTS))
    assert words == text_of(by_id(drawn, page.COUNTS))
    assert "6 running" in words


def test_a_node_shows_the_errors_of_its_agent_and_why(gateway: SampleGateway):
    section = gateway.values["agents"]
    rows = tuple(
        replace(r, last_error="ValueError: no data", measured=replace(r.measured, errors=3))
        if r.agent_id == "risk"
        else r
        for r in section.rows
    )
    before = page.layout(gateway, {})
    gateway.values["agents"] = replace(section, rows=rows)
    drawn = by_id(page.layout(gateway, {}), "node-risk")
    assert "errors 3" in text_of(drawn)
    assert drawn["props"]["data-tip"] == "3 errors, the last: ValueError: no data"
    patch = page.render_graph(gateway.read(("agents",)), "")
    assert patch.text["node-errors-risk"] == "3"
    assert patch.attrs["node-risk"]["data-tip"] == drawn["props"]["data-tip"]
    assert "ph-node-erred" in patch.cls["node-risk"].split()
    assert "ph-node-erred" not in by_id(before, "node-risk")["props"]["className"]


def test_what_a_flow_carried_last_is_read_and_hovered_alike(gateway: SampleGateway):
    patch = page.render_payloads(gateway.read(("agents", "log")), "")
    words = patch.text["edge-last-monte_carlo-risk"]
    assert words == "Last: JNJ, level 1, 1,000 paths"
    assert patch.attrs["edge-rate-monte_carlo-risk"] == {"data-tip": words}


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
    assert (
        "Paused by you at 14:32:07. No RISK_UPDATE for Strategy engine until it goes on."
        in text_of(by_id(drawn, "agent-note-risk"))
    )


def test_all_are_paused_by_one_command_each_and_the_supervisor_by_none(gateway: SampleGateway):
    acts = Recorder(page, gateway)
    assert acts.call("act_on_many", 1, 0, 0, touched="agents-all-pause") == ""
    sent = [command for command, *_ in gateway.sent]
    paused = ["market_data", "monte_carlo", "risk", "strategy", "execution"]
    assert sent == [PauseAgent(agent_id=agent_id) for agent_id in paused]


def test_an_act_on_many_is_there_only_while_somebody_would_follow(gateway: SampleGateway):
    def shown() -> list[str]:
        patch = page.render_states(gateway.read(("agents",)), "")
        drawn = page.layout(gateway, {})
        keys = ("pause", "resume", "restart")
        classes = {k: by_id(drawn, f"agents-all-{k}")["props"]["className"] for k in keys}
        assert {k: patch.cls[f"agents-all-{k}"] for k in keys} == classes
        return [k for k in keys if "ph-none" not in classes[k]]

    assert shown() == ["pause"]
    with_status(gateway, "risk", AgentStatus.PAUSED)
    assert shown() == ["pause", "resume"]
    with_status(gateway, "execution", AgentStatus.ERROR)
    assert shown() == ["resume", "restart"]


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
        "choose", [0, 1], [0, 0], [], nodes, names, touched=nodes[1]
    )
    assert text_of(shown).startswith("Execution")
    assert live == "agents.detail:execution agents.chosen:execution"
    assert here == "/agents?agent=execution"
    assert node_marks == name_marks == ["false", "true"]


def test_buttons_that_only_appeared_choose_nothing(gateway: SampleGateway):
    node = {"type": "agents-node", "agent": "risk"}
    with pytest.raises(PreventUpdate):
        Recorder(page, gateway).call("choose", [0], [0], [0], [node], [node], touched=node)


def test_the_panel_of_the_chosen_agent_closes_and_stays_closed(gateway: SampleGateway):
    drawn = page.layout(gateway, {"agent": "risk"})
    button = next(
        n["props"]["id"] for n in walk(drawn) if n["props"].get("id") == page.side.close_id("risk")
    )
    nodes = [{"type": "agents-node", "agent": "risk"}]
    shown, live, here, *marks = Recorder(page, gateway).call(
        "choose", [0], [0], [1], nodes, nodes, touched=button
    )
    assert (shown, live, here, marks) == (None, "", "/agents?detail=closed", [["false"]] * 2)
    again = page.layout(gateway, {"detail": "closed"})
    assert not any("agents.detail" in topic for topic in topics(again))
    assert "agents-detail-pill" not in ids(again)


def with_own(gateway: SampleGateway, n: int = 12) -> SampleGateway:
    """Give the gateway agents of one's own, whose names are no DOM ids, with more topics than are drawn."""
    section = gateway.values["agents"]
    topics = ("MARKET_DATA", "MC_UPDATE", "RISK_UPDATE", "CUSTOM")
    mine = tuple(
        AgentRow(agent_id=f"my own.{k}", title=f"Mine {k}", topics_in=topics, topics_out=topics)
        for k in range(n)
    )
    gateway.values["agents"] = replace(section, rows=(*section.rows, *mine))
    return gateway


def test_every_agent_of_ones_own_stands_below_the_graph(gateway: SampleGateway):
    assert "Your agents" not in text_of(page.layout(gateway, {}))
    drawn = page.layout(with_own(gateway), {})
    assert "Your agents" in text_of(drawn)
    assert {f"node-my-20-own-2e-{k}" for k in range(12)} <= ids(drawn)
    test_every_live_patch_finds_its_elements(gateway)


def test_a_stub_is_named_and_kept_like_a_flow_between_two(gateway: SampleGateway):
    drawn = page.layout(with_own(gateway, 1), {})
    key = "out-my-20-own-2e-0-MC_UPDATE"
    rate = by_id(drawn, f"edge-rate-{key}")["props"]
    assert (rate["tabIndex"], rate["aria-label"]) == (0, "Mine 0 to Risk, MC_UPDATE")
    assert rate["aria-describedby"] == f"edge-last-{key}"
    state = page.render_graph(gateway.read(), "")
    assert (state.text[f"edge-rate-{key}"], state.cls[f"edge-{key}"]) == (
        "stopped", "ph-edge ph-stub ph-edge-silent",
    )  # fmt: skip
    told = page.render_payloads(gateway.read(), "")
    assert told.text[f"edge-last-{key}"] == told.attrs[f"edge-rate-{key}"]["data-tip"]


def test_topics_that_are_not_drawn_are_named_by_a_tip_that_the_keyboard_reaches(
    gateway: SampleGateway,
):
    drawn = page.layout(with_own(gateway, 1), {})
    rest = by_id(drawn, "stubs-rest-in-my-20-own-2e-0")["props"]
    assert (rest["tabIndex"], rest["children"]) == (0, "+2 more")
    assert rest["data-tip"] == "RISK_UPDATE 1.8 /s, CUSTOM 0 /s"
    told = by_id(drawn, rest["aria-describedby"])["props"]
    assert told["children"] == rest["data-tip"]


def test_a_flow_is_reached_by_keyboard_and_tells_what_it_carried(gateway: SampleGateway):
    rate = by_id(page.layout(gateway, {}), "edge-rate-monte_carlo-risk")["props"]
    assert rate["tabIndex"] == 0
    assert rate["aria-label"] == "Monte Carlo to Risk, MC_UPDATE"
    assert rate["aria-describedby"] == "edge-last-monte_carlo-risk"


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


def test_a_priority_that_was_set_is_in_the_next_patch(gateway: SampleGateway):
    assert text_of(by_id(page.layout(gateway, {}), "agent-priority-risk")) == "CRITICAL"
    section = gateway.values["agents"]
    rows = tuple(
        replace(r, priority=TaskPriority.LOW) if r.agent_id == "risk" else r for r in section.rows
    )
    gateway.values["agents"] = replace(section, rows=rows)
    patch = page.render_figures(gateway.read(("agents",)), "")
    assert patch.text["agent-priority-risk"] == "LOW"


def test_a_long_error_is_cut_where_it_is_listed_and_whole_behind_a_line(gateway: SampleGateway):
    error = f"ValueError: {'no such table, ' * 30}".rstrip(", ")
    section = gateway.values["agents"]
    rows = tuple(
        replace(r, status=AgentStatus.ERROR, last_error=error) if r.agent_id == "risk" else r
        for r in section.rows
    )
    gateway.values["agents"] = replace(section, rows=rows)
    drawn = page.layout(gateway, {"agent": "risk"})
    assert text_of(drawn).count(error) == 1
    assert text_of(by_id(drawn, "agents-error-whole")) == error
    note = by_id(drawn, "agent-note-risk")
    assert len(text_of(note)) < 200
    assert any(error in n["props"].get("data-tip", "") for n in walk(note))


def test_bars_of_durations_stand_in_one_mask():
    style = unquote(page.side.bars_style((0.5, 1.0))["--ph-bars"])
    assert "viewBox='0 0 18 100'" in style
    assert "x='0' y='50.0' width='8' height='50.0'" in style
    assert "x='10' y='0.0' width='8' height='100.0'" in style


def test_durations_are_rows_of_a_table_under_the_name_of_their_task_type(gateway: SampleGateway):
    drawn = page.layout(gateway, {"agent": "risk"})
    told = by_id(drawn, page.side.TASK_ROWS)["props"]["data-ph-rows"]
    rows = json.loads(told)
    assert [[text for _, text in cells] for _, _, cells in rows] == [
        ["agent_cycle"],
        ["Market data", "270", "11 ms", "12 ms", "130 ms", "4.2 ms"],
        ["risk_cycle"],
        ["Risk", "20", "0.6 ms", "0.8 ms", "1.4 ms", "0.3 ms"],
    ]
    patch = page.render_queue(gateway.read(("agents",)), "")
    assert patch.attrs[page.side.TASK_ROWS] == {"data-ph-rows": told}
    assert patch.text[page.side.TASK_WORDS] == text_of(by_id(drawn, page.side.TASK_WORDS))


def test_a_service_counts_down_to_its_next_try_and_says_what_follows(gateway: SampleGateway):
    figures = ApiFigures(
        api="news", breaker=BreakerState.OPEN, reason="HTTP 500", requests=5, errors=5,
        next_try_in_s=6.0, next_try_at=1_006.0,
    )  # fmt: skip
    gateway.values["agents"] = replace(gateway.values["agents"], apis=(figures,))
    patch = page.render_resources(gateway.read(("agents",)), "")
    told = patch.attrs["agents-apis"]["data-ph-rows"]
    assert by_id(page.layout(gateway, {}), "agents-apis")["props"]["data-ph-rows"] == told
    (_, _, head), (_, _, more) = json.loads(told)
    assert [cell[1] for cell in head] == ["", "news", "open: HTTP 500", ""]
    assert head[-1][2] == {
        "phDue": "1006.000", "phBefore": "next try in ", "phOver": "half-open: the next call is on trial",
    }  # fmt: skip
    assert more[0][1] == "5 of 5 calls failed; no rate limit"


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
    assert acts.call("set_pace", 1, None, "12.5", "LOW", "risk") == ""
    assert gateway.sent[-1][0] == SetAgentPace(agent_id="risk", interval_s=12.5, priority="LOW")
    said = acts.call("set_pace", 2, None, "soon", "LOW", "risk")
    assert said == "interval must be a number of seconds, was 'soon'; enter for example 30"
    assert len(gateway.sent) == 1
    with pytest.raises(PreventUpdate):
        acts.call("set_pace", 0, None, "1", "LOW", "risk")


def test_enter_in_the_interval_sets_it_as_the_button_does(gateway: SampleGateway):
    acts = Recorder(page, gateway)
    assert acts.call("set_pace", 0, 1, "30", "HIGH", "risk") == ""
    assert gateway.sent[-1][0] == SetAgentPace(agent_id="risk", interval_s=30.0, priority="HIGH")


def test_an_interval_out_of_bounds_is_refused_beside_its_field(gateway: SampleGateway):
    said = Recorder(page, gateway).call("set_pace", 1, None, "0", "LOW", "risk")
    assert said == "interval must be from 0.1 to 86,400 s, was 0.0; give seconds within"
    assert gateway.sent == []
    answer = by_id(page.layout(gateway, {"agent": "risk"}), "agents-pace-error")["props"]
    assert "ph-intent-answer" not in answer["className"]  # that one floats over the page


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


def test_a_rare_kind_of_the_log_comes_from_the_journal_and_stays(gateway: SampleGateway):
    """The live section holds the newest of all kinds: commands of ten seconds ago are not among them."""
    asked: list[dict[str, Any]] = []

    def events(**question: Any) -> tuple[LogRow, ...]:
        asked.append(question)
        row = gateway.values["log"].rows[0]
        return (
            replace(
                row, seq=17, event_type=EventType.COMMAND_ACCEPTED.value, meaning="paused by me"
            ),
        )

    gateway.answers["events"] = events
    (row,) = page._listed(gateway, "commands")
    assert (row.seq, row.meaning) == (17, "paused by me")
    assert asked[0]["limit"] == page.side.N_LOG
    assert EventType.COMMAND_REFUSED in asked[0]["types"]
    patch = page.render_log(gateway.read(("log",)), "commands")
    assert set(patch.attrs[page.side.LOG_BODY]) == {"data-ph-newer"}
    assert set(page.render_log(gateway.read(("log",)), "all").attrs[page.side.LOG_BODY]) == {
        "data-ph-rows"
    }
    n_asked = len(asked)
    assert page._listed(gateway, "all") == page._log(gateway.read(("log",)), "all")
    assert len(asked) == n_asked, "all kinds are at hand"
