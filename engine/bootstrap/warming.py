"""Kernels made ready beside everything else, before a bar closes: market time waits for them.

Machine code is made at a kernel's first call, once per installation, and loaded later; how long both take stands in
decision 0029. Without this the first bars would go by without a forecast, a risk figure and a vote.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from engine.adapters.compute.child import ComputeClosedError
from engine.agents.risk_figures import Measured, measure
from engine.domain.errors import NotEnoughDataError
from engine.domain.forecast import SimulationLevel
from engine.forecasts.book import ForecastBook
from engine.forecasts.fits import Fits
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.records import Occasion, forecast_of, issued_of
from engine.forecasts.size import Size
from engine.kernels.compiled import is_kept, note_kept, warm
from engine.ports.compute import Call

WORDS = "kernels are being compiled"
_N_BARS = 420
_N_PATHS = 200
_N_STEPS = 20
_SYMBOL = "WARM-UP"
_DAY_S = 86_400.0

log = logging.getLogger(__name__)


class Warming:
    """Makes every kernel ready in a thread.

    Parameters
    ----------
    work : callable
        What does it; a failure is logged, and nothing waits any longer.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pilothouse-warm-up", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def waits_for(self) -> str:
        """Return what market time waits for, nothing when all is ready."""
        return "" if self._is_over.is_set() else WORDS

    def _run(self) -> None:
        try:
            self._work()
        except ComputeClosedError:
            log.debug("kernels were not made ready: the engine stopped first")
        except Exception:
            log.exception("kernels could not be made ready: they are compiled when they are needed")
        finally:
            self._is_over.set()


def make_ready(call: Call) -> None:
    """Have machine code made in the child where there is none yet, then load it here.

    Notes
    -----
    A compiler leaves a hundred megabytes behind and holds the interpreter's lock in slices: neither is for a process
    that serves pages for months.

    Parameters
    ----------
    call : callable
        Calls a function in a child process.
    """
    if not is_kept():
        call(call_all)
    call_all()


def call_all() -> None:
    """Compile or load what forecasts, their scores and risk figures call, by making them of prices made up for it."""
    warmth = warm()
    _call_forecasts()
    note_kept()
    log.info(
        "kernels are ready: %d of %d were loaded from %s",
        warmth.n_loaded,
        warmth.n_kernels,
        warmth.folder or "nowhere, so they are compiled at every start",
    )


def _call_forecasts() -> None:
    rng = np.random.default_rng(0)
    closes = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, _N_BARS)))
    # a short window is not fitted but smoothed: fits are made in a child, which compiles for itself
    closes_at = np.arange(1, _N_BARS + 1, dtype=np.float64) * _DAY_S
    past = Past(
        symbol=_SYMBOL, closes=closes, closes_at=closes_at, volumes=np.ones(_N_BARS), window=200
    )
    levels = Levels(Fits(_no_child))
    book = ForecastBook(levels.crew)
    for n in (_N_BARS - 1, _N_BARS):
        _call_levels(levels, book, past.until(n))
    returns = np.diff(closes) / closes[:-1]
    measure(Measured(scope=_SYMBOL, returns=returns, closes=closes, periods_per_year=252.0, seed=0))


def _call_levels(levels: Levels, book: ForecastBook, past: Past) -> None:
    book.settle(past)
    origin = datetime.fromtimestamp(float(past.closes_at[-1]), UTC)
    for level in SimulationLevel:
        size = Size(n_paths=_N_PATHS, n_steps=_N_STEPS, seed=level.value)
        drawn = levels.draw(
            level, Ask(past=past, size=size, others=lambda: (past,), origin=book.number(past))
        )
        issued = issued_of(drawn)
        occasion = Occasion(
            past=past, origin=origin, n_steps=_N_STEPS, seed=size.seed, is_record=False
        )
        forecast_of(drawn, issued, occasion, levels.crew)
        book.issue(past, origin, issued)


def _no_child(*_: object, **__: object) -> None:
    raise NotEnoughDataError("nothing is fitted to warm up")
