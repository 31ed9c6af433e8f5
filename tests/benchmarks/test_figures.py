import json
import re
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES, main
from benchmarks.figures import Figure, machine, percentile, slope_per_hour, table, to_json

KEPT = Figure(name="fast", value=9.0, unit="ms", budget=10.0)
MISSED = Figure(name="slow", value=11.0, unit="ms", budget=10.0, note="why")
UNKNOWN = Figure(name="absent", value=None, unit="ms", budget=10.0)


def test_a_budget_is_kept_up_to_its_last_unit() -> None:
    assert [f.verdict for f in (KEPT, MISSED, UNKNOWN)] == ["kept", "missed", ""]
    assert Figure(name="x", value=10.0, unit="ms", budget=10.0).verdict == "kept"


def test_the_table_names_every_figure_with_its_verdict() -> None:
    lines = table({"group": [KEPT, MISSED, UNKNOWN]}).splitlines()
    assert re.match(r"group +fast +9\.00 ms +≤ 10\.0 ms +kept$", lines[1])
    assert lines[2].endswith("missed  why")
    assert "–" in lines[3]


def test_the_json_carries_values_verdicts_and_the_machine() -> None:
    told = json.loads(to_json({"group": [MISSED]}, machine()))
    assert told["figures"]["group"][0]["value"] == 11.0
    assert told["figures"]["group"][0]["verdict"] == "missed"
    assert told["machine"]["cores"].isdigit()


def test_a_percentile_of_nothing_is_unknown() -> None:
    assert percentile([], 99) is None
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0


def test_a_slope_is_per_hour() -> None:
    assert slope_per_hour([0.0, 10.0, 20.0], [1.0, 2.0, 3.0]) == pytest.approx(360.0)
    assert slope_per_hour([0.0, 10.0], [1.0, 2.0]) is None


def test_every_name_is_a_module_that_measures() -> None:
    folder = Path(__file__).parents[2] / "benchmarks"
    measuring = {f.stem for f in folder.glob("*.py") if "\ndef measure(is_quick" in f.read_text()}
    assert measuring == set(NAMES)


def test_the_command_keeps_its_figures_where_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "figures.json"
    assert main(["publishing", "--quick", "--json", str(kept)]) == 0
    assert set(json.loads(kept.read_text())["figures"]) == {"publishing"}
    assert "publish to 5 inline handlers" in capsys.readouterr().out


def test_a_measurement_that_fails_is_told_and_ends_in_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(is_quick: bool) -> list[Figure]:
        raise RuntimeError("the ground moved")

    monkeypatch.setattr("benchmarks.publishing.measure", broken)
    kept = tmp_path / "figures.json"
    assert main(["publishing", "--json", str(kept)]) == 1
    assert "the ground moved" in capsys.readouterr().out
    assert json.loads(kept.read_text())["figures"]["publishing"][0]["value"] is None
