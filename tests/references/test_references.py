"""Every reference value that a kernel can answer is met; what no kernel answers is listed with its reason."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.kernels import tail_risk as tail
from engine.kernels.ratios import sharpe_ratio
from engine.kernels.returns import log_returns
from tests.references.__main__ import main
from tests.references.answers import (
    ANSWERS,
    LEFT_OUT,
    NOT_BUILT,
    UNKNOWN,
    find_answer,
    left_out,
    reason_for,
)
from tests.references.checking import Verdict, check
from tests.references.inputs import DataFolder, cases, read_entries

ROOT = Path(__file__).parents[2]
FILE = ROOT / "tests/data/references.json"
REFERENCES = read_entries(FILE)
CASES = cases(REFERENCES, DataFolder(ROOT))
YEAR = 252


def key_of(entry):
    return entry["group"], entry["name"]


def test_every_entry_is_answered_or_listed_with_a_reason():
    for entry in REFERENCES:
        is_answered = find_answer(*key_of(entry)) is not None
        assert is_answered != (reason_for(*key_of(entry)) != UNKNOWN), entry["id"]
    assert not ANSWERS.keys() & NOT_BUILT.keys()
    assert LEFT_OUT.keys() <= ANSWERS.keys()


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if find_answer(*key_of(case.entry))],
    ids=lambda case: case.entry["id"],
)
def test_a_kernel_meets_its_reference_value(case):
    outcome = check(case)
    assert outcome.verdict is Verdict.PASSED, [*map(str, outcome.misses), outcome.reason]
    assert outcome.left_out == left_out(*key_of(case.entry))


def test_the_tolerances_can_tell_neighbouring_definitions_apart():
    r, closes = CASES[0].returns(), CASES[0].prices()
    interpolated = -np.quantile(r, 0.05)
    assert abs(tail.value_at_risk(r) - interpolated) > 1e-6 * interpolated
    logs = log_returns(closes.to_numpy())
    assert abs(sharpe_ratio(logs, YEAR) / sharpe_ratio(r, YEAR) - 1.0) > 1e-6


# The command


def entry_of(name, /, **changes):
    """A copy of the first entry of that name, changed."""
    found = next(entry for entry in REFERENCES if entry["name"] == name)
    return copy.deepcopy(found) | changes


@pytest.fixture
def run(tmp_path, capsys):
    """Return the exit code, the output and the errors for a list of entries, a text, or a file."""

    def run(content, data=ROOT):
        file = content
        if not isinstance(content, Path):
            file = tmp_path / "values.json"
            file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        code = main([str(file), "--data", str(data)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_the_whole_passes_with_0():
    ran = subprocess.run(
        [sys.executable, "-m", "tests.references", str(FILE), "--data", str(ROOT)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    summary = ran.stdout.splitlines()[-1]
    assert summary.startswith(f"{len(REFERENCES)} entries: ")
    assert " 0 failed" in summary
    assert " 0 no data" in summary


def test_a_wrong_expected_value_gives_1_and_both_values(run):
    right = entry_of("VaR_normal")
    wrong = right | {"id": "wrong", "expected": 0.02}
    code, out, _ = run([right, wrong])
    assert code == 1
    (line,) = [line for line in out.splitlines() if line.startswith("FAILED")]
    actual = float(line.split("was ")[1].split(",")[0])
    assert actual == pytest.approx(right["expected"], rel=1e-6)
    assert "wrong expected 0.02," in line
    assert "allowed 2e-08" in line
    assert f"passed {right['id']}" in out
    assert out.endswith("2 entries: 1 passed, 1 failed, 0 uncovered, 0 no data\n")


def test_one_wrong_value_among_several_is_named(run):
    entry = entry_of("kupiec_pof")
    entry["expected"]["pvalue"] = 0.5
    code, out, _ = run([entry])
    assert code == 1
    assert "pvalue: expected 0.5, was 0.7579" in out
    assert "LR: " not in out


@pytest.mark.parametrize("value", [None, "0.0193", float("nan"), True])
def test_an_expected_value_that_is_no_number_is_never_met(run, value):
    code, out, _ = run([entry_of("VaR_normal", expected=value)])
    assert code == 1
    assert f"expected {value}, was 0.0193" in out


def test_an_unknown_name_is_uncovered_and_does_not_fail(run):
    code, out, _ = run([entry_of("VaR_normal", name="VaR_of_tomorrow")])
    assert code == 0
    assert f"uncovered risk.VaR_of_tomorrow (1): {UNKNOWN}" in out
    assert "1 uncovered" in out


def test_an_unknown_value_of_a_known_name_is_uncovered_too(run):
    entry = entry_of("kupiec_pof")
    entry["expected"]["power"] = 0.9
    code, out, _ = run([entry])
    assert code == 0
    assert f"uncovered backtest.kupiec_pof power: {UNKNOWN}" in out


def test_a_known_name_without_a_kernel_says_why(run):
    code, out, _ = run([entry_of("VaR_hist_linear"), entry_of("VaR_hist_linear", id="again")])
    assert code == 0
    assert "uncovered risk.VaR_hist_linear (2): not adopted" in out


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"file": "data/local/no_such_prices.parquet"}, "no_such_prices.parquet is not below"),
        ({"symbol": "NOBODY"}, "closes.parquet has no rows of NOBODY"),
        ({"column": "bid"}, "closes.parquet has no column bid"),
        ({"start": "2050-01-01"}, "closes.parquet has no rows from 2050-01-01"),
    ],
)
def test_missing_data_is_said_and_does_not_fail(run, changes, what):
    entry = entry_of("VaR_normal")
    entry["data"] |= changes
    code, out, _ = run([entry], ROOT / "tests/data")
    assert code == 0
    assert f"no data risk.VaR_normal (1): {what}" in out
    assert out.endswith("0 uncovered, 1 no data\n")


@pytest.mark.parametrize("changes", [{"resample": "by_moon"}, {"transform": "ranks"}])
def test_a_form_that_is_not_known_is_uncovered(run, changes):
    entry = entry_of("VaR_normal")
    entry["data"] |= changes
    code, out, _ = run([entry])
    assert code == 0
    assert f"{next(iter(changes.values()))!r} is not known here" in out


def test_a_kernel_that_refuses_is_a_failure_with_its_message(run):
    code, out, _ = run([entry_of("kupiec_pof", params={"T": 10, "x": 11, "p": 0.01})])
    assert code == 1
    assert "no answer: InvalidValueError: exceptions must lie between 0 and n = 10" in out


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("[1, 2", "FILE must be JSON"),
        ("{}", "FILE must hold a list of entries, was dict"),
        ("[]", "FILE must hold a list of entries"),
        ('[{"id": "a"}]', "was without group, name, expected"),
        ("[3]", "entry 0 must have id, group, name, expected"),
        (Path("no/such/file.json"), "FILE must be a file that can be read"),
    ],
)
def test_a_bad_file_gives_2_and_the_remedy(run, content, what):
    code, out, err = run(content)
    assert (code, out) == (2, "")
    assert what in err
    assert ";" in err


def test_a_data_folder_that_is_none_gives_2(run):
    code, out, err = run(FILE, ROOT / "no/such/folder")
    assert (code, out) == (2, "")
    assert "--data must be a folder" in err


def test_arguments_that_are_missing_give_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([str(FILE)])
    assert stopped.value.code == 2
    assert "--data" in capsys.readouterr().err


# Reading data


@pytest.fixture
def asked(tmp_path):
    """Return the case of one entry about a file that lies in the temporary folder."""

    def asked(data, **rest):
        entry = {"id": "a", "group": "perf", "name": "cagr", "expected": 0.0, "data": data, **rest}
        return cases([entry], DataFolder(tmp_path))[0]

    return asked


def half_days(tmp_path):
    times = pd.date_range("2024-01-01", periods=8, freq="12h", tz="UTC")
    frame = pd.DataFrame({"timestamp": times, "symbol": "X", "close": 2.0 ** np.arange(8.0)})
    (tmp_path / "deep/er").mkdir(parents=True)
    frame.to_parquet(tmp_path / "deep/er/prices.parquet")


def test_a_file_is_found_by_its_name_and_days_are_whole(asked, tmp_path):
    half_days(tmp_path)
    where = {"file": "elsewhere/prices.parquet", "symbol": "X", "column": "close"}
    where |= {"start": "2024-01-02", "end": "2024-01-03"}
    assert asked(where).prices().tolist() == [4.0, 8.0, 16.0, 32.0]
    where |= {"resample": "last_close_per_utc_day"}
    assert asked(where).prices().tolist() == [8.0, 32.0]
    assert asked(where).returns().tolist() == [3.0]


def test_the_path_given_comes_before_the_name_alone(asked, tmp_path):
    for folder, price in (("a", 1.0), ("b", 2.0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "prices.csv").write_text(f"close\n{price}\n")
    assert asked({"file": "b/prices.csv"}).prices().tolist() == [2.0]
    assert asked({"file": "data/b/prices.csv"}).prices().tolist() == [2.0]
    assert asked({"file": "c/prices.csv"}).prices().tolist() == [1.0]


def test_several_symbols_share_their_timestamps_and_count_days_by_returns(asked, tmp_path):
    days = pd.date_range("2024-01-01", periods=4, tz="UTC")
    one = pd.DataFrame({"timestamp": days, "symbol": "A", "close": [1.0, 2.0, 3.0, 6.0]})
    two = pd.DataFrame({"timestamp": days[[0, 1, 3]], "symbol": "B", "close": [1.0, 1.0, 3.0]})
    pd.concat([one, two]).to_parquet(tmp_path / "two.parquet")
    where = {"file": "two.parquet", "column": "close", "start": "2024-01-03"}
    assert asked(where).returns_together(["A", "B"]).tolist() == [[2.0, 2.0]]


@pytest.mark.parametrize("name", ["rates.txt", "rates.csv"])
def test_a_file_without_times_gives_its_first_column(asked, tmp_path, name):
    text = "  Y\n .125\n-.5\n" if name.endswith("txt") else "growth,other\n.125,7\n-.5,8\n"
    (tmp_path / name).write_text(text)
    assert asked({"file": name, "column": "close"}).prices().tolist() == [0.125, -0.5]


@pytest.mark.parametrize(
    ("rest", "periods"),
    [
        ({"definition": "AF=365"}, 365.0),
        ({"definition": "mean/std(ddof=1)*sqrt(24*365)"}, 8760.0),
        ({"source": "(1+mean(ra-beta*rb))^12-1"}, 12.0),
        ({"definition": "cagr/|mdd|"}, 252.0),
        ({"data": {"resample": "last_close_per_utc_day"}}, 365.0),
    ],
)
def test_periods_per_year_are_those_that_the_entry_says(rest, periods):
    entry = {"id": "a", "group": "perf", "name": "cagr", "expected": 0.0} | rest
    assert cases([entry], DataFolder(ROOT))[0].periods == periods


def test_an_entry_that_says_no_periods_takes_those_of_the_same_data():
    says = {"id": "a", "group": "perf", "name": "cagr", "expected": 0.0, "definition": "AF=8760"}
    says |= {"data": {"file": "hours.parquet", "symbol": "X"}}
    silent = says | {"name": "calmar", "definition": ""}
    other = silent | {"data": {"file": "hours.parquet", "symbol": "Y"}}
    found = [case.periods for case in cases([silent, says, other], DataFolder(ROOT))]
    assert found == [8760.0, 8760.0, 252.0]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("l=-2,u=3,alpha=.1,y=4", {"l": -2.0, "u": 3.0, "alpha": 0.1, "y": 4.0}),
        ("IBM: ADV=6561000.0, shares out=1.7e9, T=0.1d", {"ADV": 6561000.0, "shares out": 1.7e9, "T": 0.1}),
        ("ens=[-1.2,.3,5.0], y=1.0", {"y": 1.0}),
    ],
)  # fmt: skip
def test_numbers_are_read_from_the_words_of_an_entry(asked, text, named):
    assert asked(None, dataset=text).numbers() == named
