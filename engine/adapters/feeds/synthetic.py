"""The synthetic feed: made-up prices, always labelled so. Endless, round the clock, one bar a market minute.

The model is that of `engine.kernels.synthetic_prices`, one step a tick, 240 ticks a bar. Bars are made ten at a time,
from a random stream of their own and a state in whole numbers, so that a restart takes up the same path exactly.
"""

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from engine.adapters.feeds.bar_source import N_POINTS, Floats, UnfoldedBar
from engine.adapters.feeds.unfolding import DEFAULT_SPEED, MAX_GAP_S, UnfoldingFeed
from engine.domain.errors import FeedError, must
from engine.domain.instrument import Instrument
from engine.domain.market import BarColumns, FeedKind
from engine.kernels.intrabar import volume_profile
from engine.kernels.synthetic_prices import GarchJump, simulate_ticks

DEFAULT_SYMBOLS = ("SYN-A", "SYN-B", "SYN-C", "SYN-D", "SYN-E", "SYN-F")
BAR_S = 60
BARS_PER_YEAR = 365 * 24 * 60
"""Minutes of a market that never closes; annual figures need this, not 252."""
HISTORY_BARS = 1500
"""Bars before the first tick, and how many of the past are kept."""
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
"""Market time of bar 0. The time is made up like the prices."""

