"""What keeps the program from starting is found before the engine starts and said in plain words."""

import hashlib
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError

import pytest

from engine.adapters.journals.opening import open_journal
from tests.program import Server, free_port, run

SERVE = ("-m", "dashboard", "serve", "--port")


def serve(home: Path, port: int | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
    return run((*SERVE, str(port or free_port())), home, **settings)


def assert_plain(refused: subprocess.CompletedProcess[str]) -> None:
    """One thing is said once, and it is not a traceback."""
    assert refused.stderr.count("Pilothouse does not start") == 1
    assert refused.stderr.count("does not start") == 1, "once, in plain words"
    assert "Traceback" not in refused.stderr + refused.stdout


def test_live_orders_are_refused_while_no_venue_takes_them(home: Path):
    """Keys alone do not make a venue: a screen that says LIVE over a paper account would lie."""
    keys = dict.fromkeys(("BINANCE_API_KEY", "BINANCE_SECRET_KEY"), "some")
    refused = serve(home, TRADING_MODE="live", **keys)
    assert refused.returncode == 2
    assert_plain(refused)
    assert "TRADING_MODE must be 'paper'" in refused.stderr
    assert not (home / "journal.db").exists()


def test_a_taken_port_ends_with_two_and_the_remedy_before_any_engine_starts(home: Path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = serve(home, port)
    assert refused.returncode == 2
    assert_plain(refused)
    assert f"was {port}" in refused.stderr
    assert f"--port {port + 1}" in refused.stderr
    assert not (home / "journal.db").exists()
    assert not (home / "engine.lock").exists()


def test_a_home_that_cannot_be_written_ends_with_two_and_names_the_setting(home: Path):
    home.write_text("a file where the folder should be")
    refused = serve(home)
    assert refused.returncode == 2
    assert_plain(refused)
    assert "PILOTHOUSE_HOME" in refused.stderr
    assert str(home) in refused.stderr
    assert home.read_text() == "a file where the folder should be"


def test_a_home_below_a_file_is_refused_alike(home: Path):
    home.write_text("")
    refused = serve(home / "deeper")
    assert refused.returncode == 2
    assert_plain(refused)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("MC_PATHS", "many"), ("PILOTHOUSE_SPEED", "-1"), ("PILOTHOUSE_PORT", "70000")],
)
def test_a_bad_setting_ends_with_two_and_is_named(home: Path, variable: str, value: str):
    refused = run(("-m", "dashboard", "serve"), home, **{variable: value})
    assert refused.returncode == 2
    assert_plain(refused)
    assert variable in refused.stderr


def made_journal(home: Path) -> Path:
    """Return a whole journal with one backup beside it."""
    path = home / "journal.db"
    for _ in range(2):
        with closing(open_journal(path)):
            pass
    assert list((home / "backups").iterdir())
    return path


def digests(home: Path) -> dict[str, str]:
    """Return a digest of everything that holds the past."""
    files = [f for f in home.rglob("*") if f.is_file() and "journal" in f.name]
    return {str(f.relative_to(home)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_a_damaged_journal_ends_with_three_names_file_and_backup_and_is_not_touched(home: Path):
    journal = made_journal(home)
    raw = bytearray(journal.read_bytes())
    raw[4096 : 3 * 4096] = b"\xaa" * (2 * 4096)
    journal.write_bytes(raw)
    before = digests(home)
    refused = serve(home)
    assert refused.returncode == 3
    assert_plain(refused)
    assert str(journal) in refused.stderr
    assert str(next((home / "backups").iterdir())) in refused.stderr
    assert digests(home) == before


def test_a_journal_that_vanished_is_not_replaced_by_an_empty_one(home: Path):
    journal = made_journal(home)
    journal.unlink()
    refused = serve(home)
    assert refused.returncode == 3
    assert_plain(refused)
    assert not journal.exists()


def test_an_unreadable_event_is_told_plainly_and_the_backup_named_is_a_good_one(home: Path):
    journal = made_journal(home)
    with closing(sqlite3.connect(journal)) as tables, tables:
        tables.execute(
            "INSERT INTO events (seq, event_type, source, data) VALUES (7, 'CUSTOM', 'me', '{no')"
        )
    before = digests(home)
    refused = serve(home)
    assert refused.returncode == 3
    assert_plain(refused)
    assert "event 7 cannot be read" in refused.stderr
    assert str(next((home / "backups").iterdir())) in refused.stderr
    assert digests(home) == before


def test_a_journal_of_a_newer_version_is_refused_and_not_touched(home: Path):
    journal = made_journal(home)
    with closing(sqlite3.connect(journal)) as tables, tables:
        tables.execute("UPDATE alembic_version SET version_num = '9999'")
    before = digests(home)
    refused = serve(home)
    assert refused.returncode == 2
    assert_plain(refused)
    assert "9999" in refused.stderr
    assert digests(home) == before


def test_beyond_loopback_it_does_not_listen_without_a_password(home: Path):
    refused = serve(home, PILOTHOUSE_HOST="0.0.0.0")  # noqa: S104 -- the very thing refused
    assert refused.returncode == 2
    assert_plain(refused)
    assert "PILOTHOUSE_PASSWORD_FILE" in refused.stderr
    assert not (home / "journal.db").exists()


def test_with_a_password_it_starts_and_asks_everybody_for_it(
    home: Path, tmp_path: Path, servers: Callable[..., Server]
):
    password = tmp_path / "password"
    password.write_text("a long enough word")
    password.chmod(0o600)
    server = servers(home, settings={"PILOTHOUSE_PASSWORD_FILE": str(password)})
    server.start()
    with pytest.raises(HTTPError, match="401"):
        server.status()
    answer = run(
        ("-m", "dashboard", "status", "--port", str(server.port)),
        home, PILOTHOUSE_PASSWORD_FILE=str(password),
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert "Fingerprint" in answer.stdout
    password.write_text("a long enough other word")
    for words, given in (
        ("wants another password", {"PILOTHOUSE_PASSWORD_FILE": str(password)}),
        ("wants a password", {}),
    ):
        refused = run(("-m", "dashboard", "status", "--port", str(server.port)), home, **given)
        assert refused.returncode == 2
        assert f"{words}; set PILOTHOUSE_PASSWORD_FILE" in refused.stderr
        assert refused.stdout == ""
