"""One signal on its way through the gate: what the rules are told, where the way has led so far, what came out.

A target is a signed quantity; whatever forbids entries pulls it back to what only reduces.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from engine.domain.instrument import Instrument
from engine.domain.risk import RiskLevel, RiskLimits
from engine.domain.signals import GateStep, Signal, StepOutcome
from engine.domain.trading import HaltMode, Order, TradingHalt

ZERO = Decimal(0)


class Tail(NamedTuple):
    """What an account may lose in one bar, as positive fractions of equity; historical."""

    var_95: float
    cvar_95: float


TailOf: TypeAlias = Callable[[Mapping[str, float]], Tail | None]
"""Returns the tail of an account that holds these shares of equity, None where there is too little history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateContext:
    """What the gate must know beside account, marks and limits.

    Parameters
    ----------
    order_id : str
        Id that the order gets, if there is one.
    halt : TradingHalt
        The kill switch as read now.
    not_ready : str
        Why the engine does not trade at all (reconciliation failed), or empty.
    input_age_s : float or None
        Wall seconds since the last price of the symbol; None when it was not measured.
    risk_level : RiskLevel or None
        Of the symbol; None while unknown.
    score, threshold : float or None
        Of the vote behind the signal; None for a signal without a vote.
    day_start_equity : Decimal or None
        Equity when the day began, for the daily loss.
    waiting : Decimal
        Signed quantity of open orders of the symbol; it counts as held.
    leaving : str
        Why an entry would undo an exit of the symbol, or empty.
    others : mapping of symbol to Decimal
        Signed quantities of all other symbols, orders under way included.
    drawdown : float or None
        How far the account is below its peak, zero or positive; None while unknown.
    tail : callable or None
        See `TailOf`; None where nobody measures it.
    """

    order_id: str
    instrument: Instrument
    halt: TradingHalt = field(default_factory=lambda: TradingHalt(mode=HaltMode.ACTIVE, actor=""))
    not_ready: str = ""
    input_age_s: float | None = None
    risk_level: RiskLevel | None = None
    score: float | None = None
    threshold: float | None = None
    day_start_equity: Decimal | None = None
    waiting: Decimal = ZERO
    leaving: str = ""
    others: Mapping[str, Decimal] = field(default_factory=dict)
    drawdown: float | None = None
    tail: TailOf | None = None
    cycle_id: str | None = None
    now: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What came out: always a verdict and its steps, an order when something is to be done.

    `target` is the signed quantity that is held once the order is filled.
    """

    verdict: str
    steps: tuple[GateStep, ...]
    target: Decimal
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One signal on its way: `target` moves from rule to rule, `stop` ends the way with a sentence.

    `shares` are the signed values of all other symbols over equity.
    """

    signal: Signal
    context: GateContext
    limits: RiskLimits
    worth: Decimal
    price: Decimal
    held: Decimal
    shares: Mapping[str, float] = field(default_factory=dict)
    target: Decimal = ZERO
    steps: tuple[GateStep, ...] = ()
    stop: str = ""
    why: str = ""

    def add(
        self,
        rule: str,
        outcome: StepOutcome,
        detail: str,
        result: str = "",
        value: float | None = None,
        limit: float | None = None,
    ) -> "Case":
        """Return the case with one more step."""
        step = GateStep(
            rule=rule, outcome=outcome, detail=detail, result=result, value=value, limit=limit
        )
        return replace(self, steps=(*self.steps, step))

    def no_entry(self, reason: str) -> "Case":
        """Return the case with its target pulled back to what reduces only."""
        return replace(self, target=reducing_target(self.held, self.target), why=self.why or reason)

    def share(self, quantity: Decimal) -> float:
        """Return the value of a quantity as a fraction of equity."""
        return float(quantity * self.price / self.worth) if self.worth > 0 else 0.0


def reducing_target(held: Decimal, target: Decimal) -> Decimal:
    """Return the nearest target between nothing and what is held."""
    low, high = min(ZERO, held), max(ZERO, held)
    return max(low, min(high, target))
