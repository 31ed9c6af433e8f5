"""What holds on every page: both themes, three widths, no complaint, no foreign request, nothing that axe finds."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.pages import page_modules
from tests.e2e.screen import PATHS, Screen
from tests.program import wait_until

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
RUN_AXE = """async () => {
    const found = await axe.run(document, {resultTypes: ["violations"]});
    return found.violations
        .filter((v) => ["serious", "critical"].includes(v.impact))
        .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
}"""
OVERFLOW = """() => {
    const places = ["HTML", "BODY", "MAIN"];
    const isReached = (element) => {
        for (let box = element; box && !places.includes(box.tagName) && box.id !== "ph-page"; box = box.parentElement) {
            const style = getComputedStyle(box);
            if (style.textOverflow === "ellipsis" || style.visibility === "hidden") return true;
            if (box !== element && ["auto", "scroll"].includes(style.overflowX)) return true;
        }
        return false;
    };
    const drawn = (e) => e.getClientRects().length && !e.closest(".ph-hidden, .ph-skip, svg, .js-plotly-plot");
    const beyond = [...document.querySelectorAll("body *")]
        .filter((e) => drawn(e) && e.getBoundingClientRect().right > innerWidth + 1 && !isReached(e))
        .slice(0, 4).map((e) => `${e.tagName}#${e.id}.${e.className}`);
    const root = document.documentElement;
    if (root.scrollHeight > innerHeight) beyond.push(`the page is ${root.scrollHeight - innerHeight} px too long`);
    return root.scrollWidth > innerWidth ? beyond.concat("the page scrolls") : beyond;
}"""
"""What stands beyond the right edge and is reached by no scrolling box of its own; names end in an ellipsis."""
NOT_KNOWN = """() => [...document.querySelectorAll(".js-plotly-plot")].flatMap((chart) => chart.data
    .filter((trace, i) => (trace.type || "scatter") !== chart._fullData[i].type)
    .map((trace) => trace.type))"""
"""Kinds of traces that the part of Plotly which is loaded does not have: it draws them as lines and says nothing."""
COUNT_CHANGES = """
    window.changes = 0;
    const watch = () => {
        const store = (window.dash_stores || [])[0];
        if (store) store.subscribe(() => { window.changes += 1; });
        else setTimeout(watch);
    };
    watch();
"""
"""Counts how often Dash's store tells its components that something changed."""
THEMES = ("dark", "light")
SETTINGS = {"PILOTHOUSE_SPEED": "6"}
"""Nothing here waits for a bar: the processors are the browser's."""
DIALOGS = ("ph-stop", "ph-resume", "ph-bell-panel", "ph-palette", "ph-keys", "ph-menu")


