"""How long it takes to begin and to end: the import, the first answer from an empty and a used home, the stop."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.servers import ROOT, Server, cpu_s

USE_S = 20.0
"""How long a home is used before it is started again."""


def measure(is_quick: bool) -> Sequence[Figure]:
    """Return the import over the bare interpreter, start to first answer, and stop."""
    return [
        _import_cost(5 if is_quick else 15),
        *_life(1 if is_quick else 3, 3.0 if is_quick else USE_S),
    ]


def _import_cost(n: int) -> Figure:
    """Return the median difference between runs in turn, so that a busy moment hits both."""
    bare, ours = [], []
    for _ in range(n + 1):
        bare.append(_run("pass"))
        ours.append(_run("import engine"))
    return Figure(
        name="import engine over the bare interpreter", value=median(ours[1:]) - median(bare[1:]), unit="s",
        budget=0.15, note=f"medians of {n}; interpreter alone {median(bare[1:]):.3f} s",
    )  # fmt: skip


def _run(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    return time.perf_counter() - began


def _life(n: int, use_s: float) -> list[Figure]:
    empty, used, stops, cpu = [], [], [], []
    for _ in range(n):
        with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
            server = Server(Path(folder) / "home")
            empty.append(server.start())
            cpu.append(cpu_s(server))
            time.sleep(use_s)
            stops.append(server.stop())
            used.append(server.start())
            stops.append(server.stop())
    told = f"worst of {n}, process start to 200 on /healthz"
    return [
        Figure(name="app start to first answer, empty home", value=max(empty), unit="s", budget=4.0, note=told),
        Figure(
            name="app start to first answer, used home", value=max(used), unit="s", budget=4.0,
            note=f"{told}; used for {use_s:.0f} s",
        ),
        Figure(
            name="CPU time up to the first answer", value=median(cpu), unit="s",
            note="of the process; the least that the wait can be (a busy machine inflates this too)",
        ),
        Figure(
            name="SIGTERM to the end of the process", value=max(stops), unit="s", budget=5.0, note=f"worst of {2 * n}"
        ),
    ]  # fmt: skip
