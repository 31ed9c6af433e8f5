"""What the controls do under a hand: caps, holds, locks, tooltips, themes of charts.

They stand on the style guide, so no engine runs.
"""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from tests.dashboard import styleguide


@pytest.fixture(scope="module")
def guide() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, styleguide.build().server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page_of_guide(page: Page, guide: str, seen_errors: list[str]) -> Iterator[Page]:
    page.goto(guide)
    expect(page.locator("#sg-slider")).to_be_visible()
    yield page
    assert [
        e for e in seen_errors if "/ws/live" not in e and "/api/live" not in e and "404" not in e
    ] == []


def test_a_slider_steps_by_one_and_by_five_and_stops_at_its_cap(page_of_guide: Page):
    slider = page_of_guide.locator("#sg-slider")
    slider.focus()
    expect(slider).to_have_attribute("aria-valuetext", "35%, current 20%, cap 50%")
    slider.press("ArrowRight")
    expect(slider).to_have_value("36")
    slider.press("Shift+ArrowRight")
    expect(slider).to_have_value("41")
    slider.press("End")
    expect(slider).to_have_value("50")
    slider.press("Home")
    expect(slider).to_have_value("0")
    expect(slider).to_have_attribute("aria-valuetext", "0%, current 20%, cap 50%")


def clicks(page: Page, name: str) -> None:
    page.evaluate(
        """id => {
            window.clicked = 0;
            document.getElementById(id).addEventListener("click", () => { window.clicked += 1; });
        }""",
        name,
    )


def test_a_hold_acts_only_when_it_lasts_and_never_on_enter(page_of_guide: Page):
    button = page_of_guide.locator("#sg-hold")
    clicks(page_of_guide, "sg-hold")
    button.click()
    button.press("Enter")
    button.focus()
    page_of_guide.keyboard.down(" ")
    page_of_guide.wait_for_timeout(300)
    page_of_guide.keyboard.up(" ")
    assert page_of_guide.evaluate("window.clicked") == 0
    page_of_guide.keyboard.down(" ")
    page_of_guide.wait_for_function("window.clicked === 1")
    page_of_guide.keyboard.up(" ")
    page_of_guide.wait_for_timeout(100)
    assert page_of_guide.evaluate("window.clicked") == 1


def test_leaving_a_held_button_lets_go_of_it(page_of_guide: Page):
    clicks(page_of_guide, "sg-hold")
    page_of_guide.locator("#sg-hold").hover()
    page_of_guide.mouse.down()
    page_of_guide.mouse.move(5, 5)
    page_of_guide.wait_for_timeout(1500)
    page_of_guide.mouse.up()
    assert page_of_guide.evaluate("window.clicked") == 0


def test_a_hold_takes_the_focus_from_another_button_and_lasts(page_of_guide: Page):
    clicks(page_of_guide, "sg-hold")
    page_of_guide.locator("#sg-locked").focus()
    page_of_guide.locator("#sg-hold").hover()
    page_of_guide.mouse.down()
    page_of_guide.wait_for_function("window.clicked === 1", timeout=10_000)
    page_of_guide.mouse.up()


def test_a_held_button_that_moves_away_under_the_hand_stays_held(page_of_guide: Page):
    """A dialog redraws its consequences while the hand rests on the button."""
    clicks(page_of_guide, "sg-hold")
    page_of_guide.locator("#sg-hold").hover()
    page_of_guide.mouse.down()
    page_of_guide.evaluate(
        "document.getElementById('sg-hold').style.transform = 'translateY(300px)'"
    )
    page_of_guide.wait_for_function("window.clicked === 1")
    page_of_guide.mouse.up()


def test_a_locked_button_takes_the_focus_tells_its_reason_and_does_nothing(page_of_guide: Page):
    button = page_of_guide.locator("#sg-locked")
    clicks(page_of_guide, "sg-locked")
    button.focus()
    expect(page_of_guide.get_by_role("tooltip")).to_have_text("trading is halted")
    button.press("Enter")
    button.dispatch_event("click")
    assert page_of_guide.evaluate("window.clicked") == 0
    page_of_guide.keyboard.press("Escape")
    expect(page_of_guide.locator(".ph-tip")).to_be_hidden()


def test_figures_are_equally_wide_so_that_a_tick_moves_nothing(page_of_guide: Page):
    widths = page_of_guide.evaluate(
        """() => ["4,118", "9,764", "1,111"].map((text) => {
            const span = document.createElement("span");
            span.textContent = text;
            document.querySelector(".ph-table td").append(span);
            return span.getBoundingClientRect().width;
        })"""
    )
    assert max(widths) - min(widths) < 0.01


