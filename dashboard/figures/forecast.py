"""The forecast's large chart: closes over earlier fans, the fan, look-alikes as thin lines, where the forecast ends.

Traces always stand in the same order and are plain data, so that a drawn chart can be brought to any other state of
the same kind within a few milliseconds.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard.figures import template as t
from dashboard.figures.markets import flat, hidden_label, rangebreaks, time_ticks
from dashboard.theme import token
from dashboard.views.forecast_chart import ForecastChart
from dashboard.views.forecast_closes import Closes
from dashboard.views.forecast_spread import Distribution
from dashboard.views.past_fans import N_PAST, PastFan

Trace = dict[str, Any]
PAST, CLOSES, ALIKE, FAN, TERMINAL = 0, 3 * N_PAST, 3 * N_PAST + 1, 3 * N_PAST + 2, 3 * N_PAST + 6
N_LABELS = t.N_FAN_ROWS
STEMS = 3
"""Shapes before the stems: the now line, the price line, VaR."""
CHART_DOMAIN, TERMINAL_DOMAIN = (0.0, 0.80), (0.85, 1.0)
MARGIN = {"l": 8, "r": 56, "t": 20, "b": 24}
_SPREAD = {
    50: token("acc", 0.75),
    80: token("acc", 0.5),
    95: token("acc", 0.3),
    100: token("acc", 0.22),
}
_EMPTY = ((),) * t.N_FAN_ROWS


def forecast_figure(view: ForecastChart) -> go.Figure:
    """Return the chart; its `meta` names the ranges that it follows while nobody has moved them."""
    return t.figure(
        traces(view),
        key=view.closes.key,
        margin=MARGIN,
        hovermode="closest",
        bargap=0.08,
        **axes(view.closes, CHART_DOMAIN, TERMINAL_DOMAIN),
        shapes=_shapes(view),
        annotations=_annotations(view),
        meta=meta(view.closes, CLOSES),
    )


def replace_all(view: ForecastChart) -> list[Any]:
    """Return the call that brings a drawn chart to this state but for the earlier fans, which it keeps."""
    drawn = traces(view)
    sets = [_set(i, drawn[i]) for i in range(CLOSES, len(drawn))]
    layout = _layout(_shapes(view)[:STEMS], _annotations(view)[: 4 + N_LABELS])
    return advance(view.closes, sets, layout, CLOSES)


def replace_past(view: ForecastChart) -> list[Any]:
    """Return the call that draws the earlier fans anew."""
    sets = [_set(i, trace) for i, trace in enumerate(_past_traces(view.past))]
    layout = _layout(_stems(view.past), _issued(view.past), STEMS, 4 + N_LABELS)
    return advance(view.closes, sets, layout, CLOSES)


def traces(view: ForecastChart) -> list[Trace]:
    """Return every trace in its place."""
    fan = view.fan
    at, rows = (fan.at, fan.rows) if fan else ((), _EMPTY)
    median = line(at, rows[t.N_FAN_ROWS // 2], name="forecast median", colour="acc", width=1.75)
    median |= {"text": list(view.step_words), "hoverinfo": "text"}
    return [
        *_past_traces(view.past),
        line(view.closes.at, view.closes.close, name="realised", colour="tx", width=1.75),
        _alike(at, view.analogues),
        *bands(at, rows, t.BAND_FILLS, "forecast"),
        median,
        _terminal(view.distribution),
    ]


def line(
    at: Sequence[Any], values: Sequence[Any], *, name: str, colour: str, width: float, dash: str = "solid"
) -> Trace:  # fmt: skip
    """Return a line as plain data."""
    drawn = {"color": token(colour), "width": width, "dash": dash}
    return {
        "type": "scatter", "x": list(at), "y": list(values), "name": name, "mode": "lines", "line": drawn,
        "hoverinfo": "skip",
    }  # fmt: skip


def bands(
    at: Sequence[Any], rows: Sequence[Sequence[Any]], fills: Sequence[str], name: str
) -> list[Trace]:
    """Return the 95, 80 and 50% bands of seven rows as fills without outlines."""
    return [
        {
            "type": "scatter", "x": [*at, *reversed(at)], "y": [*rows[i], *reversed(rows[-1 - i])],
            "name": f"{name} {share}%", "mode": "lines", "fill": "toself", "fillcolor": fill,
            "line": {"width": 0}, "hoverinfo": "skip",
        }
        for i, (share, fill) in enumerate(zip((95, 80, 50), fills, strict=True))
    ]  # fmt: skip


def _past_traces(past: Sequence[PastFan]) -> list[Trace]:
    drawn = [bands(fan.at, fan.rows, t.PAST_FILLS, fan.issued) for fan in past]
    drawn += [bands((), _EMPTY, t.PAST_FILLS, "before")] * (N_PAST - len(past))
    return [trace for fan in drawn for trace in fan]


def _alike(at: Sequence[Any], paths: Sequence[Sequence[float]]) -> Trace:
    """Return all look-alikes as one trace of thin lines with gaps between."""
    x: list[Any] = []
    y: list[Any] = []
    for path in paths:
        x += [*at[: len(path)], None]
        y += [*path, None]
    return line(x, y, name="what looked like this", colour="tx2", width=1)


def _terminal(spread: Distribution | None) -> Trace:
    """Return the distribution lying on the price axis, the lowest 5% of the outcomes in the colour of a fall."""
    slices = spread.slices if spread else ()
    return {
        "type": "bar", "orientation": "h", "x": [s.share for s in slices], "y": [s.middle for s in slices],
        "width": [spread.width * 0.86 if spread else 0] * len(slices), "text": [s.words for s in slices],
        "textposition": "none", "hoverinfo": "text", "name": "terminal distribution", "xaxis": "x2",
        "marker": {
            "color": [token("dn", 0.6) if s.is_tail else _SPREAD[s.band] for s in slices],
            "line": {"width": 0},
        },
    }  # fmt: skip


def _set(number: int, trace: Trace) -> dict[str, Any]:
    found = {"trace": number} | {k: trace[k] for k in ("x", "y", "text", "width") if k in trace}
    if isinstance(colour := trace.get("marker", {}).get("color"), list):
        found["marker.color"] = colour
    return found


def _layout(
    shapes: Sequence[dict[str, Any]], notes: Sequence[dict[str, Any]], shape: int = 0, note: int = 0
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for i, each in enumerate(shapes):
        found |= flat(f"shapes[{shape + i}]", each)
    for i, each in enumerate(notes):
        found |= flat(f"annotations[{note + i}]", each)
    return found


def advance(
    view: Closes, sets: Sequence[dict[str, Any]], layout: dict[str, Any], hold: int = 0
) -> list[Any]:
    """Return the call that sets traces and layout of a drawn chart, and cuts the days that have no bar."""
    breaks = {"xaxis.rangebreaks": rangebreaks(view.closed_days)} if view.is_daily else {}
    wish = {"tails": [], "sets": sets, "layout": layout | breaks, "meta": meta(view, hold)}
    return ["advance", wish]


def axes(view: Closes, chart: tuple[float, float], end: tuple[float, float]) -> dict[str, Any]:
    """Return the axes: time and price, and a second one across for what stands at the end."""
    found = t.price_axes(
        breaks=rangebreaks(view.closed_days) if view.is_daily else (), has_volume=False
    )
    found["xaxis"] |= time_ticks(has_time=not view.is_daily) | {
        "range": view.x_range,
        "domain": list(chart),
        "nticks": 0,
    }
    found["yaxis"] |= {
        "range": view.y_range, "nticks": 8, "anchor": "free", "position": 0, "side": "left",
        "ticklabelposition": "inside top", "ticklabelstandoff": 2,
    }  # fmt: skip
    found["xaxis2"] = t.axis(
        domain=list(end), showticklabels=False, fixedrange=True, rangemode="tozero"
    )
    return found


def marks(view: Closes) -> list[dict[str, Any]]:
    """Return the line at the last bar and the one at its price."""
    now = t.now_line(view.now or 0) | {"visible": view.now is not None}  # type: ignore[arg-type] # hidden
    price = t.level_line(view.price or 0.0) | {"visible": view.price is not None}
    return [now, price]


def words(view: Closes, head: str, at: float) -> list[dict[str, Any]]:
    """Return the word over the last bar, the price tag, and the heading of what stands at the end."""
    now = t.now_label(view.now or "") | {"visible": view.now is not None}
    tag = t.price_tag(view.price or 0.0, view.tag) | {"visible": view.price is not None}
    title = t.label(head, x=at, y=1, xref="paper", yref="paper", xanchor="right", yanchor="bottom")
    return [now, tag, title]


def _shapes(view: ForecastChart) -> list[dict[str, Any]]:
    """Return the now line, the price line, VaR beside the distribution, and a stem for each earlier fan."""
    risk = view.distribution.value_at_risk_price if view.distribution else None
    edge = t.level_line(risk or 0.0, colour="dn")
    edge |= {
        "xref": "paper",
        "x0": TERMINAL_DOMAIN[0],
        "x1": TERMINAL_DOMAIN[1],
        "visible": risk is not None,
    }
    return [*marks(view.closes), edge, *_stems(view.past)]


def _stems(past: Sequence[PastFan]) -> list[dict[str, Any]]:
    drawn = []
    for fan in past:
        stem = {
            "type": "line",
            "xref": "x",
            "yref": "y",
            "line": {"color": token("tx3"), "width": 1},
        }
        drawn.append(
            stem
            | {
                "x0": fan.at[0],
                "x1": fan.at[0],
                "y0": fan.rows[0][0],
                "y1": _over(fan),
                "visible": True,
            }
        )
    none = t.level_line(0.0) | {"visible": False}
    return drawn + [none] * (N_PAST - len(past))


def _over(fan: PastFan) -> float:
    """Return where the words of an earlier fan stand: half-way up to its widest."""
    return fan.rows[0][0] + 0.55 * (fan.top - fan.rows[0][0])


def _issued(past: Sequence[PastFan]) -> list[dict[str, Any]]:
    drawn = [
        t.label(fan.issued, x=fan.at[0], y=_over(fan), xref="x", yref="y", yanchor="bottom", colour="tx2")
        | {"visible": True}
        for fan in past
    ]  # fmt: skip
    return drawn + [hidden_label()] * (N_PAST - len(past))


def _annotations(view: ForecastChart) -> list[dict[str, Any]]:
    spread = view.distribution
    price = spread.value_at_risk_price if spread else None
    risk = t.label(
        spread.value_at_risk if spread else "", x=TERMINAL_DOMAIN[1], y=price or 0.0,
        xref="paper", yref="y", xanchor="right", yanchor="top", colour="dn",
    )  # fmt: skip
    risk |= {"visible": price is not None}
    labels = t.end_labels(view.fan.at[-1] if view.fan else "", view.fan_labels)
    drawn = [label | {"xshift": 4, "visible": True} for label in labels]
    return [
        *words(view.closes, spread.title if spread else "", TERMINAL_DOMAIN[1]),
        risk,
        *drawn,
        *[hidden_label()] * (N_LABELS - len(drawn)),
        *_issued(view.past),
    ]


def meta(view: Closes, hold: int = 0) -> dict[str, Any]:
    """Return what the browser follows: the chart's key, its ranges, its newest bar.

    The first `hold` traces are drawn apart from the others; the price axis is widened to them.
    """
    return {
        "key": view.key,
        "x": view.x_range,
        "y": view.y_range,
        "last": view.now,
        "hold": list(range(hold)),
    }
