"""The replay bar: what a person may do to the time of a feed, and how far it has come."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from dashboard import formatting as fmt
from engine.domain.market import FeedState
from engine.domain.sections import FeedSection, PortfolioSection, Snapshot

SPEEDS = (1, 6, 12, 60)
"""Bars a minute."""
CLOSE_OF_DAY = time(23, 59, 59)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayView:
    """Where a feed stands that can be steered.

    Parameters
    ----------
    progress : float or None
        Share of the bars played, 0 to 1; None for an endless feed.
    jump_from, jump_to : str
        First and last day that one may jump to, ISO; empty where the feed can't jump.
    back_ends, back_starts : str
        What a jump back ends, and what starts in its place.
    """

    is_paused: bool
    is_ended: bool
    speed: float
    progress: float | None
    day: str
    bar: str
    until: str
    iso_day: str
    jump_from: str
    jump_to: str
    back_ends: str = ""
    back_starts: str = ""

    @property
    def play_label(self) -> str:
        """What the button does next."""
        return "Play" if self.is_paused else "Pause"

    @property
    def play_command(self) -> str:
        """The command behind it."""
        return "ResumeReplay" if self.is_paused else "PauseReplay"

    def is_speed(self, speed: int) -> bool:
        """Return whether the feed runs at this speed."""
        return abs(self.speed - speed) < 1e-9  # noqa: PLR2004 -- float noise


STILL = ReplayView(
    is_paused=True, is_ended=False, speed=0.0, progress=0.0, day=fmt.UNKNOWN, bar="", until="", iso_day="",
    jump_from="", jump_to="",
)  # fmt: skip
"""What stands in place of a bar that can't be used: its controls are not shown."""


def replay_view(snapshot: Snapshot) -> ReplayView | None:
    """Return the bar's state; None for a feed that runs with the wall clock or is not known yet."""
    feed: FeedSection | None = snapshot.value("feed")
    portfolio: PortfolioSection | None = snapshot.value("portfolio")
    state = feed.state if feed else None
    if state is None or state.bars_per_minute is None:
        return None
    return ReplayView(
        is_paused=state.is_paused or state.is_ended,
        is_ended=state.is_ended,
        speed=state.bars_per_minute,
        progress=_progress(state),
        day=fmt.date(state.market_time),
        bar=_bar(state),
        until="Data ended"
        if state.is_ended
        else f"to {fmt.date(state.ends_at)}"
        if state.ends_at
        else "",
        iso_day=state.market_time.date().isoformat(),
        jump_from=_iso(state.starts_at) if state.ends_at else "",
        jump_to=_iso(state.ends_at) if state.starts_at else "",
        back_ends=_ends(state, portfolio),
        back_starts=_starts(portfolio),
    )


def _ends(state: FeedState, portfolio: PortfolioSection | None) -> str:
    if portfolio is None:
        return f"Ends {state.run_id} with its positions, fills and win rates."
    held = fmt.plural(len(portfolio.positions), "position")
    return (
        f"Ends {state.run_id}: {held} held, equity {fmt.money(portfolio.equity)}, "
        "all fills and win rates."
    )


def _starts(portfolio: PortfolioSection | None) -> str:
    cash = f" of {fmt.money(portfolio.account.initial_cash)}" if portfolio else ""
    return f"Starts a fresh paper account{cash} without positions."


def is_back(moment: datetime, view: ReplayView) -> bool:
    """Return whether a jump to the moment goes back, so that it ends this run."""
    return moment.date().isoformat() < view.iso_day


def _progress(state: FeedState) -> float | None:
    if not state.bars_total:
        return None
    return min(1.0, state.bars_done / state.bars_total)


def _bar(state: FeedState) -> str:
    done = f"bar {fmt.count(state.bars_done)}"
    return done if state.bars_total is None else f"{done} of {fmt.count(state.bars_total)}"


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()


def jump_moment(text: str, view: ReplayView) -> datetime:
    """Return the moment to jump to: the end of the day written.

    Raises
    ------
    ValueError
        It is no date, or the feed does not hold it; the words say what to enter.
    """
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"Enter a day such as {view.iso_day}") from None
    if not view.jump_from <= day.isoformat() <= view.jump_to:
        raise ValueError(f"Enter a day from {view.jump_from} to {view.jump_to}")
    return datetime.combine(day, CLOSE_OF_DAY, UTC)
