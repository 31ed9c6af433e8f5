"""Risk of one scope from its returns: every number by its kernel, None with the reason where there is too little data.

Simple returns, fractions, losses positive; windows are in bars and `n_observations` says how many there were.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from engine.agents.observations import ClosedBars
from engine.domain.errors import InvalidValueError, NotEnoughDataError
from engine.domain.risk import PORTFOLIO, Contribution, RiskLevel, RiskMetrics
from engine.domain.trading import Account
from engine.kernels import drawdown, ratios, tail_risk
from engine.kernels.accounting import equity, mark_of
from engine.kernels.paths import stream_seed
from engine.kernels.returns import simple_returns
from engine.kernels.risk_contribution import incremental_value_at_risk, value_at_risk_contributions
from engine.kernels.risk_score import (
    CRYPTO_CUTS,
    HIGH_WINDOW,
    MEDIAN_WINDOW,
    VALUE_AT_RISK_CUTS,
    risk_score,
)
from engine.kernels.series import FloatArray
from engine.kernels.volatility import annualised_volatility
from engine.trading.case import Tail

WINDOW = 500
"""Returns behind VaR, shortfall, volatility and ratios: two years of days leave 25 in the 95 % tail."""
SCORE_WINDOW = MEDIAN_WINDOW + HIGH_WINDOW
LEAST_RETURNS = 30
RUIN = 1e-6
_CRYPTO_PERIODS = 365.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one measurement needs.

    Parameters
    ----------
    returns : ndarray of shape (n,), simple
        Of the window.
    closes : ndarray of shape (m,)
        Longer, for the score and the distance from the high.
    seed : int
        Of the Monte Carlo VaR.
    """

    scope: str
    returns: FloatArray
    closes: FloatArray
    periods_per_year: float
    seed: int


def measure(what: Measured) -> RiskMetrics:
    """Return all risk numbers of one scope but beta, which needs a second series."""
    r = what.returns
    if r.size < LEAST_RETURNS:
        note = f"n = {r.size} returns, needs {LEAST_RETURNS}"
        return RiskMetrics(scope=what.scope, n_observations=int(r.size), note=note)
    notes: list[str] = []
    # One stream per scope: from bar to bar the number then moves with the data and not with the draw.
    seed = stream_seed(what.seed, what.scope, 0, 0)

    def number(compute: Callable[[], float]) -> float | None:
        return or_none(compute, notes)

    observed = tail_risk.LeftTail.of(r)
    try:
        simulated: tail_risk.LeftTail | None = tail_risk.simulated_tail(r, seed)
    except InvalidValueError as error:
        simulated = None
        notes.append(str(error))

    cuts = CRYPTO_CUTS if what.periods_per_year >= _CRYPTO_PERIODS else VALUE_AT_RISK_CUTS
    score = risk_score(what.closes[-SCORE_WINDOW:], cuts)
    return RiskMetrics(
        scope=what.scope,
        n_observations=int(r.size),
        var_95=observed.value_at_risk(0.95),
        var_99=observed.value_at_risk(0.99),
        cvar_95=observed.expected_shortfall(0.95),
        cvar_99=observed.expected_shortfall(0.99),
        var_95_parametric=number(lambda: tail_risk.parametric_value_at_risk(r, 0.95)),
        var_99_parametric=number(lambda: tail_risk.parametric_value_at_risk(r, 0.99)),
        var_95_monte_carlo=None if simulated is None else simulated.value_at_risk(0.95),
        var_99_monte_carlo=None if simulated is None else simulated.value_at_risk(0.99),
        var_95_monte_carlo_error=None if simulated is None else simulated.value_at_risk_error(0.95),
        var_99_monte_carlo_error=None if simulated is None else simulated.value_at_risk_error(0.99),
        max_drawdown=number(lambda: drawdown.max_drawdown(r)),
        drawdown=number(lambda: drawdown.from_high(what.closes)),
        sharpe_ratio=number(lambda: ratios.sharpe_ratio(r, what.periods_per_year)),
        sortino_ratio=number(lambda: ratios.sortino_ratio(r, what.periods_per_year)),
        volatility=number(lambda: annualised_volatility(r, what.periods_per_year)),
        score=float(score.score),
        risk_level=RiskLevel.from_score(score.score),
        points=score.points,
        note="; ".join(dict.fromkeys(notes)),
    )


def measure_account(
    shares: Mapping[str, float],
    bars: Sequence[ClosedBars],
    depths: tuple[float, float],
    periods_per_year: float,
    seed: int,
) -> tuple[RiskMetrics, FloatArray]:
    """Return the risk of an account that holds `shares`, and the returns behind it.

    Parameters
    ----------
    depths : (float, float)
        Its own drawdown now and the deepest, zero or negative.
    """
    depth, deepest = depths
    if not shares:
        return no_position(depth, deepest), np.empty(0)
    weights, each = np.array([shares[b.symbol] for b in bars]), aligned_returns(bars)
    returns: FloatArray = weights @ each
    # A leveraged book can lose more than everything on paper; below this nothing more is to be said.
    wealth = np.cumprod(np.concatenate([[1.0], np.maximum(1.0 + returns, RUIN)]))
    what = Measured(
        scope=PORTFOLIO,
        returns=returns,
        closes=wealth,
        periods_per_year=periods_per_year,
        seed=seed,
    )
    whole = replace(
        measure(what),
        drawdown=depth,
        max_drawdown=deepest,
        contributions=_contributions(weights, each, [b.symbol for b in bars]),
    )
    return whole, returns


