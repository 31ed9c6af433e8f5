"""``python -m benchmarks.calibration_plot ROWS.json OUT.svg``: draw what ``benchmarks.calibration --json`` kept.

On the left how often the 90 % band held, over all forecasts and by volatility; on the right the CRPS against level 1.
The picture is plain SVG with a background of its own, so that it reads on light and dark pages.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

PARTS = (
    ("cov90_calm", "calm third", "#7aa6c2"),
    ("cov90_usual", "usual third", "#3f7f5f"),
    ("cov90_wild", "wild third", "#c2572b"),
    ("cov90", "all", "#222222"),
)
"""Column, word and colour of each dot."""
LOW, HIGH = 0.70, 1.00
TARGET = (0.885, 0.915)
ROW, TOP = 44, 72
LEFT, RIGHT, WIDTH = (70.0, 390.0), (450.0, 690.0), 760
TICKS = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)


def svg(rows: Sequence[dict[str, Any]], title: str) -> str:
    """Return the picture of a table with one row per level."""
    height = TOP + ROW * len(rows) + 36
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" fill="#222222">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(12, 22, title, size=14),
        *_legend(),
        *_axes(TOP + ROW * len(rows)),
    ]
    gains = [row["crps_vs_l1_percent"] or 0.0 for row in rows]
    least = min(-1.0, *gains)
    for i, row in enumerate(rows):
        parts += _line(row, TOP + ROW * i + ROW / 2, least)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(row: dict[str, Any], y: float, least: float) -> list[str]:
    """Return the dots and the bar of one level."""
    gain = row["crps_vs_l1_percent"] or 0.0
    length = (RIGHT[1] - RIGHT[0]) * max(0.0, gain / least)
    dots = [
        f'<circle cx="{_across(row[column]):.1f}" cy="{y:.1f}" r="5" fill="{colour}">'
        f"<title>{row['level']}, {word}: {row[column]:.3f}</title></circle>"
        for column, word, colour in PARTS
        if row[column] is not None
    ]
    return [
        _text(20, y + 4, str(row["level"]), size=13),
        f'<line x1="{LEFT[0]}" y1="{y}" x2="{LEFT[1]}" y2="{y}" stroke="#dddddd"/>',
        *dots,
        f'<rect x="{RIGHT[0]}" y="{y - 8}" width="{length:.1f}" height="16" fill="#3f7f5f"/>',
        _text(RIGHT[0] + length + 6, y + 4, f"{gain:+.1f} %" if gain else "base"),
    ]


def _axes(bottom: float) -> list[str]:
    x, end = _across(TARGET[0]), _across(TARGET[1])
    band = f'<rect x="{x:.1f}" y="{TOP}" width="{end - x:.1f}" height="{bottom - TOP}" fill="#e4efe8"/>'
    ticks = [_text(_across(at), bottom + 16, f"{at:.2f}", anchor="middle") for at in TICKS]
    return [band, *ticks, _text(RIGHT[0], bottom + 16, "CRPS against level 1 (less is better)")]


def _legend() -> list[str]:
    found = [_text(LEFT[0], 46, "share inside the 90 % band:")]
    for i, (_, word, colour) in enumerate(PARTS):
        x = LEFT[0] + 160 + 105 * i
        found += [f'<circle cx="{x}" cy="42" r="5" fill="{colour}"/>', _text(x + 9, 46, word)]
    return found


def _across(share: float) -> float:
    return LEFT[0] + (min(HIGH, max(LOW, share)) - LOW) / (HIGH - LOW) * (LEFT[1] - LEFT[0])


def _text(x: float, y: float, words: str, size: int = 12, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(words)}</text>'


def main(argv: Sequence[str] | None = None) -> int:
    """Draw and return 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.calibration_plot", description=__doc__
    )
    parser.add_argument("rows", type=Path, help="what benchmarks.calibration kept with --json")
    parser.add_argument("out", type=Path, help="the picture, .svg")
    parser.add_argument("--title", default="", help="words above it")
    args = parser.parse_args(argv)
    rows = json.loads(args.rows.read_text(encoding="utf-8"))
    args.out.write_text(svg(rows, args.title), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
