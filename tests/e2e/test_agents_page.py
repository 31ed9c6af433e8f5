"""The Agents page under a hand: table or cards, and what a failing agent looks like."""

import re
import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.screen import Screen
from tests.program import FAST, ROOT, Server, wait_until

Launch = Callable[[str, str], Server]
"""Starts a server with agents of one's own: the source of their module `own_crew`, and the configuration."""

PHONE = {"width": 390, "height": 844}
CREW = """
from engine import BaseAgent, EventType


class Echo(BaseAgent):
    title = "Echo"
    topics = (EventType.MARKET_DATA,)
    emits = (EventType.CUSTOM,)
    n = 0

    def handle(self, event):
        self.n += 1
        if self.n % 4 == 0:
            yield self.event(EventType.CUSTOM, {f"told_by_{self.agent_id}": 1})


class Reader(Echo):
    title = "Reader"
    topics = (EventType.MC_UPDATE, EventType.RISK_UPDATE, EventType.CYCLE_RECORDED)


class Watcher(Echo):
    title = "Watcher"
    topics = (EventType.RISK_UPDATE,)
"""
CREW_CONFIG = """
agents:
  echo: {use: "own_crew:Echo"}
  reader: {use: "own_crew:Reader"}
  my watcher: {use: "own_crew:Watcher"}
"""
CREW_HEARS = {"echo": "MARKET_DATA", "reader": "MC_UPDATE", "my-20-watcher": "RISK_UPDATE"}
"""What each of them hears, by its name as a part of DOM ids."""
CALLER = """
from contextlib import suppress
from engine import BaseAgent
from engine.domain.errors import ApiUnavailableError


class Caller(BaseAgent):
    title = "Caller"

    async def _run_cycle(self, resource_pool):
        with suppress(ApiUnavailableError):
            await resource_pool.http_request("GET", self.config["url"], "weather", rate_limit=600.0)
"""
CALLER_CONFIG = """
agents:
  caller: {{use: "own_crew:Caller", config: {{interval: 0.2, url: "http://127.0.0.1:{port}/"}}}}
"""
SIDEWAYS = """() => [...document.querySelectorAll("html, .ph-main, .ph-area-graph, .ph-own, .ph-own-strip")]
    .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className)"""
"""The boxes that scroll sideways."""
RAISING = """
from engine import BaseAgent

class Raising(BaseAgent):
    title = "Raising"

    async def _run_cycle(self, resource_pool):
        raise ValueError("no such table")
"""
CONFIG = """
agents:
  raising: {use: "own_crew:Raising", config: {interval: 0.2}}
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
def launch(browser: object, tmp_path: Path) -> Iterator[Launch]:
    """Start servers with agents of one's own; asked for after the browser, which may be missing."""
    started: list[Server] = []

    def start(module: str, config: str) -> Server:
        (tmp_path / "own_crew.py").write_text(module, encoding="utf-8")
        crew = tmp_path / "own.yaml"
        crew.write_text(config, encoding="utf-8")
        own = {"PYTHONPATH": f"{ROOT}:{tmp_path}", "PILOTHOUSE_CONFIG": str(crew)}
        started.append(Server(tmp_path / "pilot", settings=FAST | own | {"NO_PROXY": "127.0.0.1"}))
        return started[-1].start()

    yield start
    for server in started:
        server.stop(signal.SIGKILL)


