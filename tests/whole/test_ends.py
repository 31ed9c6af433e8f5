"""How it ends when it is told to: within five seconds, with everything written."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.program import Server, wait_until

LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ +[\w.]+: ")


@pytest.fixture(scope="module", params=[signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def ended(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, int, float]]:
    """A server that traded a while and was told to end, with its exit code and how long it took."""
    server = Server(tmp_path_factory.mktemp("ends") / "pilot").start()
    try:
        server.wait_for_bars(2)
        began = time.monotonic()
        code = server.stop(request.param)
        yield server, code, time.monotonic() - began
    finally:
        server.stop(signal.SIGKILL)


def test_it_ends_within_five_seconds_with_zero(ended: tuple[Server, int, float]):
    server, code, took = ended
    assert code == 0, server.terminal.read_text()[-2000:]
    assert took < 5
    assert "Traceback" not in server.terminal.read_text()


def test_the_last_checkpoint_holds_everything_that_happened(ended: tuple[Server, int, float]):
    books = ended[0].books
    assert books.head() > 100
    assert books.last_checkpoint() == books.head()


def test_every_line_of_the_log_has_time_level_and_component(ended: tuple[Server, int, float]):
    lines = ended[0].log().splitlines()
    assert len(lines) > 3
    assert [line for line in lines if not LINE.match(line)] == []


def test_what_it_writes_is_its_users_alone(ended: tuple[Server, int, float]):
    home = ended[0].home
    files = [home, *home.rglob("*")]
    assert len(files) > 5
    assert [str(f) for f in files if f.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_signal_to_all_its_processes_ends_it_in_peace(
    home: Path, servers: Callable[..., Server], number: signal.Signals
):
    """A terminal and a service manager signal the whole group: the child is no failure then."""
    server = servers(home, has_own_group=True).start()
    wait_until(lambda: server.books.n("MC_UPDATE") > 0, "work for the child")
    assert server.process is not None
    os.killpg(server.process.pid, number)
    assert server.process.wait(timeout=10) == 0
    assert "child process failed" not in server.log()
    assert [
        line for line in server.log().splitlines() if re.search(" (WARNING|ERROR) ", line)
    ] == []


def test_the_log_level_is_obeyed_by_the_program(home: Path, servers: Callable[..., Server]):
    server = servers(home, settings={"LOG_LEVEL": "WARNING"}).start()
    server.stop()
    assert [line for line in server.log().splitlines() if " INFO " in line] == []


HANGS = """
import sys, threading
import dashboard.server
from dashboard.cli import main
dashboard.server.LAST_RESORT_S, dashboard.server.LEAVE_S = 6.0, 3600.0
def never_ends():
    threading.Event().wait()
threading.Thread(target=never_ends).start()
sys.exit(main(sys.argv[1:]))
"""


def test_what_hangs_is_named_in_the_log_and_cannot_keep_the_process(
    home: Path, servers: Callable[..., Server]
):
    server = servers(home, command=(sys.executable, "-c", HANGS)).start()
    server.wait_for_bars(1)
    assert server.stop(signal.SIGTERM) == 1
    stacks = [line for line in server.log().splitlines() if "never_ends" in line]
    assert stacks
    assert all(line.startswith('  File "<string>", line') for line in stacks)
    assert server.books.last_checkpoint() == server.books.head()
