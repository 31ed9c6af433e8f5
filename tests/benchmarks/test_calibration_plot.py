"""The picture of a calibration table: every level has its dots, its bar and its words."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.calibration_plot import main

ROWS = [
    {
        "level": "L1", "cov90": 0.91, "cov90_calm": 0.98, "cov90_usual": None, "cov90_wild": 0.65,
        "crps_vs_l1_percent": 0.0,
    },
    {
        "level": "L2", "cov90": 0.9, "cov90_calm": 0.9, "cov90_usual": 0.91, "cov90_wild": 0.87,
        "crps_vs_l1_percent": -6.9,
    },
]  # fmt: skip
SPACE = "{http://www.w3.org/2000/svg}"


def test_each_level_has_dots_a_bar_and_words(tmp_path: Path):
    rows, out = tmp_path / "rows.json", tmp_path / "plot.svg"
    rows.write_text(json.dumps(ROWS))
    assert main([str(rows), str(out), "--title", "S&P <days>"]) == 0
    root = ET.fromstring(out.read_text(encoding="utf-8"))  # noqa: S314 -- our own picture
    dots = [dot for dot in root.iter(f"{SPACE}circle") if len(dot)]
    assert [dot[0].text for dot in dots] == [
        "L1, calm third: 0.980", "L1, wild third: 0.650", "L1, all: 0.910",
        "L2, calm third: 0.900", "L2, usual third: 0.910", "L2, wild third: 0.870", "L2, all: 0.900",
    ]  # fmt: skip
    assert all(70.0 <= float(dot.get("cx", 0)) <= 390.0 for dot in dots), "inside the axis"
    words = [text.text for text in root.iter(f"{SPACE}text")]
    assert {"S&P <days>", "base", "-6.9 %"} <= set(words)
