"""The Agents page under a hand: table or cards, and what a failing agent looks like."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.screen import Screen
from tests.program import FAST, ROOT, Server, wait_until

PHONE = {"width": 390, "height": 844}
RAISING = """
from engine import BaseAgent

class Raising(BaseAgent):
    title = "Raising"

    async def _run_cycle(self, resource_pool):
        raise ValueError("no such table")
"""
CONFIG = """
agents:
  raising: {use: "own_raising:Raising", config: {interval: 0.2}}
"""


def top_of(screen: Screen, agent_id: str) -> float:
    box = screen.page.locator(f"#agent-{agent_id}").bounding_box()
    assert box is not None
    return box["y"]


def is_in_cards(screen: Screen) -> bool:
    """Whether the second agent stands beside the first and not below it."""
    return top_of(screen, "market_data") == top_of(screen, "monte_carlo")


def test_the_choice_of_table_or_cards_survives_a_walk_and_a_reload(screen: Screen):
    screen.open("/agents")
    heads = screen.page.locator(".ph-agent-heads")
    expect(heads).to_be_visible()
    assert not is_in_cards(screen)
    screen.page.get_by_label("Cards", exact=True).check()
    expect(heads).to_be_hidden()
    assert is_in_cards(screen)
    expect(screen.page.locator("#agent-queue-risk")).to_be_visible()
    screen.page.get_by_role("link", name="Risk").first.click()
    expect(heads).to_have_count(0)
    screen.page.get_by_role("link", name="Agents").first.click()
    expect(screen.page.get_by_label("Cards", exact=True)).to_be_checked()
    screen.open("/agents")
    expect(screen.page.get_by_label("Cards", exact=True)).to_be_checked()
    assert is_in_cards(screen)
    screen.page.get_by_label("Table", exact=True).check()
    expect(heads).to_be_visible()


def test_a_phone_has_cards_only_and_no_switch(screen: Screen):
    screen.page.set_viewport_size(PHONE)
    screen.open("/agents")
    expect(screen.page.locator("#agents-shape")).to_be_hidden()
    expect(screen.page.locator(".ph-agent-heads")).to_be_hidden()
    expect(screen.page.locator("#agents-list-counts")).to_contain_text("running")
    expect(screen.page.locator("#agent-queue-risk")).to_be_visible()
    wide = screen.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]


@pytest.fixture
def failing(browser: object, tmp_path: Path) -> Iterator[Server]:
    """A server with an agent of one's own that fails at every cycle."""
    home = tmp_path / "pilot"
    (tmp_path / "own_raising.py").write_text(RAISING, encoding="utf-8")
    config = tmp_path / "own.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    own = {"PYTHONPATH": f"{ROOT}:{tmp_path}", "PILOTHOUSE_CONFIG": str(config)}
    running = Server(home, settings=FAST | own).start()
    yield running
    running.stop(signal.SIGKILL)


def test_a_failing_agent_shows_count_and_reason_in_its_node(
    page: Page, failing: Server, seen_errors: list[str]
):
    screen = Screen(page, failing).open("/agents")
    node = screen.page.locator("#node-raising")
    expect(node.locator("#node-words-raising")).to_contain_text("failed 5×: ValueError: no such")
    expect(node.locator("#node-errors-raising")).to_have_text(re.compile(r"^\d+$"))
    expect(screen.page.locator("#agent-note-raising")).to_contain_text("no such table")
    node.get_by_role("button").focus()
    tip = screen.page.get_by_role("tooltip")
    expect(tip).to_have_text(re.compile(r"^\d+ errors, the last: ValueError: no such table$"))
    expect(screen.page.locator("#node-risk .ph-node-errors")).to_be_hidden()
    assert seen_errors == []


def test_durations_and_lateness_are_listed_by_task_type(screen: Screen, server: Server):
    screen.open("/agents?agent=market_data")
    box = screen.page.locator("details", has_text="Durations by task type")
    box.locator("summary").click()
    rows = box.locator("tbody tr")
    expect(rows.filter(has_text="price_cycle")).to_have_count(1)
    figures = rows.filter(has_text="Market data").first.locator("td")
    expect(figures).to_have_count(5)
    expect(figures.last).to_have_text(re.compile(r"^<?[\d.]+ m?s$"))
    expect(screen.page.locator("#agents-tasks")).to_contain_text("price_cycle p50")


def press(screen: Screen, act: str, agent_id: str) -> None:
    """Press a button of a row once the live one is there, which hides the one that came with the page."""
    tools = screen.page.locator(f"#agent-tools-{agent_id}")
    expect(tools.locator(":scope > [data-ph-drawn]").first).to_be_visible()
    tools.get_by_role("button", name=re.compile(f"^{act}")).click()


def height_of(screen: Screen, agent_id: str) -> float:
    box = screen.page.locator(f"#agent-{agent_id}").bounding_box()
    assert box is not None
    return box["height"]


def test_a_note_that_is_over_leaves_no_gap_in_its_row(screen: Screen):
    screen.open("/agents")
    note = screen.page.locator("#agent-note-risk")
    press(screen, "Pause", "risk")
    expect(note).to_contain_text("Paused by you")
    screen.open("/agents")  # now the note came with the page and is not drawn over it
    expect(note).to_contain_text("Paused by you")
    tall = height_of(screen, "risk")
    press(screen, "Resume", "risk")
    expect(note).to_be_hidden()
    assert height_of(screen, "risk") == height_of(screen, "execution") < tall


def test_run_once_is_obeyed_and_told(screen: Screen, server: Server):
    screen.open("/agents?agent=monte_carlo")
    accepted = server.books.n("COMMAND_ACCEPTED")
    panel = screen.page.locator("#agents-detail")
    panel.get_by_role("button", name="Run once").click()
    wait_until(lambda: server.books.n("COMMAND_ACCEPTED") == accepted + 1, "the answer")
    assert server.books.data("COMMAND_ACCEPTED")[-1]["name"] == "RunAgentOnce"
    expect(screen.page.locator(".ph-toast[data-open]").first).to_be_visible()


def test_the_log_lists_a_rare_kind_and_keeps_it_while_others_come(screen: Screen, server: Server):
    server.wait_for_bars(2)
    server.books.send("SetReplaySpeed", "log-1", bars_per_minute=41)
    head = server.books.head()
    listable = "SELECT count(*) FROM events WHERE seq > ? AND event_type != 'MARKET_DATA'"
    wait_until(
        lambda: server.books.rows(listable, head)[0][0] > 250,
        "more events than the live section holds",
    )
    page = screen.open("/agents").page
    page.get_by_label("Topics").select_option(label="Commands")
    rows = page.locator("#agents-log-body > li")
    expect(rows.filter(has_text="COMMAND_ACCEPTED").first).to_be_visible()
    before = rows.all_text_contents()
    server.books.send("SetReplaySpeed", "log-2", bars_per_minute=42)
    wait_until(lambda: rows.count() == len(before) + 1, "the newest command above the others")
    assert rows.all_text_contents()[1:] == before
    page.get_by_role("button", name="Hold the log").click()
    server.books.send("SetReplaySpeed", "log-3", bars_per_minute=43)
    assert screen.settled(rows.count, seconds=1.5) == len(before) + 1, "held"
