"""Every component on one page, laid out as `states` in the design folder: for looking at, and for axe.

Run ``python -m tests.dashboard.styleguide`` and open the address that it prints.
"""

import sys
import time
from datetime import date, timedelta
from pathlib import Path

import dash
from dash import dcc, html

from dashboard.components import chart, meters, overlays, panels, pills, sparklines, tables, why
from dashboard.components import controls as ui
from dashboard.components.heat_map import heat_map
from dashboard.components.icons import ICONS, icon
from dashboard.figures import candles, template
from dashboard.views.bars import Series
from engine.domain.agents import AgentStatus
from engine.domain.risk import RiskLevel
from engine.domain.signals import SignalAction, StepOutcome

ASSETS = Path(__file__).parents[2] / "assets"
LINE = [180.0, 176, 178, 171, 165, 168, 160, 150, 152, 141, 138, 128]


def _gap(*children):
    return html.Div(list(children), className="ph-line ph-line-wrap")


def buttons():
    return panels.panel(
        "Buttons",
        html.Div(
            [
                _gap(
                    ui.button("Apply 3 changes", "primary", id="sg-apply"),
                    ui.button("Run once", "neutral", "step-forward"),
                    ui.button("Discard", "ghost"),
                    ui.button("Stop…", "danger-outline", "octagon-x"),
                ),
                _gap(
                    ui.button("Stopped", disabled_reason="trading is halted", id="sg-locked"),
                    ui.button("Start", busy="Starting…"),
                    ui.button("Flatten now", "danger"),
                    ui.button("Open", small=True),
                    ui.icon_button("camera", "Save as image"),
                    ui.icon_button("lock", "Lock momentum", pressed=True),
                ),
            ],
            className="ph-stack",
        ),
    )


def pill_panel():
    ages = [
        ("fresh", 0.4, "0.4 s"),
        ("ageing", 1.2, "1.2 s"),
        ("stale", 12, "12 s"),
        ("stale", 125, "2 m 05 s"),
    ]
    return panels.panel(
        "Pills",
        html.Div(
            [
                _gap(
                    *(pills.agent_pill(status) for status in AgentStatus),
                    pills.late_pill("Late 2.1 s"),
                ),
                _gap(pills.engine_pill("entries paused"), pills.engine_pill("reduce only")),
                _gap(
                    pills.mode_pill("PAPER"),
                    pills.mode_pill("LIVE"),
                    *(pills.side_pill(action) for action in SignalAction),
                    pills.grade("A", "1 day", 250),
                    pills.grade("A", "20 days", 12),
                ),
                _gap(*(pills.risk_bars(level, with_word=True) for level in RiskLevel)),
                html.Div(
                    [
                        panels.inset(
                            html.Div(state, className="ph-tx3 ph-t11"),
                            html.Div("128.24", className="ph-t16 ph-aged", **{"data-age": state}),
                            pills.age(
                                f"sg-age-{old}",
                                None if state == "unknown" else time.time() - old,
                                1,
                                text,
                                state=state,
                            ),
                        )
                        for state, old, text in ages
                    ],
                    className="ph-line",
                ),
            ],
            className="ph-stack",
        ),
    )


