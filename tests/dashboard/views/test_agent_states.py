"""What an agent's state is called: by whom and when it was set, what is wrong, two agents of one class."""

from dataclasses import replace

import pytest

from dashboard.views import agent_graph as graph
from dashboard.views import agents as view
from dashboard.views import own_agents as own
from dashboard.views import task_queue
from dashboard.views.agent_states import problem_of, state_of
from engine.domain.agents import AgentMeasured, AgentStatus, AgentTrouble, TaskPriority
from engine.domain.sections import AgentRow
from tests.dashboard.samples import agents

AT = 1_000_045_927.0  # 14:32:07 UTC


def set_to(status: AgentStatus, actor: str, reason: str = "") -> AgentRow:
    row = next(r for r in agents().rows if r.agent_id == "risk")
    return replace(row, status=status, actor=actor, since=AT, reason=reason)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (set_to(AgentStatus.PAUSED, "local"), "Paused by you at 14:32:07."),
        (set_to(AgentStatus.PAUSED, "anna"), "Paused by anna at 14:32:07."),
        (
            set_to(AgentStatus.PAUSED, "engine"),
            "Paused at 14:32:07: it was paused before the restart.",
        ),
        (
            set_to(AgentStatus.STOPPED, "local", "stopped by local"),
            "Stopped by you at 14:32:07.",
        ),
        (
            set_to(AgentStatus.STOPPED, "supervisor", "it blocked the loop."),
            "Stopped by the supervisor at 14:32:07: it blocked the loop.",
        ),
        (
            set_to(AgentStatus.STOPPED, "engine", "its run() came to an end"),
            "Stopped at 14:32:07: its run() came to an end.",
        ),
    ],
)
def test_a_state_says_who_set_it_and_when(row: AgentRow, said: str):
    assert problem_of(row)[0] == said


def test_a_paused_node_says_by_whom():
    row = set_to(AgentStatus.PAUSED, "local")
    section = replace(agents(), rows=(row,))
    assert graph.nodes_view(section)[0].words == "paused by you at 14:32:07"


@pytest.mark.parametrize(
    ("kind", "state", "pill"),
    [
        ("hangs", "late", "Hangs"),
        ("slow", "late", "Too slow"),
        ("leaks", "running", "Running"),
        ("floods", "running", "Running"),
    ],
)
def test_what_a_check_found_is_said_though_the_agent_has_not_failed(
    kind: str, state: str, pill: str
):
    trouble = AgentTrouble(kind=kind, title="Risk …", message="The numbers.")
    done = AgentMeasured(agent_id="risk", troubles=(trouble,))
    row = replace(set_to(AgentStatus.RUNNING, "engine"), measured=done)
    shown = view.agent_view(row, (row,))
    assert (state_of(row), shown.pill) == (state, pill)
    said = {
        "hangs": "Hangs",
        "slow": "Too slow",
        "leaks": "Keeps ever more",
        "floods": "Says too much",
    }
    assert shown.problem == f"{said[kind]}: The numbers."
    assert shown.problem_tone == "warn"


def twins() -> tuple[AgentRow, ...]:
    kind = {"title": "Trend", "priority": TaskPriority.IDLE}
    return tuple(AgentRow(agent_id=agent_id, **kind) for agent_id in ("trend_a", "trend_b"))


def test_two_agents_of_one_class_are_told_apart_by_their_ids():
    section = replace(agents(), rows=(*agents().rows, *twins()))
    assert [row.title for row in view.rows_view(section)][-2:] == [
        "Trend (trend_a)",
        "Trend (trend_b)",
    ]
    assert [mine.node.title for mine in own.own_view(section)] == ["trend_a", "trend_b"]
    assert (
        task_queue.queue_view(section).rows[-1].who
        == "Trend (trend_a), Trend (trend_b), housekeeping"
    )
    assert view.rows_view(section)[0].title == "Market data"  # its title is its own


def test_an_interval_that_is_in_force_stands_beside_what_it_works_on():
    risk = replace(set_to(AgentStatus.RUNNING, "engine"), interval_s=27.8249)
    shown = view.agent_view(risk, (risk,))
    assert (shown.every, shown.every_also) == ("on MC", "and 27.8 s")
    assert shown.every_tip == "Works on MC, and one cycle every 27.8 s"
    plain = replace(risk, trigger="")
    assert view.agent_view(plain, (plain,)).every_also == ""


def test_an_agent_that_drives_itself_claims_no_count_of_its_turns():
    own = AgentRow(agent_id="own", title="Own", runs_itself=True, status=AgentStatus.RUNNING)
    shown = view.agent_view(own, (own,))
    assert (shown.every, shown.runs, shown.last_words) == ("own loop", "–", "–")
    assert "not counted" in shown.runs_tip
    heard = replace(own, measured=AgentMeasured(agent_id="own", handled=3))
    assert view.agent_view(heard, (heard,)).runs == "3"
