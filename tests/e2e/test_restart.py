"""The server goes and comes back under an open page."""

import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.screen import Screen
from tests.program import Server, wait_until


@pytest.fixture
def screen(page: Page, own_server: Server) -> Screen:
    return Screen(page, own_server)


def test_the_kill_switch_survives_a_hard_restart_and_the_page_comes_back_by_itself(screen: Screen):
    server = screen.server
    screen.open("/?symbol=AAPL")
    screen.record_toasts()
    screen.mark()
    screen.stop_trading()
    screen.expect_toast("HALTED")
    screen.expect_halted()
    halted_at = server.books.head()

    server.stop(signal.SIGKILL)
    expect(screen.page.locator("#ph-connection")).to_be_visible()
    expect(screen.page.locator("#ph-connection-text")).to_contain_text("Reconnecting… data from")
    screen.expect_halted()

    server.start()
    screen.wait_live()
    expect(screen.page.locator("#ph-connection")).to_be_hidden()
    screen.expect_halted()
    screen.watch(lambda: screen.text("#markets-last"), 3, "the price after the restart")
    assert screen.is_unbroken(), "it came back without a reload"
    assert screen.toasts("HALTED") == 1
    assert server.status()["trading"] == "HALTED"
    assert server.books.n("ORDER_INTENDED", halted_at) == 0

    screen.page.reload()
    screen.wait_live().expect_halted()
    screen.resume_trading()
    screen.expect_halted(False)
    assert server.status()["trading"] == "ACTIVE"


@pytest.fixture
def standby(own_server: Server) -> Iterator[Server]:
    second = Server(own_server.home).start()
    yield second
    second.stop(signal.SIGKILL)


def test_the_page_of_a_standby_shows_steers_and_stays_through_a_takeover(
    page: Page, own_server: Server, standby: Server
):
    screen = Screen(page, standby).open("/?symbol=AAPL")
    screen.mark()
    owner = own_server.status()["engine"]["owner"]
    expect(page.locator("#ph-owner")).to_contain_text(owner)
    screen.watch(lambda: screen.text("#markets-last"), 3, "the owner's price on the standby")
    page.get_by_role("button", name="Pause", exact=True).click()
    wait_until(lambda: own_server.status()["feed"]["is_paused"], "the owner obeys the standby")
    page.get_by_role("button", name="Play", exact=True).click()
    wait_until(lambda: not own_server.status()["feed"]["is_paused"], "the owner obeys again")

    own_server.stop(signal.SIGKILL)
    expect(page.locator("#ph-owner")).not_to_contain_text(owner)
    screen.watch(lambda: screen.text("#markets-last"), 3, "the price under the new owner")
    assert screen.is_unbroken()
