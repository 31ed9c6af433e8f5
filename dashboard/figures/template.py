"""The look of every chart, and the traces that several charts share. Colours are tokens; the browser resolves them.

Nothing here computes: series come in as they are drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import plotly.graph_objects as go

from dashboard.theme import token

FONT = '"Inter Variable", Inter, system-ui, sans-serif'

BAND_FILLS = (token("fan-95"), token("fan-80"), token("fan-50"))
"""Fills of the 95, 80 and 50% bands; they stack, and each theme has its own opacities."""
PAST_FILLS = (token("tx3", 0.12), token("tx3", 0.14), token("tx3", 0.18))
PRICE_DOMAIN = (0.16, 1.0)
VOLUME_DOMAIN = (0.0, 0.14)
PRICES = ",~f"
"""Tick labels of prices: thousands apart, as many decimals as the tick has."""
MARGIN = {"l": 8, "r": 56, "t": 16, "b": 22}
N_FAN_ROWS = 7

Moment = date | datetime | str
Times = Sequence[Moment]
Values = Sequence[float | None]


def axis(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- Plotly's own names
    """Return an axis in the house style: no line, no zero line, short ticks, labels `tx3`."""
    base = {
        "showgrid": False,
        "gridcolor": token("line"),
        "gridwidth": 1,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "ticklen": 4,
        "nticks": 8,
        "tickangle": 0,
        "tickfont": {"size": 11, "color": token("tx3")},
        "spikecolor": token("ctl"),
        "spikethickness": 1,
        "spikedash": "2px,3px",
        "spikemode": "across",
        "automargin": False,
        "fixedrange": False,
    }
    return base | changes


def layout(*, key: str = "", **changes: Any) -> go.Layout:  # noqa: ANN401 -- Plotly's own names
    """Return the layout of a chart with one x axis below and one y axis at the right.

    Parameters
    ----------
    key : str
        For example "AAPL:1D"; zoom and selection are kept as long as it stays the same.
    """
    base: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 11, "color": token("tx2")},
        "margin": MARGIN,
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": token("s3"),
            "bordercolor": token("s3"),
            "font": {"family": FONT, "size": 12, "color": token("tx")},
        },
        "dragmode": "pan",
        "uirevision": key or "chart",
        "bargap": 0.32,
        "barmode": "overlay",
        "xaxis": axis(tickformat="%-d %b", hoverformat="%-d %b %Y"),
        "yaxis": axis(side="right", showgrid=True),
        "template": None,
        "separators": ".,",
    }
    return go.Layout({name: value for name, value in (base | changes).items() if value is not None})


def figure(traces: Sequence[Any], *, key: str = "", **changes: Any) -> go.Figure:  # noqa: ANN401 -- Plotly's own names
    """Return a figure of the traces in the house layout."""
    drawn = go.Figure(data=list(traces), layout=layout(key=key, **changes))
    drawn.layout.template = None
    return drawn


def rangebreaks(closed_days: Sequence[date] = (), *, weekends: bool = True) -> list[dict[str, Any]]:
    """Return the breaks that cut weekends and the given holidays out of a date axis."""
    breaks: list[dict[str, Any]] = [{"bounds": ["sat", "mon"]}] if weekends else []
    if closed_days:
        breaks.append({"values": [day.isoformat() for day in closed_days]})
    return breaks


def line_trace(  # noqa: PLR0913 -- what a line can differ in
    at: Sequence[Any],
    values: Values,
    *,
    name: str,
    colour: str = "tx3",
    width: float = 1.25,
    dash: str = "solid",
    opacity: float | None = None,
    stepped: bool = False,
) -> go.Scatter:
    """Return a line; "4px,3px" is the dash of a second overlay."""
    return go.Scatter(
        x=at,
        y=values,
        name=name,
        mode="lines",
        line={
            "color": token(colour, opacity),
            "width": width,
            "dash": dash,
            "shape": "hv" if stepped else "linear",
        },
        hoverinfo="skip",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """Quantile paths of shape (7, n_steps + 1), lowest first, all starting at the last close."""

    at: Times
    rows: Sequence[Values]
    name: str = "forecast"

    def __post_init__(self) -> None:
        if len(self.rows) != N_FAN_ROWS:
            raise ValueError(
                f"rows must be the {N_FAN_ROWS} quantiles of the fan, was {len(self.rows)}; pass them all"
            )


def fan_traces(fan: Fan, *, is_past: bool = False) -> list[go.Scatter]:
    """Return the fan: the 95, 80 and 50% bands as fills without outlines, then the median.

    A past fan is grey and has no median. There are always as many traces for one kind, so a patch can restyle them.
    """
    fills = PAST_FILLS if is_past else BAND_FILLS
    bands = [
        go.Scatter(
            x=[*fan.at, *reversed(fan.at)],
            y=[*fan.rows[i], *reversed(fan.rows[N_FAN_ROWS - 1 - i])],
            name=f"{fan.name} {share}%",
            mode="lines",
            fill="toself",
            fillcolor=fill,
            line={"width": 0},
            hoverinfo="skip",
        )
        for i, (share, fill) in enumerate(zip((95, 80, 50), fills, strict=True))
    ]
    if is_past:
        return bands
    median = line_trace(
        fan.at, fan.rows[N_FAN_ROWS // 2], name=f"{fan.name} median", colour="acc", width=1.75
    )
    return [*bands, median]


def fan_restyle(fan: Fan, first: int) -> list[Any]:
    """Return the Plotly call that moves a drawn fan (with median) whose first trace is number `first`."""
    return [
        "restyle",
        {"x": _fan_columns(fan, fan.at), "y": _fan_columns(fan, None)},
        list(range(first, first + 4)),
    ]


def _fan_columns(fan: Fan, at: Times | None) -> list[list[Any]]:
    if at is not None:
        return [[*at, *reversed(at)]] * 3 + [list(at)]
    bands = [[*fan.rows[i], *reversed(fan.rows[N_FAN_ROWS - 1 - i])] for i in range(3)]
    return [*bands, list(fan.rows[N_FAN_ROWS // 2])]


def marker_trace(
    at: Times, prices: Values, *, is_buy: bool, texts: Sequence[str] = (), size: int = 9
) -> go.Scatter:
    """Return triangles with a rim in panel colour: up below the low for a buy, down above the high for a sell."""
    return go.Scatter(
        x=at,
        y=prices,
        name="buy" if is_buy else "sell",
        mode="markers",
        marker={
            "symbol": "triangle-up" if is_buy else "triangle-down",
            "size": size,
            "color": token("up" if is_buy else "dn"),
            "line": {"width": 1.5, "color": token("s1")},
        },
        text=list(texts) or None,
        hoverinfo="text" if texts else "skip",
    )


def now_line(at: Moment) -> dict[str, Any]:
    """Return the dotted line at the last bar."""
    line = {"color": token("tx3"), "width": 1, "dash": "2px,3px"}
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "line": line,
    }


def now_label(at: Moment) -> dict[str, Any]:
    """Return the word over the dotted line."""
    return label("now", x=at, y=1, xref="x", yref="paper", yanchor="bottom", colour="tx3")


def level_line(value: float, *, colour: str = "tx3", dash: str = "2px,3px") -> dict[str, Any]:
    """Return a horizontal line over the whole width: a price or a limit."""
    line = {"color": token(colour), "width": 1, "dash": dash}
    return {
        "type": "line",
        "xref": "paper",
        "yref": "y",
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": line,
    }


def price_tag(value: float, text: str) -> dict[str, Any]:
    """Return the last price in the right margin: filled `tx`, text in panel colour."""
    tag = label(f"<b>{text}</b>", x=1, y=value, xref="paper", yref="y", xanchor="left", colour="s1")
    return tag | {"bgcolor": token("tx"), "borderpad": 3, "xshift": 4}


def end_labels(
    at: Moment, places: Sequence[tuple[float, str]], *, colour: str = "acc"
) -> list[dict[str, Any]]:
    """Return the labels at the end of the fan's quantiles."""
    return [
        label(text, x=at, y=value, xref="x", yref="y", xanchor="left", colour=colour)
        for value, text in places
    ]


