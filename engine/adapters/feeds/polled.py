"""A feed over functions that answer a price when asked, tried in order until one does.

It is asked from outside (`fetch`) because asking takes time; `poll` then gives what came in. A price stands for itself:
its ticks carry no bar, and each counts as one observation.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.domain.errors import FeedError
from engine.domain.instrument import Instrument
from engine.domain.market import BarColumns, FeedKind, FeedState, Tick

Quote = float | Mapping[str, Any]
"""A price, or ``{"price": ..., "volume": ...}``."""
Source = Callable[[str], Awaitable[Quote | None]]
"""Asked for a symbol; None means that it does not know this one."""

TIMEOUT_S = 10.0

log = logging.getLogger(__name__)


class PolledFeed:
    """Feed over `sources`.

    Parameters
    ----------
    sources : sequence of async callables
        ``symbol -> price`` or ``symbol -> {"price", "volume"}``, the preferred first.
    instruments : iterable of Instrument
        What to ask for.
    begins_at : datetime
        Market time until the first answer, UTC.
    timeout_s : float
        How long one source may take for one symbol.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        instruments: Iterable[Instrument],
        begins_at: datetime,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not sources:
            raise FeedError(
                "sources must hold one function at least; give one, or none for synthetic prices"
            )
        self._sources = tuple(sources)
        self._instruments = tuple(instruments)
        self._timeout_s = timeout_s
        self._waiting: list[Tick] = []
        self._market_time = begins_at
        self._outage = ""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What this feed asks for, in watchlist order."""
        return self._instruments

    @property
    def state(self) -> FeedState:
        """Where it stands; the label says when no source answers."""
        return FeedState(
            kind=FeedKind.POLLED,
            label=self._outage or "prices asked for",
            market_time=self._market_time,
        )

    def fingerprint(self) -> str:
        """Return a short hash of the symbols: what sources will say is not known beforehand."""
        return hashlib.sha256(repr(self._instruments).encode()).hexdigest()[:16]

    def history(self, symbol: str) -> BarColumns:
        """Return nothing: sources are asked for the present only."""
        if all(instrument.symbol != symbol for instrument in self._instruments):
            raise FeedError(
                f"symbol must be one of those asked for, was {symbol!r}; add it to symbols"
            )
        return BarColumns(symbol=symbol)

    async def fetch(self, now: Callable[[], datetime]) -> None:
        """Ask for every symbol, one after the other; `now` gives each answer its time.

        A symbol that no source answers for gives no tick; when none does, the state's label says so.
        """
        errors: list[str] = []
        n_heard = 0
        for instrument in self._instruments:
            quote = await self._ask(instrument.symbol, errors)
            if quote is not None:
                n_heard += 1
                self._hear(instrument.symbol, quote, now())
        is_silent = n_heard == 0 and bool(errors)
        self._outage = f"no source answers: {errors[-1]}" if is_silent else ""

    def poll(self, now_s: float) -> Sequence[Tick]:  # noqa: ARG002 -- prices come when they come
        """Return the prices that came in since the last call."""
        due, self._waiting = self._waiting, []
        return due

    def restore(self, state: FeedState, heard: datetime | None = None) -> None:
        """Go on from the time of an earlier process; prices of then are not asked for again."""
        if state.kind is not FeedKind.POLLED:
            raise FeedError(
                f"state must be of a POLLED feed, was {state.kind.value}; start a new run"
            )
        self._market_time = max(state.market_time, heard or state.market_time)

    async def _ask(self, symbol: str, errors: list[str]) -> Quote | None:
        for source in self._sources:
            try:
                quote = await asyncio.wait_for(source(symbol), self._timeout_s)
            except Exception as error:  # noqa: BLE001 -- the fence: a source is foreign code; the label tells
                errors.append(f"{type(error).__name__}: {error}".rstrip(": "))
            else:
                if quote is not None:
                    return quote
                errors.append(f"{symbol} is not known")
            log.info("source %s has no price of %s: %s", _name(source), symbol, errors[-1])
        return None

    def _hear(self, symbol: str, quote: Quote, at: datetime) -> None:
        if isinstance(quote, Mapping):
            price, volume = _number(quote.get("price")), _number(quote.get("volume"))
        else:
            price, volume = _number(quote), float("nan")
        self._market_time = max(self._market_time, at)
        self._waiting.append(
            Tick(symbol=symbol, price=price, as_of=at, volume=volume if volume >= 0 else None)
        )


def _number(value: object) -> float:
    """Return a number, NaN for what is none: the validator then counts it."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _name(source: object) -> str:
    return getattr(source, "__name__", type(source).__name__)
