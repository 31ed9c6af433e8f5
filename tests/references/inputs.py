"""What an entry of a file of reference values asks about: its prices, returns, bars and numbers.

A price file stands below the data folder as the path given or, failing that, under its name anywhere.
Returns are fractions, whatever unit the entry speaks of.
"""

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from engine.kernels.returns import simple_returns
from engine.kernels.series import FloatArray

Entry = dict[str, Any]
Rows = TypeVar("Rows", pd.DataFrame, pd.Series)
NEEDED = ("id", "group", "name", "expected")
DAILY, WEEKLY = "last_close_per_utc_day", "compounded_to_weeks_ending_friday"
EQUITY_YEAR, CRYPTO_YEAR = 252.0, 365.0
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_NAMED = re.compile(rf"([^,:=|]+)=\s*({_NUMBER})", re.IGNORECASE)
_PRODUCT = r"(\d+(?:\*\d+)*)"
_YEAR = re.compile(rf"AF={_PRODUCT}|sqrt\({_PRODUCT}\)|\)\^{_PRODUCT}-1")


class BadFileError(Exception):
    """The file of reference values cannot be used at all."""


class MissingDataError(Exception):
    """The data folder does not hold what an entry asks for."""


class UnknownFormError(Exception):
    """An entry asks in a form that nobody has taught us."""


def read_entries(path: Path) -> list[Entry]:
    """Return the entries of a file of reference values.

    Raises
    ------
    BadFileError
        The file cannot be read, is no JSON or holds something else.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFileError(
            f"FILE must be a file that can be read, was {str(path)!r} ({error.strerror}); check the path"
        ) from None
    except ValueError as error:
        raise BadFileError(
            f"FILE must be JSON, was {str(path)!r} ({error}); repair it or name another"
        ) from None
    if not isinstance(entries, list) or not entries:
        raise BadFileError(
            f"FILE must hold a list of entries, was {type(entries).__name__}; name another file"
        )
    for place, entry in enumerate(entries):
        missing = [key for key in NEEDED if not isinstance(entry, dict) or key not in entry]
        if missing:
            raise BadFileError(
                f"entry {place} must have {', '.join(NEEDED)}, was without {', '.join(missing)}; add them"
            )
    return entries


@dataclass(frozen=True)
class DataFolder:
    """A folder of price files; each is read once."""

    root: Path

    def find(self, file: str) -> Path:
        """Return where `file` stands: by its path, by the end of its path, or by its name alone."""
        parts = Path(file).parts
        for begin in range(len(parts)):
            candidate = self.root.joinpath(*parts[begin:])
            if candidate.is_file():
                return candidate
        if parts[-1] not in self._by_name:
            raise MissingDataError(f"{parts[-1]} is not below {self.root}")
        return self._by_name[parts[-1]]

    @functools.cached_property
    def _by_name(self) -> dict[str, Path]:
        """Every file below the folder; of two with one name the first in the order of paths."""
        paths = sorted(self.root.rglob("*"), reverse=True)
        return {path.name: path for path in paths if path.is_file()}

    def table(self, file: str) -> pd.DataFrame:
        """Return a file's rows, indexed by UTC time where it has one."""
        return _read_table(self.find(file))


