"""Forecasts made again over loaded history, bar by bar without a look ahead: a report card is there at once.

A walk is done in pieces, beside everything else: each takes what was known before it and gives what is known after it,
so it may be done in another process.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from engine.domain.forecast import HORIZONS, ForecastsSettled, SettledForecast, SimulationLevel
from engine.forecasts.adaptive_crew import AdaptiveCrew
from engine.forecasts.book import ForecastBook
from engine.forecasts.fits import KEPT_TO_REHEARSE, Aside, Fits
from engine.forecasts.fitting import Call
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.records import issued_of
from engine.forecasts.size import Size
from engine.kernels.paths import stream_seed

PIECE = 25
"""Bars walked before anybody hears of them."""
STRIDE = 5
"""Bars whose outcomes are told together; live forecasts go between any two."""
LEAST_RETURNS = 30
"""Returns below which nothing is forecast."""

Rows = tuple[SettledForecast, ...]
Newest = Callable[[], Sequence[Past]]
"""Gives the pasts of all symbols as they are now."""


def stream_name(symbol: str, level: SimulationLevel) -> str:
    """Return whose random stream a drawing takes: all symbols have one at level 4, so that they fall together."""
    return "" if level is SimulationLevel.LEVEL_4_MULTI_FACTOR else symbol


@dataclass(frozen=True, slots=True)
class Plan:
    """What is drawn at every bar.

    Parameters
    ----------
    levels : tuple of SimulationLevel
        The first is the primary one.
    n_paths : int
    n_steps : int
        Steps that are shown; the farthest horizon is drawn even beyond them. How far a drawing looks decides which
        analogues it finds, so history is rehearsed as far as forecasts go live.
    seed : int
        Of the run; each drawing has a stream of its own.
    """

    levels: tuple[SimulationLevel, ...]
    n_paths: int
    n_steps: int
    seed: int

    def size(self, symbol: str, level: SimulationLevel, place: int) -> Size:
        """Return the size and stream of a drawing at a place, epoch seconds or a count of bars."""
        seed = stream_seed(self.seed, stream_name(symbol, level), level, place)
        return Size(n_paths=self.n_paths, n_steps=max(self.n_steps, *HORIZONS), seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bars of one symbol to walk, and what is known before them.

    Parameters
    ----------
    run : str
        Pieces of one run share fits where they are walked in one process.
    symbol : str
    pasts : tuple of Past
        Of all symbols.
    begin, end : int
        Closes of the symbol that are known at the first bar and at the last one.
    book : ForecastBook
        Changed by the walk where it is done in the same process.
    """

    run: str
    plan: Plan
    symbol: str
    pasts: tuple[Past, ...]
    begin: int
    end: int
    book: ForecastBook


class Walked(NamedTuple):
    """What was settled at each bar of a piece, and what is known after it."""

    rows: list[Rows]
    book: ForecastBook


_kept: tuple[str, Fits] = ("", Fits())
"""Fits of the run that was walked last in this process."""


def walk(piece: Piece) -> Walked:
    """Settle, and issue every level, at each bar of a piece."""
    global _kept  # noqa: PLW0603 -- a child process has no other place to keep what the next call needs
    if _kept[0] != piece.run:
        _kept = (piece.run, Fits(n_kept=KEPT_TO_REHEARSE))
    levels, book = Levels(_kept[1], piece.book.crew), piece.book
    whole = next(past for past in piece.pasts if past.symbol == piece.symbol)
    rows = []
    for n in range(piece.begin, piece.end + 1):
        past = whole.until(n)
        rows.append(book.settle(past))
        if past.closes.size > LEAST_RETURNS:
            _issue(piece, levels, past)
    return Walked(rows, book)


def _issue(piece: Piece, levels: Levels, past: Past) -> None:
    place = int(past.closes_at[-1])
    for level in piece.plan.levels:
        ask = Ask(
            past=past,
            size=piece.plan.size(past.symbol, level, place),
            others=lambda: [each.upto(past.places[-1]) for each in piece.pasts],
            origin=piece.book.number(past),
        )
        drawn = levels.draw(level, ask)
        piece.book.issue(past, datetime.fromtimestamp(place, UTC), issued_of(drawn))


class Rehearsal:
    """Walks one symbol from `n_bars` before the end of its history to its last close.

    Parameters
    ----------
    newest : callable
        Gives the pasts of all symbols as they are now; closes that come meanwhile are walked as well.
    aside, wake : callable
        Does work beside everything else; is told that `step` has something to say.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- the last three are its surroundings
        self,
        run: str,
        symbol: str,
        n_bars: int,
        plan: Plan,
        newest: Newest,
        aside: Aside,
        wake: Callable[[], None],
    ) -> None:
        self.symbol = symbol
        self._run, self._plan = run, plan
        self._newest, self._aside, self._wake = newest, aside, wake
        places = self._past(newest()).places
        self._at = float(places[max(0, places.size - n_bars)]) if places.size else 0.0
        self._n_walked = 0
        self._has_told = False
        self._is_asked = False
        self._found: deque[Walked | Exception] = deque()
        self.book = ForecastBook(AdaptiveCrew())
        """What is known after the last piece that was told."""

    def step(self) -> tuple[list[ForecastsSettled], bool] | None:
        """Return what another piece settled and whether the walk is over; None while one is walked.

        The first time it is that the walk begins.

        Raises
        ------
        Exception
            What stopped the walk.
        """
        if not self._is_asked:
            self._ask()
        if not self._has_told:
            places = self._past(self._newest()).places
            n_left = places.size - int(places.searchsorted(self._at, side="left"))
            return self._told([], n_left), False
        if not self._found:
            return None
        found, self._is_asked = self._found.popleft(), False
        if isinstance(found, Exception):
            raise found
        self.book = found.book
        places = self._past(self._newest()).places
        end = int(places.searchsorted(self._at, side="left")) + len(found.rows)
        if end < places.size:
            self._at = float(places[end])
        return self._told(found.rows, places.size - end), end == places.size

    def _ask(self) -> None:
        pasts = tuple(self._newest())
        places = self._past(pasts).places
        begin = int(places.searchsorted(self._at, side="left"))
        end = min(begin + PIECE, places.size)
        piece = Piece(
            run=self._run, plan=self._plan, symbol=self.symbol, pasts=pasts, begin=begin + 1, end=end, book=self.book
        )  # fmt: skip
        self._is_asked = True
        self._aside(lambda call: self._walk(piece, call))

    def _walk(self, piece: Piece, call: Call) -> None:
        try:
            self._found.append(call(walk, piece))
        except Exception as error:  # noqa: BLE001 -- it is raised again where the walk is asked for
            self._found.append(error)
        self._wake()

    def _told(self, rows: list[Rows], n_left: int) -> list[ForecastsSettled]:
        told = []
        for n in range(0, max(len(rows), 1), STRIDE):
            some = rows[n : n + STRIDE]
            self._n_walked += len(some)
            told.append(
                ForecastsSettled(
                    symbol=self.symbol, rows=tuple(row for each in some for row in each), is_rehearsal=True,
                    is_first=not self._has_told, n_walked=self._n_walked,
                    n_to_walk=self._n_walked + len(rows) - n - len(some) + n_left,
                )
            )  # fmt: skip
            self._has_told = True
        return told

    def _past(self, pasts: Sequence[Past]) -> Past:
        return next(past for past in pasts if past.symbol == self.symbol)
