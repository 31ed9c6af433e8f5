"""Where prices may go: a stored forecast per level and closed bar, settled at its horizons.

The first of the configured levels is the primary one: it is drawn before anything else, and risk and strategies go by
it. The other levels, and the rehearsal over loaded history, follow when no event waits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple
from uuid import uuid4

from numpy.typing import ArrayLike

from engine.agents.base import BaseAgent
from engine.agents.observations import ClosedBars, Observations, observe, symbols_of
from engine.agents.simulation import (
    Given,
    Simulation,
    as_level,
    as_levels,
    count_of,
    given_past,
    simulated,
    simulated_together,
)
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import TaskPriority
from engine.domain.events import Event, EventType
from engine.domain.forecast import ForecastsSettled, SimulationLevel
from engine.forecasts.book import ForecastBook
from engine.forecasts.fits import Fits
from engine.forecasts.levels import OF_THE_MARKET, Ask, Levels
from engine.forecasts.past import WINDOW, Past
from engine.forecasts.records import Occasion, forecast_of, issued_of
from engine.forecasts.rehearsal import LEAST_RETURNS, Plan, Rehearsal, stream_name
from engine.forecasts.size import Drawn, Size
from engine.kernels.paths import stream_seed
from engine.kernels.series import as_prices
from engine.settings import agent_settings


@dataclass(slots=True)
class _Left:
    """Levels of a symbol's last bar still to be drawn, those told of it, and whether what it settled is untold."""

    past: Past
    origin: datetime
    is_record: bool
    levels: list[SimulationLevel]
    told: set[SimulationLevel]
    is_unsettled: bool


class _Drawing(NamedTuple):
    paths: Drawn
    seed: int
    compute_ms: float


