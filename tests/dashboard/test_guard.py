"""The guard through a small ASGI application, over http and websocket."""

import base64
import contextlib
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from dashboard.guard import Guard, Policy, content_security_policy

PASSWORD = " ".join(("correct", "horse"))
HOST = "127.0.0.1:8050"
OWN = f"http://{HOST}"
heard: list[int] = []
"""With what code the application heard of each websocket's end."""


def application(policy: Policy) -> FastAPI:
    app = FastAPI()

    async def size(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    async def parsed(body: dict[str, int]) -> dict[str, int]:
        return body

    async def hello() -> dict[str, str]:
        return {"status": "ok"}

    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("in")
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                said = await socket.receive()
                if said["type"] == "websocket.disconnect":
                    heard.append(said["code"])
                    return
                await socket.send_text("heard")

    for path in ("/", "/healthz"):
        app.add_api_route(path, hello, methods=["GET"])
    app.add_api_route("/size", size, methods=["POST"])
    app.add_api_route("/parsed", parsed, methods=["POST"])
    app.add_api_websocket_route("/ws/live", socket)
    app.add_middleware(Guard, policy=policy, script_hashes=lambda: ("'sha256-abc'",))
    return app


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(application(Policy(max_body_bytes=100)), base_url=OWN) as client:
        yield client


@pytest.fixture
def locked() -> Iterator[TestClient]:
    policy = Policy(password=PASSWORD, hosts=frozenset({"box.lan"}))
    with TestClient(application(policy), base_url=OWN) as client:
        yield client


def basic(password: str) -> dict[str, str]:
    token = base64.b64encode(f"anyone:{password}".encode()).decode()
    return {"authorization": f"Basic {token}"}


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "localhost:8050", "[::1]:8050", "LOCALHOST"])
def test_this_machine_is_answered(client: TestClient, host: str):
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "", "127.0.0.1, evil"],
)
def test_a_host_that_is_not_ours_is_refused(client: TestClient, host: str):
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "application/json" in answer.headers["content-type"]


def test_a_configured_host_is_answered(locked: TestClient):
    assert locked.get("/", headers={"host": "box.lan:80", **basic(PASSWORD)}).status_code == 200


def test_a_post_from_another_site_is_refused(client: TestClient):
    assert client.post("/size", headers={"origin": "http://evil.example"}).status_code == 403
    assert client.post("/size", headers={"origin": "null"}).status_code == 403
    assert client.post("/size", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_post_from_our_page_or_from_a_program_passes(client: TestClient):
    assert client.post("/size", headers={"origin": OWN}).status_code == 200
    assert client.post("/size").status_code == 200


def test_a_long_body_is_refused_by_its_announced_length(client: TestClient):
    assert client.post("/size", content=b"x" * 101).status_code == 413
    assert client.post("/size", content=b"x" * 100).json() == {"size": 100}


def test_a_long_body_without_announced_length_is_refused_while_read(client: TestClient):
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 10

    assert client.post("/size", content=pieces()).status_code == 413
    answer = client.post("/parsed", content=pieces(), headers={"content-type": "application/json"})
    assert answer.status_code == 413, "also where the framework takes it for a malformed one"
    assert client.post("/parsed", json={"n": 1}).json() == {"n": 1}


def test_every_answer_carries_the_security_headers(client: TestClient):
    for answer in (
        client.get("/"),
        client.get("/nothing"),
        client.get("/", headers={"host": "evil"}),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "'sha256-abc'" in answer.headers["content-security-policy"]


def test_no_script_may_be_evaluated_or_come_from_elsewhere():
    policy = content_security_policy(["'sha256-x'"])
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert scripts == "script-src 'self' 'sha256-x'"
    assert "unsafe-eval" not in policy
    assert "http" not in policy


def test_a_password_is_needed_everywhere_but_for_the_health_probe(locked: TestClient):
    refused = locked.get("/")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert locked.get("/", headers=basic("wrong horse")).status_code == 401
    assert locked.get("/", headers={"authorization": "Basic %%%"}).status_code == 401
    assert locked.get("/", headers=basic(PASSWORD)).status_code == 200
    assert locked.get("/healthz").status_code == 200


def test_a_policy_does_not_print_its_password():
    assert "horse" not in repr(Policy(password=PASSWORD))


def open_socket(client: TestClient, headers: dict[str, str]) -> str:
    with client.websocket_connect("/ws/live", headers=headers) as socket:
        return socket.receive_text()


def test_a_websocket_from_our_page_opens(client: TestClient):
    assert open_socket(client, {"origin": OWN, "host": HOST}) == "in"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "host": HOST},
        {"origin": "http://evil.example", "host": "evil.example"},  # DNS rebinding: both agree
        {"host": HOST},
    ],
)
def test_a_websocket_from_elsewhere_does_not_open(client: TestClient, headers: dict[str, str]):
    with pytest.raises(WebSocketDisconnect):
        open_socket(client, headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": OWN, "host": HOST}, 401),
        ({"origin": "http://evil.example", "host": HOST}, 403),
        ({"origin": "http://evil.example", "host": "evil.example"}, 421),
    ],
)
def test_a_refused_websocket_is_answered_in_plain_words_and_dressed(
    locked: TestClient, headers: dict[str, str], status: int
):
    with pytest.raises(WebSocketDenialResponse) as refused:
        open_socket(locked, headers)
    answer = refused.value
    assert answer.status_code == status
    assert answer.json()["remedy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_an_open_websocket_is_dressed_too(client: TestClient):
    with client.websocket_connect("/ws/live", headers={"origin": OWN, "host": HOST}) as socket:
        dressed = dict(socket.extra_headers)
    assert dressed[b"x-content-type-options"] == b"nosniff"
    assert b"default-src 'self'" in dressed[b"content-security-policy"]


@pytest.mark.parametrize("kind", ["text", "bytes"])
def test_a_websockets_message_may_be_as_long_as_a_body_and_no_longer(client: TestClient, kind: str):
    def say(socket: WebSocketTestSession, n: int) -> None:
        if kind == "text":
            socket.send_text("x" * n)
        else:
            socket.send_bytes(b"x" * n)

    with client.websocket_connect("/ws/live", headers={"origin": OWN, "host": HOST}) as socket:
        assert socket.receive_text() == "in"
        say(socket, 100)
        assert socket.receive_text() == "heard", "the control"
        say(socket, 101)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1009
    assert heard[-1] == 1009


def test_a_websocket_needs_the_password_too(locked: TestClient):
    headers = {"origin": OWN, "host": HOST}
    with pytest.raises(WebSocketDisconnect):
        open_socket(locked, headers)
    assert open_socket(locked, headers | basic(PASSWORD)) == "in"
