"""Events in, sections out: the one place where facts become what may be seen.

The same events always fold to the same sections. A checkpoint is the folds' memory after one event; restoring it and
folding the rest gives what folding everything would have given (bars apart, which the feed's history brings back).
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from engine.core.projection.analysis import CycleFold, ForecastFold, MarkersFold, RiskFold
from engine.core.projection.crew import AgentsFold, AlertsFold, AnswersFold, EngineFold, TradingFold
from engine.core.projection.fold import BarsOf, Fold, Route
from engine.core.projection.log import LogFold
from engine.core.projection.market import BarsFold, FeedFold, QuotesFold
from engine.core.projection.order_way import OrderWayFold
from engine.core.projection.portfolio import PortfolioFold
from engine.core.projection.report_card import CardFold
from engine.core.projection.strategies import StrategiesFold
from engine.core.projection.var_backtest import BacktestFold
from engine.domain.errors import InvalidValueError, UnknownNameError
from engine.domain.events import Event, EventType
from engine.domain.market import FeedState
from engine.domain.payload import Payload, decode
from engine.domain.sections import BUDGET_S, Stamp, section_type
from engine.domain.trading import Account

BAR_SLACK = 1.5
"""What changes once per bar is fresh for so many bars' time."""
_PER_BAR = ("bars", "forecast", "card", "risk", "backtest", "cycle", "portfolio", "strategies")
_ITSELF = "projection"

log = logging.getLogger(__name__)


