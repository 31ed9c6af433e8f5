"""Every error under ``/api`` in its one shape."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dashboard.app import create_app
from dashboard.guard import Policy
from dashboard.problems import Problem
from engine.domain.errors import JournalError, StoreError
from tests.dashboard.fakes import FakeGateway, FakeHost, filled

OWN = "http://127.0.0.1:8050"
LIVE = "/api/live?topics=frame.bar"


class Broken(FakeGateway):
    """Raises with every reading once it has started."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def read(self, *_: Any, **__: Any) -> Any:
        raise self.error


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(FakeHost(filled(FakeGateway()))).server, base_url=OWN) as client:
        yield client


def check(answer: Any, status: int, field: str | None, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    told = answer.json()
    assert told.keys() == {"status", "error", "remedy", "field"}
    assert (told["status"], told["field"]) == (status, field)
    assert re.search(words, told["error"]), told
    assert told["remedy"]
    if field is not None:
        assert told["error"].startswith(f"{field} must ")
    assert not re.search('Input|pydantic|"loc"|"msg"', answer.text), "the framework's words leaked"


@pytest.mark.parametrize(
    ("method", "path", "status", "field", "words"),
    [
        ("GET", "/api/nope", 404, None, "Nothing lives at '/api/nope'"),
        ("GET", "/api/signal/NOPE", 404, "symbol", "be watched, was 'NOPE'"),
        ("GET", "/api/signal/a;b", 422, "symbol", "match pattern .*, was 'a;b'"),
        ("GET", f"/api/signal/{'A' * 65}", 422, "symbol", "was 'A"),
        ("POST", "/api/status", 405, None, "POST means nothing here"),
        ("PROPFIND", "/api/status", 405, None, "PROPFIND '/api/status' is not answered"),
        ("GET", f"{LIVE}&since=-1", 422, "since", "be 0 or more, was -1"),
        ("GET", f"{LIVE}&since=x", 422, "since", "be a valid integer.*, was 'x'"),
        ("GET", f"{LIVE}&since=1.5", 422, "since", "was '1.5'"),
        ("GET", f"{LIVE}&since=", 422, "since", "was ''"),
        ("GET", f"{LIVE}&v=3", 422, "v", "be left out, was '3'"),
        ("GET", f"{LIVE}&epoch={'e' * 33}", 422, "epoch", "at most 32 characters"),
        ("GET", "/api/live?topics=<x>", 422, "topics", "name a page and a part"),
        ("GET", f"/api/live?topics={','.join(['a.b'] * 65)}", 422, "topics", "be at most 64"),
    ],
)  # fmt: skip
def test_an_error_names_what_was_wrong_and_the_remedy(
    client: TestClient, method: str, path: str, status: int, field: str | None, words: str
):
    check(client.request(method, path), status, field, words)


def test_a_version_that_was_never_sent_is_refused(client: TestClient):
    frame = client.get(LIVE).json()
    path = f"{LIVE}&epoch={frame['epoch']}&since="
    assert client.get(f"{path}{frame['v']}").status_code == 200
    check(client.get(f"{path}{frame['v'] + 1_000}"), 422, "since", "the newest version")
    assert client.get(f"{LIVE}&epoch=other&since=99999").json()["parts"], "another hub's count"


def test_a_body_that_is_too_long_is_refused_by_its_announced_length(client: TestClient):
    check(client.post("/api/status", content=b"x" * 1_000_001), 413, None, "1,000,000 bytes")


def test_a_body_that_is_no_json_says_where(client: TestClient):
    headers = {"content-type": "application/json"}
    for content, place in ((b"[1", 2), (b"{a", 1)):
        answer = client.post("/api/what-if", content=content, headers=headers)
        check(answer, 422, "body", rf"body must be JSON \(.* at character {place}\)")


def test_a_host_that_is_not_ours_is_refused(client: TestClient):
    check(client.get("/api/status", headers={"host": "evil"}), 421, None, "'evil'")


def test_a_password_is_asked_for():
    app = create_app(FakeHost(filled(FakeGateway())), policy=Policy(password="a-long-one"))  # noqa: S106
    with TestClient(app.server, base_url=OWN) as client:
        check(client.get("/api/status"), 401, None, "A password is needed")


def test_an_engine_that_is_not_there_is_503_and_health_answers_all_the_same():
    with TestClient(create_app(FakeHost(FakeGateway())).server, base_url=OWN) as client:
        answer = client.get("/api/signal/AAPL")
        check(answer, 503, None, "was not heard of")
        assert answer.headers["retry-after"].isdecimal()
        assert client.get("/api/health").json()["status"] == "starting"
        assert client.get("/api/status").json()["engine"] is None


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (StoreError("store must open, was locked; end the other program"), 503, "^store must open"),
        (JournalError("no such file"), 503, "^no such file$"),
        (OSError("secret"), 500, "^The server failed"),
    ],
)
def test_a_reading_that_fails_says_so(error: Exception, status: int, words: str):
    host = FakeHost(filled(FakeGateway()))
    app = create_app(host)
    host.gateway.read = Broken(error).read  # type: ignore[method-assign]
    with TestClient(app.server, base_url=OWN, raise_server_exceptions=False) as client:
        answer = client.get("/api/status")
    check(answer, status, None, words)


def test_more_than_the_hub_draws_is_429(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dashboard.live.MAX_CHANNELS", 0)
    with TestClient(create_app(FakeHost(filled(FakeGateway()))).server, base_url=OWN) as client:
        answer = client.get(LIVE)
    check(answer, 429, None, "too many clients")
    assert answer.headers["retry-after"] == "10"


def test_the_schema_promises_the_shape_and_nothing_of_the_frameworks_own():
    with TestClient(create_app(FakeHost(), is_dev=True).server, base_url=OWN) as client:
        schema = client.get("/openapi.json").json()
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert schema["components"]["schemas"]["Problem"]["required"] == ["status", "error", "remedy"]


def test_words_that_are_not_in_the_houses_form_are_kept_whole():
    problem = Problem.of(JournalError("disk full"), 503)
    assert (problem.error, problem.field) == ("disk full", None)
