"""What moves on the screen moves by itself, and every tab shows the same."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import (
    APIResponse,
    BrowserContext,
    Page,
    Route,
    WebSocket,
    WebSocketRoute,
    expect,
)  # fmt: skip

from tests.e2e.conftest import watch_errors
from tests.e2e.screen import Screen
from tests.program import Server, wait_until

FAN = """name => {
    const chart = document.querySelector(`[data-chart="${name}"] .js-plotly-plot`);
    const traces = Array.from(chart?.data || []);
    const candles = traces.find((t) => t.type === "candlestick");
    const fan = traces.filter((t) => / (95|80|50)%$| median$/.test(t.name || ""));
    if (!candles?.x?.length || fan.length !== 4 || !fan[0].x?.length) return null;
    const bands = fan.slice(0, 3).map((t) => ({x: Array.from(t.x), y: Array.from(t.y)}));
    return {
        last: {x: candles.x.at(-1), close: candles.close.at(-1)},
        median: {x: Array.from(fan[3].x), y: Array.from(fan[3].y)},
        bands,
    };
}"""
"""The closed candles' end and the fan, read in one piece from what the chart draws."""


@pytest.fixture(autouse=True)
def market_moves(server: Server) -> None:
    """A test that failed while the market stood still must not take the others of this file with it."""
    if server.status()["feed"]["is_paused"]:
        server.books.send("ResumeReplay", f"moves-{server.books.head()}")


def test_prices_move_on_markets_without_a_reload(screen: Screen):
    screen.open("/?symbol=IBM")
    screen.mark()
    expect(screen.page.get_by_role("heading", name="IBM")).to_be_visible()
    head = screen.watch(lambda: screen.text("#markets-last"), 4, "the price over the chart")
    assert all(float(text.replace(",", "")) > 0 for text in head)
    for symbol in ("AAPL", "MSFT", "IBM"):
        screen.watch(lambda s=symbol: screen.cell(s), 3, f"the price of {symbol} in the watchlist")
    assert screen.is_unbroken()


def test_market_date_and_equity_move_with_the_replay(screen: Screen):
    screen.open("/strategies")
    screen.mark()
    screen.watch(lambda: screen.text("#ph-date"), 3, "the market date")
    assert screen.is_unbroken()


def test_the_fan_moves_at_each_close_and_starts_exactly_at_it(screen: Screen):
    screen.open("/?symbol=MSFT")
    screen.mark()

    def fan() -> dict[str, Any] | None:
        return screen.page.evaluate(FAN, "markets-price")

    wait_until(fan, "the fan")
    starts = screen.watch(
        lambda: (f := fan()) and (f["median"]["x"][0], f["median"]["y"][0]), 4, "the fan's start"
    )
    assert len({x for x, _ in starts}) >= 3, "it moves on in time, not only in price"

    def at_its_close() -> dict[str, Any] | None:
        """The forecast of a close comes a moment after the close itself; then both must agree exactly."""
        f = fan()
        is_there = f and (f["median"]["x"][0], f["median"]["y"][0]) == (
            f["last"]["x"],
            f["last"]["close"],
        )
        return f if is_there else None

    for _ in range(3):
        drawn = wait_until(at_its_close, "a fan that starts at the last close")
        last = drawn["last"]
        for band in drawn["bands"]:
            ends = [(band["x"][i], band["y"][i]) for i in (0, -1)]
            assert ends == [(last["x"], last["close"])] * 2
            assert max(band["y"]) > last["close"] > min(band["y"]), "it opens from there on"
        wait_until(lambda d=drawn: fan()["median"]["x"] != d["median"]["x"], "the next close")
    assert screen.is_unbroken()


COPY = """() => {
    const chart = document.querySelector('[data-chart="markets-price"] .js-plotly-plot');
    const copy = (value) => JSON.parse(JSON.stringify(value));
    window.before = [copy(Array.from(chart.data)), copy(chart.layout)];
}"""
BRING_BACK = """() => {
    const chart = document.querySelector('[data-chart="markets-price"] .js-plotly-plot');
    window.Plotly.react(chart, ...window.before);
}"""