@pytest.fixture
def broken_service() -> Iterator[int]:
    """A service on this machine that fails at every call; its port."""

    class Broken(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(500)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    service = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    yield service.server_address[1]
    service.shutdown()
    service.server_close()


def test_a_failing_agent_shows_count_and_reason_in_its_node(
    page: Page, launch: Launch, seen_errors: list[str]
):
    screen = Screen(page, launch(RAISING, CONFIG)).open("/agents")
    node = screen.page.locator("#node-raising")
    expect(node.locator("#node-words-raising")).to_contain_text("failed 5×: ValueError: no such")
    expect(node.locator("#node-errors-raising")).to_have_text(re.compile(r"^\d+$"))
    expect(screen.page.locator("#agent-note-raising")).to_contain_text("no such table")
    node.get_by_role("button").focus()
    tip = screen.page.get_by_role("tooltip")
    expect(tip).to_have_text(re.compile(r"^\d+ errors, the last: ValueError: no such table$"))
    expect(screen.page.locator("#node-risk .ph-node-errors")).to_be_hidden()
    assert seen_errors == []


def expect_payload(screen: Screen, key: str, words: str) -> None:
    """Wait until a flow tells what it carried last, in its tip and to readers; a tip opens by the keyboard too."""
    rate = screen.page.locator(f"#edge-rate-{key}")
    expect(rate).to_have_attribute("data-tip", re.compile(words))
    expect(screen.page.locator(f"#edge-last-{key}")).to_have_text(re.compile(words))
    rate.focus()
    expect(screen.page.get_by_role("tooltip")).to_have_text(re.compile(words))


def expect_live(screen: Screen, key: str) -> None:
    """Wait until something flows."""
    some = re.compile(r"^(<0\.1|[1-9]\d*\.\d|0\.[1-9]) /s$")
    expect(screen.page.locator(f"#edge-rate-{key}")).to_have_text(some)
    expect(screen.page.locator(f"#edge-{key}")).to_have_class(re.compile("ph-edge-live"))


def check_now(server: Server, before: str) -> None:
    """Let the supervisor take the engine's figures once a few bars have closed."""
    server.wait_for_bars(4)
    server.books.send("RunAgentOnce", f"check-{before}", agent_id="supervisor")


def test_every_agent_of_ones_own_has_a_node_and_live_flows_at_both_sides(
    page: Page, launch: Launch, seen_errors: list[str]
):
    server = launch(CREW, CREW_CONFIG)
    screen = Screen(page, server).open("/agents")
    expect(page.get_by_role("heading", name="Your agents")).to_be_visible()
    check_now(server, "own")
    for agent_id, topic in CREW_HEARS.items():
        expect(page.locator(f".ph-own #node-{agent_id}").get_by_role("button")).to_be_visible()
        expect_live(screen, f"in-{agent_id}-{topic}")
        expect_live(screen, f"out-{agent_id}-CUSTOM")
        told = f"^Last: Carries told_by_{agent_id.replace('-20-', ' ')}\\.$"
        expect_payload(screen, f"out-{agent_id}-CUSTOM", told)
    expect_payload(screen, "in-reader-MC_UPDATE", "^Last: Level ")
    expect(page.locator("#edge-in-echo-MARKET_DATA")).to_contain_text("Market data to Echo")
    page.locator("#stubs-rest-in-reader").focus()
    expect(page.get_by_role("tooltip")).to_have_text(re.compile(r"^CYCLE_RECORDED [\d.]+ /s$"))
    for width, height in ((1440, 900), (820, 1180), (390, 844), (320, 700)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(SIDEWAYS) == [], width
    expect(page.locator("#edge-out-echo-CUSTOM .ph-edge-names")).to_be_visible()
    assert seen_errors == []


def test_the_flows_of_the_house_tell_what_they_carried_last(screen: Screen, server: Server):
    screen.open("/agents")
    check_now(server, "house")
    flows = {
        "market_data-monte_carlo": r"^Last: [A-Z]+ [\d,.]+$", "monte_carlo-risk": "^Last: Level ",
        "risk-strategy": "^Last: Risk of ", "strategy-execution": "^Last: (BUY|SELL|No|Hold) ",
    }  # fmt: skip
    for key, words in flows.items():
        expect_live(screen, key)
        expect_payload(screen, key, words)


def test_a_service_that_fails_is_shown_open_with_count_down_and_limit(
    page: Page, launch: Launch, broken_service: int, seen_errors: list[str]
):
    Screen(page, launch(CALLER, CALLER_CONFIG.format(port=broken_service))).open("/agents")
    rate = page.locator("#edge-rate-market_data-monte_carlo")
    expect(rate).to_have_text(
        re.compile(r"^[\d.]+ /s$"), timeout=15_000
    )  # long before the next check
    box = page.locator("#agents-apis")
    expect(box).to_contain_text(re.compile(r"weather\s*open: .*HTTP 500"))
    expect(box.locator(".ph-i-octagon-x")).to_be_visible()
    left = box.locator(".ph-api-next")
    expect(left).to_have_text(re.compile(r"^next try in [\d.]+ s$"))
    first = left.text_content()
    expect(left).not_to_have_text(str(first))
    figures = box.locator(".ph-api-more")
    expect(figures).to_have_text(
        re.compile(r"^(\d+) of \1 calls failed.*; 600 a minute, \d+ could leave now")
    )
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
    drawn = panel.locator(
        "#agents-detail-tools[data-ph-behind]"
    )  # what the page came with is hidden behind it
    drawn.get_by_role("button", name="Run once").click()
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
