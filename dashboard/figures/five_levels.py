"""All five levels in one chart: edges told apart by their dash, the chosen one filled, bands as strips at the end."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard.figures import forecast as f
from dashboard.figures import template as t
from dashboard.figures.markets import flat, hidden_label
from dashboard.theme import token
from dashboard.views.five_levels import FiveChart, LevelLines
from dashboard.views.forecast_place import LEVELS

DASHES = {1: "solid", 2: "7px,3px", 3: "12px,3px", 4: "2px,3px", 5: "8px,3px,2px,3px"}
CHART_DOMAIN, STRIP_DOMAIN = (0.0, 0.73), (0.80, 1.0)
WIDTHS = (3, 11, 19)
N_LABELS = 2 * len(LEVELS)


def five_figure(view: FiveChart) -> go.Figure:
    """Return the chart of all five levels."""
    axes = f.axes(view.closes, CHART_DOMAIN, STRIP_DOMAIN)
    axes["xaxis2"] = t.axis(
        domain=list(STRIP_DOMAIN), range=[0.5, 5.5], fixedrange=True, type="linear",
        tickvals=[1, 2, 3, 4, 5], ticktext=[f"L{k}" for k in range(1, 6)], showticklabels=True,
    )  # fmt: skip
    return t.figure(
        traces(view),
        key=view.closes.key,
        margin=f.MARGIN,
        hovermode="closest",
        **axes,
        shapes=f.marks(view.closes),
        annotations=_annotations(view),
        meta=f.meta(view.closes),
    )


def replace_five(view: FiveChart) -> list[Any]:
    """Return the call that brings a drawn chart of all five to this state."""
    sets = [
        {"trace": i, "x": trace["x"], "y": trace["y"]}
        | {path: trace[head][tail] for path, head, tail in _MOVING if tail in trace.get(head, {})}
        for i, trace in enumerate(traces(view))
    ]
    layout: dict[str, Any] = {}
    for i, shape in enumerate(f.marks(view.closes)):
        layout |= flat(f"shapes[{i}]", shape)
    for i, note in enumerate(_annotations(view)):
        layout |= flat(f"annotations[{i}]", note)
    return f.advance(view.closes, sets, layout)


_MOVING = (("line.color", "line", "color"), ("line.width", "line", "width"))


def traces(view: FiveChart) -> list[f.Trace]:
    """Return closes, the filled band, ten edges, one median, and the strips: always as many."""
    by_level = {line.level: line for line in view.levels}
    chosen = next((line for line in view.levels if line.is_chosen), None)
    edges = [
        trace for each in LEVELS for trace in _edges(view, each.value, by_level.get(each.value))
    ]
    return [
        f.line(view.closes.at, view.closes.close, name="realised", colour="tx", width=1.75),
        _filled(view, chosen),
        *edges,
        f.line(
            view.steps, chosen.median if chosen else (), name="median", colour="acc", width=1.75
        ),
        *_strips(view.levels),
    ]


def _filled(view: FiveChart, chosen: LevelLines | None) -> f.Trace:
    x = [*view.steps, *reversed(view.steps)] if chosen else []
    y = [*chosen.low, *reversed(chosen.high)] if chosen else []
    return {
        "type": "scatter", "x": x, "y": y, "mode": "lines", "fill": "toself", "name": "chosen band",
        "fillcolor": token("acc", 0.2), "line": {"width": 0}, "hoverinfo": "skip",
    }  # fmt: skip


def _edges(view: FiveChart, level: int, line: LevelLines | None) -> list[f.Trace]:
    is_chosen = line is not None and line.is_chosen
    colour, width = ("acc", 2.0) if is_chosen else ("tx2", 1.25)
    sides = (line.low, line.high) if line else ((), ())
    return [
        f.line(
            view.steps if values else (), values, name=f"L{level} {side}", colour=colour, width=width,
            dash=DASHES[level],
        )
        for side, values in zip(("low", "high"), sides, strict=True)
    ]  # fmt: skip


def _strips(levels: Sequence[LevelLines]) -> list[f.Trace]:
    """Return the bands at the end, widest first: those of the others, those of the chosen, then the medians."""
    drawn = []
    for is_chosen in (False, True):
        shown = [line for line in levels if line.is_chosen is is_chosen]
        for k, width in enumerate(WIDTHS):
            x: list[Any] = []
            y: list[Any] = []
            for line in shown:
                x += [line.level, line.level, None]
                y += [*line.bands[k], None]
            strip = f.line(
                x, y, name="bands", colour="acc" if is_chosen else "tx2", width=float(width)
            )
            strip["opacity"] = (0.55, 0.7, 1.0)[k]
            drawn.append(strip | {"xaxis": "x2"})
    median = {
        "type": "scatter", "x": [line.level for line in levels], "y": [line.middle for line in levels],
        "mode": "markers", "name": "medians", "xaxis": "x2", "hoverinfo": "skip",
        "marker": {"symbol": "line-ew", "size": 20, "line": {"width": 2, "color": token("tx")}},
    }  # fmt: skip
    return [*drawn, median]


def _annotations(view: FiveChart) -> list[dict[str, Any]]:
    end = view.steps[-1] if view.steps else ""
    chosen = {line.level for line in view.levels if line.is_chosen}
    drawn = [
        t.label(
            f"<b>{text}</b>" if level in chosen else text, x=end, y=place, xref="x", yref="y",
            xanchor="left", colour="acc" if level in chosen else "tx2",
        )
        | {"xshift": 4, "visible": True}
        for place, text, level in view.labels
    ]  # fmt: skip
    middle = next((line.median[-1] for line in view.levels if line.is_chosen), 0.0)
    median = t.label(
        view.median_label, x=end, y=middle, xref="x", yref="y", xanchor="right", yanchor="bottom",
        colour="acc",
    )  # fmt: skip
    median |= {"visible": bool(view.median_label)}
    return [
        *f.words(view.closes, view.title, STRIP_DOMAIN[1]),
        median,
        *drawn,
        *[hidden_label()] * (N_LABELS - len(drawn)),
    ]