def form():
    options = [ui.Option("h", "Hist"), ui.Option("p", "Param"), ui.Option("m", "MC")]
    frames = [
        ui.Option("1m", "1m", "the feed has daily bars"),
        ui.Option("1D", "1D"),
        ui.Option("1W", "1W"),
    ]
    return panels.panel(
        "Form fields",
        html.Div(
            [
                html.Div(
                    [
                        ui.field("sg-cap", "Position cap", "10", hint="of equity, 1 – 25%"),
                        ui.field("sg-min", "Smallest move", "0.05", hint="0.01 – 0.20", unit="%"),
                        ui.field("sg-var", "VaR limit", "130", error="Enter 0.1 to 20%"),
                        ui.field(
                            "sg-src", "Data source", "Replay", locked_reason="locked while running"
                        ),
                    ],
                    style={"display": "grid", "gridTemplateColumns": "1fr 1fr", "gap": "12px"},
                ),
                _gap(
                    ui.switch("sg-on", True, "Momentum on", text="On"),
                    ui.switch("sg-off", False, "Breakout on", text="Off"),
                    ui.segments("sg-seg", options, "m", label="Method"),
                    ui.segments("sg-tf", frames, "1D", label="Timeframe"),
                ),
                ui.weight_slider(
                    "sg-slider", "Weight of mean reversion", ui.Slider(value=35, current=20, cap=50)
                ),
                ui.weight_slider(
                    "sg-slider-2", "Weight of breakout", ui.Slider(value=15, cap=50), locked=True
                ),
            ],
            className="ph-stack",
        ),
    )


def stop_dialog():
    """The body of the stop dialog in a panel, because a dialog is closed until it is asked for."""
    choices = [
        ui.Choice(
            "pause", "Pause entries", "No new positions. The 5 open ones are managed as before."
        ),
        ui.Choice("reduce", "Reduce only", "Orders may only make positions smaller."),
        ui.Choice("keep", "Stop and keep", "All 6 agents stop. 5 positions stay open, unwatched."),
        ui.Choice("flat", "Stop and flatten", "5 closing orders, then all 6 agents stop."),
    ]
    columns = [
        tables.Column("Closing order", is_number=False),
        *(tables.Column(t) for t in ("Position", "Notional", "Cost, 5 bp")),
    ]
    rows = [("AAPL", "−9.5%", "$9,764", "$4.88"), ("GOOG", "−4.0%", "$4,118", "$2.06")]
    return panels.panel(
        "Stop everything",
        ui.choices("sg-choice", choices, "flat", label="How to stop", is_danger=True),
        tables.table(
            columns, rows, caption="Orders it would send", total=["Total", "", "$13,882", "$6.94"]
        ),
        html.Div(
            [ui.button("Cancel", "ghost"), ui.hold_button("sg-hold", "Hold to stop and flatten")],
            className="ph-spread",
        ),
        tools=[pills.mode_pill("PAPER")],
    )


def nothing():
    return panels.panel(
        "Loading, empty, error",
        html.Div(
            [
                panels.inset(panels.skeleton("lines")),
                panels.empty_state(
                    "book-open",
                    "No grade yet",
                    "n = 12 of 20 at 20 days. The first grade needs 8 more.",
                    ui.button("Show raw forecasts", small=True),
                ),
                panels.error_state(
                    "Chart data did not arrive",
                    "The feed gave no bar for 12 s. Last good: 26 Sep.",
                    ui.button("Retry", icon_name="refresh-cw", small=True),
                    ui.button("Details", "ghost", small=True),
                ),
            ],
            style={
                "display": "grid",
                "gridTemplateColumns": "repeat(3, minmax(0, 1fr))",
                "gap": "8px",
            },
        ),
    )


def toasts():
    return panels.panel(
        "Toasts",
        html.Div(
            [
                overlays.toast(
                    "done", "Weights applied", "Momentum 30 → 20", ui.button("Undo", small=True)
                ),
                overlays.toast(
                    "warn", "ES 95 at 85% of its limit", "1.06% of 1.25%. Entries stay allowed."
                ),
                overlays.toast(
                    "error", "Order rejected: JPM", "10.9% would pass the 10% position cap."
                ),
            ],
            className="ph-stack",
        ),
    )


def rows():
    columns = [
        tables.Column("Symbol", is_number=False),
        tables.Column("30 days", is_number=False),
        tables.Column("Last"),
        tables.Column("Change"),
        tables.Column("Signal"),
        tables.Column("Risk"),
    ]
    spark = sparklines.sparkline(LINE, label="falling over 30 days", tone="dn")
    body = [
        tables.Row(
            cells=[
                symbol,
                spark,
                "128.24",
                html.Span("▼ −2.80%", className="ph-dn"),
                pills.side_pill("SELL"),
                pills.risk_bars(RiskLevel.HIGH),
            ],
            is_selected=symbol == "AAPL",
        )
        for symbol in ("IBM", "AAPL", "GOOG")
    ]
    return panels.panel(
        "Table rows",
        tables.table(columns, body, caption="Rows"),
        is_flush=True,
    )


