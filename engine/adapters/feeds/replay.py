"""The replay: real daily bars that unfold into ticks, from 2 September 2008 on unless told otherwise.

The path of a bar is a pure function of seed, symbol and day. Paths are made up inside what the bar says: they touch its
open, high, low and close and never leave its range, but the order of events within a day is not history.
"""

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt

from engine.adapters.feeds.bar_source import N_POINTS, UnfoldedBar
from engine.adapters.feeds.shipped import DailyBars, Floats, load_shipped, session
from engine.adapters.feeds.unfolding import DEFAULT_SPEED, MAX_GAP_S, UnfoldingFeed
from engine.domain.errors import FeedError
from engine.domain.market import BarColumns, FeedKind
from engine.kernels.intrabar import unfold_bar, unfold_close, volume_profile

FIRST_DAY = date(2008, 9, 2)
"""Two weeks before Lehman Brothers: a first-time user meets that autumn live."""
MIN_HISTORY = 250
"""Every instrument has at least this many closed bars wherever one may jump to."""
_SIGMA_BARS = 20


class DailySource:
    """Bars of several instruments on the union of their days, up to the last day that all of them have.

    Parameters
    ----------
    bars : sequence of DailyBars
        At least one instrument; no day twice.
    seed : int
        Chooses the paths inside the bars.
    """

    kind = FeedKind.REPLAY
    label = "daily bars"
    is_continuous = False

    def __init__(self, bars: Sequence[DailyBars], seed: int = 0) -> None:
        if not bars:
            raise FeedError("bars must hold one instrument at least; choose a symbol")
        self._bars = tuple(bars)
        self._seed = seed
        self.instruments = tuple(b.instrument for b in bars)
        days = np.unique(np.concatenate([b.days for b in bars]))
        self._days = days[days <= min(b.days[-1] for b in bars)]
        self._rows = tuple(_rows_on(self._days, b) for b in bars)
        self._sessions = tuple(session(day) for day in self._days.tolist())
        self._closes = np.array([closes for _, closes in self._sessions])
        self._profile = volume_profile(N_POINTS)
        self.n_bars = len(self._days)
        self.first_bar = self._first_bar()

    @property
    def flags(self) -> dict[str, tuple[str, ...]]:
        """What is odd about single bars, by symbol."""
        return {b.instrument.symbol: b.flags for b in self._bars if b.flags}

    def times(self, bar: int) -> tuple[int, int]:
        """Return when a bar opens and closes, in epoch seconds."""
        return self._sessions[bar]

    def unfold(self, bar: int) -> Sequence[UnfoldedBar | None]:
        """Return the bar of every instrument, None where it has none on this day."""
        return [self._unfold(i, int(rows[bar])) for i, rows in enumerate(self._rows)]

    def columns(self, symbol: str, bar: int) -> BarColumns:
        """Return the bars of a symbol before `bar`, oldest first."""
        bars = next(b for b in self._bars if b.instrument.symbol == symbol)
        after = self._days[bar] if bar < len(self._days) else self._days[-1] + 1
        end = int(np.searchsorted(bars.days, after))
        return BarColumns(
            symbol=symbol,
            closes_at=tuple(session(day)[1] for day in bars.days[:end].tolist()),
            open=_plain(bars.open, end),
            high=_plain(bars.high, end),
            low=_plain(bars.low, end),
            close=tuple(bars.close[:end].tolist()),
            volume=_plain(bars.volume, end),
        )

    def bar_at(self, moment: datetime) -> int:
        """Return the number of bars that have closed at `moment`; -1 outside the data."""
        if moment.timestamp() > self._closes[-1]:
            return -1
        return int(np.searchsorted(self._closes, moment.timestamp(), side="right"))

    def cursor(self, bar: int) -> dict[str, int]:  # noqa: ARG002 -- the number says it all here
        """Return nothing: the number of the bar is enough."""
        return {}

    def resume(self, cursor: dict[str, int]) -> None:
        """Do nothing: the number of the bar is enough."""

    def fingerprint(self) -> str:
        """Return a short hash of the bars and the seed."""
        digest = hashlib.sha256(str((self._seed, N_POINTS, self.instruments)).encode())
        for bars in self._bars:
            for array in (bars.days, bars.open, bars.high, bars.low, bars.close, bars.volume):
                digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def _first_bar(self) -> int:
        """Return the first bar before which every instrument has `MIN_HISTORY` bars, or as many as there are."""
        needed = min(MIN_HISTORY, *(len(b.days) - 1 for b in self._bars))
        return max(1, *(int(np.searchsorted(self._days, b.days[needed])) for b in self._bars))

    def _unfold(self, i: int, row: int) -> UnfoldedBar | None:
        bars = self._bars[i]
        if row < 0:
            return None
        tick_size = float(bars.instrument.tick_size)
        rng = self._rng(bars.instrument.symbol, bars.days[row])
        if bars.open is None or bars.high is None or bars.low is None:
            window = bars.close[max(0, row - _SIGMA_BARS - 1) : row]
            sigma = float(np.diff(np.log(window)).std()) if len(window) > 1 else 0.0
            previous = float(bars.close[max(0, row - 1)])
            path = unfold_close(previous, float(bars.close[row]), sigma, N_POINTS, tick_size, rng)
            return UnfoldedBar(path, has_range=False)
        prices = tuple(float(c[row]) for c in (bars.open, bars.high, bars.low, bars.close))
        path, extremes = unfold_bar(
            (prices[0], prices[1], prices[2], prices[3]), N_POINTS, tick_size, rng
        )
        volumes = None if bars.volume is None else np.round(self._profile * bars.volume[row])
        return UnfoldedBar(path, volumes, extremes)

    def _rng(self, symbol: str, day: np.datetime64) -> np.random.Generator:
        number = int(day.astype("datetime64[D]").astype(np.int64))
        return np.random.default_rng([self._seed, zlib.crc32(symbol.encode()), number])


