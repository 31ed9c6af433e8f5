"""How fitted parameters are made of a past: the volatility of one symbol, and what all of them did together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import NotEnoughDataError
from engine.forecasts.past import Past
from engine.kernels import garch as g
from engine.kernels.extreme_value import extended_pool
from engine.kernels.filtered_simulation import shock_pool
from engine.kernels.markov_regime import LEAST as LEAST_FOR_REGIMES
from engine.kernels.markov_regime import MarkovFit, fit_markov, regime_probabilities
from engine.kernels.series import FloatArray

POOL_TAIL = 0.95

Call = Callable[..., Any]
"""Takes a function and its arguments, returns what it returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolFit:
    """How the volatility of one symbol moves, and the shocks that were seen.

    Parameters
    ----------
    pool, wide_pool : ndarray
        Standardised shocks of mean 0 and deviation 1; the wide one continues both tails by Pareto laws.
    made_of : str
        "GARCH to 26 Sep 2008", for the screen and the record.
    """

    garch: g.GarchFit
    pool: FloatArray
    wide_pool: FloatArray
    made_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFit:
    """What the symbols did together.

    Parameters
    ----------
    symbols : tuple of n_assets str
    rows : ndarray of shape (n_pool, n_assets)
        Standardised shocks, correlated as of late; a row holds one bar.
    stressed : ndarray of shape (n_pool,), bool
        Whether the bar lay in the stressed regime.
    regimes : MarkovFit
        Of the mean return of all symbols, each in units of its deviation.
    unit : float
        Deviation of that mean: below 1 where symbols do not move as one.
    """

    symbols: tuple[str, ...]
    rows: FloatArray
    stressed: NDArray[np.bool_]
    regimes: MarkovFit
    unit: float = 1.0

    def column(self, symbol: str) -> FloatArray | None:
        """Return the shocks of one symbol, shape (n_pool,); None for one that was not there."""
        if symbol not in self.symbols:
            return None
        return np.ascontiguousarray(self.rows[:, self.symbols.index(symbol)])


def fit_symbol(past: Past, warm_start: g.GarchFit | None, call: Call) -> SymbolFit:
    """Return the volatility model of the window's returns.

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 returns.
    """
    r = past.returns()
    if r.size >= g.LEAST:
        fit = call(g.fit_garch, r, leverage=True, warm_start=warm_start)
    else:
        fit = g.ewma_fit(r, f"EWMA 0.94: n = {r.size} returns, a fit needs {g.LEAST}")
    pool = shock_pool(g.filter_variance(r, fit).residuals)
    return SymbolFit(garch=fit, pool=pool, wide_pool=_wide(pool, call), made_of=_made_of(fit, past))


def fit_regimes(pasts: list[Past], call: Call) -> MarkovFit | None:
    """Return the regimes of the market, None where there are too few common bars."""
    common = common_returns(pasts)
    if common is None:
        return None
    try:
        found: MarkovFit = call(fit_markov, together(common[1]))
    except NotEnoughDataError:
        return None
    return found


def regimes_of(returns: FloatArray, regimes: MarkovFit, market_unit: float) -> MarkovFit:
    """Return the market's regimes with means and deviations of one symbol, weighed by how likely each regime was.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Log returns of the symbol.
    regimes, market_unit : MarkovFit, float
        Of the market, and the deviation of the series that they were fitted to; the symbol is judged on its scale.
    """
    unit = float(returns.std())
    p = regime_probabilities(market_unit * returns / unit, regimes).stressed
    means, sigmas = [], []
    for weights in (1.0 - p, p):
        total = float(weights.sum())
        if total < 1.0:
            return replace(
                regimes, calm_mean=0.0, stressed_mean=0.0, calm_sigma=unit, stressed_sigma=unit
            )
        mean = float(weights @ returns) / total
        means.append(mean)
        sigmas.append(float(np.sqrt(weights @ (returns - mean) ** 2 / total)))
    return replace(
        regimes,
        calm_mean=means[0],
        stressed_mean=means[1],
        calm_sigma=sigmas[0],
        stressed_sigma=sigmas[1],
    )


def common_returns(
    pasts: list[Past], least: int = LEAST_FOR_REGIMES
) -> tuple[tuple[str, ...], FloatArray] | None:
    """Return symbols and log returns of shape (n, n_assets) between the last common closes; None for too few."""
    pasts = [p for p in pasts if p.closes.size > least]
    if not pasts:
        return None
    window = pasts[0].window
    if all(p.closes_at.size for p in pasts):
        common = _last_common([p.closes_at for p in pasts], window + 1)
        closes = [p.closes[np.searchsorted(p.closes_at, common)] for p in pasts]
    else:
        n = min(p.closes.size for p in pasts)
        closes = [p.closes[p.closes.size - n :][-window - 1 :] for p in pasts]
    moved = [(p.symbol, np.diff(np.log(c))) for p, c in zip(pasts, closes, strict=True)]
    moved = [(symbol, r) for symbol, r in moved if r.size and r.std() > 0.0]
    if not moved or moved[0][1].size < least:
        return None
    return tuple(symbol for symbol, _ in moved), np.column_stack([r for _, r in moved])


def _last_common(moments: Sequence[FloatArray], n: int) -> FloatArray:
    """Return the newest `n` moments that all have, fewer where there are not so many; at most days all are the same."""
    newest = moments[0][-n:]
    if newest.size == n and all(np.array_equal(newest, each[-n:]) for each in moments[1:]):
        return newest
    common: FloatArray = reduce(np.intersect1d, moments)[-n:]
    return common


def together(returns: FloatArray) -> FloatArray:
    """Return the mean return of all symbols, each in units of its deviation."""
    mean: FloatArray = (returns / returns.std(axis=0)).mean(axis=1)
    return mean


def is_enough(past: Past) -> bool:
    """Return whether a symbol has bars enough to be part of the market."""
    return past.closes.size > LEAST_FOR_REGIMES


def _wide(pool: FloatArray, call: Call) -> FloatArray:
    try:
        wide: FloatArray = call(extended_pool, pool, POOL_TAIL).shocks
    except NotEnoughDataError:
        return pool
    return wide


def _made_of(fit: g.GarchFit, past: Past) -> str:
    name = "GARCH" if fit.converged else "EWMA"
    if not past.closes_at.size:
        return f"{name} of {fit.n} returns"
    day = datetime.fromtimestamp(float(past.closes_at[-1]), UTC)
    return f"{name} to {day.day} {day:%b %Y}"
