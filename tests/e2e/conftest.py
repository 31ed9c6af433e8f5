"""A real server in a process of its own, a real browser in front of it.

Without Chromium the browser tests are skipped with the reason; under CI they fail instead.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page

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
            item.add_marker(pytest.mark.timeout(180))


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """The program as a user starts it, on a free port with a home of its own."""

    home: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, timeout_s: float = 40.0) -> "Server":
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PILOTHOUSE_")}
        environment |= {"PILOTHOUSE_HOME": str(self.home), **self.settings}
        log = (self.home.parent / f"{self.home.name}.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dashboard", "serve", "--port", str(self.port)],
                env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + timeout_s
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(
                    f"the server did not start: {Path(log.name).read_text()[-3000:]}"
                )
            time.sleep(0.1)
        return self

    def answers(self) -> bool:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            return bool(urllib.request.urlopen(f"{self.url}/healthz", timeout=2).status == 200)
        return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=15)
        self.process = None
        return code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of a file, at full replay speed."""
    running = Server(
        home=tmp_path_factory.mktemp("e2e") / "home", settings={"PILOTHOUSE_SPEED": "60"}
    ).start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server for one test that stops or breaks it."""
    running = Server(home=tmp_path / "home", settings={"PILOTHOUSE_SPEED": "60"}).start()
    yield running
    if running.process is not None:
        running.stop(signal.SIGKILL)


@pytest.fixture
def seen_errors(page: Page) -> list[str]:
    """Console errors, failed requests and requests that left this machine, as the page runs."""
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on(
        "request",
        lambda r: (
            None
            if "127.0.0.1" in r.url or r.url.startswith(("data:", "blob:"))
            else errors.append(r.url)
        ),
    )
    return errors


@pytest.fixture
def until() -> Callable[..., object]:
    """Poll a condition in the browser or the server until it holds."""

    def wait(
        condition: Callable[[], object], timeout_s: float = 20.0, what: str = "condition"
    ) -> object:
        end = time.monotonic() + timeout_s
        while not (value := condition()):
            if time.monotonic() > end:
                pytest.fail(f"{what} did not hold within {timeout_s} s")
            time.sleep(0.05)
        return value

    return wait
