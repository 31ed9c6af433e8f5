"""Charts of the Risk page: drawdown under its limit, VaR over time, the correlation map."""

import plotly.graph_objects as go

from dashboard.figures.template import axis, figure, heat_trace, label, level_line, line_trace
from dashboard.theme import token
from dashboard.views.risk_series import CorrelationView, DrawdownView, TrendView

_MARGIN = {"l": 8, "r": 44, "t": 6, "b": 22}
_HEAT_MARGIN = {"l": 46, "r": 2, "t": 2, "b": 20}


def drawdown_figure(view: DrawdownView) -> go.Figure:
    """Return the drawdown as an area hanging from zero, the limit dashed below it."""
    area = line_trace(view.at, view.percent, name="drawdown", colour="tx2", width=1.5)
    area.update(
        fill="tozeroy",
        fillcolor=token("tx3", 0.22),
        hoverinfo="x+y",
        hovertemplate="%{y:.2f}%<extra></extra>",
    )
    return figure(
        [area],
        key="risk.drawdown",
        margin=_MARGIN,
        xaxis=axis(
            type="date", tickformat=view.tick_format, hoverformat="%-d %b %Y %H:%M", nticks=6
        ),
        yaxis=axis(
            side="right",
            showgrid=True,
            ticksuffix="%",
            ticklabelstandoff=6,
            range=[view.low, -0.03 * view.low],
            nticks=5,
        ),
        **_limit(view.limit, view.limit_words, yanchor="bottom"),
    )


def trend_figure(view: TrendView) -> go.Figure:
    """Return VaR 95 reading by reading, the limit dashed above it."""
    line = line_trace(
        view.bars_ago, view.percent, name="VaR 95", colour="tx2", width=1.5, stepped=True
    )
    line.update(
        fill="tozeroy",
        fillcolor=token("tx3", 0.22),
        hoverinfo="x+y",
        hovertemplate="%{y:.2f}%<extra></extra>",
    )
    return figure(
        [line],
        key="risk.trend",
        margin=_MARGIN,
        xaxis=axis(nticks=6, hoverformat="d"),
        yaxis=axis(
            side="right",
            showgrid=True,
            ticksuffix="%",
            ticklabelstandoff=6,
            range=[0, view.top],
            nticks=5,
        ),
        **_limit(view.limit, view.limit_words, yanchor="top"),
    )


def _limit(value: float | None, words: str, *, yanchor: str) -> dict[str, object]:
    """Return the dashed line of a limit with its words at the left, on the side away from the data."""
    if value is None:
        return {}
    line = level_line(value, colour="crit", dash="4px,3px")
    text = label(
        words, x=0, y=value, xref="paper", yref="y", xanchor="left", yanchor=yanchor, colour="crit"
    )
    return {"shapes": [line], "annotations": [text]}


def correlation_figure(view: CorrelationView) -> go.Figure:
    """Return the map, first symbol at the top left; the diagonal is empty."""
    return figure(
        [heat_trace(view.symbols, view.values, view.texts)],
        key="risk.correlation",
        margin=_HEAT_MARGIN,
        dragmode=False,
        hovermode=False,
        xaxis=axis(type="category", nticks=len(view.symbols) + 1, fixedrange=True),
        yaxis=axis(
            type="category", nticks=len(view.symbols) + 1, fixedrange=True, autorange="reversed"
        ),
    )
