"""The program as a user starts it: a process of its own, a free port, a home of its own.

Shared by the tests of the whole program and the browser tests. Waiting is polling, never a fixed time.
"""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.adapters.journals.opening import open_journal
from engine.domain.commands import CommandEnvelope

ROOT = Path(__file__).parents[1]
FAST = {
    "PILOTHOUSE_SPEED": "40", "PILOTHOUSE_SYMBOLS": "AAPL,IBM,MSFT,XOM,PG,SPX", "MC_LEVELS": "2,1",
}  # fmt: skip
"""Two bars in three seconds of a few symbols; XOM and PG trade in the first days. Two levels of forecast leave the
processors to the browser."""
PATIENCE_S = 60.0
"""How long a test waits for what should come at once: a machine may be busy, and only a failure waits so long."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, settings: dict[str, str]) -> dict[str, str]:
    """Return this process's environment without the settings of whoever runs the tests."""
    own = ("PILOTHOUSE_", "FINAGENT_", "BINANCE_", "TRADING_MODE", "LOG_LEVEL", "MC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**kept, "PILOTHOUSE_HOME": str(home), "MC_REHEARSAL": "10", **settings}


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
    """Return the first truthy answer of `condition`; fail when there is none in time."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: did not hold within {timeout_s:g} s")
        time.sleep(0.05)
    return value


@dataclass
class Server:
    """One start of the program."""

    home: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=lambda: dict(FAST))
    command: tuple[str, ...] = (sys.executable, "-m", "dashboard")
    folder: Path = ROOT
    has_own_group: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def terminal(self) -> Path:
        """What it wrote to its terminal, over all its starts."""
        return self.home.parent / f"{self.home.name}-{self.port}.log"

    def launch(self) -> "Server":
        """Start the process without waiting for it."""
        with self.terminal.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "serve", "--port", str(self.port)],
                env=environment(self.home, self.settings), stdout=log, stderr=log, cwd=self.folder,
                start_new_session=self.has_own_group,
            )  # fmt: skip
        return self

    def start(self, timeout_s: float = 2 * PATIENCE_S) -> "Server":
        """Start it and return once its engine has answered."""
        self.launch()
        end = time.monotonic() + timeout_s
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                said = self.terminal.read_text()[-3000:]
                self.stop(signal.SIGKILL)
                raise AssertionError(f"the server did not start: {said}")
            time.sleep(0.1)
        return self

    def answers(self) -> bool:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            return bool(urllib.request.urlopen(f"{self.url}/healthz", timeout=5).status == 200)
        return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code; harmless when it has ended."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=5)
            raise
        self.process = None
        return code

    # -- what it says ------------------------------------------------------------------------------------------

    def get(self, path: str, **headers: str) -> Any:
        request = urllib.request.Request(f"{self.url}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/api/status")
        return found

    def agent(self, agent_id: str) -> str:
        """Return an agent's state."""
        return next(a["status"] for a in self.status()["agents"] if a["agent_id"] == agent_id)

    def bars(self) -> int:
        return int(self.status()["feed"]["bars_done"])

    def wait_for_bars(self, more: int = 1, timeout_s: float = PATIENCE_S) -> int:
        """Return the number of closed bars once there are `more` than now."""
        goal = self.bars() + more
        wait_until(lambda: self.bars() >= goal, f"{more} more bars", timeout_s)
        return goal

    def log(self) -> str:
        return (self.home / "logs" / "pilothouse.log").read_text(encoding="utf-8")

    @property
    def books(self) -> "Books":
        return Books(self.home / "journal.db")


@dataclass(frozen=True)
class Books:
    """The journal of a running server, looked at from outside and never written but through its command queue."""

    path: Path

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5)) as look:
            return look.execute(query, values).fetchall()

    def head(self) -> int:
        """Return the highest sequence number ever given out."""
        return int(self.rows("SELECT head FROM owner")[0][0])

    def n(self, event_type: str, after: int = 0) -> int:
        """Return how many events of a type there are after a sequence number."""
        query = "SELECT count(*) FROM events WHERE event_type = ? AND seq > ?"
        return int(self.rows(query, event_type, after)[0][0])

    def data(self, event_type: str, after: int = 0) -> list[dict[str, Any]]:
        """Return the data of the events of a type, oldest first."""
        query = "SELECT data FROM events WHERE event_type = ? AND seq > ? ORDER BY seq"
        return [json.loads(row[0]) for row in self.rows(query, event_type, after)]

    def last_checkpoint(self) -> int:
        return int(self.rows("SELECT coalesce(max(seq), 0) FROM checkpoints")[0][0])

    def send(self, name: str, command_id: str, **params: Any) -> dict[str, Any]:
        """Queue a command as any other process does, and return its answer once the engine gave it."""
        start = self.head()
        envelope = CommandEnvelope.from_data(
            {"command_id": command_id, "name": name, "params": params, "actor": "tester", "source": "test"}
        )  # fmt: skip
        with closing(open_journal(self.path, make_backup=False)) as journal:
            assert journal.send(envelope), f"{command_id} was sent before"

        def answer() -> dict[str, Any] | None:
            kinds = ("COMMAND_ACCEPTED", "COMMAND_REFUSED")
            found = [a for kind in kinds for a in self.data(kind, start)]
            return next((a for a in found if a["command_id"] == command_id), None)

        answered: dict[str, Any] = wait_until(answer, f"the answer to {name}")
        return answered


def run(
    arguments: Sequence[str], home: Path, *, folder: Path = ROOT, timeout_s: float = 2 * PATIENCE_S, **settings: str
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run a command of the program to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(home, settings), cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
