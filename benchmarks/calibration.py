"""``python -m benchmarks.calibration --data FILE --symbol S``: walk each level forward over your data, and judge it.

No forecast sees what comes after its origin. One line is printed per level; with ``--portfolio`` several symbols are
drawn together and held in equal parts.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.level_walk import LevelWalk
from benchmarks.portfolio_walk import PortfolioLine, portfolio_lines
from benchmarks.walk_forward import (
    Forecaster,
    SettledForecasts,
    WalkPlan,
    forecasts,
    gbm_law,
    report,
    settle,
)
from engine.domain.errors import PilothouseError, must
from engine.domain.forecast import SimulationLevel
from engine.forecasts.levels import Levels
from engine.forecasts.past import WINDOW, Past

SINGLE = "1,2,3,5"
BASE = 1
TIMES = ("timestamp", "date", "day", "time", "datetime")
T = TypeVar("T")


def read_frame(path: Path) -> pd.DataFrame:
    """Return a CSV or Parquet file, sorted by its time column (``time``) if it has one."""
    if not path.is_file():
        raise must("--data", "be a file", str(path), "give the path of a CSV or Parquet file")
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except ValueError as error:
        raise must("--data", "be a CSV or Parquet file", str(path), f"see to it: {error}") from None
    named = {str(name).lower(): name for name in frame.columns}
    time = next((named[name] for name in TIMES if name in named), None)
    if time is not None:
        frame["time"] = _moments(str(time), frame[time])
        frame = frame.sort_values("time")
    return frame


def series_of(frame: pd.DataFrame, symbol: str | None, column: str, window: int) -> Past:
    """Return the closes of one symbol; rows without a price are left out."""
    symbols = sorted(map(str, set(frame["symbol"]))) if "symbol" in frame else []
    if symbol is None and len(symbols) > 1:
        raise must("--symbol", "name one of the file's symbols", symbol, f"it has {symbols}")
    rows = frame[frame["symbol"] == symbol] if symbol and "symbol" in frame else frame
    if column not in rows or rows.empty:
        known = symbols or list(frame.columns)
        raise must("--symbol, --column", "be in the file", f"{symbol}, {column}", f"it has {known}")
    if not pd.api.types.is_numeric_dtype(rows[column]):
        raise must("--column", "hold numbers", column, "name the column of prices")
    rows = rows[rows[column] > 0]
    epoch = pd.Timestamp(0, tz="UTC")
    return Past(
        symbol=symbol or "series",
        closes=rows[column].to_numpy(float),
        closes_at=(rows["time"] - epoch).dt.total_seconds().to_numpy(float) if "time" in rows else np.empty(0),
        volumes=rows["volume"].fillna(0.0).to_numpy(float) if "volume" in rows else np.empty(0),
        window=window,
    )  # fmt: skip


def _moments(name: str, given: Any) -> Any:  # noqa: ANN401 -- a date or a column of them, as pandas has it
    try:
        return pd.to_datetime(given, utc=True)
    except ValueError as error:
        raise must(name, "be a date", f"otherwise ({error})", "write it as 2003-01-31") from None


def plan_of(series: Past, horizon: int, start: str | None, every: int) -> WalkPlan:
    """Return the origins asked for: from `start` on, but not before the window is full."""
    first = series.window
    if start is not None:
        if not series.closes_at.size:
            raise must(
                "--start", "be left out for a file without times", start, "add a time column"
            )
        moment = _moments("--start", start).timestamp()
        first = max(first, int(np.searchsorted(series.closes_at, moment)))
    return WalkPlan(first=first, horizon=horizon, step=every)


def walked(
    series: Past, plan: WalkPlan, numbers: Sequence[int]
) -> dict[int, tuple[SettledForecasts, str]]:
    """Return each level's settled forecasts, and why some of them are a lower level's.

    The levels walk side by side and share their fits, which are the dear part.
    """
    levels = Levels()
    walks = {n: LevelWalk(SimulationLevel(n), series.until, levels=levels) for n in numbers}
    laws = [forecasts(series.closes, plan, _base(series) if n == BASE else walks[n]) for n in numbers]  # fmt: skip
    origins = plan.origins(series.closes.size)
    made = list(shown(zip(*laws, strict=True), len(origins), "origins"))
    return {
        n: (settle(series.closes, plan, column), "; ".join(walks[n].notes.values()))
        for n, column in zip(numbers, zip(*made, strict=True), strict=True)
    }


def _base(series: Past) -> Forecaster:
    """Return level 1 in closed form, without the noise of draws."""
    return lambda closes, horizon: gbm_law(closes[-series.window - 1 :], horizon)


def shown(items: Iterable[T], n: int, words: str) -> Iterator[T]:
    """Yield the items with a bar on the error stream that shows progress and time left."""
    yield from tqdm(items, total=n, desc=words, file=sys.stderr, leave=False)


def row_of(name: str, settled: SettledForecasts, base: SettledForecasts) -> dict[str, Any]:
    """Return one line of the table as plain numbers."""
    r = report(settled, base)
    covered = {f"cov{100 * band.nominal:.0f}": band.share.value for band in r.coverage}
    terciles = ["calm", "usual", "wild"]
    by_tercile = {
        f"cov90_{word}": None if band is None else band.share.value
        for word, band in zip(terciles, r.by_tercile, strict=True)
    }
    t = r.diebold_mariano
    return {
        "level": name, "n": r.n, **covered, **by_tercile,
        "var99_exceptions": r.exceptions / r.n,
        "var999_exceptions": float((settled.outcomes < settled.quantiles[:, 0]).mean()),
        "independence_lr": None if r.independence is None else r.independence.statistic,
        "pit_ks": r.pit_distance,
        "crps": r.crps,
        "crps_vs_l1_percent": None if r.relative_crps is None else 100.0 * r.relative_crps,
        "dm_t": None if t is None else t.t,
    }  # fmt: skip


def table(rows: list[dict[str, Any]]) -> str:
    """Return lines of text, a column per key."""
    names = list(rows[0])
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    return "\n".join(
        "  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in cells
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def single(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a line per level for one symbol."""
    if len(args.symbol or ()) > 1:
        raise must("--symbol", "name one symbol", args.symbol, "walk several with --portfolio")
    series = series_of(
        read_frame(args.data), args.symbol[0] if args.symbol else None, args.column, args.window
    )
    plan = plan_of(series, args.horizon, args.start, args.every)
    found = walked(series, plan, (BASE, *(n for n in args.levels if n != BASE)))
    for number, (_, note) in found.items():
        if note:
            sys.stderr.write(f"L{number}: {note}\n")
    return [row_of(f"L{n}", found[n][0], found[BASE][0]) for n in args.levels]


