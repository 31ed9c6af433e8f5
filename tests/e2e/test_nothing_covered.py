"""Words and numbers that share a place: none lies over another, none is cut by the edge of its panel."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.screen import Screen
from tests.program import PATIENCE_S, wait_until

WIDTHS = [(1440, 900), (390, 844)]
IS_SEEN = """(element) => {
    const box = element.getBoundingClientRect();
    const inside = box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight;
    const at = [0.02, 0.5, 0.98].map((share) => document.elementFromPoint(
        box.left + share * box.width, box.top + box.height / 2));
    return inside && element.scrollWidth <= element.clientWidth && at.every((e) => e && element.contains(e));
}"""
"""Whether all of an element is on screen, whole, and above everything else."""
LABELS = """() => {
    const chart = document.querySelector(".ph-price .js-plotly-plot");
    if (!chart || !chart._fullLayout || !chart._fullLayout.xaxis) return { shown: [], wrong: [] };
    const axis = chart._fullLayout.xaxis;
    const edge = chart.getBoundingClientRect().left + axis._offset + axis._length;
    const seen = (e) => getComputedStyle(e).visibility !== "hidden" && e.getClientRects().length;
    const words = [...chart.querySelectorAll(".annotation")].filter(seen);
    const others = [...document.querySelectorAll(".ph-chart-words, .ph-fan-levels, .ph-open-plate")].filter(seen);
    const boxes = [...words, ...others].map((e) => [e.textContent || e.className, e.getBoundingClientRect()]);
    const isOver = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    return {
        shown: words.map((e) => e.textContent),
        wrong: boxes.flatMap(([name, box], i) => boxes.slice(i + 1)
            .filter(([, other]) => isOver(box, other)).map(([other]) => `${name} over ${other}`))
            .concat(words.filter((e) => e.getBoundingClientRect().right > edge + 5)
                .map((e) => `${e.textContent} over the axis`)),
    };
}"""
SETTINGS = {"PILOTHOUSE_SPEED": "6"}


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_a_refused_jump_says_why_where_it_can_be_read(screen: Screen, width: int, height: int):
    screen.page.set_viewport_size({"width": width, "height": height})
    screen.open("/")
    field = screen.page.get_by_label("Jump to a day")
    field.fill("1999-01-01")
    field.press("Enter")
    refusal = screen.page.locator("#replay-jump-error")
    expect(refusal).to_contain_text("Enter a day from")
    refusal.evaluate("(e) => e.scrollIntoView({block: 'center'})")
    assert refusal.evaluate(IS_SEEN)
    screen.page.get_by_role("button", name="Step one bar").focus()
    expect(refusal).to_be_hidden()


def labels(screen: Screen) -> Any:
    return screen.page.evaluate(LABELS)


def pan(screen: Screen, share: float) -> None:
    """Move the chart by a share of its width, to the right where it is positive."""
    box = screen.page.locator(".ph-price .nsewdrag").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * (0.3 if share > 0 else 0.8), box["y"] + box["height"] / 2
    screen.page.mouse.move(x, y)
    screen.page.mouse.down()
    screen.page.mouse.move(x + share * box["width"], y, steps=5)
    screen.page.mouse.up()


@pytest.mark.parametrize("timeframe", ["1D", "1W", "1M"])
def test_no_word_of_the_chart_lies_over_another(screen: Screen, timeframe: str):
    screen.open(f"/?symbol=AAPL&tf={timeframe}")
    figures = screen.page.locator("#markets-strip .ph-strip-figures:visible").first
    expect(figures).to_be_visible(
        timeout=3_000 * PATIENCE_S
    )  # kernels are compiled before the first forecast
    wait_until(lambda: len(labels(screen)["shown"]) >= 2, "now, and at least the median")
    assert labels(screen)["wrong"] == []
    for share in (0.15, -0.5):
        pan(screen, share)
        assert screen.settled(lambda: labels(screen)["wrong"], seconds=1.0) == [], (
            f"moved by {share}"
        )
        assert labels(screen)["shown"], "there is still something that could lie over something"


@pytest.mark.parametrize("height", [900, 860])
def test_the_last_row_of_the_activity_is_whole(screen: Screen, height: int):
    screen.page.set_viewport_size({"width": 1440, "height": height})
    screen.open("/")
    cut = screen.page.locator(".ph-area-activity .ph-scroll").evaluate(
        """(scroll) => {
            const row = "<tr><td>26 Sep</td><td>BUY</td><td>AAPL</td><td>+1.0%</td><td>flat</td></tr>";
            scroll.querySelector("tbody").innerHTML = row.repeat(40);
            const edge = scroll.getBoundingClientRect().bottom;
            const boxes = [...scroll.querySelectorAll("tbody tr")].map((tr) => tr.getBoundingClientRect());
            return boxes.filter((box) => box.top < edge - 1 && box.bottom > edge + 1).length;
        }"""
    )
    assert cut == 0


COVERED = """() => {
    const box = (e) => e.getBoundingClientRect();
    const isOver = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const toasts = [...document.querySelectorAll(".ph-toast[data-open]")].map(box);
    const clip = (e) => box(e.closest(".ph-scroll, .ph-panel-body") || document.body);
    const isSeen = (e) => e.getClientRects().length && isOver(box(e), clip(e));
    return [...document.querySelectorAll("#ph-app :is(button, a[href], input, select)")]
        .filter((e) => !e.closest("#ph-notices") && isSeen(e) && toasts.some((toast) => isOver(toast, box(e))))
        .map((e) => e.id || e.textContent);
}"""
"""What can be pressed and lies under an open toast."""
PLANT = """([seq, words, stays = true]) => {
    const toast = document.createElement("div");
    toast.className = "ph-toast";
    toast.textContent = words;
    Object.assign(toast.dataset, { seq, at: Date.now() / 1000, stays: String(stays), alert: "false" });
    document.getElementById("ph-notices").append(toast);
    window.dispatchEvent(new CustomEvent("ph:painted"));
}"""
SHOWN = ".ph-toast[data-open]"


@pytest.mark.parametrize("path", ["/", "/strategies"])
def test_a_toast_covers_nothing_that_one_can_press(screen: Screen, path: str):
    screen.open(path)
    screen.page.evaluate(PLANT, [10**9, "a notice"])
    expect(screen.page.locator(SHOWN, has_text="a notice")).to_be_visible()
    wait_until(lambda: screen.page.evaluate(COVERED) == [], "nothing is covered")


def test_a_toast_makes_way_for_what_gets_the_focus(screen: Screen):
    screen.open("/strategies")
    screen.page.evaluate(
        """() => {
            const button = document.createElement("button");
            button.id = "planted";
            button.style.cssText = "position:fixed;right:40px;bottom:30px;width:44px;height:24px";
            button.hidden = true;
            document.getElementById("ph-app").append(button);
        }"""
    )
    screen.page.evaluate(PLANT, [10**9, "a notice"])
    expect(screen.page.locator(SHOWN, has_text="a notice")).to_be_visible()
    screen.page.evaluate(
        "(b => { b.hidden = false; b.focus(); })(document.getElementById('planted'))"
    )
    wait_until(lambda: "planted" not in screen.page.evaluate(COVERED), "the toast stands elsewhere")
    expect(screen.page.locator(SHOWN, has_text="a notice")).to_be_in_viewport()


def test_on_a_phone_the_page_can_be_scrolled_clear_of_a_toast(screen: Screen):
    screen.page.set_viewport_size({"width": 390, "height": 844})
    screen.open("/strategies")
    screen.page.evaluate(PLANT, [10**9, "a notice"])
    expect(screen.page.locator(SHOWN, has_text="a notice")).to_be_visible()
    screen.page.evaluate("(m => m.scrollTo(0, m.scrollHeight))(document.getElementById('ph-main'))")
    covered = "(e => e.getBoundingClientRect().bottom)(document.querySelector('#ph-page > *'))"
    top = screen.page.locator(SHOWN).first.bounding_box()
    assert top is not None
    assert screen.page.evaluate(covered) <= top["y"] + 1


def test_a_phone_shows_the_newest_toast_and_those_that_stay(screen: Screen):
    screen.page.set_viewport_size({"width": 390, "height": 844})
    screen.open("/strategies")
    for seq, (words, stays) in enumerate((("refused", True), ("first", False), ("second", False))):
        screen.page.evaluate(PLANT, [10**9 + seq, words, stays])
        expect(screen.page.locator(SHOWN, has_text=words)).to_be_visible()
    expect(screen.page.locator(SHOWN, has_text="first")).to_have_count(0)
    expect(screen.page.locator(SHOWN, has_text="refused")).to_be_visible()