def test_a_figure_that_comes_late_does_not_bring_back_the_forecast_before(
    screen: Screen, server: Server
):
    screen.open("/?symbol=MSFT")
    wait_until(lambda: screen.page.evaluate(FAN, "markets-price"), "the fan")
    screen.page.evaluate(COPY)
    old = screen.page.evaluate(FAN, "markets-price")

    def newest() -> dict[str, Any] | None:
        fan = screen.page.evaluate(FAN, "markets-price")
        return fan if fan["median"]["x"][0] == fan["last"]["x"] != old["last"]["x"] else None

    wait_until(newest, "a newer bar")
    server.books.send("PauseReplay", "late-1")
    try:
        wait_until(lambda: server.status()["feed"]["is_paused"], "the pause")
        new = screen.settled(newest)
        assert new
        screen.page.evaluate(BRING_BACK)
        wait_until(lambda: newest() == new, "the newest forecast again")
    finally:
        server.books.send("ResumeReplay", "late-2")


LATE_ANSWER = """id => window.dash_clientside.set_props(id, {children: [
    {namespace: "dash_html_components", type: "Div", props: {children: "older than what was drawn"}},
]})"""


def test_an_answer_that_comes_late_does_not_bring_back_a_block_before(
    screen: Screen, server: Server
):
    strip = "#markets-strip"
    screen.open("/?symbol=MSFT")
    expect(screen.page.locator(f"{strip}[data-ph-behind]")).to_be_attached()  # drawn by a patch
    server.books.send("PauseReplay", "block-1")
    try:
        wait_until(lambda: server.status()["feed"]["is_paused"], "the pause")
        drawn = screen.settled(screen.page.locator(strip).inner_text)
        screen.page.evaluate(LATE_ANSWER, strip.removeprefix("#"))
        late = screen.page.locator(strip).get_by_text("older than what was drawn")
        expect(late).to_be_attached()
        expect(late).to_be_hidden()
        wait_until(lambda: screen.page.locator(strip).inner_text() == drawn, "the newest block")
    finally:
        server.books.send("ResumeReplay", "block-2")


def test_a_jump_goes_there_and_one_back_asks_first(screen: Screen, server: Server):
    server.wait_for_bars(2)
    page = screen.open("/").page
    field, date = page.get_by_label("Jump to a day"), page.locator("#ph-date")

    def day() -> datetime:
        return datetime.fromisoformat(server.status()["feed"]["market_time"])

    def jump(to: datetime) -> None:
        field.fill(to.date().isoformat())
        field.press("Enter")

    run, begin = server.status()["feed"]["run_id"], day()
    jump(begin + timedelta(days=70))
    wait_until(lambda: day() >= begin + timedelta(days=69), "the day that was jumped to")
    wait_until(lambda: date.inner_text()[-8:] == f"{day():%b %Y}", "the date on the screen")
    assert server.status()["feed"]["run_id"] == run, "forward is the same run"

    back = page.get_by_role("button", name="Jump back")
    jump(begin)
    expect(back).to_be_visible()
    page.get_by_role("button", name="Cancel").last.press("Enter")
    expect(back).to_be_hidden()
    assert server.status()["feed"]["run_id"] == run, "asked first"
    jump(begin)
    back.click()
    wait_until(lambda: server.status()["feed"]["run_id"] != run, "another run")
    assert day() < begin + timedelta(days=60)


def test_a_day_written_by_hand_stays_though_it_is_the_one_that_was_followed(screen: Screen):
    field = screen.open("/").page.get_by_label("Jump to a day")
    wait_until(field.input_value, "the field follows the market")
    day = field.input_value()
    field.fill(day)
    field.blur()
    screen.watch(lambda: screen.text("#ph-date"), 3, "the market date")
    assert screen.settled(field.input_value, seconds=1.0) == day


