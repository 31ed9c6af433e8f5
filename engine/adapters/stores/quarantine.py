"""Putting a store's folder aside: it is renamed, never deleted at once, so that a person may look at it."""

import logging
import re
import shutil
from pathlib import Path

KEPT = 2

log = logging.getLogger(__name__)


def put_aside(folder: Path) -> Path | None:
    """Return where the folder went, or None when there was none; the newest two are kept."""
    before = put_aside_before(folder)
    target = folder.with_name(f"{folder.name}.damaged-{_number(before[-1]) + 1 if before else 1}")
    try:
        folder.rename(target)
    except FileNotFoundError:
        return None
    log.warning("the live store was damaged: it is begun anew, the old one is kept as %s", target)
    for old in before[: len(before) + 1 - KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def put_aside_before(folder: Path) -> list[Path]:
    """Return the folders put aside so far, oldest first."""
    name = re.compile(rf"{re.escape(folder.name)}\.damaged-\d+")
    found = (path for path in folder.parent.iterdir() if name.fullmatch(path.name))
    return sorted(found, key=_number)


def _number(path: Path) -> int:
    return int(path.name.rpartition("-")[2])
