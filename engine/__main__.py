"""``python -m engine``: the engine without a dashboard, and what it last said of itself."""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version

from engine.domain.errors import JournalDamagedError, PilothouseError
from engine.settings import Settings, load_settings

EXIT_SURROUNDINGS = 2
EXIT_JOURNAL = 3


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of ``python -m engine``."""
    parser = argparse.ArgumentParser(
        prog="python -m engine",
        description="Pilothouse's engine without its dashboard. `pilothouse serve` starts both.",
    )
    parser.add_argument(
        "--version", action="version", version=f"pilothouse {version('pilothouse')}"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="YAML file with settings (PILOTHOUSE_CONFIG)"
    )
    actions = parser.add_subparsers(dest="action", metavar="COMMAND", required=True)
    actions.add_parser("run", help="run the engine until Ctrl-C or SIGTERM")
    actions.add_parser("settings", help="print the settings in force as JSON, secrets covered")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        settings = load_settings(options.config)
        if options.action == "settings":
            sys.stdout.write(f"{json.dumps(settings.model_dump(mode='json'), indent=2)}\n")
            return 0
        logging.basicConfig(
            level=settings.log_level.value,
            format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        )
        asyncio.run(_run(settings))
    except PilothouseError as error:
        sys.stderr.write(f"The engine does not run: {error}\n")
        return EXIT_JOURNAL if isinstance(error, JournalDamagedError) else EXIT_SURROUNDINGS
    return 0


async def _run(settings: Settings) -> None:
    """Own the engine, or stand by, until a signal ends it."""
    from engine.bootstrap import build_host

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows ends by KeyboardInterrupt
            loop.add_signal_handler(number, ended.set)
    host = build_host(settings, version("pilothouse"))
    await host.start()
    try:
        state = "runs" if host.is_owner else "stands by: another process owns it"
        sys.stdout.write(f"The engine {state} (Ctrl-C ends it)\n")
        sys.stdout.flush()
        await ended.wait()
    finally:
        await host.stop()


if __name__ == "__main__":
    sys.exit(main())
