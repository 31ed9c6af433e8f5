"""What is known of the account's risk, since when, and why a number of it is not.

The engine tells the risk when it changes; an account that holds nothing has no risk that could.
"""

import re

from dashboard import formatting as fmt
from dashboard.views.ages import AgeView, is_behind
from engine.domain.risk import PORTFOLIO, RiskMetrics
from engine.domain.sections import PortfolioSection, RiskSection, Snapshot

SCOPE = f"risk:{PORTFOLIO}"
NO_POSITION = "no position"
"""What the engine notes of an account that holds nothing."""
NOTHING_HELD = "no position held"
WAITING = "The first numbers come with the first closed bar."
OPENED_SINCE = "A position was opened since the last bar; its risk is known at the next close."
_SIGN = re.compile(r"(?<!\w)-(?=\d)")
_MINUS_ZERO = re.compile(rf"{fmt.MINUS}(?=0(\.0+)?(?![\d.]))")


def metrics_of(snapshot: Snapshot) -> RiskMetrics | None:
    """Return the account's metrics, or None where they are not known or speak of no position while one is open."""
    section: RiskSection | None = snapshot.value(SCOPE)
    portfolio: PortfolioSection | None = snapshot.value("portfolio")
    if section is None:
        return None
    if is_flat(section.metrics) and portfolio is not None and portfolio.positions:
        return None
    return section.metrics


def is_flat(metrics: RiskMetrics | None) -> bool:
    """Return whether the metrics speak of an account that holds nothing: their zeros rest on no return."""
    return metrics is not None and metrics.note == NO_POSITION


def why_unknown(snapshot: Snapshot) -> str:
    """Return why the account's metrics are not known; empty when they are."""
    if metrics_of(snapshot) is not None:
        return ""
    return OPENED_SINCE if SCOPE in snapshot else WAITING


def age_view(snapshot: Snapshot, symbol: str = "") -> AgeView:
    """Return how old the account's risk is; closes of `symbol` tell whether it is behind the market.

    Without a position the account itself says that nothing is at risk, so its age counts.
    """
    is_told = is_flat(metrics_of(snapshot)) and "portfolio" in snapshot
    name = "portfolio" if is_told else SCOPE
    stamp, risk = snapshot.stamp(name), snapshot.stamp(SCOPE)
    budget = risk.budget_s if risk is not None else None
    return AgeView(
        received_at=None if stamp is None else stamp.computed_at,
        budget_s=budget or 0.0,
        is_behind=is_behind(snapshot, name, symbol),
    )


def why_missing(metrics: RiskMetrics | None) -> str:
    """Return why one of the known metrics is not given."""
    if is_flat(metrics):
        return f"{NOTHING_HELD}, n = 0"
    return signs(metrics.note) if metrics is not None and metrics.note else "not known yet"


def signs(text: str) -> str:
    """Return words of the engine with the minus that screens use; a hyphen between words stays."""
    return _MINUS_ZERO.sub("", _SIGN.sub(fmt.MINUS, text))
