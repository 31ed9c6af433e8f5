"""The command line: options, settings, and the answer of `status`."""

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboard import cli
from dashboard.__main__ import run
from engine.adapters.journals.opening import open_journal
from engine.api.answers import StatusAnswer
from engine.api.answers import status as build_status
from engine.api.router import build_router
from engine.bootstrap.host import prepare_home
from engine.bootstrap.turned import build_turned
from engine.settings import Settings, load_settings
from tests.dashboard.fakes import FakeGateway, filled


def test_an_interrupt_before_the_server_hears_it_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("dashboard.server.serve", interrupted)
    monkeypatch.setattr(sys, "argv", ["pilothouse", "serve"])
    monkeypatch.setenv("PILOTHOUSE_HOME", str(tmp_path))
    assert run() == 130
    assert capsys.readouterr().err == "Pilothouse was ended before it had started.\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def answering() -> Iterator[tuple[int, list[str | None]]]:
    app = FastAPI()
    app.include_router(build_router(filled(FakeGateway())))
    with TestClient(app) as client:
        body = client.get("/api/status").content
    asked: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], asked
        server.shutdown()
        thread.join()


def test_version_is_printed(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("pilothouse 0.")


def test_an_option_overrules_its_variable():
    options = cli.build_parser().parse_args(["serve", "--port", "9000", "--mode", "development"])
    given = cli.overruled(vars(options), {"PILOTHOUSE_PORT": "1", "PILOTHOUSE_SEED": "7"})
    settings = load_settings(env=given)
    assert (settings.port, settings.seed, settings.environment.value) == (9000, 7, "development")


def test_options_before_and_after_the_command_mean_the_same():
    parser = cli.build_parser()
    for line in (["--port", "9000"], ["serve", "--port", "9000"], ["--port", "9000", "serve"]):
        assert parser.parse_args(line).port == "9000", line
    assert parser.parse_args(["serve", "--dev"]).dev
    assert parser.parse_args(["--dev"]).dev
    assert not parser.parse_args([]).dev


def test_a_bad_setting_ends_with_two_and_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PILOTHOUSE_PORT", "many")
    assert cli.main(["status"]) == 2
    assert "PILOTHOUSE_PORT" in capsys.readouterr().err


def test_beyond_loopback_without_password_ends_with_two(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["serve", "--host", "0.0.0.0"]) == 2  # noqa: S104 -- the very thing refused
    assert "PILOTHOUSE_PASSWORD_FILE" in capsys.readouterr().err


def test_status_prints_what_the_server_says(
    answering: tuple[int, list[str | None]], capsys: pytest.CaptureFixture[str]
):
    port, _ = answering
    assert cli.main(["status", "--port", str(port)]) == 0
    text = capsys.readouterr().out
    assert "Fingerprint  f1" in text
    assert "REPLAY daily bars" in text


def test_status_as_json_is_json(
    answering: tuple[int, list[str | None]], capsys: pytest.CaptureFixture[str]
):
    port, _ = answering
    assert cli.main(["status", "--json", "--port", str(port)]) == 0
    assert json.loads(capsys.readouterr().out)["engine"]["owner"] == "web-1"


def test_status_gives_the_password(
    answering: tuple[int, list[str | None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    port, asked = answering
    file = tmp_path / "password"
    file.write_text("correct horse\n")
    monkeypatch.setenv("PILOTHOUSE_PASSWORD_FILE", str(file))
    cli.main(["status", "--port", str(port)])
    assert asked == ["Basic bG9jYWw6Y29ycmVjdCBob3JzZQ=="]


def test_status_without_a_server_says_how_to_start_one(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["status", "--port", str(free_port())]) == 1
    assert "pilothouse serve" in capsys.readouterr().err


def test_status_of_a_stopped_engine_comes_from_its_journal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    home = tmp_path / "left-behind"
    settings = Settings(home=home, speed=60, mc_levels=(1,), mc_rehearsal=0)
    prepare_home(home)
    journal = open_journal(settings.journal_location)

    async def run() -> None:
        turned = build_turned(settings, journal=journal)
        await turned.host.start()
        await turned.advance(4)
        await turned.host.stop()

    asyncio.run(run())
    journal.close()
    monkeypatch.setenv("PILOTHOUSE_HOME", str(home))
    assert cli.main(["status", "--port", str(free_port())]) == 1
    said = capsys.readouterr()
    assert "From the journal" in said.err
    assert "bar 4" in said.out
    assert "Fingerprint" in said.out


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> StatusAnswer:
    """What the journal says of an engine of this machine that runs."""
    gateway = filled(FakeGateway())
    answer = build_status(gateway.read(sorted(gateway.sections)))
    assert answer.engine is not None
    answer.engine.host = socket.gethostname()
    monkeypatch.setattr(cli, "from_journal", lambda _settings: answer)
    return answer


def test_status_finds_the_engine_of_its_folder_at_another_port(
    answering: tuple[int, list[str | None]], told: StatusAnswer, capsys: pytest.CaptureFixture[str]
):
    port, asked = answering
    assert told.engine is not None
    told.engine.port = port
    silent = free_port()
    assert cli.main(["status", "--port", str(silent)]) == 0
    said = capsys.readouterr()
    assert len(asked) == 1
    assert f"Nothing answers at port {silent}" in said.err
    assert f"does at port {port}" in said.err
    assert "journal" not in said.err
    assert "Fingerprint  f1" in said.out


@pytest.mark.parametrize("host", ["elsewhere.invalid", None])
def test_an_engine_that_gives_no_answer_or_is_of_another_machine_is_named(
    host: str | None,
    answering: tuple[int, list[str | None]],
    told: StatusAnswer,
    capsys: pytest.CaptureFixture[str],
):
    """The password goes to no port of another machine's."""
    port, asked = answering
    assert told.engine is not None
    told.engine.port = port if host else free_port()
    told.engine.host = host or told.engine.host
    assert cli.main(["status", "--port", str(free_port())]) == 1
    assert asked == []
    said = capsys.readouterr()
    assert (
        f"An engine runs elsewhere (host {told.engine.host}, port {told.engine.port}, pid {told.engine.pid})"
        in said.err
    )
    assert "From the journal" in said.err
