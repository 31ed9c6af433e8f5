"""What both charts of the Forecast page stand on: the closes in view, the newest price, and the axes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboard import formatting as fmt
from dashboard.views import bars as b
from dashboard.views.forecast_place import Place
from dashboard.views.price_chart import columns_of, instrument_of
from engine.domain.sections import Snapshot

ROOM = 0.05
"""Share of the width left free behind the fan for its labels."""
_PAD = 0.04
Range = tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closes:
    """The newest closes at their places, with the ranges that hold them and what is drawn after them.

    Parameters
    ----------
    key : str
        Zoom is kept as long as this stays the same.
    """

    key: str
    at: tuple[str, ...]
    close: tuple[float, ...]
    now: str | None
    price: float | None
    tag: str
    x_range: tuple[str, str] | None
    y_range: Range
    closed_days: tuple[str, ...]
    is_daily: bool


def closes_view(
    snapshot: Snapshot, place: Place, n: int, n_steps: int, rows: Iterable[Iterable[float]]
) -> Closes:
    """Return the newest `n` closes, with room for so many steps ahead and for the prices of all rows."""
    columns, item = columns_of(snapshot, place.symbol), instrument_of(snapshot, place.symbol)
    seconds = b.bar_seconds(columns)
    at = tuple(b.moment_place(epoch, seconds) for epoch in columns.closes_at[-n:])
    close = columns.close[-n:]
    price = close[-1] if close else None
    room = round(ROOM * (len(at) + n_steps)) + 1
    return Closes(
        key=f"forecast:{place.symbol}:{place.mode}:{place.horizon}",
        at=at,
        close=close,
        now=at[-1] if at else None,
        price=price,
        tag="" if price is None else fmt.price(price, item.tick_size),
        x_range=(at[0], b.ahead(columns.closes_at[-1], n_steps + room, seconds)[-1])
        if at
        else None,
        y_range=_y_range([*close, *(value for row in rows for value in row)]),
        closed_days=tuple(d for d in b.closed_days(columns) if at and d > at[0]),
        is_daily=seconds >= b.DAY_S,
    )


def _y_range(values: Sequence[float]) -> Range:
    if not values:
        return None
    pad = _PAD * ((max(values) - min(values)) or 1.0)
    return (min(values) - pad, max(values) + pad)
