"""What a person sets in the browser is obeyed by the engine, and read back from its journal."""

from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.screen import Screen
from tests.program import Server, wait_until


def weights_of_next_vote(server: Server) -> dict[str, float]:
    """Return the weights in the first vote on a bar that closes from now on: the present one may be voted on late."""
    head, newest = server.books.head(), _moment(server.status()["feed"]["market_time"])

    def votes() -> list[dict[str, Any]]:
        records = server.books.data("CYCLE_RECORDED", head)
        return [each for each in records if _moment(each["bar_closed_at"]) > newest]

    record = wait_until(votes, "the next vote")[0]
    return {vote["algorithm"]: vote["weight"] for vote in record["votes"]}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_weight_typed_and_applied_changes_the_next_vote(screen: Screen, server: Server):
    before = weights_of_next_vote(server)
    assert before["momentum"] != pytest.approx(0.4)
    screen.open("/strategies")
    screen.record_toasts()
    screen.page.get_by_label("Weight of Momentum in percent").fill("40")
    screen.page.keyboard.press("Tab")
    expect(screen.page.get_by_label("Weight of Momentum", exact=True)).to_have_value("40")
    assert weights_of_next_vote(server) == pytest.approx(before), "a proposal changes nothing"
    screen.page.get_by_role("button", name="Apply").click()
    screen.expect_toast("Weights applied")
    after = weights_of_next_vote(server)
    assert after["momentum"] == pytest.approx(0.4)
    assert sum(after.values()) == pytest.approx(1)
    assert screen.toasts("Momentum .*→ 40%") == 1  # not what was applied before
    expect(screen.page.locator("#strategies-history")).to_contain_text("in force")


def test_a_toast_stays_when_the_next_one_comes(screen: Screen):
    screen.open("/strategies")
    switch = screen.page.get_by_role("switch", name="Breakout votes")
    switch.click()
    screen.expect_toast("Breakout votes no more")
    switch.click()
    screen.expect_toast("Breakout votes again")
    expect(screen.page.locator(".ph-toast[data-open]", has_text="no more").first).to_be_visible()


def test_nothing_typed_or_clicked_in_a_hurry_is_lost(screen: Screen):
    """Each of these comes while the answer to the one before is still on its way, and so drops it."""
    screen.open("/strategies")
    number = screen.page.get_by_label("Weight of Momentum", exact=True)
    start = int(number.input_value())
    more = "[...document.querySelectorAll('button')].find((b) => b.ariaLabel === 'Momentum 1 point more')"
    lock = "document.querySelectorAll('.ph-weight button[aria-pressed]')[1]"
    for click in (more, more, lock, more, more):
        screen.page.evaluate(f"{click}.click()")
    expect(number).to_have_value(str(start + 4))
    expect(screen.page.locator(".ph-weight button[aria-pressed=true]")).to_have_count(1)
    screen.page.get_by_role("button", name="Discard").click()
    expect(number).to_have_value(str(start))


def test_a_proposal_outlives_its_page_until_it_is_discarded(screen: Screen, server: Server):
    before = weights_of_next_vote(server)
    screen.open("/strategies")
    weight = screen.page.get_by_label("Weight of Momentum", exact=True)
    start = weight.input_value()
    goal = str(int(start) + 7)
    marked = screen.page.locator("html[data-ph-proposal]")
    expect(marked).to_have_count(0)
    screen.page.get_by_label("Weight of Momentum in percent").fill(goal)
    screen.page.keyboard.press("Tab")
    screen.page.locator(".ph-rail").get_by_role(
        "link", name="Risk"
    ).click()  # at once: no answer has come
    expect(screen.page.get_by_role("heading", name="Risk level")).to_be_visible()
    expect(marked).to_have_count(1)
    screen.page.locator(".ph-rail").get_by_role("link", name="Strategies").click()
    expect(weight).to_have_value(goal)
    expect(screen.page.locator("#strategies-words")).to_contain_text("Not applied")
    expect(screen.page.locator("#strategies-open")).to_contain_text("Proposal, not applied")
    screen.page.get_by_role("button", name="Lock Momentum").click()
    expect(weight).to_be_disabled()
    screen.page.reload()
    screen.wait_live()
    expect(weight).to_have_value(goal)
    expect(weight).to_be_disabled()
    expect(screen.page.get_by_role("button", name="Apply")).to_be_enabled()
    other = screen.tab("/strategies")
    expect(other.page.get_by_label("Weight of Momentum", exact=True)).to_have_value(start)
    assert weights_of_next_vote(server) == pytest.approx(before), "a proposal changes nothing"
    screen.page.get_by_role("button", name="Discard").click()
    expect(weight).to_have_value(start)
    expect(marked).to_have_count(0)
    screen.page.reload()
    screen.wait_live()
    expect(screen.page.locator("#strategies-words")).to_contain_text("Drag a weight")
    expect(weight).to_have_value(start)


