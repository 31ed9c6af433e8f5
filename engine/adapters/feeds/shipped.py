"""The daily bars that come with the program (``engine/data``, see NOTICE.md there), adjusted and on one calendar.

Days are trading days in New York; a bar opens at 09:30 and closes at 16:00 there, half days too, and times are UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine.domain.errors import UnknownNameError
from engine.domain.instrument import Instrument, PriceKind

DATA = Path(__file__).resolve().parents[2] / "data"
NEW_YORK = ZoneInfo("America/New_York")

Floats = npt.NDArray[np.float64]
T = TypeVar("T", bound=np.generic)

SHIPPED = (
    Instrument(symbol="AAPL", name="Apple"),
    Instrument(symbol="GOOG", name="Google"),
    Instrument(symbol="IBM", name="IBM"),
    Instrument(symbol="MSFT", name="Microsoft"),
    Instrument(symbol="JPM", name="JPMorgan Chase", price_kind=PriceKind.CLOSE_ONLY),
    Instrument(symbol="XOM", name="Exxon Mobil", price_kind=PriceKind.CLOSE_ONLY),
    Instrument(symbol="PG", name="Procter & Gamble", price_kind=PriceKind.CLOSE_ONLY),
    Instrument(symbol="JNJ", name="Johnson & Johnson", price_kind=PriceKind.CLOSE_ONLY),
    Instrument(symbol="SPX", name="S&P 500", is_tradable=False),
    Instrument(symbol="IXIC", name="Nasdaq Composite", is_tradable=False),
)
_FILES = ("equities.parquet", "indices.parquet", "closes.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBars:
    """All bars of one instrument; arrays of equal length, oldest first, read-only.

    Parameters
    ----------
    days : ndarray of datetime64[D]
        Trading days.
    open, high, low, volume : ndarray or None
        None for closes alone. Volume is adjusted like the price, the other way: price times volume is the turnover.
    flags : tuple of str
        What is odd about single bars; they are kept all the same.
    """

    instrument: Instrument
    days: npt.NDArray[np.datetime64]
    close: Floats
    open: Floats | None = None
    high: Floats | None = None
    low: Floats | None = None
    volume: Floats | None = None
    flags: tuple[str, ...] = ()


def load_shipped(symbols: Iterable[str] | None = None) -> tuple[DailyBars, ...]:
    """Return the shipped bars of these symbols (all when None), in watchlist order.

    Raises
    ------
    UnknownNameError
        A symbol is not shipped.
    """
    wanted = None if symbols is None else set(symbols)
    known = {instrument.symbol for instrument in SHIPPED}
    if wanted is not None and not wanted <= known:
        raise UnknownNameError(
            f"symbol must be one of {', '.join(sorted(known))}, was {min(wanted - known)!r}; "
            "the replay has no other data"
        )
    columns = _columns()
    return tuple(
        _adjusted(instrument, columns[instrument.symbol])
        for instrument in SHIPPED
        if wanted is None or instrument.symbol in wanted
    )


@lru_cache(maxsize=16_384)
def session(day: date) -> tuple[int, int]:
    """Return when trading opens and closes in New York on `day`, in epoch seconds.

    Examples
    --------
    >>> session(date(2008, 9, 2))
    (1220362200, 1220385600)
    """
    opens = datetime(day.year, day.month, day.day, 9, 30, tzinfo=NEW_YORK)
    return int(opens.timestamp()), int(opens.replace(hour=16, minute=0).timestamp())


def _columns() -> dict[str, dict[str, npt.NDArray[np.generic]]]:
    by_symbol = {}
    for name in _FILES:
        table = pq.ParquetFile(DATA / name).read()
        symbols = table["symbol"].combine_chunks()
        codes = np.from_dlpack(symbols.indices)
        columns = {
            column: _array(table[column]) for column in table.column_names if column != "symbol"
        }
        for code, symbol in enumerate(symbols.dictionary.to_pylist()):
            of_symbol = codes == code
            by_symbol[symbol] = {column: array[of_symbol] for column, array in columns.items()}
    return by_symbol


def _array(column: pa.ChunkedArray) -> npt.NDArray[np.generic]:
    """Return a column as an array. Not by `to_numpy`, which imports pandas and so costs the start a second."""
    chunk = column.combine_chunks()
    if pa.types.is_date32(chunk.type):
        return np.from_dlpack(chunk.view(pa.int32())).astype("datetime64[D]")
    return np.from_dlpack(chunk)


def _adjusted(instrument: Instrument, columns: dict[str, npt.NDArray[np.generic]]) -> DailyBars:
    days = columns["day"].astype("datetime64[D]")
    close = np.asarray(columns["close"], dtype=np.float64)
    if instrument.price_kind is PriceKind.CLOSE_ONLY:
        return DailyBars(instrument=instrument, days=_fixed(days), close=_fixed(close))
    factor = np.asarray(columns.get("adj_close", close), dtype=np.float64) / close
    scaled = {
        name: _fixed(np.round(np.asarray(columns[name], dtype=np.float64) * factor, 6))
        for name in ("open", "high", "low", "close")
    }
    volume = np.round(np.asarray(columns["volume"], dtype=np.float64) / factor)
    return DailyBars(
        instrument=instrument,
        days=_fixed(days),
        open=scaled["open"],
        high=scaled["high"],
        low=scaled["low"],
        close=scaled["close"],
        volume=_fixed(volume),
        flags=odd_bars(days, scaled, volume),
    )


def odd_bars(
    days: npt.NDArray[np.datetime64], prices: dict[str, Floats], volume: Floats
) -> tuple[str, ...]:
    """Return what is odd about single bars, as "day: what"; bars of a file are flagged, never dropped."""
    low, high = prices["low"], prices["high"]
    inside = [(low <= prices[name]) & (prices[name] <= high) for name in ("open", "close")]
    checks = (
        (~(inside[0] & inside[1]), "open or close outside low to high"),
        (volume <= 0, "no volume"),
    )
    return tuple(f"{day}: {what}" for is_odd, what in checks for day in days[is_odd])


def _fixed(array: npt.NDArray[T]) -> npt.NDArray[T]:
    array.setflags(write=False)
    return array
