"""The forecast's large chart: closes, the fan, the lived-through part of the one before, and the terminal distribution.

The distribution stands on the fan's own price axis; each of its bars reaches from one stored quantile to the next.
"""

from typing import Any

import plotly.graph_objects as go

from dashboard.figures import template as t
from dashboard.figures.markets import fan_of, flat, hidden_label, rangebreaks, time_ticks
from dashboard.theme import token
from dashboard.views.forecast import Distribution, ForecastChart, PastFan

PAST, CLOSES, FAN, TERMINAL = 0, 3, 4, 8
N_LABELS = 7
CHART_DOMAIN, TERMINAL_DOMAIN = (0.0, 0.83), (0.87, 1.0)
_NO_PAST = t.Fan(at=(), rows=((),) * t.N_FAN_ROWS, name="before")
MARGIN = {"l": 8, "r": 56, "t": 20, "b": 24}


def forecast_figure(view: ForecastChart) -> go.Figure:
    """Return the chart; its `meta` names the ranges that it follows while nobody has moved them."""
    return t.figure(
        [
            *t.fan_traces(_past(view.past), is_past=True),
            t.line_trace(view.at, view.close, name="realised", colour="tx", width=1.75),
            *t.fan_traces(fan_of(view.fan)),
            terminal_trace(view.distribution),
        ],
        key=view.key,
        margin=MARGIN,
        hovermode="closest",
        bargap=0,
        **_axes(view),
        shapes=_shapes(view),
        annotations=_annotations(view),
        meta=_meta(view),
    )


def replace_all(view: ForecastChart) -> list[Any]:
    """Return the call that brings a drawn chart to this state: whole traces, since each is short."""
    past, fan = t.fan_traces(_past(view.past), is_past=True), t.fan_traces(fan_of(view.fan))
    sets: list[dict[str, Any]] = [
        {"trace": PAST + i, "x": list(trace.x or ()), "y": list(trace.y or ())}
        for i, trace in enumerate(past)
    ]
    sets.append({"trace": CLOSES, "x": list(view.at), "y": list(view.close)})
    sets += [
        {"trace": FAN + i, "x": list(trace.x or ()), "y": list(trace.y or ())}
        for i, trace in enumerate(fan)
    ]
    bars = terminal_trace(view.distribution)
    sets.append(
        {
            "trace": TERMINAL, "x": list(bars.x or ()), "y": list(bars.y or ()), "width": list(bars.width or ()),
            "text": list(bars.text or ()), "marker.color": list(bars.marker.color or ()),
        }
    )  # fmt: skip
    layout: dict[str, Any] = {}
    for i, shape in enumerate(_shapes(view)):
        layout |= flat(f"shapes[{i}]", shape)
    for i, note in enumerate(_annotations(view)):
        layout |= flat(f"annotations[{i}]", note)
    if view.is_daily:
        layout["xaxis.rangebreaks"] = rangebreaks(view.closed_days)
    return ["advance", {"tails": [], "sets": sets, "layout": layout, "meta": _meta(view)}]


def terminal_trace(spread: Distribution | None) -> go.Bar:
    """Return the density as bars lying on the price axis, the lowest 5% of the outcomes in the colour of a fall."""
    slices = spread.slices if spread else ()
    return go.Bar(
        orientation="h",
        x=[s.density for s in slices],
        y=[s.middle for s in slices],
        width=[s.width for s in slices],
        text=[s.words for s in slices],
        textposition="none",
        hoverinfo="text",
        name="terminal distribution",
        xaxis="x2",
        marker={
            "color": [token("dn", 0.6) if s.is_tail else token("acc", 0.55) for s in slices],
            "line": {"width": 0},
        },
    )


def _past(past: PastFan | None) -> t.Fan:
    return t.Fan(at=past.at, rows=past.rows, name="before") if past else _NO_PAST


def _axes(view: ForecastChart) -> dict[str, Any]:
    axes = t.price_axes(
        breaks=rangebreaks(view.closed_days) if view.is_daily else (), has_volume=False
    )
    axes["xaxis"] |= time_ticks(has_time=not view.is_daily) | {
        "range": view.x_range,
        "domain": list(CHART_DOMAIN),
        "nticks": 9,
    }
    axes["yaxis"] |= {"range": view.y_range, "nticks": 8, "anchor": "free", "position": 1}
    axes["xaxis2"] = t.axis(
        domain=list(TERMINAL_DOMAIN), showticklabels=False, fixedrange=True, rangemode="tozero"
    )
    return axes


def _shapes(view: ForecastChart) -> list[dict[str, Any]]:
    """Return the now line, the price line, and VaR beside the distribution."""
    spread = view.distribution
    edge = t.level_line(spread.value_at_risk_price if spread else 0.0, colour="dn")
    edge |= {
        "xref": "paper",
        "x0": TERMINAL_DOMAIN[0],
        "x1": TERMINAL_DOMAIN[1],
        "visible": spread is not None,
    }
    now = t.now_line(view.now or 0) | {"visible": view.now is not None}  # type: ignore[arg-type] # hidden
    price = t.level_line(view.price or 0.0) | {"visible": view.price is not None}
    return [now, price, edge]


def _annotations(view: ForecastChart) -> list[dict[str, Any]]:
    spread = view.distribution
    now = t.now_label(view.now or "") | {"visible": view.now is not None}
    tag = t.price_tag(view.price or 0.0, view.tag) | {"visible": view.price is not None}
    head = t.label(
        spread.title if spread else "", x=TERMINAL_DOMAIN[0], y=1, xref="paper", yref="paper",
        xanchor="left", yanchor="bottom",
    )  # fmt: skip
    risk = t.label(
        spread.value_at_risk if spread else "", x=TERMINAL_DOMAIN[1],
        y=spread.value_at_risk_price if spread else 0.0,
        xref="paper", yref="y", xanchor="right", yanchor="top", colour="dn",
    )  # fmt: skip
    risk |= {"visible": spread is not None}
    labels = t.end_labels(view.fan.at[-1] if view.fan else "", view.fan_labels)
    drawn = [label | {"xshift": 4} for label in labels]
    return [now, tag, head, risk, *drawn, *[hidden_label()] * (N_LABELS - len(drawn))]


def _meta(view: ForecastChart) -> dict[str, Any]:
    return {"key": view.key, "x": view.x_range, "y": view.y_range, "last": view.now}
