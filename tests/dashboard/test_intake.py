"""What Dash's own addresses take: what is hostile is refused by name, what fails is logged."""

import json
import logging
from collections.abc import Iterator

import pytest
from dash import Dash, Input, Output, html
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from dashboard.app import create_app
from tests.dashboard.fakes import FakeGateway, FakeHost, filled

OWN = "http://127.0.0.1:8050"
HEADERS = {"origin": OWN, "host": "127.0.0.1:8050", "content-type": "application/json"}
CALLBACKS = "/_dash-update-component"
STOP = "ph-stop-answer.children"
HELD = {"id": "ph-stop-hold", "property": "n_clicks", "value": None}


@pytest.fixture(scope="module")
def app() -> Dash:
    return create_app(FakeHost(filled(FakeGateway())))


@pytest.fixture(scope="module")
def client(app: Dash) -> Iterator[TestClient]:
    with TestClient(app.server, base_url=OWN) as client:
        yield client


def request(**changes: object) -> bytes:
    body = {
        "output": STOP,
        "outputs": {"id": "ph-stop-answer", "property": "children"},
        "inputs": [HELD],
        "changedPropIds": ["ph-stop-hold.n_clicks"],
        **changes,
    }
    return json.dumps(body).encode()


def test_what_a_page_sends_is_answered(client: TestClient):
    assert client.post(CALLBACKS, content=request(), headers=HEADERS).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"output": NaN}',
        request(output="nobody.children"),
        request(output=None),
        request(output=["a"]),
        request(output={"a": 1}),
        request(inputs=None),
        request(inputs=[]),
        request(inputs=5),
        request(inputs=[HELD, HELD]),
        request(inputs=[None]),
        request(inputs=[{**HELD, "id": "ph-intent"}]),
        request(inputs=[{**HELD, "property": "children"}]),
        request(inputs=[[HELD]]),
        request(inputs=[{**HELD, "value": float("nan")}]),
        request(state=[HELD]),
        request(changedPropIds=5),
        request(changedPropIds=[{}]),
        request(outputs="x"),
    ],
)
def test_what_no_page_sends_is_refused_by_name(client: TestClient, body: bytes):
    answer = client.post(CALLBACKS, content=body, headers=HEADERS)
    assert answer.status_code == 422, answer.text
    assert " must " in answer.json()["error"]


@pytest.mark.parametrize("body", [request(changedPropIds=["{.x"]), request(outputs=[5])])
def test_what_only_dash_can_judge_is_refused_all_the_same(client: TestClient, body: bytes):
    answer = client.post(CALLBACKS, content=body, headers=HEADERS)
    assert answer.status_code in {200, 422}, answer.text


def test_a_body_in_pieces_cannot_pass_the_cap(client: TestClient):
    pieces = (b"a" * 65_536 for _ in range(20))
    assert client.post(CALLBACKS, content=pieces, headers=HEADERS).status_code == 413


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/json"]
)
def test_the_content_is_judged_not_its_name(client: TestClient, kind: str):
    answer = client.post(CALLBACKS, content=request(), headers={**HEADERS, "content-type": kind})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (CALLBACKS, 405),
        ("/_alive", 404),
        ("/_reload-hash", 404),
        ("/_mcp", 404),
        ("/_dash-component-suites/", 404),
        ("/_dash-component-suites/dash/nothing.js", 404),
        ("/_dash-component-suites/os/path.py", 404),
        ("/_dash-component-suites/dashboard/app.py", 404),
        ("/_dash-component-suites/dash/..%2f..%2fetc%2fpasswd", 404),
        ("/_dash-layout", 200),
    ],
)
def test_only_what_the_pages_need_is_there(client: TestClient, path: str, status: int):
    assert client.get(path).status_code == status


def test_dashs_own_websocket_is_shut(client: TestClient):
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/_dash-ws-callback", headers=HEADERS) as socket,
    ):
        socket.receive_text()


@pytest.mark.parametrize("value", [{}, [], "x", {"a": [1]}, 1e300, True])
def test_a_value_of_another_kind_never_breaks_the_server(client: TestClient, value: object):
    wire = client.get("/_dash-dependencies").json()
    for spec in wire:
        if "MATCH" in spec["output"] or "ALL" in json.dumps(spec["inputs"] + spec["state"]):
            continue
        body = {
            "output": spec["output"],
            "outputs": _outputs(spec["output"]),
            "inputs": [{**i, "value": value} for i in spec["inputs"]],
            "state": [{**s, "value": value} for s in spec["state"]],
            "changedPropIds": [f"{spec['inputs'][0]['id']}.{spec['inputs'][0]['property']}"],
        }
        answer = client.post(CALLBACKS, content=json.dumps(body).encode(), headers=HEADERS)
        assert answer.status_code < 500, (spec["output"], value, answer.text)
        assert "Traceback" not in answer.text


def _outputs(output: str) -> object:
    if output.startswith(".."):
        return [_outputs(one) for one in output[2:-2].split("...")]
    name, _, prop = output.rpartition(".")
    return {"id": name, "property": prop.partition("@")[0]}


def _breaking(error: Exception) -> Dash:
    app = create_app(FakeHost(filled(FakeGateway())))
    app.validation_layout.children.append(html.Div([html.Div(id="odd-in"), html.Div(id="odd-out")]))

    @app.callback(Output("odd-out", "children"), Input("odd-in", "n_clicks"))
    async def odd(_: int) -> str:
        raise error

    return app


@pytest.mark.parametrize(("error", "status"), [(KeyError("secret"), 422), (OSError("secret"), 500)])
def test_a_failing_callback_is_logged_and_says_nothing_of_its_inside(
    caplog: pytest.LogCaptureFixture, error: Exception, status: int
):
    body = request(
        output="odd-out.children",
        outputs={"id": "odd-out", "property": "children"},
        inputs=[{"id": "odd-in", "property": "n_clicks", "value": 1}],
        changedPropIds=["odd-in.n_clicks"],
    )
    with (
        TestClient(_breaking(error).server, base_url=OWN, raise_server_exceptions=False) as client,
        caplog.at_level(logging.ERROR, "dashboard.intake"),
    ):
        answer = client.post(CALLBACKS, content=body, headers=HEADERS)
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert "secret" in caplog.text
