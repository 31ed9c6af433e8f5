"""Pills: every state has a word and a mark besides its colour."""

import pytest

from dashboard.components import pills
from dashboard.components.icons import ICONS, icon
from engine.domain.agents import AgentStatus
from engine.domain.errors import InvalidValueError
from engine.domain.risk import RiskLevel
from engine.domain.signals import SignalAction
from tests.dashboard.components.trees import plain, text_of, walk


@pytest.mark.parametrize("status", AgentStatus)
def test_every_agent_state_has_a_word_and_a_mark(status):
    drawn = pills.agent_pill(status)
    assert text_of(drawn)
    assert len(list(walk(drawn))) == 2
    assert plain(drawn)["props"]["className"].removeprefix("ph-pill ph-pill-") in pills.PILL_KINDS


def test_no_two_agent_states_look_and_read_alike():
    drawn = {str(plain(pills.agent_pill(status))) for status in AgentStatus}
    assert len(drawn) == len(AgentStatus)


@pytest.mark.parametrize(("action", "sign"), [("BUY", "▲"), ("SELL", "▼"), ("HOLD", "")])
def test_a_side_is_told_by_word_and_triangle(action, sign):
    assert text_of(pills.side_pill(SignalAction(action))) == sign + action


def test_live_is_solid_with_a_bolt_and_paper_an_outline():
    live, paper = plain(pills.mode_pill("live")), plain(pills.mode_pill("paper"))
    assert "ph-pill-solid-crit" in live["props"]["className"]
    assert any("ph-i-zap" in (node["props"].get("className") or "") for node in walk(live))
    assert text_of(paper) == "PAPER"
    assert "ph-pill-outline" in paper["props"]["className"]


@pytest.mark.parametrize(("level", "lit"), list(zip([None, *RiskLevel], range(5), strict=True)))
def test_a_risk_level_lights_its_bars_and_says_its_name(level, lit):
    nodes = list(walk(pills.risk_bars(level)))
    assert sum(node["props"].get("className") == "ph-on" for node in nodes) == lit
    label = next(
        node["props"]["aria-label"] for node in nodes if node["props"].get("role") == "img"
    )
    assert label == f"risk {level.value if level else 'unknown'}"


def test_a_grade_from_too_few_cases_is_a_dash_that_says_how_many():
    few, enough = pills.grade("A", "20 days", 19), pills.grade("A", "1 day", 20)
    assert text_of(few) == "–"
    assert "n = 19" in plain(few)["props"]["aria-label"]
    assert text_of(enough) == "A"


@pytest.mark.parametrize(("letter", "n"), [("B", 250), ("B", 19), (None, 250)])
def test_a_patch_of_a_grade_says_what_is_drawn(letter, n):
    drawn = plain(pills.grade(letter, "1 d", n, id="x"))["props"]
    words = (drawn["children"], drawn["aria-label"])
    assert pills.grade_words(letter, "1 d", n) == words
    assert pills.grade_classes(letter, n) == drawn["className"]
    assert ("ph-grade-none" in drawn["className"]) == (words[0] == "–")


def test_an_age_that_never_came_is_unknown_whatever_the_state_given():
    props = plain(pills.age("x", None, 5.0, "never", state="fresh"))["props"]
    assert props["data-age"] == "unknown"
    assert "data-received" not in props


def test_an_engine_state_that_is_not_known_is_shown_in_grey_as_it_is():
    drawn = pills.engine_pill("draining")
    assert text_of(drawn) == "Draining"
    assert "ph-pill-grey" in plain(drawn)["props"]["className"]


def test_an_icon_that_is_not_shipped_is_refused_by_name():
    assert "play" in ICONS
    with pytest.raises(InvalidValueError, match="rocket"):
        icon("rocket")