def test_pause_holds_market_time_in_every_tab_and_play_lets_it_go(screen: Screen, server: Server):
    screen.open("/?symbol=AAPL")
    other = screen.tab("/?symbol=AAPL")
    screen.page.get_by_role("button", name="Pause", exact=True).click()
    wait_until(lambda: server.status()["feed"]["is_paused"], "the pause")
    for tab in (screen, other):
        expect(tab.page.locator("#ph-age")).to_have_text("paused")
    wait_until(lambda: figures(screen) == figures(other), "both tabs show the same")
    assert figures(screen)["#markets-last"]
    other.page.get_by_role("button", name="Play", exact=True).click()
    wait_until(lambda: not server.status()["feed"]["is_paused"], "play")
    for tab in (screen, other):
        tab.watch(lambda t=tab: t.text("#markets-last"), 3, "the price after play")


def test_an_answer_that_was_made_before_does_not_stay_over_what_came_since(
    screen: Screen, server: Server
):
    """A chart that missed bars asks for its figure: the answer holds the prices of the moment it was made, and the
    market may stand still from then on."""
    page = screen.open("/?symbol=MSFT").page
    held: list[tuple[Route, APIResponse]] = []
    page.route(
        re.compile("_dash-update-component"), lambda route: held.append((route, route.fetch()))
    )
    page.evaluate("window.dash_clientside.set_props('markets-again', { data: 1 })")

    def head() -> str:
        page.wait_for_timeout(50)  # lets the browser's requests come
        heads = [
            json.loads(a.text()).get("response", {}).get("markets-head")
            for _, a in held
            if a.ok and a.text()
        ]
        return json.dumps(heads[0], ensure_ascii=False) if any(heads) else ""

    answered = wait_until(head, "the answer of the server")
    screen.watch(lambda: screen.text("#markets-last"), 4, "the price since")
    server.books.send("PauseReplay", f"held-{server.books.head()}")
    newest = screen.settled(lambda: figures(screen), seconds=2.0)
    is_older = any(newest[place] not in answered for place in ("#markets-last", "#markets-change"))
    assert is_older, "the answer is of another moment"
    for route, answer in held:
        route.fulfill(response=answer)
    assert screen.settled(lambda: figures(screen), seconds=2.0) == newest


def figures(screen: Screen) -> dict[str, str]:
    """Return what the frame and the page say, by place."""
    places = ("#ph-equity", "#ph-day", "#ph-day-percent", "#ph-date", "#ph-mode", "#ph-owner",
              "#ph-engine-text", "#ph-feed-speed", "#markets-last", "#markets-change")  # fmt: skip
    symbols = ("AAPL", "IBM", "PG", "XOM")
    return {p: screen.text(p) for p in places} | {s: screen.cell(s) for s in symbols}


def test_each_click_on_step_is_a_bar(screen: Screen, server: Server):
    screen.open("/")
    screen.page.locator("#ph-main").get_by_role("button", name="Pause").click()
    screen.settled(lambda: server.status()["feed"]["bars_done"], seconds=1.0)
    before = server.status()["feed"]["bars_done"]
    accepted = server.books.n("COMMAND_ACCEPTED")
    for _ in range(4):
        screen.page.evaluate("document.getElementById('replay-step').click()")
    wait_until(lambda: server.books.n("COMMAND_ACCEPTED") == accepted + 4, "four answers")
    toasts = screen.page.locator(".ph-toast[data-open] strong").filter(has_text="steps")
    expect(toasts.first).to_be_visible()
    assert screen.settled(toasts.count, seconds=0.5) == 1, "answers of the same words are one toast"
    wait_until(lambda: server.status()["feed"]["bars_done"] >= before + 4, "four bars")
    screen.settled(lambda: server.status()["feed"]["bars_done"], seconds=1.0)
    assert server.status()["feed"]["bars_done"] == before + 4
    screen.page.locator("#ph-main").get_by_role("button", name="Play").click()