def test_a_proposal_that_was_applied_is_not_taken_up_again(screen: Screen, server: Server):
    screen.open("/strategies")
    weight = screen.page.get_by_label("Weight of Breakout", exact=True)
    start = int(weight.input_value())
    screen.page.get_by_role("button", name="Breakout 1 point more").click()
    expect(weight).to_have_value(str(start + 1))
    screen.page.get_by_role("button", name="Apply").click()
    screen.expect_toast("Weights applied")
    expect(screen.page.locator("html[data-ph-proposal]")).to_have_count(0)
    screen.page.reload()
    screen.wait_live()
    expect(weight).to_have_value(str(start + 1))
    expect(screen.page.locator("#strategies-words")).to_contain_text("Drag a weight")


def test_a_weight_moved_by_the_slider_is_the_same_act_in_every_tab(screen: Screen, server: Server):
    screen.open("/strategies")
    other = screen.tab("/strategies")
    slider = screen.page.get_by_label("Weight of Mean reversion", exact=True)
    goal = int(slider.input_value()) + 5
    slider.focus()
    slider.press("Shift+ArrowRight")
    expect(slider).to_have_value(str(goal))
    screen.page.get_by_role("button", name="Apply").click()
    screen.expect_toast("Weights applied")
    assert weights_of_next_vote(server)["mean_reversion"] == pytest.approx(goal / 100)
    expect(other.page.locator("#strategies-history")).to_contain_text(f"→ {goal}")
    third = screen.tab("/strategies")
    expect(third.page.get_by_label("Weight of Mean reversion", exact=True)).to_have_value(str(goal))
    screen.page.reload()
    screen.wait_live()
    expect(slider).to_have_value(str(goal))


def test_a_strategy_that_is_switched_off_has_no_vote(screen: Screen, server: Server):
    screen.open("/strategies")
    switch = screen.page.get_by_role("switch", name="Momentum votes")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    screen.expect_toast("votes no more")
    expect(switch).to_have_attribute("aria-checked", "false")
    assert weights_of_next_vote(server).get("momentum", 0.0) == 0.0
    switch.click()
    screen.expect_toast("votes again")
    expect(switch).to_have_attribute("aria-checked", "true")
    assert weights_of_next_vote(server)["momentum"] > 0


def press(screen: Screen, act: str) -> None:
    """Press a button of a row once the live one is there, which hides the one that came with the page."""
    agent_id = act.partition(" ")[2].lower().replace(" ", "_")
    tools = screen.page.locator(f"#agent-tools-{agent_id}")
    expect(tools.locator(":scope > [data-ph-drawn]").first).to_be_visible()
    tools.get_by_role("button", name=act, exact=True).click()


def test_an_agent_that_is_stopped_emits_nothing_until_it_starts(screen: Screen, server: Server):
    screen.open("/agents")
    press(screen, "Stop Monte Carlo")
    screen.expect_toast("Monte Carlo stopped")
    assert server.agent("monte_carlo") == "stopped"
    stopped_at = server.books.head()
    server.wait_for_bars(3)
    wait_until(lambda: server.books.n("MARKET_DATA", stopped_at) > 20, "prices go on")
    assert server.books.n("MC_UPDATE", stopped_at) == 0
    press(screen, "Start Monte Carlo")
    screen.expect_toast("Monte Carlo started")
    wait_until(lambda: server.books.n("MC_UPDATE", stopped_at) > 0, "forecasts again")


def test_an_agent_that_is_paused_emits_nothing_until_it_is_resumed(screen: Screen, server: Server):
    screen.open("/agents")
    press(screen, "Pause Risk")
    screen.expect_toast("Risk paused")
    paused_at = server.books.head()
    server.wait_for_bars(3)
    wait_until(lambda: server.books.n("MARKET_DATA", paused_at) > 20, "prices go on")
    assert server.books.n("RISK_UPDATE", paused_at) == 0
    assert server.books.n("CYCLE_RECORDED", paused_at) == 0, "no vote without risk"
    press(screen, "Resume Risk")
    wait_until(lambda: server.books.n("RISK_UPDATE", paused_at) > 0, "risk figures again")