class ReplayFeed(UnfoldingFeed):
    """Replays daily bars.

    Parameters
    ----------
    symbols : iterable of str, optional
        Which of the shipped symbols; all when absent.
    start : date or datetime
        First trading day to play; the bars before it are history.
    seed : int
        Chooses the paths inside the bars.
    bars_per_minute, max_gap_s : float
        As of `UnfoldingFeed`.
    bars : sequence of DailyBars, optional
        Other bars in place of the shipped ones; `symbols` then means nothing.

    Raises
    ------
    UnknownNameError
        A symbol is not shipped.
    FeedError
        The start lies outside the data.
    """

    def __init__(
        self,
        symbols: Iterable[str] | None = None,
        *,
        start: date | datetime = FIRST_DAY,
        seed: int = 0,
        bars_per_minute: float = DEFAULT_SPEED,
        max_gap_s: float = MAX_GAP_S,
        bars: Sequence[DailyBars] | None = None,
    ) -> None:
        source = DailySource(load_shipped(symbols) if bars is None else bars, seed)
        day = start.date() if isinstance(start, datetime) else start
        bar = source.bar_at(datetime.fromtimestamp(session(day)[0], UTC))
        if bar < source.first_bar:
            first, last = (
                datetime.fromtimestamp(source.times(n)[0], UTC).date()
                for n in (source.first_bar, source.n_bars - 1)
            )
            raise FeedError(f"start must lie from {first} to {last}, was {day}; choose such a day")
        super().__init__(source, bar, bars_per_minute, max_gap_s)
        self.flags = source.flags
        """What is odd about single bars, by symbol; they are played all the same."""


def _rows_on(days: npt.NDArray[np.datetime64], bars: DailyBars) -> npt.NDArray[np.intp]:
    """Return for every day the row of `bars`, -1 where it has none."""
    at = np.minimum(np.searchsorted(bars.days, days), len(bars.days) - 1)
    return np.where(bars.days[at] == days, at, -1)


def _plain(column: Floats | None, end: int) -> tuple[float | None, ...]:
    return (None,) * end if column is None else tuple(column[:end].tolist())
