"""A market for tests of agents: a state that holds bars, and the events a market data agent would publish of them."""

from datetime import UTC, datetime, timedelta

import numpy as np

from engine.core.state_manager import StateManager
from engine.domain.events import Event, EventType
from engine.domain.market import Bar, BarColumns, HistoryLoaded, Tick

FIRST = datetime(2007, 1, 3, 21, tzinfo=UTC)


def closes(n=120, seed=1) -> list[float]:
    return (100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.003, n)))).tolist()


class Market:
    """A state that holds bars, and the events that a market data agent would publish of them."""

    def __init__(self, n=120, symbol="AAPL", seed=1, state=None) -> None:
        self.state = state or StateManager()
        self.symbol = symbol
        self.prices = closes(n, seed)
        self._store()

    def _store(self) -> None:
        n = len(self.prices)
        times = tuple(int((FIRST + timedelta(days=i)).timestamp()) for i in range(n))
        columns = BarColumns(symbol=self.symbol, close=tuple(self.prices), closes_at=times)
        self.state.set(f"bars:{self.symbol}", columns.to_data())

    @property
    def last_close_at(self) -> datetime:
        return FIRST + timedelta(days=len(self.prices) - 1)

    def loaded(self) -> Event:
        data = HistoryLoaded(symbol=self.symbol, n_bars=len(self.prices)).to_data()
        return Event(EventType.HISTORY_LOADED, data, as_of=self.last_close_at)

    def close(self, price: float) -> Event:
        self.prices.append(price)
        self._store()
        return self.tick(price, self.last_close_at, is_closed=True)

    def tick(self, price: float, closes_at: datetime | None = None, *, is_closed=False) -> Event:
        at = closes_at or self.last_close_at + timedelta(days=1)
        bar = Bar(
            symbol=self.symbol,
            opens_at=at - timedelta(hours=6),
            closes_at=at,
            close=price,
            is_closed=is_closed,
        )
        as_of = at if is_closed else at - timedelta(hours=3)
        tick = Tick(symbol=self.symbol, price=price, as_of=as_of, bar=bar)
        return Event(EventType.MARKET_DATA, tick.to_data(), as_of=as_of)
