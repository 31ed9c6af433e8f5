"""How numbers, times and counts are written: the one place where a value becomes text.

Fractions come in, percent signs go out; what is not known is written as an en dash, never as zero.
"""

import math
import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

from dashboard.moments import age as age
from dashboard.moments import age_state as age_state
from dashboard.moments import clock as clock
from dashboard.moments import date as date
from dashboard.moments import duration as duration
from dashboard.moments import from_epoch as from_epoch

Number = float | int | Decimal | None
"""A value that may be unknown."""

Write = Callable[[Number], str]
"""How a number of one kind is written."""

UNKNOWN = "–"
MINUS = "−"
THIN_SPACE = "\u2009"
UP, DOWN = "▲", "▼"
MIN_SAMPLE = 20
"""Counts below this carry no grade."""

_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
_RISKY_CELL = re.compile(r"^\s*[=+\-@＝＋－＠|]|^[\t\r\n]")
_PLAIN_NUMBER = re.compile(r"^\s*[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\s*$")


def is_known(value: Number) -> bool:
    """Return whether there is a finite number to write."""
    return value is not None and math.isfinite(value)


def _rounded(value: Number, decimals: int) -> Decimal | None:
    if value is None or not math.isfinite(value):
        return None
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return _EXACT.quantize(exact, Decimal(1).scaleb(-decimals))


def _sign(rounded: Decimal, *, signed: bool) -> str:
    if not rounded:
        return ""
    return MINUS if rounded < 0 else "+" * signed


def number(
    value: Number, decimals: int = 2, *, signed: bool = False, before: str = "", after: str = ""
) -> str:
    """Return a number with thousands commas; what rounds to zero has no sign.

    Examples
    --------
    >>> number(-1213.265), number(0.004, signed=True), number(3, 0, signed=True), number(None)
    ('−1,213.27', '0.00', '+3', '–')
    """
    rounded = _rounded(value, decimals)
    if rounded is None:
        return UNKNOWN
    return f"{_sign(rounded, signed=signed)}{before}{_EXACT.abs(rounded):,f}{after}"


def money(value: Number, *, cents: bool = True) -> str:
    """Return an amount of equity or cost in dollars.

    Examples
    --------
    >>> money(102641.63), money(Decimal("5.185")), money(-2910, cents=False)
    ('$102,641.63', '$5.19', '−$2,910')
    """
    return number(value, 2 if cents else 0, before="$")


def notional(value: Number) -> str:
    """Return an order's or a position's worth, without cents.

    Examples
    --------
    >>> notional(4210.4)
    '$4,210'
    """
    return money(value, cents=False)