def meters_panel():
    marks = (
        meters.Mark(shape="triangle", use=0.59, label="historical 0.74%"),
        meters.Mark(shape="diamond", use=0.78, label="parametric 0.97%"),
        meters.Mark(shape="circle", use=0.85, label="Monte Carlo 1.06%"),
    )
    shown = [
        ("ok", "0.79", 0.79, "79%"),
        ("warn", "1.06", 0.85, "85%"),
        ("crit", "1.31", 1.05, "105%"),
    ]
    gauges = [
        meters.gauge(
            meters.Gauge(
                id=f"sg-gauge-{name}",
                name="ES 95",
                value=value,
                unit="%",
                use=use,
                of_limit=f"{of} of limit",
                money="$1,086",
                marks=marks,
                size=136,
            )
        )
        for name, value, use, of in shown
    ]
    bars = [
        meters.LimitBar(
            id="sg-es",
            name="ES 95",
            window="1 day, MC",
            value="1.06%",
            limit="1.25%",
            use=0.85,
            left="0.19 pts left",
        ),
        meters.LimitBar(
            id="sg-dl",
            name="Daily loss",
            window="today",
            value="5.6%",
            limit="5%",
            use=1.12,
            left="over by 0.6 pts",
        ),
        meters.LimitBar(
            id="sg-dd",
            name="Drawdown",
            window="since 10 Mar",
            value="5.4%",
            limit="10%",
            use=0.54,
            left="4.6 pts left",
        ),
    ]
    strip = [
        meters.Exceptions(count=4, shapes=("circle", "diamond"), label="Monte Carlo, parametric"),
        meters.Exceptions(count=12, shapes=("triangle",), label="historical"),
    ]
    return panels.panel(
        "Gauges, limits, back-test",
        _gap(*gauges),
        *(meters.limit_bar(bar) for bar in bars),
        meters.backtest_strip(strip),
        panels.kpis(
            panels.kpi("Drawdown", "−5.4%"),
            panels.kpi("Sharpe", "0.32"),
            panels.kpi("Volatility", "9.0%"),
        ),
    )


def why_panel():
    votes = [
        ("Momentum", "−0.94", "30%", "0.9", "−0.254", -0.254),
        ("Mean reversion", "+0.49", "20%", "0.8", "+0.079", 0.079),
        ("MA trend", "−1.00", "20%", "1.1", "−0.220", -0.220),
        ("Breakout", "−0.47", "15%", "1.0", "−0.070", -0.070),
        ("MC probability", "−0.28", "15%", "0.7", "−0.030", -0.030),
    ]
    lines = tuple(
        why.VoteLine(name=n, vote=v, weight=w, regime=r, part=p, part_value=x)
        for n, v, w, r, p, x in votes
    )
    steps = (
        why.Step(
            outcome=StepOutcome.PASSED,
            label="Threshold",
            detail="|−0.495| over 0.15",
            result="SELL",
        ),
        why.Step(
            outcome=StepOutcome.CLAMPED, label="Position cap", detail="±10%", result="cut to −10.0%"
        ),
        why.Step(
            outcome=StepOutcome.REFUSED, label="Daily loss", detail="5.6% of 5%", result="refused"
        ),
        why.Step(
            outcome=StepOutcome.SKIPPED, label="Trade band", detail="0.50 pts", result="skipped"
        ),
    )
    view = why.Why(
        action=SignalAction.SELL,
        headline="Short kept, no order.",
        sentence="Target −9.0%, held −9.5%: the change of 0.47 pts is below the 0.50-pt trade band.",
        votes=lines,
        score=-0.495,
        threshold=0.15,
        steps=steps,
    )
    return panels.panel(
        "Why, and why not",
        why.why_card(view),
        tools=[html.Span("AAPL · bar 26 Sep", className="ph-tx3 ph-t11")],
    )


