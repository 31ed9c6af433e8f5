"""What REST says: sections in, plain answers out, without a request in sight."""

from datetime import datetime
from typing import Protocol

from pydantic import BaseModel

from engine.domain.agents import AgentStatus
from engine.domain.errors import EngineAbsentError
from engine.domain.log import LogSection
from engine.domain.sections import (
    AgentRow,
    AgentsSection,
    BarsSection,
    CycleSection,
    EngineSection,
    FeedSection,
    InstrumentsSection,
    PortfolioSection,
    Snapshot,
    TradingSection,
)
from engine.domain.signals import SignalAction
from engine.domain.trading import HaltMode

HEALTH_SECTIONS = ("engine", "agents", "trading")
STATUS_SECTIONS = (*HEALTH_SECTIONS, "feed", "portfolio", "instruments", "log")
_IDLE = {
    AgentStatus.ERROR: "failed",
    AgentStatus.STOPPED: "is stopped",
    AgentStatus.PAUSED: "is paused",
}
"""States in which an agent that was set up does not do its work, in words."""


class Reader(Protocol):
    """The one verb of the gateway that these routes need."""

    def read(
        self, sections: tuple[str, ...], as_of: datetime | None = None, since: int | None = None
    ) -> Snapshot:
        """Return the sections asked for that exist."""
        ...


class Health(BaseModel):
    """Whether the engine does its work: "ok", "starting", "degraded" or "stopped", and why it is not "ok"."""

    status: str
    reasons: list[str] = []


class SignalAnswer(BaseModel):
    """The newest vote on one symbol; before the first one HOLD without confidence or date.

    `bars_behind` counts the bars that closed since: with 2 or more the vote speaks of a market that is no more.
    `is_tradable` is false for an index, whose votes are never traded.
    """

    symbol: str
    signal: str
    confidence: float
    score: float | None = None
    price: float | None = None
    as_of: datetime | None = None
    cycle_id: str | None = None
    verdict: str = ""
    bars_behind: int = 0
    is_tradable: bool = True


class AgentAnswer(BaseModel):
    """One agent's state; `cycles` it ran by its clock and events that it `handled`."""

    agent_id: str
    status: str
    reason: str = ""
    last_error: str = ""
    cycles: int = 0
    handled: int = 0
    errors: int = 0
    p95_ms: float | None = None


class FeedAnswer(BaseModel):
    """Where the feed stands."""

    kind: str
    label: str
    market_time: datetime
    bars_done: int
    bars_per_minute: float | None
    is_paused: bool
    is_ended: bool
    run_id: str
    dropped: dict[str, int]


class EngineAnswer(BaseModel):
    """Who runs the engine, since when, and the fingerprint of the run."""

    state: str
    owner: str
    pid: int
    host: str
    port: int
    epoch: int
    started_at: float
    trading_mode: str
    environment: str
    version: str
    fingerprint: str
    seed: int
    config_hash: str
    data_hash: str
    code_hash: str
    note: str


class AccountAnswer(BaseModel):
    """The account; money as decimal text."""

    equity: str
    cash: str
    day_pnl: str
    positions: dict[str, str]
    open_orders: int


class StatusAnswer(BaseModel):
    """Everything that a person asks first when something looks wrong."""

    status: str
    reasons: list[str]
    version: int
    engine: EngineAnswer | None
    feed: FeedAnswer | None
    trading: str
    account: AccountAnswer | None
    agents: list[AgentAnswer]
    symbols: list[str]
    journal_events: int


def health(snapshot: Snapshot) -> Health:
    """Return whether the engine does its work and, if not, why."""
    engine: EngineSection | None = snapshot.value("engine")
    if engine is None or engine.state == "starting":
        return Health(status="starting", reasons=["The engine has not answered yet."])
    if engine.state in {"stopping", "stopped"}:
        return Health(status="stopped", reasons=[engine.note or f"The engine is {engine.state}."])
    reasons = [engine.note or "The engine failed."] if engine.state == "failed" else []
    agents: AgentsSection | None = snapshot.value("agents")
    for row in agents.rows if agents else ():
        reasons += _reasons(row)
    trading: TradingSection | None = snapshot.value("trading")
    if trading and trading.mode is not HaltMode.ACTIVE:
        reasons.append(
            f"Trading is {trading.mode.value.lower()} by {trading.actor or 'the engine'}."
        )
    return Health(status="degraded" if reasons else "ok", reasons=reasons)


