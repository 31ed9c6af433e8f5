"""What the Strategies page says: weights, what votes came to, how everybody votes, what changed.

Weights are whole percents on this page; they always sum to 100.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from dashboard import formatting as fmt
from dashboard.views.intervals import wilson
from dashboard.views.lateness import bars_behind, behind_words
from dashboard.views.proposals import WHOLE, Proposal
from engine.domain.instrument import Instrument
from engine.domain.sections import (
    BarsSection,
    CycleSection,
    InstrumentsSection,
    Snapshot,
    StrategiesSection,
    StrategyRow,
    WeightsChange,
)
from engine.domain.signals import CycleRecord

EVEN = 0.5
KEPT_WORDS = "Not applied, kept in this tab."
_STEP = 0.05
_SHORT_WORDS = {"ma": "MA", "rsi": "RSI", "mc": "MC"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One strategy; `proposed` differs from `current` while a proposal is open."""

    name: str
    title: str
    description: str
    is_on: bool
    current: int
    proposed: int
    is_locked: bool
    change: str
    win_rate: str
    sample: str
    win_tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """How often a strategy's votes were right; places are shares of the axis, None below 20 votes."""

    name: str
    title: str
    rate: str
    sample: str
    interval: str
    low_at: float | None
    rate_at: float | None
    high_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsView:
    """All records on one axis around 50%, with what follows from them."""

    rows: tuple[RecordView, ...]
    axis: tuple[str, str, str]
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BallotView:
    """One symbol on its last closed bar: votes by strategy, the score as decided, the score with the proposal."""

    symbol: str
    votes: tuple[float | None, ...]
    score: float | None
    proposed: float | None
    action: str
    proposed_action: str
    behind: int = 0
    """Bars that closed since without a vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One applied change in words; `when` is market time."""

    title: str
    detail: str
    when: str
    is_in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyView:
    """What Apply would do, or why there is nothing to apply."""

    lines: tuple[tuple[str, int, int], ...]
    """(title, in force, proposed) of each weight that changes."""
    label: str
    words: str
    tone: str
    is_ready: bool


def shares(section: StrategiesSection) -> dict[str, int]:
    """Return the weights in force as whole percents that sum to 100."""
    return whole_percents({row.name: row.weight for row in section.rows})


def whole_percents(weights: Mapping[str, float]) -> dict[str, int]:
    """Return weights of any scale as whole percents that sum to 100; all zero where nothing weighs.

    Examples
    --------
    >>> whole_percents({"a": 1.0, "b": 1.0, "c": 1.0})
    {'a': 34, 'b': 33, 'c': 33}
    """
    total = sum(weights.values())
    if not weights or total <= 0:
        return dict.fromkeys(weights, 0)
    rounded = fmt.round_to_sum([WHOLE * w / total for w in weights.values()], 0)
    return {name: int(value) for name, value in zip(weights, rounded, strict=True)}


def rows_view(section: StrategiesSection, proposal: Proposal) -> tuple[RowView, ...]:
    """Return the rows in order of registration."""
    return tuple(_row(row, proposal) for row in section.rows)


def _row(row: StrategyRow, proposal: Proposal) -> RowView:
    now, then = proposal.current.get(row.name, 0), proposal.weights.get(row.name, 0)
    return RowView(
        name=row.name,
        title=row.title,
        description=row.description,
        is_on=row.enabled,
        current=now,
        proposed=then,
        is_locked=row.name in proposal.locks,
        change=change_text(now, then),
        win_rate=fmt.share(row.wins / row.n) if row.n else fmt.UNKNOWN,
        sample=f"n = {fmt.count(row.n)}",
        win_tip=_win_tip(row),
    )


def _win_tip(row: StrategyRow) -> str:
    if not row.n:
        return "No vote was followed by a close yet."
    return f"{fmt.count(row.wins)} of {fmt.count(row.n)} votes were followed by a close that moved their way"


def change_text(current: int, proposed: int) -> str:
    """Return the difference in points, 0 when there is none."""
    return fmt.points((proposed - current) / WHOLE)


