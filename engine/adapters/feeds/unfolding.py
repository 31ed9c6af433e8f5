"""What replay and synthetic feed share: bars that unfold into ticks at a pace that a person may steer.

Every bar has `N_POINTS` points. Market time stands between two points; the place is (bar, point), two whole numbers, so
that a restart continues with exactly the tick that would have come. A faster pace shows fewer points, never other ones.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from engine.adapters.feeds.bar_source import N_POINTS, BarSource, UnfoldedBar
from engine.domain.errors import FeedError, must
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, BarColumns, FeedState, Tick
from engine.kernels.intrabar import tick_points

TICKS_PER_SECOND = 4.0
MIN_SPEED, MAX_SPEED = 0.1, 600.0
DEFAULT_SPEED = 12.0
MAX_GAP_S = 2.0
"""After a longer silence (a laptop slept, the agent was paused) market time goes on by this much only: no burst."""

_EPSILON = 1e-6
"""Of a point: a poll that comes exactly when a point is due must see it in spite of rounding."""


class UnfoldingFeed:
    """Feed and Controllable over a `BarSource`.

    Parameters
    ----------
    source : BarSource
        The bars.
    start_bar : int
        The first bar to play; those before it are history.
    bars_per_minute : float
        Speed at the beginning.
    max_gap_s : float
        The most that one poll moves market time, in seconds at the present speed.
    """

    def __init__(
        self,
        source: BarSource,
        start_bar: int,
        bars_per_minute: float = DEFAULT_SPEED,
        max_gap_s: float = MAX_GAP_S,
    ) -> None:
        self._source = source
        self._max_gap_s = max_gap_s
        self._speed = _speed(bars_per_minute)
        self._bar = self._start = start_bar
        self._point = 0
        self._progress = 0.0
        self._polled_at_s: float | None = None
        self._run = 1
        self._is_paused = False
        self._n_steps = 0
        self._unfolded: tuple[int, Sequence[UnfoldedBar | None]] | None = None
        self._told: tuple[int, float, list[npt.NDArray[np.intp]]] | None = None

    # -- what it shows ---------------------------------------------------------------------------------------------

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What this feed knows, in watchlist order."""
        return self._source.instruments

    @property
    def state(self) -> FeedState:
        """Where it stands; restoring this state resumes from here."""
        source = self._source
        total = source.n_bars
        return FeedState(
            kind=source.kind,
            label=source.label,
            market_time=self._market_time(),
            bars_done=self._bar - self._start,
            bars_total=None if total is None else total - self._start,
            bars_per_minute=self._speed,
            is_paused=self._is_paused,
            is_ended=self._is_ended,
            run_id=f"run-{self._run}",
            starts_at=_utc(source.times(source.first_bar)[0]),
            ends_at=None if total is None else _utc(source.times(total - 1)[1]),
            cursor={
                "bar": self._bar,
                "point": self._point,
                "start": self._start,
                "run": self._run,
                **source.cursor(self._bar),
            },
        )

    def fingerprint(self) -> str:
        """Return a short hash of the data or the model."""
        return self._source.fingerprint()

    def history(self, symbol: str) -> BarColumns:
        """Return the closed bars of a symbol before the present market time, oldest first.

        Raises
        ------
        FeedError
            The symbol is not among the instruments.
        """
        if all(instrument.symbol != symbol for instrument in self.instruments):
            known = ", ".join(instrument.symbol for instrument in self.instruments)
            raise FeedError(f"symbol must be one of {known}, was {symbol!r}; choose one of them")
        return self._source.columns(symbol, self._bar)

    # -- being polled ----------------------------------------------------------------------------------------------

    def poll(self, now_s: float) -> Sequence[Tick]:
        """Return the ticks that became due since the last call.

        The first call after construction, restore, resume, jump or step sets the origin. A call that comes more than
        `max_gap_s` after the last one moves market time by `max_gap_s` only; what was due later simply comes later, so
        no tick is lost, none comes twice, and none come in a burst.
        """
        if self._n_steps and not self._is_ended:
            self._n_steps -= 1
            return self._play_to(N_POINTS)
        elapsed_s = self._elapsed(now_s)
        if self._is_paused or elapsed_s <= 0:
            return ()
        self._progress += elapsed_s * self._speed / 60 * N_POINTS
        ticks: list[Tick] = []
        while not self._is_ended and self._progress + _EPSILON >= self._point + 1:
            ticks += self._play_to(min(N_POINTS, math.floor(self._progress + _EPSILON)))
        return ticks

    def _elapsed(self, now_s: float) -> float:
        last_s, self._polled_at_s = self._polled_at_s, now_s
        return 0.0 if last_s is None else min(now_s - last_s, self._max_gap_s)

    def _play_to(self, point: int) -> list[Tick]:
        """Tell the points before `point` of the present bar; at its end go to the next bar."""
        begin, self._point = self._point, point
        ticks = self._ticks(begin, point)
        if point == N_POINTS:
            self._bar += 1
            self._point = 0
            self._progress = max(0.0, self._progress - N_POINTS)
            if self._is_ended:
                self._is_paused = True
        return ticks

    def _ticks(self, begin: int, end: int) -> list[Tick]:
        bars, told = self._present()
        due = [
            (int(point), i)
            for i, points in enumerate(told)
            if bars[i] is not None
            for point in points[np.searchsorted(points, begin) : np.searchsorted(points, end)]
        ]
        return [self._tick(i, point) for point, i in sorted(due)]

    def _tick(self, i: int, point: int) -> Tick:
        bars, told = self._present()
        unfolded = bars[i]
        if unfolded is None:
            raise FeedError(f"bar {self._bar} of instrument {i} must exist, was asked for a tick")
        symbol = self.instruments[i].symbol
        opens, closes = self._source.times(self._bar)
        seen = unfolded.prices[: point + 1]
        price = float(seen[-1])
        volume = None if unfolded.volumes is None else float(unfolded.volumes[point])
        before = int(np.searchsorted(told[i], point)) - 1
        already = (
            0.0
            if before < 0 or unfolded.volumes is None
            else float(unfolded.volumes[told[i][before]])
        )
        bar = Bar(
            symbol=symbol,
            opens_at=_utc(opens),
            closes_at=_utc(closes),
            open=float(seen[0]) if unfolded.has_range else None,
            high=float(seen.max()) if unfolded.has_range else None,
            low=float(seen.min()) if unfolded.has_range else None,
            close=price,
            volume=volume,
            is_closed=point == N_POINTS - 1,
        )
        return Tick(
            symbol=symbol,
            price=price,
            as_of=self._time_of(point),
            volume=None if volume is None else volume - already,
            bar=bar,
        )

    def _present(self) -> tuple[Sequence[UnfoldedBar | None], list[npt.NDArray[np.intp]]]:
        """Return the present bars and the points of each that are told at the present speed."""
        if self._unfolded is None or self._unfolded[0] != self._bar:
            self._unfolded = (self._bar, self._source.unfold(self._bar))
            self._told = None
        bars = self._unfolded[1]
        if self._told is None or self._told[:2] != (self._bar, self._speed):
            n_ticks = ticks_per_bar(self._speed)
            told = [tick_points(N_POINTS, n_ticks, b.extremes if b else ()) for b in bars]
            self._told = (self._bar, self._speed, told)
        return bars, self._told[2]

    def _market_time(self) -> datetime:
        if self._point == 0:
            return _utc(self._source.times(self._bar - 1)[1])
        return self._time_of(self._point - 1)

    def _time_of(self, point: int) -> datetime:
        """Return the market time of a point of the present bar; the last is that of its close."""
        opens, closes = self._source.times(self._bar)
        share = (point + 1) / N_POINTS if self._source.is_continuous else point / (N_POINTS - 1)
        return datetime.fromtimestamp(round(opens + (closes - opens) * share, 3), UTC)

    @property
    def _is_ended(self) -> bool:
        return self._source.n_bars is not None and self._bar >= self._source.n_bars

    # -- being steered ---------------------------------------------------------------------------------------------

    def set_speed(self, bars_per_minute: float) -> None:
        """Play so many bars a minute from now on, within the present bar too."""
        self._speed = _speed(bars_per_minute)

    def pause(self) -> None:
        """Hold market time."""
        self._is_paused = True

    def resume(self) -> None:
        """Let market time run on.

        Raises
        ------
        FeedError
            The data has ended.
        """
        self._refuse_at_end()
        self._is_paused = False
        self._n_steps = 0
        self._polled_at_s = None

    def step(self) -> None:
        """At the next poll, give the rest of the present bar at once, then stay paused; asked again, the next bar too.

        Raises
        ------
        FeedError
            The data has ended.
        """
        self._refuse_at_end()
        self._is_paused = True
        self._n_steps += 1
        self._polled_at_s = None

    def jump(self, to: datetime) -> None:
        """Go to the last close at or before `to`; a jump back changes the state's `run_id`.

        Raises
        ------
        FeedError
            `to` lies outside what the feed can show; the message gives the range.
        """
        moment = to.replace(tzinfo=UTC) if to.tzinfo is None else to
        source = self._source
        first, target = source.first_bar, source.bar_at(moment)
        last = self._bar if source.n_bars is None else source.n_bars
        if target < first or (source.n_bars is None and target > last):
            begin, end = (_utc(source.times(bar - 1)[1]) for bar in (first, last))
            raise FeedError(
                f"to must lie from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, "
                f"was {moment:%Y-%m-%d %H:%M}; choose a moment in between"
            )
        if self._is_ended:
            self._is_paused = False
        if (target, 0) < (self._bar, self._point):
            self._run += 1
            self._start = target
        self._go_to(target, 0)
        if self._is_ended:
            self._is_paused = True

    def restore(self, state: FeedState, heard: datetime | None = None) -> None:
        """Continue from a state of an earlier process: the same ticks as if it had not ended.

        The point of `heard` is told again: the process may have ended between two symbols of it.

        Raises
        ------
        FeedError
            The state is of another kind of feed, or of other data.
        """
        cursor = state.cursor
        if state.kind is not self._source.kind or cursor is None:
            raise FeedError(
                f"state must be of a {self._source.kind.value} feed with its place, was {state.kind.value}; "
                "start a new run"
            )
        try:
            bar, point, start = cursor["bar"], cursor["point"], cursor["start"]
        except KeyError as error:
            raise FeedError(f"cursor must have {error.args[0]!r}; start a new run") from error
        total = self._source.n_bars
        if bar < 1 or not 0 <= point < N_POINTS or (total is not None and bar > total):
            raise FeedError(
                f"cursor must lie within the data, was bar {bar}, point {point}; start a new run"
            )
        self._source.resume(cursor)
        self._start, self._run = start, cursor.get("run", 1)
        self._speed = _speed(state.bars_per_minute or DEFAULT_SPEED)
        self._is_paused = state.is_paused
        self._go_to(bar, point)
        if self._market_time() != state.market_time:
            self._find_again(state.market_time)
        if heard is not None:
            self._go_on_from(heard)

    def _go_on_from(self, heard: datetime) -> None:
        bar, point = self._bar, self._point
        while not self._is_ended and _utc(self._source.times(self._bar)[1]) < heard:
            self._go_to(self._bar + 1, 0)
        if not self._is_ended:
            times = [self._time_of(point) for point in range(N_POINTS)]
            self._go_to(self._bar, bisect_left(times, heard))
        if (self._bar, self._point) < (bar, point):
            self._go_to(bar, point)

    def _find_again(self, moment: datetime) -> None:
        """Go to a moment whose bar has another number now: with other symbols the calendar begins elsewhere."""
        moved = self._source.bar_at(moment) - self._bar
        self._start += moved
        self._go_to(self._bar + moved, self._point)
        if self._bar < 1 or self._start < 1 or self._market_time() != moment:
            raise FeedError(f"the data has no {moment:%Y-%m-%d %H:%M} UTC; start a new run")

    def _go_to(self, bar: int, point: int) -> None:
        self._bar, self._point, self._progress = bar, point, float(point)
        self._n_steps = 0
        self._polled_at_s = None
        self._unfolded = self._told = None

    def _refuse_at_end(self) -> None:
        if self._is_ended:
            raise FeedError(
                f"the data ended at {self._market_time():%Y-%m-%d %H:%M} UTC; jump back to play on"
            )


def ticks_per_bar(bars_per_minute: float) -> int:
    """Return how many ticks a bar is told in: four a second, at least its open, high, low and close.

    Examples
    --------
    >>> [ticks_per_bar(speed) for speed in (1, 6, 12, 60)]
    [240, 40, 20, 4]
    """
    return min(N_POINTS, max(4, round(60 / bars_per_minute * TICKS_PER_SECOND)))


def _speed(bars_per_minute: float) -> float:
    if not MIN_SPEED <= bars_per_minute <= MAX_SPEED:
        rule = f"be a number from {MIN_SPEED:g} to {MAX_SPEED:g}"
        raise must("bars_per_minute", rule, bars_per_minute, "1, 6, 12 and 60 are usual")
    return float(bars_per_minute)


def _utc(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
