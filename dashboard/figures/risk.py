"""Charts of the Risk page: drawdown under its limit, losses beside what was stated of them."""

from typing import Any

import plotly.graph_objects as go

from dashboard.figures.template import (
    Exceptions,
    axis,
    exception_traces,
    figure,
    label,
    level_line,
    line_trace,
)
from dashboard.theme import token
from dashboard.views.risk_series import DateTicks, DrawdownView
from dashboard.views.var_backtest import BESIDE, DRAWN, NAMES, LossesView

_MARGIN = {"l": 8, "r": 44, "t": 6, "b": 22}


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
        xaxis=_dates(view.ticks) | {"showticklabels": bool(view.at)},
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


def _dates(ticks: DateTicks) -> dict[str, Any]:
    found = axis(
        type="date",
        tickformat=ticks.format,
        hoverformat="%-d %b %Y %H:%M",
        nticks=ticks.n,
        range=ticks.x_range,
    )
    if ticks.step_s is not None:
        found |= {"tick0": ticks.first, "dtick": 1000 * ticks.step_s}
    return found


def losses_figure(view: LossesView) -> go.Figure:
    """Return each bar's change, the VaR 99 stated before it as steps below zero, and a cross at losses beyond it."""
    days = Exceptions(
        at=view.at, pnl=view.change, value_at_risk=view.value_at_risk, other_value_at_risk=view.beside,
        is_exception=view.is_beyond,
    )  # fmt: skip
    traces = exception_traces(days, method=NAMES[DRAWN], other=NAMES[BESIDE])
    traces[0].update(hovertemplate="%{y:.2f}%<extra></extra>")
    return figure(
        traces,
        key="risk.losses",
        margin=_MARGIN,
        bargap=0.25,
        xaxis=axis(type="date", tickformat="%b %y", hoverformat="%-d %b %Y", nticks=6)
        | {"showticklabels": bool(view.at)},
        yaxis=axis(side="right", showgrid=True, ticksuffix="%", ticklabelstandoff=6, nticks=6),
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
