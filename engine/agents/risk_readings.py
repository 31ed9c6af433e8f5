"""Numbers of a risk measurement against their limits, each with the words of its alert."""

from typing import NamedTuple

from engine.agents.alarms import Reading
from engine.agents.risk_figures import LEAST_RETURNS
from engine.domain.risk import PORTFOLIO, RiskMetrics
from engine.kernels import tail_risk
from engine.kernels.series import FloatArray

CRITICAL_SCORE = 7.0


class Watched(NamedTuple):
    """The confidence of the value at risk that is limited, and the limits as positive fractions."""

    confidence: float
    max_var: float
    max_drawdown: float


def readings(
    metrics: RiskMetrics, returns: FloatArray, watched: Watched
) -> list[tuple[Reading, str, str]]:
    """Return each reading with the title and the message of its alert; what has no data has none.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Behind the metrics.
    """
    scope, found = metrics.scope, []
    has_returns = returns.size >= LEAST_RETURNS
    if has_returns:
        percent = f"{100 * watched.confidence:g}"
        loss = tail_risk.value_at_risk(returns, watched.confidence)
        words = f"{loss:.2%} of value in one bar, limit {watched.max_var:.2%}, n = {returns.size}."
        reading = Reading(f"var_{percent}", loss, watched.max_var)
        found.append((reading, f"{scope}: VaR {percent} above its limit", words))
    # An account keeps its drawdown when its last position is closed: that needs no returns.
    if metrics.drawdown is not None:
        depth = -metrics.drawdown
        words = f"{depth:.2%} below the high, limit {watched.max_drawdown:.2%}."
        reading = Reading("drawdown", depth, watched.max_drawdown)
        found.append((reading, f"{scope}: drawdown beyond its limit", words))
    if scope != PORTFOLIO and has_returns:
        words = f"Score {metrics.score:g} of 10. No entries until it is below {CRITICAL_SCORE:g}."
        reading = Reading("score", metrics.score, CRITICAL_SCORE, is_inclusive=True)
        found.append((reading, f"{scope}: risk is CRITICAL", words))
    return found
