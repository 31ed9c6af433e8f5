"""Whose risk it is: the account's VaR 95 divided among its positions, the largest first."""

from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.account_risk import NOTHING_HELD, is_flat, metrics_of, why_unknown
from engine.domain.sections import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """One position: its `part` of the whole risk, below zero for a hedge, and the VaR's change `without` it."""

    symbol: str
    share: str
    part: float
    percent: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionView:
    """The positions with what they sum to; `largest` fills one half of the axis; `words` where there are none."""

    parts: tuple[PartView, ...]
    largest: float
    total: str
    words: str


def contribution_view(snapshot: Snapshot) -> ContributionView:
    """Return the division of the parametric VaR 95."""
    metrics = metrics_of(snapshot)
    rows = () if metrics is None else metrics.contributions
    total = sum(row.component for row in rows)
    if not rows or total <= 0:
        return ContributionView(parts=(), largest=0.0, total="", words=_why(snapshot))
    ordered = sorted(rows, key=lambda row: (-row.component, row.symbol))
    parts = tuple(
        PartView(
            symbol=row.symbol,
            share=fmt.percent(row.share, 1, signed=True),
            part=row.component / total,
            percent=fmt.percent(row.component / total, 1),
            without=fmt.percent(-row.incremental, 2, signed=True),
        )
        for row in ordered
    )
    return ContributionView(
        parts=parts,
        largest=max(abs(part.part) for part in parts),
        total=fmt.percent(total),
        words="",
    )


def _why(snapshot: Snapshot) -> str:
    metrics = metrics_of(snapshot)
    if is_flat(metrics):
        return f"{NOTHING_HELD[:1].upper()}{NOTHING_HELD[1:]}."
    return (
        why_unknown(snapshot)
        or "It needs 30 returns that all positions share, and a risk above zero."
    )
