"""The program's commands beside `serve`."""

import json
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from engine.adapters.journals.opening import open_journal
from tests.program import ROOT, Server, free_port, run

SCRIPT = Path(sys.executable).with_name("pilothouse")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("commands") / "pilot").start()
    yield server
    server.stop()


def test_the_version_is_the_packages(home: Path):
    said = run(("-m", "dashboard", "--version"), home)
    assert said.returncode == 0
    assert said.stdout.split() == ["pilothouse", version("pilothouse")]


def test_the_console_script_is_the_same_program(home: Path):
    assert SCRIPT.is_file(), "the package is installed with its console script"
    start = (
        f"import runpy, sys; sys.argv = [{str(SCRIPT)!r}, '--version']; "
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    said = run(("-c", start), home)
    assert said.stdout.split() == ["pilothouse", version("pilothouse")]


@pytest.mark.parametrize(
    ("module", "words"), [("engine", ("usage",)), ("dashboard", ("serve", "status", "--mode"))]
)
def test_help_names_what_there_is(home: Path, module: str, words: tuple[str, ...]):
    said = run(("-m", module, "--help"), home)
    assert said.returncode == 0
    for word in words:
        assert word in said.stdout
    assert not home.exists(), "asking for help makes no data folder"


def test_an_unknown_command_ends_with_two(home: Path):
    said = run(("-m", "dashboard", "fly"), home)
    assert said.returncode == 2
    assert "fly" in said.stderr


def test_status_shows_owner_fingerprint_feed_and_account(running: Server, home: Path):
    said = run(("-m", "dashboard", "status", "--port", str(running.port)), home)
    known = running.status()
    assert said.returncode == 0
    assert known["engine"]["fingerprint"] in said.stdout
    assert known["engine"]["owner"] in said.stdout
    assert "REPLAY" in said.stdout
    assert "Equity" in said.stdout


def test_status_as_json_is_the_servers_own_answer(running: Server, home: Path):
    said = run(("-m", "dashboard", "status", "--json", "--port", str(running.port)), home)
    answer = json.loads(said.stdout)
    assert answer["engine"] == running.status()["engine"]
    assert set(answer) == set(running.status())


def test_status_says_when_nobody_answers(home: Path):
    port = free_port()
    said = run(("-m", "dashboard", "status", "--port", str(port)), home)
    assert said.returncode == 1
    assert str(port) in said.stderr
    assert "Traceback" not in said.stderr


def test_a_start_that_failed_before_anything_happened_leaves_no_account_to_tell_of(home: Path):
    home.mkdir()
    open_journal(home / "journal.db", make_backup=False).close()
    said = run(("-m", "dashboard", "status", "--port", str(free_port())), home)
    assert (said.returncode, said.stdout) == (1, "")
    assert "start one with: pilothouse serve" in said.stderr


def test_status_of_an_engine_that_was_killed_says_that_none_runs(home: Path):
    server = Server(home).start()
    owner = server.status()["engine"]["owner"]
    elsewhere = run(("-m", "dashboard", "status", "--port", str(free_port())), home)
    assert elsewhere.returncode == 0
    assert f"does at port {server.port}" in elsewhere.stderr
    server.stop(signal.SIGKILL)
    said = run(("-m", "dashboard", "status", "--port", str(server.port)), home)
    assert said.returncode == 1
    assert "Status       stopped" in said.stdout
    assert f"No engine runs; {owner} was the last." in said.stdout
    assert "stands still" in said.stdout
    assert "running" not in said.stdout.split("Agents")[0]


def test_it_starts_from_any_folder(running: Server, tmp_path: Path):
    said = run(
        ("-m", "dashboard", "status", "--port", str(running.port)),
        tmp_path / "home", folder=tmp_path, PYTHONPATH=str(ROOT),
    )  # fmt: skip
    assert said.returncode == 0
    assert [p.name for p in tmp_path.iterdir() if p.name == "data"] == []


def test_an_unknown_page_and_an_unknown_route_are_not_found(running: Server):
    for path in ("/nowhere", "/api/nowhere", "/ws/nowhere", "/docs", "/openapi.json"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(running.url + path, timeout=5)
        assert refused.value.code == 404, path
        refused.value.close()
