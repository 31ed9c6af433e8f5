"""What the Risk page lists: one line per symbol, and the alerts that wait for a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.account_risk import WAITING, signs
from dashboard.views.ages import AgeView, age_of
from engine.domain.instrument import Instrument
from engine.domain.risk import RiskLevel, RiskMetrics, Severity
from engine.domain.sections import (
    AlertRow,
    AlertsSection,
    InstrumentsSection,
    RiskSection,
    Snapshot,
    TradingSection,
)

MAX_ALERTS = 20
"""So many are listed here; the bell has all of them."""
_SEVERITIES = {
    Severity.INFO: ("info", ""),
    Severity.WARNING: ("triangle-alert", "warn"),
    Severity.CRITICAL: ("octagon-x", "crit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolView:
    """One symbol's line of the table, all of it text but the level."""

    symbol: str
    name: str
    level: RiskLevel | None
    var_95: str
    var_99: str
    es_95: str
    volatility: str
    drawdown: str
    sample: str
    is_over: bool
    tip: str
    age: AgeView


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One alert in words; `when` is the market date it was raised on."""

    alert_id: str
    icon: str
    tone: str
    title: str
    message: str
    when: str
    is_seen: bool


def symbols_view(snapshot: Snapshot) -> tuple[SymbolView, ...]:
    """Return one line per watched symbol, in the order of the watchlist."""
    instruments: InstrumentsSection | None = snapshot.value("instruments")
    trading: TradingSection | None = snapshot.value("trading")
    limit = trading.limits.max_var_95 if trading is not None else None
    return tuple(
        _symbol(i, snapshot.value(name := f"risk:{i.symbol}"), limit, age_of(snapshot, name))
        for i in (instruments.instruments if instruments is not None else ())
    )


def _symbol(
    instrument: Instrument, section: RiskSection | None, limit: float | None, age: AgeView
) -> SymbolView:
    nothing = RiskMetrics(scope=instrument.symbol, n_observations=0)
    m = section.metrics if section is not None else nothing
    is_known = m.var_95 is not None
    note = signs(m.note) if m.note else "" if is_known else WAITING
    is_over = m.var_95 is not None and limit is not None and m.var_95 > limit
    return SymbolView(
        symbol=instrument.symbol,
        name=instrument.name,
        level=m.risk_level if is_known else None,
        var_95=fmt.percent(m.var_95),
        var_99=fmt.percent(m.var_99),
        es_95=fmt.percent(m.cvar_95),
        volatility=fmt.percent(m.volatility, 1),
        drawdown=fmt.percent(m.drawdown, 1),
        sample=fmt.count(m.n_observations) if section is not None else fmt.UNKNOWN,
        is_over=is_over,
        tip=f"over the limit of {fmt.percent(limit)}" if is_over else note,
        age=age,
    )


def csv_text(rows: Sequence[SymbolView]) -> str:
    """Return the table as CSV; a cell that a spreadsheet would run is defused."""
    head = "symbol,level,var_95_percent,var_99_percent,es_95_percent,volatility_percent,drawdown_percent,n"
    lines = (
        ",".join(
            fmt.csv_cell(_plain(cell))
            for cell in (
                row.symbol,
                row.level.value if row.level else "",
                row.var_95,
                row.var_99,
                row.es_95,
                row.volatility,
                row.drawdown,
                row.sample,
            )
        )
        for row in rows
    )
    return "\n".join((head, *lines)) + "\n"


def _plain(cell: str) -> str:
    """Return a cell that a spreadsheet reads as a number: plain minus, no sign of percent, empty where unknown."""
    return "" if cell == fmt.UNKNOWN else cell.replace(fmt.MINUS, "-").strip("%").replace(",", "")


def alerts_view(snapshot: Snapshot) -> tuple[AlertView, ...]:
    """Return the newest alerts, those not acknowledged first."""
    section: AlertsSection | None = snapshot.value("alerts")
    rows = sorted(section.rows if section else (), key=lambda row: row.is_acknowledged)
    return tuple(_alert(row) for row in rows[:MAX_ALERTS])


def open_alerts(snapshot: Snapshot) -> str:
    """Return how many alerts wait for a person."""
    section: AlertsSection | None = snapshot.value("alerts")
    rows = section.rows if section else ()
    n_open = sum(not row.is_acknowledged for row in rows)
    return f"{n_open} open of {len(rows)}" if rows else "none"


def _alert(row: AlertRow) -> AlertView:
    icon, tone = _SEVERITIES[row.alert.severity]
    raised = row.alert.raised_at
    return AlertView(
        alert_id=row.alert.alert_id,
        icon=icon,
        tone=tone,
        title=row.alert.title,
        message=row.alert.message,
        when=fmt.date(raised) if raised is not None else fmt.clock(fmt.from_epoch(row.at)),
        is_seen=row.is_acknowledged,
    )
