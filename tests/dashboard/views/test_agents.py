"""What the Agents page says, held by numbers worked out by hand."""

from dataclasses import replace

import pytest

from dashboard.views import agent_graph as graph
from dashboard.views import agents as view
from dashboard.views.agent_controls import controls_of, effect_of
from engine.domain.agents import AgentMeasured, AgentStatus, WorkTimes
from engine.domain.log import LogRow
from engine.domain.sections import AgentRow, AgentsSection, EngineSection
from tests.dashboard.fakes import RECEIVED_AT, quote
from tests.dashboard.samples import WALL, agents


def crew(**changes: AgentRow) -> AgentsSection:
    section = agents()
    return replace(section, rows=tuple(changes.get(r.agent_id, r) for r in section.rows))


def row(agent_id: str, **changes: object) -> AgentRow:
    found = next(r for r in agents().rows if r.agent_id == agent_id)
    return replace(found, **changes)


def shown(agent_id: str, **changes: object) -> view.AgentView:
    changed = row(agent_id, **changes)
    return view.agent_view(changed, crew(**{agent_id: changed}).rows)


def words(found: AgentRow) -> list[str]:
    return [c.word for c in controls_of(found, agents().rows)]


def test_a_row_holds_pace_and_figures():
    risk = shown("risk")
    assert (risk.title, risk.state, risk.pill, risk.priority) == (
        "Risk",
        "running",
        "Running",
        "CRITICAL",
    )
    assert (risk.every, risk.p50, risk.p95) == ("on MC", "3.7 ms", "4.7 ms")  # 11 / 3 and 14 / 3
    assert (risk.runs, risk.runs_tip) == ("2,270", "270 cycles, 2,000 events handled")
    assert (risk.errors, risk.has_errors, risk.problem) == ("0", False, "")
    assert risk.last_run_at == WALL - 0.4


def test_what_was_never_measured_is_unknown_and_not_zero():
    sentiment = shown("sentiment")
    assert (sentiment.p50, sentiment.last_run_at, sentiment.runs) == ("–", None, "0")
    assert (sentiment.state, sentiment.detail) == ("not set up", "no source configured")


def test_an_agent_that_outran_its_interval_is_late_by_the_difference():
    slow = AgentMeasured(agent_id="market_data", cycle_times=WorkTimes(last_ms=3100.0))
    late = shown("market_data", interval_s=1.0, measured=slow)
    assert (late.state, late.pill) == ("late", "Late 2.1 s")
    assert late.problem == "Last cycle 3.1 s, its interval is 1 s."
    assert late.effect == ""  # it still speaks
    assert shown("market_data", interval_s=3.1, measured=slow).state == "running"


def test_an_agent_without_cycle_is_never_late():
    slow = AgentMeasured(agent_id="strategy", cycle_times=WorkTimes(last_ms=9_000.0))
    assert shown("strategy", interval_s=None, measured=slow).state == "running"


def test_a_failure_says_how_often_why_and_what_follows():
    failed = shown(
        "monte_carlo",
        status=AgentStatus.ERROR,
        last_error="ValueError: no data.",
        consecutive_errors=5,
    )
    assert (failed.pill, failed.problem_tone) == ("Failed (5×)", "crit")
    assert failed.problem == "Failed 5 times in a row: ValueError: no data."
    assert failed.effect == "No MC_UPDATE for Risk until it goes on."


def test_a_failure_without_words_does_not_invent_any():
    assert shown("risk", status=AgentStatus.ERROR).problem == "Failed: no reason was given."


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (AgentStatus.RUNNING, ["Pause", "Stop", "Run once"]),
        (AgentStatus.PAUSED, ["Resume", "Stop"]),
        (AgentStatus.STOPPED, ["Start"]),
        (AgentStatus.CREATED, ["Start"]),
        (AgentStatus.ERROR, ["Restart", "Stop"]),
        (AgentStatus.NOT_SET_UP, ["Start"]),
    ],
)
def test_the_buttons_are_those_that_the_engine_obeys_in_this_state(
    status: AgentStatus, expected: list[str]
):
    assert words(row("risk", status=status)) == expected


def test_the_supervisor_cannot_be_stopped_and_says_so():
    pause, stop, once = controls_of(row("supervisor"), agents().rows)
    assert "supervisor runs while the engine runs" in pause.locked
    assert stop.locked == pause.locked
    assert once.locked == ""


