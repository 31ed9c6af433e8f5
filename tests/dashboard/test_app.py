"""The whole application over a host with sections made by hand."""

import contextlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest
from dash import Dash
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from dashboard.app import THEME_SCRIPT, assets_folder, create_app, script_hash
from dashboard.pages import page_modules
from engine.domain.commands import HaltTrading
from engine.domain.sections import QuotesSection
from tests.dashboard.fakes import FakeGateway, FakeHost, filled, quote

Parts = dict[str, dict[str, dict[str, object]]]
OWN = "http://127.0.0.1:8050"
HEADERS = {"origin": OWN, "host": "127.0.0.1:8050"}


@pytest.fixture(scope="module")
def host() -> FakeHost:
    return FakeHost(filled(FakeGateway()))


@pytest.fixture(scope="module")
def app(host: FakeHost) -> Dash:
    return create_app(host)


@pytest.fixture(scope="module")
def client(app: Dash) -> Iterator[TestClient]:
    with TestClient(app.server, base_url=OWN) as client:
        yield client


def test_the_engine_lives_as_long_as_the_server():
    host = FakeHost()
    app = create_app(host)
    assert host.life == []
    with TestClient(app.server, base_url=OWN):
        assert host.life == ["start"]
    assert host.life == ["start", "stop"]


def test_one_application_after_another_has_all_its_callbacks():
    first = create_app(FakeHost())
    with TestClient(first.server, base_url=OWN) as client:
        before = {c["output"] for c in client.get("/_dash-dependencies").json()}
    with TestClient(create_app(FakeHost()).server, base_url=OWN) as client:
        after = {c["output"] for c in client.get("/_dash-dependencies").json()}
    assert before == after
    assert "ph-page.children" in after


def test_every_callback_is_async(app: Dash):
    callbacks = {
        name: spec["callback"] for name, spec in app.callback_map.items() if "callback" in spec
    }
    assert callbacks
    sync = [name for name, call in callbacks.items() if not inspect.iscoroutinefunction(call)]
    assert sync == [], "a sync callback blocks the whole server"


def test_a_sync_callback_would_be_found():
    app = create_app(FakeHost())
    from dash import Input, Output

    @app.callback(Output("ph-halt-words", "children"), Input("ph-url", "hash"))
    def slow(_: str) -> str:
        return ""

    found = app.callback_map["ph-halt-words.children"]["callback"]
    assert not inspect.iscoroutinefunction(found)


def test_the_page_is_in_english_and_themed_before_the_first_paint(client: TestClient):
    page = client.get("/")
    assert '<html lang="en"' in page.text
    assert page.text.index(THEME_SCRIPT) < page.text.index("stylesheet")
    assert script_hash(THEME_SCRIPT) in page.headers["content-security-policy"]


def test_every_inline_script_is_allowed_by_its_hash(client: TestClient):
    page = client.get("/")
    scripts = re.findall(
        r"<script(?![^>]*(?:src|application/json))[^>]*>(.*?)</script>", page.text, re.DOTALL
    )
    assert scripts
    for script in scripts:
        assert script_hash(script) in page.headers["content-security-policy"]


def test_nothing_is_loaded_from_elsewhere(client: TestClient):
    page = client.get("/").text
    links = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert links
    assert [link for link in links if not link.startswith("/")] == []
    assert all(client.get(link).status_code == 200 for link in links if "/assets/" in link)


def test_a_link_opens_the_page_it_names(client: TestClient):
    for module in page_modules():
        answer = client.get(module.page.path)
        assert answer.status_code == 200, module.page.path
        assert "assets/live.js" in answer.text


def test_a_cold_link_carries_styles_and_scripts():
    app = create_app(FakeHost())
    with TestClient(app.server, base_url=OWN) as client:
        assert "assets/live.js" in client.get("/no-such-page").text


def test_an_unknown_page_is_404_and_still_draws_the_frame(client: TestClient):
    answer = client.get("/no-such-page")
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


