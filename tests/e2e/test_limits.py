"""Limits set in the browser: the next order obeys them and says why, and what loosens is held."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.screen import Screen
from tests.program import Server, wait_until

HOLD_S = 1.6


def edit_limits(screen: Screen) -> None:
    screen.open("/risk")
    screen.page.locator(".ph-risk-distance input[value=edit]").check()


def cuts(server: Server, after: int) -> list[dict[str, Any]]:
    """Return the checks that cut an order to three per cent."""
    records = server.books.data("CYCLE_RECORDED", after)
    steps = [{**step, "record": record} for record in records for step in record["steps"]]
    return [
        step for step in steps
        if (step["rule"], step["outcome"], step["limit"]) == ("Position cap", "clamped", 0.03)
    ]  # fmt: skip


def test_a_limit_below_what_is_wanted_cuts_the_next_order_and_says_why(
    page: Page, own_server: Server, seen_errors: list[str]
):
    server, screen = own_server, Screen(page, own_server)
    edit_limits(screen)
    head = server.books.head()
    page.locator("#risk-set-max_position_size").fill("3")
    page.locator("#risk-limits-apply").click()
    screen.expect_toast("Limits in force")
    expect(page.locator("#risk-now-max_position_size")).to_have_text("now 3.00%, cut order")
    (told,) = server.books.data("LIMITS_CHANGED", head)
    assert told["previous"]["max_position_size"] == 0.1
    step = wait_until(lambda: cuts(server, head), "an order that was cut")[-1]
    record = step["record"]
    assert "limit 3.00% of equity per symbol" in step["detail"]
    orders = {o["order_id"]: o for o in server.books.data("ORDER_INTENDED", head)}
    order = orders[record["order_id"]]
    assert float(order["quantity"]) * float(order["price"]) < 0.062 * 100_000, (
        "at most a turn of 3 %"
    )
    assert seen_errors == []


def test_what_loosens_is_refused_by_a_click_and_accepted_by_a_hold(page: Page, own_server: Server):
    server, screen = own_server, Screen(page, own_server)
    edit_limits(screen)
    head = server.books.head()
    page.locator("#risk-set-max_var_95").fill("nine")
    page.locator("#risk-limits-apply").click()
    expect(page.locator("#risk-limits-error")).to_contain_text("VaR 95 must be a number of percent")
    page.locator("#risk-set-max_var_95").fill("9")
    page.locator("#risk-limits-apply").click()
    expect(page.locator("#risk-limits-error")).to_contain_text("VaR 95 must be loosened by a hold")
    assert server.books.n("LIMITS_CHANGED", head) == 0
    page.locator("#risk-act-max_drawdown").select_option("warn")
    screen.hold(page.locator("#risk-limits-loosen"), seconds=HOLD_S)
    screen.expect_toast("Limits in force")
    (told,) = server.books.data("LIMITS_CHANGED", head)
    assert told["limits"]["max_var_95"] == 0.09
    assert told["limits"]["actions"] == {"max_drawdown": "warn"}
    page.locator(".ph-risk-distance input[value=bars]").check()
    expect(page.locator("#risk-limits")).to_contain_text("of 9.00%")


def test_a_broken_limit_stops_entries_by_itself_and_the_kill_switch_stays_in_reach(
    page: Page, own_server: Server
):
    server, screen = own_server, Screen(page, own_server)
    wait_until(lambda: server.status()["account"]["positions"], "a position")
    edit_limits(screen)
    page.locator("#risk-set-max_gross_exposure").fill("0.1")
    page.locator("#risk-act-max_gross_exposure").select_option("reduce_only")
    page.locator("#risk-limits-apply").click()
    expect(page.locator("#ph-halt-title")).to_have_text("Reduce only")
    expect(page.locator("#ph-halt-words")).to_contain_text("Gross exposure")
    expect(page.locator("#ph-bar").get_by_role("button", name="Stop…")).to_be_visible()
    assert server.status()["trading"] == "REDUCING"
    head = server.books.head()
    server.wait_for_bars(3)
    assert all(order["reduces"] for order in server.books.data("ORDER_INTENDED", head))
    screen.stop_trading()
    screen.expect_halted()
    assert server.status()["trading"] == "HALTED"
