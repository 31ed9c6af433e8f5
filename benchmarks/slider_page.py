"""The peer: a what-if as most dashboards are written, a `dcc.Slider` whose callback returns the whole figure anew.

A fan of seven quantiles over twenty steps of geometric Brownian motion by numpy, behind 120 candles; no engine runs
behind it, which is in its favour.
"""

import argparse

import numpy as np
import plotly.graph_objects as go
import uvicorn
from dash import Dash, Input, Output, dcc, html
from fastapi import FastAPI

from benchmarks.fans import DRIFT, JOBS, SIGMA, SPOT, Job, usual

N_BARS, N_STEPS = 120, 20
SLIDER, CHART = "shock", "chart"


def figure(shock: float) -> go.Figure:
    """Return the whole chart after a shock of so many per cent on the first step."""
    rng = np.random.default_rng(1)
    closes = SPOT * np.exp(np.cumsum(DRIFT + SIGMA * rng.standard_normal(N_BARS)))
    opens = np.concatenate([[SPOT], closes[:-1]])
    highs, lows = np.maximum(opens, closes) * 1.002, np.minimum(opens, closes) * 0.998
    job = Job(n_paths=JOBS[0].n_paths, n_steps=N_STEPS, budget_ms=0.0, rounds=0)
    rows = closes[-1] / SPOT * np.exp(shock / 100.0) * usual(job, 1)[:, 0]
    steps = list(range(N_BARS, N_BARS + N_STEPS))
    return go.Figure(
        [
            go.Candlestick(x=list(range(N_BARS)), open=opens, high=highs, low=lows, close=closes),
            *(go.Scatter(x=steps, y=row, mode="lines") for row in rows),
        ],
        {"uirevision": "fixed", "height": 600},
    )


def build() -> FastAPI:
    """Return the application."""
    server = FastAPI()
    server.add_api_route("/healthz", lambda: "ok")
    app = Dash(name="peer", server=server, add_log_handler=False)  # type: ignore[arg-type] # FastAPI backend
    slider = dcc.Slider(-10, 10, 0.5, value=0, id=SLIDER, updatemode="drag")
    app.layout = html.Div([slider, dcc.Graph(id=CHART, figure=figure(0.0))])

    @app.callback(Output(CHART, "figure"), Input(SLIDER, "value"), prevent_initial_call=True)
    async def simulate(value: float) -> go.Figure:
        return figure(value)

    return server


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(build(), host="127.0.0.1", port=parser.parse_args().port, log_level="warning")
