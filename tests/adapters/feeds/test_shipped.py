"""The shipped bars: their files are those of the notice, and adjusting them invents nothing."""

import hashlib
import re
from datetime import UTC, date, datetime

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.adapters.feeds.shipped import DATA, SHIPPED, load_shipped, odd_bars, session
from engine.domain.instrument import PriceKind

BARS = {bars.instrument.symbol: bars for bars in load_shipped()}
NOTICE = (DATA / "NOTICE.md").read_text(encoding="utf-8")


def returns_on(symbol: str, day: str) -> float:
    bars = BARS[symbol]
    row = int(np.searchsorted(bars.days, np.datetime64(day)))
    assert bars.days[row] == np.datetime64(day)
    return float(bars.close[row] / bars.close[row - 1] - 1)


def test_every_file_has_the_hash_and_the_rows_that_the_notice_says():
    noted = dict(
        re.findall(r"^\| `(\w+\.parquet)` .*\| `([0-9a-f]{64})` \|$", NOTICE, re.MULTILINE)
    )
    rows = dict(re.findall(r"^\| `(\w+\.parquet)` .*\| ([\d,]+) \| `", NOTICE, re.MULTILINE))
    files = sorted(path.name for path in DATA.glob("*.parquet"))
    assert sorted(noted) == files == sorted(rows)
    for name in files:
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == noted[name]
        assert pq.ParquetFile(DATA / name).metadata.num_rows == int(rows[name].replace(",", ""))


@pytest.mark.parametrize(
    "holder", ["Bokeh Contributors", "Kevin Sheppard", "The skfolio developers"]
)
def test_the_notice_keeps_every_copyright_line(holder):
    assert re.search(rf"Copyright \(c\).*{holder}", NOTICE)


def test_all_symbols_of_the_replay_are_shipped_and_an_index_is_not_tradable():
    assert [i.symbol for i in SHIPPED] == list(BARS)
    assert {i.symbol for i in SHIPPED if not i.is_tradable} == {"SPX", "IXIC"}
    closes = {i.symbol for i in SHIPPED if i.price_kind is PriceKind.CLOSE_ONLY}
    assert closes == {"JPM", "XOM", "PG", "JNJ"}
    assert all(BARS[symbol].open is None and BARS[symbol].volume is None for symbol in closes)


@pytest.mark.parametrize(
    ("symbol", "day"), [("AAPL", "2000-06-21"), ("AAPL", "2005-02-28"), ("MSFT", "2003-02-18")]
)
def test_a_split_is_no_loss(symbol, day):
    assert abs(returns_on(symbol, day)) < 0.1


def test_the_real_crash_of_apple_stays():
    assert returns_on("AAPL", "2000-09-29") == pytest.approx(-0.519, abs=0.0005)


def test_goog_begins_on_its_first_trading_day():
    assert BARS["GOOG"].days[0] == np.datetime64("2004-08-19")


def test_adjusting_keeps_the_turnover_and_the_shape_of_each_bar():
    raw = pq.ParquetFile(DATA / "equities.parquet").read().to_pydict()
    is_apple = np.array(raw["symbol"]) == "AAPL"
    turnover = (np.array(raw["close"]) * np.array(raw["volume"]))[is_apple]
    relative_high = (np.array(raw["high"]) / np.array(raw["close"]))[is_apple]
    apple = BARS["AAPL"]
    assert apple.close * apple.volume == pytest.approx(turnover, rel=1e-5)
    assert apple.high / apple.close == pytest.approx(relative_high, rel=1e-5)


def test_volume_does_not_jump_at_a_split():
    apple = BARS["AAPL"]
    row = int(np.searchsorted(apple.days, np.datetime64("2005-02-28")))
    before, after = apple.volume[row - 20 : row].mean(), apple.volume[row : row + 20].mean()
    assert 0.5 < after / before < 2


def test_no_bar_leaves_its_range_and_the_two_odd_ones_are_flagged():
    for bars in BARS.values():
        assert (np.diff(bars.days) > np.timedelta64(0)).all()
        assert (bars.close > 0).all()
    assert {symbol: len(b.flags) for symbol, b in BARS.items() if b.flags} == {"IXIC": 2}
    assert BARS["IXIC"].flags[0] == "2015-05-12: no volume"


def test_an_odd_bar_is_flagged_by_day_and_not_dropped():
    days = np.array(["2020-01-02", "2020-01-03"], dtype="datetime64[D]")
    prices = {name: np.array([10.0, 10.0]) for name in ("open", "high", "low", "close")}
    prices["open"][1] = 9.0
    assert odd_bars(days, prices, np.array([1.0, 1.0])) == (
        "2020-01-03: open or close outside low to high",
    )


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        BARS["AAPL"].close[0] = 1.0


def test_a_session_follows_new_york_through_the_clock_change():
    assert datetime.fromtimestamp(session(date(2008, 10, 31))[0], UTC).hour == 13
    assert datetime.fromtimestamp(session(date(2008, 11, 3))[0], UTC).hour == 14
    assert session(date(2008, 11, 3))[1] - session(date(2008, 11, 3))[0] == 6.5 * 3600