def portfolio(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a line per model for several symbols held in equal parts."""
    if len(args.symbol or ()) < 2:
        raise must("--portfolio", "name at least two symbols", args.symbol, "give them to --symbol")
    frame = read_frame(args.data)
    all_series = [series_of(frame, symbol, args.column, args.window) for symbol in args.symbol]
    common = reduce(np.intersect1d, (s.closes_at for s in all_series))
    if common.size <= args.window + args.horizon:
        raise must(
            "--portfolio", "have symbols with common times", int(common.size), "choose others"
        )
    cut = [
        Past(
            symbol=s.symbol,
            closes=s.closes[np.searchsorted(s.closes_at, common)],
            closes_at=common,
            window=args.window,
        )
        for s in all_series
    ]
    plan = plan_of(cut[0], args.horizon, args.start, args.every)
    logs = np.log(np.column_stack([s.closes for s in cut]))
    lines: list[PortfolioLine] = portfolio_lines(
        lambda n: [s.until(n) for s in cut], plan.origins(common.size), logs, args.horizon,
        lambda origins, n: shown(origins, n, "portfolio"),
    )  # fmt: skip
    return [asdict(line) for line in lines]


def parsed(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FILE", help="CSV or Parquet, one row per bar"
    )
    parser.add_argument(
        "--symbol", nargs="+", metavar="S", help="which rows, where the file has a column symbol"
    )
    parser.add_argument("--column", default="close", help="which column holds the price (close)")
    parser.add_argument("--horizon", type=int, default=1, metavar="H", help="bars ahead (1)")
    parser.add_argument(
        "--window",
        type=int,
        default=WINDOW,
        metavar="W",
        help=f"returns behind each estimate ({WINDOW})",
    )
    parser.add_argument(
        "--start",
        metavar="DATE",
        help="first origin; as soon as the window is full where it is left out",
    )
    parser.add_argument(
        "--every", type=int, default=1, metavar="K", help="bars between two forecasts (1)"
    )
    parser.add_argument(
        "--levels",
        type=_levels,
        default=_levels(SINGLE),
        metavar="1,2",
        help=f"which levels ({SINGLE})",
    )
    parser.add_argument(
        "--portfolio",
        action="store_true",
        help="draw all symbols together and hold them in equal parts",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="keep the figures here as well")
    return parser.parse_args(argv)


def _levels(text: str) -> tuple[int, ...]:
    try:
        return tuple(SimulationLevel(int(part)).value for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be numbers from 1 to 5, was {text!r}; give for example 1,2,3"
        ) from None


def main(argv: list[str] | None = None) -> int:
    """Walk, print and keep; return the exit code."""
    args = parsed(argv)
    try:
        rows = portfolio(args) if args.portfolio else single(args)
    except PilothouseError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(table(rows) + "\n")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
