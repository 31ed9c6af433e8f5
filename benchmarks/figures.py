"""What a measurement says: figures with their unit and budget, printed as one table and kept as JSON."""

import json
import math
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number.

    Parameters
    ----------
    name : str
        What was measured, with what makes it comparable.
    value : float or None
        None where it could not be measured; `note` says why.
    unit : str
        ``ms``, ``s``, ``B``, ``MiB`` and the like.
    budget : float, optional
        The most that is allowed, in the same unit.
    note : str
        What a reader must know to judge it.
    """

    name: str
    value: float | None
    unit: str
    budget: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the budget is kept: ``kept``, ``missed``, or nothing where there is none."""
        if self.budget is None or self.value is None:
            return ""
        return "kept" if self.value <= self.budget else "missed"


Measure = Callable[[bool], Sequence[Figure]]
"""Takes whether to be quick (fewer rounds, a rougher answer) and returns the figures."""


def percentile(values: Iterable[float], percent: float) -> float | None:
    """Return the percentile by linear interpolation; None without values."""
    found = list(values)
    return float(np.percentile(found, percent)) if found else None


def slope_per_hour(times_s: Sequence[float], values: Sequence[float]) -> float | None:
    """Return the least-squares slope of `values` per hour; None below three points."""
    if len(times_s) < 3:
        return None
    return float(np.polyfit(np.asarray(times_s), np.asarray(values), 1)[0]) * 3600


def machine() -> dict[str, str]:
    """Return the kind of machine, without its name."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "dash": version("dash"),
        "load": f"{os.getloadavg()[0]:.2f} over the last minute, at the start",
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def table(groups: dict[str, Sequence[Figure]]) -> str:
    """Return the figures as text, one line each."""
    rows = [("", "measured", "value", "budget", "", "note")]
    for group, found in groups.items():
        rows.extend(_row(group if i == 0 else "", figure) for i, figure in enumerate(found))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        for row in rows
    ]
    notes = [row[5] for row in rows]
    return "\n".join(f"{line}  {note}".rstrip() for line, note in zip(lines, notes, strict=True))


def _row(group: str, figure: Figure) -> tuple[str, ...]:
    budget = "" if figure.budget is None else f"≤ {written(figure.budget, figure.unit)}"
    value = written(figure.value, figure.unit)
    return group, figure.name, value, budget, figure.verdict, figure.note


def written(value: float | None, unit: str) -> str:
    """Return a value to three figures with its unit.

    Examples
    --------
    >>> written(0.012345, "s"), written(35470.2, "B"), written(None, "ms")
    ('0.0123 s', '35,470 B', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    digits = 0 if abs(value) >= 100 or value == 0 else 2 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, digits)}f} {unit}".rstrip()


def to_json(groups: dict[str, Sequence[Figure]], about: dict[str, str]) -> str:
    """Return figures and machine as JSON."""
    figures = {
        name: [asdict(figure) | {"verdict": figure.verdict} for figure in found]
        for name, found in groups.items()
    }
    return json.dumps({"machine": about, "figures": figures}, indent=2, ensure_ascii=False) + "\n"