def pnl(value: Number, *, cents: bool = True) -> str:
    """Return a profit or loss: always signed, and a bare 0 where nothing was won or lost.

    Examples
    --------
    >>> pnl(536.16), pnl(-207.62), pnl(0.001), pnl(814, cents=False)
    ('+$536.16', '−$207.62', '0', '+$814')
    """
    decimals = 2 if cents else 0
    return (
        number(value, decimals, signed=True, before="$") if _rounded(value, decimals) != 0 else "0"
    )


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a price grid needs.

    Examples
    --------
    >>> decimals_of(Decimal("0.01")), decimals_of(Decimal("0.00001000")), decimals_of(Decimal("5"))
    (2, 5, 0)
    """
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 2


def price(value: Number, tick_size: Decimal = Decimal("0.01")) -> str:
    """Return a price with the decimals of its tick.

    Examples
    --------
    >>> price(1213.27), price(0.5, Decimal("0.0001")), price(None)
    ('1,213.27', '0.5000', '–')
    """
    return number(value, decimals_of(tick_size))


def quantity(value: Number, lot_size: Decimal = Decimal(1), *, signed: bool = False) -> str:
    """Return units held or ordered, at most two decimals past the lot's own, without trailing zeros.

    Examples
    --------
    >>> quantity(223.25), quantity(100), quantity(-9.5, signed=True)
    ('223.25', '100', '−9.5')
    """
    text = number(value, decimals_of(lot_size) + 2, signed=signed)
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(fraction: Number, decimals: int = 2, *, signed: bool = False) -> str:
    """Return a fraction as a percentage: two decimals for VaR and limits, one for shares, none for weights.

    Examples
    --------
    >>> percent(0.0079), percent(0.476, 1), percent(0.35, 0), percent(-0.054, 1), percent(0.026, 1, signed=True)
    ('0.79%', '47.6%', '35%', '−5.4%', '+2.6%')
    """
    return number(_hundredfold(fraction), decimals, signed=signed, after="%")


def _hundredfold(fraction: Number) -> Number:
    if fraction is None or isinstance(fraction, Decimal):
        return None if fraction is None else fraction * 100
    return Decimal(str(fraction)) * 100 if math.isfinite(fraction) else None


def share(fraction: Number) -> str:
    """Return a share or a probability, one decimal."""
    return percent(fraction, 1)


def weight(fraction: Number) -> str:
    """Return a weight, no decimals."""
    return percent(fraction, 0)


def points(fraction: Number, decimals: int = 0, *, signed: bool = True) -> str:
    """Return a difference of two percentages in points; no difference is a bare 0.

    Examples
    --------
    >>> points(-0.1), points(0.007, 1), points(0.0047, 2, signed=False), points(0)
    ('−10 pts', '+0.7 pts', '0.47 pts', '0')
    """
    text = number(_hundredfold(fraction), decimals, signed=signed)
    return text if text == UNKNOWN else "0" if not text.strip("0.") else f"{text} pts"


def arrow(value: Number, decimals: int | None = None) -> str:
    """Return ▲, ▼ or nothing; with `decimals`, as the value reads after rounding."""
    seen = value if decimals is None else _rounded(value, decimals)
    if seen is None or not is_known(seen) or seen == 0:
        return ""
    return UP if seen > 0 else DOWN


def tone(value: Number, decimals: int | None = None) -> str:
    """Return the colour word of a change: "up", "dn", or nothing for zero and unknown.

    Examples
    --------
    >>> tone(0.01), tone(-3), tone(0), tone(None), tone(0.00001, decimals=2)
    ('up', 'dn', '', '', '')
    """
    return {UP: "up", DOWN: "dn", "": ""}[arrow(value, decimals)]


def change(fraction: Number, decimals: int = 2) -> str:
    """Return a change with its triangle.

    Examples
    --------
    >>> change(0.0053), change(-0.028), change(0), change(None)
    ('▲ +0.53%', '▼ −2.80%', '0.00%', '–')
    """
    return with_arrow(percent(fraction, decimals, signed=True))


def with_arrow(signed_text: str) -> str:
    """Return an already signed text behind its triangle.

    Examples
    --------
    >>> with_arrow("−$207.62"), with_arrow("0")
    ('▼ −$207.62', '0')
    """
    if signed_text[:1] not in {"+", MINUS}:
        return signed_text
    return f"{UP if signed_text[0] == '+' else DOWN} {signed_text}"


def p_value(probability: Number) -> str:
    """Return a p-value to three decimals.

    Examples
    --------
    >>> p_value(0.38), p_value(0.0004), p_value(None)
    ('0.380', '< 0.001', '–')
    """
    if probability is not None and 0 <= probability < Decimal("0.001"):
        return "< 0.001"
    return number(probability, 3)


def score(value: Number) -> str:
    """Return a score, or a part of one, signed to three decimals.

    Examples
    --------
    >>> score(-0.495), score(0.079), score(0)
    ('−0.495', '+0.079', '0.000')
    """
    return number(value, 3, signed=True)


def span(low: Number, high: Number, write: Callable[[Number], str] = price) -> str:
    r"""Return a range: an en dash between thin spaces, or "to" where a sign stands in it.

    Examples
    --------
    >>> span(0.133, 0.136, share)
    '13.3%\u2009–\u200913.6%'
    >>> span(-0.146, 0.136, lambda v: percent(v, 1, signed=True))
    '−14.6% to +13.6%'
    """
    first, last = write(low), write(high)
    if UNKNOWN in {first, last}:
        return UNKNOWN
    signed = any(text.startswith((MINUS, "+")) for text in (first, last))
    return f"{first} to {last}" if signed else f"{first}{THIN_SPACE}–{THIN_SPACE}{last}"


def count(value: Number) -> str:
    """Return a whole number with commas."""
    return number(value, 0)


def event_id(seq: int | None) -> str:
    """Return an event's number in the journal.

    Examples
    --------
    >>> event_id(9572)
    '#9,572'
    """
    return UNKNOWN if seq is None else f"#{count(seq)}"


def volume(value: Number) -> str:
    """Return traded units; millions may be short.

    Examples
    --------
    >>> volume(40_213_000), volume(812_300), volume(999_999_9)
    ('40.2M', '812,300', '10.0M')
    """
    if value is None or not math.isfinite(value) or -1_000_000 < value < 1_000_000:  # noqa: PLR2004 -- a million
        return number(value, 0)
    return number(Decimal(str(value)) / 1_000_000, 1, after="M")


def sample(n: int, needed: int = MIN_SAMPLE) -> str:
    """Return the count behind a rate, saying when it is too small.

    Examples
    --------
    >>> sample(12), sample(250)
    ('n = 12, not enough yet', 'n = 250')
    """
    return f"n = {count(n)}" + (", not enough yet" if n < needed else "")


def multiple(value: Number, decimals: int = 0) -> str:
    """Return a factor behind the multiplication sign.

    Examples
    --------
    >>> multiple(60), multiple(1.5, 1)
    ('×60', '×1.5')
    """
    return number(value, decimals) if not is_known(value) else f"×{number(value, decimals)}"


def plural(n: int, noun: str, many: str | None = None) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "change"), plural(3, "change"), plural(2, "entry", "entries")
    ('1 change', '3 changes', '2 entries')
    """
    return f"{count(n)} {noun if n == 1 else many or noun + 's'}"


def round_to_sum(values: Sequence[float], decimals: int) -> tuple[float, ...]:
    """Return the values rounded so that they add up to their rounded sum (largest remainder).

    Examples
    --------
    >>> round_to_sum([1 / 3, 1 / 3, 1 / 3], 2)
    (0.34, 0.33, 0.33)
    >>> round_to_sum([-0.2541, 0.0792, -0.2198, -0.0701, -0.0302], 3)
    (-0.254, 0.079, -0.22, -0.07, -0.03)
    """
    scale = float(10**decimals)
    exact = [value * scale for value in values]
    floors: list[int] = [math.floor(value) for value in exact]
    missing = round(sum(exact)) - sum(floors)
    by_remainder = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    for i in by_remainder[:missing]:
        floors[i] += 1
    return tuple(round(value / scale, decimals) for value in floors)


def csv_cell(value: object) -> str:
    """Return the text of a CSV cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> csv_cell("=HYPERLINK(1)"), csv_cell("-5.2"), csv_cell(-5), csv_cell(None)
    ("'=HYPERLINK(1)", '-5.2', '-5', '')
    """
    text = "" if value is None else str(value)
    if _PLAIN_NUMBER.match(text) or not _RISKY_CELL.match(text):
        return text
    return f"'{text}"
