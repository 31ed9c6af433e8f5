"""Fitted parameters, made once per block of bars and kept: they are dear, and change slowly.

A fit that holds at a bar was made of data that ended a block before (`renewed_at`), so it never sees what comes after,
and there is time to make it before it is needed. Fits are kept by the data that they were made of, and their search
begins at earlier ones alone: a bar that is asked for late (a rehearsal) gets what it got when it was new.
"""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np

from engine.domain.errors import NotEnoughDataError
from engine.forecasts.fitting import (
    Call,
    MarketFit,
    SymbolFit,
    common_returns,
    fit_regimes,
    fit_symbol,
    is_enough,
    together,
)
from engine.forecasts.past import Past, before_block, renewed_at
from engine.kernels import garch as g
from engine.kernels.filtered_simulation import shock_pool
from engine.kernels.joint_simulation import rows_correlated_as_today
from engine.kernels.markov_regime import MarkovFit, regime_probabilities
from engine.kernels.series import FloatArray

REGIME_BARS = 250
"""Bars for which the regimes of the market hold: they are rare, and their fit is the dearest."""
CORRELATION_BARS = 5
"""Bars for which the correlation of the shocks holds: it is cheap, and old in a month."""
EVEN = 0.5
"""Chance of stress above which a bar counts as stressed."""
NO_MARKET = "the market must have 100 common bars, was without; wait for more bars"
LEAST_TO_FILTER = 20
"""Bars below which known regimes cannot be told apart; the newest bar of a market that is just large enough is one."""
KEPT = 4
"""Fits kept per symbol: those in force, the ones before to begin at, and those made ahead."""
KEPT_TO_REHEARSE = 24
"""As many blocks as a rehearsal walks, which every symbol goes through anew."""

Aside = Callable[[Callable[[Call], None]], None]
"""Does work beside everything else, which is given a `Call` of its own."""
K = TypeVar("K")
V = TypeVar("V")

Key = tuple[float, int]
"""Place of the last bar that a fit was made of, and a hash of the closes in its window."""
Names = frozenset[str]
Others = Callable[[], Iterable[Past]]
"""Gives the pasts of all symbols; asked only when the market has to be fitted anew."""


