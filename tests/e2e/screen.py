"""A browser tab on a server, in the words of who sits in front of it.

Nothing here waits by `wait_for_function`: it evaluates text inside the page, which the page's policy forbids.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.program import PATIENCE_S, Server, wait_until

PATHS = {
    "Markets": "/", "Forecast": "/forecast", "Risk": "/risk",
    "Strategies": "/strategies", "Agents": "/agents", "Journal": "/journal",
}  # fmt: skip
"""The pages that there must be, by their name in the rail."""

RECORD_TOASTS = """() => {
    window.toasts = [];
    const look = (element) => {
        if (element.matches?.(".ph-toast[data-open]")) window.toasts.push(element.innerText);
    };
    new MutationObserver((changes) => changes.forEach((change) => {
        if (change.type === "attributes") look(change.target);
        else change.addedNodes.forEach((node) => {
            look(node);
            node.querySelectorAll?.(".ph-toast").forEach(look);
        });
    })).observe(document.body, {
        subtree: true, childList: true, attributes: true, attributeFilter: ["data-open"],
    });
}"""
"""Keeps the words of every toast that opens, so that one that opens twice is found."""


@dataclass
class Screen:
    """One tab."""

    page: Page
    server: Server

    def open(self, path: str = "/") -> "Screen":
        """Load an address and return once the page is drawn and live."""
        self.page.goto(self.server.url + path)
        return self.wait_live()

    def wait_live(self) -> "Screen":
        self.page.wait_for_selector("#ph-page > *")
        expect(self.page.locator("html")).to_have_attribute("data-connection", "live")
        return self

    def tab(self, path: str = "/") -> "Screen":
        """Open a second tab of the same browser."""
        return Screen(self.page.context.new_page(), self.server).open(path)

    def mark(self) -> None:
        """Leave a mark that a reload would wipe out."""
        self.page.evaluate("window.unbroken = true")

    def is_unbroken(self) -> bool:
        """Return whether nothing was loaded anew since the mark."""
        return bool(self.page.evaluate("window.unbroken === true"))

    def text(self, selector: str) -> str:
        """Return the words of an element as they stand now, without waiting."""
        found = self.page.evaluate(
            "s => document.querySelector(s)?.textContent?.replace(/\\s+/g, ' ').trim()", selector
        )
        return "" if found is None else str(found)

    def watch(
        self, read: Callable[[], Any], n: int, what: str, timeout_s: float = PATIENCE_S
    ) -> list[Any]:
        """Return the first `n` different values that were seen one after another."""
        seen = [read()]

        def has_enough() -> bool:
            value = read()
            if value != seen[-1]:
                seen.append(value)
            return len(seen) >= n

        wait_until(has_enough, f"{n} values of {what}", timeout_s)
        return seen

    def settled(self, read: Callable[[], Any], seconds: float = 5.0) -> Any:
        """Return what `read` says once it has said the same for so long."""
        seen, since = read(), time.monotonic()

        def is_still() -> bool:
            nonlocal seen, since
            if (value := read()) != seen:
                seen, since = value, time.monotonic()
            return time.monotonic() - since >= seconds

        wait_until(is_still, "nothing moves any more")
        return seen

    def cell(self, symbol: str, column: str = "last") -> str:
        """Return the words of a cell of the watchlist."""
        return self.text(f'.ph-watchlist [row-id="{symbol}"] [col-id="{column}"]')

    # -- what a hand does --------------------------------------------------------------------------------------

    def hold(self, button: Locator, seconds: float = PATIENCE_S) -> None:
        """Press a button that wants to be held; let go when its dialog has closed or the time is over."""
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        end = time.monotonic() + seconds
        while time.monotonic() < end and button.is_visible():
            self.page.wait_for_timeout(50)
        self.page.mouse.up()

    def stop_trading(self) -> None:
        self.page.get_by_role("button", name="Stop…").locator("visible=true").click()
        expect(self.page.locator("#ph-stop-body li").first).to_be_visible()
        self.hold(self.page.locator("#ph-stop-hold"))

    def resume_trading(self) -> None:
        self.page.locator("#ph-bar").get_by_role("button", name="Resume…").click()
        self.hold(self.page.locator("#ph-resume-hold"))

    def expect_halted(self, is_halted: bool = True) -> None:
        """Wait until the whole frame says so: mark, banner and buttons."""
        expect(self.page.locator("#ph-app")).to_have_attribute(
            "data-halted", "true" if is_halted else "false"
        )
        expect(self.page.locator("#ph-halt-title")).to_be_visible(visible=is_halted)
        bar = self.page.locator("#ph-bar")
        expect(bar.get_by_role("button", name="Stop…")).to_be_visible(visible=not is_halted)
        expect(bar.get_by_role("button", name="Resume…")).to_be_visible(visible=is_halted)

    def expect_toast(self, words: str) -> None:
        expect(self.page.locator(".ph-toast[data-open]", has_text=words).first).to_be_visible()

    def record_toasts(self) -> None:
        self.page.evaluate(RECORD_TOASTS)

    def toasts(self, words: str) -> int:
        """Return how often a toast with these words has opened since `record_toasts`."""
        return sum(bool(re.search(words, t)) for t in self.page.evaluate("window.toasts"))
