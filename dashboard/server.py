"""The process: place for data, log, port, application, and an end within five seconds.

Whatever can be wrong with the surroundings is found before the engine starts and said in plain words.
"""

import contextlib
import errno
import faulthandler
import gc
import logging
import logging.handlers
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import uvicorn
from pydantic import SecretStr
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dashboard.app import create_app
from dashboard.guard import Policy
from engine.bootstrap import build_host
from engine.bootstrap.heap import share_heap
from engine.domain.errors import ConfigurationError, JournalDamagedError, PilothouseError, must
from engine.scheduling.host import HELPER
from engine.settings import Settings, is_loopback

if TYPE_CHECKING:
    from types import FrameType

EXIT_SURROUNDINGS = 2
EXIT_JOURNAL = 3
GRACE_S = 3
LEAVE_S = 1.5
"""What Python may take to end the process, once all has been written."""
LAST_RESORT_S = 15.0
"""After a signal to end, all that hangs is written to the log with its stack, and the process is no more: three times
what an end may take. The journal is whole at every moment."""
MAX_LOG_BYTES = 5_000_000
N_LOGS = 5
MIN_PASSWORD = 8
LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
MAX_WS_BYTES = 65_536
MAX_HEAD_BYTES = 65_536

_log = logging.getLogger("dashboard.server")
_refusals = logging.getLogger("dashboard.refusals")
"""Goes to the log file alone: the terminal has the same in plain words."""
_refusals.addHandler(
    logging.NullHandler()
)  # without it the terminal would have it twice while there is no file yet


class SurroundingsError(PilothouseError):
    """The port or the data folder cannot be used."""


def serve(settings: Settings, *, is_dev: bool = False) -> int:
    """Run the application until it is told to end; return the process's exit code."""
    os.umask(0o077)  # whatever is written here is this user's alone
    try:
        prepare_home(settings.home)
        policy = policy_from(settings)
        start_logs(settings.home, settings.log_level.value, secrets_of(settings, policy))
        with claim_port(settings.host, settings.port) as listener:
            return _run(settings, policy, listener, is_dev=is_dev)
    except PilothouseError as error:
        return refuse(error)


def refuse(error: PilothouseError) -> int:
    """Say in plain words why the program does not run; return the exit code."""
    sys.stderr.write(f"Pilothouse does not start: {error}\n")
    _refusals.error("does not start: %s", error)
    return EXIT_JOURNAL if isinstance(error, JournalDamagedError) else EXIT_SURROUNDINGS


def _run(settings: Settings, policy: Policy, listener: socket.socket, *, is_dev: bool) -> int:
    share_heap()
    app = create_app(build_host(settings, version("pilothouse")), policy=policy, is_dev=is_dev)
    config = uvicorn.Config(
        app.server,
        http=CappedHead,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_S,
        ws_max_size=MAX_WS_BYTES,
        server_header=False,
    )
    server = AnnouncingServer(config, settings.host, listener.getsockname()[1])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _already_ending)  # uvicorn repeats the signal after a clean end
    with contextlib.suppress(
        SystemExit
    ):  # uvicorn's own end after a failed start; the reason follows
        server.run(sockets=[listener])
    failure = getattr(app.server.state, "failure", None)
    code = (
        refuse(failure) if isinstance(failure, PilothouseError) else 0 if server.did_its_part else 1
    )
    _leave_in_time(code)
    return code


def _leave_in_time(code: int) -> None:
    """See to it that no thread keeps the process, when all has been written: Python itself would wait for each."""

    def leave() -> None:
        time.sleep(LEAVE_S)
        alive = threading.enumerate()  # of a pool of threads Python waits for those of daemons too
        left = {each.name for each in alive if not each.daemon or each.name.startswith(HELPER)}
        left.discard("MainThread")
        if left:
            _log.warning("threads still at work are left behind: %s", ", ".join(sorted(left)))
        os._exit(code)

    sys.stdout.flush()
    threading.Thread(target=leave, name="pilothouse-leave", daemon=True).start()


def _already_ending(_: int, __: "FrameType | None") -> None:
    """Do nothing: the server has ended on this signal already."""


class CappedHead(HttpToolsProtocol):
    """Reads a request as uvicorn does, but no endless head: uvicorn itself keeps whatever is sent as one."""

    _is_in_head = True
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Take what came; end the connection when a head goes over the cap."""
        super().data_received(data)
        if not self._is_in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(
                f"The head of the request is longer than {MAX_HEAD_BYTES:,} bytes."
            )

    def on_message_begin(self) -> None:
        """Count anew."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Leave the body to the guard's own cap."""
        self._is_in_head = False
        super().on_headers_complete()


