"""Events as the engine publishes them, for the tests of the core: single ones, and a whole seeded stretch of market."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.domain.agents import AgentChanged, AgentFailed, AgentMeasured, AgentStatus
from engine.domain.commands import CommandAnswer
from engine.domain.events import Event, EventType
from engine.domain.forecast import (
    FAN_LEVELS,
    HORIZONS,
    Forecast,
    ForecastsSettled,
    HorizonQuantiles,
    SettledForecast,
    SimulationLevel,
)  # fmt: skip
from engine.domain.market import Bar, BarColumns, FeedKind, FeedState, HistoryLoaded, Tick
from engine.domain.payload import Payload
from engine.domain.risk import Alert, RiskMetrics, Severity
from engine.domain.sections import EngineSection, WeightsChange
from engine.domain.signals import CycleRecord, SignalAction, Vote
from engine.domain.trading import Fill, HaltMode, Order, OrderStatus, Side, TradingHalt

START = datetime(2008, 9, 2, 20, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WALL = datetime(2024, 1, 1, tzinfo=UTC)


def event(kind: EventType, payload: Payload | dict, as_of: datetime | None = None) -> Event:
    data = payload if isinstance(payload, dict) else payload.to_data()
    return Event(kind, data, source="test", as_of=as_of)


def numbered(events, after: int = 0) -> list[Event]:
    """Give events their places and times of receipt, a second apart."""
    return [
        replace(e, seq=n, computed_at=WALL + timedelta(seconds=n))
        for n, e in enumerate(events, after + 1)
    ]


def bar(symbol: str, day: int, close: float, *, is_closed: bool = True) -> Bar:
    closes_at = START + day * DAY
    return Bar(
        symbol=symbol, opens_at=closes_at - timedelta(hours=6.5), closes_at=closes_at, close=close,
        open=close - 1, high=close + 2, low=close - 2, volume=1_000.0, is_closed=is_closed,
    )  # fmt: skip


def close(symbol: str, day: int, price: float) -> Event:
    at = START + day * DAY
    return event(
        EventType.MARKET_DATA,
        Tick(symbol=symbol, price=price, as_of=at, bar=bar(symbol, day, price)),
        at,
    )


def inside(symbol: str, day: int, price: float, hours_before_close: float = 3.0) -> Event:
    at = START + day * DAY - timedelta(hours=hours_before_close)
    of = bar(symbol, day, price, is_closed=False)
    return event(EventType.MARKET_DATA, Tick(symbol=symbol, price=price, as_of=at, bar=of), at)


def history(symbol: str, n: int) -> tuple[Event, BarColumns]:
    """`n` daily bars that end the day before day 0, closing at 1, 2, … n."""
    times = tuple(int((START - k * DAY).timestamp()) for k in range(n, 0, -1))
    closes = tuple(float(k) for k in range(1, n + 1))
    columns = BarColumns(
        symbol=symbol, closes_at=times, open=closes, high=closes, low=closes, close=closes, volume=closes
    )  # fmt: skip
    loaded = HistoryLoaded(
        symbol=symbol, n_bars=n, first_close_at=START - n * DAY, last_close_at=START - DAY
    )
    return event(EventType.HISTORY_LOADED, loaded, START - DAY), columns


def feed(day: int, *, run_id: str = "run-1", speed: float = 12.0) -> Event:
    at = START + day * DAY
    state = FeedState(
        kind=FeedKind.REPLAY, label="daily bars", market_time=at, bars_done=day,
        bars_per_minute=speed, run_id=run_id,
    )  # fmt: skip
    return event(EventType.FEED_CHANGED, state, at)


def forecast(
    symbol: str, day: int, spot: float, *, is_record: bool = True, is_primary: bool = True
) -> Event:
    made = Forecast(
        symbol=symbol, level=SimulationLevel.LEVEL_1_BASE, origin=START + day * DAY, spot=spot,
        n_paths=10, n_steps=1, n_observations=100, fan=tuple((spot, spot + k) for k in range(len(FAN_LEVELS))),
        quantiles=tuple(HorizonQuantiles(horizon=h, prices=(spot,)) for h in HORIZONS),
        probability_up=0.5, expected_price=spot, drift_per_step=0.0, drift_error_per_step=0.01,
        sigma_per_step=0.02, seed=day, step_seconds=86_400.0, is_record=is_record,
        is_primary=is_primary,
    )  # fmt: skip
    return event(EventType.MC_UPDATE, made, START + day * DAY)


def rehearsed(symbol: str, n_walked: int, n_to_walk: int = 254) -> Event:
    told = ForecastsSettled(
        symbol=symbol, rows=(), is_rehearsal=True, n_walked=n_walked, n_to_walk=n_to_walk
    )
    return event(EventType.FORECASTS_SETTLED, told)


def settled(symbol: str, *pits: float) -> Event:
    rows = tuple(
        SettledForecast(level=1, horizon=1, origin=START, pit=pit, crps=0.01) for pit in pits
    )
    return event(EventType.FORECASTS_SETTLED, ForecastsSettled(symbol=symbol, rows=rows))


def risk(scope: str, day: int, var_95: float | None) -> Event:
    metrics = RiskMetrics(scope=scope, n_observations=250, var_95=var_95)
    data = metrics.to_data() | {"symbol": scope}
    return event(EventType.RISK_UPDATE, data, START + day * DAY)


def cycle(symbol: str, day: int, price: float, votes: dict[str, float], verdict: str = "") -> Event:
    score = sum(votes.values()) / max(len(votes), 1)
    action = (
        SignalAction.BUY
        if score > 0.1
        else SignalAction.SELL
        if score < -0.1
        else SignalAction.HOLD
    )
    record = CycleRecord(
        cycle_id=f"{symbol}-{day}", symbol=symbol, bar_closed_at=START + day * DAY, price=price,
        regime="calm", score=score, threshold=0.1, action=action, confidence=min(abs(score), 1.0),
        votes=tuple(Vote(algorithm=name, vote=vote) for name, vote in votes.items()), verdict=verdict,
    )  # fmt: skip
    return event(EventType.CYCLE_RECORDED, record, START + day * DAY)


def order(
    kind: EventType, order_id: str, symbol: str, side: Side, quantity: str, day: int = 0
) -> Event:
    status = {
        EventType.ORDER_INTENDED: OrderStatus.INTENDED, EventType.ORDER_PLACED: OrderStatus.OPEN,
        EventType.ORDER_REJECTED: OrderStatus.REJECTED, EventType.ORDER_CANCELLED: OrderStatus.CANCELLED,
    }[kind]  # fmt: skip
    made = Order(
        order_id=order_id, symbol=symbol, side=side, quantity=Decimal(quantity), price=Decimal(100),
        status=status,
    )  # fmt: skip
    return event(kind, made, START + day * DAY)


def fill(order_id: str, symbol: str, side: Side, quantity: str, price: str, day: int = 0) -> Event:
    made = Fill(
        fill_id=f"{order_id}-f", order_id=order_id, symbol=symbol, side=side,
        quantity=Decimal(quantity), price=Decimal(price), fee=Decimal("0.05"),
        filled_at=START + day * DAY,
    )  # fmt: skip
    return event(EventType.ORDER_FILLED, made, START + day * DAY)


def alert(name: str, day: int = 0) -> Event:
    made = Alert(
        alert_id=name, symbol="AAPL", metric="VaR 95", severity=Severity.WARNING,
        title="VaR 95 is above its limit.", message="6.00% of 5.00%.", raised_at=START + day * DAY,
    )  # fmt: skip
    return event(EventType.RISK_ALERT, made, START + day * DAY)


def agent(agent_id: str, status: AgentStatus) -> Event:
    return event(
        EventType.AGENT_CHANGED, AgentChanged(agent_id=agent_id, name=agent_id, status=status)
    )


def agent_failed(agent_id: str, consecutive: int) -> Event:
    failed = AgentFailed(agent_id=agent_id, where="cycle", error="boom", consecutive=consecutive)
    return event(EventType.AGENT_FAILED, failed)


def measured(agent_id: str, cycles: int) -> Event:
    return event(EventType.AGENT_MEASURED, AgentMeasured(agent_id=agent_id, cycles=cycles))


def weights(values: dict[str, float], previous: dict[str, float] | None = None) -> Event:
    return event(EventType.WEIGHTS_CHANGED, WeightsChange(weights=values, previous=previous or {}))


def answer(command_id: str, *, is_accepted: bool = True) -> Event:
    kind = EventType.COMMAND_ACCEPTED if is_accepted else EventType.COMMAND_REFUSED
    return event(
        kind, CommandAnswer(command_id=command_id, name="PauseReplay", title="Replay paused.")
    )


def halt(mode: HaltMode) -> Event:
    kind = EventType.TRADING_RESUMED if mode is HaltMode.ACTIVE else EventType.TRADING_HALTED
    return event(kind, TradingHalt(mode=mode, actor="anna", reason="a drill"))


def run_started(fingerprint: str = "f1") -> Event:
    return event(EventType.RUN_STARTED, EngineSection(state="running", fingerprint=fingerprint))


def stretch(seed: int, n_days: int = 12, symbols: tuple[str, ...] = ("AAPL", "IBM")) -> list[Event]:
    """Everything that can happen, in a plausible order, different for each seed."""
    dice = random.Random(seed)  # noqa: S311 -- chance for a test
    prices = dict.fromkeys(symbols, 100.0)
    events = [run_started(), feed(0), *(agent(name, AgentStatus.RUNNING) for name in symbols)]
    for day in range(1, n_days):
        for symbol in symbols:
            prices[symbol] = round(prices[symbol] * (1 + dice.gauss(0, 0.03)), 2)
            events.append(inside(symbol, day, prices[symbol] + dice.gauss(0, 1)))
        for symbol in symbols:
            events += _close_of(symbol, day, prices[symbol], dice)
        events.append(feed(day, run_id="run-1" if day < n_days - dice.randint(0, 3) else "run-2"))
    return numbered(events)


def _close_of(symbol: str, day: int, price: float, dice: random.Random) -> list[Event]:
    events = [close(symbol, day, price)]
    events += [forecast(symbol, day, price), risk(symbol, day, abs(dice.gauss(0.02, 0.01)))]
    votes = {"momentum": dice.choice((-1.0, 0.0, 0.6)), "reversion": dice.choice((-0.4, 0.0, 1.0))}
    events += [cycle(symbol, day, price, votes), cycle(symbol, day, price, votes, "Gate passed.")]
    signal = {"symbol": symbol, "action": "BUY", "price": price, "confidence": 0.6}
    side, name = dice.choice((Side.BUY, Side.SELL)), f"ph-1-{symbol}-{day}"
    quantity = str(dice.randint(1, 20))
    extras = [
        [event(EventType.SIGNAL_GENERATED, signal, START + day * DAY)],
        [
            order(EventType.ORDER_INTENDED, name, symbol, side, quantity, day),
            order(EventType.ORDER_PLACED, name, symbol, side, quantity, day),
            fill(name, symbol, side, quantity, str(price), day),
        ],
        [order(EventType.ORDER_INTENDED, name + "x", symbol, side, quantity, day)],
        [weights({"momentum": dice.random(), "reversion": 0.5}, {"momentum": 1.0})],
        [alert(f"{symbol}-{day}", day), event(EventType.ALERT_ACKNOWLEDGED, {"alert_id": None})],
        [answer(f"c-{day}"), halt(dice.choice((HaltMode.HALTED, HaltMode.ACTIVE)))],
        [agent_failed(symbol, 1), agent(symbol, AgentStatus.PAUSED), risk("portfolio", day, 0.01)],
        [event(EventType.CUSTOM, {"note": "anything"})],
    ]
    for extra in dice.sample(extras, 3):
        events += extra
    return events