class MonteCarloAgent(BaseAgent):
    """Forecasts every symbol at each closed bar.

    Parameters
    ----------
    config : mapping
        `symbols`, `n_paths`, `n_steps`, `levels` (the first is the primary one), `rehearsal` (bars; defaults from
        MC_PATHS, MC_STEPS, MC_LEVELS and MC_REHEARSAL), `window` (returns behind every estimate, default 750), `seed`.
    """

    topics: ClassVar[tuple[EventType, ...]] = (EventType.MARKET_DATA, EventType.HISTORY_LOADED)
    detail: ClassVar[str] = "forecasts where each price may go"
    emits: ClassVar[tuple[EventType, ...]] = (EventType.MC_UPDATE, EventType.FORECASTS_SETTLED)
    heavy: ClassVar[bool] = True
    default_interval: ClassVar[float] = 30.0
    default_priority: ClassVar[TaskPriority] = TaskPriority.NORMAL
    title: ClassVar[str] = "Monte Carlo"
    trigger: ClassVar[str] = "on bar"

    def __init__(
        self,
        name: str,
        event_bus: EventBus,
        state_manager: StateManager,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, event_bus, state_manager, config)
        settings = agent_settings()
        self.n_paths = count_of(self.config, "n_paths", settings.mc_paths)
        self.n_steps = count_of(self.config, "n_steps", settings.mc_steps)
        self.window = count_of(self.config, "window", WINDOW)
        self.levels = as_levels(self.config.get("levels") or settings.mc_levels)
        self.rehearsal = count_of(self.config, "rehearsal", settings.mc_rehearsal, least=0)
        self.seed = int(self.config.get("seed", 0))
        self.plan = Plan(self.levels, self.n_paths, self.n_steps, self.seed)
        self.symbols = symbols_of(self.config)
        self.waiting: dict[str, str] = {}
        self.drawing = Levels(Fits(self._compute.call, self._compute.aside))
        self._given = Given(self.drawing.crew)
        self._book = ForecastBook(self.drawing.crew)
        self._observations = Observations(state_manager)
        self._drawn: dict[str, int] = {}
        self._recorded: dict[str, int] = {}
        self._left: dict[str, _Left] = {}
        self._rehearsals: dict[str, Rehearsal] = {}
        self._run = uuid4().hex

    # -- founding interface ----------------------------------------------------------------------------------------

    def simulate(  # noqa: PLR0913, PLR0917 -- the founding signature
        self,
        symbol: str,
        prices: ArrayLike | None = None,
        level: SimulationLevel | int = SimulationLevel.LEVEL_1_BASE,
        n_paths: int | None = None,
        n_steps: int | None = None,
        seed: int | None = None,
        events: Sequence[Mapping[str, Any]] | None = None,
    ) -> Simulation:
        """Return simulated prices that start at the last of `prices` (default: the closed bars known here).

        Estimates are made of all prices passed; the caller chooses the window. A level that they do not carry gives
        way to a lower one, and the result says so.

        Raises
        ------
        InvalidValueError
            An unknown level, or an event outside its rule.
        NotEnoughDataError
            Fewer than three prices.
        """
        wanted = as_level(level)
        ask = Ask(
            past=self._past(self._observations.bars(symbol)) if prices is None else given_past(symbol, prices),
            size=self._size(symbol, wanted, n_paths, n_steps, seed), events=events or (),
        )  # fmt: skip
        if prices is not None:
            return self._given.simulate(wanted, replace(ask, others=lambda: (ask.past,)))
        ask = replace(ask, others=lambda: self._everybody(ask.past, None))
        return simulated(self.drawing.draw(wanted, ask), ask.past.spot)

    def simulate_multi(
        self,
        series: Mapping[str, ArrayLike],
        level: SimulationLevel | int = SimulationLevel.LEVEL_4_MULTI_FACTOR,
        n_paths: int | None = None,
        n_steps: int | None = None,
        seed: int | None = None,
    ) -> dict[str, Simulation]:
        """Return simulated prices of several symbols; at level 4 they fall and rise together as they did before.

        Raises
        ------
        InvalidValueError
            As `simulate`.
        """
        wanted = as_level(level)
        pasts = [given_past(symbol, prices) for symbol, prices in series.items()]
        return simulated_together(
            pasts, wanted, lambda symbol: self._size(symbol, wanted, n_paths, n_steps, seed)
        )

    def record_outcome(self, symbol: str, predicted: float, actual: float) -> None:
        """Tell level 3 what became of a price that was predicted elsewhere.

        Raises
        ------
        InvalidValueError
            A price that is not positive.
        """
        pair = as_prices("predicted and actual", (predicted, actual), 2)
        self.drawing.crew.teach(symbol, float(pair[0]), float(pair[1]))

    def _size(
        self,
        symbol: str,
        level: SimulationLevel,
        n_paths: int | None,
        n_steps: int | None,
        seed: int | None,
    ) -> Size:
        base = self.seed if seed is None else seed
        return Size(
            n_paths=self.n_paths if n_paths is None else n_paths,
            n_steps=self.n_steps if n_steps is None else n_steps,
            seed=stream_seed(base, stream_name(symbol, level), level, 0),
        )

    def waits_for(self) -> str:
        """Return why market time should stand: bars would go by without forecast and vote while a history is fitted."""
        is_fitting = self._running and self._worker.owes(EventType.HISTORY_LOADED)
        return "forecasts are being fitted" if is_fitting else ""

    # -- at each bar -----------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> Iterable[Event]:
        """Return a forecast for a newly closed bar and what it settled; a first drawing for a loaded history."""
        symbol = str(event.data["symbol"])
        if self.symbols and symbol not in self.symbols:
            return ()
        if event.event_type is EventType.HISTORY_LOADED:
            self._observations.forget(symbol)
            bars = self._observations.bars(symbol)
            self._recorded[symbol] = _second(bars.last_close_at or event.as_of)
            self._rehearse(bars)
            return self._forecasts(bars, event.as_of, is_record=False)
        return self._on_tick(event, symbol)

    def cycle(self) -> Iterable[Event]:
        """Return drawings for symbols that have none of their last closed bar."""
        found: list[Event] = []
        for symbol in self.symbols:
            last = self._observations.last_close_at(symbol)
            if last is not None and self._drawn.get(symbol, 0) < last:
                found.extend(
                    self._forecasts(self._observations.bars(symbol), None, is_record=False)
                )
        return found

    def later(self) -> Iterable[Event] | None:
        """Return another level of a symbol, or what a rehearsed bar settled; None when all is done.

        Each piece is short: a close that comes meanwhile waits for its end.
        """
        ready = next((symbol for symbol, left in self._left.items() if self._is_ready(left)), None)
        if ready is not None:
            return self._other(ready)
        if self._left:
            return None
        return next(
            (told for r in tuple(self._rehearsals.values()) if (told := self._heard(r))), None
        )

    def _heard(self, rehearsal: Rehearsal) -> tuple[Event, ...] | None:
        """Return what another piece of a rehearsal settled, None while it is walked; live forecasts go on from it."""
        try:
            step = rehearsal.step()
        except Exception:
            del self._rehearsals[rehearsal.symbol]
            raise
        if step is None:
            return None
        told, is_over = step
        if is_over:
            self._book.take_over(rehearsal.symbol, rehearsal.book)
            del self._rehearsals[rehearsal.symbol]
        return tuple(self.event(EventType.FORECASTS_SETTLED, each) for each in told)

    def _on_tick(self, event: Event, symbol: str) -> Iterable[Event]:
        seen = observe(event)
        self._observations.take(seen)
        if not seen.has_bar:
            return self._forecasts(self._observations.bars(symbol), seen.as_of, is_record=True)
        if seen.is_closed:
            bars = self._observations.bars(symbol, seen.as_of)
            return self._forecasts(bars, seen.as_of, is_record=True)
        # Under load the closing tick itself may have given way to a newer one; its bar is in the memory all the same.
        last = self._observations.last_close_at(symbol)
        if last is None or last <= self._recorded.setdefault(symbol, last):
            return ()
        return self._forecasts(self._observations.bars(symbol), None, is_record=True)

    def _forecasts(
        self, bars: ClosedBars, as_of: datetime | None, *, is_record: bool
    ) -> tuple[Event, ...]:
        """Return the primary forecast, or none while there is not enough to go by.

        What the close settled follows, unless the primary level learns from it or there was no time for it at the last
        bar.
        """
        origin = bars.last_close_at or as_of or datetime.fromtimestamp(0, UTC)
        self._drawn[bars.symbol] = _second(origin)
        if is_record:
            self._recorded[bars.symbol] = _second(origin)
        n_returns = max(0, bars.closes.size - 1)
        if n_returns < LEAST_RETURNS:
            self.waiting[bars.symbol] = f"n = {n_returns} returns, needs {LEAST_RETURNS}"
            return ()
        self.waiting.pop(bars.symbol, None)
        past = self._past(bars)
        self.drawing.moods.hear(past, self.get_state(f"sentiment:{past.symbol}"))
        before = self._left.get(bars.symbol)
        is_first = self.levels[0] in OF_THE_MARKET or (before is not None and before.is_unsettled)
        made = list(self._settled(past, as_of) if is_record and is_first else ())
        drawn = self._draw(past, origin, self.levels[0])
        made.append(self._told(past, origin, drawn, is_record=is_record, is_primary=True))
        self.update_state(f"mc:{bars.symbol}", made[-1].data)
        left = [level for level in self.levels[1:] if level is not drawn.paths.level]
        self._left[bars.symbol] = _Left(
            past, origin, is_record, left, {drawn.paths.level}, is_record and not is_first
        )
        return tuple(made)

    def _is_ready(self, left: _Left) -> bool:
        """Return whether the next level can be drawn without a wait for fits of the whole market."""
        if left.is_unsettled or not left.levels or left.levels[0] not in OF_THE_MARKET:
            return True
        return self.drawing.fits.is_market_near(
            left.past, lambda: self._everybody(left.past, left.origin), self._worker.wake
        )

    def _other(self, symbol: str) -> tuple[Event, ...]:
        """Return what the bar settled, then the levels after the primary one, each once.

        A level that stands in for a higher one is told by itself.
        """
        left = self._left[symbol]
        if left.is_unsettled:
            left.is_unsettled = False
            return self._settled(left.past, left.origin if left.past.closes_at.size else None)
        if not left.levels:
            del self._left[symbol]
            if self.levels != (SimulationLevel.LEVEL_1_BASE,):
                self.drawing.fits.prepare(left.past, lambda: self._everybody(left.past, None))
            return ()
        drawn = self._draw(left.past, left.origin, left.levels.pop(0))
        if drawn.paths.level in left.told:
            return ()
        left.told.add(drawn.paths.level)
        return (self._told(left.past, left.origin, drawn, is_record=left.is_record),)

    def _told(
        self,
        past: Past,
        origin: datetime,
        drawn: _Drawing,
        *,
        is_record: bool,
        is_primary: bool = False,
    ) -> Event:
        occasion = Occasion(
            past=past, origin=origin, n_steps=self.n_steps, seed=drawn.seed, is_record=is_record,
            is_primary=is_primary, compute_ms=drawn.compute_ms,
        )  # fmt: skip
        issued = issued_of(drawn.paths)
        forecast = forecast_of(drawn.paths, issued, occasion, self.drawing.crew)
        if is_record and past.symbol not in self._rehearsals:
            self._book.issue(past, origin, issued)
        as_of = origin if past.closes_at.size else None
        return self.event(EventType.MC_UPDATE, forecast, as_of=as_of)

    def _draw(self, past: Past, origin: datetime, level: SimulationLevel) -> _Drawing:
        began = self._clock.monotonic()
        place = _second(origin) if past.closes_at.size else self._place(past)
        size = self.plan.size(past.symbol, level, place)
        ask = Ask(
            past=past, size=size, others=lambda: self._everybody(past, origin), origin=self._book.number(past)
        )  # fmt: skip
        return _Drawing(
            self.drawing.draw(level, ask),
            size.seed,
            round(1_000.0 * (self._clock.monotonic() - began), 2),
        )

    def _settled(self, past: Past, as_of: datetime | None) -> tuple[Event, ...]:
        if past.symbol in self._rehearsals:
            return ()
        rows = self._book.settle(past)
        told = ForecastsSettled(symbol=past.symbol, rows=rows)
        return (self.event(EventType.FORECASTS_SETTLED, told, as_of=as_of),) if rows else ()

    def _rehearse(self, bars: ClosedBars) -> None:
        """Begin to walk over the history of a symbol; nothing that was issued of it before counts any more."""
        symbol = bars.symbol
        self._book.forget(symbol)
        self.drawing.moods.forget(symbol)
        self._rehearsals.pop(symbol, None)
        if self.rehearsal and bars.closes_at.size > LEAST_RETURNS:
            self._rehearsals[symbol] = Rehearsal(
                self._run, symbol, self.rehearsal, self.plan,
                lambda: self._everybody(self._past(self._observations.bars(symbol)), None),
                self._compute.aside, self._worker.wake,
            )  # fmt: skip

    def _everybody(self, past: Past, origin: datetime | None) -> list[Past]:
        if not past.closes_at.size:
            return [past]
        names = self.symbols or (past.symbol,)
        pasts = [self._past(self._observations.bars(name, origin)) for name in names]
        return [each for each in pasts if each.closes_at.size]

    def _past(self, bars: ClosedBars) -> Past:
        return Past(
            symbol=bars.symbol, closes=bars.closes, closes_at=bars.closes_at, volumes=bars.volumes,
            window=self.window,
            n_before=max(0, self._observations.count(bars.symbol) - bars.closes.size),
        )  # fmt: skip

    def _place(self, past: Past) -> int:
        """Return what numbers the bar in the seed where bars have no times."""
        return self._observations.count(past.symbol) or int(past.closes.size)


def _second(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp())
