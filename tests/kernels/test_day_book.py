"""The day's start and the last prices, day by day and over a jump of the market's time."""

from datetime import UTC, date, datetime
from decimal import Decimal

from engine.domain.trading import Account, Position
from engine.kernels.day_book import DayBook

FRIDAY, MONDAY, LATER = date(2008, 9, 5), date(2008, 9, 8), date(2008, 10, 10)
OPENED = datetime(2008, 9, 2, tzinfo=UTC)
HELD = Account(
    cash=Decimal(1_000),
    positions=(
        Position(symbol="AAPL", quantity=Decimal(10), entry_price=Decimal(20), opened_at=OPENED),
        Position(symbol="IBM", quantity=Decimal(-2), entry_price=Decimal(90), opened_at=OPENED),
    ),
)


def on_friday() -> DayBook:
    book = DayBook(start=Decimal(1_020))
    book.mark(HELD, "AAPL", 20.0, FRIDAY)
    book.mark(HELD, "IBM", 90.0, FRIDAY)
    return book


def test_a_day_begins_at_the_prices_before_it():
    book = on_friday()
    assert book.mark(HELD, "AAPL", 23.0, MONDAY)
    assert (book.start, book.day) == (Decimal(1_020), MONDAY)
    assert not book.mark(HELD, "IBM", 100.0, MONDAY)
    assert book.start == Decimal(1_020), "the second price of a day begins none"
    assert book.marks == {"AAPL": 23.0, "IBM": 100.0}


def test_a_jump_lands_on_its_day_alone():
    """30 points lost on AAPL in between are nobody's day: it counts from the closes of the day before the landing."""
    book = on_friday()
    assert book.land(HELD, "AAPL", 12.0, 13.0, LATER)
    assert book.land(HELD, "IBM", 80.0, 81.0, LATER)
    assert book.marks == {"AAPL": 12.0, "IBM": 80.0}
    assert (book.start, book.day) == (Decimal(1_000 + 130 - 162), LATER)
    assert not book.mark(HELD, "AAPL", 11.0, LATER)
    assert book.start == Decimal(968), "ticks of the same day go on from there"
    assert not book.land(HELD, "IBM", 70.0, 71.0, LATER), "a restart loads the same history again"
    assert (book.start, book.marks["IBM"]) == (Decimal(968), 80.0)


def test_a_second_jump_takes_nothing_from_the_first():
    book = on_friday()
    book.land(HELD, "AAPL", 12.0, 13.0, MONDAY)
    book.mark(HELD, "AAPL", 12.5, MONDAY)
    book.land(HELD, "IBM", 60.0, 61.0, LATER)
    assert book.start == Decimal(1_000 + 125 - 122)


def test_before_the_first_day_and_backwards_nothing_lands():
    assert not DayBook().land(HELD, "AAPL", 12.0, 13.0, LATER)
    book = on_friday()
    assert not book.land(HELD, "AAPL", 12.0, 13.0, FRIDAY)
    assert book.marks["AAPL"] == 20.0
