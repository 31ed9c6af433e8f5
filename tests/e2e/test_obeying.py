"""What a person sets in the browser is obeyed by the engine, and read back from its journal."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.screen import Screen
from tests.program import Server, wait_until


def weights_of_next_vote(server: Server) -> dict[str, float]:
    """Return the weights in the first vote that comes from now on."""
    head = server.books.head()
    records = wait_until(lambda: server.books.data("CYCLE_RECORDED", head), "the next vote")
    return {vote["algorithm"]: vote["weight"] for vote in records[0]["votes"]}


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
    assert screen.toasts("Weights applied") == 1
    expect(screen.page.locator("#strategies-history")).to_contain_text("in force")


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
    screen.page.locator(".ph-agent-list").get_by_role("button", name=act, exact=True).click()


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


def test_an_agents_pace_set_in_the_browser_is_in_force_and_told(screen: Screen, server: Server):
    screen.open("/agents?agent=monte_carlo")
    head = server.books.head()
    screen.page.get_by_label("Interval").fill("nothing")
    screen.page.get_by_role("button", name="Set", exact=True).click()
    expect(screen.page.locator("#agents-pace-error")).to_contain_text("must be a number of seconds")
    assert server.books.n("AGENT_PACED", head) == 0
    screen.page.get_by_label("Interval").fill("7")
    screen.page.get_by_role("combobox", name="Priority").select_option("LOW")
    screen.page.get_by_role("button", name="Set", exact=True).click()
    screen.expect_toast("Monte Carlo repaced")
    told = server.books.data("AGENT_PACED", head)[0]
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
