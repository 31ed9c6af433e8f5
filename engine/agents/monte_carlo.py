"""Where prices may go: one stored forecast per closed bar, redraws for display in between.

Level 1 (geometric Brownian motion) is built; a configured higher level degrades to it and the forecast says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from engine.agents.base import BaseAgent
from engine.agents.observations import ClosedBars, Observations, observe, symbols_of
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import TaskPriority
from engine.domain.errors import InvalidValueError, must
from engine.domain.events import Event, EventType
from engine.domain.forecast import (
    FAN_LEVELS,
    HORIZONS,
    Forecast,
    HorizonQuantiles,
    SimulationLevel,
)
from engine.kernels import quantiles
from engine.kernels.paths import estimate_drift_and_sigma, simulate_gbm, stream_seed
from engine.kernels.series import FloatArray, as_prices
from engine.settings import agent_settings

WINDOW = 500
"""Returns behind drift and volatility: two years of days, long enough to tell sigma within about 3 %."""
LEAST_RETURNS = 30
BUILT = (SimulationLevel.LEVEL_1_BASE,)
_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Simulation:
    """Simulated prices.

    Parameters
    ----------
    paths : ndarray of shape (n_paths, n_steps + 1)
        Prices; the first column is spot.
    percentiles : dict of str to tuple of n_steps + 1 prices
        Percent ("2.5" to "97.5") to the quantile at every step.
    """

    paths: FloatArray
    percentiles: dict[str, tuple[float, ...]]


class MonteCarloAgent(BaseAgent):
    """Forecasts every symbol at each closed bar.

    Parameters
    ----------
    config : mapping
        `symbols`, `n_paths`, `n_steps` (default from MC_PATHS and MC_STEPS), `levels`, `window` (returns behind the
        estimate, default 500), `seed`.
    """

    topics: ClassVar[tuple[EventType, ...]] = (EventType.MARKET_DATA, EventType.HISTORY_LOADED)
    emits: ClassVar[tuple[EventType, ...]] = (EventType.MC_UPDATE,)
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
        self.n_paths = _count(self.config, "n_paths", settings.mc_paths)
        self.n_steps = _count(self.config, "n_steps", settings.mc_steps)
        self.window = _count(self.config, "window", WINDOW)
        self.levels = _levels(self.config.get("levels"))
        self.seed = int(self.config.get("seed", 0))
        self.symbols = symbols_of(self.config)
        self.waiting: dict[str, str] = {}
        self._observations = Observations(state_manager)
        self._drawn: dict[str, int] = {}
        self._recorded: dict[str, int] = {}

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

        Drift and volatility are estimated from all prices passed; the caller chooses the window.

        Raises
        ------
        InvalidValueError
            The level is not built, or `events` are given to a level that knows none.
        NotEnoughDataError
            Fewer than three prices.
        """
        wanted = _built(SimulationLevel(level))
        if events:
            raise must("events", "be empty for level 1", len(events), "use level 2, once built")
        known = self._observations.bars(symbol).closes if prices is None else prices
        closes = as_prices("prices", known, 3)
        estimate = estimate_drift_and_sigma(closes)
        stream = self.seed if seed is None else seed
        rng = np.random.default_rng(stream_seed(stream, symbol, wanted, 0))
        logs = simulate_gbm(
            float(closes[-1]), estimate.drift_per_step, estimate.sigma_per_step,
            self.n_paths if n_paths is None else n_paths, self.n_steps if n_steps is None else n_steps, rng,
        )  # fmt: skip
        rows = quantiles.fan(logs, float(closes[-1]))
        return Simulation(
            paths=np.exp(logs.T),
            percentiles={f"{100 * q:g}": row for q, row in zip(FAN_LEVELS, rows, strict=True)},
        )

    def handle(self, event: Event) -> Iterable[Event]:
        """Return a forecast record for a newly closed bar, a first drawing for a loaded history, else nothing."""
        symbol = str(event.data["symbol"])
        if self.symbols and symbol not in self.symbols:
            return ()
        if event.event_type is EventType.HISTORY_LOADED:
            self._observations.forget(symbol)
            bars = self._observations.bars(symbol)
            self._recorded[symbol] = _second(bars.last_close_at or event.as_of)
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

    def _on_tick(self, event: Event, symbol: str) -> Iterable[Event]:
        seen = observe(event)
        self._observations.take(seen)
        if not seen.has_bar:
            return self._forecasts(self._observations.bars(symbol), seen.as_of, is_record=True)
        if seen.is_closed:
            bars = self._observations.bars(symbol, seen.as_of)
            return self._forecasts(bars, seen.as_of, is_record=True)
        # Under load the closing tick itself may have given way to a newer one; its bar is in the memory all the same.
        last, recorded = self._observations.last_close_at(symbol), self._recorded.get(symbol)
        if last is None or recorded is None or last <= recorded:
            return ()
        return self._forecasts(self._observations.bars(symbol), None, is_record=True)

    def _forecasts(
        self, bars: ClosedBars, as_of: datetime | None, *, is_record: bool
    ) -> tuple[Event, ...]:
        """Return one event per level, or none while there is not enough to go by."""
        origin = bars.last_close_at or as_of or datetime.fromtimestamp(0, UTC)
        self._drawn[bars.symbol] = _second(origin)
        if is_record:
            self._recorded[bars.symbol] = _second(origin)
        n_returns = max(0, bars.closes.size - 1)
        if n_returns < LEAST_RETURNS:
            self.waiting[bars.symbol] = f"n = {n_returns} returns, needs {LEAST_RETURNS}"
            return ()
        self.waiting.pop(bars.symbol, None)
        made = []
        for level, note in _degraded(self.levels):
            data = self._forecast(bars, origin, level, note, is_record=is_record).to_data()
            made.append(self.event(EventType.MC_UPDATE, data, as_of=bars.last_close_at or as_of))
        self.update_state(f"mc:{bars.symbol}", made[-1].data)
        return tuple(made)

    def _forecast(
        self,
        bars: ClosedBars,
        origin: datetime,
        level: SimulationLevel,
        note: str,
        *,
        is_record: bool,
    ) -> Forecast:
        """Return the forecast from the last closed bar; the farthest horizon is simulated even beyond `n_steps`."""
        closes = bars.closes[-self.window - 1 :]
        spot = float(closes[-1])
        estimate = estimate_drift_and_sigma(closes)
        place = _second(origin) if bars.closes_at.size else self._place(bars)
        seed = stream_seed(self.seed, bars.symbol, level, place)
        steps = max(self.n_steps, *HORIZONS)
        logs = simulate_gbm(
            spot, estimate.drift_per_step, estimate.sigma_per_step, self.n_paths, steps,
            np.random.default_rng(seed),
        )  # fmt: skip
        shown = logs[: self.n_steps + 1]
        return Forecast(
            symbol=bars.symbol,
            level=level,
            origin=origin,
            spot=spot,
            n_paths=self.n_paths,
            n_steps=self.n_steps,
            n_observations=estimate.n_observations,
            fan=tuple((spot, *_short(row[1:])) for row in quantiles.fan(shown, spot)),
            quantiles=tuple(
                HorizonQuantiles(horizon=q.horizon, prices=_short(q.prices))
                for q in quantiles.horizon_quantiles(logs, spot)
            ),
            probability_up=quantiles.probability_up(shown, spot),
            expected_price=quantiles.expected_price(shown),
            drift_per_step=estimate.drift_per_step,
            drift_error_per_step=estimate.drift_error_per_step,
            sigma_per_step=estimate.sigma_per_step,
            seed=seed,
            step_seconds=bars.step_seconds,
            is_record=is_record,
            note=note,
        )

    def _place(self, bars: ClosedBars) -> int:
        """Return what numbers the bar in the seed where bars have no times."""
        return self._observations.count(bars.symbol) or int(bars.closes.size)