def axe(page: Page) -> list[str]:
    """Return what axe calls serious or critical, each with the elements it found."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(RUN_AXE)
    return found


def is_wider_than(page: Page, width: int) -> list[str]:
    page.set_viewport_size({"width": width, "height": 844})
    wait_until(lambda: page.evaluate("innerWidth") == width, f"{width} px")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found: list[str] = page.evaluate(OVERFLOW)
    return found


def use_theme(screen: Screen, theme: str) -> None:
    screen.page.emulate_media(color_scheme="light" if theme == "light" else "dark")
    expect(screen.page.locator("html")).to_have_attribute("data-bs-theme", theme)


def settle(screen: Screen) -> None:
    """Wait until every chart of the page is drawn."""
    drawn = "[...document.querySelectorAll('.ph-chart')].every((c) => c.querySelector('.js-plotly-plot .main-svg'))"
    wait_until(lambda: screen.page.evaluate(drawn), "every chart is drawn")


def test_the_pages_are_those_of_the_rail():
    assert {m.page.title: m.page.path for m in page_modules()} == PATHS


def test_the_tool_that_looks_for_faults_is_the_one_named():
    assert sha256(AXE.read_bytes()).hexdigest() == AXE_SHA256


@pytest.mark.parametrize("title", PATHS)
def test_a_page_opens_by_its_link_and_is_whole_in_each_theme_and_width(screen: Screen, title: str):
    screen.page.emulate_media(
        color_scheme="light"
    )  # opened in the theme that is not the first below
    answer = screen.page.goto(screen.server.url + PATHS[title])
    assert answer is not None
    assert answer.status == 200
    screen.wait_live()
    expect(screen.page.locator(".ph-rail [aria-current=page]")).to_have_text(title)
    expect(screen.page.locator("#ph-live-problem")).to_be_hidden()
    assert screen.page.locator("#ph-page h1, #ph-page h2").count() > 0
    settle(screen)
    assert screen.page.evaluate(NOT_KNOWN) == []
    for theme in THEMES:
        use_theme(screen, theme)
        screen.page.set_viewport_size({"width": 1440, "height": 900})
        assert axe(screen.page) == [], theme
        for width in (390, 320):
            assert is_wider_than(screen.page, width) == [], f"{theme} at {width} px"
        screen.page.set_viewport_size({"width": 390, "height": 844})
        assert axe(screen.page) == [], f"{theme} on a phone"


def test_a_kind_of_trace_that_is_not_loaded_is_found(screen: Screen):
    """The control of the check above."""
    screen.open("/risk")
    settle(screen)
    drawn = "window.Plotly.newPlot(document.querySelector('.js-plotly-plot'), [{type: 'heatmap', z: [[1]]}])"
    found = screen.page.evaluate(f"() => {{ {drawn}; return ({NOT_KNOWN})(); }}")
    assert found == ["heatmap"], "in one go: the page draws its own charts again when a bar closes"


def test_correlations_are_painted_each_in_its_cell(screen: Screen):
    screen.open("/risk")
    cells = screen.page.locator(".ph-heat-cell")
    expect(cells.first).to_be_visible()
    n = screen.page.locator(".ph-heat tbody tr").count()
    assert cells.count() == n * (n - 1) > 0
    assert all(re.fullmatch(r"−?(\.\d\d|1\.00)", text) for text in cells.all_inner_texts())
    colours = cells.evaluate_all("(all) => all.map((c) => getComputedStyle(c).backgroundColor)")
    assert len(set(colours)) > n, "the colour follows the value"


def test_a_report_card_that_is_being_made_fits_on_a_phone(screen: Screen):
    screen.open("/forecast")
    settle(screen)
    words = '<span class="ph-rc-walk"></span><span class="ph-t12">walking back 254 of 254</span>'
    for width in (390, 320):
        screen.page.evaluate(
            "html => (document.getElementById('forecast-card-walk').innerHTML = html)", words
        )
        assert is_wider_than(screen.page, width) == [], f"at {width} px"


def test_what_opens_over_a_page_is_whole_too(screen: Screen):
    screen.open("/strategies")
    for theme in THEMES:
        use_theme(screen, theme)
        for dialog in DIALOGS:
            screen.page.evaluate("id => window.pilothouse.open(id)", dialog)
            expect(screen.page.locator(f"#{dialog}")).to_be_visible()
            assert axe(screen.page) == [], (dialog, theme)
    for dialog in DIALOGS:
        screen.page.evaluate("id => window.pilothouse.open(id)", dialog)
        assert is_wider_than(screen.page, 320) == [], dialog


def test_a_fault_that_is_planted_is_found(screen: Screen):
    """The control of the two checks above."""
    screen.open("/strategies")
    screen.page.evaluate(
        """() => {
            const button = document.createElement("button");
            button.style.cssText = "width:900px;height:20px";
            document.querySelector("#ph-page").append(button);
        }"""
    )
    assert any(fault.startswith("button-name") for fault in axe(screen.page))
    assert is_wider_than(screen.page, 390) != []


def test_the_page_opens_no_socket_but_our_own(screen: Screen):
    """Dash's renderer starts a worker for its own socket whenever its configuration names one."""
    screen.open("/strategies")
    config = screen.page.evaluate("JSON.parse(document.querySelector('#_dash-config').textContent)")
    assert "url_base_pathname" in config
    assert "websocket" not in config


def test_a_page_of_a_thousand_elements_opens_without_each_telling_all_others(
    page: Page, screen: Screen
):
    """Dash lets each component that mounts reset its state and tell all others: 1,117 changes for the Agents page."""
    page.add_init_script(COUNT_CHANGES)
    screen.open(PATHS["Agents"])
    expect(page.locator(".ph-agent").first).to_be_visible()
    assert page.evaluate("document.querySelectorAll('#ph-page *').length") > 800
    assert 10 < page.evaluate("window.changes") < 200


def test_a_link_names_symbol_and_timeframe(screen: Screen):
    screen.open("/?symbol=IBM&tf=1W")
    expect(screen.page.get_by_role("heading", name="IBM")).to_be_visible()
    expect(screen.page.get_by_role("radio", name="1W")).to_be_checked()
    screen.page.locator('.ph-watchlist [row-id="MSFT"] [col-id="symbol"]').click()
    expect(screen.page.get_by_role("heading", name="MSFT")).to_be_visible()
    wait_until(lambda: "symbol=MSFT" in screen.page.url, "the address follows the choice")
    screen.page.reload()
    expect(screen.page.get_by_role("heading", name="MSFT")).to_be_visible()
    expect(screen.page.get_by_role("radio", name="1W")).to_be_checked()


def test_an_address_without_a_page_is_not_found_and_leads_back(page: Page, server):
    answer = page.goto(f"{server.url}/nowhere")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="No page here")).to_be_visible()
    page.locator("#ph-page").get_by_role("link", name="Open Markets").click()
    expect(page.locator("#markets-root")).to_be_visible()


def test_the_theme_is_the_systems_until_one_is_chosen_and_then_stays(screen: Screen):
    html = screen.page.locator("html")
    screen.page.emulate_media(color_scheme="light")
    screen.open("/")
    expect(html).to_have_attribute("data-bs-theme", "light")
    screen.page.emulate_media(color_scheme="dark")
    expect(html).to_have_attribute("data-bs-theme", "dark")
    screen.page.get_by_role("button", name="Use the light theme").click()
    expect(html).to_have_attribute("data-bs-theme", "light")
    screen.page.reload()
    expect(html).to_have_attribute("data-bs-theme", "light")
    other = screen.tab("/strategies")
    expect(other.page.locator("html")).to_have_attribute("data-bs-theme", "light")


