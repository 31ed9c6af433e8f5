"""Earlier forecasts beside what came: stored records that have been lived through, chosen so that none overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.views import bars as b
from dashboard.views.forecast_reading import cut, reading
from engine.domain.forecast import Forecast
from engine.domain.market import BarColumns

N_PAST = 3
MOST_BARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFan:
    """A stored forecast whose horizon has passed: shape (7, horizon + 1), grey; `words` say where the close fell."""

    at: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    top: float
    issued: str
    words: str


def n_seen(horizon: int) -> int:
    """Return how many closed bars are in view: room for two or three earlier forecasts.

    Examples
    --------
    >>> n_seen(1), n_seen(5), n_seen(20)
    (18, 30, 60)
    """
    return min(MOST_BARS, 15 + 3 * horizon)


def past_key(columns: BarColumns, horizon: int) -> str:
    """Return what changes when other earlier forecasts should be drawn: each bar, or each few of them."""
    if not columns.closes_at:
        return ""
    return str(columns.closes_at[-1] // (b.bar_seconds(columns) * max(1, horizon // 4)))


def past_fans(
    records: Sequence[Forecast], columns: BarColumns, horizon: int
) -> tuple[PastFan, ...]:
    """Return the newest records whose horizon has passed, apart from each other, oldest first."""
    seconds = b.bar_seconds(columns)
    places = {at: i for i, at in enumerate(columns.closes_at)}
    last = len(columns.closes_at) - 1
    first, latest = last - n_seen(horizon) + 1, last - horizon
    found: list[PastFan] = []
    for record in sorted(records, key=lambda each: each.origin, reverse=True):
        i = places.get(int(record.origin.timestamp()))
        if i is None or i > latest or i < first or len(record.fan[0]) <= horizon:
            continue
        found.append(_past(record, columns, i, horizon, seconds))
        latest = i - horizon - 1 - horizon // 5
        if len(found) == N_PAST:
            break
    return tuple(reversed(found))


def _past(
    record: Forecast, columns: BarColumns, origin: int, horizon: int, seconds: int
) -> PastFan:
    lived = columns.closes_at[origin : origin + horizon + 1]
    rows = cut(record, horizon)
    return PastFan(
        at=tuple(b.moment_place(at, seconds) for at in lived),
        rows=rows,
        top=max(rows[-1]),
        issued=f"issued {b.moment_words(record.origin, has_time=seconds < b.DAY_S, year=False)}",
        words=outcome(record, columns.close[origin + horizon], horizon, has_time=seconds < b.DAY_S),
    )


def outcome(record: Forecast, realised: float, horizon: int, *, has_time: bool = False) -> str:
    """Return where the close at the horizon fell in a record."""
    read = reading(record, horizon)
    if read is None:
        return ""
    issued = b.moment_words(record.origin, has_time=has_time)
    for percent in (50, 80, 95):
        low, high = read.band(percent)
        if low <= realised <= high:
            return f"the forecast of {issued} held: the close fell inside its {percent}% band"
    return f"the forecast of {issued} missed: the close fell outside its 95% band"
