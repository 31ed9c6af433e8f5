"""Bars as a chart shows them: exact resampling, averages, and the place of each bar on the axis.

Columns come in as the feed closed them, oldest first; None stands for a value that the source does not give.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from statistics import median

from dashboard import formatting as fmt
from engine.domain.market import Bar, BarColumns

DAY_S = 86_400
SATURDAY = 5
N_GAPS = 60
"""So many gaps tell how long a bar lasts."""


@dataclass(frozen=True, slots=True)
class Timeframe:
    """One choice of bar length; a week and a month are calendar spans, given by their usual length."""

    key: str
    seconds: int
    words: str


TIMEFRAMES = (
    Timeframe("1m", 60, "1-minute"),
    Timeframe("5m", 300, "5-minute"),
    Timeframe("1h", 3_600, "hourly"),
    Timeframe("1D", DAY_S, "daily"),
    Timeframe("1W", 7 * DAY_S, "weekly"),
    Timeframe("1M", 30 * DAY_S, "monthly"),
)
_BY_KEY = {frame.key: frame for frame in TIMEFRAMES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Bars of shape (n_bars,) as they are drawn: `at` is their place, `last_at` the epoch of their last close."""

    at: tuple[str, ...] = ()
    last_at: tuple[int, ...] = ()
    open: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    close: tuple[float, ...] = ()
    volume: tuple[float | None, ...] = ()

    def tail(self, n: int) -> "Series":
        """Return the newest `n` bars."""
        return Series(
            at=self.at[-n:],
            last_at=self.last_at[-n:],
            open=self.open[-n:],
            high=self.high[-n:],
            low=self.low[-n:],
            close=self.close[-n:],
            volume=self.volume[-n:],
        )


def bar_seconds(columns: BarColumns) -> int:
    """Return how long one bar of the feed lasts: the middle of its latest gaps, a day where there is only one bar."""
    closes = columns.closes_at[-N_GAPS:]
    gaps = [later - earlier for earlier, later in pairwise(closes)]
    return round(median(gaps)) if gaps else DAY_S


def feed_words(seconds: int) -> str:
    """Return the feed's bars in words: "daily".

    Examples
    --------
    >>> feed_words(86_400), feed_words(60), feed_words(15)
    ('daily', '1-minute', '15-second')
    """
    exact = next((frame.words for frame in TIMEFRAMES if frame.seconds == seconds), "")
    return exact or (f"{seconds}-second" if seconds < 60 else f"{round(seconds / 60)}-minute")  # noqa: PLR2004 -- a minute


def refusal(frame: Timeframe, seconds: int) -> str:
    """Return why a timeframe can't be shown, or nothing where it can.

    Examples
    --------
    >>> refusal(TIMEFRAMES[0], 86_400), refusal(TIMEFRAMES[4], 86_400)
    ('The feed gives daily bars', '')
    """
    return f"The feed gives {feed_words(seconds)} bars" if frame.seconds < seconds else ""


def chosen_timeframe(key: str, seconds: int) -> str:
    """Return the timeframe asked for where the feed can give it, else the bars' own, or the next longer.

    Examples
    --------
    >>> chosen_timeframe("1W", 86_400), chosen_timeframe("1m", 86_400), chosen_timeframe("?", 60)
    ('1W', '1D', '1m')
    """
    asked = _BY_KEY.get(key)
    if asked and not refusal(asked, seconds):
        return asked.key
    fitting = [frame.key for frame in TIMEFRAMES if not refusal(frame, seconds)]
    return fitting[0] if fitting else TIMEFRAMES[-1].key


def is_intraday(timeframe: str) -> bool:
    """Return whether a day holds several bars of the timeframe.

    Examples
    --------
    >>> is_intraday("1h"), is_intraday("1D")
    (True, False)
    """
    return _BY_KEY[timeframe].seconds < DAY_S


def has_times(columns: BarColumns) -> bool:
    """Return whether the feed gives several bars a day, so that a date alone names none of them."""
    return bar_seconds(columns) < DAY_S


def is_longer(timeframe: str, seconds: int) -> bool:
    """Return whether a bar of the timeframe holds several of the feed's.

    Examples
    --------
    >>> is_longer("1D", 86_400), is_longer("1W", 86_400)
    (False, True)
    """
    return _BY_KEY[timeframe].seconds > seconds


def bars_in(timeframe: str, seconds: int) -> float:
    """Return how many of the feed's bars fill one of the timeframe; of daily bars, those of the working week.

    Examples
    --------
    >>> bars_in("1W", 86_400), bars_in("1h", 60), bars_in("1D", 86_400)
    (5.0, 60.0, 1.0)
    """
    if not is_longer(timeframe, seconds):
        return 1.0
    share = SATURDAY / 7 if seconds >= DAY_S else 1.0
    return share * _BY_KEY[timeframe].seconds / seconds