def test_a_chart_takes_the_colours_of_the_other_theme(page_of_guide: Page):
    up = (
        "document.querySelector('#sg-chart .js-plotly-plot')"
        "?.data?.find((t) => t.type === 'candlestick')?.increasing.line.color"
    )
    page_of_guide.wait_for_function(f"({up} || '').startsWith('rgba(44, 199, 180')")
    page_of_guide.evaluate("window.pilothouse.toggleTheme()")
    page_of_guide.wait_for_function(f"({up} || '').startsWith('rgba(5, 101, 95')")


def test_nothing_is_wider_than_a_phone(page_of_guide: Page):
    page_of_guide.set_viewport_size({"width": 390, "height": 844})
    assert page_of_guide.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_flood_of_alerts_leaves_two_open_and_every_answer(page_of_guide: Page):
    page_of_guide.evaluate(
        """() => {
            const add = (seq, isAlert, stays) => {
                const toast = document.createElement("div");
                toast.className = "ph-toast";
                toast.textContent = `${isAlert ? "alert" : "answer"} ${seq}`;
                Object.assign(toast.dataset, {
                    seq, at: Date.now() / 1000, stays: String(stays), alert: String(isAlert),
                });
                document.body.append(toast);
            };
            add(1, false, false);
            for (let seq = 2; seq < 9; seq += 1) add(seq, true, seq === 3);
            window.dispatchEvent(new CustomEvent("ph:painted"));
        }"""
    )
    opened = page_of_guide.locator(".ph-toast[data-seq][data-open]")
    expect(opened).to_have_text(["answer 1", "alert 3", "alert 7", "alert 8"])


def test_a_double_click_is_one_wish_and_a_click_after_it_another(page_of_guide: Page):
    page_of_guide.evaluate(
        """() => {
            window.sent = [];
            window.dash_clientside.set_props = (id, props) => window.sent.push(props.data.name);
            const button = document.createElement("button");
            button.id = "sg-wish";
            button.textContent = "Wish";
            button.dataset.phIntent = JSON.stringify({ name: "PauseReplay" });
            button.addEventListener("click", () => window.setTimeout(() => {
                button.dataset.phIntent = JSON.stringify({ name: "ResumeReplay" });
            }, 0));
            document.querySelector("main, body").prepend(button);
        }"""
    )
    button = page_of_guide.locator("#sg-wish")
    button.dblclick()
    page_of_guide.wait_for_timeout(300)  # wishes are sent a moment apart
    assert page_of_guide.evaluate("window.sent") == ["PauseReplay"]
    button.click()
    page_of_guide.wait_for_timeout(300)
    assert page_of_guide.evaluate("window.sent") == ["PauseReplay", "ResumeReplay"]
    button.evaluate("(one) => (one.dataset.phRepeats = '')")
    button.dblclick()
    page_of_guide.wait_for_timeout(300)
    assert page_of_guide.evaluate("window.sent.length") == 4, (
        "each click of such a button is a wish"
    )


CHART_OF_DAYS = """async ([drawn, tail]) => {
    while (!window.Plotly?.newPlot) await new Promise((go) => setTimeout(go, 20));
    const asked = [];
    window.dash_clientside.set_props = (id) => asked.push(id);
    const host = document.createElement("div");
    Object.assign(host.dataset, { chartHost: "", chartAgain: "sg-again" });
    host.append(document.createElement("div"));
    document.body.append(host);
    const chart = await window.Plotly.newPlot(
        host.firstChild, [{ x: drawn, y: drawn.map(() => 1) }], { meta: { key: "A:1D" } });
    const step = {
        tails: [{ trace: 0, x: tail, y: tail.map(() => 2) }], sets: [], layout: {}, meta: { key: "A:1D" } };
    await window.pilothouse.plotCalls.advance(chart, step);
    await window.pilothouse.plotCalls.advance(chart, step);
    return { x: Array.from(chart.data[0].x), y: Array.from(chart.data[0].y), asked };
}"""


@pytest.mark.parametrize(("tail", "y"), [
    (["2008-01-03", "2008-01-04"], [1, 1, 2, 2]), (["2008-01-04", "2008-01-07"], [1, 1, 1, 2, 2]),
])  # fmt: skip
def test_a_closed_bar_changes_the_end_of_a_chart(page_of_guide: Page, tail, y):
    drawn = ["2008-01-01", "2008-01-02", "2008-01-03", "2008-01-04"]
    found = page_of_guide.evaluate(CHART_OF_DAYS, [drawn, tail])
    assert (found["y"], found["asked"]) == (y, [])
    assert found["x"] == sorted({*drawn, *tail})


