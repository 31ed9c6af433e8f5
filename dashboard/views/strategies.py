"""What the Strategies page says: weights in force and proposed, what votes came to, how everybody votes, what changed.

Weights are whole percents on this page; they always sum to 100.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from engine.domain.sections import InstrumentsSection, Snapshot, StrategiesSection, WeightsChange

WHOLE = 100
MIN_SAMPLE = 20


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
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VotesView:
    """Votes by strategy (rows) and symbol (columns), −1 to +1; None where it has not voted."""

    symbols: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One applied change in words; `when` is market time."""

    title: str
    detail: str
    when: str
    is_in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalView:
    """What Apply would do: the lines of the bar, or why there is nothing to apply."""

    n_changes: int
    lines: tuple[tuple[str, int, int], ...]
    """(title, current, proposed) of each weight that changes."""
    locked: int
    words: str


def shares(section: StrategiesSection) -> dict[str, int]:
    """Return the weights in force as whole percents that sum to 100."""
    return _shares({row.name: row.weight for row in section.rows})


def _shares(weights: Mapping[str, float]) -> dict[str, int]:
    total = sum(weights.values())
    if not weights or total <= 0:
        return dict.fromkeys(weights, 0)
    rounded = fmt.round_to_sum([WHOLE * w / total for w in weights.values()], 0)
    return {name: int(value) for name, value in zip(weights, rounded, strict=True)}


def moved(
    proposal: Mapping[str, int], locks: Sequence[str], name: str, value: float | None
) -> dict[str, int]:
    """Return the proposal after one weight was set: the other unlocked ones move in proportion.

    Examples
    --------
    >>> moved({"a": 50, "b": 30, "c": 20}, [], "a", 75)
    {'a': 75, 'b': 15, 'c': 10}
    >>> moved({"a": 50, "b": 30, "c": 20}, ["b"], "a", 90)
    {'a': 70, 'b': 30, 'c': 0}
    >>> moved({"a": 100, "b": 0, "c": 0}, [], "a", 40)
    {'a': 40, 'b': 30, 'c': 30}
    """
    if name not in proposal or value is None or name in locks:
        return dict(proposal)
    free = [other for other in proposal if other != name and other not in locks]
    room = WHOLE - sum(proposal[other] for other in locks if other != name and other in proposal)
    own = room if not free else max(0, min(round(value), room))
    spread = sum(proposal[other] for other in free)
    left = room - own
    raw = [left * proposal[o] / spread if spread else left / len(free) for o in free]
    parts = dict(zip(free, fmt.round_to_sum(raw, 0), strict=True)) if free else {}
    return {o: own if o == name else int(parts.get(o, proposal[o])) for o in proposal}


def equal(proposal: Mapping[str, int], locks: Sequence[str]) -> dict[str, int]:
    """Return the proposal with all unlocked weights alike.

    Examples
    --------
    >>> equal({"a": 90, "b": 10, "c": 0}, [])
    {'a': 34, 'b': 33, 'c': 33}
    """
    free = [name for name in proposal if name not in locks]
    if not free:
        return dict(proposal)
    room = WHOLE - sum(value for name, value in proposal.items() if name in locks)
    parts = dict(zip(free, fmt.round_to_sum([room / len(free)] * len(free), 0), strict=True))
    return {name: int(parts.get(name, value)) for name, value in proposal.items()}


def rows_view(
    section: StrategiesSection, proposal: Mapping[str, int], locks: Sequence[str]
) -> tuple[RowView, ...]:
    """Return the rows in order of registration."""
    current = shares(section)
    views = []
    for row in section.rows:
        now, then = current[row.name], proposal.get(row.name, current[row.name])
        views.append(
            RowView(
                name=row.name,
                title=row.title,
                description=row.description,
                is_on=row.enabled,
                current=now,
                proposed=then,
                is_locked=row.name in locks,
                change=change_text(now, then),
                win_rate=fmt.share(row.wins / row.n) if row.n else fmt.UNKNOWN,
                sample=f"n = {row.n}" + ("" if row.n >= MIN_SAMPLE else ", few") * bool(row.n),
                win_tip=f"{row.wins} of {row.n} votes were followed by a close that moved their way",
                parameters=tuple((k.replace("_", " "), str(v)) for k, v in row.parameters.items()),
            )
        )
    return tuple(views)


def change_text(current: int, proposed: int) -> str:
    """Return the difference in points, 0 when there is none."""
    return fmt.points((proposed - current) / WHOLE) if proposed != current else "0"


def proposal_view(
    section: StrategiesSection, proposal: Mapping[str, int], locks: Sequence[str]
) -> ProposalView:
    """Return what Apply would do."""
    current = shares(section)
    lines = tuple(
        (row.title, current[row.name], proposal[row.name])
        for row in section.rows
        if proposal.get(row.name, current[row.name]) != current[row.name]
    )
    words = (
        "Takes effect with the next bar, can be undone." if lines else "Drag a weight or type one."
    )
    return ProposalView(n_changes=len(lines), lines=lines, locked=len(locks), words=words)


def history_view(section: StrategiesSection) -> tuple[ChangeView, ...]:
    """Return the applied changes, newest first."""
    titles = {row.name: row.title for row in section.rows}
    return tuple(
        _change(change, titles, place == 0) for place, change in enumerate(section.history)
    )


def _change(change: WeightsChange, titles: Mapping[str, str], is_newest: bool) -> ChangeView:
    after, before = _shares(change.weights), _shares(change.previous or change.weights)
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
        title=" / ".join(str(weight) for weight in after.values()),
        detail=", ".join((*moves, *switched)) or "no difference",
        when=f"{fmt.date(change.at)}, by {change.actor}" if change.at else f"by {change.actor}",
        is_in_force=is_newest,
    )


def votes_view(snapshot: Snapshot) -> VotesView:
    """Return how every strategy voted on the last closed bar of every symbol."""
    section = snapshot.value("strategies") or StrategiesSection()
    instruments = snapshot.value("instruments") or InstrumentsSection()
    symbols = tuple(i.symbol for i in instruments.instruments)
    return VotesView(
        symbols=symbols,
        rows=tuple((row.title, tuple(row.votes.get(s) for s in symbols)) for row in section.rows),
    )
