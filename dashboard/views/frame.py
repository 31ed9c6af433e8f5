"""What the frame says: the status bar, the bell, the toasts and the consequences of the kill switch, in words."""

import os
from dataclasses import dataclass
from decimal import Decimal

from dashboard import formatting as fmt
from dashboard.views.ages import AgeView, age_of
from engine.domain.agents import AgentStatus
from engine.domain.market import FeedState
from engine.domain.sections import (
    AgentsSection,
    AlertsSection,
    EngineSection,
    FeedSection,
    InstrumentsSection,
    PortfolioSection,
    QuotesSection,
    Snapshot,
    TradingSection,
)
from engine.domain.trading import HaltMode

DEFAULT_BUDGET_S = 15.0
_ENGINE_PILLS = {
    "running": ("Running", "up", ""),
    "starting": ("Starting", "grey", "circle-dashed"),
    "stopping": ("Stopping", "grey", "circle-dashed"),
    "stopped": ("Stopped", "grey", "circle-stop"),
    "failed": ("Failed", "crit", "circle-x"),
    "standby": ("Standby", "grey", "circle-pause"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pill:
    """Words with a tone ("up", "grey", "warn", "crit") and an icon; without icon it has a dot."""

    words: str
    tone: str
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarView:
    """What changes with each tick: market date, age, equity and the day's result, with the account's own age."""

    market_date: str
    received_at: float | None
    computed_at: float | None
    budget_s: float
    account: AgeView
    equity: str
    day_pnl: str
    day_percent: str
    day_tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateView:
    """What changes rarely: the engine, the feed and the latch."""

    engine: Pill
    owner: str
    mode: str
    feed_kind: str
    feed_label: str
    feed_speed: str
    feed_state: str
    dropped: str
    dropped_tip: str
    latch: str
    """"true" while halted, "reducing" while exits alone may leave, else "false": the mark of the frame."""
    halt_title: str
    halt_words: str
    n_alerts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """One line of the stop dialog's table."""

    symbol: str
    what: str
    quantity: str
    notional: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopView:
    """What the kill switch will do, in numbers."""

    is_halted: bool
    consequences: tuple[str, ...]
    orders: tuple[PreviewRow, ...]
    positions: tuple[PreviewRow, ...]
    footer: str


def bar_view(snapshot: Snapshot) -> BarView:
    """Return what the status bar shows of the market and the account."""
    feed: FeedSection | None = snapshot.value("feed")
    quotes: QuotesSection | None = snapshot.value("quotes")
    portfolio: PortfolioSection | None = snapshot.value("portfolio")
    stamp = snapshot.stamp("quotes")
    received = [quote.received_at for quote in quotes.quotes.values()] if quotes else []
    state = feed.state if feed else None
    return BarView(
        market_date=fmt.date(state.market_time) if state else fmt.UNKNOWN,
        received_at=max(received, default=feed.last_tick_at if feed else None),
        computed_at=stamp.computed_at if stamp else None,
        budget_s=(stamp.budget_s if stamp else None) or DEFAULT_BUDGET_S,
        account=age_of(snapshot, "portfolio"),
        equity=fmt.money(portfolio.equity) if portfolio else fmt.UNKNOWN,
        day_pnl=fmt.with_arrow(fmt.pnl(portfolio.day_pnl)) if portfolio else fmt.UNKNOWN,
        day_percent=_day_percent(portfolio),
        day_tone=fmt.tone(portfolio.day_pnl, 2) if portfolio else "",
    )


def _day_percent(portfolio: PortfolioSection | None) -> str:
    if portfolio is None or not portfolio.day_start_equity:
        return ""
    return fmt.percent(portfolio.day_pnl / portfolio.day_start_equity, signed=True)


def state_view(snapshot: Snapshot) -> StateView:
    """Return what the status bar says of the engine, the feed and the latch."""
    engine: EngineSection | None = snapshot.value("engine")
    feed: FeedSection | None = snapshot.value("feed")
    trading: TradingSection | None = snapshot.value("trading")
    alerts: AlertsSection | None = snapshot.value("alerts")
    state = feed.state if feed else None
    return StateView(
        engine=_engine_pill(engine, trading),
        owner=_owner(engine),
        mode=(engine.trading_mode if engine else "paper").upper(),
        feed_kind=state.kind.value if state else "No feed yet",
        feed_label=_feed_label(state),
        feed_speed=_feed_speed(state),
        feed_state=_feed_state(state),
        dropped=_dropped(feed),
        dropped_tip=_dropped_tip(feed),
        latch=_latch(trading),
        halt_title=_halt_title(trading),
        halt_words=_halt_words(trading),
        n_alerts=sum(not row.is_acknowledged for row in alerts.rows) if alerts else 0,
    )


def _owner(engine: EngineSection | None) -> str:
    """Return who runs the engine, as seen by the process that asks: another one only stands by."""
    if engine is None or not engine.owner:
        return ""
    is_other = engine.pid != os.getpid()
    return f"standby, owner {engine.owner}" if is_other else f"owner {engine.owner}"


def _engine_pill(engine: EngineSection | None, trading: TradingSection | None) -> Pill:
    words, tone, icon = _ENGINE_PILLS.get(
        engine.state if engine else "starting", ("Unknown", "grey", "circle-dashed")
    )
    mode = trading.mode if trading else HaltMode.ACTIVE
    if words == "Running" and mode is HaltMode.HALTED:
        return Pill(words="Trading halted", tone="crit", icon="octagon-x")
    if words == "Running" and mode is HaltMode.REDUCING:
        return Pill(words="Reduce only", tone="warn", icon="minus")
    return Pill(words=words, tone=tone, icon=icon)


def _feed_label(state: FeedState | None) -> str:
    if state is None:
        return ""
    if state.waits_for:
        return f"{state.label}, {state.waits_for}"
    return f"{state.label} ended" if state.is_ended else state.label


def _feed_speed(state: FeedState | None) -> str:
    """Return the replay's speed in bars a minute; nothing where speed means nothing."""
    if state is None or state.bars_per_minute is None:
        return ""
    return fmt.multiple(state.bars_per_minute)


def _feed_state(state: FeedState | None) -> str:
    if state is None:
        return "unknown"
    return "paused" if state.is_paused or state.is_ended or state.waits_for else "running"


def _dropped(feed: FeedSection | None) -> str:
    """Return how many ticks the validator did not pass on; nothing where it passed all."""
    n = sum(feed.dropped.values()) if feed else 0
    return f"{fmt.plural(n, 'bad tick')} dropped" if n else ""


def _dropped_tip(feed: FeedSection | None) -> str:
    reasons = sorted(feed.dropped.items(), key=lambda item: -item[1]) if feed else ()
    return ", ".join(f"{reason} {fmt.count(n)}" for reason, n in reasons if n)


def _latch(trading: TradingSection | None) -> str:
    mode = HaltMode.ACTIVE if trading is None else trading.mode
    return {HaltMode.HALTED: "true", HaltMode.REDUCING: "reducing"}.get(mode, "false")


def _halt_title(trading: TradingSection | None) -> str:
    if trading is None or trading.mode is HaltMode.ACTIVE:
        return ""
    return "Trading is halted" if trading.mode is HaltMode.HALTED else "Reduce only"


def _halt_words(trading: TradingSection | None) -> str:
    if trading is None or trading.mode is HaltMode.ACTIVE:
        return ""
    since = f" since {fmt.clock(fmt.from_epoch(trading.since))} UTC" if trading.since else ""
    reason = f" {trading.reason.rstrip('.')}." if trading.reason else ""
    by = f"By {trading.actor or 'the engine'}{since}.{reason}"
    if trading.mode is HaltMode.REDUCING:
        return f"{by} No entries; stops and targets close positions. Agents go on observing."
    return f"{by} No order leaves: positions stay open, their stops and targets do not fire. Agents go on observing."


def stop_view(snapshot: Snapshot) -> StopView:
    """Return what stopping, or resuming, would do now."""
    portfolio: PortfolioSection | None = snapshot.value("portfolio")
    trading: TradingSection | None = snapshot.value("trading")
    agents: AgentsSection | None = snapshot.value("agents")
    orders = portfolio.open_orders if portfolio else ()
    positions = portfolio.positions if portfolio else ()
    marks = portfolio.marks if portfolio else {}
    order_rows = tuple(
        PreviewRow(
            symbol=order.symbol,
            what=order.side.value,
            quantity=fmt.quantity(order.quantity),
            notional=fmt.notional(order.quantity * order.price),
        )
        for order in orders
    )
    values = [_value(p.quantity, marks.get(p.symbol), p.entry_price) for p in positions]
    position_rows = tuple(
        PreviewRow(
            symbol=position.symbol,
            what="long" if position.quantity > 0 else "short",
            quantity=fmt.quantity(position.quantity, signed=True),
            notional=fmt.notional(value),
        )
        for position, value in zip(positions, values, strict=True)
    )
    is_halted = trading is not None and trading.mode is HaltMode.HALTED
    n_running = sum(row.status is AgentStatus.RUNNING for row in agents.rows) if agents else 0
    worth = fmt.notional(sum(values, Decimal(0)))
    return StopView(
        is_halted=is_halted,
        consequences=_stop_words(len(orders), len(positions), worth, n_running),
        orders=order_rows,
        positions=position_rows,
        footer=_stop_footer(portfolio),
    )


def _value(quantity: Decimal, mark: float | None, entry: Decimal) -> Decimal:
    """Return what a position is worth, unsigned, at its last price; before any price at its entry."""
    return abs(quantity) * (Decimal(str(mark)) if mark is not None else entry)


def _stop_words(n_orders: int, n_positions: int, worth: str, n_running: int) -> tuple[str, ...]:
    are = "is" if n_orders == 1 else "are"
    stay = "stays" if n_positions == 1 else "stay"
    cancelled = (
        f"{fmt.plural(n_orders, 'open order')} {are} cancelled."
        if n_orders
        else "No order is open."
    )
    protect = "its stop and target do" if n_positions == 1 else "their stops and targets do"
    kept = (
        f"{fmt.plural(n_positions, 'position')} worth {worth} {stay} open; {protect} not fire meanwhile."
        if n_positions
        else "No position is open."
    )
    observe = "goes" if n_running == 1 else "go"
    return (
        cancelled,
        "No order leaves until trading is resumed, also after a restart.",
        kept,
        f"{fmt.plural(n_running, 'agent')} {observe} on observing.",
    )


def _stop_footer(portfolio: PortfolioSection | None) -> str:
    if portfolio is None:
        return "The account is not known yet."
    return f"Equity {fmt.money(portfolio.equity)}. Stopping sells nothing and costs nothing."


def symbol_items(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """Return symbol and name of everything watched, for the palette."""
    section: InstrumentsSection | None = snapshot.value("instruments")
    return tuple((i.symbol, i.name) for i in (section.instruments if section else ()))
