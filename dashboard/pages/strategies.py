"""Strategies: switches, weights with a proposal before it is applied, votes, parameters, history with undo."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import dash
from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.development.base_component import Component

from dashboard import formatting as fmt
from dashboard.components.controls import Slider, button, field, icon_button, switch, weight_slider
from dashboard.components.nodes import attrs
from dashboard.components.panels import empty_state, panel
from dashboard.components.pills import pill
from dashboard.components.tables import Column, Row, table
from dashboard.host import GatewayPort
from dashboard.page import LivePart, Page
from dashboard.patches import Patch
from dashboard.views import strategies as view
from engine.domain.commands import SetStrategyEnabled, SetStrategyWeights
from engine.domain.sections import Snapshot, StrategiesSection

PAGE = Page(path="/strategies", title="Strategies", icon="sliders-horizontal", key="s")

SECTIONS = ("strategies", "instruments")
STORE, BAR, HISTORY, VOTES, LOCK_WORDS = (
    "strategies-proposal", "strategies-bar", "strategies-history", "strategies-votes", "strategies-locks",
)  # fmt: skip
APPLY, DISCARD, EQUAL, UNDO, SENT = (
    "strategies-apply", "strategies-discard", "strategies-equal", "strategies-undo", "strategies-sent",
)  # fmt: skip
COLUMNS = (
    Column("On", is_number=False, width="52px"),
    Column("Strategy", is_number=False),
    Column("Win rate", width="84px", tip="Share of votes whose next closed bar moved their way"),
    Column("Weight", is_number=False, width="220px"),
    Column("Proposed", width="92px"),
    Column("Lock", is_number=False, width="44px", class_name="ph-lock-col"),
    Column("Change", width="76px"),
)
SOURCE = "dashboard"


def _id(part: str, name: str) -> dict[str, str]:
    return {"type": f"strategies-{part}", "name": name}


def layout(gateway: GatewayPort, query: Mapping[str, str]) -> Component:  # noqa: ARG001 -- nothing of the address
    """Return the page with the weights in force as the proposal."""
    snapshot = gateway.read(SECTIONS)
    section = snapshot.value("strategies")
    if section is None or not section.rows:
        waiting = empty_state(
            "sliders-horizontal",
            "No strategy yet",
            "The engine is starting; strategies appear with it.",
        )
        return html.Div(
            panel("Strategy weights", waiting),
            className="ph-page ph-page-plain",
            **attrs({"data-topics": ""}),
        )
    proposal = view.shares(section)
    return html.Div(
        [
            _weights(section, proposal),
            panel("Parameters", _parameters(section), remark="in force", class_name="ph-area-parameters"),
            panel(
                "History",
                html.Ol(_history(section), id=HISTORY, className="ph-history"),
                tools=[button("Undo last", "ghost", "undo-2", id=UNDO, small=True)],
                class_name="ph-area-history",
            ),
            panel(
                "How they vote",
                html.Div(_votes(snapshot), id=VOTES),
                html.Div(_bar(section, proposal, ()), id=BAR, className="ph-apply", role="status"),
                remark="last closed bar, −1 sell to +1 buy",
                class_name="ph-area-whatif ph-votes-panel",
            ),
            dcc.Store(id=STORE, data={"proposal": proposal, "locks": [], "current": proposal}),
            html.Div(id=SENT, className="ph-hidden"),
        ],
        className="ph-page ph-page-strategies",
        **attrs({"data-topics": "strategies.rows strategies.history strategies.votes"}),
    )  # fmt: skip


def _weights(section: StrategiesSection, proposal: Mapping[str, int]) -> Component:
    rows = [_row(row) for row in view.rows_view(section, proposal, ())]
    foot = html.Div(
        [pill("up", "Sum 100%", "circle-check"),
         html.Span("Moving one weight shifts the unlocked others in proportion.", id=LOCK_WORDS, className="ph-tx2")],
        className="ph-weights-foot",
    )  # fmt: skip
    return panel(
        "Strategy weights",
        table(
            COLUMNS,
            rows,
            caption="Strategies with weight in force and proposed",
            class_name="ph-weights",
        ),
        foot,
        remark="tick = in force",
        tools=[
            button("Equalise", "ghost", "scale", id=EQUAL, small=True),
            button("Reset", "ghost", "rotate-cw", id=DISCARD, small=True),
        ],
        class_name="ph-area-weights",
    )


def _row(row: view.RowView) -> Row:
    slider = Slider(value=row.proposed, current=row.current)
    name = html.Div(
        [html.Strong(row.title), html.Span(row.description, className="ph-tx3 ph-t12")],
        className="ph-two",
    )
    wins = html.Div(
        [
            html.Span(row.win_rate, id=f"win-{row.name}"),
            html.Span(row.sample, id=f"sample-{row.name}", className="ph-tx3 ph-t11"),
        ],
        className="ph-two ph-num",
        **attrs({"data-tip": row.win_tip}),
    )
    return Row(
        cells=(
            switch(_id("on", row.name), row.is_on, f"{row.title} votes"),
            name,
            wins,
            html.Div(weight_slider(_id("slider", row.name), f"Weight of {row.title}", slider), id=f"slide-{row.name}"),
            field(_id("number", row.name), f"Weight of {row.title} in percent", str(row.proposed), unit="%", kind="number", hide_label=True),
            icon_button("lock-open", f"Lock {row.title}", id=_id("lock", row.name), pressed=False),
            html.Span(row.change, id=_id("change", row.name), className="ph-tx3"),
        ),
        class_name="" if row.is_on else "ph-off",
    )  # fmt: skip


def _parameters(section: StrategiesSection) -> Component:
    blocks = []
    for row in view.rows_view(section, {}, ()):
        facts = [html.Div([html.Dt(name), html.Dd(value)]) for name, value in row.parameters]
        blocks.append(
            html.Section(
                [html.H3(row.title, className="ph-t12"), html.Dl(facts, className="ph-fields")]
            )
        )
    return html.Div(blocks, className="ph-params")


def _history(section: StrategiesSection) -> list[Component]:
    changes = view.history_view(section)
    if not changes:
        return [
            html.Li(
                "No change yet. Every applied change is listed here with who and when.",
                className="ph-tx3",
            )
        ]
    return [
        html.Li(
            [html.Strong(c.title), pill("grey", "in force") if c.is_in_force else None,
             html.Div(c.detail, className="ph-tx2 ph-t12"), html.Div(c.when, className="ph-tx3 ph-t11")]
        )
        for c in changes
    ]  # fmt: skip


def _votes(snapshot: Snapshot) -> Component:
    votes = view.votes_view(snapshot)
    columns = (Column("Symbol", is_number=False), *(Column(title) for title, _ in votes.rows))
    rows = [
        Row(cells=(symbol, *(_vote(values[place]) for _, values in votes.rows)))
        for place, symbol in enumerate(votes.symbols)
    ]
    return table(
        columns, rows, caption="Votes by symbol and strategy", class_name="ph-table-dense ph-votes"
    )


def _vote(value: float | None) -> Component:
    if value is None:
        return html.Span(fmt.UNKNOWN, className="ph-tx3", **attrs({"data-tip": "no vote yet"}))
    tone = fmt.tone(value, 2)
    return html.Span(
        fmt.number(value, 2, signed=True), className=f"ph-{tone}" if tone else "ph-tx3"
    )


def _bar(
    section: StrategiesSection, proposal: Mapping[str, int], locks: Sequence[str]
) -> list[Component]:
    found = view.proposal_view(section, proposal, locks)
    lines = [
        html.Span(
            [
                f"{title} ",
                html.Span(str(now), className="ph-tx3"),
                " → ",
                html.Strong(str(then), className="ph-acc"),
            ]
        )
        for title, now, then in found.lines
    ]
    label = f"Apply {fmt.plural(found.n_changes, 'change')}" if found.n_changes else "Apply"
    reason = "" if found.n_changes else "no weight was changed"
    return [
        html.Div(
            [
                html.Div(lines, className="ph-apply-lines"),
                html.Div(found.words, className="ph-tx3 ph-t11"),
            ]
        ),
        button(label, "primary", id=APPLY, disabled_reason=reason),
    ]


# -- live ------------------------------------------------------------------------------------------------------


def _live_rows(snapshot: Snapshot, _: str) -> Patch:
    section = snapshot.value("strategies")
    if section is None:
        return Patch()
    rows = view.rows_view(section, {}, ())
    text = {f"win-{r.name}": r.win_rate for r in rows} | {
        f"sample-{r.name}": r.sample for r in rows
    }
    marks = {
        _dom("strategies-on", r.name): {"aria-checked": "true" if r.is_on else "false"}
        for r in rows
    }
    return Patch(text=text, attrs=marks)


def _dom(kind: str, name: str) -> str:
    return f'{{"name":"{name}","type":"{kind}"}}'


def _live_history(snapshot: Snapshot, _: str) -> Patch:
    section = snapshot.value("strategies")
    return Patch() if section is None else Patch(props={HISTORY: {"children": _history(section)}})


def _live_votes(snapshot: Snapshot, _: str) -> Patch:
    return Patch(props={VOTES: {"children": _votes(snapshot)}})


LIVE = (
    LivePart(
        name="strategies.rows", sections=("strategies",), render=_live_rows, min_interval_s=0.5
    ),
    LivePart(
        name="strategies.history",
        sections=("strategies",),
        render=_live_history,
        min_interval_s=1.0,
    ),
    LivePart(name="strategies.votes", sections=SECTIONS, render=_live_votes, min_interval_s=1.0),
)


# -- intent ----------------------------------------------------------------------------------------------------


def register(app: dash.Dash, gateway: GatewayPort) -> None:
    """Connect sliders, numbers, locks, switches and the buttons."""

    @app.callback(
        Output(STORE, "data"), Output(BAR, "children"),
        Output({"type": "strategies-slider", "name": ALL}, "value"),
        Output({"type": "strategies-number", "name": ALL}, "value"),
        Output({"type": "strategies-change", "name": ALL}, "children"),
        Output({"type": "strategies-lock", "name": ALL}, "aria-pressed"),
        Input({"type": "strategies-slider", "name": ALL}, "value"),
        Input({"type": "strategies-number", "name": ALL}, "value"),
        Input({"type": "strategies-lock", "name": ALL}, "n_clicks"),
        Input(EQUAL, "n_clicks"), Input(DISCARD, "n_clicks"), State(STORE, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    async def propose(
        sliders: list[Any],
        numbers: list[Any],
        _locks: list[int],
        _equal: int,
        _discard: int,
        kept: dict[str, Any],
    ) -> Any:  # noqa: ANN401 -- Dash's own order
        values = {"slider": sliders, "number": numbers}
        return await asyncio.to_thread(_proposed, gateway, kept, ctx.triggered_id, values)

    @app.callback(
        Output(SENT, "children"),
        Input(APPLY, "n_clicks"),
        State(STORE, "data"),
        prevent_initial_call=True,
    )
    async def apply(n: int | None, kept: dict[str, Any]) -> Any:  # noqa: ANN401 -- Dash's own value
        if not n:
            return dash.no_update
        return await asyncio.to_thread(_send_weights, gateway, kept["proposal"])

    @app.callback(Output(SENT, "title"), Input(UNDO, "n_clicks"), prevent_initial_call=True)
    async def undo(_n: int) -> str:
        return await asyncio.to_thread(_undo, gateway)

    @app.callback(
        Output(SENT, "lang"),
        Input({"type": "strategies-on", "name": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    async def toggle(clicks: list[int]) -> Any:  # noqa: ANN401 -- Dash's own value
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return dash.no_update
        return await asyncio.to_thread(_toggle, gateway, ctx.triggered_id["name"])


def _proposed(
    gateway: GatewayPort,
    kept: Mapping[str, Any],
    trigger: object,
    values: Mapping[str, Sequence[Any]],
) -> tuple[Any, ...]:
    """Return the proposal after what a person did, and everything drawn from it."""
    section = gateway.read(("strategies",)).value("strategies") or StrategiesSection()
    proposal, locks = dict(kept["proposal"]), list(kept["locks"])
    names = list(proposal)
    if trigger == EQUAL:
        proposal = view.equal(proposal, locks)
    elif trigger == DISCARD:
        proposal = view.shares(section)
    elif isinstance(trigger, dict):
        proposal, locks = _touched(proposal, locks, trigger, values)
    rows = {row.name: row for row in view.rows_view(section, proposal, locks)}
    data = {"proposal": proposal, "locks": locks, "current": view.shares(section)}
    return (
        data,
        _bar(section, proposal, locks),
        [proposal[n] for n in names],
        [str(proposal[n]) for n in names],
        [rows[n].change if n in rows else "0" for n in names],
        ["true" if n in locks else "false" for n in names],
    )


def _touched(
    proposal: dict[str, int],
    locks: list[str],
    trigger: Mapping[str, str],
    values: Mapping[str, Sequence[Any]],
) -> tuple[dict[str, int], list[str]]:
    name, part = trigger["name"], trigger["type"].removeprefix("strategies-")
    if part == "lock":
        return proposal, [k for k in proposal if (k in locks) != (k == name)]
    raw = values[part][list(proposal).index(name)]
    return view.moved(proposal, locks, name, _number(raw)), locks


def _number(raw: object) -> float | None:
    """Return what was typed as a number from 0 to 100, or None when it is none."""
    try:
        value = float(str(raw).replace("%", "").replace(",", ".").strip())
    except ValueError:
        return None
    return value if 0 <= value <= view.WHOLE else None


def _send_weights(gateway: GatewayPort, proposal: Mapping[str, int]) -> str:
    weights = {name: value / view.WHOLE for name, value in proposal.items()}
    return gateway.send(SetStrategyWeights(weights=weights), actor="local", source=SOURCE)


def _undo(gateway: GatewayPort) -> str:
    section = gateway.read(("strategies",)).value("strategies")
    if section is None or not section.history:
        return ""
    last = section.history[0]
    sent = (
        gateway.send(SetStrategyWeights(weights=dict(last.previous)), actor="local", source=SOURCE)
        if last.previous
        else ""
    )
    for name, was_on in last.previous_enabled.items():
        if last.enabled.get(name) != was_on:
            sent = gateway.send(
                SetStrategyEnabled(strategy=name, enabled=was_on), actor="local", source=SOURCE
            )
    return sent


def _toggle(gateway: GatewayPort, name: str) -> str:
    section = gateway.read(("strategies",)).value("strategies") or StrategiesSection()
    is_on = next((row.enabled for row in section.rows if row.name == name), False)
    return gateway.send(
        SetStrategyEnabled(strategy=name, enabled=not is_on), actor="local", source=SOURCE
    )