def figure():
    days = [date(2008, 8, 1) + timedelta(days=i) for i in range(len(LINE))]
    bars = Series(
        at=days,
        open=[value + (3 if i % 3 else -2) for i, value in enumerate(LINE)],
        high=[value + 6 for value in LINE],
        low=[value - 6 for value in LINE],
        close=LINE,
        volume=[20 + i for i in range(len(LINE))],
    )
    ahead = [days[-1] + timedelta(days=i) for i in range(10)]
    fan = template.Fan(
        at=ahead, rows=[[128 + k * 2.2 * i**0.7 for i in range(10)] for k in range(-3, 4)]
    )
    return template.figure(
        [
            *template.fan_traces(fan),
            candles.candle_trace(bars),
            *candles.volume_traces(bars),
            template.marker_trace([days[3]], [160], is_buy=True),
        ],
        key="AAPL:1D",
        shapes=[template.now_line(days[-1]), template.level_line(128.24)],
        annotations=[template.price_tag(128.24, "128.24"), template.now_label(days[-1])],
        **template.price_axes(),
    )


def charts():
    names = ["AAPL", "GOOG", "JPM", "PG"]
    values = [
        [None if i == j else (-0.4 if i + j == 3 else 0.3 * (i + j) / 2) for j in range(4)]
        for i in range(4)
    ]
    texts = [["" if v is None else f"{v:.2f}" for v in row] for row in values]
    return panels.panel(
        "Charts",
        html.Div(
            [
                chart.chart(
                    "sg-chart",
                    figure(),
                    label="AAPL fell from 180 to 128 in twelve bars; fan over ten more",
                ),
                heat_map(names, values, texts, caption="correlation of four shares"),
            ],
            style={"height": "240px", "display": "grid", "gridTemplateColumns": "2fr 1fr"},
        ),
    )


def icons():
    return panels.panel("Icons", _gap(*(icon(name) for name in sorted(ICONS))))


def layout():
    columns = [
        [buttons(), pill_panel(), form(), icons()],
        [stop_dialog(), nothing(), charts()],
        [toasts(), rows(), meters_panel(), why_panel()],
    ]
    return html.Main(
        [
            html.Div([html.H1("Style guide", className="ph-hidden")]),
            html.Div(
                [
                    html.Div(column, className="ph-col", style={"alignContent": "start"})
                    for column in columns
                ],
                className="sg-columns",
                style={
                    "display": "grid",
                    "gridTemplateColumns": "repeat(auto-fit, minmax(360px, 1fr))",
                    "gap": "8px",
                    "padding": "8px",
                },
            ),
            overlays.dialog(
                "sg-dialog",
                "Stop everything",
                html.P("5 closing orders, then all 6 agents stop."),
                [ui.button("Cancel", "ghost"), ui.hold_button("sg-hold-2", "Hold to stop")],
                icon_name="octagon-x",
                scope=pills.mode_pill("PAPER"),
                is_danger=True,
            ),
            dcc.Store(id="sg-none"),
        ]
    )


def build(theme: str = "dark") -> dash.Dash:
    app = dash.Dash(
        "styleguide",
        assets_folder=str(ASSETS),
        title="Style guide",
        serve_locally=True,
        suppress_callback_exceptions=False,
    )
    app.index_string = (
        f'<!DOCTYPE html><html lang="en" data-bs-theme="{theme}">'
        "<head>{%metas%}<title>{%title%}</title>{%css%}</head>"
        "<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body></html>"
    )
    app.layout = layout()
    chart.register(app)
    return app


if __name__ == "__main__":
    build(sys.argv[1] if len(sys.argv) > 1 else "dark").run(host="127.0.0.1", port=8971)
