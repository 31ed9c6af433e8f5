"""``python -m dashboard`` is ``pilothouse``: what it needs is loaded where Ctrl-C is already heard."""

import sys

EXIT_INTERRUPTED = 130


def run() -> int:
    """Run one command; return the exit code."""
    try:
        from dashboard.cli import main

        return main()
    except KeyboardInterrupt:  # once it serves, the server hears it itself
        sys.stderr.write("Pilothouse was ended before it had started.\n")
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
