"""``python -m benchmarks [names] [--quick] [--json FILE]``: measure, print one table, keep the figures as JSON."""

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, machine, table, to_json

NAMES = (
    "starting",
    "signals",
    "publishing",
    "dispatching",
    "fans",
    "jitter",
    "leaking",
    "rest",
    "clients",
    "painted",
    "sliding",
    "memory",
)
"""Modules of this package, each with ``measure(is_quick)``; the long one last."""
RESULTS = Path(__file__).parent / "results.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was named and return the exit code: 1 when a measurement failed, whatever the figures."""
    options = _parser().parse_args(arguments)
    about, groups, is_whole = machine(), dict[str, Sequence[Figure]](), True
    for name in options.names or NAMES:
        began = time.perf_counter()
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            groups[name] = importlib.import_module(f"benchmarks.{name}").measure(options.quick)
        except Exception as error:  # noqa: BLE001 -- fence: the other measurements go on
            traceback.print_exc()
            is_whole = False
            groups[name] = [Figure(name="not measured", value=None, unit="", note=str(error)[:160])]
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    print(table(groups))
    options.json.write_text(to_json(groups, about), encoding="utf-8")
    print(f"figures kept in {options.json}", file=sys.stderr)
    return 0 if is_whole else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES)
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, rougher figures")
    parser.add_argument(
        "--json", type=Path, default=RESULTS, metavar="FILE", help="where to keep the figures"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