_CHUNK = 10
_ANCHOR_EVERY = 500
_LOG_UNIT = 1e-12
_RATIO_UNIT = 1e-9
_DAY_TICKS = 24 * 60 * N_POINTS
_TICK_SIZE = 0.01

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Place:
    """State at the beginning of a chunk, in whole units."""

    log_price: Integers
    ratio: Integers


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Ten bars.

    Parameters
    ----------
    prices, volumes : ndarray of shape (_CHUNK, N_POINTS, n_assets)
        Prices, and volumes so far within the bar.
    end : _Place
        State after them.
    """

    prices: Floats
    volumes: Floats
    end: _Place

    def rows(self) -> Floats:
        """Return open, high, low, close, volume; shape (_CHUNK, n_assets, 5)."""
        p = self.prices
        columns = (p[:, 0], p.max(axis=1), p.min(axis=1), p[:, -1], self.volumes[:, -1])
        return np.stack(columns, axis=2)


class GarchSource:
    """Bars of the synthetic model.

    Parameters
    ----------
    symbols : iterable of str
        Any number of different names; starting price, volatility and correlation follow from name and seed.
    seed : int
        Chooses everything else.
    """

    kind = FeedKind.SYNTHETIC
    label = "made-up 1-minute bars"
    is_continuous = True
    n_bars: int | None = None
    first_bar = HISTORY_BARS

    def __init__(self, symbols: Iterable[str], seed: int = 0) -> None:
        names = tuple(symbols)
        if not names or len(set(names)) != len(names):
            raise must("symbols", "be different names, one at least", names, "correct the list")
        self.instruments = tuple(_instrument(name) for name in names)
        self._seed = seed
        self._profile = volume_profile(N_POINTS)
        self._model, first_prices = _model(names, seed)
        ratio = np.full(len(names), round(1 / _RATIO_UNIT), dtype=np.int64)
        self._begin(0, _Place(_units(np.log(first_prices), _LOG_UNIT), ratio))

    def _begin(self, bar: int, place: _Place) -> None:
        self._made = bar
        self._anchors = {bar: place}
        self._rows: dict[int, Floats] = {}
        self._place = place
        self._newest: _Chunk | None = None

    def times(self, bar: int) -> tuple[int, int]:
        """Return when a bar opens and closes, in epoch seconds."""
        opens = int(EPOCH.timestamp()) + bar * BAR_S
        return opens, opens + BAR_S

    def unfold(self, bar: int) -> Sequence[UnfoldedBar | None]:
        """Return the bar of every instrument."""
        self._reach(bar)
        i = bar - self._made + _CHUNK
        if self._newest is None or i < 0:
            raise FeedError(
                f"bar must be {self._made - _CHUNK} or later, was {bar}; made-up bars are not kept"
            )
        prices, volumes = self._newest.prices[i], self._newest.volumes[i]
        return [_unfolded(prices[:, k], volumes[:, k]) for k in range(prices.shape[1])]

    def columns(self, symbol: str, bar: int) -> BarColumns:
        """Return the last `HISTORY_BARS` bars of a symbol before `bar`, oldest first."""
        self._reach(bar)
        i = [instrument.symbol for instrument in self.instruments].index(symbol)
        numbers = range(max(0, bar - HISTORY_BARS), bar)
        rows = np.array([self._rows[n][i] for n in numbers]).T.tolist()
        return BarColumns(
            symbol=symbol,
            closes_at=tuple(self.times(n)[1] for n in numbers),
            open=tuple(rows[0]),
            high=tuple(rows[1]),
            low=tuple(rows[2]),
            close=tuple(rows[3]),
            volume=tuple(rows[4]),
        )

    def bar_at(self, moment: datetime) -> int:
        """Return the number of bars that have closed at `moment`."""
        return int((moment - EPOCH).total_seconds() // BAR_S)

    def cursor(self, bar: int) -> dict[str, int]:
        """Return the state at the last anchor from which all kept bars can be made again."""
        self._reach(bar)
        anchor = _anchor_for(bar)
        place = self._anchors[anchor]
        cursor = {"anchor": anchor}
        for i, instrument in enumerate(self.instruments):
            cursor[f"p:{instrument.symbol}"] = int(place.log_price[i])
            cursor[f"v:{instrument.symbol}"] = int(place.ratio[i])
        return cursor

    def resume(self, cursor: dict[str, int]) -> None:
        """Continue from such a cursor.

        Raises
        ------
        FeedError
            It was made for other symbols.
        """
        try:
            prices = [cursor[f"p:{instrument.symbol}"] for instrument in self.instruments]
            ratios = [cursor[f"v:{instrument.symbol}"] for instrument in self.instruments]
            anchor = cursor["anchor"]
        except KeyError as error:
            raise FeedError(
                f"cursor must have {error.args[0]!r}; it was made for other symbols, start a new run"
            ) from error
        self._begin(
            anchor, _Place(np.array(prices, dtype=np.int64), np.array(ratios, dtype=np.int64))
        )

    def fingerprint(self) -> str:
        """Return a short hash of the model, its symbols and its seed."""
        text = repr((self._seed, N_POINTS, self.instruments)).encode()
        arrays = self._model.variance.tobytes() + self._model.loading.tobytes()
        return hashlib.sha256(text + arrays).hexdigest()[:16]

    def _reach(self, bar: int) -> None:
        """Make the bars up to and with `bar`."""
        while self._made <= bar:
            chunk = self._newest = self._make()
            self._rows |= {self._made + i: row for i, row in enumerate(chunk.rows())}
            self._made += _CHUNK
            self._place = chunk.end
            if self._made % _ANCHOR_EVERY == 0:
                self._anchors[self._made] = chunk.end
                self._forget(_anchor_for(bar))

    def _forget(self, oldest: int) -> None:
        self._anchors = {bar: place for bar, place in self._anchors.items() if bar >= oldest}
        self._rows = {bar: row for bar, row in self._rows.items() if bar >= oldest}

    def _make(self) -> _Chunk:
        rng = np.random.default_rng([self._seed, self._made])
        n_steps, shape = _CHUNK * N_POINTS, (_CHUNK, N_POINTS, len(self.instruments))
        log_price = _values(self._place.log_price, _LOG_UNIT)
        ratio = _values(self._place.ratio, _RATIO_UNIT)
        logs, ratios = simulate_ticks(self._model, log_price, ratio, n_steps, rng)
        in_ticks = np.maximum(np.round(np.exp(logs) / _TICK_SIZE), 1)
        prices: Floats = np.round(in_ticks * _TICK_SIZE, 8).reshape(shape)
        spread = rng.lognormal(0.0, 0.4, (_CHUNK, 1, shape[2]))
        activity = np.sqrt(ratios[1:].reshape(shape).mean(axis=1, keepdims=True)) * spread
        volumes: Floats = np.round(10_000 * self._profile[:, np.newaxis] * activity)
        end = _Place(_units(logs[-1], _LOG_UNIT), _units(ratios[-1], _RATIO_UNIT))
        return _Chunk(prices, volumes, end)


class SyntheticFeed(UnfoldingFeed):
    """Made-up prices without end.

    Parameters
    ----------
    symbols : iterable of str, optional
        What to make prices of; six made-up names when absent.
    seed : int
        Chooses the path.
    bars_per_minute, max_gap_s : float
        As of `UnfoldingFeed`.
    label : str, optional
        Other words for the status bar, such as why made-up prices are shown.
    """

    def __init__(
        self,
        symbols: Iterable[str] | None = None,
        *,
        seed: int = 0,
        bars_per_minute: float = DEFAULT_SPEED,
        max_gap_s: float = MAX_GAP_S,
        label: str | None = None,
    ) -> None:
        source = GarchSource(DEFAULT_SYMBOLS if symbols is None else symbols, seed)
        source.label = label or source.label
        super().__init__(source, HISTORY_BARS, bars_per_minute, max_gap_s)

    def jump(self, to: datetime) -> None:
        """Refuse: what has not been made up yet can't be shown.

        Raises
        ------
        FeedError
            Always.
        """
        raise FeedError(
            f"a synthetic feed has no {to:%Y-%m-%d %H:%M} to jump to; use the replay for that"
        )


def _model(names: Sequence[str], seed: int) -> tuple[GarchJump, Floats]:
    """Return the model and the starting prices: 100 to 2,000, 30 to 80 % a year, correlations of 0.2 to 0.7."""
    draws = np.array(
        [np.random.default_rng([seed, zlib.crc32(name.encode())]).random(3) for name in names]
    )
    annual_volatility = 0.3 + 0.5 * draws[:, 0]
    model = GarchJump(
        variance=annual_volatility**2 / (BARS_PER_YEAR * N_POINTS),
        loading=0.45 + 0.4 * draws[:, 1],
        drift=0.05 / (BARS_PER_YEAR * N_POINTS),
        own_jumps=3 / _DAY_TICKS,
        common_jumps=1 / _DAY_TICKS,
        jump_size=6 * np.sqrt(N_POINTS),
    )
    return model, np.round(100 * 20 ** draws[:, 2], 2)


def _instrument(symbol: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        name=f"{symbol} (synthetic)",
        lot_size=Decimal("0.0001"),
        calendar="24/7",
        periods_per_year=float(BARS_PER_YEAR),
    )


def _unfolded(prices: Floats, volumes: Floats) -> UnfoldedBar:
    return UnfoldedBar(prices, volumes, (int(prices.argmax()), int(prices.argmin())))


def _anchor_for(bar: int) -> int:
    return max(0, (bar - HISTORY_BARS) // _ANCHOR_EVERY * _ANCHOR_EVERY)


def _units(values: Floats, unit: float) -> Integers:
    return np.round(values / unit).astype(np.int64)


def _values(units: Integers, unit: float) -> Floats:
    return units.astype(np.float64) * unit
