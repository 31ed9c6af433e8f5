"""The Agents page at the widths between a phone and a desk: nothing cut off, nothing over anything else."""

import pytest

from tests.e2e.screen import Screen

WRONG = """() => {
    const wrong = [];
    const box = (element) => element.getBoundingClientRect();
    const seen = (selector, root) => [...(root || document).querySelectorAll(selector)].filter((e) => e.offsetWidth);
    for (const panel of [".ph-area-graph", ".ph-agents-panel > .ph-panel-body", ".ph-agent-table", ".ph-main"])
        for (const element of seen(panel))
            if (element.scrollWidth > element.clientWidth + 1) wrong.push(panel + " scrolls sideways");
    for (const row of seen(".ph-agent")) {
        const errors = box(row.querySelector("[id^=agent-errors-]"));
        for (const button of seen("button.ph-agent-btn", row)) {
            const place = box(button);
            if (place.right > box(row).right + 1) wrong.push("a button leaves " + row.id);
            if (place.left < errors.right - 1) wrong.push("a button covers the errors of " + row.id);
        }
    }
    const bar = seen(".ph-bar :is(.ph-pill, strong, button, .ph-bar-figure, #ph-date, #ph-feed-speed, #ph-age)");
    bar.forEach((one, k) => bar.slice(k + 1).forEach((other) => {
        const [a, b] = [box(one), box(other)];
        if (a.left < b.right - 1 && b.left < a.right - 1) wrong.push(one.textContent + " over " + other.textContent);
    }));
    for (const figures of seen(".ph-node-figures")) {
        const [last, queue, due] = figures.children;
        last.textContent = "59.9 s";
        queue.querySelector("strong").textContent = "12";
        due.textContent = "59 m 59 s";
        if (figures.scrollWidth > figures.clientWidth + 1) wrong.push("cut: " + figures.textContent);
    }
    return wrong;
}"""
"""Last of all the figures of the nodes get the longest words they can have."""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (1024, 768), (820, 1180)])
def test_nothing_of_the_agents_page_is_cut_or_covered(screen: Screen, width: int, height: int):
    screen.page.set_viewport_size({"width": width, "height": height})
    screen.open("/agents")
    screen.page.wait_for_selector(".ph-agent button")
    assert screen.page.evaluate(WRONG) == []
    log = screen.page.locator("#agents-log .ph-scroll")
    log.scroll_into_view_if_needed()
    shown = log.bounding_box()
    assert shown is not None
    assert shown["height"] >= 100  # not its heading alone