def test_a_risk_agent_can_be_stopped():
    assert [c.locked for c in controls_of(row("risk"), agents().rows)] == ["", "", ""]


def test_an_agent_driven_by_events_has_no_cycle_to_run():
    once = controls_of(row("execution"), agents().rows)[2]
    assert once.locked == "it works on signal, it has no cycle to run"


def test_an_agent_in_between_takes_no_command():
    locked = [
        c.locked for c in controls_of(row("risk", status=AgentStatus.STOPPING), agents().rows)
    ]
    assert locked == ["it is stopping"] * 3


def test_an_agent_that_is_not_set_up_says_what_is_missing():
    (start,) = controls_of(row("sentiment"), agents().rows)
    assert start.locked == "no source configured"


def test_the_effect_names_everybody_who_waits():
    rows = (
        AgentRow(agent_id="mine", title="Mine", topics_out=("CUSTOM",)),
        AgentRow(agent_id="a", title="A", topics_in=("CUSTOM",)),
        AgentRow(agent_id="b", title="B", topics_in=("CUSTOM", "MC_UPDATE")),
        AgentRow(agent_id="c", title="C", topics_in=("MC_UPDATE",)),
    )
    assert effect_of(rows[0], rows) == "No CUSTOM for A and B until it goes on."
    assert effect_of(rows[3], rows) == "Nobody waits for it."


def test_the_header_counts_states_and_totals():
    section = crew(
        risk=row("risk", status=AgentStatus.PAUSED),
        execution=row(
            "execution", measured=AgentMeasured(agent_id="execution", errors=2, conflated=30)
        ),
    )
    counts = [text for text, _, _ in view.crew_view(section).counts]
    assert counts == ["5 running", "1 paused", "1 not set up"]
    assert (
        view.crew_view(section).remark == "late 0 · skipped 0 · failed 2 · conflated 30 · events/s"
    )


def test_counts_say_since_when():
    engine = EngineSection(state="running", owner="web-7", started_at=1_000_045_927.0)
    assert view.since_words(engine) == "counted since the start at 14:32:07"
    assert view.since_words(None) == ""


def test_before_the_first_health_check_no_rate_is_shown():
    section = replace(agents(), events_per_second={}, queue_by_priority={})
    found = view.measured_view(section)
    assert (found.words, found.received_at) == ("not measured yet", None)
    assert view.rate(section, "MC_UPDATE") == "–"
    assert {(e.label, e.state, e.width) for e in graph.edges_view(section)} == {("–", "live", 1.0)}


def test_figures_have_the_age_of_the_last_health_check():
    found = view.measured_view(replace(agents(), measured_at=1_000_000_000.0))
    assert (found.words, found.received_at) == ("measured", 1_000_000_000.0)
    every = next(r.interval_s for r in agents().rows if r.agent_id == "supervisor")
    assert found.budget_s == 1.5 * every  # a check that is late makes them grey
    alone = view.measured_view(AgentsSection(measured_at=1.0))
    assert alone.budget_s == 45.0


def test_the_chosen_agent_is_the_one_asked_for_else_the_one_in_trouble():
    failing = crew(risk=row("risk", status=AgentStatus.ERROR))
    assert view.chosen(failing, "execution") == "execution"
    assert view.chosen(failing, "nobody") == "risk"
    assert view.chosen(agents(), "") == "market_data"
    assert view.chosen(AgentsSection(), "risk") == ""


def test_an_agent_is_timed_by_what_it_is_there_for_and_its_other_work_stands_apart():
    done = AgentMeasured(
        agent_id="risk", last_ms=18.0,
        cycle_times=WorkTimes(last_ms=18.0, p50_ms=17.0, p95_ms=19.0),
        event_times=WorkTimes(last_ms=1.4, p50_ms=1.3, p95_ms=2.5),
    )  # fmt: skip
    section = crew(risk=row("risk", measured=done))  # works "on MC"
    detail = view.detail_view(section, "risk")
    assert detail is not None
    assert (detail.last_word, detail.last, detail.row.p50, detail.row.p95) == (
        "Last event", "1.4 ms", "1.3 ms", "2.5 ms",
    )  # fmt: skip
    assert (detail.other_word, detail.other) == ("Cycles", "last 18 ms, p50 17 ms, p95 19 ms")
    assert next(n for n in graph.nodes_view(section) if n.agent_id == "risk").last == detail.last
    supervised = view.detail_view(
        crew(supervisor=row("supervisor", measured=replace(done, event_times=WorkTimes()))),
        "supervisor",
    )
    assert supervised is not None
    assert (supervised.last_word, supervised.last) == ("Last cycle", "18 ms")
    assert (supervised.other_word, supervised.other) == ("Events", "none yet")