@pytest.mark.parametrize("path", ["/api/nope", "/api", "/ws/nope", "/api/live/deeper"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_unknown_api_paths_answer_404_in_json(client: TestClient, path: str, method: str):
    answer = getattr(client, method)(path)
    assert answer.status_code == 404
    assert "application/json" in answer.headers["content-type"]


@pytest.mark.parametrize("path", ["/api/status", "/api/live", "/api/signal/AAPL"])
@pytest.mark.parametrize("method", ["post", "delete", "put"])
def test_a_wrong_method_is_told_so_with_the_right_one(client: TestClient, path: str, method: str):
    answer = getattr(client, method)(path)
    assert answer.status_code == 405
    allowed = "GET" if path == "/api/live" else "GET, HEAD"
    assert answer.headers["allow"] == allowed
    assert answer.json()["remedy"] == f"Use {allowed}."


def test_the_docs_are_shut_unless_asked_for(client: TestClient):
    assert client.get("/docs").status_code == 404
    assert client.get("/openapi.json").status_code == 404
    with TestClient(create_app(FakeHost(), is_dev=True).server, base_url=OWN) as dev:
        assert dev.get("/openapi.json").json()["info"]["title"] == "Pilothouse"


def test_a_price_reaches_the_browser_by_websocket(client: TestClient, host: FakeHost):
    with live_socket(client) as socket:
        socket.send_text(json.dumps({"topics": ["frame.bar", "frame.state"]}))
        first = receive_until(socket, lambda parts: {"frame.bar", "frame.state"} <= set(parts))
        quotes = {"AAPL": quote("AAPL", 130.0, received_at=1_700_000_100.0)}
        host.gateway.put("quotes", QuotesSection(quotes=quotes), budget_s=15.0)
        age = [1_700_000_100.0, 15.0]
        receive_until(
            socket, lambda parts: parts.get("frame.bar", {}).get("age", {}).get("ph-age") == age
        )
    assert first["frame.bar"]["text"]["ph-equity"] == "$102,641.63"
    assert first["frame.bar"]["age"]["ph-age"] != age
    assert first["frame.state"]["text"]["ph-feed-kind"] == "REPLAY"


@contextlib.contextmanager
def live_socket(client: TestClient) -> Iterator[WebSocketTestSession]:
    """Open the live socket; the harness ends its session by a cancel, which it raises here on a busy machine."""
    with (
        contextlib.suppress(CancelledError),
        client.websocket_connect("/ws/live", headers=HEADERS) as socket,
    ):
        yield socket


def receive_until(socket: object, holds: Callable[[Parts], bool]) -> Parts:
    """Return the newest parts once they are as wanted: a first drawing may come in several frames."""
    parts: Parts = {}
    while not holds(parts):
        parts |= json.loads(socket.receive_text())["parts"]
    return parts


def test_the_fallback_gives_the_same_frames(client: TestClient):
    got = client.get("/api/live", params={"topics": "frame.bar,frame.state"}).json()
    assert set(got["parts"]) == {"frame.bar", "frame.state"}
    later = client.get(
        "/api/live", params={"topics": "frame.bar", "since": got["v"], "epoch": got["epoch"]}
    ).json()
    assert later["parts"] == {}


def test_a_senseless_fallback_request_is_422(client: TestClient):
    assert client.get("/api/live", params={"topics": "<x>"}).status_code == 422
    assert client.get("/api/live", params={"topics": "a.b", "since": "-1"}).status_code == 422


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("{", "message must be JSON"),
        ('{"topics": [], "since": -1}', "since must be 0 or more, was -1"),
        ('{"topics": [], "v": 3}', "v must be left out, was 3"),
        (f'{{"topics": [], "epoch": "{"é" * 99}"}}', "epoch must have at most 32 characters"),
        ("EPOCH", "since must be at most"),
    ],
)
def test_a_senseless_message_closes_the_websocket_by_name(
    client: TestClient, message: str, words: str
):
    with live_socket(client) as socket:
        if message == "EPOCH":
            socket.send_text('{"topics": ["frame.bar"]}')
            epoch = json.loads(socket.receive_text())["epoch"]
            message = json.dumps({"topics": [], "epoch": epoch, "since": 10**9})
        socket.send_text(message)
        with pytest.raises(WebSocketDisconnect) as closed:
            exhaust(socket)
    assert closed.value.code == 1008
    assert words in closed.value.reason
    assert len(closed.value.reason.encode()) <= 123, "a closing frame has no room for more"


def exhaust(socket: object) -> None:
    while True:
        socket.receive_text()


def call(client: TestClient, output: str, inputs: list[dict[str, object]]) -> dict[str, object]:
    name, _, prop = output.rpartition(".")
    body = {
        "output": output,
        "outputs": {"id": name, "property": prop},
        "inputs": inputs,
        "changedPropIds": [f"{inputs[0]['id']}.{inputs[0]['property']}"],
    }
    answer = client.post("/_dash-update-component", json=body, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    return answer.json()["response"][name]


def test_holding_the_stop_button_halts_trading(client: TestClient, host: FakeHost):
    host.gateway.sent.clear()
    held = {"id": "ph-stop-hold", "property": "n_clicks", "value": 1}
    assert call(client, "ph-stop-answer.children", [held]) == {"children": ""}
    [(command, actor, source, _)] = host.gateway.sent
    assert command == HaltTrading(reason="Stopped by hand")
    assert (actor, source) == ("local", "dashboard")


def test_an_intent_becomes_its_command_and_a_false_one_is_explained(
    client: TestClient, host: FakeHost
):
    host.gateway.sent.clear()

    def send(name: str, params: dict[str, object]) -> dict[str, object]:
        data = {"command_id": "ui-1", "name": name, "params": params}
        return call(
            client,
            "ph-intent-answer.children",
            [{"id": "ph-intent", "property": "data", "value": data}],
        )

    assert send("AcknowledgeAlert", {"alert_id": "a1"}) == {"children": ""}
    assert "AcknowledgeAlert" in type(host.gateway.sent[0][0]).__name__
    assert host.gateway.sent[0][3] == "ui-1"
    assert "FlattenTheWorld" in str(send("FlattenTheWorld", {})["children"])
    assert len(host.gateway.sent) == 1


def test_an_address_without_a_page_says_so(client: TestClient):
    inputs = [
        {"id": "ph-url", "property": "pathname", "value": "/nowhere"},
        {"id": "ph-url", "property": "search", "value": ""},
    ]
    assert "Nothing lives at /nowhere." in json.dumps(call(client, "ph-page.children", inputs))


def test_the_assets_are_found_in_a_checkout():
    assert (assets_folder() / "live.js").is_file()
