"""What was stated of each scope at its last close, and what the next one made of it.

Nothing of a bar is behind what is stated for it: the statement is kept when it is told, the loss is looked at when the
bar has closed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.agents import risk_figures as figures
from engine.agents.observations import ClosedBars
from engine.domain.errors import InvalidValueError
from engine.domain.risk import PORTFOLIO, RiskMetrics
from engine.domain.var_backtest import N_BARS, VarOutcome, VarsSettled
from engine.kernels.paths import stream_seed
from engine.kernels.series import FloatArray
from engine.kernels.walked_tail import walked

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class _Statement:
    at: int
    values: Values
    shares: Mapping[str, float]


class VarRecord:
    """Remembers what was stated until it can be judged.

    Parameters
    ----------
    seed : int
        Of the engine's risk figures, so that a walk draws what they draw.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._stated: dict[str, _Statement] = {}
        self._account: list[_Statement] = []

    def forget(self, symbol: str) -> None:
        """Forget what was stated of a symbol, and of an account that may hold it: its bars are other ones now."""
        self._stated.pop(symbol, None)
        self._account.clear()

    def state(self, symbol: str, bars: ClosedBars, metrics: RiskMetrics) -> None:
        """Take what is stated at the last close of a symbol for its next."""
        if bars.closes_at.size and metrics.var_95 is not None:
            self._stated[symbol] = _Statement(int(bars.closes_at[-1]), values_of(metrics), {})

    def judge(self, symbol: str, bars: ClosedBars) -> VarsSettled | None:
        """Return what the newest close makes of the statement of the close before it; None where there is none."""
        told = self._stated.get(symbol)
        if told is None or bars.closes_at.size < 2 or int(bars.closes_at[-2]) != told.at:  # noqa: PLR2004 -- a pair
            return None
        del self._stated[symbol]
        return _settled(symbol, int(bars.closes_at[-1]), _change(bars), told.values)

    def state_account(self, at: int, shares: Mapping[str, float], metrics: RiskMetrics) -> None:
        """Take what is stated of the account's positions at a close, in place of what was stated there before."""
        self._account = [each for each in self._account if each.at != at]
        if shares and metrics.var_95 is not None:
            self._account.append(_Statement(at, values_of(metrics), dict(shares)))

    def judge_account(self, bars_of: Callable[[str], ClosedBars]) -> VarsSettled | None:
        """Return what the next close of everything that was held makes of the oldest statement.

        Parameters
        ----------
        bars_of : callable
            Gives the closed bars of a symbol.
        """
        while self._account:
            told = self._account[0]
            held = [bars_of(symbol) for symbol in told.shares]
            if all(_follows(each, told.at) for each in held):
                self._account.pop(0)
                change = sum(told.shares[each.symbol] * _change(each) for each in held)
                return _settled(PORTFOLIO, int(held[0].closes_at[-1]), change, told.values)
            if not any(_is_past(each, told.at) for each in held):
                return None  # some have not closed yet
            self._account.pop(0)
        return None

    def walk(self, symbol: str, bars: ClosedBars) -> VarsSettled | None:
        """Return what would have been stated of a symbol before each of its last bars, and what they lost."""
        returns = figures.recent_returns(bars, figures.WINDOW + N_BARS)
        return self._walked(symbol, returns, bars.closes_at)

    def walk_account(
        self, shares: Mapping[str, float], bars: Sequence[ClosedBars]
    ) -> VarsSettled | None:
        """Return the same of today's positions, as if they had been held all the time."""
        if not shares or not all(each.closes_at.size for each in bars):
            return None
        returns = figures.held_returns(shares, bars, figures.WINDOW + N_BARS)
        return self._walked(PORTFOLIO, returns, figures.common_times(bars, returns.size))

    def _walked(self, scope: str, returns: FloatArray, closes_at: FloatArray) -> VarsSettled | None:
        seed = stream_seed(self._seed, scope, 0, 0)
        try:
            values = walked(returns, N_BARS, figures.WINDOW, figures.LEAST_RETURNS, seed)
        except InvalidValueError:  # a total loss: there is no log return, and nothing to state
            return None
        n = len(values)
        if not n or closes_at.size < n:
            return None
        rows = zip(closes_at[-n:].tolist(), returns[-n:].tolist(), values.tolist(), strict=True)
        return VarsSettled(
            symbol=scope,
            rows=tuple(VarOutcome(at=int(at), change=r, stated=tuple(v)) for at, r, v in rows),
        )


def values_of(metrics: RiskMetrics) -> Values:
    """Return the six values at risk of a measurement, as `engine.domain.var_backtest.COLUMNS` says."""
    m = metrics
    return (
        m.var_95, m.var_99, m.var_95_parametric, m.var_99_parametric, m.var_95_monte_carlo, m.var_99_monte_carlo,
    )  # fmt: skip


def _settled(scope: str, at: int, change: float, values: Values) -> VarsSettled:
    return VarsSettled(symbol=scope, rows=(VarOutcome(at=at, change=change, stated=values),))


def _change(bars: ClosedBars) -> float:
    return float(bars.closes[-1] / bars.closes[-2] - 1.0)


def _follows(bars: ClosedBars, at: int) -> bool:
    """Return whether the newest close is the one after a moment."""
    return bars.closes_at.size > 1 and int(bars.closes_at[-2]) == at


def _is_past(bars: ClosedBars, at: int) -> bool:
    """Return whether the close at a moment is no more the newest or the one before it."""
    return not np.isin(at, bars.closes_at[-2:]).item()
