"""One run that all tests of numbers look at, and the shipped bars as pandas reads them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from engine.bootstrap.turned import TurnedEngine
from tests.numbers.runs import run

DATA = Path(__file__).parents[2] / "engine" / "data"
NEW_YORK = ZoneInfo("America/New_York")
BARS = 14


@pytest.fixture(scope="session")
def replay() -> TurnedEngine:
    """Fourteen days of the default replay and the first ticks of the fifteenth."""
    return run(BARS + 0.5)


@pytest.fixture(scope="session")
def made_up() -> TurnedEngine:
    """Six minutes of the synthetic feed and the first ticks of the seventh."""
    return run(6.5, feed="synthetic")


@pytest.fixture(scope="session")
def shipped() -> Mapping[str, pd.DataFrame]:
    """Adjusted bars by symbol, indexed by the epoch second of the close in New York."""
    tables = [pd.read_parquet(DATA / f"{n}.parquet") for n in ("equities", "indices", "closes")]
    rows = pd.concat(t.astype({"symbol": str}) for t in tables)
    factor = (rows.adj_close / rows.close).fillna(1.0)
    for column in ("open", "high", "low", "close"):
        rows[column] = rows[column] * factor
    rows["volume"] = rows.volume / factor
    rows.index = [
        int(datetime(d.year, d.month, d.day, 16, tzinfo=NEW_YORK).timestamp())
        for d in pd.to_datetime(rows.day)
    ]
    return {str(symbol): bars.sort_index() for symbol, bars in rows.groupby("symbol")}
