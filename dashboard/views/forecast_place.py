"""Which forecast a screen shows: symbol, level, one or all five, horizons; as address and topics say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from engine.domain.forecast import HORIZONS, SimulationLevel
from engine.domain.sections import EngineSection, ForecastSection, Snapshot

LEVELS = tuple(SimulationLevel)
_NUMBERS = tuple(each.value for each in LEVELS)
ONE, ALL = "one", "all"
EDGES = (50, 80, 95)
NAMES = ("level", "view", "horizon", "card", "edges")
"""What an address says beside the symbol, in the order of a topic; the hidden levels follow where there are any."""
_NAMES = ("Base (GBM)", "Conditional", "Adaptive", "Multi-factor", "Tail-aware")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is shown.

    Parameters
    ----------
    horizon, card : int
        Bars ahead that the chart looks, and that the report card speaks of.
    edges : int
        Band in percent whose edges are drawn when all five are.
    hidden : tuple of int
        Levels left out where all five are drawn; never the chosen one.
    """

    symbol: str
    level: int = 1
    mode: str = ONE
    horizon: int = HORIZONS[-1]
    card: int = HORIZONS[0]
    edges: int = 80
    hidden: tuple[int, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether all five levels are shown."""
        return self.mode == ALL

    @property
    def argument(self) -> str:
        """The place as an argument of a live topic."""
        parts = (self.symbol, self.level, self.mode, self.horizon, self.card, self.edges)
        return ":".join(map(str, (*parts, self._hide) if self.hidden else parts))

    @property
    def address(self) -> str:
        """The link that shows the same screen."""
        given = {
            "symbol": self.symbol, "level": self.level, "view": self.mode,
            "horizon": self.horizon, "card": self.card, "edges": self.edges,
        } | ({"hide": self._hide} if self.hidden else {})  # fmt: skip
        return f"/forecast?{urlencode(given)}" if self.symbol else "/forecast"

    @property
    def _hide(self) -> str:
        return "".join(map(str, self.hidden))

    @property
    def shown(self) -> tuple[int, ...]:
        """The levels that are drawn where all five can be."""
        return tuple(n for n in _NUMBERS if n not in self.hidden)

    def at_level(self, level: int) -> "Place":
        """Return the same of another level."""
        return replace(self, level=level)


def chosen_level(asked: str, usual: int = 1) -> int:
    """Return the level asked for where there is such a one, else the usual.

    Examples
    --------
    >>> chosen_level("1"), chosen_level("3"), chosen_level("x"), chosen_level("6", 3)
    (1, 3, 1, 3)
    """
    return next((each.value for each in LEVELS if str(each.value) == asked), usual)


def usual_level(snapshot: Snapshot, symbol: str) -> int:
    """Return the level shown where none was asked for: the one that votes and risk go by."""
    section: ForecastSection | None = snapshot.value(f"forecast:{symbol}")
    known = section.by_level.items() if section else ()
    # one that stood in while history was short may still be there
    primary = ((forecast.origin, int(level)) for level, forecast in known if forecast.is_primary)
    return max(primary, default=(None, (*made_levels(snapshot), 1)[0]))[1]


def made_levels(snapshot: Snapshot) -> tuple[int, ...]:
    """Return the levels that the engine is set to forecast, the primary one first; none while that is unknown."""
    engine: EngineSection | None = snapshot.value("engine")
    return engine.levels if engine else ()


def not_made(snapshot: Snapshot, level: int) -> str:
    """Return why there will be no forecast of a level, nothing when there may be one."""
    made = made_levels(snapshot)
    if not made or level in made:
        return ""
    return f"Level {level} is not forecast: MC_LEVELS is {', '.join(map(str, made))}."


def _one_of(asked: str, choices: tuple[int, ...], usual: int) -> int:
    return next((choice for choice in choices if str(choice) == asked), usual)


def place_of(symbol: str, given: Mapping[str, object], usual: int = 1) -> Place:
    """Return the place that an address asks for; what it doesn't say, or says wrongly, is the usual.

    Examples
    --------
    >>> place_of("AAPL", {"level": "4", "view": "all", "horizon": "5", "card": "7"}).argument
    'AAPL:4:all:5:1:80'
    >>> place_of("AAPL", {"level": "4", "hide": "245"}).hidden
    (2, 5)
    """
    said = {name: str(value) for name, value in given.items() if value is not None}
    level = chosen_level(said.get("level", ""), usual)
    return Place(
        symbol=symbol,
        level=level,
        mode=ALL if said.get("view") == ALL else ONE,
        horizon=_one_of(said.get("horizon", ""), HORIZONS, HORIZONS[-1]),
        card=_one_of(said.get("card", ""), HORIZONS, HORIZONS[0]),
        edges=_one_of(said.get("edges", ""), EDGES, 80),
        hidden=tuple(n for n in _NUMBERS if str(n) in said.get("hide", "") and n != level),
    )


def hidden_by(shown: Sequence[str] | None) -> str:
    """Return the levels that a choice of shown ones leaves out, as an address says it.

    Examples
    --------
    >>> hidden_by(["1", "2", "5"]), hidden_by(["1", "2", "3", "4", "5"])
    ('34', '')
    """
    return "".join(str(n) for n in _NUMBERS if str(n) not in (shown or ()))


def place_from(argument: str) -> Place:
    """Return the place that a topic's argument names.

    Examples
    --------
    >>> place_from(Place(symbol="JPM", level=5, mode="all").argument).level
    5
    """
    symbol, *rest = argument.split(":")
    return place_of(symbol, dict(zip((*NAMES, "hide"), rest, strict=False)))


def level_name(level: SimulationLevel | int) -> str:
    """Return the short name of a level.

    Examples
    --------
    >>> level_name(4), level_name(SimulationLevel.LEVEL_1_BASE)
    ('Multi-factor', 'Base (GBM)')
    """
    number = level.value if isinstance(level, SimulationLevel) else level
    return _NAMES[number - 1]