def _second(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp())


def _short(prices: Iterable[float]) -> tuple[float, ...]:
    """Return prices to seven digits: far below the sampling error, and a third of the bytes in the journal."""
    return tuple(float(f"{price:.{_DIGITS}g}") for price in prices)


def _count(config: Mapping[str, Any], name: str, default: int) -> int:
    value = config.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise must(name, "be a whole number above zero", value, "correct the configuration")
    return value


def _levels(given: object) -> tuple[SimulationLevel, ...]:
    wanted = given if isinstance(given, list | tuple) and given else BUILT
    try:
        return tuple(dict.fromkeys(SimulationLevel(level) for level in wanted))
    except ValueError:
        raise must("levels", "be levels 1 to 5", given, "correct the configuration") from None


def _built(level: SimulationLevel) -> SimulationLevel:
    if level not in BUILT:
        raise InvalidValueError(
            f"level must be among {', '.join(str(b.value) for b in BUILT)}, was {level.value}; "
            "higher levels are not built yet, use level 1"
        )
    return level


def _degraded(levels: tuple[SimulationLevel, ...]) -> tuple[tuple[SimulationLevel, str], ...]:
    """Return each level that can be drawn, with a note where it stands in for a higher one."""
    found: dict[SimulationLevel, str] = {}
    for level in levels:
        if level in BUILT:
            found[level] = ""
        else:
            best = max(BUILT, key=lambda built: built.value)
            found.setdefault(
                best, f"level {level.value} is not built yet; this is level {best.value}"
            )
    return tuple(found.items())