def test_bars_are_shares_of_the_longest():
    detail = view.detail_view(
        crew(
            risk=row(
                "risk",
                measured=AgentMeasured(
                    agent_id="risk", event_times=WorkTimes(recent_ms=(5.0, 10.0, 0.0))
                ),
            )
        ),
        "risk",
    )
    assert detail is not None
    assert detail.bars == (0.5, 1.0, 0.0)
    assert detail.longest == "10 ms"
    assert detail.bars_label == "Last 3 durations, oldest first, longest 10 ms"
    assert detail.hears == (("MC_UPDATE", "1.6 /s"),)


def test_the_chosen_agent_says_what_its_tasks_took_by_type():
    assert said_of_tasks("risk") == "risk_cycle p50 0.6 ms, p95 0.8 ms, max 1.4 ms, late 0.3 ms"
    assert said_of_tasks("strategy") == "none ran yet"
    assert said_of_tasks("risk", durations=()) == "not measured yet"


def said_of_tasks(agent_id: str, **changes: object) -> str:
    shown_now = view.detail_view(replace(agents(), **changes), agent_id)
    assert shown_now is not None
    return shown_now.tasks


def test_next_run_is_a_moment_only_for_cycles_that_are_due():
    assert view.next_run_at(row("supervisor")) == WALL + 1.0
    assert view.next_run_at(row("supervisor", status=AgentStatus.PAUSED)) is None
    assert (view.next_run_at(row("risk")), view.next_words(row("risk"))) == (None, "on MC")
    quick = row("market_data")  # four times a second
    assert (view.next_run_at(quick), view.next_words(quick)) == (None, "0.25 s")


# -- graph -----------------------------------------------------------------------------------------------------


def test_an_edge_stands_only_where_one_says_what_the_other_hears():
    edges = {e.key: e for e in graph.edges_view(agents())}
    assert set(edges) == {
        "market_data-monte_carlo",
        "monte_carlo-risk",
        "risk-strategy",
        "strategy-execution",
    }
    deaf = crew(risk=row("risk", topics_in=()))
    assert "monte_carlo-risk" not in {e.key for e in graph.edges_view(deaf)}


def test_edges_carry_rate_width_and_state():
    edges = {e.key: e for e in graph.edges_view(agents())}
    assert (edges["monte_carlo-risk"].label, edges["monte_carlo-risk"].state) == ("1.6 /s", "live")
    assert edges["monte_carlo-risk"].width == 2.0  # 1 + 2.6 · log10(2.6) = 2.08
    assert edges["market_data-monte_carlo"].width == 4.0
    silent = replace(agents(), events_per_second={"MARKET_DATA": 1.0})
    none = next(e for e in graph.edges_view(silent) if e.topic == "MC_UPDATE")
    assert (none.label, none.state, none.width) == ("0 /s", "none", 1.0)


def test_a_flow_has_the_rate_of_the_agent_who_says_it():
    said = {"monte_carlo": {"MC_UPDATE": 1.0}, "mine": {"MC_UPDATE": 0.6, "RISK_UPDATE": 9.0}}
    section = replace(agents(), events_by_source=said)
    edges = {e.key: e for e in graph.edges_view(section)}
    assert edges["monte_carlo-risk"].label == "1.0 /s"  # of 1.6 in all
    assert (edges["risk-strategy"].label, edges["risk-strategy"].state) == ("0 /s", "none")
    execution = next(n for n in graph.nodes_view(section) if n.agent_id == "execution")
    assert execution.topic == "ORDER_FILLED 0 /s"


def test_the_chosen_agent_hears_everybody_and_says_its_own():
    said = {"monte_carlo": {"MC_UPDATE": 1.0}, "mine": {"MC_UPDATE": 0.6}}
    section = replace(agents(), events_by_source=said)
    speaks, hears = (view.detail_view(section, name) for name in ("monte_carlo", "risk"))
    assert speaks is not None
    assert hears is not None
    assert speaks.says == (("MC_UPDATE", "1.0 /s"),)
    assert hears.hears == (("MC_UPDATE", "1.6 /s"),)


