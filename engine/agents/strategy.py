"""What to do about it: every closed bar all enabled strategies vote, and a score beyond the dead zone is a signal.

Only records lead to a vote, never warm-up or a redraw. New weights are in force from the next vote on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from engine.agents.base import BaseAgent
from engine.agents.observations import ClosedBars, Observations, symbols_of
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import TaskPriority
from engine.domain.errors import UnknownNameError, must
from engine.domain.events import Event, EventType
from engine.domain.risk import PORTFOLIO
from engine.domain.sections import StrategyRow, WeightsChange
from engine.domain.signals import (
    CycleRecord,
    GateStep,
    Signal,
    SignalAction,
    SignalStrength,
    StepOutcome,
    Vote,
)
from engine.kernels.regime import regime_of
from engine.strategies.default_set import RegisteredStrategy, default_strategies, orchestrator_of
from engine.strategies.orchestrator import (
    THRESHOLD,
    Ballot,
    MultiAlgorithmOrchestrator,
    checked_weight,
)
from engine.trading import wording as say

_STRONG, _MODERATE = 3.0, 2.0
"""Multiples of the threshold from which a score is called strong and moderate."""


@dataclass(frozen=True, slots=True)
class _Cast:
    """Votes that wait for the next close."""

    place: tuple[int, int]
    price: float
    votes: tuple[Vote, ...]


class StrategyAgent(BaseAgent):
    """Lets the strategies vote and says what came of it.

    Parameters
    ----------
    config : mapping
        `symbols`, `strategies` (the configuration's section of that name), `strategy_set` (registered strategies,
        instead of the default set), `threshold`, `weights` and `enabled` (in force at the start).
    """

    topics: ClassVar[tuple[EventType, ...]] = (
        EventType.RISK_UPDATE,
        EventType.WEIGHTS_CHANGED,
        EventType.HISTORY_LOADED,
    )
    emits: ClassVar[tuple[EventType, ...]] = (EventType.CYCLE_RECORDED, EventType.SIGNAL_GENERATED)
    default_priority: ClassVar[TaskPriority] = TaskPriority.HIGH
    title: ClassVar[str] = "Strategy"
    detail: ClassVar[str] = "weighs the votes of all strategies"
    trigger: ClassVar[str] = "on risk"

    def __init__(
        self,
        name: str,
        event_bus: EventBus,
        state_manager: StateManager,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, event_bus, state_manager, config)
        self.strategies: tuple[RegisteredStrategy, ...] = tuple(
            self.config.get("strategy_set") or default_strategies(self.config.get("strategies"))
        )
        self.orchestrator: MultiAlgorithmOrchestrator = orchestrator_of(
            self.strategies, threshold=float(self.config.get("threshold", THRESHOLD))
        )
        self.symbols = symbols_of(self.config)
        self._observations = Observations(state_manager)
        self._cast: dict[str, _Cast] = {}
        self.restore(self.config.get("weights") or {}, self.config.get("enabled") or {})

    def restore(self, weights: Mapping[str, float], enabled: Mapping[str, bool]) -> None:
        """Put journalled weights in force; names that are no longer registered are left out."""
        known = self.orchestrator.weights
        for strategy, weight in weights.items():
            if strategy in known:
                self.orchestrator.set_weight(strategy, weight)
        for strategy, is_enabled in enabled.items():
            if strategy in known:
                self.orchestrator.set_enabled(strategy, is_enabled)

    def rows(self) -> tuple[StrategyRow, ...]:
        """Return the strategies as the ``strategies`` section shows them at the start."""
        weights, enabled = self.orchestrator.weights, self.orchestrator.enabled
        return tuple(
            StrategyRow(
                name=entry.name,
                title=entry.title,
                description=entry.description,
                weight=weights[entry.name],
                enabled=enabled[entry.name],
                parameters=dict(entry.strategy.parameters),
            )
            for entry in self.strategies
        )

    def set_weights(
        self,
        weights: Mapping[str, float] | None = None,
        enabled: Mapping[str, bool] | None = None,
        actor: str = "local",
        reason: str = "",
    ) -> WeightsChange:
        """Return the change that these weights and switches make; names not given keep theirs.

        Nothing changes yet: publish the change as WEIGHTS_CHANGED, it is in force with the next vote.

        Raises
        ------
        UnknownNameError
            A name is not registered.
        InvalidValueError
            A weight is no number from 0 up, or no enabled strategy would have any weight; the message names it.
        """
        before, before_enabled = self.orchestrator.weights, self.orchestrator.enabled
        for name in (*(weights or {}), *(enabled or {})):
            if name not in before:
                raise UnknownNameError(
                    f"strategy must be one of {', '.join(before)}, was {name!r}; correct the name"
                )
        after = before | {
            name: checked_weight(f"weights.{name}", value)
            for name, value in (weights or {}).items()
        }
        for name, value in (enabled or {}).items():
            if not isinstance(value, bool):
                raise must(f"enabled.{name}", "be true or false", value, "correct it")
        after_enabled = before_enabled | dict(enabled or {})
        total = sum(weight for name, weight in after.items() if after_enabled[name])
        if total <= 0.0:
            raise must(
                "weights", "add up to more than 0 over the enabled strategies", total,
                "enable a strategy or give one a weight",
            )  # fmt: skip
        return WeightsChange(
            weights=after,
            enabled=after_enabled,
            previous=before,
            previous_enabled=before_enabled,
            actor=actor,
            reason=reason,
        )

    def handle(self, event: Event) -> Iterable[Event]:
        """Return the record of a vote, and a signal where its score is beyond the dead zone."""
        if event.event_type is EventType.WEIGHTS_CHANGED:
            change = WeightsChange.from_data(event.data)
            self.restore(change.weights, change.enabled)
            return ()
        symbol = str(event.data["symbol"])
        if event.event_type is EventType.HISTORY_LOADED:
            self._cast.pop(symbol, None)
            return ()
        is_foreign = bool(self.symbols) and symbol not in self.symbols
        if symbol == PORTFOLIO or is_foreign or not event.data.get("is_record", True):
            return ()
        bars = self._observations.bars(symbol, event.as_of)
        return self._decide(bars, event) if bars.closes.size > 1 else ()

    def _decide(self, bars: ClosedBars, event: Event) -> tuple[Event, ...]:
        closed_at = bars.last_close_at or event.as_of or self._clock.now()
        place = (int(closed_at.timestamp()), int(bars.closes.size))
        price = float(bars.closes[-1])
        self._settle(bars.symbol, place, price)
        regime = str(regime_of(bars.closes))
        forecast = self.get_state(f"mc:{bars.symbol}") or {}
        ballot = self.orchestrator.vote(
            _columns(bars), bars.symbol, price, regime,
            mc_probability_up=forecast.get("probability_up"), mc_touch_below=forecast.get("touch_below"),
            mc_touch_above=forecast.get("touch_above"), mc_drawdown_95=forecast.get("drawdown_95"),
            sentiment=self.get_state(f"sentiment:{bars.symbol}"), now=closed_at,
        )  # fmt: skip
        self._cast[bars.symbol] = _Cast(place, price, ballot.votes)
        record = self._record(bars.symbol, ballot, closed_at, price, regime)
        recorded = self.event(EventType.CYCLE_RECORDED, record, as_of=closed_at)
        if ballot.action is SignalAction.HOLD:
            return (recorded,)
        signal = self._signal(record, ballot)
        data = {
            "signal": signal.to_data(),
            "symbol": signal.symbol,
            "action": signal.action.value,
            "price": signal.price,
            "quantity": signal.quantity,
            "confidence": signal.confidence,
            "cycle_id": record.cycle_id,
        }
        return recorded, self.event(EventType.SIGNAL_GENERATED, data, as_of=closed_at)

    def _settle(self, symbol: str, place: tuple[int, int], price: float) -> None:
        """Count the last bar's votes as won where the close moved their way."""
        cast = self._cast.get(symbol)
        if cast is None or cast.place == place:
            return
        for vote in cast.votes:
            if vote.vote != 0.0 and vote.error is None:
                self.orchestrator.record_outcome(
                    vote.algorithm, won=(price - cast.price) * vote.vote > 0.0
                )

    def _record(
        self, symbol: str, ballot: Ballot, closed_at: datetime, price: float, regime: str
    ) -> CycleRecord:
        threshold, verdict = self.orchestrator.threshold, ""
        steps: tuple[GateStep, ...] = ()
        score = say.score(ballot.score)
        if ballot.action is SignalAction.HOLD:
            verdict = f"Hold. The score {score} is inside ±{threshold:.3f}."
            steps = (
                GateStep(
                    rule="Threshold", outcome=StepOutcome.SKIPPED, result="HOLD",
                    detail=f"score {score}, dead zone ±{threshold:.3f}", value=ballot.score, limit=threshold,
                ),
            )  # fmt: skip
        return CycleRecord(
            cycle_id=f"{symbol}-{int(closed_at.timestamp())}",
            symbol=symbol,
            bar_closed_at=closed_at,
            price=price,
            regime=regime,
            votes=ballot.votes,
            score=ballot.score,
            threshold=threshold,
            action=ballot.action,
            confidence=ballot.confidence,
            steps=steps,
            verdict=verdict,
        )

    def _signal(self, record: CycleRecord, ballot: Ballot) -> Signal:
        """Return the signal; stop and target are those of the strategy that did most for it."""
        leader = max(ballot.votes, key=lambda vote: vote.part * record.action.direction)
        strategy = next(e.strategy for e in self.strategies if e.name == leader.algorithm)
        return Signal(
            symbol=record.symbol,
            action=record.action,
            confidence=record.confidence,
            strength=_strength(abs(record.score), record.threshold),
            price=record.price,
            stop_loss=strategy.calculate_stop_loss(record.price, record.action),
            take_profit=strategy.calculate_take_profit(record.price, record.action),
            reason=leader.reason,
            strategy=leader.algorithm,
            timestamp=record.bar_closed_at,
        )


def _columns(bars: ClosedBars) -> dict[str, Any]:
    """Return the columns that the source gives."""
    columns = {
        "close": bars.closes,
        "volume": bars.volumes,
        "high": bars.highs,
        "low": bars.lows,
    }
    return {name: column for name, column in columns.items() if column.size}


def _strength(score: float, threshold: float) -> SignalStrength:
    if score >= _STRONG * threshold:
        return SignalStrength.STRONG
    return SignalStrength.MODERATE if score >= _MODERATE * threshold else SignalStrength.WEAK
