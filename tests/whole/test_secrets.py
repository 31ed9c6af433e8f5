"""A secret that was given is found nowhere: not in logs, pages, answers, or what is written to disk."""

import base64
import json
import re
import secrets
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import FAST, Server, run, wait_until

CANARY = f"canary{secrets.token_hex(12)}"
GIVEN = {
    "BINANCE_API_KEY": f"key-{CANARY}",
    "BINANCE_SECRET_KEY": f"secret-{CANARY}",
    "OPENAI_API_KEY": f"other-{CANARY}",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("secrets") / "pilot"
    running = Server(home, settings={**FAST, "LOG_LEVEL": "DEBUG", **GIVEN})
    try:
        running.start().wait_for_bars(1)
        yield running
    finally:
        running.stop(signal.SIGKILL)


def text_of(server: Server, path: str) -> str:
    try:
        with urllib.request.urlopen(server.url + path, timeout=30) as answer:
            return str(answer.headers) + answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return str(error.headers) + error.read().decode()


def links(tree: object) -> Iterator[str]:
    """Yield the pages that a layout links to."""
    if isinstance(tree, dict):
        href = tree.get("href")
        if isinstance(href, str) and re.fullmatch(r"/[a-z]*", href):
            yield href
        tree = list(tree.values())
    if isinstance(tree, list):
        for inner in tree:
            yield from links(inner)


def test_the_server_was_given_the_secret(server: Server):
    """The control: without it the searches below would prove nothing."""
    assert server.process is not None
    environment = Path(f"/proc/{server.process.pid}/environ")
    if not environment.exists():
        pytest.skip("only Linux shows a process's environment")
    assert CANARY in environment.read_text()


def test_no_answer_of_the_server_holds_it(server: Server):
    topics = "frame.bar,frame.state,frame.alerts,frame.toasts,frame.palette"
    for path in ("/", "/api/status", "/api/health", "/_dash-layout", "/_dash-dependencies",
                 f"/api/live?topics={topics}", f"/api/signal/{CANARY[:6]}", "/api/nowhere"):  # fmt: skip
        assert CANARY not in text_of(server, path), path


def test_no_page_holds_it(server: Server):
    output = {"id": "ph-page", "property": "children"}
    paths = sorted(set(links(server.get("/_dash-layout"))))
    assert len(paths) >= 6, paths
    for path in paths:
        wish = {
            "output": "ph-page.children",
            "outputs": output,
            "inputs": [
                {"id": "ph-url", "property": "pathname", "value": path},
                {"id": "ph-url", "property": "search", "value": ""},
            ],
            "changedPropIds": ["ph-url.pathname"],
        }
        request = urllib.request.Request(
            f"{server.url}/_dash-update-component",
            data=json.dumps(wish).encode(),
            headers={"Content-Type": "application/json", "Origin": server.url},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = answer.read().decode()
        assert "ph-page" in page, path
        assert CANARY not in page, path


def test_no_file_holds_it(server: Server):
    wait_until(lambda: server.books.n("CYCLE_RECORDED") > 0, "a vote")
    assert len(server.log()) > 200
    files = [server.terminal, *(f for f in server.home.rglob("*") if f.is_file())]
    assert {"journal.db", "pilothouse.log"} <= {f.name for f in files}
    assert [str(f) for f in files if CANARY.encode() in f.read_bytes()] == []


def test_the_settings_as_shown_cover_it(server: Server):
    shown = run(("-m", "engine", "settings"), server.home, **GIVEN)
    assert shown.returncode == 0
    assert "binance_secret_key" in shown.stdout
    assert CANARY not in shown.stdout + shown.stderr


def test_a_bad_setting_beside_it_does_not_print_it(tmp_path: Path):
    refused = run(("-m", "dashboard", "serve"), tmp_path / "home", MC_PATHS="none", **GIVEN)
    assert refused.returncode == 2
    assert CANARY not in refused.stdout + refused.stderr


def test_a_password_is_found_nowhere_although_it_is_asked_for(tmp_path: Path):
    password = tmp_path / "password"
    password.write_text(f"horse {CANARY}\n")
    password.chmod(0o600)
    home = tmp_path / "locked"
    server = Server(
        home, settings={**FAST, "LOG_LEVEL": "DEBUG", "PILOTHOUSE_PASSWORD_FILE": str(password)}
    )
    token = base64.b64encode(f"me:horse {CANARY}".encode()).decode()
    try:
        server.start()
        said = [text_of(server, path) for path in ("/", "/api/status")]
        assert all("A password is needed" in text for text in said)
        told = server.get("/api/status", Authorization=f"Basic {token}")
        assert told["engine"]["state"] == "running", "the control: it is the password"
        status = run(
            ("-m", "dashboard", "status", "--port", str(server.port)),
            home,
            PILOTHOUSE_PASSWORD_FILE=str(password),
        )
        assert status.returncode == 0
        found = [*said, json.dumps(told), status.stdout, status.stderr]
    finally:
        server.stop(signal.SIGKILL)
    files = [server.terminal, *(f for f in home.rglob("*") if f.is_file())]
    found += [f.read_bytes().decode(errors="replace") for f in files]
    for secret in (CANARY, token):
        assert not [text for text in found if secret in text]
