"""Bars of a price chart: candles, and their volume below."""

import plotly.graph_objects as go

from dashboard.theme import token
from dashboard.views.bars import Series


def candle_trace(bars: Series, *, name: str = "price") -> go.Candlestick:
    """Return candles: hollow with a 1 px rim when up, filled when down."""
    return go.Candlestick(
        x=bars.at,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        name=name,
        increasing={"line": {"color": token("up"), "width": 1}, "fillcolor": "rgba(0,0,0,0)"},
        decreasing={"line": {"color": token("dn"), "width": 1}, "fillcolor": token("dn")},
        whiskerwidth=0,
        hoverinfo="x",
    )


def volume_traces(bars: Series) -> list[go.Scatter]:
    """Return the volume below the price, on the second y axis: that of rising bars, that of falling ones.

    Each is one stepped area and so one path, where bars would be an element each.
    """
    columns = volume_columns(bars)
    return [
        go.Scatter(
            x=bars.at,
            y=columns[k],
            name="volume",
            yaxis="y2",
            mode="lines",
            line={"width": 0, "shape": "hvh"},
            fill="tozeroy",
            fillcolor=token(colour, 0.32),
            hoverinfo="skip",
        )
        for k, colour in enumerate(("up", "dn"))
    ]


def volume_columns(bars: Series) -> tuple[list[float], list[float]]:
    """Return the volume of each bar where it rose, and where it fell; zero elsewhere."""
    rising = [o is not None and c >= o for o, c in zip(bars.open, bars.close, strict=True)]
    known = [float(v or 0.0) for v in bars.volume] or [0.0] * len(rising)
    return (
        [v if up else 0.0 for v, up in zip(known, rising, strict=True)],
        [0.0 if up else v for v, up in zip(known, rising, strict=True)],
    )
