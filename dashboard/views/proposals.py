"""The open proposal of strategy weights: what a person set, what is locked, what is in force meanwhile.

Weights are whole percents and always sum to 100. A proposal belongs to one browser tab, which keeps it while it is open
(`assets/deeds.js`), and travels as plain data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dashboard import formatting as fmt
from engine.domain.errors import InvalidValueError
from engine.domain.payload import Payload

WHOLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(Payload):
    """One tab's proposal.

    Parameters
    ----------
    weights : dict of str to int
        What is proposed, in order of registration.
    current : dict of str to int
        What is in force, as far as this tab has been told.
    locks : tuple of str
        Weights that other moves leave alone.
    base : dict of str to int
        The weights when the slider that moves now was taken up: a drag forth and back ends where it began.
    moving : str
        The strategy whose weight was set last.
    is_sent : bool
        It was sent and waits to come into force.
    command_id : str
        What it was sent as; the engine's refusal names it.
    is_overtaken : bool
        What is in force changed elsewhere while this proposal was open.
    problem : str
        Why the last input was not taken.
    taken : int
        Number of the last deed that it took.
    """

    weights: dict[str, int]
    current: dict[str, int]
    locks: tuple[str, ...] = ()
    base: dict[str, int] = field(default_factory=dict)
    moving: str = ""
    is_sent: bool = False
    command_id: str = ""
    is_overtaken: bool = False
    problem: str = ""
    taken: int = 0

    @property
    def is_open(self) -> bool:
        """Whether something differs from what is in force."""
        return self.weights != self.current

    @property
    def changes(self) -> tuple[tuple[str, int, int], ...]:
        """(name, in force, proposed) of each weight that differs."""
        return tuple(
            (name, self.current[name], weight)
            for name, weight in self.weights.items()
            if weight != self.current[name]
        )


def begin(current: Mapping[str, int]) -> Proposal:
    """Return a proposal that proposes what is in force."""
    return Proposal(weights=dict(current), current=dict(current))


def follow(proposal: Proposal, current: Mapping[str, int]) -> Proposal:
    """Return the proposal after the engine said what is in force.

    One that is closed, was sent, or asks for just this follows; an open one stays, and says that it was overtaken.
    """
    now = dict(current)
    if list(now) != list(proposal.weights):
        return begin(now)
    if now == proposal.current:
        return proposal
    is_followed = not proposal.is_open or proposal.is_sent or proposal.weights == now
    if is_followed:
        return replace(begin(now), locks=proposal.locks)
    return replace(proposal, current=now, is_overtaken=True, problem="")


def take_up(proposal: Proposal, kept: Mapping[str, Any]) -> Proposal:
    """Return the proposal that was kept while its page was away, after what is in force by now.

    What cannot be a proposal of ours is dropped.
    """
    try:
        former = Proposal.from_data(kept)
    except InvalidValueError:
        return proposal
    if any(list(each) != list(proposal.weights) for each in (former.weights, former.current)):
        return proposal
    return replace(follow(former, proposal.current), base={}, moving="", problem="")


def move(proposal: Proposal, name: str, value: float) -> Proposal:
    """Return the proposal with one weight set and the unlocked others moved in proportion."""
    if name not in proposal.weights or name in proposal.locks:
        return proposal
    base = proposal.base if proposal.moving == name else proposal.weights
    weights = moved(base, proposal.locks, name, value)
    return replace(
        proposal, weights=weights, base=dict(base), moving=name, is_sent=False, problem=""
    )


def step(proposal: Proposal, name: str, by: int) -> Proposal:
    """Return the proposal with one weight a few points up or down."""
    return move(proposal, name, proposal.weights.get(name, 0) + by)


def type_in(proposal: Proposal, name: str, text: object) -> Proposal:
    """Return the proposal with a weight as it was typed, or with what to type instead."""
    try:
        value = float(str(text).replace("%", "").replace(",", ".").strip())
    except ValueError:
        value = -1.0
    if not 0 <= value <= WHOLE:
        return replace(proposal, problem="Enter 0 to 100%.")
    return move(proposal, name, value)


def toggle_lock(proposal: Proposal, name: str) -> Proposal:
    """Return the proposal with one weight locked, or free again."""
    on = set(proposal.locks) ^ {name}
    locks = tuple(other for other in proposal.weights if other in on)
    return replace(proposal, locks=locks, moving="", problem="")


def equalise(proposal: Proposal) -> Proposal:
    """Return the proposal with all unlocked weights alike."""
    weights = equal(proposal.weights, proposal.locks)
    return replace(proposal, weights=weights, moving="", is_sent=False, problem="")


def discard(proposal: Proposal) -> Proposal:
    """Return the proposal closed again: it proposes what is in force; locks stay."""
    return replace(begin(proposal.current), locks=proposal.locks)


def send(proposal: Proposal, command_id: str = "") -> Proposal:
    """Return the proposal as sent: it closes when what it asks for comes into force."""
    return replace(proposal, is_sent=True, command_id=command_id, problem="")


def refuse(proposal: Proposal, command_id: str, words: str) -> Proposal:
    """Return the proposal open again when it is what the engine refused: nothing of it is lost."""
    if not proposal.is_sent or proposal.command_id != command_id:
        return proposal
    return replace(proposal, is_sent=False, command_id="", problem=words)


def moved(
    weights: Mapping[str, int], locks: Sequence[str], name: str, value: float
) -> dict[str, int]:
    """Return the weights after one was set: the other unlocked ones move in proportion.

    Examples
    --------
    >>> moved({"a": 50, "b": 30, "c": 20}, [], "a", 75)
    {'a': 75, 'b': 15, 'c': 10}
    >>> moved({"a": 50, "b": 30, "c": 20}, ["b"], "a", 90)
    {'a': 70, 'b': 30, 'c': 0}
    >>> moved({"a": 100, "b": 0, "c": 0}, [], "a", 40)
    {'a': 40, 'b': 30, 'c': 30}
    """
    free = [other for other in weights if other != name and other not in locks]
    room = WHOLE - sum(weights[other] for other in locks if other != name)
    own = max(0, min(round(value), room)) if free else room
    spread = sum(weights[other] for other in free)
    left = room - own
    raw = [left * weights[o] / spread if spread else left / len(free) for o in free]
    parts = dict(zip(free, fmt.round_to_sum(raw, 0), strict=True))
    return {o: own if o == name else int(parts.get(o, weights[o])) for o in weights}


def equal(weights: Mapping[str, int], locks: Sequence[str]) -> dict[str, int]:
    """Return the weights with all unlocked ones alike.

    Examples
    --------
    >>> equal({"a": 90, "b": 10, "c": 0}, [])
    {'a': 34, 'b': 33, 'c': 33}
    """
    free = [name for name in weights if name not in locks]
    if not free:
        return dict(weights)
    room = WHOLE - sum(value for name, value in weights.items() if name in locks)
    parts = dict(zip(free, fmt.round_to_sum([room / len(free)] * len(free), 0), strict=True))
    return {name: int(parts.get(name, value)) for name, value in weights.items()}
