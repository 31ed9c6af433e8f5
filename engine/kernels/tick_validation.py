"""Which ticks to believe. The impossible is dropped; the improbable is held until a second tick confirms it.

One function of what is remembered of a symbol and one new price; memory goes in and comes out, nothing is kept here.
"""

import math
from dataclasses import dataclass
from datetime import datetime

from engine.domain.market import DropReason

MAX_JUMP = 0.3
"""A change of this fraction of the last believed price, or more, needs a second witness."""
CONFIRMATION = 0.1
"""How near (as a fraction) the second witness must come to the first."""
MAX_PRICE = 1e9
"""A price beyond this needs a second witness even as the first of its symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickMemory:
    """What is remembered of one symbol.

    Parameters
    ----------
    price : float or None
        Last believed price.
    at : datetime or None
        Time of the newest tick seen, believed or held.
    held : float or None
        A price that waits for confirmation.
    """

    price: float | None = None
    at: datetime | None = None
    held: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a tick.

    Parameters
    ----------
    memory : TickMemory
        What to remember from now on.
    is_accepted : bool
        Whether the tick goes on.
    is_flagged : bool
        Accepted from a trusted file although improbable.
    dropped : tuple of (float, DropReason)
        Prices to count: this one, or an earlier one that nothing confirmed.
    """

    memory: TickMemory
    is_accepted: bool
    is_flagged: bool = False
    dropped: tuple[tuple[float, DropReason], ...] = ()


def judge_tick(
    memory: TickMemory, price: float, at: datetime, *, is_trusted: bool = False
) -> Judgement:
    """Return whether a tick is believed, held or dropped.

    Parameters
    ----------
    memory : TickMemory
        What is known of the symbol.
    price : float
        The new price; may be anything that a source sends.
    at : datetime
        Its time, aware.
    is_trusted : bool
        True for bars of a checked file: an improbable price is flagged and passes (AAPL lost 51.9 % in a day).

    Notes
    -----
    A repeated time is a duplicate whatever its price: ticks are idempotent by (symbol, time).

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2024, 1, 1, tzinfo=UTC)
    >>> judge_tick(TickMemory(), -5.0, at).dropped
    ((-5.0, <DropReason.NOT_POSITIVE: 'not positive'>),)
    """
    if (reason := _impossible(memory, price, at)) is not None:
        return Judgement(memory, is_accepted=False, dropped=((price, reason),))
    unconfirmed = () if memory.held is None else ((memory.held, DropReason.IMPLAUSIBLE),)
    is_jump = _is_improbable(memory.price, price)
    if not is_jump or is_trusted:
        believed = TickMemory(price=price, at=at)
        return Judgement(believed, is_accepted=True, is_flagged=is_jump, dropped=unconfirmed)
    if memory.held is not None and abs(price / memory.held - 1) <= CONFIRMATION:
        return Judgement(TickMemory(price=price, at=at), is_accepted=True)
    return Judgement(
        TickMemory(price=memory.price, at=at, held=price),
        is_accepted=False,
        dropped=(*unconfirmed, (price, DropReason.HELD)),
    )


def _impossible(memory: TickMemory, price: float, at: datetime) -> DropReason | None:
    if not math.isfinite(price):
        return DropReason.NOT_FINITE
    if price <= 0:
        return DropReason.NOT_POSITIVE
    if memory.at is not None and at < memory.at:
        return DropReason.OUT_OF_ORDER
    if memory.at is not None and at == memory.at:
        return DropReason.DUPLICATE
    return None


def _is_improbable(last: float | None, price: float) -> bool:
    if last is None:
        return price > MAX_PRICE
    return abs(price / last - 1) >= MAX_JUMP - 1e-9  # a rounding error is no excuse
