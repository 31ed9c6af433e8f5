"""The command line: ``pilothouse serve``, ``pilothouse status``, ``pilothouse --version``."""

import argparse
import base64
import json
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version

from dashboard.report import lines
from engine.api.answers import StatusAnswer
from engine.api.answers import status as build_status
from engine.domain.errors import PilothouseError
from engine.settings import Settings, load_settings

EXIT_USAGE = 2
EXIT_NOT_RUNNING = 1
ASK_TIMEOUT_S = 3.0

_VARIABLES = {
    "host": "PILOTHOUSE_HOST",
    "port": "PILOTHOUSE_PORT",
    "mode": "FINAGENT_ENV",
    "feed": "PILOTHOUSE_FEED",
    "seed": "PILOTHOUSE_SEED",
    "speed": "PILOTHOUSE_SPEED",
}
"""Option to the environment variable that it overrules."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; each option's help names the variable that does the same."""
    parser = argparse.ArgumentParser(
        prog="pilothouse",
        description="A market dashboard with the crew on board; paper trading by default.",
    )
    parser.add_argument(
        "--version", action="version", version=f"pilothouse {version('pilothouse')}"
    )
    actions = parser.add_subparsers(dest="action", metavar="COMMAND")
    serve = actions.add_parser("serve", help="start the engine and the dashboard (the default)")
    status = actions.add_parser(
        "status", help="say what the engine does: fingerprint, owner, feed, positions"
    )
    for sub in (parser, serve, status):
        _add_common(sub, is_top=sub is parser)
    for sub in (parser, serve):
        _add_serve(sub, is_top=sub is parser)
    status.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser


def _add_common(parser: argparse.ArgumentParser, *, is_top: bool) -> None:
    default = None if is_top else argparse.SUPPRESS
    parser.add_argument(
        "--host", default=default, help="address to listen on (PILOTHOUSE_HOST, 127.0.0.1)"
    )
    parser.add_argument("--port", default=default, help="port to listen on (PILOTHOUSE_PORT, 8050)")
    parser.add_argument("--config", default=default, metavar="FILE", help="YAML file with settings")


def _add_serve(parser: argparse.ArgumentParser, *, is_top: bool) -> None:
    default = None if is_top else argparse.SUPPRESS
    modes = ("development", "production")
    parser.add_argument("--mode", choices=modes, default=default, help="environment (FINAGENT_ENV)")
    parser.add_argument("--feed", default=default, help="replay or synthetic (PILOTHOUSE_FEED)")
    parser.add_argument(
        "--seed", default=default, help="seed of everything random (PILOTHOUSE_SEED)"
    )
    parser.add_argument(
        "--speed", default=default, help="bars a minute of a replay (PILOTHOUSE_SPEED)"
    )
    parser.add_argument(
        "--dev",
        action="store_true",
        default=False if is_top else argparse.SUPPRESS,
        help="offer /docs and /openapi.json",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        settings = load_settings(options.config, overruled(vars(options), os.environ))
    except PilothouseError as error:
        sys.stderr.write(f"Pilothouse does not start: {error}\n")
        return EXIT_USAGE
    if options.action == "status":
        return status(settings, as_json=options.json)
    from dashboard.server import serve

    return serve(settings, is_dev=options.dev)


def overruled(options: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with what was given on the command line put over it."""
    given = {
        variable: str(options[name])
        for name, variable in _VARIABLES.items()
        if options.get(name) is not None
    }
    return {**environment, **given}


def status(settings: Settings, *, as_json: bool = False) -> int:
    """Print what the running server says of itself; without one, what the journal last had (exit code 1).

    A server of this data folder at another port is found by its journal.
    """
    try:
        answer, code = ask_server(settings), 0
        kept = None if answer is not None else from_journal(settings)
        answer = answer or ask_elsewhere(settings, kept)
    except _LockedError as error:
        _complain(str(error))
        return EXIT_USAGE
    if answer is None:
        answer, code = kept, EXIT_NOT_RUNNING
        _complain(_nobody(settings, kept))
    if answer is not None:
        text = answer.model_dump_json(indent=2) if as_json else "\n".join(lines(answer))
        sys.stdout.write(f"{text}\n")
    return code


class _LockedError(Exception):
    """A server answers that wants another password."""


def _complain(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _nobody(settings: Settings, kept: StatusAnswer | None) -> str:
    """Return that nobody answers, who should have, and what a status from the journal is worth."""
    silent = f"No Pilothouse answers at {settings.host}:{settings.port}"
    if kept is None:
        return f"{silent}; start one with: pilothouse serve"
    source = f"From the journal in {settings.home}, as it was last written:"
    engine = kept.engine
    if engine is None or kept.status == "stopped":
        return f"{silent}; start one with: pilothouse serve\n{source}"
    runs = f"An engine runs elsewhere (host {engine.host}, port {engine.port}, pid {engine.pid})."
    return f"{silent}.\n{runs} {source}"


def ask_elsewhere(settings: Settings, kept: StatusAnswer | None) -> StatusAnswer | None:
    """Return the status of the server that the journal names, when it is one of this machine at another port."""
    if kept is None or kept.engine is None or kept.status == "stopped":
        return None
    port = kept.engine.port
    if port in {0, settings.port} or kept.engine.host != socket.gethostname():
        return None
    answer = ask_server(settings.model_copy(update={"port": port}))
    if answer is not None:
        _complain(
            f"Nothing answers at port {settings.port}; the engine of {settings.home} does at port {port}:"
        )
    return answer


def from_journal(settings: Settings) -> StatusAnswer | None:
    """Return the status folded from the journal, or None when there is none or it cannot be read."""
    from engine.bootstrap.reading import read_from_journal

    try:
        snapshot = read_from_journal(settings)
    except PilothouseError as error:
        sys.stderr.write(f"{error}\n")
        return None
    return None if snapshot is None else build_status(snapshot)


def ask_server(settings: Settings) -> StatusAnswer | None:
    """Return the status of the server at the address in the settings; None when nobody answers.

    Raises
    ------
    _LockedError
        It wants a password, or another one.
    """
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 -- compared, not bound
    shown = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(f"http://{shown}:{settings.port}/api/status")
    if settings.password_file is not None:
        password = settings.password_file.read_text(encoding="utf-8").strip()
        token = base64.b64encode(f"local:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ASK_TIMEOUT_S) as response:
            return StatusAnswer.model_validate(json.load(response))
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.UNAUTHORIZED:
            return None
        given = "another password" if settings.password_file else "a password"
        raise _LockedError(
            f"Pilothouse at {shown}:{settings.port} wants {given}; "
            "set PILOTHOUSE_PASSWORD_FILE to the file that it was started with"
        ) from None
    except (OSError, ValueError, urllib.error.URLError):
        return None
