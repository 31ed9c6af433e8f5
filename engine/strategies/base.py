"""What a strategy is: one method from a context of closed bars to a signal or None.

Write your own by subclassing `BaseStrategy`; the built-in ones subclass `VotingStrategy`, which asks only for a
judgement and makes the signal of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from engine.domain.errors import must
from engine.domain.signals import Signal, SignalAction, SignalStrength, StrategyContext
from engine.kernels.series import FloatArray
from engine.strategies.parameters import Parameter, Value, read_all

Context = StrategyContext | Mapping[str, Any]
"""What `generate_signal` takes: the typed context or a dict with its keys."""

STOPS: tuple[Parameter, ...] = (
    Parameter(
        name="stop_loss_pct", kind=float, default=0.02, minimum=0.0001, maximum=0.9,
        title="Stop distance", description="Loss at which the position would be closed, as a fraction of the price.",
    ),
    Parameter(
        name="take_profit_pct", kind=float, default=0.04, minimum=0.0001, maximum=10.0,
        title="Target distance", description="Gain at which the position would be closed, as a fraction of the price.",
    ),
)  # fmt: skip
"""Parameters that every strategy has; a target of twice the stop pays at one win in three."""

_CONTEXT_FIELDS = tuple(StrategyContext.__slots__)
_MODERATE, _STRONG = 1 / 3, 2 / 3


class BaseStrategy(ABC):
    """A rule that looks at closed bars and proposes.

    Parameters
    ----------
    name : str
        Labels the signals.
    config : mapping, optional
        Values of the parameters in `schema` and whatever a subclass reads itself from `self.config`.

    Raises
    ------
    InvalidValueError
        A parameter is of the wrong kind or out of bounds; the message names it.
    """

    schema: ClassVar[tuple[Parameter, ...]] = ()

    def __init__(self, name: str, config: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.config: dict[str, Any] = dict(config or {})
        self.parameters: dict[str, Value] = read_all(self.schema, self.config)
        self._stops = read_all(STOPS, self.config)

    @abstractmethod
    def generate_signal(self, context: Context) -> Signal | None:
        """Return a proposal for `context["symbol"]`, or None where there is nothing to propose."""

    def get_required_data(self) -> list[str]:
        """Return the fields of the context that this strategy reads."""
        return ["prices"]

    def calculate_stop_loss(self, price: float, action: SignalAction) -> float:
        """Return the price that closes a losing position: `stop_loss_pct` (default 2 %) on the losing side."""
        return price * (1.0 - _direction(action) * float(self._stops["stop_loss_pct"]))

    def calculate_take_profit(self, price: float, action: SignalAction) -> float:
        """Return the price that closes a winning position: `take_profit_pct` (default 4 %) on the winning side.

        A target below zero, possible for a SELL, is held just above it: no price is lower.
        """
        target = price * (1.0 + _direction(action) * float(self._stops["take_profit_pct"]))
        return max(target, price * 1e-6)

    def number(self, name: str) -> float:
        """Return a parameter as float."""
        return float(self.parameters[name])

    def count(self, name: str) -> int:
        """Return a parameter as int."""
        return int(self.parameters[name])


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a voting strategy thinks.

    Parameters
    ----------
    vote : float
        Direction times strength, -1 to +1; 0 is no view.
    reason : str
        One line with the deciding numbers.
    indicators : dict of str to float
        Those numbers, for the why-card.
    """

    vote: float = 0.0
    reason: str = ""
    indicators: dict[str, float] = field(default_factory=dict)