def test_a_reload_and_a_second_tab_show_the_same_numbers(screen: Screen, server: Server):
    server.books.send("PauseReplay", "same-1")
    try:
        first = screen.open("/?symbol=MSFT")
        before = wait_until(lambda: all((f := figures(first)).values()) and f, "every figure")
        screen.page.reload()
        screen.wait_live()
        wait_until(lambda: figures(screen) == before, "the same after a reload")
        second = screen.tab("/?symbol=MSFT")
        wait_until(lambda: figures(second) == before, "the same in another tab")
    finally:
        server.books.send("ResumeReplay", "same-2")


def test_the_connection_resumes_after_the_network_was_gone(page: Page, server: Server):
    """The socket is cut from the network's side and refused for a while; the page stays and comes back."""
    is_cut = False
    open_routes: list[WebSocketRoute] = []

    def relay(route: WebSocketRoute) -> None:
        if is_cut:
            route.close()
            return
        route.connect_to_server()
        open_routes.append(route)

    page.route_web_socket("**/ws/live", relay)
    screen = Screen(page, server).open("/?symbol=AAPL")
    screen.mark()
    screen.watch(lambda: screen.text("#markets-last"), 2, "the price")
    is_cut = True
    open_routes[0].close()
    expect(page.locator("#ph-connection-text")).to_contain_text("Reconnecting… data from")
    expect(page.locator("#ph-age")).to_have_attribute("data-age", "lost")
    page.route(re.compile("_dash-update-component"), lambda route: route.abort())
    page.locator("#replay-play").click()
    expect(page.locator("#ph-not-sent")).to_contain_text("Not sent: no connection")
    page.unroute(re.compile("_dash-update-component"))
    is_cut = False
    screen.wait_live()
    expect(page.locator("#ph-connection")).to_be_hidden()
    expect(page.locator("#ph-not-sent")).to_be_empty()
    screen.watch(lambda: screen.text("#markets-last"), 3, "the price after the cut")
    assert screen.is_unbroken()


REFUSE_SOCKETS = """() => {
    window.refused = 0;
    window.WebSocket = class {
        static OPEN = 1;
        readyState = 3;
        constructor() { window.refused += 1; setTimeout(() => this.onclose?.({}), 0); }
        send() {}
        close() {}
    };
}"""


def test_without_a_websocket_the_page_fetches_and_prices_still_move(
    context: BrowserContext, server: Server
):
    context.add_init_script(f"({REFUSE_SOCKETS})()")
    page = context.new_page()
    errors = watch_errors(page)
    fetched: list[str] = []
    page.on("request", lambda r: fetched.append(r.url) if "/api/live?" in r.url else None)
    page.goto(f"{server.url}/?symbol=AAPL")
    expect(page.locator("#ph-connection-text")).to_have_text("Polling every 2 s")
    screen = Screen(page, server)
    screen.watch(lambda: screen.text("#markets-last"), 3, "the price by fetch")
    assert page.evaluate("window.refused") >= 3
    wait_until(lambda: page.evaluate("true") and len(fetched) >= 2, "a second fetch")
    assert errors == []


def test_the_socket_sends_a_part_again_only_when_it_has_changed(page: Page, server: Server):
    frames: list[dict[str, Any]] = []

    def listen(ws: WebSocket) -> None:
        ws.on("framereceived", lambda f: frames.append(json.loads(f)))
        ws.on(
            "framesent", lambda _: frames.append({"parts": None})
        )  # a wish: what it names comes whole

    page.on("websocket", listen)
    Screen(page, server).open("/strategies")

    def settled() -> list[dict[str, Any]]:
        """Frames well after the last wish: what a wish names is sent whole, and may cross with what was under way."""
        wishes = [i for i, frame in enumerate(frames) if frame["parts"] is None]
        return frames[wishes[-1] + 8 :] if wishes else []

    wait_until(lambda: page.evaluate("true") and len(settled()) > 20, "frames")
    newest: dict[str, Any] = {}
    n_compared = 0
    for frame in settled():
        for topic, patch in frame["parts"].items():
            n_compared += topic in newest
            assert newest.get(topic) != patch, topic
            newest[topic] = patch
    assert "frame.bar" in newest
    assert n_compared > 10


