"""Prices: the bar, the tick, the state of a feed and what the feed did with time.

Times are UTC and aware. Prices are floats in observations and Decimals in orders and fills.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from engine.domain.payload import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar(Payload):
    """One bar; of a close-only instrument `open`, `high`, `low` and `volume` are None.

    Parameters
    ----------
    opens_at, closes_at : datetime
        First and last moment of the bar, UTC.
    is_closed : bool
        False while it is still forming: then it must not be used as a closed one.
    """

    symbol: str
    opens_at: datetime
    closes_at: datetime
    close: float
    open: float | None = None
    high: float | None = None
    low: float | None = None
    volume: float | None = None
    is_closed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(Payload):
    """One price of one instrument: the payload of MARKET_DATA.

    `bar` is the bar it belongs to, as known at this tick; a tick without a bar counts as one observation.
    """

    symbol: str
    price: float
    as_of: datetime
    volume: float | None = None
    bar: Bar | None = None
    schema: int = 1


class FeedKind(Enum):
    """Where prices come from; shown on every screen."""

    REPLAY = "REPLAY"
    SYNTHETIC = "SYNTHETIC"
    POLLED = "POLLED"
    LIVE = "LIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState(Payload):
    """Where a feed stands: the payload of FEED_CHANGED, and what a restart resumes from.

    Parameters
    ----------
    label : str
        Words for the status bar after the kind, for example "daily bars".
    market_time : datetime
        Market time reached, UTC.
    bars_done, bars_total : int or None
        Bars played since the start of this run and bars there are; total None for an endless feed.
    bars_per_minute : float or None
        Replay speed; None where speed means nothing.
    is_paused, is_ended : bool
        Paused by a person; ended because the data ended (it is paused then as well).
    run_id : str
        A jump back starts a new run with a fresh paper account.
    starts_at, ends_at : datetime or None
        First and last moment that the feed can show.
    cursor : dict
        The feed's own place, opaque to everybody else.
    waits_for : str
        What market time waits for, such as "kernels are being compiled"; empty when it runs.
    """

    kind: FeedKind
    label: str
    market_time: datetime
    bars_done: int = 0
    bars_total: int | None = None
    bars_per_minute: float | None = None
    is_paused: bool = False
    is_ended: bool = False
    run_id: str = "run-1"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    cursor: dict[str, int] | None = None
    waits_for: str = ""
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLoaded(Payload):
    """Closed bars of one symbol before trading starts stand in the state under ``bars:<SYMBOL>``.

    `last_close` is the newest of them, `day_before` the last one of an earlier UTC date: what a position was worth when
    the day of the newest one began.
    """

    symbol: str
    n_bars: int
    first_close_at: datetime | None = None
    last_close_at: datetime | None = None
    last_close: float | None = None
    day_before: float | None = None
    schema: int = 1


class DropReason(Enum):
    """Why the validator did not pass a tick on."""

    NOT_FINITE = "not finite"
    NOT_POSITIVE = "not positive"
    IMPLAUSIBLE = "implausible"
    HELD = "held for confirmation"
    OUT_OF_ORDER = "out of order"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TickDropped(Payload):
    """The validator dropped or holds a tick; `price` is text because it may be no number."""

    symbol: str
    price: str
    reason: DropReason
    count: int
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BarColumns(Payload):
    """Closed bars of one symbol as columns of equal length, oldest first.

    ``closes_at`` is in epoch seconds; None stands for a column value that the source does not give.
    """

    symbol: str
    closes_at: tuple[int, ...] = ()
    open: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    close: tuple[float, ...] = ()
    volume: tuple[float | None, ...] = ()
    schema: int = 1

    def n_after(self, moment: datetime) -> int:
        """Return how many of the bars closed after a moment."""
        return len(self.closes_at) - bisect_right(self.closes_at, moment.timestamp())
