"""Cash and positions from fills: exact money arithmetic, nothing else.

Average-cost accounting. A sale adds to cash and opens a short where nothing is held. Decimal throughout.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from engine.domain.trading import Account, Fill, Position


def apply_fill(account: Account, fill: Fill) -> Account:
    """Return the account after one fill.

    Notes
    -----
    Adding to a position averages its entry price; reducing realises (exit - entry) x quantity; passing through zero
    closes the old side first and opens the new one at the fill's price. Fees leave cash and are kept apart.
    """
    signed = fill.quantity * fill.side.sign
    held = account.position(fill.symbol)
    others = tuple(p for p in account.positions if p.symbol != fill.symbol)
    after = _after(held, fill, signed)
    return replace(
        account,
        cash=account.cash - signed * fill.price - fill.fee,
        fees_paid=account.fees_paid + fill.fee,
        positions=others if after is None else (*others, after),
    )


def _after(held: Position | None, fill: Fill, signed: Decimal) -> Position | None:
    if held is None:
        return _opened(fill, signed, Decimal(0))
    quantity = held.quantity + signed
    grows = (held.quantity > 0) == (signed > 0)
    if grows:
        entry = (held.quantity * held.entry_price + signed * fill.price) / quantity
        return replace(
            held, quantity=quantity, entry_price=entry, stop_loss=fill.stop_loss or held.stop_loss,
            take_profit=fill.take_profit or held.take_profit,
        )  # fmt: skip
    closed = min(abs(signed), abs(held.quantity)) * (1 if held.quantity > 0 else -1)
    realised = held.realised_pnl + (fill.price - held.entry_price) * closed
    if quantity == 0:
        return None
    if (quantity > 0) == (held.quantity > 0):
        return replace(held, quantity=quantity, realised_pnl=realised)
    return _opened(fill, quantity, Decimal(0))


def _opened(fill: Fill, quantity: Decimal, realised: Decimal) -> Position:
    return Position(
        symbol=fill.symbol, quantity=quantity, entry_price=fill.price, opened_at=fill.filled_at,
        realised_pnl=realised, stop_loss=fill.stop_loss, take_profit=fill.take_profit,
    )  # fmt: skip


def equity(account: Account, marks: Mapping[str, float]) -> Decimal:
    """Return cash plus the value of every position at its mark (its entry price where there is no mark)."""
    return account.cash + sum(
        (p.quantity * mark_of(p, marks) for p in account.positions), Decimal(0)
    )


def mark_of(position: Position, marks: Mapping[str, float]) -> Decimal:
    """Return the last price of a position's symbol as Decimal, or its entry price while none is known."""
    mark = marks.get(position.symbol)
    return position.entry_price if mark is None else Decimal(str(mark))
