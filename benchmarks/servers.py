"""A server in a process of its own, on a free loopback port and with a home of its own, watched from outside."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

READY_S = 180.0
STOP_S = 15.0
PAUSE_S = 0.005
ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """Return a loopback port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server process.

    Parameters
    ----------
    home : Path
        Its data folder; kept between `start` and a second `start`.
    settings : mapping of str to str
        Environment variables on top of a clean environment (none of ours is inherited).
    command : tuple of str
        Arguments after the interpreter; the port follows as ``--port N``.
    ready : str
        Path that answers 200 once it is up.
    """

    def __init__(
        self,
        home: Path,
        settings: Mapping[str, str] | None = None,
        command: tuple[str, ...] = ("-m", "dashboard", "serve"),
        ready: str = "/healthz",
    ) -> None:
        self.home = home
        self.port = free_port()
        self._settings = dict(settings or {})
        self._command = command
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> psutil.Process:
        """The running process, for its memory and CPU time."""
        if self._process is None:
            raise RuntimeError("server must run to be watched, was stopped; start it")
        return psutil.Process(self._process.pid)

    def start(self) -> float:
        """Start it and return the seconds from before the process existed to its first answer."""
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("PILOTHOUSE_", "FINAGENT_"))
        }
        environment |= {
            "PILOTHOUSE_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            **self._settings,
        }
        log = self.home.with_name(f"{self.home.name}.log")
        began = time.perf_counter()
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, *self._command, "--port", str(self.port)], env=environment, stdout=out, stderr=out,
            )  # fmt: skip
        while not self.answers():
            if self._process.poll() is not None or time.perf_counter() - began > READY_S:
                self.kill()
                raise RuntimeError(
                    f"server did not start: {log.read_text(errors='replace')[-1500:]}"
                )
            time.sleep(PAUSE_S)
        return time.perf_counter() - began

    def answers(self) -> bool:
        """Return whether it answers 200."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}{self._ready}", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self) -> float:
        """Tell it to end (SIGTERM) and return the seconds until it had; killed when it does not."""
        if self._process is None:
            return 0.0
        began = time.perf_counter()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None
        return time.perf_counter() - began

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
            self._process = None


@contextmanager
def running(settings: Mapping[str, str] | None = None, **more: object) -> Iterator[Server]:
    """Give a server that runs in a folder of its own, and take both away afterwards."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        server = Server(Path(folder) / "home", settings, **more)  # type: ignore[arg-type] # passed through
        server.start()
        try:
            yield server
        finally:
            server.stop()


def cpu_s(server: Server) -> float:
    """Return the CPU seconds that a running server has used."""
    times = server.process.cpu_times()
    return float(times.user + times.system)


def symbols(n: int) -> str:
    """Return the setting that asks the synthetic feed for `n` symbols.

    Examples
    --------
    >>> symbols(3)
    'S01,S02,S03'
    """
    return ",".join(f"S{i:02d}" for i in range(1, n + 1))