def _contributions(
    weights: FloatArray, returns: FloatArray, symbols: Sequence[str]
) -> tuple[Contribution, ...]:
    """Return what each position adds to the account's VaR 95; nothing where there is too little history."""
    if returns.shape[1] < LEAST_RETURNS:
        return ()
    try:
        divided = value_at_risk_contributions(weights, returns)
    except NotEnoughDataError:
        return ()
    without = incremental_value_at_risk(weights, returns)
    return tuple(
        Contribution(symbol=symbol, share=float(w), component=float(c), incremental=float(i))
        for symbol, w, c, i in zip(symbols, weights, divided.component, without, strict=True)
    )


def account_tail(shares: Mapping[str, float], bars: Sequence[ClosedBars]) -> Tail | None:
    """Return what an account that held `shares` may lose in one bar; None below 30 returns in common.

    Without a share nothing can be lost.
    """
    if not shares:
        return Tail(0.0, 0.0)
    returns = held_returns(shares, bars)
    if returns.size < LEAST_RETURNS:
        return None
    observed = tail_risk.LeftTail.of(returns)
    return Tail(observed.value_at_risk(0.95), observed.expected_shortfall(0.95))


def no_position(drawdown_now: float, deepest: float) -> RiskMetrics:
    """Return the portfolio's numbers while nothing is held: nothing at risk, the account's drawdown stays."""
    return RiskMetrics(
        scope=PORTFOLIO,
        n_observations=0,
        var_95=0.0,
        var_99=0.0,
        cvar_95=0.0,
        cvar_99=0.0,
        var_95_parametric=0.0,
        var_99_parametric=0.0,
        var_95_monte_carlo=0.0,
        var_99_monte_carlo=0.0,
        var_95_monte_carlo_error=0.0,
        var_99_monte_carlo_error=0.0,
        volatility=0.0,
        drawdown=drawdown_now,
        max_drawdown=deepest,
        note="no position",
    )


def or_none(compute: Callable[[], float], notes: list[str]) -> float | None:
    """Return what `compute` returns, or None with its reason added to `notes`."""
    try:
        return compute()
    except (NotEnoughDataError, InvalidValueError) as error:
        notes.append(str(error))
        return None


def recent_returns(bars: ClosedBars, window: int = WINDOW) -> FloatArray:
    """Return the last `window` simple returns, empty below two closes."""
    closes = bars.closes[-window - 1 :]
    return simple_returns(closes) if closes.size > 1 else np.empty(0)


def aligned_returns(bars: Sequence[ClosedBars], window: int = WINDOW) -> FloatArray:
    """Return simple returns between common closes.

    Returns
    -------
    ndarray of shape (n_assets, n), n <= window
        Of bars without times the last ones count as common.
    """
    if all(b.closes_at.size for b in bars):
        closes = _at_common_times(bars, window + 1)
    else:
        n = min((b.closes.size for b in bars), default=0)
        closes = [b.closes[b.closes.size - n :][-window - 1 :] for b in bars]
    if not closes or closes[0].size <= 1:
        return np.empty((len(bars), 0))
    return np.stack([simple_returns(c) for c in closes])


def _at_common_times(bars: Sequence[ClosedBars], count: int) -> list[FloatArray]:
    """Return the last `count` closes that all have in common."""
    if not bars:
        return []
    # While bars close one after the other, some series end one bar later than others and are alike before.
    until = min(b.closes_at[-1] for b in bars)
    ends = [
        b.closes_at.size
        if b.closes_at[-1] == until
        else int(np.searchsorted(b.closes_at, until, side="right"))
        for b in bars
    ]
    recent = [slice(max(0, end - count), end) for end in ends]
    if len({b.closes_at[part].tobytes() for b, part in zip(bars, recent, strict=True)}) == 1:
        return [b.closes[part] for b, part in zip(bars, recent, strict=True)]
    common = reduce(np.intersect1d, (b.closes_at for b in bars))[-count:]
    return [b.closes[np.searchsorted(b.closes_at, common)] for b in bars]


def held_shares(account: Account, marks: Mapping[str, float]) -> dict[str, float]:
    """Return the signed value of each position over equity, nothing of an account that is worth nothing."""
    worth = float(equity(account, marks))
    if worth <= 0.0:
        return {}
    return {p.symbol: float(p.quantity * mark_of(p, marks)) / worth for p in account.positions}


def common_times(bars: Sequence[ClosedBars], n: int) -> FloatArray:
    """Return the last `n` closing times that all have in common, epoch seconds."""
    common: FloatArray = reduce(np.intersect1d, (b.closes_at for b in bars))
    return common[common.size - min(n, common.size) :]


def held_returns(
    shares: Mapping[str, float], bars: Sequence[ClosedBars], window: int = WINDOW
) -> FloatArray:
    """Return what today's positions would have earned bar by bar, as fractions of equity.

    Parameters
    ----------
    shares : mapping of symbol to signed value over equity
    bars : closed bars of the same symbols
    window : int
        Most returns.

    Returns
    -------
    ndarray of shape (n,)
    """
    weights = np.array([shares[b.symbol] for b in bars])
    result: FloatArray = weights @ aligned_returns(bars, window)
    return result