@functools.cache
def _read_table(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    elif path.suffix == ".csv":
        frame = pd.read_csv(path)
    elif path.suffix == ".txt":
        frame = pd.read_csv(path, sep=r"\s+")
    else:
        raise UnknownFormError(f"{path.name} is no parquet, csv or txt file")
    for name in ("timestamp", "day"):
        if name in frame.columns:
            times = pd.DatetimeIndex(pd.to_datetime(frame[name], utc=True), name="time")
            return frame.drop(columns=name).set_index(times)
    return frame.iloc[:, :1]


@dataclass(frozen=True)
class Case:
    """One entry with the data it speaks of.

    Parameters
    ----------
    entry : dict
        As it stands in the file.
    folder : DataFolder
    periods : float
        Periods per year.
    """

    entry: Entry
    folder: DataFolder
    periods: float = EQUITY_YEAR

    @property
    def params(self) -> dict[str, Any]:
        return self.entry.get("params") or {}

    @property
    def where(self) -> dict[str, Any]:
        """The entry's data: file, symbol, column, days, what is done to them."""
        found = self.entry.get("data")
        if not found or "file" not in found:
            raise UnknownFormError("the entry names no data file")
        return found

    @property
    def text(self) -> str:
        """What the entry says of its data set in words."""
        return str(self.entry.get("dataset", ""))

    @property
    def asked(self) -> list[str]:
        """Names of the values that are expected."""
        return list(self.entry["expected"])

    def numbers(self) -> dict[str, float]:
        """Return the numbers that the words name, as in ``l=-2,u=3``, and the parameters."""
        named = {name.strip(): float(value) for name, value in _NAMED.findall(self.text)}
        return named | {k: v for k, v in self.params.items() if isinstance(v, int | float)}

    def bars(self) -> pd.DataFrame:
        """Return the rows of the entry's symbol within its days, in order of time."""
        return self._within(self._all_bars(self.where.get("symbol")))

    def prices(self) -> pd.Series:
        """Return the column asked for within the entry's days, the last of each UTC day where it wants days."""
        return self._within(self._all_prices(self.where.get("symbol")))

    def returns(self) -> FloatArray:
        """Return simple returns, compounded to weeks where the entry wants weeks."""
        self._check_form()
        prices = self.prices()
        daily = simple_returns(prices.to_numpy())
        if self.where.get("resample") != WEEKLY:
            return daily
        growth = pd.Series(1.0 + daily, prices.index[1:]).resample("W-FRI").prod()
        return growth.to_numpy() - 1.0

    def returns_together(self, symbols: list[str]) -> FloatArray:
        """Return simple returns on common timestamps, shape (n, n_symbols).

        Notes
        -----
        The entries of several symbols count days by their returns: the first one starts from the close before.
        """
        self._check_form()
        columns = [self._all_prices(symbol) for symbol in symbols]
        prices = pd.concat(columns, axis=1, join="inner")
        rows = np.column_stack([simple_returns(column) for column in prices.to_numpy().T])
        return self._within(pd.DataFrame(rows, prices.index[1:])).to_numpy()

    def _all_bars(self, symbol: str | None) -> pd.DataFrame:
        frame = self.folder.table(self.where["file"])
        if "symbol" in frame.columns and symbol is not None:
            frame = frame[frame["symbol"] == symbol]
        if frame.empty:
            raise MissingDataError(f"{self._file} has no rows of {symbol}")
        return frame.sort_index()

    def _all_prices(self, symbol: str | None) -> pd.Series:
        bars, column = self._all_bars(symbol), self.where.get("column", "close")
        if column not in bars.columns and bars.shape[1] > 1:
            raise MissingDataError(f"{self._file} has no column {column}")
        found = bars[column] if column in bars.columns else bars.iloc[:, 0]
        if self.where.get("resample") == DAILY:
            return found.resample("D").last().dropna()
        return found

    def _within(self, rows: Rows) -> Rows:
        """Return the rows from the entry's first to its last day, both whole UTC days."""
        if not isinstance(rows.index, pd.DatetimeIndex):
            return rows
        start, end = (self.where.get(bound) for bound in ("start", "end"))
        if start is not None:
            rows = rows[rows.index >= pd.Timestamp(start, tz="UTC")]
        if end is not None:
            rows = rows[rows.index < pd.Timestamp(end, tz="UTC") + pd.Timedelta(days=1)]
        if rows.empty:
            raise MissingDataError(f"{self._file} has no rows from {start} to {end}")
        return rows

    @property
    def _file(self) -> str:
        return Path(self.where["file"]).name

    def _check_form(self) -> None:
        if self.where.get("resample") not in {None, DAILY, WEEKLY}:
            raise UnknownFormError(f"resampling {self.where['resample']!r} is not known here")
        if self.where.get("transform") not in {None, "simple_returns", "simple_returns_percent"}:
            raise UnknownFormError(f"transform {self.where['transform']!r} is not known here")


def cases(entries: list[Entry], folder: DataFolder) -> list[Case]:
    """Return every entry with its periods per year.

    Notes
    -----
    Not every entry says how many: then those count that another entry of the same data says, and failing that 365 for
    days that never close and 252 for the rest.
    """
    said: dict[str, float] = {}
    for entry in entries:
        stated = _stated_periods(entry)
        if stated is not None:
            said.setdefault(_data_key(entry), stated)
    return [Case(entry, folder, _periods(entry, said)) for entry in entries]


def _periods(entry: Entry, said: dict[str, float]) -> float:
    stated = _stated_periods(entry)
    if stated is not None:
        return stated
    is_daily = (entry.get("data") or {}).get("resample") == DAILY
    return said.get(_data_key(entry), CRYPTO_YEAR if is_daily else EQUITY_YEAR)


def _stated_periods(entry: Entry) -> float | None:
    match = _YEAR.search(f"{entry.get('definition', '')} {entry.get('source', '')}")
    if match is None:
        return None
    factors = next(group for group in match.groups() if group).split("*")
    return float(np.prod([float(factor) for factor in factors]))


def _data_key(entry: Entry) -> str:
    return json.dumps(entry.get("data"), sort_keys=True)
