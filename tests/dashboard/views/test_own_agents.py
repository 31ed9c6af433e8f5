"""Agents of one's own in the graph: all of them, with what they hear and say."""

from dataclasses import replace

import pytest

from dashboard.views import agent_graph as graph
from dashboard.views import own_agents as view
from dashboard.views.agents import rows_view
from engine.domain.agents import AgentStatus
from engine.domain.log import LogRow
from engine.domain.sections import AgentRow, AgentsSection
from tests.dashboard.fakes import quote
from tests.dashboard.samples import agents

RATES = {"MARKET_DATA": 40.0, "MC_UPDATE": 1.6, "CUSTOM": 3.0}
SAID = {"market_data": {"MARKET_DATA": 40.0}, "monte_carlo": {"MC_UPDATE": 1.6}, "mine": {"CUSTOM": 1.0}}  # fmt: skip


def own(agent_id: str = "mine", **changes: object) -> AgentRow:
    row = AgentRow(
        agent_id=agent_id, title=agent_id.capitalize(), status=AgentStatus.RUNNING,
        topics_in=("MARKET_DATA",), topics_out=("CUSTOM",),
    )  # fmt: skip
    return replace(row, **changes)


def section(*rows: AgentRow, **changes: object) -> AgentsSection:
    found = replace(agents(), rows=(*agents().rows, *rows))
    return replace(found, **({"events_per_second": RATES, "events_by_source": SAID} | changes))


def stubs(found: AgentsSection) -> dict[str, graph.FlowView]:
    return {stub.key: stub for stub in view.stubs_of(view.own_view(found))}


def test_every_agent_of_ones_own_has_a_node_and_none_stands_in_the_graph_of_the_house():
    found = section(*(own(f"mine{k}") for k in range(12)))
    shown = view.own_view(found)
    assert [one.node.agent_id for one in shown] == [f"mine{k}" for k in range(12)]
    assert len(graph.nodes_view(found)) == 7
    assert len(rows_view(found)) == 19
    assert view.own_view(agents()) == ()


def test_an_agent_that_hears_and_says_nothing_has_its_node_alone():
    (shown,) = view.own_view(section(own("silent", topics_in=(), topics_out=())))
    assert (shown.hears, shown.says) == (view.SideView(stubs=(), rest=None),) * 2


def test_what_it_was_heard_to_say_beyond_its_declaration_flows_too_and_its_state_does_not():
    said = {"mine": {"RISK_ALERT": 2.0, "AGENT_MEASURED": 1.0, "CUSTOM": 1.0}}
    rates = RATES | {"RISK_ALERT": 2.0}
    found = section(own(), events_by_source=said, events_per_second=rates)
    says = [stub.topic for stub in stubs(found).values() if stub.speaker == "mine"]
    assert says == ["CUSTOM", "RISK_ALERT"]
    assert stubs(found)["out-mine-RISK_ALERT"].label == "2.0 /s"


def test_what_it_hears_has_the_rate_of_the_topic_and_what_it_says_its_own():
    found = stubs(section(own()))
    heard, said = found["in-mine-MARKET_DATA"], found["out-mine-CUSTOM"]
    assert (heard.label, heard.state, heard.width) == ("40.0 /s", "live", 4.0)
    assert (said.label, said.state, said.width) == ("1.0 /s", "live", 2.0)  # of 3 in all
    assert (heard.names, said.names) == ("Market data to Mine", "Mine to the bus")


def test_a_flow_names_who_is_at_its_other_end_and_a_crowd_in_short():
    found = stubs(section(own(topics_in=("CUSTOM",)), own("reader", topics_in=("CUSTOM",))))
    assert found["out-mine-CUSTOM"].names == "Mine to Reader"
    crowd = stubs(section(own(), *(own(f"r{k}", topics_in=("CUSTOM",)) for k in range(5))))
    assert crowd["out-mine-CUSTOM"].names == "Mine to R0, R1, 3 others"
    assert stubs(section(own(topics_in=("RISK_ALERT",))))["in-mine-RISK_ALERT"].names == (
        "Risk to Mine"
    )
    assert stubs(section(own(topics_in=("FEED_CHANGED",))))["in-mine-FEED_CHANGED"].names == (
        "The bus to Mine"
    )


def test_what_nobody_says_does_not_flow_even_before_the_first_measurement():
    unknown = section(
        own(topics_in=("MARKET_DATA", "FEED_CHANGED")), events_per_second={}, events_by_source={}
    )
    found = stubs(unknown)
    assert [s.state for s in found.values()] == ["live", "none", "live"]
    assert {s.label for s in found.values()} == {"–"}
    measured = stubs(section(own(topics_in=("RISK_UPDATE",))))["in-mine-RISK_UPDATE"]
    assert (measured.state, measured.label) == ("none", "0 /s")


@pytest.mark.parametrize(
    ("status", "label", "state"),
    [
        (AgentStatus.PAUSED, "paused", "silent"),
        (AgentStatus.CREATED, "stopped", "silent"),
        (AgentStatus.ERROR, "failed", "failed"),
    ],
)
def test_an_agent_that_does_not_run_says_so_at_its_right_and_still_sees_what_comes(
    status: AgentStatus, label: str, state: str
):
    found = stubs(section(own(status=status)))
    assert (found["out-mine-CUSTOM"].label, found["out-mine-CUSTOM"].state) == (label, state)
    assert found["in-mine-MARKET_DATA"].state == "live"


def test_more_than_two_topics_are_counted_and_named_with_their_rates():
    topics = ("MARKET_DATA", "MC_UPDATE", "CUSTOM", "RISK_UPDATE", "CUSTOM")
    (shown,) = view.own_view(section(own(topics_in=topics, topics_out=topics[:3])))
    assert [stub.topic for stub in shown.hears.stubs] == ["MARKET_DATA", "MC_UPDATE"]
    assert shown.hears.rest == view.RestView(
        key="in-mine", label="+2 more", names="2 more topics that Mine hears",
        tip="CUSTOM 3.0 /s, RISK_UPDATE 0 /s",
    )  # fmt: skip
    assert shown.says.rest is not None
    assert (shown.says.rest.names, shown.says.rest.tip) == (
        "1 more topic that Mine says", "CUSTOM 1.0 /s",
    )  # fmt: skip


def test_a_name_that_a_node_has_no_room_for_is_told_by_its_tip():
    long, short = view.own_view(section(own(title="Trend of all things"), own("b")))
    assert (long.node.tip, short.node.tip) == ("Trend of all things", "")


def test_a_flow_from_an_agent_tells_its_own_payload_and_a_flow_to_it_the_newest_of_all():
    rows = [
        LogRow(seq=3, at=3.0, event_type="CUSTOM", source="other", meaning="By another."),
        LogRow(seq=2, at=2.0, event_type="CUSTOM", source="mine", meaning="Its own."),
    ]
    found = view.stubs_of(view.own_view(section(own(topics_in=("MARKET_DATA", "CUSTOM")))))
    last = graph.last_words(found, rows, {"IBM": quote("IBM", 128.24)})
    assert last == {
        "in-mine-MARKET_DATA": "Last: IBM 128.24", "in-mine-CUSTOM": "Last: By another.",
        "out-mine-CUSTOM": "Last: Its own.",
    }  # fmt: skip
