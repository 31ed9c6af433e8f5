"""A real server in a process of its own, a real browser in front of it.

Without Chromium the browser tests are skipped with the reason; under CI they fail instead.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Response, expect

from tests.e2e.screen import Screen
from tests.program import FAST, PATIENCE_S, Server, wait_until

CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    if CHROMIUM is None:
        reason = (
            "Chromium must be installed for browser tests, was not found; apt-get install chromium"
        )
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return {"executable_path": CHROMIUM, "args": FLAGS, "headless": True}


@pytest.fixture
def browser_context_args() -> dict[str, object]:
    return {
        "viewport": {"width": 1440, "height": 900},
        "color_scheme": "dark",
        "reduced_motion": "reduce",
    }


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    """Wait patiently: a busy machine is no fault, and only a failure waits so long."""
    context.set_default_timeout(PATIENCE_S * 1000)
    expect.set_options(timeout=PATIENCE_S * 1000)
    return context


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, browser: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One server for the tests of a file; asked for after the browser, which may be missing.

    It runs as `FAST` says, or as `SETTINGS` of the file say.
    """
    settings = FAST | getattr(request.module, "SETTINGS", {})
    running = Server(tmp_path_factory.mktemp("e2e") / "home", settings=settings).start()
    yield running
    with contextlib.suppress(AssertionError):
        running.stop()


@pytest.fixture
def own_server(browser: object, tmp_path: Path) -> Iterator[Server]:
    """A server for one test that stops or breaks it."""
    running = Server(tmp_path / "pilot", settings=dict(FAST)).start()
    yield running
    running.stop(signal.SIGKILL)


def watch_errors(page: Page) -> list[str]:
    """Return the list that a page's errors go to: console, scripts, refused answers, requests off this machine."""
    errors: list[str] = []

    def on_response(response: Response) -> None:
        if response.status >= 400:
            errors.append(f"{response.status} {response.url}")

    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on("response", on_response)
    page.context.on(
        "request",
        lambda r: (
            None
            if r.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
            else errors.append(f"left this machine: {r.url}")
        ),
    )
    return errors


@pytest.fixture
def seen_errors(page: Page) -> list[str]:
    return watch_errors(page)


@pytest.fixture
def screen(page: Page, server: Server, seen_errors: list[str]) -> Iterator[Screen]:
    """A browser tab on the file's server; the test fails when the page complained or asked another machine."""
    yield Screen(page, server)
    assert seen_errors == []


@pytest.fixture
def until() -> Callable[..., object]:
    """Poll a condition in the browser or the server until it holds."""

    def wait(
        condition: Callable[[], object], timeout_s: float = PATIENCE_S, what: str = "condition"
    ) -> object:
        return wait_until(condition, what, timeout_s)

    return wait
