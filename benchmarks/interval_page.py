"""The peer: a minimal Dash page fed by `dcc.Interval` with full figures, as most dashboards are written.

Twenty prices as a table, candles with volume and a fan of five quantiles over fifty steps, from the same synthetic
feed; no engine runs behind it, which is in its favour. ``/ticks`` gives what the feed gave and when.
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import plotly.graph_objects as go
import uvicorn
from dash import Dash, Input, Output, dcc, html
from fastapi import FastAPI

from benchmarks.servers import symbols
from dashboard import formatting as fmt
from engine.adapters.feeds.synthetic import SyntheticFeed
from engine.kernels.fan import fan_prices
from engine.kernels.paths import simulate_gbm

N_BARS = 120
N_STEPS = 50
POLL_S = 0.25


class Prices:
    """The newest prices and every tick with the time at which the feed gave it."""

    def __init__(self, names: list[str], hertz: float) -> None:
        self.names = names
        self.newest: dict[str, float] = {}
        self.ticks: list[tuple[str, str, float]] = []
        self._feed = SyntheticFeed(names, seed=1)
        self._every = round(1.0 / hertz / POLL_S)
        bars = self._feed.history(names[0])
        columns = ("open", "high", "low", "close", "volume")
        self.bars: dict[str, list[Any]] = {
            name: list(getattr(bars, name)[-N_BARS:]) for name in columns
        }

    async def run(self) -> None:
        """Poll the feed four times a second and take every so manieth answer."""
        held: dict[str, float] = {}
        for n in range(10**9):
            held |= {tick.symbol: tick.price for tick in self._feed.poll(time.monotonic())}
            if n % self._every == 0:
                now = time.time()
                self.ticks += [(name, fmt.price(price), now) for name, price in held.items()]
                self.newest |= held
                held = {}
            await asyncio.sleep(POLL_S)

    def figure(self) -> go.Figure:
        """Return the whole chart: candles, volume and the fan."""
        at = list(range(N_BARS))
        last = self.newest.get(self.names[0], self.bars["close"][-1])
        b = self.bars | {"close": [*self.bars["close"][:-1], last]}
        steps = list(range(N_BARS - 1, N_BARS + N_STEPS))
        rng = np.random.default_rng(1)
        logs = simulate_gbm(1.0, 0.0, 0.001, 1000, N_STEPS, rng)
        rows = fan_prices(logs[1:], last).tolist()
        return go.Figure(
            [
                go.Candlestick(
                    x=at, open=b["open"], high=b["high"], low=b["low"], close=b["close"]
                ),
                go.Bar(x=at, y=b["volume"], yaxis="y2", opacity=0.4),
                *(go.Scatter(x=steps, y=row, mode="lines") for row in rows),
            ],
            {"yaxis2": {"overlaying": "y", "side": "right"}, "uirevision": "fixed", "height": 600},
        )

    def table(self) -> list[html.Tr]:
        """Return a row per symbol."""
        return [
            html.Tr([html.Td(name), html.Td(fmt.price(price), id=f"last-{name}")])
            for name, price in self.newest.items()
        ]


def build(prices: Prices, hertz: float) -> FastAPI:
    """Return the application."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(prices.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    server = FastAPI(lifespan=life)
    server.add_api_route("/ticks", lambda: prices.ticks)
    app = Dash(name="peer", server=server, add_log_handler=False)  # type: ignore[arg-type] # FastAPI backend
    app.layout = html.Div(
        [
            dcc.Interval(id="clock", interval=1000 / hertz),
            html.Table(id="table"),
            dcc.Graph(id="chart"),
        ]
    )

    @app.callback(
        Output("table", "children"), Output("chart", "figure"), Input("clock", "n_intervals")
    )
    async def update(_: int | None) -> tuple[list[html.Tr], go.Figure]:
        return prices.table(), prices.figure()

    return server


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--hertz", type=float, default=1.0)
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    source = Prices(symbols(options.symbols).split(","), options.hertz)
    uvicorn.run(
        build(source, options.hertz), host="127.0.0.1", port=options.port, log_level="warning"
    )