def place(epoch_s: float, timeframe: str) -> str:
    """Return where on the axis the bar stands that holds this moment.

    A day stands at its date, a week and a month at their middle (so that all are equally far apart), shorter bars at
    the end of their span.

    Examples
    --------
    >>> friday = datetime(2008, 9, 26, 20, tzinfo=UTC).timestamp()
    >>> place(friday, "1D"), place(friday, "1W"), place(friday, "1M"), place(friday, "1h")
    ('2008-09-26', '2008-09-24', '2008-09-15', '2008-09-26T20:00')
    """
    moment = datetime.fromtimestamp(epoch_s, UTC)
    day = moment.date()
    match timeframe:
        case "1D":
            return day.isoformat()
        case "1W":
            return (day + timedelta(days=2 - day.weekday())).isoformat()
        case "1M":
            return day.replace(day=15).isoformat()
        case _:
            span = _BY_KEY[timeframe].seconds
            end = -(-int(epoch_s) // span) * span
            return f"{datetime.fromtimestamp(end, UTC):%Y-%m-%dT%H:%M}"


def time_words(epoch_s: float, timeframe: str) -> str:
    """Return when a bar closed: the day, with the time of day where a day holds several bars.

    Examples
    --------
    >>> friday = datetime(2008, 9, 26, 20, tzinfo=UTC).timestamp()
    >>> time_words(friday, "1D"), time_words(friday, "1h")
    ('26 Sep 2008', '26 Sep 2008 20:00')
    """
    moment = datetime.fromtimestamp(epoch_s, UTC)
    return moment_words(moment, has_time=is_intraday(timeframe))


def moment_words(moment: datetime, *, has_time: bool, year: bool = True) -> str:
    """Return the day of a moment, with the time of day where a day holds several bars.

    Examples
    --------
    >>> moment_words(datetime(2024, 1, 2, 3, 4, tzinfo=UTC), has_time=True, year=False)
    '2 Jan 03:04'
    """
    day = fmt.date(moment, year=year)
    return f"{day} {moment:%H:%M}" if has_time else day


def moment_place(epoch_s: float, seconds: int) -> str:
    """Return where a moment itself stands, whatever the timeframe: by its date for daily bars."""
    return place(epoch_s, "1D") if seconds >= DAY_S else _minute(epoch_s)


def _minute(epoch_s: float) -> str:
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%dT%H:%M:%S}"


def _first(values: Sequence[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def resample(columns: BarColumns, timeframe: str) -> Series:
    """Return the bars of a timeframe: first open, highest high, lowest low, last close, sum of volume."""
    places = [place(at, timeframe) for at in columns.closes_at]
    rows: list[tuple[object, ...]] = []
    for at, group in groupby(range(len(places)), key=places.__getitem__):
        picked = list(group)
        first, last = picked[0], picked[-1] + 1
        opens, highs = columns.open[first:last], columns.high[first:last]
        lows, volumes = columns.low[first:last], columns.volume[first:last]
        rows.append((
            at, columns.closes_at[last - 1], _first(opens), max(_known(highs), default=None),
            min(_known(lows), default=None), columns.close[last - 1],
            sum(_known(volumes)) if _known(volumes) else None,
        ))  # fmt: skip
    if not rows:
        return Series()
    at_, ends, opens_, highs_, lows_, closes, volumes_ = zip(*rows, strict=True)
    return Series(
        at=at_, last_at=ends, open=opens_, high=highs_, low=lows_, close=closes, volume=volumes_
    )


def moving_average(closes: Sequence[float], n: int) -> tuple[float | None, ...]:
    """Return the mean of the last `n` closes at each bar; None until there are as many.

    Examples
    --------
    >>> moving_average([1.0, 2.0, 6.0], 2)
    (None, 1.5, 4.0)
    """
    means: list[float | None] = [None] * min(n - 1, len(closes))
    means += [sum(closes[i - n + 1 : i + 1]) / n for i in range(n - 1, len(closes))]
    return tuple(means)


def forming(bars: Series, bar: Bar | None, price: float, at: str) -> Series:
    """Return the bar that is still forming at a place: what the closed bars there gave, and the unclosed one.

    Parameters
    ----------
    bars : Series
        Closed bars of the same timeframe; the last one is part of it when it stands at the same place.
    bar : Bar or None
        The feed's unclosed bar; without one the price alone counts.
    """
    opened = price if bar is None or bar.open is None else bar.open
    highs = [price, *_known([bar.high if bar else None])]
    lows = [price, *_known([bar.low if bar else None])]
    volumes = _known([bar.volume if bar else None])
    if bars.at and bars.at[-1] == at:
        opened = bars.open[-1] if bars.open[-1] is not None else opened
        highs += _known([bars.high[-1]])
        lows += _known([bars.low[-1]])
        volumes += _known([bars.volume[-1]])
    return Series(
        at=(at,), last_at=(0,), open=(opened,), high=(max(highs),), low=(min(lows),), close=(price,),
        volume=(sum(volumes) if volumes else None,),
    )  # fmt: skip


def closed_days(columns: BarColumns) -> tuple[str, ...]:
    """Return the weekdays between the first and the last daily bar that have none: holidays, as ISO dates."""
    if not columns.closes_at:
        return ()
    there = {datetime.fromtimestamp(at, UTC).date() for at in columns.closes_at}
    first, last = min(there), max(there)
    days = (first + timedelta(days=k) for k in range((last - first).days))
    return tuple(d.isoformat() for d in days if d.weekday() < SATURDAY and d not in there)


def ahead(from_s: float, n_steps: int, seconds: int) -> tuple[str, ...]:
    """Return the places of a forecast's steps, the first one being the bar it starts from.

    Daily steps are weekdays: which of them will be holidays is not known to a chart.
    """
    if seconds < DAY_S:
        return tuple(_minute(from_s + k * seconds) for k in range(n_steps + 1))
    day = datetime.fromtimestamp(from_s, UTC).date()
    days = [day]
    while len(days) <= n_steps:
        day += timedelta(days=1)
        if day.weekday() < SATURDAY:
            days.append(day)
    return tuple(d.isoformat() for d in days)
