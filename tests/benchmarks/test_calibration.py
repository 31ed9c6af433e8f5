"""The calibration command on tiny files: what it prints, keeps, and refuses by name."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration import main, plan_of, read_frame, series_of
from tests.forecasts.pasts import restless

N = 150
KEYS = {
    "level", "n", "cov50", "cov80", "cov90", "cov95", "cov90_calm", "cov90_usual", "cov90_wild", "var99_exceptions",
    "var999_exceptions", "independence_lr", "pit_ks", "crps", "crps_vs_l1_percent", "dm_t",
}  # fmt: skip


def frame(symbols=("AAA", "BBB")) -> pd.DataFrame:
    days = pd.date_range("2020-01-01", periods=N, freq="D")
    parts = [
        pd.DataFrame({
            "date": days, "symbol": symbol, "volume": 1.0,
            "close": 100.0 * np.exp(np.cumsum(restless(N, seed))),
        })
        for seed, symbol in enumerate(symbols)
    ]  # fmt: skip
    return pd.concat(parts).sample(frac=1.0, random_state=1)  # in no order


@pytest.fixture(scope="module")
def csv(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data") / "two.csv"
    frame().to_csv(path, index=False)
    return path


def run(*more: str, data: Path) -> int:
    return main(["--data", str(data), *more])


def test_a_line_per_level_is_printed_and_kept(csv: Path, tmp_path: Path, capsys):
    out = tmp_path / "rows.json"
    code = run("--symbol", "AAA", "--window", "100", "--every", "4", "--levels", "1,2,3,5",
               "--json", str(out), data=csv)  # fmt: skip
    assert code == 0
    rows = json.loads(out.read_text())
    assert [row["level"] for row in rows] == ["L1", "L2", "L3", "L5"]
    assert all(set(row) == KEYS for row in rows)
    assert {row["n"] for row in rows} == {13}
    assert rows[0]["crps_vs_l1_percent"] == 0.0
    said = capsys.readouterr()
    head, *lines = said.out.splitlines()
    assert set(head.split()) == KEYS
    assert len(lines) == 4
    assert "L5: level 4 stands in for level 5: closes must have at least" in said.err
    assert said.err.count("stands in") == 1


def test_parquet_gives_the_same_as_csv(csv: Path, tmp_path: Path, capsys):
    parquet = tmp_path / "two.parquet"
    frame().to_parquet(parquet, index=False)
    printed = []
    for path in (csv, parquet):
        assert run("--symbol", "AAA", "--window", "100", "--levels", "1", data=path) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]


def test_rows_are_put_in_order_and_those_without_a_price_are_left_out(tmp_path: Path):
    path = tmp_path / "gaps.csv"
    path.write_text("Day,Close\n2020-01-03,3\n2020-01-01,1\n2020-01-02,\n2020-01-04,0\n")
    series = series_of(read_frame(path), None, "Close", 10)
    assert (series.symbol, series.closes.tolist()) == ("series", [1.0, 3.0])
    assert np.diff(series.closes_at).tolist() == [2 * 86_400.0]
    assert series.volumes.size == 0


def test_the_first_origin_has_a_full_window_and_is_not_before_the_start(csv: Path):
    series = series_of(read_frame(csv), "AAA", "close", 100)
    assert plan_of(series, 1, None, 1).first == 100
    assert plan_of(series, 1, "2020-01-05", 1).first == 100
    assert plan_of(series, 5, "2020-05-01", 3).first == 121
    assert series.until(101).closes.size == 101


WRONG = {
    ("--symbol", "CCC"): "--symbol, --column must be in the file, was 'CCC, close'; it has ['AAA', 'BBB']",
    ("--symbol", "AAA", "--column", "price"): "was 'AAA, price'",
    ("--symbol", "AAA", "--start", "soon"): "--start must be a date",
    ("--symbol", "AAA", "--start", "2031-01-01"): "closes must have at least",
    ("--symbol", "AAA", "--window", "500"): "closes must have at least",
    ("--symbol", "AAA", "--every", "0"): "step",
    ("--symbol", "AAA", "--horizon", "0"): "horizon",
    ("--symbol", "AAA", "--window", "0"): "first",
    ("--portfolio", "--symbol", "AAA", "CCC"): "was 'CCC, close'",
    ("--symbol", "AAA", "--column", "date"): "--column must hold numbers",
    ("--portfolio", "--symbol", "AAA", "BBB", "--window", "50"): "--window must be at least 100, was 50",
    ("--portfolio",): "--portfolio must name at least two symbols",
    (): "--symbol must name one of the file's symbols, was None",
    ("--symbol", "AAA", "BBB"): "--symbol must name one symbol, was ['AAA', 'BBB']",
}  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_what_cannot_be_walked_is_refused_by_name(csv: Path, arguments: tuple[str, ...], capsys):
    assert run(*arguments, data=csv) == 2
    said = capsys.readouterr()
    assert WRONG[arguments] in said.err
    assert said.out == ""


def test_a_file_that_is_none_or_cannot_be_read_is_refused(tmp_path: Path, capsys):
    assert run(data=tmp_path / "none.csv") == 2
    assert "--data must be a file" in capsys.readouterr().err
    assert run(data=tmp_path) == 2
    assert "--data must be a file" in capsys.readouterr().err
    for name in ("broken.parquet", "empty.csv"):
        path = tmp_path / name
        path.write_text("")
        assert run(data=path) == 2
        assert "--data must be a CSV or Parquet file" in capsys.readouterr().err


def test_a_column_of_times_that_are_none_is_refused(tmp_path: Path, capsys):
    path = tmp_path / "times.csv"
    path.write_text("date,close\nyesterday,1\n")
    assert run(data=path) == 2
    assert "date must be a date" in capsys.readouterr().err


def test_a_file_without_times_is_walked_but_has_no_start(tmp_path: Path, capsys):
    path = tmp_path / "bare.csv"
    frame(("AAA",))[["close"]].to_csv(path, index=False)
    assert run("--window", "100", "--levels", "1", data=path) == 0
    assert run("--start", "2020-01-01", data=path) == 2
    assert "--start must be left out for a file without times" in capsys.readouterr().err


@pytest.mark.parametrize("levels", ["6", "x", "1,,2", ""])
def test_senseless_levels_are_refused(csv: Path, levels: str, capsys):
    with pytest.raises(SystemExit) as error:
        run("--levels", levels, data=csv)
    assert error.value.code == 2
    assert "must be numbers from 1 to 5" in capsys.readouterr().err


def test_a_portfolio_is_compared_with_gbm(csv: Path, tmp_path: Path, capsys):
    out = tmp_path / "rows.json"
    code = run("--portfolio", "--symbol", "AAA", "BBB", "--window", "120", "--every", "10",
               "--json", str(out), data=csv)  # fmt: skip
    assert code == 0
    rows = json.loads(out.read_text())
    assert [row["model"] for row in rows] == ["GBM, independent", "GBM, correlated", "level 4"]
    for row in rows:
        assert row["n"] == 3
        assert 0.0 <= row["coverage_90"] <= 1.0
        assert row["energy"] > 0.0
    assert len(capsys.readouterr().out.splitlines()) == 4
