"""The price chart: candles or a line, volume, averages, the fan and markers, and over it the bar that is still open.

Traces always stand in the same order: a closed bar moves them by their tails. What a tick moves is drawn over the chart
(`assets/open_bar.js`): Plotly would lay all of it out anew.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.figures import candles as c
from dashboard.figures import template as t
from dashboard.theme import token
from dashboard.views.bars import Series
from dashboard.views.price_chart import FanView, FormingView, Marks, PriceChart

PRICE, VOLUME, MA_SHORT, MA_LONG, FAN, BUYS, SELLS, BUY_SIGNALS, SELL_SIGNALS = (
    0, 1, 3, 4, 5, 9, 10, 11, 12,
)  # fmt: skip
"""Places of the traces; volume has two, of rising and of falling bars."""
N_LABELS = 5
N_TAIL = 8
"""A closed bar sends so many bars; a browser that missed more asks for the whole chart."""
_TIME_STOPS = (
    {"dtickrange": [None, 43_200_000], "value": "%H:%M"},
    {"dtickrange": [43_200_001, None], "value": "%-d %b"},
)
"""Formats by the distance of two ticks in milliseconds."""
_NO_FAN = FanView(at=(), rows=((),) * t.N_FAN_ROWS, labels=(), words="")


def price_figure(view: PriceChart) -> go.Figure:
    """Return the chart; its `meta` names the ranges that it follows while nobody has moved them."""
    figure = t.figure(
        [
            _price(view),
            *c.volume_traces(view.bars),
            t.line_trace(view.bars.at, view.averages[0], name="MA 10"),
            t.line_trace(view.bars.at, view.averages[1], name="MA 30", dash="4px,3px"),
            *t.fan_traces(fan_of(view.fan)),
            _marks(view.buys, is_buy=True),
            _marks(view.sells, is_buy=False),
            _signals(view.buy_signals, is_buy=True),
            _signals(view.sell_signals, is_buy=False),
        ],
        key=view.key,
        hovermode="x",
        **_axes(view),
        shapes=[_now(view.now)],
        annotations=[_now_word(view.now), *_labels(view.fan)],
        meta=_meta(view),
    )
    figure.update_traces(whiskerwidth=0, selector={"type": "candlestick"})
    return figure


def advance(view: PriceChart) -> list[Any]:
    """Return the call that brings a drawn chart to its newest closed bar: tails of the series, fan, markers, ranges."""
    tail, fan = view.bars.tail(N_TAIL), fan_of(view.fan)
    tails: list[dict[str, Any]] = [
        {"trace": PRICE, **_price_columns(view, tail), "customdata": view.texts[-N_TAIL:]},
        *(
            {"trace": VOLUME + k, "x": tail.at, "y": column}
            for k, column in enumerate(c.volume_columns(tail))
        ),
        {"trace": MA_SHORT, "x": tail.at, "y": view.averages[0][-N_TAIL:]},
        {"trace": MA_LONG, "x": tail.at, "y": view.averages[1][-N_TAIL:]},
    ]
    moves = t.fan_restyle(fan, FAN)
    sets = [
        {"trace": trace, "x": moves[1]["x"][i], "y": moves[1]["y"][i]}
        for i, trace in enumerate(moves[2])
    ]
    for trace, marks in (
        (BUYS, view.buys), (SELLS, view.sells), (BUY_SIGNALS, view.buy_signals), (SELL_SIGNALS, view.sell_signals),
    ):  # fmt: skip
        sets.append({"trace": trace, "x": marks.at, "y": marks.price, "text": marks.text})
    layout = flat("shapes[0]", _now(view.now)) | flat("annotations[0]", _now_word(view.now))
    for i, label in enumerate(_labels(view.fan)):
        layout |= flat(f"annotations[{1 + i}]", label)
    if view.has_weekends_cut:
        layout["xaxis.rangebreaks"] = _breaks(view)
    return ["advance", {"tails": tails, "sets": sets, "layout": layout, "meta": _meta(view)}]


def tick(view: FormingView) -> list[Any]:
    """Return the call that draws the open bar, the price line and its tag over their chart."""
    bar = view.bar
    columns = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    return ["openBar", {
        "key": view.key, "price": view.price, "tag": view.tag, "isLine": view.is_line, "trace": PRICE,
        "at": bar.at[-1] if bar.at else None,
        "bar": [values[-1] for values in columns] if bar.at else None,
    }]  # fmt: skip


_MOVING = (
    "x",
    "y",
    "x0",
    "x1",
    "y0",
    "y1",
    "text",
    "visible",
    "xref",
    "yref",
    "xanchor",
    "xshift",
    "font",
)


def flat(path: str, wish: dict[str, Any]) -> dict[str, Any]:
    """Return a shape's or label's moving attributes by path: a whole object would be added, not changed."""
    return {f"{path}.{name}": wish[name] for name in _MOVING if name in wish}


def _price_columns(view: PriceChart, bars: Series) -> dict[str, Any]:
    if view.is_line:
        return {"x": bars.at, "y": bars.close}
    names = ("open", "high", "low", "close")
    return {"x": bars.at, **{name: getattr(bars, name) for name in names}}


def _price(view: PriceChart) -> go.Candlestick | go.Scatter:
    """Return the price; its texts go to the legend in the head, so no box covers a bar."""
    bars = view.bars
    legend = {"customdata": [list(text) for text in view.texts], "hoverinfo": "none"}
    if not view.is_line:
        return c.candle_trace(bars, name="price").update(legend)
    return t.line_trace(bars.at, bars.close, name="price", colour="tx", width=1.5).update(legend)


def fan_of(fan: FanView | None) -> t.Fan:
    """Return a view's fan as traces are made of it; an empty one while there is none."""
    return t.Fan(at=(fan or _NO_FAN).at, rows=(fan or _NO_FAN).rows)


