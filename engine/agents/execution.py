"""From signal to fill: the gate decides, the intent is journalled, only then the order leaves.

A submission happens in the handler of this agent's own ORDER_INTENDED, which the bus delivers after it was committed.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from engine.adapters.brokers.paper import PaperBroker
from engine.agents.execution_inputs import instrument_of, limits_of, signal_of, standing_of
from engine.agents.observations import instruments_of, observe, symbols_of
from engine.agents.order_ends import OrderEnds
from engine.core.event_bus import EventBus
from engine.core.state_manager import StateManager
from engine.domain.agents import TaskPriority
from engine.domain.errors import JournalError
from engine.domain.events import Event, EventType
from engine.domain.market import HistoryLoaded, Tick
from engine.domain.risk import PORTFOLIO, RiskLevel
from engine.domain.signals import CycleRecord, Signal, SignalAction, StepOutcome
from engine.domain.trading import Account, Fill, HaltMode, Order, OrderStatus, TradingHalt
from engine.trading.case import Decision, GateContext
from engine.trading.desk import Desk
from engine.trading.gate import decide
from engine.trading.latch import KillSwitch
from engine.trading.limit_watch import LimitWatch

log = logging.getLogger(__name__)

STOP_CHECK_S = 1.0
"""Seconds between two looks at stops and targets of symbols that have no tick."""


class ExecutionAgent(OrderEnds):
    """Carries signals out, within the limits.

    Parameters
    ----------
    config : mapping
        `broker` (default: a paper account), `instruments`, `symbols`, `limits` (RiskLimits) or single limits by name,
        `kill_switch`, `epoch` (the owner's fencing number, part of every order id), `tail` (`TailOf`), `needs_price`
        (a signal's own price sizes nothing).
    """

    topics: ClassVar[tuple[EventType, ...]] = (
        EventType.SIGNAL_GENERATED,
        EventType.MARKET_DATA,
        EventType.RISK_UPDATE,
        EventType.CYCLE_RECORDED,
        EventType.ORDER_INTENDED,
        EventType.TRADING_HALTED,
        EventType.TRADING_RESUMED,
        EventType.FEED_CHANGED,
        EventType.HISTORY_LOADED,
    )
    emits: ClassVar[tuple[EventType, ...]] = (
        EventType.CYCLE_RECORDED,
        EventType.ORDER_INTENDED,
        EventType.ORDER_PLACED,
        EventType.ORDER_FILLED,
        EventType.ORDER_REJECTED,
        EventType.ORDER_CANCELLED,
        EventType.SIGNAL_EXECUTED,
        EventType.SIGNAL_REJECTED,
        EventType.ORDERS_RECONCILED,
    )
    task_type: ClassVar[str] = "stop_loss"
    default_interval: ClassVar[float] = STOP_CHECK_S
    is_paced: ClassVar[bool] = False  # no load makes a stop less urgent
    default_priority: ClassVar[TaskPriority] = TaskPriority.CRITICAL
    title: ClassVar[str] = "Execution"
    detail: ClassVar[str] = "sends the orders that the gate allows"
    trigger: ClassVar[str] = "on signal"

    def __init__(
        self,
        name: str,
        event_bus: EventBus,
        state_manager: StateManager,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, event_bus, state_manager, config)
        self.broker = self.config.get("broker") or PaperBroker()
        self.limits = limits_of(self.config)
        self.kill_switch: KillSwitch = self.config.get("kill_switch") or KillSwitch()
        self.desk = Desk(self.broker.account(), int(self.config.get("epoch", 0)))
        self.symbols = symbols_of(self.config)
        self._instruments = instruments_of(self.config)
        self._limit_watch = LimitWatch()
        self._account_risk: dict[str, float] = {}
        self._levels: dict[str, RiskLevel] = {}
        self._records: dict[str, CycleRecord] = {}
        self._actions = {}
        self._intended_at_s = {}
        self._overtaken = {}
        self._heard_at_s: dict[str, float] = {}
        self._not_ready = ""
        self._run_id: str | None = None
        self._has_history: set[str] = set()
        self._answers: dict[EventType, Callable[[Event], Iterable[Event]]] = {
            EventType.MARKET_DATA: self._on_price,
            EventType.SIGNAL_GENERATED: self._on_signal,
            EventType.ORDER_INTENDED: self._on_intent,
            EventType.RISK_UPDATE: self._on_risk,
            EventType.CYCLE_RECORDED: self._on_record,
            EventType.TRADING_HALTED: self._on_halt,
            EventType.FEED_CHANGED: self._on_feed,
            EventType.HISTORY_LOADED: self._on_history,
        }

    # -- what others ask of it -------------------------------------------------------------------------------------

    def portfolio(self) -> tuple[Account, Mapping[str, float]]:
        """Return the account and the last prices, as the journal has them."""
        return self.desk.account, self.desk.marks

    def restore(
        self,
        account: Account,
        open_orders: Sequence[Order],
        day_start_equity: Decimal | None = None,
        marks: Mapping[str, float] | None = None,
        day: date | None = None,
    ) -> None:
        """Continue from a journalled state, last prices and the day they belong to included; call before `start`."""
        sent = [order for order in open_orders if order.status is not OrderStatus.INTENDED]
        self.broker.restore(account, sent)
        self.desk.restore(account, open_orders, day_start_equity, marks, day)

    def halt(self, actor: str, reason: str = "", mode: HaltMode = HaltMode.HALTED) -> list[Event]:
        """Set the kill switch, cancel open orders, and return the events that tell of it.

        The halt is in force at once, in this process even where the journal cannot be written.
        """
        halt = TradingHalt(mode=mode, actor=actor, reason=reason)
        try:
            self.kill_switch.set(halt)
        except JournalError as error:
            log.exception("the kill switch is set in this process only")
            halt = replace(halt, reason=f"{reason} (not journalled: {error})".strip())
        cancelled = self._cancel_open(
            f"trading halted by {actor}", but_exits=mode is HaltMode.REDUCING
        )
        ids = tuple(str(event.data["order_id"]) for event in cancelled)
        told = self.event(EventType.TRADING_HALTED, replace(halt, cancelled_orders=ids))
        return [*cancelled, told]

    def resume_trading(self, actor: str) -> list[Event]:
        """Lift the kill switch and return the event that tells of it.

        Raises
        ------
        JournalError
            It could not be written; trading stays halted.
        """
        halt = TradingHalt(mode=HaltMode.ACTIVE, actor=actor)
        self.kill_switch.set(halt)
        return [self.event(EventType.TRADING_RESUMED, halt)]

    def reconcile(self) -> list[Event]:
        """Compare the broker with the journal and return what was found; while they differ nothing is traded."""
        there = {order.order_id: order for order in self.broker.open_orders()}
        events = []
        checked = len(self.desk.orders)
        for order in tuple(self.desk.orders.values()):
            if order.status is not OrderStatus.INTENDED:
                continue
            if order.order_id in there:
                self.desk.track(there[order.order_id])
            else:
                events.append(
                    self._ended(
                        order, OrderStatus.CANCELLED, "it never left; the engine had stopped"
                    )
                )
        differences = self.desk.differences(self.broker.account(), tuple(there.values()))
        self._not_ready = (
            f"the broker's account differs from the journal ({'; '.join(differences)})"
            if differences
            else ""
        )
        data = {
            "orders_checked": checked,
            "differences": len(differences),
            "details": list(differences),
        }
        return [*events, self.event(EventType.ORDERS_RECONCILED, data)]

    async def on_start(self) -> None:
        """Reconcile before anything else."""
        for event in self.reconcile():
            await self.event_bus.publish(event)

    # -- judgement -------------------------------------------------------------------------------------------------

    def handle(self, event: Event) -> Iterable[Event]:
        """Return what follows from an event; see the `_on_` methods."""
        answer = self._answers.get(event.event_type)
        return () if answer is None else answer(event)

    def cycle(self) -> Iterable[Event]:
        """Return exits that are due at the prices heard last, and the ends of orders that were lost.

        Each tick is checked when it comes; this is for a symbol that has none when an exit becomes possible, for
        example once trading resumes.
        """
        heard = [p.symbol for p in self.desk.account.positions if self.desk.marked_at(p.symbol)]
        return [*self._tightened(), *self._lost(), *self._exits(heard)]

    def _tightened(self) -> list[Event]:
        """Return what a limit that stops trading by itself makes of the account as it stands."""
        standing = self.desk.standing() | self._account_risk
        found = self._limit_watch.look(self.limits, standing, self.kill_switch.known.mode)
        return [] if found is None else self.halt("limit", found.reason, found.mode)

    def _on_price(self, event: Event) -> list[Event]:
        """Return the fills that a price causes, and exits where it crosses a stop or a target.

        An entry whose own stop or target the price has reached before it was filled is withdrawn.
        """
        seen = observe(event)
        at = event.as_of or self._clock.now()
        self._heard_at_s[seen.symbol] = self._clock.monotonic()
        self.desk.mark(seen.symbol, seen.price, at)
        withdrawn = self._withdrawn(seen.symbol)
        fills = self.broker.on_tick(Tick(symbol=seen.symbol, price=seen.price, as_of=at))
        events = [*withdrawn, *(self._filled(fill) for fill in fills)]
        if self.desk.orders:
            events.extend(self._expired(seen.symbol))
            events.extend(self._lost())
        events.extend(self._exits((seen.symbol,)))
        return events

    def _exits(self, symbols: Iterable[str]) -> list[Event]:
        """Return the intents that close positions beyond their stop or target, none while they may not leave."""
        if self.kill_switch.known.mode is HaltMode.HALTED or self._not_ready:
            return []
        if not self.desk.account.positions:
            return []
        orders = (self.desk.protective_exit(symbol) for symbol in symbols)
        found = [order for order in orders if order is not None]
        return [self._intended(order, self.desk.marked_at(order.symbol)) for order in found]

    def _on_signal(self, event: Event) -> list[Event]:
        """Return the gate's answer: the completed record, and an intent or a refusal."""
        signal = signal_of(event, self._clock.now())
        signal = replace(signal, timestamp=self.desk.reached(signal.symbol, signal.timestamp))
        if signal.action is SignalAction.HOLD:
            return []
        record = self._records.get(signal.symbol)
        if record is not None and record.cycle_id != event.data.get("cycle_id"):
            record = None
        decision = self._judge(signal, record, event)
        events = []
        if record is not None:
            done = replace(
                record,
                steps=decision.steps,
                verdict=decision.verdict,
                order_id=decision.order.order_id if decision.order else None,
            )
            events.append(self.event(EventType.CYCLE_RECORDED, done))
        if decision.order is not None:
            self._actions[decision.order.order_id] = signal.action
            events.append(self._intended(decision.order))
        elif record is None or any(s.outcome is StepOutcome.REFUSED for s in decision.steps):
            cycle_id = event.data.get("cycle_id")
            events.append(self._refused(signal.symbol, signal.action, decision.verdict, cycle_id))
        return events

    def _on_intent(self, event: Event) -> list[Event]:
        """Send an order whose intent is durable, unless the kill switch was set meanwhile."""
        order = self.desk.orders.get(str(event.data["order_id"]))
        is_own = event.source == self.agent_id
        self._intended_at_s.pop(str(event.data["order_id"]), None)
        if order is None or order.status is not OrderStatus.INTENDED or not is_own:
            return []
        objection = self._overtaken.pop(order.order_id, "") or self._objection(order)
        if objection:
            return self._undone(order, OrderStatus.CANCELLED, objection)
        now = self.desk.reached(order.symbol, event.as_of or self._clock.now())
        placed, fills = self.broker.submit(order, now)
        if placed.status is OrderStatus.REJECTED:
            return self._undone(order, OrderStatus.REJECTED, placed.reason)
        opened = replace(placed, status=OrderStatus.OPEN)
        self.desk.track(opened)
        events = [self.event(EventType.ORDER_PLACED, opened)]
        action = self._actions.get(order.order_id)
        if action is not None:
            data = {
                "symbol": order.symbol,
                "action": action.value,
                "order_id": order.order_id,
                "cycle_id": order.cycle_id,
            }
            events.append(self.event(EventType.SIGNAL_EXECUTED, data))
        return [*events, *(self._filled(fill) for fill in fills)]

    def _on_risk(self, event: Event) -> tuple[Event, ...]:
        symbol, data = str(event.data["symbol"]), event.data
        self._levels[symbol] = RiskLevel(data["risk_level"])
        if symbol == PORTFOLIO:
            self._account_risk = standing_of(data)
        return ()

    def _on_record(self, event: Event) -> tuple[Event, ...]:
        if event.source != self.agent_id:
            record = CycleRecord.from_data(event.data)
            self._records[record.symbol] = record
        return ()

    def _on_halt(self, event: Event) -> list[Event]:
        is_reducing = self.kill_switch.check().mode is HaltMode.REDUCING
        reason = f"trading halted by {event.data.get('actor', 'somebody')}"
        return self._cancel_open(reason, but_exits=is_reducing)

    def _on_feed(self, event: Event) -> list[Event]:
        """Begin afresh when a jump back begins a new run."""
        run_id = event.data.get("run_id")
        is_new, self._run_id = self._run_id not in {None, run_id}, run_id
        if not is_new:
            return []
        events = self._cancel_open("a new run began")
        self._has_history.clear()
        old = self.desk.account
        fresh = Account(name=old.name, initial_cash=old.initial_cash, cash=old.initial_cash)
        self.restore(fresh, ())
        self._levels.clear()
        self._account_risk.clear()
        self._records.clear()
        return events

    def _on_history(self, event: Event) -> list[Event]:
        """Withdraw what waits where market time jumped: nobody knows at what price it would have been filled."""
        symbol = str(event.data["symbol"])
        self.desk.land(HistoryLoaded.from_data(event.data))
        is_jump = symbol in self._has_history
        self._has_history.add(symbol)
        reason = "market time jumped over the bars in which it would have been filled"
        return self._withdraw_all(symbol, reason) if is_jump else []

    # -- inside ----------------------------------------------------------------------------------------------------

    def _judge(self, signal: Signal, record: CycleRecord | None, event: Event) -> Decision:
        symbol = signal.symbol
        marks = dict(self.desk.marks)
        last = self.get_state(f"price:{symbol}")
        if symbol not in marks and last is not None:
            marks[symbol] = float(last)
        heard = self._heard_at_s.get(symbol)
        context = GateContext(
            order_id=self.desk.next_order_id(),
            instrument=instrument_of(self._instruments, symbol),
            halt=self.kill_switch.check(),
            not_ready=self._not_ready or self._unpriced(symbol, marks),
            input_age_s=None if heard is None else self._clock.monotonic() - heard,
            risk_level=self._level(symbol),
            score=None if record is None else record.score,
            threshold=None if record is None else record.threshold,
            day_start_equity=self.desk.day_start_equity,
            waiting=self.desk.waiting(symbol),
            leaving=self.desk.leaving(symbol, signal.timestamp),
            others=self.desk.expected(but=symbol),
            drawdown=self._account_risk.get("max_drawdown"),
            tail=self.config.get("tail"),
            cycle_id=event.data.get("cycle_id"),
        )
        return decide(signal, self.desk.account, marks, self.limits, context)

    def _unpriced(self, symbol: str, marks: Mapping[str, float]) -> str:
        """Return why a symbol cannot be sized yet, where an author's own price may size nothing."""
        is_unpriced = bool(self.config.get("needs_price")) and symbol not in marks
        return f"no price of {symbol} is known yet" if is_unpriced else ""

    def _level(self, symbol: str) -> RiskLevel | None:
        if symbol in self._levels:
            return self._levels[symbol]
        stored = self.get_state(f"risk:{symbol}")
        return None if not stored else RiskLevel(stored["risk_level"])

    def _objection(self, order: Order) -> str:
        """Return why an order must not leave now, or nothing."""
        halt = self.kill_switch.check()
        if halt.mode is HaltMode.HALTED or (halt.mode is HaltMode.REDUCING and not order.reduces):
            return f"trading was halted by {halt.actor} before the order left; resume trading"
        return self._not_ready or self.desk.objection(order)

    def _intended(self, order: Order, as_of: datetime | None = None) -> Event:
        self.desk.track(order)
        self._intended_at_s[order.order_id] = self._clock.monotonic()
        return self.event(EventType.ORDER_INTENDED, order, as_of)

    def _filled(self, fill: Fill) -> Event:
        self.desk.apply(fill)
        self._actions.pop(fill.order_id, None)
        return self.event(EventType.ORDER_FILLED, fill)
