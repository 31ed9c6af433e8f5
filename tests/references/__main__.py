"""Compare reference values with our kernels: ``python -m tests.references FILE --data DIR``.

Exit code 0 where nothing differs, 1 where something does, 2 where the arguments or the file cannot be used.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.references.checking import Outcome, Verdict, check
from tests.references.inputs import BadFileError, DataFolder, cases, read_entries


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the file that the arguments name, print what came of it, and return the exit code."""
    given = _parser().parse_args(arguments)
    if not given.data.is_dir():
        return _refuse(f"--data must be a folder, was {str(given.data)!r}; check the path")
    try:
        entries = read_entries(given.file)
    except BadFileError as error:
        return _refuse(str(error))
    outcomes = [check(case) for case in cases(entries, DataFolder(given.data))]
    sys.stdout.write("\n".join(report(outcomes)) + "\n")
    return int(any(outcome.verdict is Verdict.FAILED for outcome in outcomes))


def report(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the lines of the report: entries by verdict, then one line that counts them."""
    by_verdict = {v: [o for o in outcomes if o.verdict is v] for v in Verdict}
    lines = [f"passed {outcome.entry_id}" for outcome in by_verdict[Verdict.PASSED]]
    for outcome in by_verdict[Verdict.FAILED]:
        said = [str(miss) for miss in outcome.misses] or [outcome.reason]
        lines += [f"FAILED {outcome.entry_id} {text}" for text in said]
    lines += _by_reason("no data", by_verdict[Verdict.NO_DATA])
    lines += _by_reason("uncovered", by_verdict[Verdict.UNCOVERED])
    parts = {(o.name, part): why for o in outcomes for part, why in o.left_out.items()}
    lines += [f"uncovered {name} {part}: {why}" for (name, part), why in parts.items()]
    counts = ", ".join(f"{len(found)} {verdict}" for verdict, found in by_verdict.items())
    return [*lines, f"{len(outcomes)} entries: {counts}"]


def _by_reason(word: str, outcomes: Sequence[Outcome]) -> list[str]:
    """Return one line for all entries of the same name and reason."""
    ids: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        ids.setdefault((outcome.name, outcome.reason), []).append(outcome.entry_id)
    return [f"{word} {name} ({len(n)}): {reason}" for (name, reason), n in ids.items()]


def _refuse(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.references",
        description="Compare a file of reference values with the kernels that answer them.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="JSON list of reference values")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR",
        help="folder below which the price files lie: at the path that an entry gives, or anywhere by name",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