class Fits:
    """Gives the fits in force at the end of a past, making those that are missing.

    Parameters
    ----------
    call : callable, optional
        Calls a function with arguments, in a child process for example; here by default.
    aside : callable, optional
        Does work that nobody waits for; at once by default.
    n_kept : int
        Fits kept per symbol, and of the market: a hundred kilobytes each.
    """

    def __init__(
        self, call: Call | None = None, aside: Aside | None = None, n_kept: int = KEPT
    ) -> None:
        self._call: Call = call or _here
        self._aside: Aside = aside or _at_once
        self._n_kept = n_kept
        self._symbols: dict[str, OrderedDict[Key, SymbolFit]] = {}
        self._regimes: OrderedDict[tuple[float, Names], MarkovFit | None] = OrderedDict()
        self._market: OrderedDict[float, tuple[Names, MarketFit | None]] = OrderedDict()
        self._lock = threading.Lock()
        self._ahead: dict[str, object] = {}
        self._making: dict[tuple[int, Hashable], threading.Lock] = {}
        self._market_lock = threading.RLock()
        self._near: float | None = None
        self._stress: tuple[float, MarkovFit, float] | None = None

    def of_symbol(self, past: Past) -> SymbolFit:
        """Return the volatility model of a symbol.

        Raises
        ------
        NotEnoughDataError
            Fewer than 20 returns.
        """
        return self._made(_basis(past), self._call)

    def prepare(self, past: Past, others: Others) -> None:
        """Make the fits that will be in force in the next block, so that nobody waits for them then, nor for it now."""
        ahead = renewed_at(past, is_next=True)
        if ahead.closes.size > g.LEAST and self._is_new(past.symbol, _key(ahead)):
            self._aside(lambda call: self._prepare_symbol(ahead, call))
        ahead_of_all = renewed_at(past, REGIME_BARS, is_next=True)
        place = _last(ahead_of_all)
        if is_enough(ahead_of_all) and self._is_new("", place):
            pasts = _enough(others(), place)
            self._aside(lambda call: self._prepare_regimes(place, pasts, call))

    def _is_new(self, symbol: str, ahead: object) -> bool:
        """Take note of what is made ahead; return whether it is asked for the first time."""
        is_new = self._ahead.get(symbol) != ahead
        self._ahead[symbol] = ahead
        return is_new

    def _prepare_symbol(self, ahead: Past, call: Call) -> None:
        with contextlib.suppress(NotEnoughDataError):
            self._made(ahead, call)

    def _prepare_regimes(self, place: float, pasts: list[Past], call: Call) -> None:
        self._regimes_made(place, pasts, call)

    def _made(self, basis: Past, call: Call) -> SymbolFit:
        key = _key(basis)
        with self._lock:
            made = self._symbols.setdefault(basis.symbol, OrderedDict())
            start = _newest_before(made, key)
        return self._once(made, key, lambda: fit_symbol(basis, start, call))

    def _regimes_made(self, place: float, pasts: list[Past], call: Call) -> MarkovFit | None:
        return self._once(
            self._regimes, (place, _names(pasts)), lambda: fit_regimes([p.upto(place) for p in pasts], call)
        )  # fmt: skip

    def _once(self, made: OrderedDict[K, V], key: K, make: Callable[[], V]) -> V:
        """Return what is made once whoever asks; who asks for another one meanwhile does not wait."""
        with self._lock:
            if key in made:
                return made[key]
            one = self._making.setdefault((id(made), key), threading.Lock())
        with one:
            with self._lock:
                if key in made:
                    return made[key]
            try:
                value = make()
                with self._lock:
                    self._put(made, key, value)
            finally:
                with self._lock:
                    self._making.pop((id(made), key), None)
        return value

    def _put(self, kept: OrderedDict[K, V], place: K, value: V) -> None:
        kept[place] = value
        while len(kept) > self._n_kept:
            kept.popitem(last=False)

    def is_market_near(self, past: Past, others: Others, made: Callable[[], None]) -> bool:
        """Return whether `of_market` answers at once; otherwise have its parts made aside, and `made` called then."""
        place = _market_place(past)
        if place not in self._market and self._is_new("*", place):
            pasts = _enough(others(), place)
            if not self._has_parts(past.upto(place), pasts):
                self._near = None
                self._aside(lambda call: self._prepare_market(past.upto(place), pasts, call, made))
            else:
                self._near = place
        return place in self._market or self._near == place

    def _has_parts(self, past: Past, pasts: list[Past]) -> bool:
        with self._lock:
            has_fits = all(_key(_basis(p)) in self._symbols.get(p.symbol, ()) for p in pasts)
            return has_fits and (_regimes_place(past), _names(pasts)) in self._regimes

    def _prepare_market(
        self, past: Past, pasts: list[Past], call: Call, made: Callable[[], None]
    ) -> None:
        try:
            self._regimes_made(_regimes_place(past), pasts, call)
            for each in pasts:
                self._prepare_symbol(_basis(each), call)
        finally:
            self._near = _last(past)
            made()

    def of_market(self, past: Past, others: Others) -> MarketFit | None:
        """Return what all symbols did together, None where there are too few common bars."""
        place = _market_place(past)
        with self._market_lock:
            names, market = self._market.get(place, (frozenset[str](), None))
            if past.symbol not in names:  # also where a symbol has come aboard since
                pasts = _enough(others(), place)
                if place not in self._market or names != _names(pasts):
                    names = _names(pasts)
                    market = self._fit_market(past.upto(place), pasts)
                    self._put(self._market, place, (names, market))
            return market

    def _fit_market(self, past: Past, pasts: list[Past]) -> MarketFit | None:
        regimes = self._regimes_made(_regimes_place(past), pasts, self._call)
        found = common_returns(pasts)
        if regimes is None or found is None:
            return None
        symbols, r = found
        by_name = {each.symbol: each for each in pasts}
        shocks = [
            self._shocks(by_name[name], column) for name, column in zip(symbols, r.T, strict=True)
        ]
        mean = together(r)
        return MarketFit(
            symbols=symbols,
            rows=rows_correlated_as_today(np.column_stack(shocks)),
            stressed=regime_probabilities(mean, regimes).stressed > EVEN,
            regimes=regimes,
            unit=float(mean.std()),
        )

    def chance_of_stress(self, past: Past, others: Others, market: MarketFit) -> float:
        """Return the chance that the market's next bar is stressed, one for all symbols at the end of `past`.

        Bars of one moment come in one symbol after another, so it goes by the bars before the newest, which all have,
        and looks two bars ahead.
        """
        before = past.until(past.closes.size - 1)
        place, regimes = _last(before), market.regimes
        known = self._stress  # another thread may put another in its place
        if known is None or known[:2] != (place, regimes):
            pasts = [p.upto(place) for p in others() if p.symbol in market.symbols]
            found = common_returns(pasts, LEAST_TO_FILTER)
            if found is None:
                raise NotEnoughDataError(NO_MARKET)
            known = self._stress = (
                place, regimes, regime_probabilities(together(found[1]), regimes).next_stressed
            )  # fmt: skip
        newest = known[2]
        return newest * regimes.stressed_stay + (1.0 - newest) * (1.0 - regimes.calm_stay)

    def _shocks(self, past: Past, returns: FloatArray) -> FloatArray:
        try:
            fit = self.of_symbol(past).garch
        except NotEnoughDataError:  # it has moved only of late
            fit = g.ewma_fit(returns)
        return shock_pool(g.filter_variance(returns, fit).residuals)


def _here(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- the function's own
    return function(*args, **kwargs)


def _at_once(work: Callable[[Call], None]) -> None:
    work(_here)


def _basis(past: Past) -> Past:
    """Return what the fit of a symbol in force at the end of `past` is made of."""
    basis = renewed_at(past)
    return past if basis.closes.size <= max(g.LEAST, past.closes.size // 2) else basis


def _market_place(past: Past) -> float:
    """Return the last bar that the market's fit in force at the end of `past` is made of."""
    bases = (before_block(past, CORRELATION_BARS), past)
    return _last(next((b for b in bases if is_enough(b)), past))


def _regimes_place(past: Past) -> float:
    bases = (renewed_at(past, REGIME_BARS), renewed_at(past))
    return _last(next((b for b in bases if b is not past and is_enough(b)), past))


def _enough(pasts: Iterable[Past], place: float) -> list[Past]:
    return [p for p in (each.upto(place) for each in pasts) if is_enough(p)]


def _names(pasts: Iterable[Past]) -> Names:
    return frozenset(each.symbol for each in pasts)


def _key(basis: Past) -> Key:
    return _last(basis), hash(basis.recent.tobytes())


def _last(past: Past) -> float:
    return float(past.places[-1]) if past.places.size else 0.0


def _newest_before(made: OrderedDict[Key, SymbolFit], key: Key) -> g.GarchFit | None:
    """Return the newest kept fit of earlier bars: even where a search begins must not come from later ones."""
    earlier = [each for each in made if each[0] < key[0]]
    return made[max(earlier, key=itemgetter(0))].garch if earlier else None