def parameters_view(
    section: StrategiesSection,
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return (title, (name, value) of each parameter) by strategy."""
    return tuple(
        (row.title, tuple((_words(k), _value(v)) for k, v in row.parameters.items()))
        for row in section.rows
    )


def _words(name: str) -> str:
    words = [_SHORT_WORDS.get(word, word) for word in name.split("_")]
    return words[0][:1].upper() + " ".join(words)[1:]


def _value(value: float | bool | str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value
    return fmt.number(value, fmt.decimals_of(Decimal(str(value))))


def records_view(section: StrategiesSection) -> RecordsView:
    """Return how often each strategy's votes were right, with intervals on an axis around 50%."""
    judged = {r.name: _bounds(r) for r in section.rows if r.by_bar.n_bars >= fmt.MIN_SAMPLE}
    far = max((abs(b - EVEN) for bounds in judged.values() for b in bounds), default=_STEP)
    half = min(EVEN, math.ceil(far / _STEP - 1e-9) * _STEP)
    rows = tuple(_record(row, judged.get(row.name), half) for row in section.rows)
    ends = (fmt.percent(EVEN - half, 0), fmt.percent(EVEN, 0), fmt.percent(EVEN + half, 0))
    return RecordsView(rows=rows, axis=ends, verdict=_verdict(section, judged))


def _bounds(row: StrategyRow) -> tuple[float, float]:
    worth = row.by_bar.worth(row.wins, row.n)
    return wilson(worth * row.wins / row.n, worth)


def _bars_words(row: StrategyRow) -> str:
    n_bars = row.by_bar.n_bars
    words = fmt.plural(n_bars, "bar")
    return (
        f"n = {fmt.count(row.n)} in {words}"
        if n_bars >= fmt.MIN_SAMPLE
        else f"{words}, not enough yet"
    )


def _record(row: StrategyRow, bounds: tuple[float, float] | None, half: float) -> RecordView:
    def place(rate: float) -> float:
        return min(1.0, max(0.0, (rate - EVEN + half) / (2 * half)))

    low, high = bounds if bounds is not None else (None, None)
    return RecordView(
        name=row.name,
        title=row.title,
        rate=fmt.share(row.wins / row.n) if row.n else fmt.UNKNOWN,
        sample=_bars_words(row) if row.n else "n = 0",
        interval="" if low is None else fmt.span(low, high, fmt.share),
        low_at=None if low is None else place(low),
        rate_at=None if low is None else place(row.wins / row.n),
        high_at=None if high is None else place(high),
    )


def _verdict(section: StrategiesSection, judged: Mapping[str, tuple[float, float]]) -> str:
    titles = {row.name: row.title for row in section.rows}
    above = [titles[name] for name, (low, _) in judged.items() if low > EVEN]
    below = [titles[name] for name, (_, high) in judged.items() if high < EVEN]
    if not judged:
        return f"No verdict yet, {fmt.MIN_SAMPLE} judged bars are needed."
    parts = []
    if above:
        parts.append(f"Right more often than not: {', '.join(above)}.")
    if below:
        parts.append(f"Wrong more often than right: {', '.join(below)}.")
    if len(above) + len(below) < len(judged):
        parts.append("An interval that holds 50% shows no edge.")
    return " ".join(parts)


def ballots_view(snapshot: Snapshot, proposal: Proposal) -> tuple[BallotView, ...]:
    """Return how everybody voted on the last closed bar of every symbol, and what the proposal would make of it."""
    section: StrategiesSection = snapshot.value("strategies") or StrategiesSection()
    instruments: InstrumentsSection = snapshot.value("instruments") or InstrumentsSection()
    return tuple(_ballot(snapshot, section, i, proposal) for i in instruments.instruments)


def _ballot(
    snapshot: Snapshot, section: StrategiesSection, item: Instrument, proposal: Proposal
) -> BallotView:
    cycle: CycleSection | None = snapshot.value(f"cycle:{item.symbol}")
    record = cycle.record if cycle is not None else None
    score = None if record is None else record.score
    proposed = None if record is None else proposed_score(record, proposal.weights)
    threshold = record.threshold if record is not None else section.threshold
    return BallotView(
        symbol=item.symbol,
        behind=0 if record is None else bars_behind(snapshot, record),
        votes=tuple(row.votes.get(item.symbol) for row in section.rows),
        score=score,
        proposed=proposed,
        action=_action(score, threshold) if item.is_tradable else "",
        proposed_action=_action(proposed, threshold) if item.is_tradable else "",
    )


def proposed_score(record: CycleRecord, weights: Mapping[str, float]) -> float:
    """Return the score that the recorded votes make with other weights, regime factors as they were.

    Strategies that did not vote share nothing, as in the engine.
    """
    voted = [vote for vote in record.votes if vote.error is None]
    total = math.fsum(weights.get(vote.algorithm, 0) for vote in voted)
    if total <= 0:
        return 0.0
    return math.fsum(
        vote.vote * (weights.get(vote.algorithm, 0) / total) * vote.regime_factor for vote in voted
    )


def _action(score: float | None, threshold: float) -> str:
    if score is None or abs(score) <= threshold:
        return "" if score is None else "HOLD"
    return "BUY" if score > 0 else "SELL"


def newest_close(snapshot: Snapshot) -> int:
    """Return the market time of the newest closed bar in epoch seconds, 0 before the first."""
    columns = [
        s.value.columns for s in snapshot.sections.values() if isinstance(s.value, BarsSection)
    ]
    return max((c.closes_at[-1] for c in columns if c.closes_at), default=0)


def ballot_words(ballots: tuple[BallotView, ...], proposal: Proposal) -> str:
    """Return how many decisions of the last bar the proposal would have changed, or that there was none."""
    if behind := [b.behind for b in ballots if b.behind]:
        n = fmt.plural(len(behind), "symbol")
        return f"No vote on the newest bar of {n}: the votes in grey are up to {behind_words(max(behind))}."
    if not proposal.is_open:
        return "Set a weight to see the scores it would have made."
    changed = [b.symbol for b in ballots if b.score is not None and b.action != b.proposed_action]
    if not changed:
        return "The proposal changes no decision of the last bar."
    return f"The proposal changes {fmt.plural(len(changed), 'decision')} of the last bar: {', '.join(changed)}."


def apply_view(section: StrategiesSection, proposal: Proposal) -> ApplyView:
    """Return what Apply would do."""
    titles = {row.name: row.title for row in section.rows}
    lines = tuple((titles.get(name, name), now, then) for name, now, then in proposal.changes)
    words, tone = _apply_words(proposal)
    return ApplyView(
        lines=lines,
        label=f"Apply {fmt.plural(len(lines), 'change')}" if lines else "Apply",
        words=words,
        tone=tone,
        is_ready=bool(lines) and not proposal.is_sent,
    )


def _apply_words(proposal: Proposal) -> tuple[str, str]:
    if proposal.problem:
        return proposal.problem, "crit"
    if not proposal.is_open:
        return "Drag a weight, type one, or press Equalise.", ""
    if proposal.is_sent:
        return "Sent. In force with the next bar.", ""
    if proposal.is_overtaken:
        return f"Weights changed elsewhere: the tick moved. {KEPT_WORDS}", "warn"
    return f"{KEPT_WORDS} Takes effect with the next bar, can be undone.", ""


def history_view(section: StrategiesSection) -> tuple[ChangeView, ...]:
    """Return the applied changes, newest first, down to the weights of the start."""
    titles = {row.name: row.title for row in section.rows}
    changes = [_change(c, titles, place == 0) for place, c in enumerate(section.history)]
    oldest = section.history[-1].previous if section.history else {}
    first = _ordered(oldest, titles) if oldest else shares(section)
    if not section.history or oldest:
        changes.append(
            ChangeView(
                title=_weights_text(first),
                detail="start of the run",
                when="",
                is_in_force=not section.history,
            )
        )
    return tuple(changes)


def _ordered(weights: Mapping[str, float], titles: Mapping[str, str]) -> dict[str, int]:
    """Return whole percents in order of registration: a journalled change is in order of names."""
    known = [name for name in titles if name in weights]
    rest = [name for name in weights if name not in titles]
    return whole_percents({name: weights[name] for name in (*known, *rest)})


def _weights_text(weights: Mapping[str, int]) -> str:
    return " / ".join(str(weight) for weight in weights.values())


def _change(change: WeightsChange, titles: Mapping[str, str], is_newest: bool) -> ChangeView:
    after = _ordered(change.weights, titles)
    before = _ordered(change.previous or change.weights, titles)
    moves = [
        f"{titles.get(n, n)} {before.get(n, 0)} → {w}"
        for n, w in after.items()
        if before.get(n) != w
    ]
    switched = [
        f"{titles.get(name, name)} {'on' if on else 'off'}"
        for name, on in change.enabled.items()
        if change.previous_enabled.get(name, True) != on
    ]
    return ChangeView(
        title=_weights_text(after),
        detail=", ".join((*moves, *switched)) or "no difference",
        when=f"{fmt.date(change.at)}, by {change.actor}" if change.at else f"by {change.actor}",
        is_in_force=is_newest,
    )