class VotingStrategy(BaseStrategy):
    """A strategy with a graded opinion: `judge` gives it, the signal follows from it.

    `signal_floor` is the vote below which there is an opinion but no signal. With `weighs_evidence` a signal's
    confidence is shifted by the forecast and the sentiment of its context; a vote is not, because in a vote the
    forecast has a voice of its own and would count twice.
    """

    title: ClassVar[str]
    signal_floor: ClassVar[float] = 0.0
    weighs_evidence: ClassVar[bool] = True

    def __init__(self, name: str, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(name, config)
        self.check_together()

    @abstractmethod
    def judge(self, context: StrategyContext) -> Judgement:
        """Return the opinion on closed bars; too few bars give no view, with the reason."""

    def check_together(self) -> None:
        """Raise InvalidValueError where parameters contradict each other."""

    @property
    def description(self) -> str:
        """The deciding parameters in a few words, for the list of strategies."""
        return ""

    def generate_signal(self, context: Context) -> Signal | None:
        """Return the signal of this strategy's judgement, or None."""
        known = as_context(context)
        judgement = self.judge(known)
        if judgement.vote == 0.0 or abs(judgement.vote) < self.signal_floor:
            return None
        action = SignalAction.BUY if judgement.vote > 0 else SignalAction.SELL
        strength = min(1.0, abs(judgement.vote))
        price = float(known.array("prices")[-1])
        return Signal(
            symbol=known.symbol,
            action=action,
            confidence=self._confidence(strength, action, known),
            strength=strength_of(strength),
            price=price,
            stop_loss=self.calculate_stop_loss(price, action),
            take_profit=self.calculate_take_profit(price, action),
            reason=judgement.reason,
            strategy=self.name,
            timestamp=known.now if known.now is not None else stamp(),
        )

    def _confidence(self, strength: float, action: SignalAction, context: StrategyContext) -> float:
        if not self.weighs_evidence:
            return strength
        return min(1.0, strength * evidence_factor(action, context))


def evidence_factor(action: SignalAction, context: StrategyContext) -> float:
    """Return how forecast and sentiment scale a confidence, 0.3 to 1.7; 1 where the context has neither.

    A probability of 60 % up adds 10 % to a BUY and takes 10 % from a SELL; a sentiment of +1 adds 20 %. A documented
    prior, not a fit.
    """
    probability, mood = context.mc_probability_up, context.sentiment
    shift = 0.0 if probability is None else min(1.0, max(0.0, probability)) - 0.5
    shift += 0.0 if mood is None else 0.2 * min(1.0, max(-1.0, mood))
    return 1.0 + action.direction * shift


def as_context(context: Context) -> StrategyContext:
    """Return the typed context; keys of a dict that it does not know stay where they are.

    Raises
    ------
    InvalidValueError
        A dict without "symbol" or "prices".
    """
    if isinstance(context, StrategyContext):
        return context
    missing = [key for key in ("symbol", "prices") if key not in context]
    if missing:
        raise must("context", f"have {' and '.join(missing)}", sorted(context), "add it")
    return StrategyContext(**{key: context[key] for key in _CONTEXT_FIELDS if key in context})


def recent(context: StrategyContext, name: str, n: int) -> FloatArray:
    """Return the last `n` values of a field, or all where there are fewer."""
    return context.array(name)[-n:]


def graded(value: float, full: float) -> float:
    """Return `value` as a vote: proportional up to `full`, which gives the whole vote."""
    return max(-1.0, min(1.0, value / full))


def strength_of(confidence: float) -> SignalStrength:
    """Return the word for a strength between 0 and 1, in thirds."""
    if confidence >= _STRONG:
        return SignalStrength.STRONG
    return SignalStrength.MODERATE if confidence >= _MODERATE else SignalStrength.WEAK


def stamp() -> datetime:
    """Return the present moment for a context that names none.

    The one place below the adapters that asks for the time: a strategy may be called by hand with prices alone, and
    its signal needs a timestamp. Inside the engine every context carries the market time of its last bar.
    """
    return datetime.now(UTC)


def _direction(action: SignalAction) -> int:
    direction = SignalAction(action).direction
    if direction == 0:
        raise must("action", "be BUY or SELL", str(action), "a HOLD has neither stop nor target")
    return direction