def label(text: str, *, x: Any, y: Any, colour: str = "tx3", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- Plotly's own names
    """Return a text of size 11 without an arrow."""
    font = {"size": 11, "color": token(colour)}
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": font} | changes


def price_axes(
    *, breaks: Sequence[Mapping[str, Any]] = (), has_volume: bool = True
) -> dict[str, Any]:
    """Return the axes of a price chart with the volume pane below it; ticks stand under the volume."""
    dates = axis(
        tickformat="%-d %b",
        hoverformat="%-d %b %Y",
        rangeslider={"visible": False},
        rangebreaks=list(breaks),
        type="date",
    )
    if not has_volume:
        return {"xaxis": dates, "yaxis": axis(side="right", showgrid=True, tickformat=PRICES)}
    return {
        "xaxis": dates | {"anchor": "y2"},
        "yaxis": axis(side="right", showgrid=True, domain=list(PRICE_DOMAIN), tickformat=PRICES),
        "yaxis2": axis(
            domain=list(VOLUME_DOMAIN), showticklabels=False, fixedrange=True, rangemode="tozero"
        ),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """Profit and loss against value at risk, shape (n_days,): fractions of equity, VaR drawn below zero."""

    at: Times
    pnl: Values
    value_at_risk: Values
    other_value_at_risk: Values = ()
    is_exception: Sequence[bool] = ()


def exception_traces(days: Exceptions, *, method: str, other: str = "") -> list[Any]:
    """Return the bars of P&L, the chosen method's VaR as steps, another one dashed, and the exceptions with a cross."""
    colours = [token("crit") if hit else token("tx3", 0.75) for hit in days.is_exception] or token(
        "tx3", 0.75
    )
    traces: list[Any] = [
        go.Bar(
            x=days.at,
            y=days.pnl,
            name="P&L",
            marker={"color": colours, "line": {"width": 0}},
            hoverinfo="x+y",
        ),
        line_trace(
            days.at, days.value_at_risk, name=method, colour="acc", width=1.75, stepped=True
        ),
    ]
    if other:
        traces.append(
            line_trace(days.at, days.other_value_at_risk, name=other, dash="4px,3px", stepped=True)
        )
    hits = [(t, v) for t, v, hit in zip(days.at, days.pnl, days.is_exception, strict=False) if hit]
    cross = {"symbol": "x-thin", "size": 8, "line": {"width": 1.75, "color": token("crit")}}
    at, values = [t for t, _ in hits], [v for _, v in hits]
    traces.append(
        go.Scatter(
            x=at, y=values, name=f"beyond {method}", mode="markers", marker=cross, hoverinfo="skip"
        )
    )
    return traces