OPEN_BAR = """k => {
    const chart = document.querySelector('[data-chart="markets-price"] .js-plotly-plot');
    const [price, rising, falling] = chart.data;
    const boxes = chart.querySelectorAll(".boxlayer path.box");
    if (!price?.x?.length || boxes.length !== price.x.length) return null;
    const volumes = price.x.map((_, i) => rising.y[i] + falling.y[i]);
    const i = k ? price.x.length - k : volumes.indexOf(Math.max(...volumes));
    const close = price.close[i];
    window.pilothouse.plotCalls.openBar(chart, {
        key: chart.layout.meta.key, price: close, tag: "1.00", isLine: false, trace: 0, at: price.x[i],
        bar: [price.open[i], price.high[i], price.low[i], close, volumes[i]],
    });
    const box = (...found) => {
        const all = found.map((one) => one.getBoundingClientRect());
        return [
            Math.min(...all.map((b) => b.left)), Math.min(...all.map((b) => b.top)),
            Math.max(...all.map((b) => b.right)), Math.max(...all.map((b) => b.bottom)),
        ];
    };
    const [wick, body, amount] = ["line:not(.ph-open-level)", "rect.ph-open-body", "rect[class^=ph-open-volume]"]
        .map((name) => chart.querySelector(".ph-open-bar " + name));
    const areas = [...chart.querySelectorAll(".subplot.xy2 .fills path")].map((path) => box(path));
    return {ours: box(wick, body), theirs: box(boxes[i]), amount: box(amount), areas};
}"""
"""The open bar's layer given a closed bar, and that bar as Plotly drew it: left, top, right, bottom in pixels. 0 is the
bar with the most volume."""


def test_the_open_bar_stands_where_the_chart_would_draw_it(screen: Screen):
    screen.open("/?symbol=AAPL")
    for k in (1, 2, 5, 0):
        found = wait_until(lambda k=k: screen.page.evaluate(OPEN_BAR, k), "a drawn chart")
        assert found["ours"] == pytest.approx(found["theirs"], abs=0.6)
    assert found["theirs"][2] - found["theirs"][0] > 1.2, "a bar is wider than what is let pass"
    top, bottom = found["amount"][1], found["amount"][3]
    assert len(found["areas"]) == 2
    assert top == pytest.approx(min(area[1] for area in found["areas"]), abs=1)
    assert bottom == pytest.approx(max(area[3] for area in found["areas"]), abs=1)


def test_a_tick_moves_the_open_bar_and_lays_no_chart_out(screen: Screen):
    screen.open("/?symbol=IBM")
    screen.page.wait_for_selector(".ph-open-bar .ph-open-body")
    found = screen.page.evaluate(
        """() => {
            const chart = document.querySelector('[data-chart="markets-price"] .js-plotly-plot');
            const {openBar} = window.pilothouse.plotCalls;
            const [price] = chart.data;
            const [words, level] = [chart.querySelector(".ph-open-words"), chart.querySelector(".ph-open-level")];
            const seen = new Set();
            const layer = chart.querySelector(".ph-open-bar");
            const watch = new MutationObserver(() => {});
            watch.observe(chart, {subtree: true, childList: true, attributes: true, characterData: true});
            const changed = () => watch.takeRecords().filter((one) => !layer.contains(one.target)).length;
            for (let k = 0; k < 5; k += 1) {
                const close = price.close.at(-1) * (1 + k / 1000);
                openBar(chart, {
                    key: chart.layout.meta.key, price: close, tag: `${k}.00`, isLine: false, trace: 0,
                    at: price.x.at(-1), bar: [close, close, close, close, 1],
                });
                seen.add(words.textContent + level.getAttribute("y1"));
            }
            const byTicks = changed();
            window.Plotly.redraw(chart);
            return [seen.size, byTicks, changed()];
        }"""
    )
    assert found[:2] == [5, 0]
    assert found[2] > 0, "the control: what lays the chart out is seen"


