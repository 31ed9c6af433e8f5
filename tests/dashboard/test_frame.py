"""What the frame says, from sections to words, and from words to patches."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dashboard import formatting as fmt
from dashboard import frame
from dashboard.frame import bar, dialogs, parts
from dashboard.page import Page
from dashboard.views import frame as view
from dashboard.views import notices
from engine.domain.commands import CommandAnswer
from engine.domain.market import FeedKind
from engine.domain.risk import Severity
from engine.domain.sections import (
    AlertRow,
    AlertsSection,
    AnswersSection,
    EngineSection,
    FeedSection,
    PortfolioSection,
    Snapshot,
    TradingSection,
)
from engine.domain.trading import HaltMode
from tests.dashboard.fakes import RECEIVED_AT, FakeGateway, alert, feed_state, filled, portfolio

PAGES = (
    Page(path="/", title="Markets", icon="candlestick-chart", key="m"),
    Page(path="/risk", title="Risk", icon="shield-alert", key="r"),
    Page(path="/settings", title="Settings", icon="settings", key="s"),
)
NOTHING = Snapshot(version=0)


@pytest.fixture
def gateway() -> FakeGateway:
    return filled(FakeGateway())


def everything(gateway: FakeGateway) -> Snapshot:
    return Snapshot(version=gateway.version, sections=dict(gateway.sections))


def all_ids(component: object) -> list[str]:
    found = [component.id] if isinstance(getattr(component, "id", None), str) else []
    return found + [i.id for i in component._traverse() if isinstance(getattr(i, "id", None), str)]


def text_of(component: object) -> str:
    if isinstance(component, str):
        return component
    children = getattr(component, "children", None)
    listed = children if isinstance(children, list | tuple) else [children]
    return " ".join(text_of(child) for child in listed if child is not None)


def test_the_bar_reads_as_in_the_design(gateway: FakeGateway):
    shown = view.bar_view(everything(gateway))
    assert shown.market_date == "26 Sep 2008"
    assert shown.equity == "$102,641.63"
    assert (shown.day_pnl, shown.day_percent, shown.day_tone) == ("▲ +$536.16", "+0.53%", "up")


@pytest.mark.parametrize(
    ("mode", "tone", "icon"), [("paper", "outline", ""), ("live", "solid-crit", "zap")]
)
def test_live_cannot_be_taken_for_paper(gateway: FakeGateway, mode: str, tone: str, icon: str):
    gateway.put("engine", EngineSection(state="running", trading_mode=mode))
    patch = parts.render_state(everything(gateway))
    assert patch.text["ph-mode"] == mode.upper()
    assert patch.cls["ph-mode-pill"].endswith(f"ph-pill-{tone}")
    assert patch.cls["ph-mode-lead"].endswith(icon)
    assert patch.attrs["ph-bar"] == {"data-mode": mode}


def test_the_age_counts_from_the_newest_tick(gateway: FakeGateway):
    patch = parts.render_bar(everything(gateway))
    assert patch.age["ph-age"] == (RECEIVED_AT, 15.0)


def test_the_account_has_an_age_of_its_own_and_greys_with_it(gateway: FakeGateway):
    """No price moves the account while nothing is held: then its value is older than the newest tick."""
    gateway.put("portfolio", portfolio(), budget_s=7.5)
    valued_at = gateway.sections["portfolio"].stamp.computed_at
    assert valued_at != RECEIVED_AT
    patch = parts.render_bar(everything(gateway))
    for place in ("", "-phone"):
        assert patch.age[f"ph-account-age{place}"] == (valued_at, 7.5)
        assert "ph-aged" in patch.cls[f"ph-day-box{place}"]


def test_a_losing_day_is_orange_and_a_flat_one_has_no_colour(gateway: FakeGateway):
    lost = replace(portfolio(), day_pnl=Decimal("-12.50"))
    gateway.put("portfolio", lost)
    assert parts.render_bar(everything(gateway)).cls["ph-day-box"] == "ph-aged ph-dn"
    gateway.put("portfolio", replace(portfolio(), day_pnl=Decimal(0)))
    assert parts.render_bar(everything(gateway)).cls["ph-day-box"] == "ph-aged"


def test_before_anything_is_known_nothing_is_invented():
    shown = view.bar_view(NOTHING)
    assert (shown.equity, shown.day_pnl, shown.market_date) == ("–", "–", "–")
    assert view.state_view(NOTHING).engine.words == "Starting"
    assert parts.render_bar(NOTHING).age == {}


@pytest.mark.parametrize(
    ("changes", "state", "label"),
    [
        ({}, "running", "daily bars"),
        ({"is_paused": True}, "paused", "daily bars"),
        ({"is_paused": True, "is_ended": True}, "paused", "daily bars ended"),
        ({"waits_for": "clocks are wound"}, "paused", "daily bars, clocks are wound"),
    ],
)
def test_the_feed_says_where_it_stands(
    gateway: FakeGateway, changes: dict[str, Any], state: str, label: str
):
    gateway.put("feed", FeedSection(state=feed_state(**changes)))
    shown = view.state_view(everything(gateway))
    assert (shown.feed_kind, shown.feed_state, shown.feed_label) == ("REPLAY", state, label)
    assert shown.feed_speed == "×12"


def test_a_synthetic_feed_is_labelled_and_has_no_speed(gateway: FakeGateway):
    state = feed_state(kind=FeedKind.SYNTHETIC, label="GARCH-t", bars_per_minute=None)
    gateway.put("feed", FeedSection(state=state))
    shown = view.state_view(everything(gateway))
    assert (shown.feed_kind, shown.feed_speed) == ("SYNTHETIC", "")


def test_a_halt_is_unmistakable(gateway: FakeGateway):
    before = parts.render_state(everything(gateway))
    halt = TradingSection(
        mode=HaltMode.HALTED, actor="local", reason="Stopped by hand", since=RECEIVED_AT
    )
    gateway.put("trading", halt)
    after = parts.render_state(everything(gateway))
    assert before.attrs["ph-app"]["data-halted"] == "false"
    assert after.attrs["ph-app"]["data-halted"] == "true"
    assert after.text["ph-engine-text"] == "Trading halted"
    assert after.cls["ph-engine"] == "ph-pill ph-pill-crit"
    words = after.text["ph-halt-words"]
    assert words.startswith("By local since 22:13:20 UTC. Stopped by hand. No order leaves:")
    assert "stops and targets do not fire" in words


def test_reduce_only_says_that_stops_still_fire(gateway: FakeGateway):
    gateway.put("trading", TradingSection(mode=HaltMode.REDUCING, actor="local"))
    patch = parts.render_state(everything(gateway))
    assert "No entries; stops and targets close positions." in patch.text["ph-halt-words"]
    assert patch.attrs["ph-app"]["data-halted"] == "reducing", "the kill switch stays in reach"


def test_an_engine_that_failed_says_so_even_while_halted(gateway: FakeGateway):
    gateway.put("engine", EngineSection(state="failed"))
    gateway.put("trading", TradingSection(mode=HaltMode.HALTED))
    assert view.state_view(everything(gateway)).engine.words == "Failed"


def test_the_stop_dialog_states_its_consequences_in_numbers(gateway: FakeGateway):
    stop = view.stop_view(everything(gateway))
    assert stop.consequences == (
        "1 open order is cancelled.",
        "No order leaves until trading is resumed, also after a restart.",
        "2 positions worth $12,387 stay open; their stops and targets do not fire meanwhile.",
        "2 agents go on observing.",
    )
    assert [(r.symbol, r.what, r.quantity, r.notional) for r in stop.orders] == [
        ("AAPL", "BUY", "10", "$1,282")
    ]
    assert [(r.symbol, r.what, r.notional) for r in stop.positions] == [
        ("AAPL", "short", "$9,746"),
        ("JPM", "long", "$2,641"),
    ]


def test_the_stop_dialog_of_an_empty_account_says_that_there_is_nothing_to_do(gateway: FakeGateway):
    empty: PortfolioSection = replace(portfolio(), positions=(), open_orders=())
    gateway.put("portfolio", empty)
    words = view.stop_view(everything(gateway)).consequences
    assert words[0] == "No order is open."
    assert words[2] == "No position is open."


def test_the_bell_counts_what_nobody_has_seen(gateway: FakeGateway):
    rows = (
        AlertRow(alert=alert("a2"), at=RECEIVED_AT, seq=50),
        AlertRow(alert=alert("a1"), at=RECEIVED_AT, seq=40, is_acknowledged=True),
    )
    gateway.put("alerts", AlertsSection(rows=rows))
    patch = parts.render_state(everything(gateway))
    assert patch.text["ph-bell-count"] == "1"
    assert patch.attrs["ph-bell"]["aria-label"] == "Alerts, 1 not acknowledged"
    gateway.put("alerts", AlertsSection())
    assert parts.render_state(everything(gateway)).text["ph-bell-count"] == ""


def test_each_open_alert_can_be_acknowledged_and_a_seen_one_not(gateway: FakeGateway):
    rows = (
        AlertRow(alert=alert("a2"), at=RECEIVED_AT, seq=50),
        AlertRow(alert=alert("a1"), at=RECEIVED_AT, seq=40, is_acknowledged=True),
    )
    gateway.put("alerts", AlertsSection(rows=rows))
    lines = dialogs.alert_rows(notices.alert_notices(everything(gateway)))
    intents = [
        item.to_plotly_json()["props"]["data-ph-intent"]
        for line in lines
        for item in line._traverse()
        if "data-ph-intent" in getattr(item, "_prop_names", []) or hasattr(item, "data-ph-intent")
    ]
    assert intents == ['{"name": "AcknowledgeAlert", "params": {"alert_id": "a2"}}']


def test_bad_ticks_are_counted_in_the_bar_with_their_reasons(gateway: FakeGateway):
    feed = FeedSection(state=feed_state(), dropped={"duplicate": 1, "not positive": 3})
    gateway.put("feed", feed)
    patch = parts.render_state(everything(gateway))
    assert patch.text["ph-feed-dropped"] == "4 bad ticks dropped"
    assert patch.attrs["ph-feed-dropped"]["data-tip"] == "not positive 3, duplicate 1"
    gateway.put("feed", replace(feed, dropped={"held for confirmation": 1}))
    assert parts.render_state(everything(gateway)).text["ph-feed-dropped"] == "1 bad tick dropped"
    gateway.put("feed", replace(feed, dropped={}))
    assert parts.render_state(everything(gateway)).text["ph-feed-dropped"] == ""


def test_an_alert_names_the_market_date_it_was_raised_on_and_the_time_on_the_wall(
    gateway: FakeGateway,
):
    of_a_day = replace(alert("a2"), raised_at=datetime(2008, 9, 12, 20, tzinfo=UTC))
    rows = (
        AlertRow(alert=of_a_day, at=RECEIVED_AT, seq=50),
        AlertRow(alert=alert("a1"), at=RECEIVED_AT, seq=40),
    )
    gateway.put("alerts", AlertsSection(rows=rows))
    dated, undated = notices.alert_notices(everything(gateway))
    assert dated.when == f"12 Sep 2008, {undated.when}"
    assert undated.when == fmt.clock(fmt.from_epoch(RECEIVED_AT))


def test_toasts_are_newest_first_and_loud_ones_stay(gateway: FakeGateway):
    rows = (AlertRow(alert=alert("a9", Severity.CRITICAL, "Feed lost"), at=RECEIVED_AT, seq=60),)
    gateway.put("alerts", AlertsSection(rows=rows))
    newest = notices.toast_notices(everything(gateway))
    assert [(n.seq, n.stays) for n in newest] == [(60, True), (41, False)]
    patch = parts.render_toasts(everything(gateway))
    assert len(patch.props["ph-toasts-loud"]["children"]) == 1
    assert len(patch.props["ph-toasts"]["children"]) == 1


def answered(seq: int, command_id: str, *, is_obeyed: bool = True) -> tuple[Any, ...]:
    title, message = ("Risk paused", "") if is_obeyed else ("Refused", "Risk must run")
    answer = CommandAnswer(command_id=command_id, name="PauseAgent", title=title, message=message)
    return (seq, RECEIVED_AT, is_obeyed, answer)


def test_answers_to_one_act_on_many_agents_make_one_notice(gateway: FakeGateway):
    rows = (
        answered(44, "all-5f-3-2"),
        answered(43, "all-5f-3-1"),
        answered(42, "all-5f-3-0"),
        answered(40, "c1"),
    )
    gateway.put("answers", AnswersSection(rows=rows))
    joint, alone = notices.answer_notices(everything(gateway))
    assert (joint.seq, joint.title, joint.stays) == (44, "3 agents paused", False)
    assert alone.seq == 40
    assert joint.message == "One command each, 3 of 3 were obeyed."
    refused = tuple((seq, at, ok, replace(a, command_id=a.command_id.replace("5f-3", "5f-4"))) for seq, at, ok, a in (
        answered(45, "all-5f-3-3", is_obeyed=False), *rows[:3]
    ))  # fmt: skip
    gateway.put("answers", AnswersSection(rows=refused))
    joint = notices.answer_notices(everything(gateway))[0]
    assert (joint.title, joint.message) == ("3 agents paused, 1 refused", "Refused: Risk must run")
    assert joint.stays


def test_an_act_on_many_says_how_many_have_not_answered_yet(gateway: FakeGateway):
    rows = (answered(44, "all-5f-6-1"), answered(43, "all-5f-6-0"))
    gateway.put("answers", AnswersSection(rows=rows))
    (joint,) = notices.answer_notices(everything(gateway))
    assert joint.title == "2 agents paused, 4 not answered yet"
    assert joint.message == "One command each, 2 of 6 were obeyed."


def test_an_acknowledged_alert_is_no_toast(gateway: FakeGateway):
    row = AlertRow(alert=alert(), at=RECEIVED_AT, seq=60, is_acknowledged=True)
    gateway.put("alerts", AlertsSection(rows=(row,)))
    assert [n.seq for n in notices.toast_notices(everything(gateway))] == [41]


def test_every_id_that_a_part_paints_stands_in_the_frame(gateway: FakeGateway):
    ids = all_ids(frame.layout(gateway, PAGES))
    assert len(ids) == len(set(ids)), "an id stands twice"
    snapshot = everything(gateway)
    painted: set[str] = set()
    for part in parts.LIVE:
        patch = part.render(snapshot, "")
        for table in (patch.text, patch.cls, patch.attrs, patch.props, patch.age):
            painted |= set(table)
    assert painted <= set(ids), painted - set(ids)


def test_the_frame_subscribes_to_parts_that_exist(gateway: FakeGateway):
    names = {part.name for part in parts.LIVE}
    assert set(parts.ALWAYS.split()) | {"frame.stop"} == names


def test_the_first_drawing_shows_what_is_known(gateway: FakeGateway):
    words = text_of(bar.layout(gateway, PAGES))
    for known in ("Running", "owner web-1", "PAPER", "REPLAY", "$102,641.63", "▲ +$536.16"):
        assert known in words


def test_settings_stand_at_the_end_of_the_rail_and_the_phone_has_stop():
    layout = bar.layout(FakeGateway(), PAGES)
    links = [item for item in layout._traverse() if type(item).__name__ == "Link"]
    last = [link.href for link in links if "ph-rail-end" in (link.className or "")]
    assert last == ["/settings"]
    assert "Stop…" in text_of(bar._bottom(PAGES))


def test_the_palette_offers_pages_and_symbols(gateway: FakeGateway):
    patch = parts.render_palette(everything(gateway))
    assert patch.attrs["ph-palette"]["data-symbols"] == (
        '[["AAPL", "Apple"], ["JPM", "JPMorgan Chase"]]'
    )


@pytest.mark.parametrize(
    ("is_own", "words"), [(True, "owner web-1"), (False, "standby, owner web-1")]
)
def test_a_process_that_does_not_run_the_engine_says_that_it_stands_by(is_own: bool, words: str):
    gateway, pid = FakeGateway(), os.getpid() if is_own else -1
    gateway.put("engine", EngineSection(state="running", owner="web-1", pid=pid))
    assert view.state_view(gateway.read(("engine",))).owner == words


def test_toasts_stand_in_one_place_and_each_is_announced_as_it_deserves() -> None:
    drawn = frame.layout(FakeGateway(), ()).to_plotly_json()["props"]["children"]
    stand = next(c for c in drawn if getattr(c, "id", "") == "ph-notices")
    calm, loud = stand.children
    assert (calm.id, getattr(calm, "aria-live")) == ("ph-toasts", "polite")
    assert (loud.id, loud.role) == ("ph-toasts-loud", "alert")