def test_a_section_kept_before_sources_were_counted_tells_the_rate_of_the_topic():
    assert agents().events_by_source == {}
    assert view.rate(agents(), "MC_UPDATE", "monte_carlo") == "1.6 /s"


@pytest.mark.parametrize(
    ("status", "label", "state"),
    [
        (AgentStatus.PAUSED, "paused", "silent"),
        (AgentStatus.STOPPED, "stopped", "silent"),
        (AgentStatus.ERROR, "failed", "failed"),
    ],
)
def test_an_agent_that_says_nothing_has_a_word_in_place_of_the_rate(
    status: AgentStatus, label: str, state: str
):
    edges = {e.key: e for e in graph.edges_view(crew(risk=row("risk", status=status)))}
    assert (edges["risk-strategy"].label, edges["risk-strategy"].state) == (label, state)
    assert edges["monte_carlo-risk"].state == "live"


def node(agent_id: str, **changes: object) -> graph.NodeView:
    section = crew(**{agent_id: row(agent_id, **changes)})
    return next(n for n in graph.nodes_view(section) if n.agent_id == agent_id)


def test_a_failed_node_says_how_often_and_why_in_place_of_its_figures():
    failed = node(
        "risk", status=AgentStatus.ERROR, consecutive_errors=5, last_error="ValueError: no data"
    )
    assert (failed.state, failed.words) == ("failed", "failed 5×: ValueError: no data")
    assert (failed.errors, failed.tip) == ("5", "5 errors, the last: ValueError: no data")
    once = node("risk", status=AgentStatus.ERROR, reason="start failed: no exchange")
    assert once.words == "failed: start failed: no exchange"


def test_a_running_node_counts_its_errors_and_keeps_its_figures():
    erred = node(
        "risk", measured=AgentMeasured(agent_id="risk", errors=1_200), last_error="KeyError: 'AAPL'"
    )
    assert (erred.words, erred.errors) == ("", "1,200")
    assert erred.tip == "1,200 errors, the last: KeyError: 'AAPL'"


def test_a_node_without_errors_claims_none():
    assert (node("risk").errors, node("risk").tip) == ("", "")
    assert node("risk", last_error="KeyError: an old one").errors == ""
    assert node("sentiment").tip == "no source configured"


def test_no_two_nodes_overlap_at_the_least_width():
    width = graph.MIN_GRAPH_WIDTH
    boxes = [(x * (width - graph.NODE_WIDTH), top) for x, top in graph.PLACES.values()]
    for k, (x, top) in enumerate(boxes):
        for other_x, other_top in boxes[k + 1 :]:
            apart = (
                abs(x - other_x) >= graph.NODE_WIDTH or abs(top - other_top) >= graph.NODE_HEIGHT
            )
            assert apart, ((x, top), (other_x, other_top))


def test_each_flow_tells_what_it_carried_last():
    edges = graph.edges_view(agents())
    rows = [
        LogRow(seq=3, at=3.0, event_type="MC_UPDATE", source="monte_carlo", meaning="The newest."),
        LogRow(
            seq=1, at=1.0, event_type="MC_UPDATE", source="monte_carlo", meaning="An older one."
        ),
    ]
    quotes = {"IBM": quote("IBM", 128.24), "AAPL": quote("AAPL", 9.0, RECEIVED_AT - 1)}
    last = graph.last_words(edges, rows, quotes)
    assert last["monte_carlo-risk"] == "Last: The newest."
    assert last["market_data-monte_carlo"] == "Last: IBM 128.24"
    unknown = graph.last_words(edges, rows, {})["market_data-monte_carlo"]
    assert unknown == "No MARKET_DATA among the newest events"
    assert last["risk-strategy"] == "No RISK_UPDATE among the newest events"


def test_what_another_says_of_the_topic_is_not_told_of_a_flow():
    rows = [LogRow(seq=2, at=2.0, event_type="MC_UPDATE", source="mine", meaning="By another.")]
    last = graph.last_words(graph.edges_view(agents()), rows, {})
    assert last["monte_carlo-risk"] == "No MC_UPDATE among the newest events"


def test_the_owner_is_named_with_machine_and_lease():
    engine = EngineSection(state="running", owner="web-7", pid=7, host="desk", epoch=3)
    assert view.owner_words(engine) == "web-7 on desk, epoch 3"
    assert view.owner_words(None) == ""
