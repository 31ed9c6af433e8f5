"""The saved picture of a chart shows what the screen shows, and says of what and of which feed it is."""

import base64
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.screen import Screen

FEED = " · REPLAY daily bars.* ×40 · PAPER$"
"""At first the feed says that it waits for kernels."""

SAVE = """(isOpen) => {
    const chart = document.querySelector('[data-chart="markets-price"] .js-plotly-plot');
    const [price, rising, falling] = chart.data;
    const [low, high] = chart._fullLayout.yaxis.range;
    const [open, close] = [low + 0.8 * (high - low), low + 0.3 * (high - low)];
    const volume = Math.max(...rising.y, ...falling.y);
    window.pilothouse.plotCalls.openBar(chart, {
        key: chart.layout.meta.key, price: isOpen ? close : null, tag: "12.34", isLine: false, trace: 0,
        at: new Date(Date.parse(price.x.at(-1)) + 86400000).toISOString().slice(0, 19),
        bar: [open, high, low, close, volume],
    });
    window.said = [];
    const write = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        window.said.push(text);
        return write.call(this, text, ...rest);
    };
    const frame = chart.getBoundingClientRect();
    const middle = (name) => {
        const box = chart.querySelector(".ph-open-bar " + name).getBoundingClientRect();
        return [box.left + box.width / 2 - frame.left, box.top + box.height / 2 - frame.top];
    };
    const places = isOpen && {
        body: middle(".ph-open-body"), tag: middle(".ph-open-plate").map((at, i) => at - (i ? 7 : 0)),
        amounts: [...chart.querySelectorAll(".ph-open-bar rect[class^=ph-open-volume]")].length,
        amount: middle(".ph-open-volume-dn"),
    };
    document.querySelector("[data-chart-image]").click();
    return { places, size: [frame.width, frame.height] };
}"""
"""Gives the open bar's layer a falling bar of its own and saves the picture in the same breath, before any tick."""

READ = """async ([picture, places]) => {
    const image = new Image();
    image.src = "data:image/png;base64," + picture;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const line = context.getImageData(0, 0, image.width, 56).data;
    const inks = new Set();
    for (let i = 0; i < line.length; i += 4) inks.add(line.slice(i, i + 3).join());
    const pixel = (x, y) => [...context.getImageData(Math.round(x), Math.round(y), 1, 1).data];
    const at = ([x, y]) => pixel(2 * x, 2 * (y + 28)).slice(0, 3);
    return { size: [image.width, image.height], inks: inks.size, at: places.map(at) };
}"""
"""The pixels of a saved picture at places of the chart, and how many colours its line has."""


def saved(screen: Screen, *, is_open: bool) -> tuple[str, dict[str, Any], list[str]]:
    with screen.page.expect_download() as download:
        found = screen.page.evaluate(SAVE, is_open)
    assert download.value.suggested_filename == "AAPL.png"
    picture = base64.b64encode(download.value.path().read_bytes()).decode()
    return picture, found, screen.page.evaluate("window.said")


def rgb(screen: Screen, token: str) -> list[int]:
    words = screen.page.evaluate(
        """name => {
            const probe = document.body.appendChild(document.createElement("i"));
            probe.style.color = `var(--ph-${name})`;
            return getComputedStyle(probe).color;
        }""",
        token,
    )
    return [int(part) for part in words.strip("rgb()").split(",")]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_saved_picture_has_the_open_bar_its_volume_and_a_line_of_what_it_is(
    screen: Screen, theme: str
):
    screen.page.emulate_media(color_scheme=theme)
    screen.open("/?symbol=AAPL")
    expect(screen.page.locator(".ph-open-bar .ph-open-body")).to_be_visible()
    picture, found, said = saved(screen, is_open=True)
    places = [found["places"][name] for name in ("body", "tag", "amount")]
    read = screen.page.evaluate(READ, [picture, places])
    without, _, _ = saved(screen, is_open=False)
    bare = screen.page.evaluate(READ, [without, places])

    assert read["size"] == pytest.approx([2 * found["size"][0], 2 * (found["size"][1] + 28)], abs=2)
    assert read["at"][0] == pytest.approx(rgb(screen, "dn"), abs=3), "the body of the open candle"
    assert read["at"][1] == pytest.approx(rgb(screen, "tx"), abs=3), "the plate of its price"
    assert bare["at"][0] != pytest.approx(rgb(screen, "dn"), abs=3), "the control"
    assert bare["at"][1] != pytest.approx(rgb(screen, "tx"), abs=3)
    blend = [0.32 * a + 0.68 * b for a, b in zip(rgb(screen, "dn"), rgb(screen, "s1"), strict=True)]
    assert read["at"][2] == pytest.approx(blend, abs=6), "its volume"
    assert bare["at"][2] != pytest.approx(blend, abs=6)
    assert found["places"]["amounts"] == 2, "the half that the area leaves out is of the layer too"

    line, tag = said
    date = screen.text("#ph-date")
    assert tag == "12.34"
    assert line.startswith("AAPL · 1D · ")
    assert re.search(FEED, line), line
    assert date.split()[-1] in line
    assert read["inks"] > 5, "the line is written"


def test_the_picture_of_a_forecast_says_whose_it_is(screen: Screen):
    screen.open("/forecast?symbol=AAPL")
    screen.page.wait_for_selector(".js-plotly-plot .main-svg")
    screen.page.evaluate(
        """() => {
            window.said = [];
            CanvasRenderingContext2D.prototype.fillText = (text) => window.said.push(text);
        }"""
    )
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name="Save as an image").first.click()
    assert download.value.suggested_filename == "AAPL-forecast.png"
    [line] = screen.page.evaluate("window.said")
    assert line.startswith("AAPL forecast · ")
    assert re.search(FEED, line), line
