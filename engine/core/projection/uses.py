"""How much of each risk limit is used, from the valued account and the newest risk metrics.

Fractions of equity; a use above its limit is shown as it is, never cut.
"""

from decimal import Decimal

from engine.domain.risk import LimitUse, RiskLimits, RiskMetrics
from engine.domain.sections import PortfolioSection
from engine.kernels.accounting import mark_of


def uses_of(
    limits: RiskLimits, portfolio: PortfolioSection, risk: RiskMetrics | None
) -> tuple[LimitUse, ...]:
    """Return the uses that are known, in the order in which screens show them."""
    uses = [_largest_position(limits, portfolio), _daily_loss(limits, portfolio)]
    uses.append(_drawdown(limits, portfolio))
    if risk is not None and risk.var_95 is not None:
        uses.append(
            LimitUse(name="VaR 95", value=risk.var_95, limit=limits.max_var_95, window="one bar")
        )
    return tuple(uses)


def _largest_position(limits: RiskLimits, portfolio: PortfolioSection) -> LimitUse:
    values = {p.symbol: abs(p.quantity * mark_of(p, portfolio.marks)) for p in portfolio.positions}
    symbol = max(values, key=lambda name: (values[name], name), default="")
    return LimitUse(
        name="Largest position", value=_share(values.get(symbol, Decimal(0)), portfolio.equity),
        limit=limits.max_position_size, window="now", detail=symbol,
    )  # fmt: skip


def _daily_loss(limits: RiskLimits, portfolio: PortfolioSection) -> LimitUse:
    loss = max(Decimal(0), -portfolio.day_pnl)
    return LimitUse(
        name="Daily loss", value=_share(loss, portfolio.day_start_equity),
        limit=limits.max_daily_loss, window="today",
    )  # fmt: skip


def _drawdown(limits: RiskLimits, portfolio: PortfolioSection) -> LimitUse:
    lost = portfolio.peak_equity - portfolio.equity
    return LimitUse(
        name="Drawdown", value=_share(lost, portfolio.peak_equity), limit=limits.max_drawdown,
        window="from the peak",
    )  # fmt: skip


def _share(part: Decimal, whole: Decimal) -> float:
    """Return part of whole; of an account without value everything is used."""
    if whole <= 0:
        return 1.0 if part > 0 else 0.0
    return float(part / whole)
