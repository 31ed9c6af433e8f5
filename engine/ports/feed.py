"""Where prices come from: a feed is polled with the monotonic time and answers with the ticks that are due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from engine.domain.instrument import Instrument
from engine.domain.market import BarColumns, FeedState, Tick


class Feed(Protocol):
    """A source of ticks. Ticks come out in market-time order; of one time, in order of the instruments."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What this feed knows, in watchlist order."""
        ...

    @property
    def state(self) -> FeedState:
        """Where it stands; restoring this state resumes from here."""
        ...

    def fingerprint(self) -> str:
        """Return a short hash of the data (or of the model and its seed)."""
        ...

    def history(self, symbol: str) -> BarColumns:
        """Return the closed bars of a symbol before the present market time, oldest first."""
        ...

    def poll(self, now_s: float) -> Sequence[Tick]:
        """Return the ticks that became due since the last call; `now_s` is the clock's monotonic time.

        The first call after construction, restore, resume or jump sets the origin and may return nothing.
        However late the call, no tick is lost and none comes twice.
        """
        ...

    def restore(self, state: FeedState, heard: datetime | None = None) -> None:
        """Continue from a state of an earlier process; ticks before the market time `heard` were told since it."""
        ...


@runtime_checkable
class Controllable(Protocol):
    """A feed whose time a person may steer (replay; the synthetic feed's pause and speed)."""

    def set_speed(self, bars_per_minute: float) -> None:
        """Play so many bars a minute from now on."""
        ...

    def pause(self) -> None:
        """Hold market time."""
        ...

    def resume(self) -> None:
        """Let market time run on."""
        ...

    def step(self) -> None:
        """At the next poll, give the rest of the present bar at once, then stay paused."""
        ...

    def jump(self, to: datetime) -> None:
        """Go to the last close at or before `to`; a jump back changes the state's `run_id`.

        Raises
        ------
        FeedError
            `to` lies outside what the feed can show; the message gives the range.
        """
        ...