class Projection:
    """Folds events into sections.

    Parameters
    ----------
    bars_of : callable, optional
        Gives the closed bars of a symbol when HISTORY_LOADED says that they are there.
    account : Account, optional
        The account of a fresh run.

    Notes
    -----
    One tick costs some ten microseconds: folds keep mutable memory and freeze values when somebody asks for them.
    """

    def __init__(self, bars_of: BarsOf | None = None, account: Account | None = None) -> None:
        self._bars_of, self._initial = bars_of or _no_bars, account or Account()
        self.seq = 0
        """`seq` of the last event folded."""
        self._build()

    def _build(self) -> None:
        bars = self._bars_of
        self._feed = FeedFold()
        risk, portfolio = RiskFold(), PortfolioFold(self._initial)
        trading = TradingFold(portfolio, risk)
        self._folds: tuple[Fold, ...] = (
            EngineFold(), self._feed, QuotesFold(bars), BarsFold(bars), ForecastFold(), CardFold(), risk,
            BacktestFold(), CycleFold(), MarkersFold(), portfolio, StrategiesFold(), AgentsFold(), AlertsFold(),
            trading, AnswersFold(), LogFold(), OrderWayFold(),
        )  # fmt: skip
        kinds = (
            ("engine",), ("feed", "instruments"), ("quotes",), ("bars",), ("forecast",), ("card",), ("risk",),
            ("backtest",), ("cycle",), ("markers",), ("portfolio",), ("strategies",), ("agents",), ("alerts",),
            ("trading",), ("answers",), ("log",), ("order_way",),
        )  # fmt: skip
        self._by_kind = {k: f for f, ks in zip(self._folds, kinds, strict=True) for k in ks}
        self._routes: dict[EventType, list[Route]] = {kind: [] for kind in EventType}
        for fold in self._folds:
            for kind, route in fold.routes().items():
                self._routes[kind].append(route)
        self._times: dict[str, tuple[datetime | None, datetime | None]] = {}
        self._run_id: str | None = None
        self._skipped = 0

    @property
    def skipped(self) -> int:
        """How many events a fold could not read (each is logged)."""
        return self._skipped

    @property
    def feed_told(self) -> FeedState | None:
        """Where the feed last said that it stands, which a restart resumes from; the section runs with the ticks."""
        return self._feed.told

    @property
    def feed_heard(self) -> datetime | None:
        """Market time of the newest tick since then, or None."""
        return self._feed.heard

    def apply(self, event: Event) -> set[str]:
        """Fold one event and return the names of the sections that changed."""
        changed: set[str] = set()
        if event.event_type in _MAY_START_A_RUN:
            changed |= self._new_run(event)
        for route in self._routes[event.event_type]:
            try:
                changed.update(route(event))
            except (InvalidValueError, KeyError, TypeError, ValueError, AttributeError) as error:
                self._skipped += 1
                log.warning("event %d %s not shown: %s", event.seq, event.event_type.value, error)
        stamp = (event.as_of, event.computed_at)
        for name in changed:
            self._times[name] = stamp
        self.seq = max(self.seq, event.seq)
        return changed

    def names(self) -> tuple[str, ...]:
        """Return the sections that exist, sorted."""
        return tuple(sorted(name for fold in self._folds for name in fold.names()))

    def value(self, name: str) -> Payload | None:
        """Return a section's frozen value, or None while it is unknown.

        Raises
        ------
        UnknownNameError
            No section has this name.
        """
        return self._fold_of(name).value(name)

    def stamp(self, name: str, version: int) -> Stamp:
        """Return the stamp that a section's present value gets under a version."""
        as_of, computed_at = self._times.get(name, (None, None))
        return Stamp(
            version=version, as_of=as_of, budget_s=self._budget(name),
            computed_at=0.0 if computed_at is None else computed_at.timestamp(),
        )  # fmt: skip

    def seed(self, name: str, value: Payload, at: datetime | None = None) -> set[str]:
        """Take what no event says: instruments, the crew's rows, strategies' titles, limits, the engine's state.

        What events said stays: states, weights that somebody changed, counts. `at` is the wall time of receipt.
        """
        changed = set(self._fold_of(name).seed(value))
        for each in changed:
            self._times[each] = (self._times.get(each, (None, None))[0], at)
        return changed

    # -- checkpoints ---------------------------------------------------------------------------------------------

    def checkpoint(self) -> dict[str, object]:
        """Return what a restart needs, frozen or copied, so that another thread may encode it."""
        itself = {"run_id": self._run_id, "seq": self.seq, "times": dict(self._times)}
        return {_ITSELF: itself} | {fold.key: fold.kept() for fold in self._folds if fold.key}

    def restore(self, kept: Mapping[str, bytes]) -> None:
        """Continue from a checkpoint, each part as the JSON of what `checkpoint` gave.

        Raises
        ------
        InvalidValueError
            It was written by another version of this program; this projection is empty again.
        """
        try:
            itself = msgspec.json.decode(kept[_ITSELF], type=_Itself, strict=False)
            for fold in self._folds:
                if fold.key:
                    fold.restore(decode(kept[fold.key]))
        except (KeyError, InvalidValueError, msgspec.DecodeError) as error:
            self._build()
            raise InvalidValueError(
                f"checkpoint must match this program, was not: {error}; fold the journal from its start"
            ) from error
        self._run_id, self.seq, self._times = itself.run_id, itself.seq, itself.times

    # -- inside --------------------------------------------------------------------------------------------------

    def _new_run(self, event: Event) -> set[str]:
        """Reset what belongs to a run when another begins."""
        run_id = event.data.get("run_id")
        before, self._run_id = self._run_id, run_id or self._run_id
        if run_id is None or before is None or run_id == before:
            return set()
        at = event.as_of
        if event.event_type is EventType.FEED_CHANGED:
            at = FeedState.from_data(event.data).market_time
        return {name for fold in self._folds for name in fold.reset(at)}

    def _fold_of(self, name: str) -> Fold:
        kind = name.partition(":")[0]
        fold = self._by_kind.get(kind)
        if fold is None:
            section_type(name)
            raise UnknownNameError(f"section must be folded, was {name!r}; correct the name")
        return fold

    def _budget(self, name: str) -> float | None:
        kind = name.partition(":")[0]
        bar_s = self._feed.bar_seconds
        if kind in _PER_BAR and bar_s is not None:
            return max(BUDGET_S["quotes"] or 0.0, BAR_SLACK * bar_s)
        return BUDGET_S[kind]


_MAY_START_A_RUN = (EventType.FEED_CHANGED, EventType.RUN_STARTED)


class _Itself(msgspec.Struct):
    """The projection's own part of a checkpoint."""

    run_id: str | None
    seq: int
    times: dict[str, tuple[datetime | None, datetime | None]]


def _no_bars(_symbol: str) -> Any:  # noqa: ANN401 -- None, for want of a source
    return None