def test_the_stop_dialog_asks_for_a_hold_and_says_what_it_will_do(screen: Screen, server: Server):
    screen.open("/")
    head = server.books.head()
    screen.page.locator("#ph-bar").get_by_role("button", name="Stop…").click()
    dialog = screen.page.locator("#ph-stop")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    expect(dialog.locator("#ph-stop-body li").first).to_be_visible()
    screen.page.locator("#ph-stop-hold").click()
    screen.page.locator("#ph-stop-hold").press("Enter")
    screen.hold(screen.page.locator("#ph-stop-hold"), seconds=0.4)
    assert server.status()["trading"] == "ACTIVE"
    screen.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(screen.page.locator("#ph-bar").get_by_role("button", name="Stop…")).to_be_focused()
    assert server.books.n("TRADING_HALTED", head) == 0


def test_the_kill_switch_stops_every_order_and_resume_lets_them_go(
    page: Page, own_server: Server, seen_errors: list[str]
):
    """On a server of its own: weeks into the crash no entry is allowed, and nothing would be seen to stop."""
    server, screen = own_server, Screen(page, own_server)
    wait_until(lambda: server.books.n("ORDER_INTENDED") > 0, "trading")
    screen.open("/risk")
    other = screen.tab("/agents")
    screen.stop_trading()
    screen.expect_toast("HALTED")
    screen.expect_halted()
    other.expect_halted()
    assert server.status()["trading"] == "HALTED"
    assert server.status()["account"]["open_orders"] == 0
    halted_at = server.books.head()
    server.wait_for_bars(4)
    assert server.books.n("CYCLE_RECORDED", halted_at) > 8, "the crew goes on observing"
    assert server.books.n("ORDER_INTENDED", halted_at) == 0
    screen.resume_trading()
    screen.expect_halted(False)
    other.expect_halted(False)
    assert server.status()["trading"] == "ACTIVE"
    wait_until(lambda: server.books.n("ORDER_INTENDED", halted_at) > 0, "orders again", 120)
    assert seen_errors == []


def paced_by_a_person(server: Server, after: int) -> list[dict[str, Any]]:
    """Return what persons set after a sequence number; the scheduler paces agents all the time."""
    return [t for t in server.books.data("AGENT_PACED", after) if t["actor"] != "scheduler"]


def test_an_agents_pace_set_in_the_browser_is_in_force_and_told(screen: Screen, server: Server):
    screen.open("/agents?agent=monte_carlo")
    head = server.books.head()
    screen.page.get_by_label("Interval").fill("nothing")
    screen.page.get_by_role("button", name="Set", exact=True).click()
    expect(screen.page.locator("#agents-pace-error")).to_contain_text("must be a number of seconds")
    assert paced_by_a_person(server, head) == []
    screen.page.get_by_label("Interval").fill("7")
    screen.page.get_by_role("combobox", name="Priority").select_option("LOW")
    screen.page.get_by_role("button", name="Set", exact=True).click()
    screen.expect_toast("Monte Carlo repaced")
    (told,) = paced_by_a_person(server, head)
    assert (told["agent_id"], told["base_interval_s"], told["priority"]) == ("monte_carlo", 7, 3)
    expect(screen.page.locator("#agents-at-LOW")).to_contain_text("Monte Carlo")


def test_scheduler_weights_show_where_they_lead_before_they_are_applied(
    screen: Screen, server: Server
):
    screen.open("/agents")
    head = server.books.head()
    screen.page.locator(".ph-weights-box > summary").click()
    rows = screen.page.locator("#agents-weights-rows")
    expect(rows).to_contain_text("Leads to")
    before = rows.text_content()
    slider = screen.page.get_by_label("Weight of system load")
    slider.focus()
    slider.press("End")
    expect(screen.page.locator("#agents-weight-system-number")).to_have_text("100%")
    expect(rows).not_to_have_text(before or "")
    assert server.books.n("SCHEDULER_WEIGHTED", head) == 0, "a proposal changes nothing"
    screen.page.locator("#agents-weights-apply").click()
    screen.expect_toast("Scheduler weights applied")
    assert server.books.data("SCHEDULER_WEIGHTED", head)[0]["system"] == 1
    expect(screen.page.locator("#agents-weights-words")).to_contain_text("system load 100%")
