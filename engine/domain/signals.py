"""What a strategy thinks: actions, signals, votes and the record of one cycle."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine.domain.errors import must
from engine.domain.payload import Payload


class SignalAction(StrEnum):
    """BUY, SELL or HOLD; equals and prints as its word."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"

    @property
    def direction(self) -> int:
        """+1 for BUY, -1 for SELL, 0 for HOLD."""
        return {"BUY": 1, "SELL": -1, "HOLD": 0}[self.value]


class SignalStrength(Enum):
    """How far past its threshold a signal is."""

    STRONG = "STRONG"
    MODERATE = "MODERATE"
    WEAK = "WEAK"


def as_utc(moment: datetime) -> datetime:
    """Return the moment in UTC; a naive time counts as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Payload):
    """One strategy's proposal for one symbol.

    Parameters
    ----------
    confidence : float
        Between 0 and 1.
    quantity : float, optional
        Units; None leaves the size to the risk gate.
    stop_loss, take_profit : float, optional
        Prices at which the position would be closed.
    timestamp : datetime
        Market time; naive counts as UTC.
    """

    symbol: str
    action: SignalAction
    confidence: float
    strength: SignalStrength
    price: float
    quantity: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    reason: str = ""
    strategy: str = ""
    timestamp: datetime
    schema: int = 1

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise must("confidence", "lie between 0 and 1", self.confidence, "scale it")
        object.__setattr__(self, "timestamp", as_utc(self.timestamp))

    @property
    def signal_type(self) -> SignalAction:
        """The action, under the founding documents' other name."""
        return self.action


@dataclass(frozen=True, slots=True)
class StrategyContext:
    """What a strategy may look at; also answers ``context["prices"]``.

    Parameters
    ----------
    prices, volumes : array_like of shape (n_bars,)
        Closed bars, oldest first.
    indicators : mapping of str to array
        Extra series that somebody computed already.
    mc_probability_up : float, optional
        Probability of a higher close, from the forecast.
    mc_touch_below, mc_touch_above : float, optional
        Probability that the price comes `TOUCH` (of `engine.domain.forecast`) below or above the last close on the
        forecast's way.
    mc_drawdown_95 : float, optional
        Depth that the deepest drawdown within the forecast's steps exceeds in one path of twenty, a fraction <= 0.
    sentiment : float, optional
        How the symbol is spoken of, -1 to 1.
    now : datetime, optional
        Market time of the last bar, UTC.
    """

    symbol: str
    prices: ArrayLike
    volumes: ArrayLike = ()
    indicators: dict[str, Any] = field(default_factory=dict)
    mc_probability_up: float | None = None
    sentiment: float | None = None
    now: datetime | None = None
    highs: ArrayLike | None = None
    lows: ArrayLike | None = None
    mc_touch_below: float | None = None
    mc_touch_above: float | None = None
    mc_drawdown_95: float | None = None

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 -- a dict's reading of a typed context
        if name not in self.__slots__:
            raise KeyError(name)
        return getattr(self, name)

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return the field, or `default` where there is none."""
        value = getattr(self, name, None) if name in self.__slots__ else None
        return default if value is None else value

    def array(self, name: str) -> np.ndarray:
        """Return a field as floats of shape (n_bars,), empty where it is absent."""
        value = self.get(name)
        return np.empty(0) if value is None else np.asarray(value, dtype=float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(Payload):
    """One algorithm's say in one cycle: ``part = vote * weight * regime_factor``.

    Parameters
    ----------
    vote : float
        Direction times strength, -1 to +1.
    weight : float
        Share of this algorithm in the sum of enabled weights, 0 to 1.
    error : str, optional
        Why the algorithm did not vote; then every number is zero.
    """

    algorithm: str
    vote: float = 0.0
    weight: float = 0.0
    regime_factor: float = 1.0
    part: float = 0.0
    reason: str = ""
    indicators: dict[str, float] = field(default_factory=dict)
    error: str | None = None


class StepOutcome(Enum):
    """How one check of the gate ended."""

    PASSED = "passed"
    CLAMPED = "clamped"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStep(Payload):
    """One check between score and order.

    Parameters
    ----------
    rule : str
        For example "Threshold", "Position cap", "Daily loss", "Stale input", "Trade band", "Kill switch".
    detail : str
        The deciding numbers, in words for the screen.
    result : str
        What stands at the right of the row, for example "SELL", "not binding", "inside".
    """

    rule: str
    outcome: StepOutcome
    detail: str = ""
    result: str = ""
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRecord(Payload):
    """Why, and why not: the payload of CYCLE_RECORDED, one per symbol and closed bar.

    `score` is the sum of the votes' parts; `threshold` is half the width of the dead zone.
    `steps` is completed by the gate in a second record of the same `cycle_id` (a later one replaces it).
    """

    cycle_id: str
    symbol: str
    bar_closed_at: datetime
    price: float
    regime: str
    votes: tuple[Vote, ...]
    score: float
    threshold: float
    action: SignalAction
    confidence: float
    steps: tuple[GateStep, ...] = ()
    verdict: str = ""
    order_id: str | None = None
    schema: int = 1
