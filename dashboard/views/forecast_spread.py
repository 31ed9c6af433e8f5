"""Where a forecast ends: its distribution at a horizon as bars of even height in price, with value at risk marked."""

from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views.forecast_reading import Reading

VAR_LEVEL = 0.05
N_SLICES = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One bar; `band` is the narrowest of the 50, 80 and 95% bands that holds its middle, else 100."""

    middle: float
    share: float
    words: str
    band: int
    is_tail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The terminal distribution between the outermost quantiles kept.

    Parameters
    ----------
    value_at_risk_price : float
        The 5% quantile: the price below which one path in twenty ends; None where it is not kept.
    """

    title: str
    slices: tuple[Slice, ...]
    width: float
    value_at_risk_price: float | None
    value_at_risk: str


def distribution(read: Reading, after: str, write: fmt.Write) -> Distribution | None:
    """Return the distribution as bars between the outermost quantiles; None where they are one price.

    Notes
    -----
    Between neighbouring quantiles lies the difference of their levels, spread evenly; each bar holds what of it falls
    between its edges. Nothing is smoothed.
    """
    low, high = read.prices[0], read.prices[-1]
    if not high > low:
        return None
    width = (high - low) / N_SLICES
    edges = [low + k * width for k in range(N_SLICES + 1)]
    below = [read.share_below(edge) for edge in edges]
    edge = read.at(VAR_LEVEL) if VAR_LEVEL in read.levels else None
    slices = tuple(
        Slice(
            middle=(edges[k] + edges[k + 1]) / 2,
            share=below[k + 1] - below[k],
            words=f"{fmt.share(below[k + 1] - below[k])} end {fmt.span(edges[k], edges[k + 1], write)}",
            band=_band(read, (edges[k] + edges[k + 1]) / 2),
            is_tail=edge is not None and (edges[k] + edges[k + 1]) / 2 < edge,
        )
        for k in range(N_SLICES)
    )
    loss = "" if edge is None else fmt.percent(1 - edge / read.spot, 1)
    return Distribution(
        title=f"after {after}",
        slices=slices,
        width=width,
        value_at_risk_price=edge,
        value_at_risk=f"VaR 95 {loss}" if loss else "",
    )


def _band(read: Reading, price: float) -> int:
    for percent in (50, 80, 95):
        low, high = read.band(percent)
        if low <= price <= high:
            return percent
    return 100
