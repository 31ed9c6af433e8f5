"""How much of each risk limit is used, from the valued account and the newest risk metrics.

Fractions of equity; a use above its limit is shown as it is, never cut.
"""

from decimal import Decimal

from engine.domain.limits import LIMITS
from engine.domain.risk import LimitUse, RiskLimits, RiskMetrics
from engine.domain.sections import PortfolioSection
from engine.kernels.accounting import mark_of


def uses_of(
    limits: RiskLimits, portfolio: PortfolioSection, risk: RiskMetrics | None
) -> tuple[LimitUse, ...]:
    """Return the uses that are known, in the order in which screens show them."""
    uses = [
        _largest_position(limits, portfolio),
        _gross_exposure(limits, portfolio),
        _daily_loss(limits, portfolio),
        _drawdown(limits, portfolio),
    ]
    tails = {} if risk is None else {"max_var_95": risk.var_95, "max_cvar_95": risk.cvar_95}
    known = {name: value for name, value in tails.items() if value is not None}
    return (*uses, *(_use(limits, name, value) for name, value in known.items()))


def _use(limits: RiskLimits, name: str, value: float, detail: str = "") -> LimitUse:
    spec = LIMITS[name]
    return LimitUse(
        name=spec.title, value=value, limit=getattr(limits, name), window=spec.window, detail=detail
    )


def _largest_position(limits: RiskLimits, portfolio: PortfolioSection) -> LimitUse:
    values = {p.symbol: abs(p.quantity * mark_of(p, portfolio.marks)) for p in portfolio.positions}
    symbol = max(values, key=lambda name: (values[name], name), default="")
    share = _share(values.get(symbol, Decimal(0)), portfolio.equity)
    return _use(limits, "max_position_size", share, symbol)


def _gross_exposure(limits: RiskLimits, portfolio: PortfolioSection) -> LimitUse:
    values = [abs(p.quantity * mark_of(p, portfolio.marks)) for p in portfolio.positions]
    n = len(values)
    held = f"{n} position{'' if n == 1 else 's'}" if n else ""
    share = _share(sum(values, Decimal(0)), portfolio.equity)
    return _use(limits, "max_gross_exposure", share, held)


def _daily_loss(limits: RiskLimits, portfolio: PortfolioSection) -> LimitUse:
    loss = max(Decimal(0), -portfolio.day_pnl)
    return _use(limits, "max_daily_loss", _share(loss, portfolio.day_start_equity))


def _drawdown(limits: RiskLimits, portfolio: PortfolioSection) -> LimitUse:
    lost = portfolio.peak_equity - portfolio.equity
    return _use(limits, "max_drawdown", _share(lost, portfolio.peak_equity))


def _share(part: Decimal, whole: Decimal) -> float:
    """Return part of whole; of an account without value everything is used."""
    if whole <= 0:
        return 1.0 if part > 0 else 0.0
    return float(part / whole)