def _reasons(row: AgentRow) -> list[str]:
    """Return what keeps an agent from its work, or disturbs it there."""
    if row.status in _IDLE:
        return [f"{row.title} {_IDLE[row.status]}: {_reason(row)}"]
    if row.status is not AgentStatus.RUNNING or row.measured is None:
        return []
    return [f"{trouble.title}: {trouble.message}" for trouble in row.measured.troubles]


def _reason(row: AgentRow) -> str:
    failure = row.last_error if row.status is AgentStatus.ERROR else ""
    by_whom = f"by {row.actor}" if row.actor else "no reason given"
    return failure or row.reason or by_whom


def signal(symbol: str, snapshot: Snapshot) -> SignalAnswer | None:
    """Return the newest vote on `symbol`; None when it is not watched.

    Raises
    ------
    EngineAbsentError
        Nobody has said yet what is watched.
    """
    instruments: InstrumentsSection | None = snapshot.value("instruments")
    if instruments is None:
        raise EngineAbsentError(
            "engine must have said what is watched, was not heard of; ask /api/health, then try again"
        )
    found = {i.symbol: i for i in instruments.instruments}.get(symbol)
    if found is None:
        return None
    bars: BarsSection | None = snapshot.value(f"bars:{symbol}")
    cycle: CycleSection | None = snapshot.value(f"cycle:{symbol}")
    if cycle is None:
        return SignalAnswer(
            symbol=symbol,
            signal=SignalAction.HOLD.value,
            confidence=0.0,
            is_tradable=found.is_tradable,
        )
    record = cycle.record
    return SignalAnswer(
        symbol=symbol,
        signal=record.action.value,
        confidence=record.confidence,
        score=record.score,
        price=record.price,
        as_of=record.bar_closed_at,
        cycle_id=record.cycle_id,
        verdict=record.verdict,
        bars_behind=0 if bars is None else bars.columns.n_after(record.bar_closed_at),
        is_tradable=found.is_tradable,
    )


def status(snapshot: Snapshot) -> StatusAnswer:
    """Return the state of everything in one answer."""
    state = health(snapshot)
    engine: EngineSection | None = snapshot.value("engine")
    instruments: InstrumentsSection | None = snapshot.value("instruments")
    trading: TradingSection | None = snapshot.value("trading")
    log: LogSection | None = snapshot.value("log")
    return StatusAnswer(
        status=state.status,
        reasons=state.reasons,
        version=snapshot.version,
        engine=EngineAnswer(**engine.to_data()) if engine else None,
        feed=_feed(snapshot.value("feed")),
        trading=(trading.mode if trading else HaltMode.ACTIVE).value,
        account=_account(snapshot.value("portfolio")),
        agents=_agents(snapshot.value("agents")),
        symbols=[i.symbol for i in instruments.instruments] if instruments else [],
        journal_events=log.head if log else 0,
    )


def _feed(section: FeedSection | None) -> FeedAnswer | None:
    if section is None or section.state is None:
        return None
    state = section.state
    return FeedAnswer(
        kind=state.kind.value,
        label=state.label,
        market_time=state.market_time,
        bars_done=state.bars_done,
        bars_per_minute=state.bars_per_minute,
        is_paused=state.is_paused,
        is_ended=state.is_ended,
        run_id=state.run_id,
        dropped=section.dropped,
    )


def _account(portfolio: PortfolioSection | None) -> AccountAnswer | None:
    if portfolio is None:
        return None
    return AccountAnswer(
        equity=str(portfolio.equity),
        cash=str(portfolio.account.cash),
        day_pnl=str(portfolio.day_pnl),
        positions={p.symbol: str(p.quantity) for p in portfolio.positions},
        open_orders=len(portfolio.open_orders),
    )


def _agents(section: AgentsSection | None) -> list[AgentAnswer]:
    rows = section.rows if section else ()
    return [
        AgentAnswer(
            agent_id=row.agent_id,
            status=row.status.value,
            reason=row.reason,
            last_error=row.last_error,
            cycles=row.measured.cycles if row.measured else 0,
            handled=row.measured.handled if row.measured else 0,
            errors=row.measured.errors if row.measured else 0,
            p95_ms=row.measured.p95_ms if row.measured else None,
        )
        for row in rows
    ]
