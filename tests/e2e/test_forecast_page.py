"""The Forecast page as a person uses it: one level or five, sliders that answer, a card that says its n."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.screen import Screen
from tests.program import wait_until

SETTINGS = {"MC_LEVELS": "2,1,3,4,5", "PILOTHOUSE_SPEED": "20"}
MEDIAN = """name => {
    const chart = document.querySelector(`[data-chart="${name}"] .js-plotly-plot`);
    const trace = Array.from(chart?.data || []).find((t) => / median$/.test(t.name || ""));
    return trace?.x?.length ? {x: Array.from(trace.x), y: Array.from(trace.y)} : null;
}"""
EDGES = """() => {
    const chart = document.querySelector('[data-chart="forecast-fan"] .js-plotly-plot');
    return Array.from(chart?.data || []).filter((t) => / (low|high)$/.test(t.name || "") && t.x?.length).length;
}"""


def pick(screen: Screen, group: str, name: str | re.Pattern[str]) -> None:
    """Press one of a group of choices: its words lie over the whole of it."""
    box = screen.page.get_by_role("radiogroup", name=group, exact=True)
    box.get_by_role("radio", name=name).check(force=True)


def median(screen: Screen, chart: str = "forecast-fan"):
    return screen.page.evaluate(MEDIAN, chart)


def open_page(screen: Screen, query: str) -> None:
    screen.open(f"/forecast?{query}")
    wait_until(lambda: median(screen) or screen.page.evaluate(EDGES), "a forecast")


def address(screen: Screen) -> str:
    """Return the address as the browser has it now; `page.url` is only heard of between calls."""
    return str(screen.page.evaluate("location.href"))


def test_one_level_and_all_five_are_a_switch_apart(screen: Screen):
    open_page(screen, "symbol=AAPL&level=1")
    screen.mark()
    pick(screen, "Levels shown", "All five")
    wait_until(lambda: screen.page.evaluate(EDGES) >= 4, "the edges of several levels")
    expect(screen.page.get_by_role("heading", name="Where they differ")).to_be_visible()
    wait_until(lambda: "view=all" in address(screen), "the address")
    pick(screen, "Level", re.compile("Conditional"))
    wait_until(lambda: "level=2" in address(screen), "the level in the address")
    pick(screen, "Levels shown", "One level")
    expect(screen.page.get_by_role("heading", name="Where they differ")).to_be_hidden()
    wait_until(lambda: median(screen), "the fan of one level")
    assert screen.is_unbroken()


def test_an_eye_hides_a_level_and_the_address_keeps_it_hidden(screen: Screen):
    open_page(screen, "symbol=AAPL&level=1&view=all")
    wait_until(lambda: screen.page.evaluate(EDGES) == 10, "the edges of all five")
    screen.mark()
    eyes = screen.page.get_by_role("group", name="Levels drawn")
    eyes.get_by_role("checkbox", name="Draw level 4").uncheck()
    wait_until(lambda: screen.page.evaluate(EDGES) == 8, "the edges of four")
    wait_until(lambda: "hide=4" in address(screen), "the address")
    expect(eyes.get_by_role("checkbox", name="Level 1, chosen")).to_be_disabled()
    assert screen.is_unbroken()
    screen.page.reload()
    screen.wait_live()
    wait_until(lambda: screen.page.evaluate(EDGES) == 8, "the edges of four")
    expect(eyes.get_by_role("checkbox", name="Draw level 4")).not_to_be_checked()
    pick(screen, "Level", re.compile("Multi-factor"))
    wait_until(lambda: screen.page.evaluate(EDGES) == 10, "the chosen level")
    wait_until(lambda: "hide" not in address(screen), "the address")
    expect(eyes.get_by_role("checkbox", name="Level 4, chosen")).to_be_checked()


def test_the_report_card_comes_as_a_file(screen: Screen):
    open_page(screen, "symbol=AAPL&level=1")
    with screen.page.expect_download() as found:
        screen.page.get_by_role("button", name="CSV").click()
    assert found.value.suggested_filename == "report-card-AAPL.csv"
    head, *rows = Path(found.value.path()).read_text(encoding="utf-8").splitlines()
    assert head.startswith("symbol,level,name,horizon_bars,n,")
    assert len(rows) == 20


def first_step(screen: Screen) -> float:
    """Return how far the median moves in its first step: bars go on closing, what it starts from changes."""
    drawn = wait_until(lambda: median(screen), "the median")
    return float(drawn["y"][1] / drawn["y"][0] - 1)


def test_a_slider_simulates_at_once_and_says_that_it_is_not_stored(screen: Screen):
    open_page(screen, "symbol=AAPL&level=1")
    label, words = (
        screen.page.get_by_text("what-if: not stored"),
        screen.page.locator("#forecast-what-if"),
    )
    expect(label).to_be_hidden()
    assert abs(first_step(screen)) < 0.03
    for name, value in (("paths", "1500"), ("shock", "-10")):
        screen.page.locator(f"#forecast-{name}-number").fill(value)
        screen.page.keyboard.press("Enter")
    expect(label).to_be_visible()
    expect(words).to_contain_text("shock −10%")
    wait_until(lambda: first_step(screen) < -0.07, "the shock in the fan")
    screen.page.locator("#forecast-volatility").focus()
    screen.page.keyboard.press("ArrowRight")
    expect(words).to_contain_text("volatility ×1.05")
    screen.page.get_by_role("button", name="Reset").click()
    expect(label).to_be_hidden()
    wait_until(lambda: abs(first_step(screen)) < 0.03, "the stored forecast")
    assert screen.page.locator("#forecast-shock-number").input_value() == "0"
    made = {event["n_paths"] for event in screen.server.books.data("MC_UPDATE")}
    assert made
    assert 1500 not in made, "a what-if is no record"


CHART = """document.querySelector('[data-chart="forecast-fan"] .js-plotly-plot')"""
KEEP_STEPS = """() => {
    const ph = window.pilothouse, quickly = ph.paintQuickly;
    ph.paintQuickly = (chart, step) => { window.kept = step; return (window.wasQuick = quickly(chart, step)); };
}"""
BOXES = """() => {
    const chart = document.querySelector('[data-chart="forecast-fan"] .js-plotly-plot');
    const fan = [...chart.querySelectorAll(".scatterlayer > .trace, .barlayer > .trace")]
        .filter((e) => e.__data__[0].trace.index >= 10);
    const box = (e) => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; };
    const traces = fan.map((e) => box(e));
    const words = [...chart.querySelectorAll(".annotation"), ...chart.querySelectorAll(".shapelayer path")].map(box);
    return { traces, words: words.filter((b) => b[2] && b[3] >= 0) };
}"""
PAINT = """([up]) => {
    const chart = document.querySelector('[data-chart="forecast-fan"] .js-plotly-plot');
    const sets = window.kept.sets.map((set) => ({ ...set, y: set.y.map((y) => (y === null ? y : y + up)) }));
    return window.pilothouse.paintQuickly(chart, { ...window.kept, sets });
}"""


def test_what_is_painted_at_once_is_what_plotly_draws_when_the_hand_rests(screen: Screen):
    """The two ways must not differ by a pixel, or the fan would twitch after every drag."""
    screen.server.books.send("PauseReplay", "quick-1")
    try:
        open_page(screen, "symbol=AAPL&level=5")
        screen.page.evaluate(KEEP_STEPS)
        axis = f"() => {CHART}._fullLayout.yaxis.range"
        whole = screen.page.evaluate(axis)
        screen.page.locator("#forecast-volatility").focus()
        for _ in range(5):
            screen.page.keyboard.press("ArrowRight")
        wait_until(lambda: screen.page.evaluate("window.wasQuick"), "an answer painted at once")
        wait_until(lambda: screen.page.evaluate(axis) != whole, "the whole drawing, axes included")
        drawn = screen.settled(lambda: screen.page.evaluate(BOXES), seconds=1.0)
        assert len(drawn["traces"]) >= 5
        assert screen.page.evaluate(PAINT, [0])
        painted = screen.page.evaluate(BOXES)
        for before, after in zip(drawn["traces"], painted["traces"], strict=True):
            assert after == pytest.approx(before, abs=1.0)
        for before, after in zip(drawn["words"], painted["words"], strict=True):
            assert after == pytest.approx(before, abs=0.5)
        assert screen.page.evaluate(PAINT, [2.0])
        moved = screen.page.evaluate(BOXES)["traces"]
        assert all(abs(a[1] - b[1]) > 3 for a, b in zip(moved, painted["traces"], strict=True)), (
            "the control"
        )
    finally:
        screen.server.books.send("ResumeReplay", "quick-2")


def test_the_card_says_the_n_behind_each_horizon(screen: Screen):
    open_page(screen, "symbol=AAPL&level=1")
    group = screen.page.get_by_role("radiogroup", name="Horizon of the report card")
    assert [re.sub(r"\d+$", "k", text) for text in group.locator("label").all_inner_texts()] == [
        f"{h} d\nn k" if "\n" in text else f"{h} dn k"
        for h, text in zip((1, 5, 10, 20), group.locator("label").all_inner_texts(), strict=True)
    ]
    card = screen.page.get_by_role("region", name="Report card")
    expect(card).to_contain_text(re.compile(r"n = \d+|inside the"))


def test_the_fan_on_markets_is_that_of_the_level_in_the_address(screen: Screen):
    screen.open("/?symbol=AAPL&level=1")
    screen.server.books.send(
        "PauseReplay", "no-other-bar"
    )  # a closed bar would draw another fan as well
    screen.settled(lambda: median(screen, "markets-price"), seconds=2.0)
    first = wait_until(lambda: median(screen, "markets-price"), "the fan of level 1")
    pick(screen, "Level of the fan", "L2")
    wait_until(lambda: "level=2" in address(screen), "the level in the address")
    wait_until(lambda: (median(screen, "markets-price") or first)["y"] != first["y"], "another fan")
    expect(screen.page.locator("#markets-strip")).to_contain_text("Level 2")
    screen.page.reload()
    screen.wait_live()
    expect(screen.page.locator("#markets-strip")).to_contain_text("Level 2")
    screen.server.books.send("ResumeReplay", "bars-again")
