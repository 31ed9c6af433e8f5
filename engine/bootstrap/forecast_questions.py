"""What-if forecasts and stored ones: answered in the asking process, off its loop, from sections and journal."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import numpy as np

from engine.agents.simulation import as_level
from engine.domain.errors import NotEnoughDataError, UnknownNameError, must
from engine.domain.events import EventType
from engine.domain.forecast import HORIZONS, Forecast, SimulationLevel
from engine.domain.market import BarColumns
from engine.domain.sections import Snapshot
from engine.forecasts.levels import Ask, Levels
from engine.forecasts.past import Past
from engine.forecasts.records import Occasion, forecast_of, issued_of
from engine.forecasts.rehearsal import stream_name
from engine.forecasts.size import Outlook, Size
from engine.kernels.paths import stream_seed
from engine.ports.journal import EventQuery, Journal

Read = Callable[[Sequence[str]], Snapshot]
MAX_PATHS, MAX_STEPS = 100_000, 252
MAX_STORED = 400


def forecast_questions(
    journal: Journal, read: Read, drawing: Levels | None = None
) -> dict[str, Callable[..., Any]]:
    """Return the questions by name.

    Parameters
    ----------
    read : callable
        Reads sections by name.
    drawing : Levels, optional
        The engine's own, with what level 3 has learned; another process begins with what nobody has learned.
    """
    asked = _Asked(journal, read, drawing or Levels())
    return {"simulate": asked.simulate, "past_forecasts": asked.past_forecasts}


class _Asked:
    def __init__(self, journal: Journal, read: Read, levels: Levels) -> None:
        self._journal, self._read, self._levels = journal, read, levels

    def simulate(  # noqa: PLR0913 -- the controls of the page, by name
        self,
        *,
        symbol: str,
        level: int,
        n_paths: int = 1_000,
        n_steps: int = 50,
        shock: float = 0.0,
        volatility: float = 1.0,
        seed: int | None = None,
    ) -> Forecast:
        """Return a forecast from the last close that nobody stores; without a seed it draws from the stored one's.

        Raises
        ------
        InvalidValueError
            A number outside its rule.
        NotEnoughDataError
            Too few bars even for level 1.
        UnknownNameError
            No bars of that symbol.
        """
        _check("n_paths", n_paths, MAX_PATHS)
        _check("n_steps", n_steps, MAX_STEPS)
        wanted, past = as_level(level), _past(self._read, symbol)
        number = self._seed(past, wanted) if seed is None else seed
        ask = Ask(
            past=past, size=Size(n_paths=n_paths, n_steps=max(n_steps, *HORIZONS), seed=number),
            outlook=Outlook(shock=shock, volatility=volatility), others=lambda: _everybody(self._read),
        )  # fmt: skip
        began = perf_counter()
        drawn = self._levels.draw(wanted, ask)
        occasion = Occasion(
            past=past, origin=datetime.fromtimestamp(int(past.places[-1]), UTC), n_steps=n_steps,
            seed=number, is_record=False, is_primary=False, compute_ms=round(1_000.0 * (perf_counter() - began), 2),
        )  # fmt: skip
        return forecast_of(drawn, issued_of(drawn), occasion, self._levels.crew)

    def past_forecasts(self, *, symbol: str, level: int, count: int = 60) -> tuple[Forecast, ...]:
        """Return the newest stored forecasts of a symbol and level, oldest first."""
        _check("count", count, MAX_STORED)
        wanted = as_level(level)
        text = f'"symbol":"{symbol}" "level":{level} "is_record":true'
        query = EventQuery(types=(EventType.MC_UPDATE,), text=text, limit=count)
        made = [Forecast.from_data(event.data) for event in self._journal.query(query)]
        return tuple(f for f in reversed(made) if f.symbol == symbol and f.level is wanted)

    def _seed(self, past: Past, level: SimulationLevel) -> int:
        """Return the seed of the forecast stored at the last close, else one of its own."""
        place, name = int(past.places[-1]), f"forecast:{past.symbol}"
        section = self._read((name,)).value(name)
        stored = None if section is None else section.by_level.get(str(level.value))
        if stored is not None and int(stored.origin.timestamp()) == place:
            return int(stored.seed)
        return stream_seed(0, stream_name(past.symbol, level), level, place)


def _check(name: str, value: object, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise must(
            name, f"be a whole number from 1 to {most:,}", value, "give a number in that range"
        )


def _past(read: Read, symbol: str) -> Past:
    section = read((f"bars:{symbol}",)).value(f"bars:{symbol}")
    if section is None:
        raise UnknownNameError(
            f"symbol must have bars, {symbol!r} has none; choose one of the watchlist"
        )
    past = _as_past(section.columns)
    if not past.closes.size:
        raise NotEnoughDataError(f"{symbol} must have closed bars, was without; wait for more bars")
    return past


def _everybody(read: Read) -> list[Past]:
    found = read(("bars:*",))
    return [_as_past(section.value.columns) for section in found.sections.values()]


def _as_past(columns: BarColumns) -> Past:
    volumes = [np.nan if v is None else v for v in columns.volume]
    known = np.asarray(volumes, dtype=float)
    return Past(
        symbol=columns.symbol,
        closes=np.asarray(columns.close, dtype=float),
        closes_at=np.asarray(columns.closes_at, dtype=float),
        volumes=np.empty(0) if np.isnan(known).any() else known,
    )
