"""What surrounds the application: port, folder, password and log."""

import contextlib
import logging
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from dashboard import server
from dashboard.server import CappedHead, claim_port
from engine.domain.errors import ConfigurationError, JournalDamagedError
from engine.settings import load_settings

SECRET = "-".join(("s3cr3t", "canary"))


@pytest.fixture
def clean_logs() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def password_file(tmp_path: Path, text: str = f"{SECRET}\n") -> Path:
    file = tmp_path / "password"
    file.write_text(text)
    return file


def settings_with(**variables: str):
    return load_settings(env=variables)


def test_a_free_port_is_held():
    with server.claim_port("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0


def test_a_taken_port_is_an_error_with_the_remedy():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(server.SurroundingsError, match=f"was {port}.*--port {port + 1}"):
            server.claim_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(server.SurroundingsError, match=r"192\.0\.2\.1"):
        server.claim_port("192.0.2.1", 0)


def test_the_data_folder_is_made_for_this_user_alone(tmp_path: Path):
    home = tmp_path / "new" / "home"
    server.prepare_home(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert list(home.iterdir()) == [home / "logs"]


def test_a_data_folder_that_is_a_file_is_an_error_with_the_remedy(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(server.SurroundingsError, match="PILOTHOUSE_HOME"):
        server.prepare_home(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_cannot_be_written_is_an_error(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(server.SurroundingsError, match="writable"):
        server.prepare_home(tmp_path / "home")


def test_on_loopback_no_password_is_needed():
    policy = server.policy_from(settings_with())
    assert policy.password is None
    assert policy.allows_host("127.0.0.1:8050")


def test_beyond_loopback_it_is_refused_without_a_password():
    beyond = settings_with().model_copy(update={"host": "0.0.0.0"})  # noqa: S104 -- the very thing refused
    with pytest.raises(ConfigurationError, match="PILOTHOUSE_PASSWORD_FILE"):
        server.policy_from(beyond)


def test_beyond_loopback_the_password_of_the_file_is_asked_for(tmp_path: Path):
    policy = server.policy_from(
        settings_with(
            PILOTHOUSE_HOST="192.168.7.7",
            PILOTHOUSE_PASSWORD_FILE=str(password_file(tmp_path)),
            PILOTHOUSE_ALLOWED_HOSTS="Box.lan, desk.lan",
        )
    )
    assert policy.password == SECRET
    assert policy.allows_host("box.lan:8050")
    assert policy.allows_host("192.168.7.7:8050")
    assert not policy.allows_host("evil.example")


def test_a_short_password_is_refused_without_printing_it(tmp_path: Path):
    file = password_file(tmp_path, "hunter2")
    with pytest.raises(ConfigurationError.__base__, match="8 characters") as refused:
        server.policy_from(settings_with(PILOTHOUSE_PASSWORD_FILE=str(file)))
    assert "hunter2" not in str(refused.value)


def test_a_log_line_has_time_level_and_component(tmp_path: Path, clean_logs: None):
    server.prepare_home(tmp_path)
    server.start_logs(tmp_path, "INFO", ())
    logging.getLogger("engine.agents.risk").info("%d bars", 3)
    line = (tmp_path / "logs" / "pilothouse.log").read_text()
    assert "INFO    engine.agents.risk: 3 bars" in line
    assert line[:2] == "20"


def test_the_log_level_is_obeyed(tmp_path: Path, clean_logs: None):
    server.prepare_home(tmp_path)
    server.start_logs(tmp_path, "WARNING", ())
    logging.getLogger("engine").info("quiet")
    logging.getLogger("engine").warning("loud")
    text = (tmp_path / "logs" / "pilothouse.log").read_text()
    assert "loud" in text
    assert "quiet" not in text


def test_secrets_are_covered_in_messages_arguments_and_tracebacks(
    tmp_path: Path, clean_logs: None, capsys: pytest.CaptureFixture[str]
):
    settings = settings_with(POLYGON_API_KEY=SECRET)
    server.prepare_home(tmp_path)
    server.start_logs(tmp_path, "INFO", server.secrets_of(settings, server.policy_from(settings)))
    log = logging.getLogger("engine.feeds")
    log.info("key %s refused", SECRET)
    try:
        raise RuntimeError(f"url?key={SECRET}")  # noqa: TRY301 -- a traceback is wanted
    except RuntimeError:
        log.exception("no prices")
    text = (tmp_path / "logs" / "pilothouse.log").read_text()
    assert "key •••• refused" in text
    assert "url?key=••••" in text
    assert SECRET not in text + capsys.readouterr().err


def test_a_damaged_journal_ends_with_three_and_plain_words(capsys: pytest.CaptureFixture[str]):
    assert server.refuse(JournalDamagedError("journal.db is damaged; restore it")) == 3
    assert server.refuse(server.SurroundingsError("port must be free")) == 2
    assert "Pilothouse does not start: journal.db is damaged" in capsys.readouterr().err


def test_a_damaged_journal_is_refused_by_the_whole_program_in_one_line(tmp_path: Path):
    (tmp_path / "journal.db").write_bytes(b"no journal " * 500)
    with server.claim_port("127.0.0.1", 0) as probe:
        port = probe.getsockname()[1]
    ended = subprocess.run(
        [sys.executable, "-m", "dashboard", "serve", "--port", str(port)],
        env={**os.environ, "PILOTHOUSE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 3
    assert (
        f"Pilothouse does not start: the journal {tmp_path}/journal.db is damaged" in ended.stderr
    )
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "journal.db").read_bytes() == b"no journal " * 500


@contextmanager
def answering() -> Iterator[int]:
    """A server of the kind that `serve` runs, with an application that says "ok"; gives its port."""

    async def ok(scope: dict[str, object], receive: object, send: object) -> None:
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(ok, http=CappedHead, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with claim_port("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def first_line(port: int, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with contextlib.suppress(ConnectionError):  # cut off while it still sends
            for piece in pieces:
                connection.sendall(piece)
        try:
            return connection.recv(4_096).partition(b"\r\n")[0]
        except ConnectionError:
            return b""


def test_an_endless_head_is_cut_off_and_a_long_one_is_not():
    start = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "
    with answering() as port:
        assert first_line(port, start, *[b"a" * 65_536] * 100) in {b"", b"HTTP/1.1 400 Bad Request"}
        assert first_line(port, start, b"a" * 30_000, b"\r\n\r\n") == b"HTTP/1.1 200 OK"
        body = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 300000\r\n\r\n"
        assert first_line(port, body, b"a" * 300_000) == b"HTTP/1.1 200 OK"