class AnnouncingServer(uvicorn.Server):
    """Says where it is once it answers."""

    def __init__(self, config: uvicorn.Config, host: str, port: int) -> None:
        super().__init__(config)
        self.did_its_part = False
        """It has answered, or was told to end before it could."""
        self._address = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def handle_exit(self, sig: int, frame: "FrameType | None") -> None:
        """Begin to end, and see to it that nothing can keep the process from it."""
        if not self.should_exit:
            self.did_its_part = True
            faulthandler.dump_traceback_later(LAST_RESORT_S, exit=True, file=_log_file())
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then print the address."""
        await super().startup(sockets=sockets)
        if self.started and not self.should_exit:
            self.did_its_part = True
            gc.freeze()  # a hundred thousand objects of the libraries: looking through them stops everything for 0.1 s
            sys.stdout.write(f"Pilothouse is at {self._address} (Ctrl-C ends it)\n")
            sys.stdout.flush()
            _log.info("answers at %s", self._address)


def prepare_home(home: Path) -> None:
    """Make the data folder for this user alone.

    Raises
    ------
    SurroundingsError
        It cannot be made or written.
    """
    try:
        (home / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
        home.chmod(0o700)
        probe = home / f".probe-{os.getpid()}"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        raise SurroundingsError(
            f"data folder must be writable, was {str(home)!r} ({error.strerror}); "
            "set PILOTHOUSE_HOME to a folder of your own"
        ) from error


def claim_port(host: str, port: int) -> socket.socket:
    """Return a socket that holds the port, so that nothing starts when another program has it.

    Raises
    ------
    SurroundingsError
        The port is taken or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SurroundingsError(f"host must be an address of this machine, was {host!r}") from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SurroundingsError(
                f"port must be free, was {port} (another program has it); "
                f"end that program or use --port {port + 1}"
            ) from error
        raise SurroundingsError(
            f"address must be usable, was {host}:{port} ({error.strerror}); use --host or --port"
        ) from error
    return listener


def policy_from(settings: Settings) -> Policy:
    """Return what the guard lets through; beyond loopback there must be a password.

    Raises
    ------
    ConfigurationError
        No password where one is needed, or one that is too short.
    """
    password = _password(settings.password_file)
    if password is None and not is_loopback(settings.host):
        raise ConfigurationError(
            f"PILOTHOUSE_HOST must be a loopback address while no password is set, was {settings.host!r}; "
            "set PILOTHOUSE_PASSWORD_FILE to a file with a password, or use 127.0.0.1"
        )
    hosts = frozenset(host.lower() for host in settings.allowed_hosts)
    if settings.host not in {"0.0.0.0", "::"}:  # noqa: S104 -- compared, not bound
        hosts |= {settings.host.lower()}
    return Policy(hosts=hosts, password=password)


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"PILOTHOUSE_PASSWORD_FILE must be a readable text file, was {str(file)!r}; correct it"
        ) from error
    if len(password) < MIN_PASSWORD:
        raise must(
            "password in PILOTHOUSE_PASSWORD_FILE",
            f"have {MIN_PASSWORD} characters or more",
            f"{len(password)} characters",
            "write a longer one",
        )
    return password


# -- logs ----------------------------------------------------------------------------------------


class Redaction(logging.Filter):
    """Takes secrets out of every record, whoever wrote it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(sorted((s for s in secrets if s), key=len, reverse=True))

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the message out and cover what must not be read; keep the record."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.msg, record.args = self._covered(message), None
        if record.exc_text:
            record.exc_text = self._covered(record.exc_text)
        return True

    def _covered(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "••••")
        return text


def secrets_of(settings: Settings, policy: Policy) -> list[str]:
    """Return every secret that was given, to be covered in logs."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    return [*secrets, *([policy.password] if policy.password else [])]


def start_logs(home: Path, level: str, secrets: Iterable[str]) -> None:
    """Write time, level and component to the terminal and to ``logs/pilothouse.log``, five files in turn."""
    file = logging.handlers.RotatingFileHandler(
        home / "logs" / "pilothouse.log",
        maxBytes=MAX_LOG_BYTES,
        backupCount=N_LOGS - 1,
        encoding="utf-8",
    )
    Path(file.baseFilename).chmod(0o600)
    terminal = logging.StreamHandler(sys.stderr)
    terminal.addFilter(_is_for_people)
    redaction = Redaction(secrets)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in (file, terminal):
        handler.addFilter(redaction)
        handler.setFormatter(logging.Formatter(LOG_FORMAT))
        root.addHandler(handler)
    root.setLevel(level)
    for chatty in ("alembic", "apscheduler", "uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _log_file() -> TextIO:
    """Return the open log file, or the terminal when there is none."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler) and handler.stream is not None:
            return handler.stream
    return sys.stderr


def _is_for_people(record: logging.LogRecord) -> bool:
    """Return whether a record belongs on the terminal; why a start failed is said there in plain words."""
    if record.name == _refusals.name:
        return False
    return not (record.name.startswith("uvicorn") and "Traceback" in record.getMessage())