@pytest.mark.parametrize("tail", [
    ["2007-12-28", "2007-12-31"], ["2007-12-31", "2008-01-01"], ["2008-01-02", "2008-01-03"],
    ["2008-01-09", "2008-01-10"], [],
])  # fmt: skip
def test_bars_that_do_not_follow_are_asked_for_once_and_cut_nothing(page_of_guide: Page, tail):
    drawn = ["2008-01-01", "2008-01-02", "2008-01-03", "2008-01-04"]
    found = page_of_guide.evaluate(CHART_OF_DAYS, [drawn, tail])
    assert (found["x"], found["asked"]) == (drawn, ["sg-again"])


FOLLOWING = """() => {
    window.dash_clientside.set_props = (id, props) => {
        document.getElementById(id).value = props.value;
    };
    const box = document.createElement("div");
    box.id = "sg-box";
    box.innerHTML = '<input id="sg-follow" value="2008-12-01">';
    document.querySelector("main, body").prepend(box);
    window.moveTo = (day) => {
        box.dataset.follow = day;
        window.dispatchEvent(new CustomEvent("ph:painted"));
        return document.getElementById("sg-follow").value;
    };
}"""


def test_a_field_follows_until_somebody_writes_in_it(page_of_guide: Page):
    page_of_guide.evaluate(FOLLOWING)
    field = page_of_guide.locator("#sg-follow")

    def move_to(day: str) -> str:
        return str(page_of_guide.evaluate("day => window.moveTo(day)", day))

    assert [move_to("2008-12-01"), move_to("2008-12-02")] == ["2008-12-01", "2008-12-02"]
    field.focus()
    assert move_to("2008-12-03") == "2008-12-02"
    field.fill("2008-10-01")
    page_of_guide.locator("#sg-locked").focus()
    assert move_to("2008-12-04") == "2008-10-01"
    page_of_guide.evaluate("document.getElementById('sg-follow').value = ''")
    assert move_to("2008-12-05") == "2008-12-05"


QUESTION = """() => {
    const ask = document.createElement("div");
    Object.assign(ask.dataset, { ask: "sg-no", askFrom: "sg-apply" });
    ask.id = "sg-ask";
    ask.hidden = true;
    ask.innerHTML = '<button id="sg-no">Cancel</button><button id="sg-yes">Go</button>';
    ask.firstChild.addEventListener("click", () => { ask.hidden = true; });
    document.querySelector("main, body").prepend(ask);
    ask.hidden = false;
}"""


def test_a_question_puts_the_focus_on_cancel_and_escape_takes_it_back(page_of_guide: Page):
    page_of_guide.evaluate(QUESTION)
    expect(page_of_guide.locator("#sg-no")).to_be_focused()
    page_of_guide.keyboard.press("Escape")
    expect(page_of_guide.locator("#sg-ask")).to_be_hidden()
    expect(page_of_guide.locator("#sg-apply")).to_be_focused()


AGE = """([feed, behind]) => {
    let frame = document.getElementById("ph-app");
    if (!frame) frame = document.body.appendChild(Object.assign(document.createElement("div"), { id: "ph-app" }));
    frame.dataset.feed = feed;
    const age = document.body.appendChild(document.createElement("span"));
    age.id = "sg-age";
    Object.assign(age.dataset, { received: Date.now() / 1000, budget: 1000, behind });
}"""


@pytest.mark.parametrize(("feed", "behind", "state"), [
    ("paused", "0", "paused"), ("paused", "1", "stale"), ("live", "0", "fresh"),
])  # fmt: skip
def test_a_pause_does_not_hide_that_a_number_is_behind(page_of_guide: Page, feed, behind, state):
    page_of_guide.evaluate(AGE, [feed, behind])
    age = page_of_guide.locator("#sg-age")
    expect(age).to_have_attribute("data-age", state)
    if feed == "paused":
        expect(age).to_have_text("paused")


def test_an_age_that_counts_on_behind_a_drawn_block_leaves_it_there(page_of_guide: Page):
    drawn = page_of_guide.evaluate(
        """async () => {
            const host = document.createElement("div");
            host.innerHTML = '<p><span data-received="1">0.1 s</span><b>old</b></p>';
            document.body.append(host);
            const node = { namespace: "dash_html_components", type: "P", props: { children: "new" } };
            window.pilothouse.draw(host, node);
            const settle = () => new Promise((done) => window.setTimeout(done, 50));
            await settle();
            const first = () => host.firstElementChild.textContent;
            host.querySelector("[data-received]").firstChild.nodeValue = "0.5 s";
            await settle();
            const afterAge = first();
            host.querySelector("b").firstChild.nodeValue = "newer";
            await settle();
            return [afterAge, first()];
        }"""
    )
    assert drawn[0] == "new"
    assert drawn[1].endswith("newer"), "what Dash changes comes to the front all the same"