def _marks(marks: Marks, *, is_buy: bool) -> go.Scatter:
    return t.marker_trace(marks.at, marks.price, is_buy=is_buy, texts=marks.text)


def _signals(marks: Marks, *, is_buy: bool) -> go.Scatter:
    """Return signals that no fill answered: smaller, hollow."""
    trace = t.marker_trace(marks.at, marks.price, is_buy=is_buy, texts=marks.text, size=7)
    colour = token("up" if is_buy else "dn")
    trace.marker.update(
        symbol="triangle-up-open" if is_buy else "triangle-down-open",
        color=colour,
        line={"width": 1, "color": colour},
    )
    return trace


def _axes(view: PriceChart) -> dict[str, Any]:
    axes = t.price_axes(breaks=_breaks(view), has_volume=not view.is_line)
    axes["xaxis"] |= time_ticks(has_time=view.is_intraday) | {
        "range": view.x_range,
        "nticks": 9,
        "showspikes": True,
        "spikesnap": "data",
    }
    axes["yaxis"] |= {"range": view.y_range, "nticks": 7}
    if view.is_line:
        axes["yaxis2"] = t.axis(visible=False, overlaying="y")
    return axes


def time_ticks(*, has_time: bool) -> dict[str, Any]:
    """Return the ticks of bars shorter than a day: the time of day, and the date where they are days apart."""
    return {"tickformatstops": list(_TIME_STOPS)} if has_time else {}


def _breaks(view: PriceChart) -> list[dict[str, Any]]:
    return rangebreaks(view.closed_days) if view.has_weekends_cut else []


def rangebreaks(closed_days: Sequence[str]) -> list[dict[str, Any]]:
    """Return the breaks that cut weekends and holidays, given as ISO dates."""
    return t.rangebreaks([date.fromisoformat(day) for day in closed_days])


def _now(at: str | None) -> dict[str, Any]:
    return t.now_line(at or 0) | {"visible": at is not None}  # type: ignore[arg-type] # hidden, place of no meaning


def _now_word(at: str | None) -> dict[str, Any]:
    """Return the word at the foot of the line, where the future has no volume; at its head stand words and switches."""
    foot = {"y": t.VOLUME_DOMAIN[1], "yanchor": "top", "xanchor": "left", "xshift": 8}
    return t.now_label(at or "") | foot | {"visible": at is not None}


def _labels(fan: FanView | None) -> list[dict[str, Any]]:
    """Return as many labels as there can be; the median's is bold."""
    places: Sequence[tuple[float, str]] = fan.labels if fan else ()
    middle = len(places) // 2
    texts = [
        (value, f"<b>{text}</b>" if i == middle else text) for i, (value, text) in enumerate(places)
    ]
    drawn = t.end_labels(fan.at[-1] if fan else "", texts)
    shown = {"xshift": 4, "visible": True}  # one may have been hidden until now
    return [label | shown for label in drawn] + [hidden_label()] * (N_LABELS - len(drawn))


def hidden_label() -> dict[str, Any]:
    """Return the place of a label that is not there: their number stays, so that a patch can reach each."""
    return t.label("", x=0, y=0) | {"visible": False}


def _meta(view: PriceChart) -> dict[str, Any]:
    return {"key": view.key, "x": view.x_range, "y": view.y_range, "last": view.now}
