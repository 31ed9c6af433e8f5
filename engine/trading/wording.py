"""Numbers and sentences of the gate, written as the screens write them.

Fractions come in, percent signs go out; minus is U+2212 as in the interface's number rules.
"""

from decimal import Decimal

from engine.domain.trading import Order, Side

MINUS = "\N{MINUS SIGN}"


def percent(fraction: float) -> str:
    """Return a fraction as percent with two decimals, signed only when negative."""
    return f"{fraction:.2%}".replace("-", MINUS)


def signed_percent(fraction: float) -> str:
    """Return a fraction as percent with its sign; zero has none."""
    return percent(0.0) if round(fraction, 4) == 0 else f"{fraction:+.2%}".replace("-", MINUS)


def points(fraction: float) -> str:
    """Return a difference of percents, for example ``0.47 pts``."""
    return f"{fraction * 100:.2f} pts"


def score(value: float) -> str:
    """Return a score with its sign and three decimals."""
    return "0.000" if round(value, 3) == 0 else f"{value:+.3f}".replace("-", MINUS)


def money(amount: Decimal) -> str:
    """Return an amount in dollars and cents."""
    return f"{MINUS if amount < 0 else ''}${abs(amount):,.2f}"


def price(amount: Decimal) -> str:
    """Return a price or a distance of prices: two decimals, more below one."""
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:.4g}"


def units(quantity: Decimal) -> str:
    """Return a quantity without trailing zeros and at most six decimals."""
    text = f"{quantity:,.6f}".rstrip("0").rstrip(".").replace("-", MINUS)
    return text or "0"


def sentence(text: str) -> str:
    """Return the text with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def standing(held: Decimal) -> str:
    """Return what stays when nothing is ordered."""
    if held == 0:
        return "No order."
    return f"{'Long' if held > 0 else 'Short'} kept, no order."


def no_order(held: Decimal, reason: str) -> str:
    """Return the verdict of a refusal: what stays, and why."""
    return f"{standing(held)} {reason}"


def order(placed: Order, held: Decimal, share_after: float, clamps: tuple[str, ...]) -> str:
    """Return the verdict of an order: the act with its size, what it leads to, what clamped it."""
    verb = "Buy" if placed.side is Side.BUY else "Sell"
    act = f"{verb} {units(placed.quantity)} {placed.symbol} at about {price(placed.price)}"
    after = held + placed.quantity * placed.side.sign
    if after == 0:
        outcome = f"{'long' if held > 0 else 'short'} closed"
    else:
        outcome = f"{'long' if after > 0 else 'short'} {percent(abs(share_after))} of equity"
    limit = f", set by the {clamps[0].lower()}" if clamps else ""
    return f"{act}: {outcome}{limit}."