def test_the_open_bar_hides_while_a_hand_holds_the_chart_whatever_ticks(screen: Screen):
    screen.open("/?symbol=AAPL")
    layer = screen.page.locator(".ph-open-bar")
    expect(layer.locator(".ph-open-body")).to_be_visible()
    box = screen.page.locator('[data-chart="markets-price"]').bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    screen.page.mouse.move(x, y)
    screen.page.mouse.down()
    screen.page.mouse.move(x - 90, y, steps=5)
    expect(layer).to_be_hidden()
    screen.page.evaluate(OPEN_BAR, 1)  # a tick comes
    expect(layer).to_be_hidden()
    screen.page.mouse.up()
    expect(layer).to_be_visible()
    found = wait_until(lambda: screen.page.evaluate(OPEN_BAR, 1), "a drawn chart")
    assert found["ours"] == pytest.approx(found["theirs"], abs=0.6)


def test_a_row_of_the_watchlist_shows_the_focus_that_the_keyboard_gave_it(screen: Screen):
    screen.open("/")
    screen.page.locator('.ph-watchlist [row-id="MSFT"] [col-id="symbol"]').click()
    marked = screen.page.locator(".ph-watchlist .ag-row[data-ph-focus]")
    expect(marked).to_have_count(0)
    screen.page.keyboard.press("ArrowDown")
    expect(marked).to_have_count(1)
    first = marked.get_attribute("row-id")
    assert first != "MSFT"
    assert marked.evaluate("(row) => getComputedStyle(row).outlineStyle") == "solid"
    screen.page.keyboard.press("ArrowUp")
    expect(marked).to_have_attribute("row-id", "MSFT")


def test_the_chart_knows_how_old_its_fan_is(screen: Screen):
    screen.open("/")
    strip = screen.page.locator(".ph-forecast-strip[data-age]")
    expect(strip).to_have_count(1)
    screen.page.locator(".ph-chart-panel[data-its-age=fresh]").wait_for()
    # a newer forecast may come between any two looks, and is fresh
    ageing = """() => {
        document.querySelector(".ph-forecast-strip [data-received]").dataset.received = "1000";
        return document.querySelector(".ph-chart-panel").dataset.itsAge;
    }"""
    wait_until(lambda: screen.page.evaluate(ageing) == "stale", "a fan that is out of date")


def test_events_of_a_rare_kind_stay_listed_while_others_come(screen: Screen, server: Server):
    """The live section has the newest of all kinds: a list of one kind must not shrink to what is among them."""
    server.wait_for_bars(2)
    page = screen.open("/journal?show=commands").page
    listed = page.locator(".ph-journal .ph-j-row .ph-j-open")
    for number in range(3):
        server.books.send("SetReplaySpeed", f"rare-{number}", bars_per_minute=40 + number)
    wait_until(lambda: listed.count() >= 3, "the commands are listed")
    before = listed.all_text_contents()
    head = server.books.head()
    listable = "SELECT count(*) FROM events WHERE seq > ? AND event_type != 'MARKET_DATA'"
    wait_until(
        lambda: server.books.rows(listable, head)[0][0] > 250, "more events than the log holds"
    )
    server.books.send("SetReplaySpeed", "rare-last", bars_per_minute=40)
    wait_until(lambda: listed.count() > len(before), "the last command above them")
    assert listed.all_text_contents()[-len(before) :] == before


def test_every_row_of_the_journal_stands_under_its_day_once(screen: Screen, server: Server):
    """What comes later is put above what is there: the line of a day is neither missing nor doubled."""
    server.wait_for_bars(2)
    page = screen.open("/journal?show=signals").page
    days = page.locator(".ph-journal .ph-j-day")
    wait_until(lambda: days.count() >= 3, "signals of three days")
    assert page.locator(".ph-journal tbody tr").first.get_attribute("class") == "ph-j-day"
    seen = days.all_text_contents()
    assert len(seen) == len(set(seen)), "each day once, newest first"
