"""A host and a gateway with sections made by hand; `put` changes one and rings, as the engine does."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from engine.domain.agents import AgentStatus
from engine.domain.commands import CommandAnswer
from engine.domain.instrument import Instrument
from engine.domain.market import FeedKind, FeedState
from engine.domain.payload import Payload
from engine.domain.risk import Alert, Severity
from engine.domain.sections import (
    AgentRow,
    AgentsSection,
    AlertRow,
    AlertsSection,
    AnswersSection,
    EngineSection,
    FeedSection,
    InstrumentsSection,
    PortfolioSection,
    Quote,
    QuotesSection,
    Section,
    Snapshot,
    Stamp,
    TradingSection,
)
from engine.domain.trading import Account, Order, OrderStatus, Position, Side

MARKET_TIME = datetime(2008, 9, 26, 20, tzinfo=UTC)
RECEIVED_AT = 1_700_000_000.0


class FakeGateway:
    """Sections in a dict; commands in a list."""

    def __init__(self) -> None:
        self.version = 0
        self.sections: dict[str, Section[Any]] = {}
        self.sent: list[tuple[Payload, str, str, str | None]] = []
        self.reads = 0
        self.refuse: Exception | None = None
        self._callbacks: list[Callable[..., None]] = []

    def put(self, name: str, value: Payload, *, budget_s: float | None = None) -> None:
        self.version += 1
        stamp = Stamp(
            version=self.version,
            as_of=MARKET_TIME,
            computed_at=RECEIVED_AT + 0.002,
            budget_s=budget_s,
        )
        self.sections[name] = Section(name=name, value=value, stamp=stamp)
        for callback in list(self._callbacks):
            callback()

    def read(
        self, sections: Iterable[str], as_of: datetime | None = None, since: int | None = None
    ) -> Snapshot:
        self.reads += 1
        found = {}
        for name in sections:
            if name.endswith(":*"):
                found |= {k: v for k, v in self.sections.items() if k.startswith(name[:-1])}
            elif name in self.sections:
                found[name] = self.sections[name]
        return Snapshot(version=self.version, sections=found)

    def send(
        self, command: Payload, *, actor: str, source: str, command_id: str | None = None
    ) -> str:
        if self.refuse is not None:
            raise self.refuse
        self.sent.append((command, actor, source, command_id))
        return command_id or f"c{len(self.sent)}"

    def ask(self, question: str, **params: Any) -> Any:
        if question == "intervals":
            return {row.agent_id: 2.0 * row.base_interval_s for row in params["rows"]}
        if question == "past_forecasts":
            return ()
        if question == "simulate":
            stored = self.sections[f"forecast:{params['symbol']}"].value
            return replace(stored.by_level[str(params["level"])], is_record=False)
        raise NotImplementedError(question)

    def on_change(self, callback: Callable[..., None]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    @property
    def n_listeners(self) -> int:
        return len(self._callbacks)


class FakeHost:
    """Counts its starts and stops."""

    def __init__(self, gateway: FakeGateway | None = None) -> None:
        self.gateway = gateway or FakeGateway()
        self.is_owner = True
        self.life: list[str] = []

    async def start(self) -> None:
        self.life.append("start")

    async def stop(self) -> None:
        self.life.append("stop")


def quote(symbol: str, price: float, received_at: float = RECEIVED_AT) -> Quote:
    return Quote(
        symbol=symbol,
        price=price,
        as_of=MARKET_TIME,
        received_at=received_at,
        previous_close=price * 0.99,
    )


def feed_state(**changes: Any) -> FeedState:
    given: dict[str, Any] = {
        "kind": FeedKind.REPLAY,
        "label": "daily bars",
        "market_time": MARKET_TIME,
        "bars_per_minute": 12.0,
    }
    return FeedState(**(given | changes))


def alert(
    alert_id: str = "a1",
    severity: Severity = Severity.WARNING,
    title: str = "ES 95 at 85% of its limit",
) -> Alert:
    return Alert(
        alert_id=alert_id,
        symbol="portfolio",
        metric="cvar_95",
        severity=severity,
        title=title,
        message="1.06% of 1.25%. Entries stay allowed.",
    )


def filled(gateway: FakeGateway) -> FakeGateway:
    """Put one believable value into every section that the frame reads."""
    engine = EngineSection(
        state="running", owner="web-1", pid=7, fingerprint="f1", version="0.1.0", seed=1
    )
    gateway.put("engine", engine)
    gateway.put("feed", FeedSection(state=feed_state(), last_tick_at=RECEIVED_AT))
    instruments = (
        Instrument(symbol="AAPL", name="Apple"),
        Instrument(symbol="JPM", name="JPMorgan Chase"),
    )
    gateway.put("instruments", InstrumentsSection(instruments=instruments))
    quotes = {"AAPL": quote("AAPL", 128.24), "JPM": quote("JPM", 33.01, RECEIVED_AT - 1)}
    gateway.put("quotes", QuotesSection(quotes=quotes), budget_s=15.0)
    gateway.put("portfolio", portfolio())
    gateway.put("trading", TradingSection())
    row = AlertRow(alert=alert(), at=RECEIVED_AT, seq=40)
    gateway.put("alerts", AlertsSection(rows=(row,)))
    answer = CommandAnswer(
        command_id="c1",
        name="SetStrategyWeights",
        title="Weights applied",
        message="Momentum 30 → 20",
    )
    gateway.put("answers", AnswersSection(rows=((41, RECEIVED_AT, True, answer),)))
    agents = tuple(
        AgentRow(agent_id=name, title=name.title(), status=AgentStatus.RUNNING)
        for name in ("market", "risk")
    )
    gateway.put("agents", AgentsSection(rows=agents))
    return gateway


def portfolio() -> PortfolioSection:
    positions = (
        Position(
            symbol="AAPL", quantity=Decimal(-76), entry_price=Decimal(130), opened_at=MARKET_TIME
        ),
        Position(
            symbol="JPM", quantity=Decimal(80), entry_price=Decimal(30), opened_at=MARKET_TIME
        ),
    )
    order = Order(
        order_id="ph-1-9",
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal("128.24"),
        status=OrderStatus.OPEN,
    )
    return PortfolioSection(
        account=Account(positions=positions),
        equity=Decimal("102641.63"),
        day_start_equity=Decimal("102105.47"),
        day_pnl=Decimal("536.16"),
        peak_equity=Decimal(103000),
        marks={"AAPL": 128.24, "JPM": 33.01},
        positions=positions,
        open_orders=(order,),
    )
