"""How times, ages and durations are written; `formatting` passes these on, so a screen needs one import.

Seconds and aware moments come in; nothing here asks for the time.
"""

import math
from datetime import UTC, datetime, timedelta

UNKNOWN = "–"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def duration(seconds: float | None) -> str:
    """Return how long something took: one decimal below 10.

    Examples
    --------
    >>> duration(0.0006), duration(0.027), duration(0.00004), duration(1.24), duration(75), duration(0)
    ('0.6 ms', '27 ms', '<0.1 ms', '1.2 s', '1 m 15 s', '0 ms')
    """
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return UNKNOWN
    exact = float(seconds)
    if exact < 0.9995:  # noqa: PLR2004 -- from here on it reads as a second
        thousandths = exact * 1000
        if 0 < thousandths < 0.05:  # noqa: PLR2004 -- would read 0.0
            return "<0.1 ms"
        return f"{_short(thousandths)} ms"
    return _long(exact)


def _short(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"  # noqa: PLR2004 -- 9.95 reads as 10


def _long(seconds: float) -> str:
    if seconds < 59.5:  # noqa: PLR2004 -- reads as a minute
        return f"{_short(seconds)} s"
    whole = round(seconds)
    if whole < 3600:  # noqa: PLR2004 -- seconds in an hour
        return f"{whole // 60} m {whole % 60:02d} s"
    minutes = whole // 60
    return f"{minutes // 60} h {minutes % 60:02d} m"


def age(seconds: float | None, at: datetime | None = None) -> str:
    """Return how old a value is: seconds, then minutes, then hours, from a day on its date.

    Examples
    --------
    >>> age(0.4), age(12), age(125), age(11_400), age(None)
    ('0.4 s', '12 s', '2 m 05 s', '3 h 10 m', 'never')
    >>> age(200_000, datetime(2008, 9, 26, tzinfo=UTC))
    '26 Sep 2008'
    """
    if seconds is None or not math.isfinite(seconds):
        return "never"
    exact = max(0.0, float(seconds))
    if exact >= 86_400:  # noqa: PLR2004 -- seconds in a day
        return date(at) if at is not None else f"{int(exact // 86_400)} d"
    return "0.0 s" if exact < 0.05 else _long(exact)  # noqa: PLR2004 -- just now, in the column's decimals


def age_state(seconds: float | None, budget_s: float, *, is_feed_lost: bool = False) -> str:
    """Return "fresh", "ageing", "stale", "lost" or "unknown": up to 1 budget, up to 2, over 2, no feed, no value.

    Examples
    --------
    >>> [age_state(s, 5) for s in (5, 10, 10.1, None)], age_state(1, 5, is_feed_lost=True)
    (['fresh', 'ageing', 'stale', 'unknown'], 'lost')
    """
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    if is_feed_lost:
        return "lost"
    if seconds <= budget_s:
        return "fresh"
    return "ageing" if seconds <= 2 * budget_s else "stale"


def date(moment: datetime | None, *, year: bool = True) -> str:
    """Return a date; the year drops where the view is all in one.

    Examples
    --------
    >>> date(datetime(2008, 9, 26, tzinfo=UTC)), date(datetime(2008, 9, 6, tzinfo=UTC), year=False)
    ('26 Sep 2008', '6 Sep')
    """
    if moment is None:
        return UNKNOWN
    text = f"{moment.day} {_MONTHS[moment.month - 1]}"
    return f"{text} {moment.year}" if year else text


def clock(moment: datetime | None, *, thousandths: bool = False) -> str:
    """Return the time of day, in a log to the millisecond.

    Examples
    --------
    >>> clock(datetime(2008, 9, 26, 14, 32, 7, 43_900, tzinfo=UTC), thousandths=True)
    '14:32:07.043'
    >>> clock(datetime(2008, 9, 26, 14, 32, 7, tzinfo=UTC))
    '14:32:07'
    """
    if moment is None:
        return UNKNOWN
    return moment.strftime("%H:%M:%S") + (
        f".{moment.microsecond // 1000:03d}" if thousandths else ""
    )


def from_epoch(seconds: float) -> datetime:
    """Return an epoch time as a moment in UTC, exact to the microsecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