# -- keyboard ----------------------------------------------------------------------------------------------------


def focused(page: Page) -> str:
    """Return the words of what has the focus."""
    return str(
        page.evaluate(
            "(e => (e.getAttribute('aria-label') || e.textContent).trim())(document.activeElement)"
        )
    )


def test_the_first_tab_offers_to_skip_to_the_page(screen: Screen):
    screen.open("/strategies")
    screen.page.keyboard.press("Tab")
    skip = screen.page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator("#ph-main")).to_be_focused()
    screen.page.keyboard.press("Tab")
    assert screen.page.evaluate("document.activeElement.closest('#ph-main') !== null")


def test_tab_leaves_the_watchlist_after_one_stop_either_way_and_arrows_move_inside(screen: Screen):
    """Ten rows of six cells would be sixty stops between the filter and the chart."""
    screen.open("/")
    page = screen.page
    page.wait_for_selector(".ag-row")
    stops = []
    page.locator("#markets-watch-filter").focus()
    while (
        page.evaluate("document.activeElement.closest('.ph-chart-panel') === null")
        and len(stops) < 9
    ):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.closest('.ag-root') !== null"))
    assert stops == [True, False], "the grid, then the chart's tools"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.closest('.ag-root') !== null")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.closest('.ag-row') !== null")
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#markets-watch-filter")).to_be_focused()


def test_tab_reaches_bar_and_rail_in_order_and_the_focus_is_always_seen(screen: Screen):
    screen.open("/strategies")
    reached: list[str] = []
    while "Journal" not in reached and len(reached) < 40:
        screen.page.keyboard.press("Tab")
        reached.append(focused(screen.page))
        ring = screen.page.evaluate(
            "(s => [s.outlineStyle, parseFloat(s.outlineWidth), s.boxShadow])(getComputedStyle(document.activeElement))"
        )
        assert (ring[0] != "none" and ring[1] >= 2) or ring[2] != "none", (
            f"no ring on {reached[-1]!r}"
        )
    rail = [title for title in reached if title in PATHS]
    assert rail == list(PATHS)
    assert reached.index(
        "Change the theme" if "Change the theme" in reached else "Use the light theme"
    ) < reached.index("Markets")


def test_g_and_a_letter_opens_a_page(screen: Screen):
    screen.open("/")
    screen.mark()
    for title, path in list(PATHS.items())[::-1]:
        key = next(m.page.key for m in page_modules() if m.page.title == title)
        screen.page.keyboard.press("g")
        screen.page.keyboard.press(key)
        expect(screen.page).to_have_url(re.compile(rf"^{screen.server.url}{path}(\?.*)?$"))
        expect(screen.page.locator(".ph-rail [aria-current=page]")).to_have_text(title)
    assert screen.is_unbroken()


def test_the_palette_finds_pages_and_symbols_and_gives_the_focus_back(screen: Screen):
    screen.open("/strategies")
    opener = screen.page.get_by_role("button", name="Search Ctrl K")
    opener.focus()
    screen.page.keyboard.press("Control+k")
    expect(screen.page.get_by_role("combobox", name="Page or symbol")).to_be_focused()
    screen.page.keyboard.press("Escape")
    expect(screen.page.locator("#ph-palette")).to_be_hidden()
    expect(opener).to_be_focused()
    screen.page.keyboard.press("Control+k")
    screen.page.keyboard.type("jour")
    screen.page.keyboard.press("Enter")
    expect(screen.page).to_have_url(f"{screen.server.url}/journal")
    screen.page.keyboard.press("Control+k")
    screen.page.keyboard.type("xom")
    screen.page.keyboard.press("Enter")
    expect(screen.page.get_by_role("heading", name="XOM")).to_be_visible()


def test_keys_open_the_list_of_keys_and_the_stop_dialog(screen: Screen):
    screen.open("/strategies")
    screen.page.keyboard.press("?")
    expect(screen.page.locator("#ph-keys")).to_be_visible()
    screen.page.keyboard.press("Escape")
    screen.page.keyboard.press("Shift+Escape")
    expect(screen.page.locator("#ph-stop")).to_be_visible()
    expect(screen.page.locator("#ph-stop").get_by_role("button", name="Cancel")).to_be_focused()
    screen.page.keyboard.press("Escape")
    expect(screen.page.locator("#ph-stop")).to_be_hidden()
    assert screen.server.status()["trading"] == "ACTIVE"


def test_typing_in_a_field_is_no_key_of_the_program(screen: Screen):
    screen.open("/")
    screen.page.get_by_label("Filter the watchlist").fill("")
    screen.page.keyboard.type("gs? ")
    expect(screen.page.get_by_label("Filter the watchlist")).to_have_value("gs? ")
    expect(screen.page.locator("#markets-root")).to_be_visible()
    expect(screen.page.locator("#ph-keys")).to_be_hidden()
